"""The indicators a study reports: one name, unit and meaning each; the DORA keys are the first five."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kpi(StrEnum):
    """Names as they appear in every output."""

    LEAD_TIME = "lead_time"
    DEPLOYMENT_FREQUENCY = "deployment_frequency"
    CHANGE_FAILURE_RATE = "change_failure_rate"
    CHANGE_FAILURE_RATE_WITH_ABORTS = "change_failure_rate_with_aborts"
    RECOVERY_TIME = "recovery_time"
    DEPLOYMENT_DURATION = "deployment_duration"
    TIME_TO_DETECT = "time_to_detect"
    FAILED_REQUESTS = "failed_requests"
    BAD_FULL_TRAFFIC_MINUTES = "bad_full_traffic_minutes"
    ERROR_BUDGET_BURN = "error_budget_burn"
    EXTRA_POD_HOURS = "extra_pod_hours"
    UNPLANNED_DOWNTIME = "unplanned_downtime"
    FALSE_ABORT_RATE = "false_abort_rate"
    MISS_RATE = "miss_rate"


@dataclass(frozen=True, slots=True)
class KpiMeaning:
    """Unit, the better direction (-1: less is better) and one sentence."""

    unit: str
    better: int
    meaning: str


KPI_MEANINGS: dict[Kpi, KpiMeaning] = {
    Kpi.LEAD_TIME: KpiMeaning("h", -1, "From commit to the release serving all traffic, over releases that did."),
    Kpi.DEPLOYMENT_FREQUENCY: KpiMeaning(
        "1/week", +1, "Releases that fit one after another into the open sync windows."
    ),
    Kpi.CHANGE_FAILURE_RATE: KpiMeaning(
        "share", -1, "Releases that served everybody and had to be undone or hot-fixed."
    ),
    Kpi.CHANGE_FAILURE_RATE_WITH_ABORTS: KpiMeaning(
        "share", -1, "The same, with aborted and stuck releases counted too."
    ),
    Kpi.RECOVERY_TIME: KpiMeaning(
        "min", -1, "From a failed release's first harm to the stable version serving all traffic."
    ),
    Kpi.DEPLOYMENT_DURATION: KpiMeaning(
        "min", -1, "From apply to the release serving all traffic, over releases that did."
    ),
    Kpi.TIME_TO_DETECT: KpiMeaning("min", -1, "From a bad release's first request to the first decision against it."),
    Kpi.FAILED_REQUESTS: KpiMeaning(
        "requests", -1, "Client requests that finally failed, above the stable version's own rate."
    ),
    Kpi.BAD_FULL_TRAFFIC_MINUTES: KpiMeaning("min", -1, "Integral of the bad version's traffic share over time."),
    Kpi.ERROR_BUDGET_BURN: KpiMeaning(
        "share", -1, "Share of a 30-day budget at the scenario's objective used by the release."
    ),
    Kpi.EXTRA_POD_HOURS: KpiMeaning("pod h", -1, "Pod-hours above the desired replica count."),
    Kpi.UNPLANNED_DOWNTIME: KpiMeaning("min", -1, "Time in which at least half of the clients' requests failed."),
    Kpi.FALSE_ABORT_RATE: KpiMeaning("share", -1, "Good releases that were aborted, rejected or left stuck."),
    Kpi.MISS_RATE: KpiMeaning("share", -1, "Bad releases that came to serve everybody."),
}


@dataclass(frozen=True, slots=True)
class KpiTarget:
    """A declared target: ``value`` in the KPI's unit; ``period`` names whose it is (``objective``, ``year 1`` ...)."""

    kpi: Kpi
    period: str
    value: float
    strict: bool = True
    """Strictly better than the value (``< 15``) rather than at least as good."""
