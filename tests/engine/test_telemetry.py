"""What the agents send follows a pod through its containers' restarts."""

from __future__ import annotations

import json

from sim.engine import run
from sim.model.analysis import AnalysisTemplate
from sim.model.behaviour import Crash, Fault, Side, Target
from sim.model.records import MeasurementRecord, Verdict
from tests.engine import builders

LATENCY = "avg:triptrip.http.request.duration.99percentile{service:shop}"
COUNT = "sum:triptrip.http.request.count{service:shop}.as_count()"


def datadog_gate(query: str) -> AnalysisTemplate:
    metric = {
        "name": "check",
        "provider": {"datadog": {"query": query}},
        "successCondition": "result > 0",
        "interval": "20s",
        "count": 4,
    }
    return AnalysisTemplate("gate", metrics_json=(json.dumps(metric),))


def test_a_restarted_pod_goes_on_counting() -> None:
    crashes = Fault("crashes", Crash(mean_time_s=60.0), target=Target(Side.ALL))
    for query in (LATENCY, COUNT):
        manifests = builders.canary_manifests(
            (builders.set_weight(50), builders.analysis("gate")), templates=(datadog_gate(query),)
        )
        result = run(builders.scenario(manifests, faults=(crashes,), horizon_s=900.0), seed=2)
        values = [float(row.value) for row in result.journal if isinstance(row, MeasurementRecord) and row.value]
        assert values
        assert min(values) > 0
        assert result.verdict is not Verdict.REJECTED
