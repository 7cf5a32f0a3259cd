"""What all tests share."""

from __future__ import annotations

from hypothesis import settings

# No deadline: machines that run tests may be slow and busy. The same examples every time: a failure is everybody's.
settings.register_profile("rolltwin", deadline=None, derandomize=True)
settings.load_profile("rolltwin")
