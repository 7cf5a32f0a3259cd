"""Texts that a run must go on producing. ``python -m tests.golden`` writes them anew; read the difference before you commit it."""
