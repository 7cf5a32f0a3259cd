"""Routers other than Istio: which requests they split, and by what they tell some apart."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sim.decide.istio.hosts import first_holding, routes_for
from sim.decide.istio.matching import Call
from sim.decide.istio.rewriting import Owner, with_weights
from sim.decide.standin import SYNTHETIC, header_matches, stand_in, use_of
from sim.model.manifests import ManifestSet
from sim.model.network import GatewayRoute, HttpMatch, HttpRoute, Ingress, IngressPath, RouteDestination, StringMatch
from sim.model.rollout import (
    CanaryStrategy,
    HeaderMatch,
    HeaderRoute,
    IngressRouting,
    IstioVirtualService,
    RolloutSpec,
    TrafficRouting,
)

CANARY = CanaryStrategy(canary_service="canary", stable_service="stable")
WEB = Ingress(
    "web",
    paths=(
        IngressPath("/", service="stable"),
        IngressPath("/docs", service="docs"),
        IngressPath("/docs/api", exact=True, service="stable"),
        IngressPath("/shop/", service="stable"),
    ),
)


def spec(routing: TrafficRouting) -> RolloutSpec:
    return RolloutSpec("shop", canary=replace(CANARY, traffic_routing=routing))


def nginx(**annotations: str) -> TrafficRouting:
    notes = tuple(sorted((key.replace("_", "-"), value) for key, value in annotations.items()))
    return TrafficRouting(("nginx",), nginx=IngressRouting("web", annotations=notes))


def taken(routing: TrafficRouting, call: Call, manifests: ManifestSet = ManifestSet(ingresses=(WEB,))) -> str:  # noqa: B008
    """Where a request goes at a canary weight of 30: one Service, or the split's weights."""
    vs = stand_in(spec(routing), manifests)
    assert vs is not None
    vs = with_weights(vs, use_of(vs, CANARY), Owner("canary", "stable"), 30)
    told = routes_for([vs], replace(call, host=SYNTHETIC))
    assert told is not None
    found = first_holding(told, replace(call, host=SYNTHETIC), absent_is_empty=True)
    assert found is not None
    return " ".join(f"{one.host}:{one.weight}" if one.weight is not None else one.host for one in found.destinations)


SPLIT = "stable:70 canary:30"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param("/", SPLIT, id="root"),
        pytest.param("/docs", "docs", id="another-service"),
        pytest.param("/docs/x?y", "docs", id="below-it"),
        pytest.param("/docs/api", SPLIT, id="exact-before-prefix"),
        pytest.param("/docsearch", SPLIT, id="element-by-element"),
        pytest.param("/shop", SPLIT, id="trailing-slash"),
    ],
)
def test_nginx_splits_what_its_ingress_sends_to_the_stable_service(path: str, expected: str) -> None:
    assert taken(nginx(), Call(path)) == expected


@pytest.mark.parametrize(
    ("annotations", "headers", "expected"),
    [
        pytest.param({"canary_by_header": "x"}, {"x": "always"}, "canary", id="always"),
        pytest.param({"canary_by_header": "x"}, {"x": "never"}, "stable", id="never"),
        pytest.param({"canary_by_header": "x"}, {"x": "maybe"}, SPLIT, id="else-by-weight"),
        pytest.param({"canary_by_header": "x", "canary_by_header_value": "v"}, {"x": "v"}, "canary", id="value"),
        pytest.param({"canary_by_header": "x", "canary_by_header_value": "v"}, {"x": "always"}, SPLIT, id="only-value"),
        pytest.param({"canary_by_header": "x", "canary_by_header_pattern": "b.t"}, {"x": "a-bet"}, "canary", id="pattern"),
        pytest.param({"canary_by_cookie": "c"}, {"cookie": "a=b; c=always"}, "canary", id="cookie"),
        pytest.param({"canary_by_cookie": "c"}, {"cookie": "abc=always"}, SPLIT, id="another-cookie"),
        pytest.param(
            {"canary_by_header": "x", "canary_by_cookie": "c"}, {"x": "never", "cookie": "c=always"}, "stable", id="header-first"
        ),
    ],
)  # fmt: skip
def test_nginx_annotations_choose_before_the_weight(
    annotations: dict[str, str], headers: dict[str, str], expected: str
) -> None:
    assert taken(nginx(**annotations), Call(headers=tuple(headers.items()))) == expected


def test_an_alb_splits_its_root_service() -> None:
    alb = TrafficRouting(("alb",), alb=IngressRouting("web", root_service="docs"))
    assert [taken(alb, Call(path)) for path in ("/docs", "/")] == [SPLIT, "stable"]


def test_the_gateway_plugin_splits_the_rules_that_name_both_services() -> None:
    both = (RouteDestination("stable", weight=1), RouteDestination("canary", weight=1))
    api = HttpRoute(
        matches=(HttpMatch(uri=StringMatch("prefix", "/api")),), destinations=(RouteDestination("api", weight=1),)
    )
    routes = GatewayRoute("web", routes=(api, HttpRoute(destinations=both)))
    plugin = TrafficRouting(("plugins",), gateway_routes=("web",))
    manifests = ManifestSet(gateway_routes=(routes,))
    assert [taken(plugin, Call(path), manifests) for path in ("/api", "/")] == ["api:1", SPLIT]
    elsewhere = replace(plugin, gateway_namespace="edge")
    assert [taken(elsewhere, Call(path), manifests) for path in ("/api", "/")] == [SPLIT, SPLIT]


@pytest.mark.parametrize("kind", ["nginx", "alb", "smi", "traefik", "ambassador", "apisix", "appMesh", "plugins"])
def test_a_router_whose_objects_are_missing_splits_everything(kind: str) -> None:
    assert taken(TrafficRouting((kind,)), Call("/any"), ManifestSet()) == SPLIT


def test_istio_has_no_stand_in() -> None:
    assert stand_in(spec(TrafficRouting(("istio",), (IstioVirtualService("vs"),))), ManifestSet()) is None
    assert stand_in(RolloutSpec("shop", canary=CANARY), ManifestSet()) is None


def test_header_routes_elsewhere_want_every_header() -> None:
    route = HeaderRoute(
        "h", (HeaderMatch("a", "exact", "1"), HeaderMatch("b", "exact", "2"), HeaderMatch("a", "exact", "3"))
    )
    one, two, three = (StringMatch("exact", text) for text in "123")
    assert header_matches(route, ("alb",)) == (
        HttpMatch(headers=(("a", one), ("b", two))),
        HttpMatch(headers=(("a", three), ("b", two))),
    )
    assert header_matches(route, ("apisix",)) == (HttpMatch(headers=(("a", one), ("b", two), ("a", three))),)
