"""Claims about a policy, decided one replication at a time, and everything that is said of the decisions.

``sprt`` and ``means`` decide, ``chances`` says beforehand how often they will be wrong or leave a claim open, ``judging``
says of one replication whether it keeps a claim, ``card`` is what all documents are made from.
"""
