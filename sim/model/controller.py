"""Releases of the Argo Rollouts controller, as far as they decide differently.

A release stands for the last patch of its line: 1.6.6, 1.7.2, 1.8.4, 1.9.1. The newest, 1.10, is the controller's
main branch as of 2026-08-17, with what was mended since the candidate 1.10.0-rc1.
"""

from __future__ import annotations

import re
from enum import StrEnum


class Expr(StrEnum):
    """Version of the expression library that conditions are written for."""

    V1_15_3 = "1.15.3"
    V1_15_5 = "1.15.5"
    V1_17 = "1.17.8"


class Controller(StrEnum):
    """A release of the controller. Compare with ``is_since``: the texts do not sort by age."""

    ARGO_1_6 = "argo-1.6"
    ARGO_1_7 = "argo-1.7"
    ARGO_1_8 = "argo-1.8"
    ARGO_1_9 = "argo-1.9"
    ARGO_1_10_RC1 = "argo-1.10.0-rc1"
    ARGO_1_10 = "argo-1.10"

    @classmethod
    def parse(cls, text: str) -> Controller:
        """The release of this name, or the line of a patch release (``argo-1.8.4``); ValueError for any other text."""
        line = text if text in set(cls) else re.sub(r"^(argo-1\.[0-9]+)\.[0-9]+\Z", r"\1", text)
        if line not in set(cls):
            msg = f"{text!r} is not one of {', '.join(cls)}"
            raise ValueError(msg)
        return cls(line)

    def is_since(self, other: Controller) -> bool:
        """Whether this is ``other`` or came after it."""
        return _AGE[self] >= _AGE[other]

    @property
    def expr(self) -> Expr:
        """The expression library it was built with (its ``go.mod``)."""
        if self.is_since(Controller.ARGO_1_10_RC1):
            return Expr.V1_17
        return Expr.V1_15_5 if self.is_since(Controller.ARGO_1_7) else Expr.V1_15_3


_AGE = {release: age for age, release in enumerate(Controller)}
NEWEST = Controller.ARGO_1_10
"""Taken where nothing is said."""
