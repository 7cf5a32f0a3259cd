"""Go's regular expressions: RE2 itself, the library Go's package follows."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final, Protocol

import re2


class Match(Protocol):
    """What is used of a match: its groups by number or name, None where a group took no part."""

    def group(self, key: int | str) -> str | None:
        """One group's text."""
        ...


class Pattern(Protocol):
    """What is used of a compiled pattern."""

    groups: int
    groupindex: dict[str, int]

    def search(self, text: str) -> Match | None:
        """The first match anywhere."""
        ...

    def fullmatch(self, text: str) -> Match | None:
        """The match of the whole text."""
        ...


def _quiet() -> Any:
    options = re2.Options()
    options.log_errors = False
    return options


_OPTIONS: Final = _quiet()


@lru_cache(maxsize=1024)
def compiled(text: str) -> Pattern:
    """The pattern; ValueError ("error parsing regexp: ...") when it is none."""
    try:
        made: Pattern = re2.compile(text, _OPTIONS)  # type: ignore[no-untyped-call]  # it ships no types
    except (re2.error, UnicodeEncodeError) as error:
        reason = error.args[0] if isinstance(error, re2.error) else error
        msg = f"error parsing regexp: {_as_go(reason.decode() if isinstance(reason, bytes) else str(reason))}"
        raise ValueError(msg) from None
    return made


_GO_WORDS: Final = {
    "missing ]": "missing closing ]",
    "missing )": "missing closing )",
    "no argument for repetition operator": "missing argument to repetition operator",
    "invalid repetition size": "invalid repeat count",
    "bad repetition operator": "invalid nested repetition operator",
    "invalid perl operator": "invalid or unsupported Perl syntax",
    "invalid named capture group": "invalid named capture",
    "trailing \\": "trailing backslash at end of expression",
}
"""RE2's words where Go's package has its own (regexp/syntax)."""


def _as_go(reason: str) -> str:
    """The reason as Go prints it: its words, and the text they are about in backquotes."""
    words, colon, about = reason.partition(": ")
    return f"{_GO_WORDS.get(words, words)}{colon}`{about}`" if colon else f"{_GO_WORDS.get(words, words)}: ``"
