"""The model: what a cluster, its traffic and its decision makers do over time.

``model`` holds values, ``decide`` pure decisions, ``metrics`` what monitoring sees, ``traffic`` the data plane,
``engine`` the SimPy processes that join them, ``study`` many runs of it. Imports point in that order, leftwards only.
"""
