"""The command line: a module per command."""

from __future__ import annotations

import sys


def entry() -> int:
    """The program, from its very first moment: Ctrl-C is heard while its modules are still being imported."""
    try:
        from rolltwin.cli.main import main  # noqa: PLC0415 - importing takes half a second
    except KeyboardInterrupt:
        print("\nrolltwin: interrupted.", file=sys.stderr)
        return 130
    return main()
