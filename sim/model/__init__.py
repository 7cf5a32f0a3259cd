"""Frozen values and enums of the domain.

Standard library only: **no clock, no dice, no simulator, no I/O in here.** Times are float seconds since the start
of the run (the instant the release is applied to the cluster), durations end in ``_s``, shares are 0..1 and
weights 0..100 unless a docstring says otherwise.
"""
