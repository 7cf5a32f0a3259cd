"""Figures: the only package that imports matplotlib.

Every module has two halves: ``info(...)`` collects all that is drawn in a NamedTuple (tested by equality), ``draw(info)``
makes a Figure of it and decides nothing. No pyplot: no figure outlives its function.
"""
