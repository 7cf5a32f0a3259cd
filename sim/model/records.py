"""Journal rows. Append-only, typed, JSON-friendly; a cluster run writes the same rows as the twin.

Every row has ``t_s``: seconds since the release was applied (warm-up and delivery rows are negative).
Change ``SCHEMA_VERSION`` whenever a row's meaning changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sim.model.data_plane import PlaneUse

SCHEMA_VERSION = 1


class Verdict(StrEnum):
    """How a release ended."""

    PROMOTED = "promoted"
    """The release serves all traffic and was not taken back."""
    ABORTED = "aborted"
    """A gate, a deadline or a person stopped it; the stable version serves everything."""
    REJECTED = "rejected"
    """It never started: the API server, Argo's validation or Argo CD refused it."""
    DEGRADED = "degraded"
    """It ended with fewer healthy pods than promised, or serving errors, without being taken back."""
    STUCK = "stuck"
    """Neither finished nor stopped at the horizon."""
    UNDONE = "undone"
    """It served everybody and was then taken back."""


@dataclass(frozen=True, slots=True)
class HeaderRecord:
    """First row of every journal."""

    t_s: float
    schema: int
    scenario_hash: str
    title: str
    strategy: str
    variant: str
    release: str
    release_good: bool
    seed: int
    backend: str
    desired_pods: int
    slo: float
    warm_up_s: float
    base_failure_ratio: float
    """Share of client requests that fail finally under the stable version alone, in expectation."""
    buckets_s: tuple[float, ...]
    """Upper bounds of the latency histograms in the traffic rows; the last count is above all of them."""


@dataclass(frozen=True, slots=True)
class DeliveryRecord:
    """One step between commit and apply (or after the rollout): it took ``duration_s`` and ended at ``t_s``."""

    t_s: float
    step: str
    duration_s: float


@dataclass(frozen=True, slots=True)
class PodRecord:
    """A pod changed state: ``pending, running, ready, unready, crashed, terminating, gone``."""

    t_s: float
    region: str
    pod: str
    side: str
    """``stable`` or ``candidate`` behaviour."""
    node: str
    state: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ScaleRecord:
    """A ReplicaSet (or Deployment) was given a new size, or its pods' counts changed."""

    t_s: float
    region: str
    replica_set: str
    side: str
    desired: int
    ready: int
    available: int


@dataclass(frozen=True, slots=True)
class WeightRecord:
    """The routers act on new weights: percent of the traffic of each side (header routes apart)."""

    t_s: float
    region: str
    candidate: float
    stable: float


@dataclass(frozen=True, slots=True)
class StepRecord:
    """A strategy step began (``state`` = ``started``) or ended (``completed``)."""

    t_s: float
    region: str
    index: int
    step: str
    state: str


@dataclass(frozen=True, slots=True)
class MeasurementRecord:
    """One measurement of an analysis run (or one check of a script)."""

    t_s: float
    region: str
    run: str
    metric: str
    phase: str
    value: str
    message: str


@dataclass(frozen=True, slots=True)
class AnalysisRecord:
    """An analysis run changed phase."""

    t_s: float
    region: str
    run: str
    role: str
    phase: str
    message: str


@dataclass(frozen=True, slots=True)
class PhaseRecord:
    """The rollout's (phase, message) changed."""

    t_s: float
    region: str
    phase: str
    message: str


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """Somebody decided something, and why.

    ``actor`` is ``controller``, ``analysis``, ``script``, ``person``, ``api-server`` or ``argo-cd``; ``decision`` one of
    ``start, promote, abort, undo, reject, resume, switch, switch-back, alert``, or what a person does at a set time:
    ``skip, promote-full, retry, pause, restart, scale, terminate``, and ``nothing`` for a command without effect.
    """

    t_s: float
    region: str
    actor: str
    decision: str
    reason: str


@dataclass(frozen=True, slots=True)
class FaultRecord:
    """An injected fault began (``state`` = ``began``) or ended (``ended``)."""

    t_s: float
    region: str
    fault: str
    target: str
    state: str


@dataclass(frozen=True, slots=True)
class TrafficRecord:
    """Client and server side of one version over ``[t_s - width_s, t_s)``.

    ``statuses`` are (HTTP status, answers) that the version's pods gave; ``latency_counts`` their latencies by bucket
    (see the header). ``client_requests`` finished in the interval with the version's pods as last destination, and
    ``client_failures`` of them finally failed: time-out or a 5xx after every retry. Requests that found no pod at all
    have ``side`` = ``none``.
    """

    t_s: float
    region: str
    width_s: float
    side: str
    statuses: tuple[tuple[int, int], ...]
    latency_counts: tuple[int, ...]
    latency_sum_s: float
    client_requests: int
    client_failures: int
    timeouts: int
    retries: int


@dataclass(frozen=True, slots=True)
class SoakRecord:
    """A stretch that was not simulated request by request: expected figures over ``[t_s - width_s, t_s)``."""

    t_s: float
    region: str
    width_s: float
    side: str
    requests: float
    failures: float


@dataclass(frozen=True, slots=True)
class EndRecord:
    """Last row: the verdict, why, and when the rollout itself came to its end."""

    t_s: float
    verdict: Verdict
    reason: str
    ended_s: float


Record = (
    HeaderRecord
    | DeliveryRecord
    | PodRecord
    | ScaleRecord
    | WeightRecord
    | StepRecord
    | MeasurementRecord
    | AnalysisRecord
    | PhaseRecord
    | DecisionRecord
    | FaultRecord
    | TrafficRecord
    | SoakRecord
    | EndRecord
)


@dataclass(frozen=True, slots=True)
class RunResult:
    """One replication: its verdict and its whole journal."""

    scenario_hash: str
    seed: int
    verdict: Verdict
    reason: str
    ended_s: float
    journal: tuple[Record, ...]
    plane_use: PlaneUse | None = None
    """Which data plane served for how long; None where every request was to be simulated, or it was no simulation."""
