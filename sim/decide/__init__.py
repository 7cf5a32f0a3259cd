"""Decisions: pure functions from what is wanted and what is observed to what happens next. No clock, no dice, no I/O."""
