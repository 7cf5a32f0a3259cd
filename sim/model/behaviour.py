"""How each version behaves, which faults befall it, and how long people take."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import exp, log


class Shape(StrEnum):
    """Families of a positive random time."""

    CONSTANT = "constant"
    """Always ``median_s``."""
    EXPONENTIAL = "exponential"
    """Memoryless with *mean* ``median_s / ln 2``, so that the median is as written."""
    LOGNORMAL = "lognormal"
    """Log-normal with the median as written and log-standard-deviation ``sigma``."""


@dataclass(frozen=True, slots=True)
class Delay:
    """A random time: median in seconds, and ``sigma`` for the log-normal shape."""

    median_s: float
    shape: Shape = Shape.LOGNORMAL
    sigma: float = 0.5

    @property
    def mean_s(self) -> float:
        """Its mean, seconds."""
        match self.shape:
            case Shape.CONSTANT:
                return self.median_s
            case Shape.EXPONENTIAL:
                return self.median_s / log(2)
            case Shape.LOGNORMAL:
                return self.median_s * exp(self.sigma**2 / 2)


@dataclass(frozen=True, slots=True)
class Trigger:
    """When a fault acts: all conditions that are given must hold at once.

    ``start_s``/``duration_s`` count from the release being applied. ``pod_age_s`` needs a pod that has been Ready that long;
    ``above_rps_per_pod`` a pod offered more than this; ``above_weight`` a version carrying more than this percentage
    of the traffic.
    """

    start_s: float = 0.0
    duration_s: float | None = None
    pod_age_s: float | None = None
    above_rps_per_pod: float | None = None
    above_weight: float | None = None


class Side(StrEnum):
    """Which version a fault befalls."""

    CANDIDATE = "candidate"
    """The release being rolled out."""
    STABLE = "stable"
    """The version before it."""
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Target:
    """Blast radius: which version, which share of its pods (the first ceil(share x n) by creation), which region."""

    side: Side = Side.ALL
    share: float = 1.0
    region: str | None = None
    version: str = ""
    """Only pods of the version of this name; '' is any. Set for the faults that a version brings with it."""


@dataclass(frozen=True, slots=True)
class Errors:
    """This share of requests is answered with ``status``."""

    ratio: float
    status: int = 500


@dataclass(frozen=True, slots=True)
class Slowdown:
    """Service times are multiplied by ``factor`` and lengthened by ``add_s``."""

    factor: float = 1.0
    add_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Crash:
    """Containers exit after an exponential time with this mean since they started; 0 crashes at once."""

    mean_time_s: float = 0.0


@dataclass(frozen=True, slots=True)
class SlowStart:
    """Start-up takes ``factor`` times as long plus ``add_s``."""

    factor: float = 1.0
    add_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Leak:
    """Service time grows by ``slowdown_per_hour`` (0.5: +50 % an hour) with pod age; at ``oom_after_s`` it is killed."""

    slowdown_per_hour: float = 0.0
    oom_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class ProviderOutage:
    """Queries to this metric provider fail (``prometheus`` or ``datadog``); for Prometheus scraping stops too."""

    provider: str


@dataclass(frozen=True, slots=True)
class NodeLoss:
    """This many nodes vanish with their pods; they return when the trigger's duration is over."""

    nodes: int = 1


@dataclass(frozen=True, slots=True)
class PodKill:
    """So many pods, oldest first, are deleted without grace, each once; their ReplicaSets replace them."""

    pods: int = 1


@dataclass(frozen=True, slots=True)
class CpuStress:
    """``cores`` are burnt in each pod, on a cluster for real.

    The twin has no model of processors: there, service times are multiplied by ``slowdown``, which is the user's to say.
    """

    cores: float = 1.0
    slowdown: float = 1.0


Effect = Errors | Slowdown | Crash | SlowStart | Leak | ProviderOutage | NodeLoss | PodKill | CpuStress


@dataclass(frozen=True, slots=True)
class Fault:
    """An injected perturbation: what, when, to whom."""

    name: str
    effect: Effect
    trigger: Trigger = Trigger()
    target: Target = Target()


@dataclass(frozen=True, slots=True)
class VersionBehaviour:
    """One version of the application under its own steam.

    ``statuses`` are (HTTP status, share) of the answers that are not 200, shares summing to at most 1.
    ``concurrency`` requests are served at once by a pod, the rest queue first come first served, at most
    ``queue_limit`` of them (more are answered 503).
    """

    name: str
    service_time: Delay = Delay(0.04)
    statuses: tuple[tuple[int, float], ...] = ((500, 0.001),)
    concurrency: int = 8
    queue_limit: int | None = None
    start_up: Delay = Delay(12.0, sigma=0.2)
    """Container start until the first probe can succeed."""
    faults: tuple[Fault, ...] = ()
    """Faults this version brings with it; their target side is the version itself."""


@dataclass(frozen=True, slots=True)
class Release:
    """One kind of release in the mix: its share of all releases and how the candidate behaves.

    ``good`` is the ground truth: promoting a bad one is a miss, aborting a good one a false abort.
    """

    name: str
    good: bool
    share: float
    behaviour: VersionBehaviour


@dataclass(frozen=True, slots=True)
class Alert:
    """What pages a person: the clients' error ratio or p99 above a bound for ``for_s``."""

    error_ratio: float | None = 0.05
    p99_s: float | None = 2.0
    error_for_s: float = 120.0
    p99_for_s: float = 180.0


@dataclass(frozen=True, slots=True)
class People:
    """Reaction times.

    A person approves open-ended pauses, is paged by ``alert``, and hears of trouble below its bounds from users
    (``report``) once a bad release carries traffic.
    """

    approve: Delay | None = Delay(300.0)
    """From an open-ended pause to its approval; None: nobody ever approves."""
    alert: Alert | None = Alert()
    notice: Delay = Delay(120.0)
    """From page to a person looking."""
    decide: Delay = Delay(60.0)
    """From looking to having decided (playbook 7.3: one minute)."""
    act: Delay = Delay(150.0)
    """From decision to the command having run (playbook 7.3: two to three minutes)."""
    report: Delay | None = Delay(3600.0)
    """From a bad release serving everybody to users' reports of it, where no alert fires; None: never."""
    watch_degraded: bool = True
    """Whether a rollout that becomes Degraded without having been stopped pages a person, like an alert."""
