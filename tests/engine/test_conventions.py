"""Gates over the names usual installations expose decide as those over the application's own do."""

from __future__ import annotations

import json

import pytest

from sim.engine import run
from sim.model.analysis import AnalysisRef, AnalysisTemplate, Argument
from sim.model.records import Verdict
from sim.model.rollout import CanaryStep
from tests.engine import builders

RATIO = "sum(rate({metric}{{{labels},{status}!~'5.*'}}[1m])) / sum(rate({metric}{{{labels}}}[1m]))"
ISTIO = RATIO.format(
    metric="istio_requests_total",
    labels="reporter='source',destination_service=~'shop-canary.default.svc.cluster.local'",
    status="response_code",
)
HASH = RATIO.format(
    metric="http_requests_total", labels="rollouts_pod_template_hash='{{args.hash}}'", status="http_status_code"
)


@pytest.mark.parametrize("query", [pytest.param(ISTIO, id="istio"), pytest.param(HASH, id="pod-template hash")])
@pytest.mark.parametrize(
    ("errors", "verdict"),
    [pytest.param(0.001, Verdict.PROMOTED, id="good"), pytest.param(0.3, Verdict.ABORTED, id="bad")],
)
def test_a_gate_over_standard_names_tells_good_from_bad(query: str, errors: float, verdict: Verdict) -> None:
    metric = {
        "name": "success",
        "initialDelay": "90s",
        "interval": "20s",
        "count": 3,
        "successCondition": "result[0] >= 0.95",
        "provider": {"prometheus": {"address": "http://prometheus:9090", "query": query}},
    }
    gate = AnalysisTemplate("gate", args=(Argument("hash"),), metrics_json=(json.dumps(metric),))
    step = AnalysisRef(
        builders.refs("gate").templates,
        args=(Argument("hash", pod_template_hash="Latest"),),
    )
    steps = (builders.set_weight(50), CanaryStep(analysis=step))
    manifests = builders.canary_manifests(steps, templates=(gate,))

    result = run(builders.scenario(manifests, release=builders.release(error_ratio=errors)), seed=3)

    assert result.verdict is verdict
