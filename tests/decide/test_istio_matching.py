"""Which route a request takes, table by table, as Envoy decides it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.decide.istio.hosts import best_domain, first_holding, full_name, routes_for
from sim.decide.istio.matching import Call, gateway_name, holds, is_catch_all, reaches, text_matches
from sim.model.network import HttpMatch, HttpRoute, RouteDestination, StringMatch, VirtualService

GATEWAY = Call(host="shop.example.com", gateways=("default/ingress",))
BETA = StringMatch("exact", "beta")


def test_text_of_every_kind() -> None:
    table = [
        (StringMatch("exact", "green"), "green", True),
        (StringMatch("exact", "green"), "greenish", False),
        (StringMatch("exact", ""), "", True),
        (StringMatch("prefix", "green"), "greenish", True),
        (StringMatch("regex", "gr.*n"), "green", True),
        (StringMatch("regex", "gr"), "green", False),
        (StringMatch("regex", "("), "(", False),
        (StringMatch("present"), "anything", True),
    ]
    assert [(how, text, text_matches(how, text)) for how, text, _ in table] == table


@pytest.mark.parametrize(
    ("match", "call", "expected"),
    [
        pytest.param(HttpMatch(uri=StringMatch("prefix", "/api")), Call("/apis?x=1"), True, id="prefix-is-of-text"),
        pytest.param(HttpMatch(uri=StringMatch("exact", "/api")), Call("/api?x=1"), True, id="query-is-no-path"),
        pytest.param(HttpMatch(uri=StringMatch("exact", "/api")), Call("/API"), False, id="case-counts"),
        pytest.param(
            HttpMatch(uri=StringMatch("exact", "/api"), ignore_uri_case=True), Call("/API"), True, id="case-ignored"
        ),
        pytest.param(
            HttpMatch(uri=StringMatch("regex", "/api"), ignore_uri_case=True), Call("/API"), False, id="not-for-regex"
        ),
        pytest.param(HttpMatch(uri=StringMatch("regex", "/v[0-9]+/.*")), Call("/v2/x"), True, id="regex-is-whole"),
        pytest.param(HttpMatch(method=StringMatch("exact", "POST")), Call(), False, id="method"),
        pytest.param(HttpMatch(authority=StringMatch("prefix", "shop")), GATEWAY, True, id="authority"),
        pytest.param(HttpMatch(scheme=StringMatch("exact", "https")), Call(), False, id="scheme"),
        pytest.param(HttpMatch(query=(("v", BETA),)), Call("/?v=beta"), True, id="query"),
        pytest.param(HttpMatch(query=(("v", BETA),)), Call("/?v=alpha"), False, id="query-of-another-value"),
        pytest.param(HttpMatch(query=(("v", StringMatch("present")),)), Call("/?v="), True, id="query-present"),
        pytest.param(HttpMatch(headers=(("X-Ring", BETA),)), Call(headers=(("x-ring", "beta"),)), True, id="header"),
        pytest.param(HttpMatch(headers=(("x-ring", BETA),)), Call(), False, id="header-absent"),
        pytest.param(
            HttpMatch(headers=(("x-ring", BETA), ("x-b", BETA))),
            Call(headers=(("x-ring", "beta"),)),
            False,
            id="all-headers",
        ),
        pytest.param(
            HttpMatch(headers=(("x-ring", StringMatch("exact", "")),)),
            Call(headers=(("x-ring", "beta"),)),
            False,
            id="empty-exact-is-no-presence",
        ),
    ],
)
def test_conditions(match: HttpMatch, call: Call, expected: bool) -> None:
    assert holds(match, call, absent_is_empty=False) is expected


@pytest.mark.parametrize(
    ("how", "carried", "before", "later"),
    [
        pytest.param(BETA, "beta", False, False, id="it-is"),
        pytest.param(BETA, "alpha", True, True, id="another-value"),
        pytest.param(BETA, None, False, True, id="absent-held-for-nothing-before-1.22"),
        pytest.param(StringMatch("present"), None, True, True, id="presence-absent"),
        pytest.param(StringMatch("present"), "x", False, False, id="presence"),
        pytest.param(StringMatch("regex", ".*"), None, False, False, id="absent-as-empty-meets-the-regex"),
    ],
)
def test_without_headers(how: StringMatch, carried: str | None, before: bool, later: bool) -> None:
    match = HttpMatch(without_headers=(("x", how),))
    call = Call(headers=(("x", carried),) if carried is not None else ())
    assert holds(match, call, absent_is_empty=False) is before
    assert holds(match, call, absent_is_empty=True) is later


@pytest.mark.parametrize(
    ("match", "call", "expected"),
    [
        pytest.param(HttpMatch(gateways=("mesh",)), Call(), True, id="mesh"),
        pytest.param(HttpMatch(gateways=("mesh",)), GATEWAY, False, id="gateway-is-not-mesh"),
        pytest.param(HttpMatch(gateways=("ingress",)), GATEWAY, True, id="gateway-of-own-namespace"),
        pytest.param(
            HttpMatch(gateways=("mesh",), source_labels=(("a", "b"),)), Call(), True, id="gateways-overrule-labels"
        ),
        pytest.param(HttpMatch(source_labels=(("a", "b"),)), Call(), False, id="labels"),
        pytest.param(HttpMatch(source_labels=(("a", "b"),)), Call(labels=(("a", "b"),)), True, id="labels-held"),
        pytest.param(HttpMatch(source_namespace="x"), Call(namespace="y"), False, id="namespace"),
        pytest.param(HttpMatch(port=80), Call(port=8080), False, id="port"),
        pytest.param(HttpMatch(port=80), Call(), True, id="port-not-said"),
    ],
)
def test_what_a_proxy_is_told(match: HttpMatch, call: Call, expected: bool) -> None:
    assert reaches(match, call, "default") is expected


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        pytest.param(HttpMatch(), True, id="nothing"),
        pytest.param(HttpMatch(uri=StringMatch("prefix", "/")), True, id="root"),
        pytest.param(HttpMatch(uri=StringMatch("regex", ".*")), True, id="any-regex"),
        pytest.param(HttpMatch(uri=StringMatch("exact", "/")), False, id="exactly-root"),
        pytest.param(HttpMatch(uri=StringMatch("prefix", "/"), method=BETA), False, id="method"),
        pytest.param(HttpMatch(gateways=("mesh",)), True, id="gateways-do-not-count"),
    ],
)
def test_catch_all(match: HttpMatch, expected: bool) -> None:
    assert is_catch_all(match) is expected


def test_names_of_gateways_and_hosts() -> None:
    names = ["mesh", "ingress", "istio-system/ingress", "./ingress", "ingress.infra.svc.cluster.local"]
    assert [gateway_name(name, "shop") for name in names] == [
        "mesh",
        "shop/ingress",
        "istio-system/ingress",
        "shop/ingress",
        "infra/ingress",
    ]
    hosts = ["api", "API.shop.svc", "api.shop.svc.cluster.local", "api.example.com", "*.example.com"]
    assert [full_name(host, "shop") for host in hosts] == [
        "api.shop.svc.cluster.local",
        "api.shop.svc.cluster.local",
        "api.shop.svc.cluster.local",
        "api.example.com",
        "*.example.com",
    ]


def test_the_most_specific_domain_wins() -> None:
    hosts = [("*", "d"), ("*.example.com", "d"), ("*.shop.example.com", "d"), ("api.example.com", "d"), ("api", "d")]
    called = ["api.example.com", "b.shop.example.com", "x.example.com", "y.org", "api", "api.d.svc.cluster.local"]
    assert [best_domain(hosts, host) for host in called] == [
        "api.example.com",
        "*.shop.example.com",
        "*.example.com",
        "*",
        "api.d.svc.cluster.local",
        "api.d.svc.cluster.local",
    ]
    assert best_domain(hosts[1:2], "example.com") is None


def to(name: str, *matches: HttpMatch) -> HttpRoute:
    return HttpRoute(name, matches, (RouteDestination(name),))


def service(name: str, *routes: HttpRoute, gateways: tuple[str, ...] = ("mesh", "ingress")) -> VirtualService:
    return VirtualService(name, hosts=("shop.example.com",), gateways=gateways, http=routes)


MESH = replace(GATEWAY, gateways=("mesh",))
FIRST = service("first", to("all"))
SECOND = service("second", to("beta", HttpMatch(headers=(("x", BETA),))), to("rest"))
ASKING = (("x", "beta"),)


@pytest.mark.parametrize(
    ("services", "call", "expected"),
    [
        pytest.param([FIRST, SECOND], replace(GATEWAY, headers=ASKING), "beta", id="gateway-merges-catch-alls-last"),
        pytest.param([FIRST, SECOND], GATEWAY, "all", id="the-older-catch-all"),
        pytest.param([FIRST, SECOND], replace(MESH, headers=ASKING), "all", id="mesh-has-the-oldest-only"),
        pytest.param([SECOND, FIRST], replace(MESH, headers=ASKING), "beta", id="mesh-older"),
        pytest.param(
            [service("elsewhere", to("no"), gateways=("other",)), SECOND], GATEWAY, "rest", id="of-another-gateway"
        ),
        pytest.param(
            [service("unreached", to("no", HttpMatch(gateways=("other",)))), SECOND], MESH, "rest", id="none-reaches"
        ),
        pytest.param([service("s", to("a", HttpMatch(), HttpMatch()), to("b"))], MESH, "a", id="nothing-behind"),
        pytest.param([service("s", to("a", HttpMatch(method=BETA)))], MESH, None, id="404"),
    ],
)
def test_the_route_taken(services: list[VirtualService], call: Call, expected: str | None) -> None:
    told = routes_for(services, call)
    assert told is not None
    found = first_holding(told, call, absent_is_empty=False)
    assert (found.name if found else None) == expected


def test_a_host_nobody_routes() -> None:
    assert routes_for([FIRST], replace(MESH, host="other.example.com")) is None


TEXTS = st.text(max_size=12)
MATCHES = st.builds(StringMatch, st.sampled_from(["exact", "prefix", "regex", "present"]), TEXTS)


@given(MATCHES, TEXTS, TEXTS)
def test_no_text_makes_matching_fail(how: StringMatch, path: str, value: str) -> None:
    match = HttpMatch(uri=how, headers=(("x", how),), query=(("q", how),), without_headers=(("y", how),))
    assert holds(match, Call(f"/{path}", headers=(("x", value),)), absent_is_empty=True) in {True, False}
