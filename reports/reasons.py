"""Why releases end, without what differs between two runs that end for the same reason."""

from __future__ import annotations

import re

METRIC = re.compile(r'Metric "([^"]+)" assessed (\w+)')
"""The controller's words for the metric that decided."""
_CHANCE = re.compile(r"\b(?:[0-9a-f]{10}|[bcdfghjklmnpqrstvwxz2456789]{8,10})\b|\d+(?:\.\d+)?")
"""Revisions (the twin's hexadecimal, Kubernetes' without vowels) and figures."""


def causes(reason: str) -> tuple[str, ...]:
    """The metrics that decided and their phases; without any, the reason with revisions and figures as ``#``."""
    metrics = METRIC.findall(reason)
    return tuple(f"{name} {phase}" for name, phase in metrics) or (_CHANCE.sub("#", reason),)
