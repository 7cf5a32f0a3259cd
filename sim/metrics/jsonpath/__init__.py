"""Kubernetes' JSONPath, with which web metrics pick a value out of an answer.

``first_match`` finds the value, ``check`` says what is wrong with a path.
"""

from __future__ import annotations

from sim.metrics.jsonpath.evaluate import first_match
from sim.metrics.jsonpath.parse import PathError, parse


def check(template: str) -> str | None:
    """What is wrong with a path whatever the document, in the library's words, or None."""
    try:
        parse(template)
    except PathError as error:
        return str(error)
    return None


__all__ = ["PathError", "check", "first_match"]
