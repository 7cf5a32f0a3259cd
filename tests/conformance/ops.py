"""Every operation the vectors may ask for, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

Operation = Callable[[Mapping[str, Any]], Any]

_MODULES = ("analysis_ops", "replicas_ops", "rollout_ops", "conditions_ops", "provider_ops")


def _merged() -> dict[str, Operation]:
    merged: dict[str, Operation] = {}
    for name in _MODULES:
        if find_spec(f"tests.conformance.{name}") is not None:
            merged |= import_module(f"tests.conformance.{name}").OPS
    return merged


OPS = _merged()
