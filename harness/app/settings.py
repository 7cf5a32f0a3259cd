"""What the environment says: which version this is and what it listens on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.app.behaviour import Behaviour
from harness.app.exposition import Telemetry

ADMIN_PORT = 9901
PROBES = ("/healthz", "/health", "/livez", "/readyz", "/ready", "/live")
"""Paths that are never clients' own."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything one pod is told."""

    behaviour: Behaviour
    side: str = "stable"
    telemetry: Telemetry = field(default_factory=Telemetry)
    ports: tuple[int, ...] = (8080,)
    probes: tuple[str, ...] = PROBES
    is_probed: bool = False
    """Whether the pod has probes; without them it is Ready from its start."""
    admin_port: int = ADMIN_PORT
    sample_s: float = 10.0
    """Over which requests are counted for ``above_rps_per_pod``."""
    pod: str = ""
    database: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    """Where labels may come from."""

    @classmethod
    def of(cls, env: Mapping[str, str]) -> Settings:
        """The settings in ``ROLLTWIN_*`` variables; lists are JSON. KeyError or ValueError where they are no settings."""
        side = env.get("ROLLTWIN_SIDE", "stable")
        probes = tuple(json.loads(env.get("ROLLTWIN_PROBES", "[]")))
        return cls(
            Behaviour.of(json.loads(env["ROLLTWIN_BEHAVIOUR"]), side),
            side,
            Telemetry.of(json.loads(env["ROLLTWIN_TELEMETRY"])) if "ROLLTWIN_TELEMETRY" in env else Telemetry(),
            tuple(json.loads(env.get("ROLLTWIN_PORTS", "[8080]"))),
            (*PROBES, *(path for path in probes if path != "/")),
            bool(probes),
            int(env.get("ROLLTWIN_ADMIN_PORT", str(ADMIN_PORT))),
            float(env.get("ROLLTWIN_SAMPLE_S", "10")),
            env.get("HOSTNAME", ""),
            env.get("ROLLTWIN_DATABASE", ""),
            env,
        )
