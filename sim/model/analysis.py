"""Analysis: how a canary's health is judged (template), one judging (run) and one sample of it (measurement)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sim.model.controller import NEWEST, Controller


class AnalysisPhase(StrEnum):
    """Phase of a measurement, of a metric and of a whole run, with Argo's order of badness."""

    PENDING = "Pending"
    """Nothing measured yet."""
    RUNNING = "Running"
    """Measured, no verdict yet."""
    SUCCESSFUL = "Successful"
    FAILED = "Failed"
    """The condition said no often enough."""
    ERROR = "Error"
    """It could not be judged: no data of the right type, provider down, condition that does not evaluate."""
    INCONCLUSIVE = "Inconclusive"
    """Neither condition held."""

    @property
    def is_completed(self) -> bool:
        """Whether the phase is final."""
        return self is not AnalysisPhase.PENDING and self is not AnalysisPhase.RUNNING

    def worse_than(self, other: AnalysisPhase) -> bool:
        """Argo's ``IsWorse``: Successful < Running < Pending < Inconclusive < Error < Failed."""
        return _BADNESS[self] > _BADNESS[other]


_BADNESS = {
    phase: rank
    for rank, phase in enumerate(
        (
            AnalysisPhase.SUCCESSFUL,
            AnalysisPhase.RUNNING,
            AnalysisPhase.PENDING,
            AnalysisPhase.INCONCLUSIVE,
            AnalysisPhase.ERROR,
            AnalysisPhase.FAILED,
        )
    )
}


@dataclass(frozen=True, slots=True)
class SecretRef:
    """``valueFrom.secretKeyRef``."""

    name: str
    key: str


@dataclass(frozen=True, slots=True)
class Argument:
    """One ``args`` entry of a template, an analysis step or a run."""

    name: str
    value: str | None = None
    secret: SecretRef | None = None
    pod_template_hash: str | None = None
    """``Latest`` or ``Stable`` of ``valueFrom.podTemplateHashValue``."""
    field_path: str | None = None
    """``valueFrom.fieldRef.fieldPath``."""


@dataclass(frozen=True, slots=True)
class RangeQuery:
    """``provider.prometheus.rangeQuery``: two expressions of time (``now() - duration("5m")``) and a Go duration."""

    start: str = ""
    end: str = ""
    step: str = ""


@dataclass(frozen=True, slots=True)
class PrometheusProvider:
    """``provider.prometheus``; without ``range_query`` the query is evaluated at the instant of the measurement."""

    query: str
    address: str = ""
    timeout_s: float = 30.0
    range_query: RangeQuery | None = None


@dataclass(frozen=True, slots=True)
class DatadogProvider:
    """``provider.datadog``; ``interval_s`` is the query window (CRD default 5 minutes)."""

    query: str = ""
    queries: tuple[tuple[str, str], ...] = ()
    formula: str = ""
    aggregator: str = ""
    api_version: str = "v1"
    interval_s: float = 300.0
    request_timeout: str = ""
    """As written: only the controller from 1.10 on reads it."""


@dataclass(frozen=True, slots=True)
class OtherProvider:
    """A provider whose results the scenario scripts; ``kind`` is its key (``web``, ``job``, ...)."""

    kind: str
    config_json: str = "{}"


Provider = PrometheusProvider | DatadogProvider | OtherProvider


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of a template. Counts and limits may still be ``{{args.x}}`` text until resolved; see ``raw_json``.

    ``None`` means "not written": the defaults are applied by ``sim.decide.analysis``, as in the controller.
    """

    name: str
    providers: tuple[Provider, ...] = ()
    """Exactly one in a valid metric; kept as a tuple so that validation can refuse the others."""
    interval: str | None = None
    initial_delay: str | None = None
    count: int | None = None
    success_condition: str = ""
    failure_condition: str = ""
    failure_limit: int | None = None
    inconclusive_limit: int | None = None
    consecutive_error_limit: int | None = None
    consecutive_success_limit: int | None = None

    @property
    def provider(self) -> Provider:
        """The provider of a valid metric."""
        return self.providers[0]


@dataclass(frozen=True, slots=True)
class AnalysisTemplate:
    """An AnalysisTemplate or ClusterAnalysisTemplate.

    ``metrics_json`` is the JSON text of each metric as written: arguments are substituted textually in it, as the
    controller does, and only the result is read into a ``Metric``.
    """

    name: str
    namespace: str = "default"
    cluster_scoped: bool = False
    args: tuple[Argument, ...] = ()
    metrics_json: tuple[str, ...] = ()
    dry_run: tuple[str, ...] = ()
    """Regular expressions of ``dryRun[].metricName``."""
    retention: tuple[tuple[str, int], ...] = ()
    templates: tuple[TemplateRef, ...] = ()


@dataclass(frozen=True, slots=True)
class TemplateRef:
    """``templates[]`` of a step or template."""

    name: str
    cluster_scope: bool = False


@dataclass(frozen=True, slots=True)
class AnalysisRef:
    """An ``analysis`` block of a strategy or of a step: which templates, with which arguments."""

    templates: tuple[TemplateRef, ...] = ()
    args: tuple[Argument, ...] = ()
    dry_run: tuple[str, ...] = ()
    retention: tuple[tuple[str, int], ...] = ()
    starting_step: int | None = None


@dataclass(frozen=True, slots=True)
class AnalysisRunSpec:
    """A run ready to be measured: metrics resolved, rules attached."""

    name: str
    metrics: tuple[Metric, ...] = ()
    args: tuple[Argument, ...] = ()
    dry_run: tuple[str, ...] = ()
    retention: tuple[tuple[str, int], ...] = ()
    terminate: bool = False
    ttl_s: tuple[int | None, int | None, int | None] = (None, None, None)
    """Seconds after (completion, success, failure)."""
    controller: Controller = NEWEST
    """Release of the controller that runs it."""


@dataclass(frozen=True)
class Measurement:
    """One sample of one metric; times in seconds, ``finished_s`` None while in flight."""

    phase: AnalysisPhase
    started_s: float | None = None
    finished_s: float | None = None
    resume_at_s: float | None = None
    value: str = ""
    message: str = ""


@dataclass(frozen=True)
class MetricResult:
    """Counters and last measurements of one metric of a run."""

    name: str
    phase: AnalysisPhase = AnalysisPhase.PENDING
    measurements: tuple[Measurement, ...] = ()
    message: str = ""
    count: int = 0
    successful: int = 0
    failed: int = 0
    inconclusive: int = 0
    error: int = 0
    consecutive_error: int = 0
    consecutive_success: int = 0
    dry_run: bool = False


@dataclass(frozen=True)
class AnalysisRunStatus:
    """Status of one run."""

    phase: AnalysisPhase = AnalysisPhase.PENDING
    message: str = ""
    metric_results: tuple[MetricResult, ...] = ()
    started_s: float | None = None
    completed_s: float | None = None
    run_summary: tuple[tuple[str, int], ...] = ()
    dry_run_summary: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class ProviderResult:
    """What a provider handed to the conditions: a Go-typed value, its recorded text, or an error."""

    value: Any = None
    go_type: str = "nil"
    """``float64``, ``[]float64``, ``string``, ``bool``, ``map[string]interface {}``, ``[]interface {}``, ``nil`` ..."""
    text: str = ""
    error: str = ""
