"""What monitoring sees, and when."""

from __future__ import annotations

from dataclasses import dataclass, field

PROMETHEUS_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""The client libraries' default upper bounds, seconds; +Inf is implied."""


@dataclass(frozen=True, slots=True)
class LabelSource:
    """Where a label or tag comes from; the first source that yields something wins.

    A source is ``pod-label:KEY``, ``pod-annotation:KEY``, ``env:NAME``, ``pod-name``, ``namespace``, ``container``,
    ``version`` (the behaviour's name), ``pod-template-hash``, ``status``, ``status-class`` (``2xx``), ``value:TEXT``.
    """

    name: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PrometheusTelemetry:
    """Scraping of every pod's ``http_requests_total`` and ``http_request_duration_seconds``."""

    scrape_interval_s: float = 15.0
    version: str = "2"
    """Release whose rules queries follow (sim/metrics/promql/dialects.py): ``2`` closed ranges, ``3`` left-open ones."""
    query_latency_s: float = 0.05
    requests_metric: str = "http_requests_total"
    duration_metric: str = "http_request_duration_seconds"
    buckets_s: tuple[float, ...] = PROMETHEUS_BUCKETS_S
    preset_statuses: tuple[int, ...] = ()
    """Statuses whose counters exist (at 0) from the pod's start; the others are born with their first request."""
    labels: tuple[LabelSource, ...] = (
        LabelSource("service", ("pod-label:app",)),
        LabelSource("status", ("status",)),
        LabelSource("pod", ("pod-name",)),
        LabelSource("namespace", ("namespace",)),
    )
    conventions: bool = True
    """Whether queries also find what usual installations expose: pod labels, other names of the status, the metrics of
    Istio, of nginx' ingress controller and of kube-state-metrics."""
    attached_address: str = ""
    """Address the controller uses where a template names none (ARGO_ROLLOUTS_PROMETHEUS_ADDRESS); '' is none."""


@dataclass(frozen=True, slots=True)
class DatadogTelemetry:
    """Agent and API behaviour; every figure an assumption listed in docs/model.md."""

    flush_interval_s: float = 10.0
    """The agent's DogStatsD flush."""
    lag_s: float = 30.0
    """From flush to being queryable."""
    expiry_s: float = 300.0
    """How long the agent keeps sending 0 for a counter that fell silent."""
    bucket_s: float = 20.0
    """Points the API returns for a window of up to an hour."""
    whole_buckets: bool = False
    """Whether a bucket cut by the start of the query window still counts all of its points."""
    epoch_s: float = 0.0
    """UNIX time of the run's start: buckets are aligned to UNIX time."""
    query_latency_s: float = 0.3
    requests_metric: str = "triptrip.http.request.count"
    duration_metric: str = "triptrip.http.request.duration"
    """Prefix of ``.99percentile``, ``.median``, ``.avg`` ... gauges, one a host (pod) and flush."""
    tags: tuple[LabelSource, ...] = (
        LabelSource("service", ("pod-label:tags.datadoghq.com/service", "env:DD_SERVICE", "pod-label:app")),
        LabelSource("version", ("pod-label:tags.datadoghq.com/version", "env:DD_VERSION")),
        LabelSource("status_class", ("status-class",)),
        LabelSource("pod_name", ("pod-name",)),
    )
    duration_unit_s: float = 0.001
    """Seconds in one unit of the duration gauges (the playbook's are milliseconds)."""


@dataclass(frozen=True, slots=True)
class Signal:
    """Scripted answers of a provider the twin does not model: what the conditions of one metric get to see.

    An answer is a JSON value, a word or ``error: TEXT``. ``answers`` are (from second after the release was applied,
    answer); ``answer`` holds from the start.
    """

    template: str
    metric: str
    answers: tuple[tuple[float, str], ...] = ()
    answer: str = ""
    release: str = ""
    """Only for releases of this name; '' is any."""
    takes_s: float = 0.0
    """How long a Job runs, or a canary analysis takes, before its answer is there."""

    @property
    def steps(self) -> tuple[tuple[float, str], ...]:
        """(from second, answer), oldest first."""
        return ((0.0, self.answer), *self.answers) if self.answer else self.answers


@dataclass(frozen=True, slots=True)
class Telemetry:
    """All of it."""

    prometheus: PrometheusTelemetry = field(default_factory=PrometheusTelemetry)
    datadog: DatadogTelemetry = field(default_factory=DatadogTelemetry)
    signals: tuple[Signal, ...] = ()
    sample_interval_s: float = 10.0
    """Interval of the journal's traffic rows."""
