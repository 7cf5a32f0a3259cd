"""The decisions of the playbook's ``blue-green-switch.sh``, defect for defect (audit D37-D46).

The shell's answers are those of ``bash`` with ``set -euo pipefail``, where ``local x=$(...)`` hides every failure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite, isnan
from typing import Final

from sim.model.network import VirtualService
from sim.model.pods import Labels
from sim.model.strategy import ScriptDefects, SwitchScript

Vector = Sequence[tuple[Labels, float]]
"""Series of an instant query, in the order of the answer."""

CHECK_RUN: Final = "post-switch"
SUCCESS: Final = "the script reported success"
TOGGLED: Final = "a person's rollback toggled the traffic back to the release"
_BC_NUMBER = re.compile(r"-?(\d+\.?\d*|\.\d+)")


@dataclass(frozen=True, slots=True)
class Route:
    """Which colour the script gives all the traffic, and which none."""

    target: str
    source: str


def default_host(script: SwitchScript, vs: VirtualService | None) -> str | None:
    """Host of the default route's first destination, or None without such a route."""
    routes = vs.http if vs is not None else ()
    if len(routes) <= script.route_index or not routes[script.route_index].destinations:
        return None
    return routes[script.route_index].destinations[0].host


def active_color(script: SwitchScript, host: str | None) -> str:
    """The colour in a route's host, its prefix taken out; empty where there is no such route (host None)."""
    return (host or "").replace(script.host_prefix, "", 1)


def switch_route(script: SwitchScript, active: str) -> Route:
    """What ``switch`` routes: the second colour if the first is active, the first in every other case."""
    first, second = script.colors
    return Route(second if active == first else first, active)


def undo_route(script: SwitchScript, active: str, before: str) -> Route:
    """What ``rollback`` routes. As written it toggles, so a second call brings the bad colour back (D44).

    Without the defect it restores ``before``, the colour that was active before the switch, however often it is called.
    """
    if script.defects.rollback_is_toggle:
        return switch_route(script, active)
    return Route(before, next((color for color in script.colors if color != before), active))


def validate(defects: ScriptDefects, ready: int | None, desired: int | None, not_running: int | None) -> str | None:
    """Why the script refuses the target Deployment, None if it goes on.

    ``ready`` and ``desired`` are its pods, None where there is no such Deployment (or the call failed);
    ``not_running`` counts pods whose phase is not Running, None where the call failed. Kubernetes leaves out a
    ``readyReplicas`` of 0, and the script compares texts: absent equals absent, so a missing Deployment passes (D38).
    A crash-looping pod counts as Running, an evicted leftover does not (D46).
    """
    have, want = str(ready) if ready else "", "" if desired is None else str(desired)
    if not defects.missing_target_is_healthy and not desired:
        return "there is no target to switch to: no pods are wanted"
    if have != want:
        return f"not ready: {have}/{want}"
    return f"found {not_running} unhealthy pods" if not_running else None


def query_text(script: SwitchScript, query: str, color: str) -> str:
    """A check's query: ``{service}`` is the whole service as written (D40), the colour's own service without the defect."""
    whole = script.host_prefix.rstrip("-")
    service = whole if script.defects.whole_service_query else f"{script.host_prefix}{color}"
    return query.replace("{service}", service).replace("{color}", color)


def value_of(defects: ScriptDefects, vector: Vector | None) -> str:
    """The text the script takes from an answer (``.data.result[0].value[1] // 0``); None is no answer at all.

    No series reads as ``0`` (D39), or as nothing without the defect.
    """
    if vector is None:
        return ""
    if not vector:
        return "0" if defects.no_data_passes else ""
    return sample_text(vector[0][1])


def sample_text(value: float) -> str:
    """A sample as Prometheus writes it: plain decimals without an exponent, ``NaN``, ``+Inf``, ``-Inf``."""
    if isnan(value):
        return "NaN"
    if not isfinite(value):
        return "+Inf" if value > 0 else "-Inf"
    text = f"{Decimal(repr(value)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def is_above(defects: ScriptDefects, text: str, limit: float) -> bool:
    """Whether ``bc`` finds the text greater than the limit.

    What ``bc`` cannot read makes no output, which the shell takes for false: it passes (D39). Without the defect it
    counts as above.
    """
    if _BC_NUMBER.fullmatch(text) is None:
        return not defects.no_data_passes
    return Decimal(text) > Decimal(repr(limit))


def failure(script: SwitchScript, errors: Vector | None, latency: Vector | None) -> str | None:
    """Why one check after the switch fails, None if it passes; errors are looked at first."""
    rate = value_of(script.defects, errors)
    if is_above(script.defects, rate, script.error_limit):
        return f"error rate too high: {rate or 'no data'}"
    slow = value_of(script.defects, latency)
    if is_above(script.defects, slow, script.latency_limit):
        return f"P99 latency too high: {slow or 'no data'}"
    return None
