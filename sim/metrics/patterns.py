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
        msg = f"error parsing regexp: {reason.decode() if isinstance(reason, bytes) else reason}"
        raise ValueError(msg) from None
    return made
