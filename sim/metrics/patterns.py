"""Go's (RE2) patterns on Python's ``re``: what differs in spelling is translated, what Python lacks is refused."""

from __future__ import annotations

import re
import warnings
from functools import lru_cache
from typing import Final

_CLASSES: Final = {
    "[:digit:]": "0-9", "[:alpha:]": "a-zA-Z", "[:alnum:]": "a-zA-Z0-9", "[:lower:]": "a-z", "[:upper:]": "A-Z",
    "[:space:]": r"\s", "[:word:]": r"\w", "[:xdigit:]": "0-9a-fA-F",
}  # fmt: skip


@lru_cache(maxsize=1024)
def compiled(text: str, flags: int = 0) -> re.Pattern[str]:
    r"""The pattern; ValueError ("error parsing regexp: ...") when it is none, or has flags inside or ``\p`` classes."""
    translated = text.replace(r"\z", r"\Z")
    for written, meant in _CLASSES.items():
        translated = translated.replace(written, meant)
    try:
        with warnings.catch_warnings():
            # Python warns of sets inside sets, which Go does not have.
            warnings.simplefilter("ignore")
            return re.compile(translated, flags)
    except (re.error, OverflowError, RecursionError) as error:
        msg = f"error parsing regexp: {error}"
        raise ValueError(msg) from None
