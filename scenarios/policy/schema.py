"""What may stand where in a policy file; the kinds of value are those of scenario files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from scenarios.document.fields import (
    COUNT,
    DURATION,
    FLAG,
    NAME,
    RATE,
    SHARE,
    STATUS,
    TEXT,
    Choice,
    Field,
    ListOf,
    Maybe,
    Reader,
    Scalar,
    Section,
    Short,
    counts,
    enum_choice,
)
from scenarios.document.schema import BEHAVIOUR
from scenarios.findings import Path
from scenarios.policy.claims import Indicator, Rates, RatesOf, Relation
from scenarios.policy.sentence import claim_of
from sim.model.behaviour import VersionBehaviour
from sim.model.data_plane import DataPlaneMode
from sim.model.kpis import KPI_MEANINGS, Kpi

SCHEMA = "rolltwin-policy/v1"
MOST_REPLICATIONS = 100_000
_UNIT_S = {"min": 60.0, "h": 3600.0}
OF_A_REPLICATION = (
    Kpi.DEPLOYMENT_DURATION,
    Kpi.LEAD_TIME,
    Kpi.TIME_TO_DETECT,
    Kpi.RECOVERY_TIME,
    Kpi.FAILED_REQUESTS,
    Kpi.BAD_FULL_TRAFFIC_MINUTES,
    Kpi.ERROR_BUDGET_BURN,
    Kpi.EXTRA_POD_HOURS,
    Kpi.UNPLANNED_DOWNTIME,
)
"""Indicators that a claim may set a bound to; the others are shares of many releases, and claims have words for those."""


@dataclass(frozen=True)
class WrittenWorld:
    """One thing to be guarded."""

    paths: tuple[str, ...] = ()
    name: str = ""
    set: tuple[str, ...] = ()
    rollout: str = ""


@dataclass(frozen=True)
class WrittenRelease:
    """A release of the scenario by its name, or one of the policy's own."""

    name: str = ""
    good: bool = False
    errors: float | None = None
    status: int = 500
    latency_factor: float | None = None
    behaviour: VersionBehaviour | None = None

    @property
    def own(self) -> bool:
        """Whether it says how it behaves, rather than naming one that does."""
        return self.errors is not None or self.latency_factor is not None or self.behaviour is not None


@dataclass(frozen=True)
class WrittenClaim:
    """One claim; of the happenings exactly one is given."""

    release: WrittenRelease
    name: str = ""
    scenario: str = ""
    traffic: float | None = None
    aborted: bool = False
    aborted_within: float | None = None
    promoted: bool = False
    promoted_within: float | None = None
    falsely_aborted: bool = False
    missed: bool = False
    deployment_duration: Indicator | None = None
    lead_time: Indicator | None = None
    time_to_detect: Indicator | None = None
    recovery_time: Indicator | None = None
    failed_requests: Indicator | None = None
    bad_full_traffic_minutes: Indicator | None = None
    error_budget_burn: Indicator | None = None
    extra_pod_hours: Indicator | None = None
    unplanned_downtime: Indicator | None = None
    in_at_least: float | None = None
    in_at_most: float | None = None
    mean: bool = False
    margin: float | None = None
    tolerance: float | None = None
    max_replications: int | None = None


@dataclass(frozen=True)
class WrittenRates(Rates):
    """Error rates and what they are rates of."""

    of: RatesOf = RatesOf.CLAIM


@dataclass(frozen=True)
class WrittenPolicy:
    """A policy file as written."""

    schema: str = SCHEMA
    title: str = ""
    description: str = ""
    scenarios: tuple[WrittenWorld, ...] = ()
    claims: tuple[WrittenClaim, ...] = ()
    set: tuple[str, ...] = ()
    data_plane: DataPlaneMode = DataPlaneMode.AUTO
    error_rates: WrittenRates = WrittenRates()
    tolerance: float | None = None
    max_replications: int | None = None
    seed: int = 1


def _true(raw: Any) -> bool:
    if raw is not True:
        raise ValueError
    return True


def _rate(raw: Any) -> float:
    share = float(SHARE.parse(raw))
    if not 0 < share < 0.5:
        raise ValueError
    return share


def _comparison(raw: Any, kpi: Kpi) -> Indicator:
    text = str(raw).strip()
    relation = next((r for r in sorted(Relation, key=len, reverse=True) if text.startswith(r)), None)
    number = text.removeprefix(relation or "").strip()
    better = Relation.AT_MOST if KPI_MEANINGS[kpi].better < 0 else Relation.AT_LEAST
    return Indicator(kpi, relation or better, _bound(number, KPI_MEANINGS[kpi].unit))


def _bound(text: str, unit: str) -> float:
    """The number in the indicator's unit; a duration or percentage is converted."""
    if unit in _UNIT_S and text[-1:].isalpha():
        return float(DURATION.parse(text)) / _UNIT_S[unit]
    if text.endswith("%") and unit == "share":
        return float(text[:-1]) / 100
    number = float(text.replace(",", ""))
    if number != number or abs(number) > 1e15:  # noqa: PLR0124 - not a number
        raise ValueError
    return number


def _comparison_text(value: Indicator) -> str:
    return f"{value.relation} {value.value:g}"


def _indicator(kpi: Kpi) -> Field:
    meaning = KPI_MEANINGS[kpi]
    example = {"min": '"<= 6m"', "h": '"< 24h"', "share": '"<= 5%"'}.get(meaning.unit, '"<= 2000"')
    parse: Callable[[Any], Indicator] = partial(_comparison, kpi=kpi)
    kind = Scalar(f"a comparison such as {example}, in {meaning.unit} if without unit", parse, _comparison_text)
    return Field(kpi.value, kind, meaning.meaning)


def _between(raw: Any, low: float, high: float) -> float:
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not low <= raw <= high:
        raise ValueError
    return float(raw)


def _margin(raw: Any) -> float:
    if isinstance(raw, str) and raw.endswith("%"):
        return float(SHARE.parse(raw))
    return _between(raw, 0.0, 1e15)


@dataclass(frozen=True)
class _Behaviour:
    """A behaviour of which only a part is written; the scenario knows the rest."""

    kind: Section

    @property
    def expected(self) -> str:
        """See ``fields.Kind.expected``."""
        return self.kind.expected

    def read(self, raw: Any, path: Path, reader: Reader, base: Any = None) -> Any:  # noqa: ARG002 - the Kind protocol
        """See ``fields.Kind.read``."""
        return self.kind.read(raw, path, reader, VersionBehaviour("own"))

    def show(self, value: Any) -> str:
        """See ``fields.Kind.show``."""
        return self.kind.show(value)


ONLY_TRUE = Scalar("true (what must not happen: true, with in_at_most)", _true, lambda value: str(value).lower())
ERROR_RATE = Scalar("a share above 0% and below 50%", _rate, SHARE.show_value)
REPLICATIONS = counts(1, MOST_REPLICATIONS)

WORLD = Section(
    WrittenWorld,
    (
        Field(
            "paths",
            ListOf(TEXT, non_empty=True),
            "A scenario file, or manifests, relative to this file.",
            required=True,
        ),
        Field("name", NAME, "What claims and reports call it; default: the file's name."),
        Field("set", ListOf(TEXT), "Values of the scenario that are overridden, KEY=VALUE as with --set."),
        Field("rollout", TEXT, "The Rollout to release, where the manifests hold several."),
    ),
)
RELEASE = Section(
    WrittenRelease,
    (
        Field("name", NAME, "A release of the scenario; or the name of one described here."),
        Field("good", FLAG, "Ground truth of a release described here."),
        Field("errors", Maybe(SHARE), "It answers this share of its requests with the status."),
        Field("status", STATUS, "HTTP status of those answers."),
        Field(
            "latency_factor",
            Maybe(Scalar("a number from 0 to 1e9", lambda raw: _between(raw, 0, 1e9), lambda value: f"{value:g}")),
            "Its service times are those of the stable version times this.",
        ),
        Field(
            "behaviour",
            Maybe(_Behaviour(BEHAVIOUR)),
            "How it behaves, as in a scenario; what is not written is as in stable.",
        ),
    ),
)
CLAIM = Section(
    WrittenClaim,
    (
        Field(
            "release",
            Short(RELEASE, lambda text: {"name": text}, "a release of the scenario"),
            "Whose replications are looked at.",
            required=True,
        ),
        Field("name", NAME, "What reports call the claim; default: the claim as a sentence."),
        Field("scenario", TEXT, "Name of the scenario it is about; empty: each of them."),
        Field("traffic", Maybe(RATE), "Offered requests/s, flat, instead of the scenario's stages and day curve."),
        Field("aborted", ONLY_TRUE, "A gate, a deadline or a person stops the release."),
        Field("aborted_within", Maybe(DURATION), "The same, and the abort comes so soon after the apply."),
        Field("promoted", ONLY_TRUE, "The release is promoted and not taken back."),
        Field("promoted_within", Maybe(DURATION), "The same, and it serves everybody so soon after the apply."),
        Field("falsely_aborted", ONLY_TRUE, "A good release is aborted, rejected or left stuck."),
        Field("missed", ONLY_TRUE, "A bad release comes to serve everybody."),
        *map(_indicator, OF_A_REPLICATION),
        Field("in_at_least", Maybe(SHARE), "In at least this share of the replications."),
        Field("in_at_most", Maybe(SHARE), "In at most this share of them."),
        Field("mean", FLAG, "Not each replication's value but the mean over all has this bound."),
        Field(
            "margin",
            Maybe(Scalar("a share such as 0.5%; for a mean a number", _margin, lambda v: f"{v:g}")),
            "Nearer to the bound than this the claim may stay undecided. Default: 4/5 of the bound's distance from 0% or 100%, "
            "at most 10 points; of a mean 5% of its bound.",
        ),
        Field(
            "tolerance",
            Maybe(SHARE),
            "So much short of its bound the claim may pass: false_pass holds from there on, the claim takes far fewer replications "
            "and is never too close to call. Instead of a margin; none: as the policy says.",
        ),
        Field("max_replications", Maybe(REPLICATIONS), "Stop looking after so many; none: as the policy says."),
    ),
)
RATES = Section(
    WrittenRates,
    (
        Field("false_pass", ERROR_RATE, "Chance at most that a claim passes that does not hold (alpha)."),
        Field("false_fail", ERROR_RATE, "Chance at most that a claim fails that holds (beta)."),
        Field(
            "left_open",
            ERROR_RATE,
            "Chance at most that a claim a margin off its bound is left undecided as too close.",
        ),
        Field(
            "of",
            enum_choice(RatesOf),
            "Whose false_pass and false_fail: each claim's, or the whole policy's (Bonferroni).",
        ),
    ),
)
POLICY = Section(
    WrittenPolicy,
    (
        Field("schema", Choice((SCHEMA,)), "Version of this format.", required=True),
        Field("title", TEXT, "One line."),
        Field("description", TEXT, "What is guarded, and why."),
        Field(
            "scenarios",
            ListOf(
                Short(WORLD, lambda text: {"paths": [text]}, "the path of a scenario file or of manifests"),
                non_empty=True,
            ),
            "What the claims are about.",
            required=True,
        ),
        Field("set", ListOf(TEXT), "Values of every scenario that are overridden, KEY=VALUE as with --set."),
        Field("data_plane", enum_choice(DataPlaneMode), "How closely requests are simulated."),
        Field("claims", ListOf(Short(CLAIM, claim_of, "a sentence"), non_empty=True), "What must hold.", required=True),
        Field("error_rates", RATES, "How often a decision may be wrong."),
        Field("tolerance", Maybe(SHARE), "Of every claim about a share that names neither tolerance nor margin."),
        Field(
            "max_replications",
            Maybe(REPLICATIONS),
            "Stop looking at a claim after so many; none: when at most 1% of claims a margin off their bound would be open.",
        ),
        Field("seed", COUNT, "Master seed."),
    ),
)
