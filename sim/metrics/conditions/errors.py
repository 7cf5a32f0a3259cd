"""What expr says about a condition that is wrong."""

from __future__ import annotations


class ExprError(Exception):
    """Syntax, types, or a failure while it runs, in the library's words.

    ``at`` is the offset in the condition, in characters, of what it is about; None where that is not known.
    """

    def __init__(self, message: str, at: int | None = None) -> None:
        super().__init__(message)
        self.at = at
