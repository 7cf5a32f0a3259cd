"""The SimPy processes that act on decisions: pods, controllers, scripts, people, faults, samplers.

The only code that yields SimPy events. Nothing is decided here that ``sim.decide`` can decide: these modules observe, call,
apply and write journal rows. An exception in a process is a bug and stops the run.
"""

from sim.engine.world import run

__all__ = ["run"]
