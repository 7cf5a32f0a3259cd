"""The program held back: ``python -m tests.e2e.held NUMBER ARGUMENTS``.

It says when its first replication is kept, and keeps no more than so many before its input ends. So whoever reads the word,
sends a signal and then closes the pipe interrupts it in the midst of its work, however fast the machine.
"""

from __future__ import annotations

import sys
from itertools import count

from rolltwin.cli import entry
from sim.study.jobs import StoreKey
from sim.study.store import Store


def hold(most: int) -> None:
    """From now on."""
    keep, numbers = Store.append, count(1)

    def append(store: Store, key: StoreKey, text: str) -> None:
        number = next(numbers)
        if number > most:
            sys.stdin.read()
        keep(store, key, text)
        if number == 1:
            print("kept", flush=True)  # noqa: T201 - to whoever waits

    Store.append = append  # type: ignore[assignment,method-assign]


if __name__ == "__main__":
    hold(int(sys.argv.pop(1)))
    sys.exit(entry())
