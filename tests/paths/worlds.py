"""Small rollouts with random gates: minutes long, a few requests a second."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Final

from hypothesis import strategies as st

from sim.model.analysis import AnalysisRef, AnalysisTemplate, TemplateRef
from sim.model.behaviour import Alert, Delay, Fault, People, ProviderOutage, Trigger
from sim.model.controller import NEWEST, Controller
from sim.model.data_plane import DataPlaneMode
from sim.model.load import LoadShape, Stage
from sim.model.rollout import CanaryStep
from sim.model.scenario import Scenario
from sim.model.telemetry import LabelSource, PrometheusTelemetry, Signal, Telemetry
from tests.engine import builders

VERSION: Final = (LabelSource("version", ("version",)), LabelSource("status", ("status",)))
ERRORS: Final = (
    'sum(rate(http_requests_total{version="candidate",status=~"5.."}[40s]))'
    ' / sum(rate(http_requests_total{version="candidate"}[40s]))'
)
P90: Final = (
    'histogram_quantile(0.9, sum by (le) (rate(http_request_duration_seconds_bucket{version="candidate"}[30s])))'
)
DATADOG: Final = (
    "sum:triptrip.http.request.count{version:candidate,status_class:5xx}.as_count()"
    " / sum:triptrip.http.request.count{version:candidate}.as_count()"
)
PROVIDERS: Final[dict[str, Any]] = {
    "errors": {"prometheus": {"address": "http://prometheus:9090", "query": ERRORS}},
    "slow": {"prometheus": {"address": "http://prometheus:9090", "query": P90}},
    "datadog": {"datadog": {"query": DATADOG, "interval": "1m"}},
    "page": {"web": {"url": "http://gate", "jsonPath": "{$}"}},
    "job": {"job": {"spec": {}}},
}
SIGNALS: Final = (
    Signal("", "page", ((0.0, "0.01"), (70.0, "0.04"), (95.0, "error: 503"), (120.0, "0.02"))),
    Signal("", "job", ((0.0, "complete"), (150.0, "failed")), takes_s=13.0),
)
PEOPLE: Final = (
    builders.QUIET,
    People(approve=Delay(15.0), alert=None, report=None, watch_degraded=False),
    People(Delay(15.0), Alert(error_ratio=0.01, error_for_s=10.0), Delay(5.0), Delay(3.0), Delay(4.0), Delay(60.0)),
)
CONDITIONS: Final[dict[str, tuple[str, ...]]] = {
    "errors": (
        "result[0] <= {}",
        "len(result) == 0 || isNaN(result[0]) || result[0] <= {}",
        "isNaN(result[0]) || result[0] < {}",
        "default(result, 0) < {}",
    ),
    "slow": ("result[0] <= {} * 4", "result[0] < {} + 0.02", "all(result, # < {} * 4)"),
    "datadog": ("result <= {}", "default(result, 0) <= {}", "isNil(result) || result <= {}"),
    "page": ("result <= {}", "asFloat(result) < {}"),
    "job": ("",),
}
LIMITS: Final = (0.0, 0.004, 0.01, 0.02, 0.03, 0.05, 0.2)
"""Thresholds around what is measured."""


@st.composite
def metrics(draw: st.DrawFn, name: str) -> str:
    """One metric's JSON, with random gates."""
    metric: dict[str, Any] = {"name": name, "provider": PROVIDERS[name]}
    shape = draw(st.sampled_from(CONDITIONS[name]))
    success, failure = draw(st.sampled_from(LIMITS)), draw(st.sampled_from(LIMITS))
    metric["successCondition"] = shape.format(success)
    if draw(st.integers(0, 3)) == 0:
        metric["failureCondition"] = shape.format(failure).replace("<", ">")
    metric["interval"] = draw(st.sampled_from(["7s", "10s", "15s", "1500ms"]))
    metric["count"] = draw(st.sampled_from([1, 2, 3, 5]))
    if draw(st.integers(0, 4)) == 0:
        del metric["interval"], metric["count"]
    elif draw(st.integers(0, 3)) == 0:
        del metric["count"]
    optional = {
        "initialDelay": st.sampled_from(["0s", "5s", "20s"]),
        "failureLimit": st.integers(0, 2),
        "inconclusiveLimit": st.integers(0, 2),
        "consecutiveErrorLimit": st.integers(0, 3),
        "consecutiveSuccessLimit": st.integers(0, 2),
    }
    for key, values in optional.items():
        if draw(st.integers(0, 2)) == 0:
            metric[key] = draw(values)
    return json.dumps(metric)


@st.composite
def templates(draw: st.DrawFn, name: str, *, names: tuple[str, ...]) -> AnalysisTemplate:
    """One or two metrics, now and then a dry run of the first."""
    texts = tuple(draw(metrics(one)) for one in names)
    dry = ("",) if not draw(st.integers(0, 5)) else ()
    return AnalysisTemplate(name, metrics_json=texts, dry_run=tuple(names[:1]) if dry else ())


KINDS: Final = tuple(PROVIDERS)
LISTS: Final = (
    ("errors",),
    ("slow",),
    ("datadog",),
    ("errors", "slow"),
    ("datadog", "errors"),
    ("page",),
    ("errors", "job"),
)


def ref(name: str) -> AnalysisRef:
    return AnalysisRef((TemplateRef(name),))


class Variants(list[Scenario]):
    """Variants of one scenario that differ in their gates only; shown by these."""

    def __repr__(self) -> str:
        gates = [[template.metrics_json for template in one.manifests.analysis_templates] for one in self]
        return f"{gates} on {self[0].release.behaviour.statuses} {self[0].load} {self[0].faults}"[:4_000]


PLACES: Final = ("background", "inline", "both", "late", "blue-green")
"""Where the analyses are."""


@st.composite
def groups(draw: st.DrawFn, size: int = 4, places: tuple[str, ...] = PLACES) -> Variants:
    """See ``Variants``."""
    behind, inline = draw(st.sampled_from(LISTS)), draw(st.sampled_from(LISTS))
    base = scenario(draw(st.sampled_from(places)), draw)
    found = Variants()
    for _ in range(size):
        made = (draw(templates("behind", names=behind)), draw(templates("inline", names=inline)))
        found.append(replace(base, manifests=replace(base.manifests, analysis_templates=made)))
    return found


def scenario(placed: str, draw: st.DrawFn) -> Scenario:
    """The rollout whose gates vary; one of ``PLACES``."""
    pauses = [builders.pause(draw(st.sampled_from([20, 35, 50]))) for _ in range(2)]
    steps: list[CanaryStep] = [builders.set_weight(40), pauses[0]]
    if placed in {"inline", "both"}:
        steps.append(CanaryStep(analysis=ref("inline")))
    steps += [builders.set_weight(70), pauses[1]]
    background = ref("behind") if placed in {"background", "both", "late"} else None
    if background is not None and placed == "late":
        background = replace(background, starting_step=2)
    if placed == "blue-green":
        after = ref("behind") if draw(st.booleans()) else None
        manifests = builders.blue_green_manifests(replicas=2, pre_promotion=ref("inline"), post_promotion=after)
    else:
        manifests = builders.canary_manifests(tuple(steps), replicas=3, background=background)
    faults: tuple[Fault, ...] = ()
    if draw(st.integers(0, 2)) == 0:
        outage = ProviderOutage(draw(st.sampled_from(["prometheus", "datadog", "web"])))
        faults = (
            Fault("down", outage, Trigger(draw(st.sampled_from([20.0, 60.0])), draw(st.sampled_from([15.0, 60.0])))),
        )
    return builders.scenario(
        manifests,
        release=builders.release(good=False, error_ratio=draw(st.sampled_from([0.0, 0.004, 0.02, 0.06]))),
        load=LoadShape((Stage(60.0, draw(st.sampled_from([0.0, 2.0, 25.0]))),)),
        telemetry=Telemetry(
            prometheus=PrometheusTelemetry(
                scrape_interval_s=5.0, labels=VERSION, version=draw(st.sampled_from(["2", "3"]))
            ),
            signals=SIGNALS,
        ),
        faults=faults,
        people=draw(st.sampled_from(PEOPLE)),
        controller=draw(st.sampled_from([NEWEST, NEWEST, *Controller])),
        data_plane=draw(st.sampled_from(DataPlaneMode)),
        cluster=replace(builders.CLUSTER, controller_latency_s=draw(st.sampled_from([0.005, 0.005, 0.3, 0.0]))),
        warm_up_s=30.0,
        tail_s=20.0,
        horizon_s=900.0,
    )
