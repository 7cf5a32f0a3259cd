"""Routers' objects as the twin's controller leaves them: what it changes, and what it must not touch."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import pytest

from harness.cluster.objects import Object
from harness.makers import istio
from harness.makers.routers import RouterHands
from harness.missing import MissingError
from scenarios.manifests.build.rollouts import rollout as read
from sim.decide.istio import rewriting
from sim.decide.istio.rewriting import Owner
from sim.model.network import HttpMatch, StringMatch
from sim.model.rollout import IstioVirtualService, MirrorRoute, TrafficWeights, WeightDestination
from tests.harness.fakes import FakeObjects, SetClock
from tests.harness.rollouts import CANARY, Rehearsal, rollout, shop

OWNER = Owner("shop-canary", "shop-stable")
BY_SUBSET = """
canary:
  trafficRouting:
    istio:
      virtualService: {name: shop}
      destinationRule: {name: shop, canarySubsetName: canary, stableSubsetName: stable}
  steps: [{setWeight: 20}]
"""
NGINX = """
canary:
  stableService: shop-stable
  canaryService: shop-canary
  trafficRouting:
    maxTrafficWeight: 1000
    nginx: {stableIngress: shop, additionalIngressAnnotations: {canary-by-header: x-tester}}
  steps: [{setWeight: 20}]
"""


def mesh(**spec: object) -> Object:
    return {
        "apiVersion": "networking.istio.io/v1beta1",
        "kind": "VirtualService",
        "metadata": {"name": "shop"},
        "spec": spec,
    }


def entry(host: str, weight: int | None = None, **more: object) -> Object:
    written: Object = {"destination": {"host": host, **more}}
    return written if weight is None else {**written, "weight": weight}


def weights(canary: int, total: int = 100) -> TrafficWeights:
    return TrafficWeights(WeightDestination(canary, "new"), WeightDestination(total - canary, "old"))


def test_only_destinations_of_written_routes_change() -> None:
    other = {"name": "other", "route": [entry("elsewhere")], "timeout": "3s"}
    primary = {"name": "primary", "retries": {"attempts": 1}, "route": [entry("shop-stable"), entry("shop-canary", 0)]}
    obj = mesh(http=[other, primary])
    before = istio.virtual_service(obj)
    use = IstioVirtualService("shop", ("primary",))
    patch = istio.virtual_service_patch(obj, before, rewriting.with_weights(before, use, OWNER, 30))
    split = [entry("shop-stable", 70), entry("shop-canary", 30)]
    assert patch == {"spec": {"http": [other, {**primary, "route": split}]}}


def test_what_does_not_change_is_not_written() -> None:
    obj = mesh(http=[{"route": [entry("shop-stable", 70), entry("shop-canary", 30)]}])
    before = istio.virtual_service(obj)
    after = rewriting.with_weights(before, IstioVirtualService("shop"), OWNER, 30)
    assert istio.virtual_service_patch(obj, before, after) == {}


def test_routes_of_connections_are_split_in_their_own_lists() -> None:
    both = [entry("shop-stable", 100), entry("shop-canary", 0)]
    obj = mesh(
        tls=[{"match": [{"port": 443, "sniHosts": ["a"]}], "route": both}],
        tcp=[{"match": [{"port": 5432}], "route": deepcopy(both)}],
    )
    before = istio.virtual_service(obj)
    patch = istio.virtual_service_patch(
        obj, before, rewriting.with_weights(before, IstioVirtualService("shop"), OWNER, 10)
    )
    split = [entry("shop-stable", 90), entry("shop-canary", 10)]
    assert [patch["spec"][layer][0]["route"] for layer in ("tls", "tcp")] == [split, split]
    assert patch["spec"]["tls"][0]["match"] == [{"port": 443, "sniHosts": ["a"]}]


def test_a_mirror_is_put_on_top() -> None:
    obj = mesh(http=[{"name": "primary", "route": [entry("shop-stable", 100, port={"number": 80})]}])
    before = istio.virtual_service(obj)
    match = HttpMatch(method=StringMatch("exact", "GET"), uri=StringMatch("prefix", "/"))
    route = MirrorRoute("copy", 35, (match,))
    owner = Owner("shop-canary", "shop-stable", managed=("copy",))
    after = rewriting.with_mirror_route(before, IstioVirtualService("shop", ("primary",)), owner, route)
    made, primary = istio.virtual_service_patch(obj, before, after)["spec"]["http"]
    assert primary == obj["spec"]["http"][0]
    assert made == {
        "name": "copy",
        "match": [{"method": {"exact": "GET"}, "uri": {"prefix": "/"}}],
        "route": [entry("shop-stable", 100, port={"number": 80})],
        "mirror": {"host": "shop-canary", "port": {"number": 80}},
        "mirrorPercentage": {"value": 35.0},
    }


def hands(strategy: str, *objects: Object) -> tuple[RouterHands, FakeObjects]:
    api = FakeObjects(SetClock())
    for obj in objects:
        api.apply(obj)
    return RouterHands(api, read(rollout(strategy), "shop", "default")), api


def test_subsets_select_their_revisions_and_keep_their_policies() -> None:
    policy = {"connectionPool": {"tcp": {"maxConnections": 5}}}
    rule: Object = {
        "apiVersion": "networking.istio.io/v1beta1",
        "kind": "DestinationRule",
        "metadata": {"name": "shop"},
        "spec": {
            "host": "shop",
            "subsets": [
                {"name": "stable", "labels": {"app": "shop"}, "trafficPolicy": policy},
                {"name": "canary", "labels": {"app": "shop"}},
            ],
        },
    }
    both = [entry("shop", 100, subset="stable"), entry("shop", 0, subset="canary")]
    written, api = hands(BY_SUBSET, rule, mesh(http=[{"route": both}]))
    written.set_weights(weights(20), "new", "old")
    found = api.get("DestinationRule", "shop")
    assert found is not None
    assert found["spec"]["subsets"] == [
        {"name": "stable", "labels": {"app": "shop", "rollouts-pod-template-hash": "old"}, "trafficPolicy": policy},
        {"name": "canary", "labels": {"app": "shop", "rollouts-pod-template-hash": "new"}},
    ]
    routes = api.get("VirtualService", "shop")
    assert routes is not None
    assert [one["weight"] for one in routes["spec"]["http"][0]["route"]] == [80, 20]


def test_nginx_gets_an_ingress_for_the_canary() -> None:
    def path(service: str, written: str = "/") -> Object:
        return {"path": written, "backend": {"service": {"name": service, "port": {"number": 80}}}}

    ingress: Object = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "shop"},
        "spec": {
            "ingressClassName": "nginx",
            "rules": [
                {"host": "shop.example.com", "http": {"paths": [path("shop-stable"), path("other", "/other")]}},
                {"host": "other.example.com", "http": {"paths": [path("other")]}},
            ],
        },
    }
    written, api = hands(NGINX, ingress)
    written.set_weights(weights(20, 1000), "new", "old")
    made = api.get("Ingress", "shop-shop-canary")
    assert made is not None
    assert made["metadata"]["annotations"] == {
        "nginx.ingress.kubernetes.io/canary": "true",
        "nginx.ingress.kubernetes.io/canary-by-header": "x-tester",
        "nginx.ingress.kubernetes.io/canary-weight": "20",
        "nginx.ingress.kubernetes.io/canary-weight-total": "1000",
    }
    assert made["spec"] == {
        "ingressClassName": "nginx",
        "rules": [{"host": "shop.example.com", "http": {"paths": [path("shop-canary")]}}],
    }


def test_a_router_that_nobody_writes_is_refused(tmp_path: Path) -> None:
    loaded = shop(tmp_path, CANARY.replace("{istio: {virtualService: {name: shop, routes: [primary]}}}", "{smi: {}}"))
    with pytest.raises(MissingError, match="a hand for smi is missing"):
        Rehearsal(loaded)


def test_pods_carry_the_metadata_of_their_role(tmp_path: Path) -> None:
    roles = CANARY.replace(
        "canary:",
        "canary:\n  canaryMetadata: {labels: {role: canary}, annotations: {tried: really}}\n"
        "  stableMetadata: {labels: {role: stable}}",
    )
    run = Rehearsal(shop(tmp_path, roles)).stand()
    assert {one["metadata"]["labels"]["role"] for one in run.objects.pods("stable")} == {"stable"}
    run.release().run(10.0)
    (one,) = run.objects.pods("candidate")
    assert (one["metadata"]["labels"]["role"], one["metadata"]["annotations"]["tried"]) == ("canary", "really")
    run.run(90.0)
    promoted = run.objects.pods("candidate")
    assert {one["metadata"]["labels"]["role"] for one in promoted} == {"stable"}
    assert not any("tried" in one["metadata"]["annotations"] for one in promoted)
    assert not any("role" in one["metadata"]["labels"] for one in run.objects.pods("stable"))
