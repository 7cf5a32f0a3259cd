"""The search behind ``rolltwin tune``: which settings to try, how long each is worth trying, and what the best is worth.

Only ``sampling`` and ``kept`` import Optuna, which is an extra: whoever only reads a tuning needs none of it. Every
decision is made from replications in their order, so that neither the number of workers nor an interruption changes one.
"""
