"""Istio's routes, policies and managed routes, seen through whole runs."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from sim.engine import run
from sim.model.behaviour import Release
from sim.model.controller import Controller
from sim.model.load import Client, LoadShape, RequestClass, Stage
from sim.model.manifests import ManifestSet
from sim.model.network import (
    ConnectionPool,
    ConnectionRoute,
    DestinationRule,
    HttpFault,
    HttpMatch,
    HttpRoute,
    Ingress,
    IngressPath,
    Layer,
    OutlierDetection,
    RouteDestination,
    ServiceSpec,
    StringMatch,
    Subset,
    TrafficPolicy,
    VirtualService,
)
from sim.model.records import RunResult, StepRecord, TrafficRecord, Verdict
from sim.model.rollout import (
    CanaryScale,
    CanaryStep,
    HeaderMatch,
    HeaderRoute,
    IngressRouting,
    IstioDestinationRule,
    IstioVirtualService,
    MirrorRoute,
)
from sim.model.scenario import Scenario
from tests.engine import builders

STEPS = (builders.set_weight(50), builders.pause(60))
PATIENT = Client(retries=0)


def counts(
    result: RunResult, start_s: float = -1e9, end_s: float = 1e9
) -> tuple[Counter[str], Counter[tuple[str, int]]]:
    """(client requests by side, answers by side and status) of the rows that end in this stretch."""
    requests: Counter[str] = Counter()
    answers: Counter[tuple[str, int]] = Counter()
    for row in result.journal:
        if isinstance(row, TrafficRecord) and start_s < row.t_s <= end_s:
            requests[row.side] += row.client_requests
            answers.update({(row.side, status): count for status, count in row.statuses})
    return requests, answers


def routed(manifests: ManifestSet, *http: HttpRoute, **changes: Any) -> ManifestSet:
    (vs,) = manifests.virtual_services
    return replace(manifests, virtual_services=(replace(vs, http=(*http, *vs.http), **changes),))


def with_load(manifests: ManifestSet, *classes: RequestClass, **changes: Any) -> Scenario:
    return builders.scenario(manifests, load=LoadShape((Stage(60.0, 50.0),), classes=classes), **changes)


def test_a_class_takes_the_route_that_its_path_matches() -> None:
    api = HttpMatch(uri=StringMatch("prefix", "/api"))
    manifests = routed(builders.canary_manifests(STEPS), HttpRoute("api", (api,), answer=301))
    requests, answers = counts(run(with_load(manifests, RequestClass(0.25, path="/api/x")), seed=1))
    assert answers["none", 301] == requests["none"]
    assert requests["none"] / requests.total() == pytest.approx(0.25, abs=0.02)


def test_a_request_that_no_route_takes_gets_404_and_has_failed() -> None:
    manifests = builders.canary_manifests(STEPS)
    (vs,) = manifests.virtual_services
    shop = replace(vs.http[0], matches=(HttpMatch(uri=StringMatch("prefix", "/shop")),))
    manifests = replace(manifests, virtual_services=(replace(vs, http=(shop,)),))
    result = run(with_load(manifests, RequestClass(0.9, path="/shop")), seed=1)
    _, answers = counts(result)
    lost = [row for row in result.journal if isinstance(row, TrafficRecord) and row.side == "none"]
    assert answers["none", 404] == sum(row.client_failures for row in lost) > 0


def test_a_class_of_another_host_reaches_that_service() -> None:
    manifests = builders.canary_manifests((builders.set_weight(20), builders.pause(120)))
    asked = RequestClass(0.3, host="shop-canary", in_mesh=True)
    requests, _ = counts(run(with_load(manifests, asked, client=PATIENT), seed=1), 60, 130)
    assert requests["candidate"] / requests.total() == pytest.approx(0.3 + 0.7 * 0.2, abs=0.04)


def with_routing(manifests: ManifestSet, **changes: Any) -> ManifestSet:
    (rollout,) = manifests.rollouts
    assert rollout.canary is not None
    assert rollout.canary.traffic_routing is not None
    routing = replace(rollout.canary.traffic_routing, **changes)
    return replace(manifests, rollouts=(replace(rollout, canary=replace(rollout.canary, traffic_routing=routing)),))


def test_a_managed_mirror_loads_the_canary_unseen_by_clients() -> None:
    mirror = MirrorRoute("copy", 50, (HttpMatch(method=StringMatch("exact", "GET")),))
    scaled = CanaryStep(set_canary_scale=CanaryScale(replicas=3))
    steps = (scaled, CanaryStep(set_mirror_route=mirror), builders.pause(120), builders.set_weight(50))
    manifests = with_routing(builders.canary_manifests(steps), managed_routes=("copy",))
    requests, answers = counts(run(builders.scenario(manifests, client=PATIENT), seed=1), 60, 120)
    assert requests["candidate"] == 0
    assert answers["candidate", 200] / answers["stable", 200] == pytest.approx(0.5, abs=0.05)


def test_a_managed_header_route_takes_any_of_its_headers() -> None:
    route = HeaderRoute("beta", (HeaderMatch("x-ring", "exact", "beta"), HeaderMatch("x-staff", "prefix", "y")))
    scaled = CanaryStep(set_canary_scale=CanaryScale(replicas=3))
    steps = (scaled, CanaryStep(set_header_route=route), builders.pause(120))
    manifests = with_routing(builders.canary_manifests(steps), managed_routes=("beta",))
    classes = (
        RequestClass(0.2, headers=(("X-Ring", "beta"),)),
        RequestClass(0.1, headers=(("x-staff", "yes"),)),
        RequestClass(0.1, headers=(("x-ring", "gamma"),)),
    )
    requests, _ = counts(run(with_load(manifests, *classes), seed=1), 60, 120)
    assert requests["candidate"] / requests.total() == pytest.approx(0.3, abs=0.03)


RULE = IstioDestinationRule("shop", "new", "old")
SUBSETS = (Subset("old", builders.APP), Subset("new", builders.APP))
SPLIT = (RouteDestination("shop", "old", 100), RouteDestination("shop", "new", 0))


def subset_manifests(policy: TrafficPolicy = TrafficPolicy(), **rule: Any) -> ManifestSet:  # noqa: B008 - frozen
    manifests = builders.canary_manifests(STEPS)
    (vs,) = manifests.virtual_services
    return with_routing(
        replace(
            manifests,
            services=(*manifests.services, ServiceSpec("shop", selector=builders.APP)),
            virtual_services=(replace(vs, http=(HttpRoute("primary", (), SPLIT),)),),
            destination_rules=(replace(DestinationRule("shop", host="shop", subsets=SUBSETS, policy=policy), **rule),),
        ),
        destination_rule=RULE,
    )


def test_subsets_split_the_traffic_of_one_service() -> None:
    requests, _ = counts(run(builders.scenario(subset_manifests()), seed=1), 40, 70)
    assert requests["candidate"] / requests.total() == pytest.approx(0.5, abs=0.05)


def test_outlier_detection_spares_clients_most_of_a_bad_canary() -> None:
    outlier = OutlierDetection(consecutive_5xx=2, base_ejection_s=120.0, max_ejection_percent=100)
    bad = builders.release(good=False, error_ratio=0.9)
    plain, watched = (
        counts(run(builders.scenario(subset_manifests(policy), release=bad, client=PATIENT), seed=1), 30, 60)[1]
        for policy in (TrafficPolicy(), TrafficPolicy(outlier=outlier))
    )
    # Whoever was sent to the canary's subset, all of which is ejected, now gets 503 from the proxy: Istio has no fallback.
    assert watched["candidate", 500] < plain["candidate", 500] / 10
    assert watched["none", 503] > 0


def test_a_connection_pool_that_is_too_small_turns_requests_away() -> None:
    small = TrafficPolicy(pool=ConnectionPool(max_connections=1, max_pending_requests=1))
    _, answers = counts(run(builders.scenario(subset_manifests(small), client=PATIENT), seed=1))
    assert answers["none", 503] > 0


def test_a_fault_of_the_route_answers_clients() -> None:
    manifests = builders.canary_manifests(STEPS)
    (vs,) = manifests.virtual_services
    broken = replace(vs.http[0], fault=HttpFault(abort_status=418, abort_share=0.1))
    manifests = replace(manifests, virtual_services=(replace(vs, http=(broken,)),))
    requests, answers = counts(run(builders.scenario(manifests), seed=1))
    assert answers["none", 418] / requests.total() == pytest.approx(0.1, abs=0.01)


def test_connections_are_split_by_the_weights_too() -> None:
    manifests = builders.canary_manifests(STEPS)
    split = (RouteDestination("shop-stable", weight=100), RouteDestination("shop-canary", weight=0))
    vs = VirtualService(
        "shop",
        hosts=("shop",),
        gateways=("ingress",),
        connections=(ConnectionRoute(Layer.TLS, (443,), ("shop",), (), split),),
    )
    manifests = with_routing(
        replace(manifests, virtual_services=(vs,)), virtual_services=(IstioVirtualService("shop"),)
    )
    requests, _ = counts(run(builders.scenario(manifests), seed=1), 40, 70)
    assert requests["candidate"] / requests.total() == pytest.approx(0.5, abs=0.05)


def test_the_default_retries_hide_a_refusing_pod() -> None:
    """A pod without preStop refuses while routers still know it: behind a proxy clients do not notice."""
    manifests = builders.canary_manifests(STEPS)
    tried = run(builders.scenario(manifests, client=PATIENT), seed=1)
    plain = replace(manifests, virtual_services=(), services=(ServiceSpec("shop", selector=builders.APP),))
    (rollout,) = plain.rollouts
    assert rollout.canary is not None
    basic = replace(rollout.canary, traffic_routing=None, canary_service="", stable_service="")
    untried = run(builders.scenario(replace(plain, rollouts=(replace(rollout, canary=basic),)), client=PATIENT), seed=1)

    def failures(result: RunResult) -> int:
        return sum(row.client_failures for row in result.journal if isinstance(row, TrafficRecord))

    assert failures(tried) < failures(untried)


def behind(router: str, *paths: IngressPath, **routing: Any) -> ManifestSet:
    """The canary behind another router than Istio."""
    manifests = builders.canary_manifests((builders.set_weight(50), builders.pause(60), builders.set_weight(80)))
    manifests = with_routing(manifests, kinds=(router,), virtual_services=(), **routing)
    return replace(manifests, virtual_services=(), ingresses=(Ingress("web", paths=paths),))


def test_nginx_splits_only_the_stable_services_paths() -> None:
    paths = (IngressPath("/", service="shop-stable"), IngressPath("/docs", service="docs"))
    manifests = behind("nginx", *paths, nginx=IngressRouting("web"))
    docs = RequestClass(0.2, path="/docs")
    requests, answers = counts(run(with_load(manifests, docs, client=PATIENT), seed=1), 40, 70)
    assert requests["candidate"] / requests.total() == pytest.approx(0.4, abs=0.05)
    assert answers["none", 503] / requests.total() == pytest.approx(0.2, abs=0.03)  # there is no Service docs


def pause_began_s(scenario: Scenario) -> float:
    rows = run(scenario, seed=1).journal
    return min(row.t_s for row in rows if isinstance(row, StepRecord) and row.index == 1)


def test_a_verified_alb_holds_the_step_until_it_has_the_weight() -> None:
    manifests = behind("alb", IngressPath("/", service="shop-stable"), alb=IngressRouting("web"))
    slow = replace(builders.CLUSTER, router_propagation=(("alb", builders.constant(45.0)),))
    asked, unasked = (
        pause_began_s(builders.scenario(manifests, cluster=replace(slow, verify_weights=flag)))
        for flag in (True, False)
    )
    assert 45 <= asked - unasked <= 55  # asked again every 10 s


def without_services(manifests: ManifestSet) -> ManifestSet:
    (rollout,) = manifests.rollouts
    assert rollout.canary is not None
    bare = replace(rollout.canary, canary_service="", stable_service="")
    return replace(manifests, rollouts=(replace(rollout, canary=bare, progress_deadline_s=120),))


@pytest.mark.parametrize(
    ("controller", "verdict"),
    [
        pytest.param(Controller.ARGO_1_7, Verdict.DEGRADED, id="1.7-switches-at-once"),
        pytest.param(Controller.ARGO_1_8, Verdict.DEGRADED, id="1.8-skips-the-switch"),
        pytest.param(Controller.ARGO_1_9, Verdict.STUCK, id="1.9-fails-every-reconcile"),
    ],
)
def test_subsets_without_services_wait_for_every_pod(controller: Controller, verdict: Verdict) -> None:
    """From 1.9 on a canary that never becomes ready does not even pass its progress deadline."""
    never = Release(
        "bad", good=False, share=1.0, behaviour=builders.version("candidate", start_up=builders.constant(1e5))
    )
    manifests = without_services(subset_manifests())
    result = run(builders.scenario(manifests, release=never, controller=controller, horizon_s=900.0), seed=1)
    assert result.verdict is verdict


def test_istios_metrics_count_what_proxies_refuse() -> None:
    """All of a bad canary's pods are ejected: a gate on the gateway's counters sees 503 that no pod gave."""
    outlier = OutlierDetection(consecutive_5xx=2, base_ejection_s=300.0, max_ejection_percent=100)
    flagged = (
        'sum(increase(istio_requests_total{reporter="source",destination_service_name="shop",response_flags="UH"}[1m]))'
    )
    gate = builders.prometheus_template("refused", flagged, "len(result) == 0 || result[0] < 10", interval="20s")
    manifests = subset_manifests(TrafficPolicy(outlier=outlier))
    (rollout,) = manifests.rollouts
    assert rollout.canary is not None
    judged = replace(rollout.canary, analysis=builders.refs("refused"))
    manifests = replace(manifests, rollouts=(replace(rollout, canary=judged),), analysis_templates=(gate,))
    scenario = builders.scenario(manifests, release=builders.release(good=False, error_ratio=0.9), client=PATIENT)
    assert run(scenario, seed=1).verdict is Verdict.ABORTED
    good = run(builders.scenario(manifests, client=PATIENT), seed=1)
    assert good.verdict is Verdict.PROMOTED
