"""What the harness tells a pod of the application: the other side of ``settings``."""

from __future__ import annotations

import json
from collections.abc import Sequence

from harness.app.behaviour import acts_by_itself
from harness.app.server import FAULTS_PATH, STATE_PATH
from harness.app.settings import ADMIN_PORT
from sim.model.behaviour import Fault, VersionBehaviour
from sim.model.hashing import canonical_json, plain
from sim.model.telemetry import PrometheusTelemetry

__all__ = ["ADMIN_PORT", "FAULTS_PATH", "STATE_PATH", "acts_alone", "environment", "told"]


def environment(  # noqa: PLR0913 - one for each variable
    behaviour: VersionBehaviour,
    side: str,
    telemetry: PrometheusTelemetry,
    *,
    ports: Sequence[int] = (8080,),
    probes: Sequence[str] = (),
    sample_s: float = 10.0,
    database: str = "",
) -> dict[str, str]:
    """Variables of a container that is to behave like this version. ``probes`` are the paths of its HTTP probes.

    ``database`` is the DSN of a PostgreSQL with the table of ``harness.app.database``: every request then looks into it.
    """
    told = {
        "ROLLTWIN_BEHAVIOUR": canonical_json(behaviour),
        "ROLLTWIN_SIDE": side,
        "ROLLTWIN_TELEMETRY": canonical_json(telemetry),
        "ROLLTWIN_PORTS": json.dumps(list(ports)),
        "ROLLTWIN_PROBES": json.dumps(list(probes)),
        "ROLLTWIN_SAMPLE_S": f"{sample_s:g}",
    }
    return told | ({"ROLLTWIN_DATABASE": database} if database else {})


def acts_alone(fault: Fault, side: str) -> bool:
    """Whether a version's own fault is judged by its pods, so that nobody has to tell them of it."""
    return acts_by_itself(plain(fault), side)


def told(faults: Sequence[Fault]) -> str:
    """Body of a POST to ``FAULTS_PATH`` on the admin port: these faults and no others act from now on.

    The pod still judges ``pod_age_s`` and ``above_rps_per_pod`` by itself; everything else of the trigger is the sender's.
    """
    return json.dumps([plain(fault) for fault in faults])
