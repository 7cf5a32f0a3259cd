"""Stories of canaries behind a router that the controller's own end-to-end tests tell of a real cluster (test/e2e at head, named in each row)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine import builders
from tests.engine.stories import ISTIO, MANAGED, Story, at, do, expected, rollout, story, told

SCALE_STEPS = (
    "[{pause: {}}, {setCanaryScale: {weight: 25}}, {pause: {duration: 100s}}, {setWeight: 50}, {pause: {duration: 10s}},"
    " {setCanaryScale: {replicas: 3}}, {pause: {}}, {setCanaryScale: {matchTrafficWeight: true}}, {pause: {duration: 5s}}]"
)
DYNAMIC = f"{ISTIO}, dynamicStableScale: true, steps: [{{setWeight: 25}}, {{pause: {{}}}}, {{setWeight: 75}}, {{pause: {{}}}}]"
ONE_CANARY = f"{ISTIO}, steps: [{{setCanaryScale: {{replicas: 1}}}}, {{pause: {{}}}}]"
STARTS_LATE = {"stable": builders.version("one", start_up=builders.constant(10))}

PING_PONG = ISTIO.split(", canaryService")[0] + ", pingPong: {pingService: stable, pongService: canary}"
SMI = "trafficRouting: {smi: {trafficSplitName: shop}}, canaryService: canary, stableService: stable"
TRY = "{name: try, specRef: canary"
MATCHES = "match: [{headerName: agent, headerValue: {regex: firefox(.*)}}]"
HEADERS = (
    f"[{{setWeight: 20}}, {{setHeaderRoute: {{name: first, {MATCHES}}}}}, {{pause: {{}}}},"
    f" {{setHeaderRoute: {{name: first, {MATCHES.replace('firefox', 'chrome')}}}}}, {{pause: {{}}}},"
    " {setWeight: 40}, {setHeaderRoute: {name: first}}, {pause: {}}]"
)
MIRRORS = (
    '[{setWeight: 20}, {setMirrorRoute: {name: first, percentage: 100, match: [{path: {prefix: "/"}}]}},'
    ' {setMirrorRoute: {name: second, percentage: 80, match: [{path: {prefix: "/"}, method: {exact: GET}}]}}, {pause: {}},'
    ' {setMirrorRoute: {name: first, percentage: 100, match: [{path: {prefix: "/rewrite"}}]}}, {pause: {}},'
    " {setWeight: 40}, {setMirrorRoute: {name: first}}, {pause: {}}]"
)

STORIES = (
    story(
        "TestCanarySetCanaryScale",
        rollout(f"canary: {{{ISTIO}, steps: {SCALE_STEPS}}}", 4),
        at(10, phase="Paused", step=0, pods={1: 4, 2: 0}),
        do(10, "promote"),
        at(20, step=2, pods={1: 4, 2: 1}, canary_weight=0),
        do(20, "promote"),
        at(25, step=4, pods={1: 4, 2: 1}, canary_weight=50),
        do(25, "promote"),
        at(35, step=6, pods={1: 4, 2: 3}),
        do(35, "promote"),
        at(38, step=8, pods={1: 4, 2: 2}),
        do(38, "promote"),
        at(60, phase="Healthy", pods={1: 4, 2: 4}),
    ),
    story(
        "TestCanaryScaleDownDelayWithProgressDeadline",
        rollout(f"canary: {{{ISTIO}}}", 1, "progressDeadlineSeconds: 5"),
        at(5, phase="Healthy"),
        at(20, phase="Healthy"),
    ),
    story(
        "TestCanaryScaleDownDelay",
        rollout(f"canary: {{{ISTIO}, scaleDownDelayRevisionLimit: 1}}"),
        at(5, phase="Healthy", pods={1: 1, 2: 1}, dying=(1,)),
        do(5, "apply", release="three"),
        at(10, phase="Healthy", pods={1: 0, 2: 1, 3: 1}, dying=(2,)),
        do(10, "apply", release="two"),
        at(15, phase="Healthy", pods={1: 0, 3: 1, 4: 1}, dying=(3,)),
    ),
    story(
        "TestCanaryScaleDownOnAbort",
        rollout(f"canary: {{{ONE_CANARY}, abortScaleDownDelaySeconds: 1}}"),
        at(9, preview=2),
        do(10, "abort"),
        at(10.5, phase="Degraded", preview=1),
        at(13, pods={1: 1, 2: 0}),
    ),
    story(
        "TestCanaryUnScaleDownOnAbort",
        rollout(f"canary: {{{ONE_CANARY}, abortScaleDownDelaySeconds: 0}}"),
        do(10, "abort"),
        at(60, phase="Degraded", pods={1: 1, 2: 1}, dying=()),
    ),
    story(
        "TestCanaryDynamicStableScale",
        rollout(f"canary: {{{DYNAMIC}}}", 4),
        at(10, phase="Paused", pods={1: 3, 2: 1}),
        do(10, "promote"),
        at(20, step=3, pods={1: 1, 2: 3}, canary_weight=75),
        do(20, "abort"),
        at(25, canary_weight=75, preview=2),
        at(35, pods={1: 4, 2: 1}, preview=2),
        at(50, pods={1: 4, 2: 0}, canary_weight=0, preview=1),
        **STARTS_LATE,
    ),
    story(
        "TestCanaryDynamicStableScaleAbortScaleDownDelay",
        rollout(f"canary: {{{DYNAMIC}, abortScaleDownDelaySeconds: 10}}", 4),
        do(10, "promote"),
        at(20, step=3, pods={1: 1, 2: 3}),
        do(20, "abort"),
        at(22, pods={1: 3, 2: 3}, dying=(), canary_weight=75),
        at(35, pods={1: 4, 2: 3}, dying=(), canary_weight=25),
        at(45, pods={1: 4, 2: 3}, dying=(2,), canary_weight=0),
        at(60, pods={1: 4, 2: 0}, preview=1),
        **STARTS_LATE,
    ),
    story(
        "TestCanaryDynamicStableScaleRollbackToStable",
        rollout(f"canary: {{{DYNAMIC}}}", 4),
        at(10, phase="Paused", pods={1: 3, 2: 1}),
        do(10, "undo", revision=1),
        at(12, pods={3: 4, 2: 1}, preview=2, active=3, canary_weight=25),
        at(30, pods={3: 4, 2: 0}, preview=3, active=3, canary_weight=0),
        **STARTS_LATE,
    ),
    story(
        "TestIstioHostSplit",
        rollout(f"canary: {{{ISTIO}, steps: [{{setWeight: 10}}, {{pause: {{}}}}]}}"),
        at(10, phase="Paused", canary_weight=10, preview=2),
        do(10, "promote"),
        at(20, phase="Healthy", canary_weight=0, active=2, preview=2),
    ),
    story(
        "TestIstioAbortUpdate",
        rollout(f"canary: {{{ISTIO}, steps: [{{setWeight: 10}}, {{pause: {{}}}}]}}"),
        at(10, phase="Paused"),
        do(10, "promote"),
        do(60, "abort"),
        at(70, phase="Healthy", pods={1: 0, 2: 1}),
    ),
    story(
        "TestIstioUpdateInMiddleZeroCanaryReplicas",
        rollout(
            f"canary: {{{ISTIO}, steps: [{{setWeight: 0}}, {{setCanaryScale: {{replicas: 1}}}}, {{pause: {{}}}}]}}", 2
        ),
        at(10, phase="Paused", pods={1: 2, 2: 1}),
        do(10, "apply", release="three"),
        at(20, phase="Paused", pods={1: 2, 2: 0, 3: 1}),
    ),
    story(
        "TestIstioAbortUpdateDeleteAllCanaryPods",
        rollout(
            f"canary: {{{ISTIO}, steps: [{{setCanaryScale: {{replicas: 2}}}}, {{setWeight: 20}}, {{pause: {{}}}},"
            " {setCanaryScale: {replicas: 4}}, {setWeight: 40}, {pause: {}}]}",
            5,
        ),
        at(10, phase="Paused", pods={1: 5, 2: 2}),
        do(10, "promote"),
        at(20, phase="Paused", pods={1: 5, 2: 4}),
        do(20, "abort"),
        at(21, phase="Degraded", pods={1: 5, 2: 4}, dying=(2,)),
    ),
    story(
        "TestIstioSubsetSplitInStableDownscaleAfterCanaryAbort",
        rollout(f"canary: {{{ISTIO}, dynamicStableScale: true, steps: [{{setWeight: 10}}, {{pause: {{}}}}]}}", 4),
        at(10, phase="Paused"),
        do(10, "abort"),
        at(20, phase="Degraded"),
        do(20, "scale", replicas=1),
        at(30, pods={1: 1, 2: 0}, canary_weight=0),
    ),
    story(
        "TestIstioHostHeaderRoute",
        rollout(f"canary: {{{MANAGED}, steps: {HEADERS}}}", 5),
        at(10, phase="Paused", routes=("first", "primary"), canary_weight=20),
        do(10, "promote"),
        at(20, phase="Paused", step=4),
        do(20, "promote"),
        at(30, phase="Paused", routes=("primary",), canary_weight=40),
        do(30, "promote-full"),
        at(40, phase="Healthy", routes=("primary",), canary_weight=0),
    ),
    story(
        "TestIstioHostMirrorRoute",
        rollout(f"canary: {{{MANAGED}, steps: {MIRRORS}}}", 5),
        at(10, phase="Paused", routes=("first", "second", "primary"), canary_weight=20),
        do(10, "promote"),
        do(20, "promote"),
        at(30, phase="Paused", routes=("second", "primary"), canary_weight=40),
        do(30, "promote-full"),
        at(40, phase="Healthy", routes=("primary",), canary_weight=0),
    ),
    story(
        "TestIstioPingPongUpdate",
        rollout(f"canary: {{{PING_PONG}, steps: [{{setWeight: 25}}, {{pause: {{}}}}]}}"),
        at(10, phase="Paused", weights=(75, 25)),
        do(10, "promote"),
        at(20, phase="Healthy", weights=(0, 100)),
        do(20, "apply", release="three"),
        at(30, phase="Paused", weights=(25, 75)),
        do(30, "promote"),
        at(40, phase="Healthy", weights=(100, 0)),
    ),
    story(
        "TestIstioHostSplitExperimentStep",
        rollout(
            f"canary: {{{ISTIO}, steps: [{{setWeight: 10}}, {{experiment: {{templates: [{TRY}, weight: 20}}]}}}}]}}"
        ),
        at(10, phase="Progressing", step=1, weights=(70, 10, 20), active=1, preview=2),
        do(10, "promote"),
        at(20, phase="Healthy", weights=(100, 0), active=2, preview=2, pods={1: 1, 2: 1}),
    ),
    story(
        "TestSMIExperimentStep",
        rollout(f"canary: {{{SMI}, steps: [{{setWeight: 5}}, {{experiment: {{templates: [{TRY}, weight: 5}}]}}}}]}}"),
        at(10, step=1, weights=(90, 5, 5), active=1, preview=2),
        do(10, "promote"),
        at(20, phase="Healthy", weights=(100, 0), active=2, preview=2, pods={1: 1, 2: 1}),
    ),
    story(
        "TestALBExperimentStepNoSetWeight-with-istio",
        rollout(
            f"canary: {{{ISTIO}, steps: [{{experiment: {{duration: 15s, templates:"
            f" [{TRY}, weight: 20}}, {{name: base, specRef: stable, weight: 20}}]}}}}]}}"
        ),
        at(10, weights=(60, 0, 20, 20)),
        at(30, phase="Healthy", weights=(100, 0)),
    ),
    story(
        "TestSMIIngressCanaryStep",
        rollout(f"canary: {{{SMI}, steps: [{{setWeight: 5}}, {{pause: {{}}}}]}}"),
        at(10, phase="Paused", weights=(95, 5)),
        do(10, "promote"),
        at(20, phase="Healthy", weights=(100, 0)),
    ),
)


@pytest.mark.parametrize("story", STORIES)
def test_a_routed_canary_goes_as_on_a_real_cluster(story: Story, tmp_path: Path) -> None:
    assert told(story, tmp_path) == expected(story)
