"""What all tests share."""

from __future__ import annotations

import signal

from hypothesis import settings

# No deadline: machines that run tests may be slow and busy. The same examples every time: a failure is everybody's.
settings.register_profile("rolltwin", deadline=None, derandomize=True)
settings.load_profile("rolltwin")

# A shell ignores Ctrl-C for what it starts in the background, and so would the programs that tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
