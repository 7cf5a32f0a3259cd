"""Reading the status of an object of the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.cluster.objects import Object


def condition(obj: Object | None, kind: str) -> Mapping[str, Any]:
    """The status condition of this type; empty where there is none."""
    status: Mapping[str, Any] = (obj or {}).get("status") or {}
    found: Mapping[str, Any] = next((one for one in status.get("conditions") or () if one.get("type") == kind), {})
    return found


def container(pod: Object | None) -> Mapping[str, Any]:
    """Status of a pod's first container; empty before there is any."""
    status: Mapping[str, Any] = (pod or {}).get("status") or {}
    found: Mapping[str, Any] = next(iter(status.get("containerStatuses") or ()), {})
    return found
