"""The controllers as pure functions: what to do next, given the spec and what is observed.

**No clock, no dice, no simulator, no I/O and no state in here.** The instant is ``observed.now_s``; everything a
controller remembers is in the status it returns; the same arguments always give the same decision. Only
``sim.model`` is imported.
"""
