"""Entry point: ``rolltwin COMMAND ...``.

Exit codes: 0 done (for ``check``: clean, for ``gate``: every claim passed), 1 findings of severity error (``check``), a
refused release (``plan``), worse (``diff --fail-on``) or a claim that failed (``gate``), 2 input or output that cannot be
used, 3 no claim failed but one is undecided (``gate``), 130 interrupted (SIGINT or SIGTERM). Whatever is wrong with the input is reported at once and never as a traceback.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from importlib.metadata import version
from io import TextIOWrapper
from pathlib import Path
from threading import current_thread, main_thread
from types import ModuleType

from reports.findings import render
from rolltwin.cli import check, diff, explain, gate, plan, power, run, score, study, tune, verify
from scenarios.findings import BadInput

COMMANDS: dict[str, ModuleType] = {
    "check": check,
    "plan": plan,
    "run": run,
    "score": score,
    "diff": diff,
    "tune": tune,
    "study": study,
    "verify": verify,
    "power": power,
    "gate": gate,
    "explain": explain,
}
UNUSABLE = 2
INTERRUPTED = 130


def parser() -> argparse.ArgumentParser:
    """The whole command line; each command's module adds its own arguments."""
    top = argparse.ArgumentParser(
        prog="rolltwin", description="A digital twin for deployment strategies.", allow_abbrev=False
    )
    top.add_argument("--version", action="version", version=f"rolltwin {version('rolltwin')}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, module in COMMANDS.items():
        summary = (module.__doc__ or "").splitlines()[0]
        command = commands.add_parser(
            name,
            help=summary,
            description=module.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        module.add_arguments(command)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    if sys.stdout is None or sys.stderr is None:  # closed by the caller: >&-
        with (
            Path(os.devnull).open("w", encoding="utf-8") as nowhere,
            redirect_stdout(nowhere),
            redirect_stderr(nowhere),
        ):
            return main(argv)
    if isinstance(sys.stdout, TextIOWrapper):
        # An arrow in a terminal of 1990, or half a character in a file name, is no reason to say nothing at all.
        sys.stdout.reconfigure(errors="replace")
    args = parser().parse_args(argv)
    try:
        with _termination_as_interrupt():
            code: int = COMMANDS[args.command].run(args)
            sys.stdout.flush()
    except BadInput as error:
        sys.stderr.write(render(error.findings, (), "text"))
        return UNUSABLE
    except BrokenPipeError:
        # The reader (head, less) has gone; pointing stdout elsewhere keeps Python's own flush at exit quiet.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNUSABLE
    except OSError as error:
        print(f"rolltwin: {error.filename or 'output'}: {error.strerror}", file=sys.stderr)
        return UNUSABLE
    except KeyboardInterrupt as error:
        print(f"\nrolltwin: interrupted. {error}".rstrip(), file=sys.stderr)
        return INTERRUPTED
    return code


@contextmanager
def _termination_as_interrupt() -> Iterator[None]:
    """SIGTERM heard as Ctrl-C is, so that what is finished is kept and workers are sent home; undone at the end."""
    if current_thread() is not main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


if __name__ == "__main__":
    sys.exit(main())
