"""What the controller makes of VirtualServices and DestinationRules (compared with the real functions on random ones)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.decide.istio import rewriting
from sim.decide.istio.rewriting import HASH_LABEL, Owner
from sim.model.network import (
    ConnectionRoute,
    DestinationRule,
    HttpMatch,
    HttpRoute,
    Layer,
    Mirror,
    RouteDestination,
    StringMatch,
    Subset,
    VirtualService,
)
from sim.model.rollout import (
    ConnectionTarget,
    HeaderMatch,
    HeaderRoute,
    IstioDestinationRule,
    IstioVirtualService,
    MirrorRoute,
)

SERVICES = Owner("canary", "stable", managed=("first", "second"))
RULE = IstioDestinationRule("rule", "new", "old", ("pinned",))
SUBSETS = Owner(rule=RULE, rule_host="app")
USE = IstioVirtualService("vs")


def at(host: str, weight: int | None = None, subset: str = "") -> RouteDestination:
    return RouteDestination(host, subset, weight)


SPLIT = (at("stable", 100), at("canary", 0))


def weights(route: HttpRoute | ConnectionRoute) -> list[tuple[str, int]]:
    return [(one.host + (f"/{one.subset}" if one.subset else ""), one.weight or 0) for one in route.destinations]


@pytest.mark.parametrize(
    ("owner", "destinations", "expected"),
    [
        pytest.param(SERVICES, SPLIT, [("stable", 80), ("canary", 20)], id="services"),
        pytest.param(
            SERVICES,
            (at("stable.ns.svc"), at("canary.ns")),
            [("stable.ns.svc", 80), ("canary.ns", 20)],
            id="long-hosts",
        ),
        pytest.param(SERVICES, (*SPLIT, at("other", 5)), [("stable", 80), ("canary", 20)], id="others-are-deleted"),
        pytest.param(
            SERVICES, (*SPLIT, at("other", 0)), [("stable", 80), ("canary", 20), ("other", 0)], id="idle-others-stay"
        ),
        pytest.param(
            SUBSETS,
            (at("app", 100, "old"), at("app", 0, "new")),
            [("app/old", 80), ("app/new", 20)],
            id="subsets",
        ),
        pytest.param(
            SUBSETS,
            (at("app", 60, "old"), at("app", 0, "new"), at("app", 30, "pinned")),
            [("app/old", 50), ("app/new", 20), ("app/pinned", 30)],
            id="additional-subsets-keep-theirs",
        ),
        pytest.param(
            SUBSETS,
            (at("app", 5, "old"), at("app", 0, "new"), at("app", 95, "pinned")),
            [("app/old", 0), ("app/new", 20), ("app/pinned", 95)],
            id="never-below-0",
        ),
    ],
)
def test_weights(owner: Owner, destinations: tuple[RouteDestination, ...], expected: list[tuple[str, int]]) -> None:
    vs = VirtualService("vs", http=(HttpRoute(destinations=destinations),))
    assert weights(rewriting.with_weights(vs, USE, owner, 20).http[0]) == expected


@pytest.mark.parametrize(
    ("names", "routes", "written"),
    [
        pytest.param((), ("only",), [0], id="the-only-one"),
        pytest.param((), ("a", "", ""), [1], id="first-unnamed"),
        pytest.param((), ("a", "b"), [], id="none-unnamed"),
        pytest.param(("b", "a"), ("a", "", "b"), [2, 0], id="named"),
        pytest.param(("b", "x"), ("a", "b"), [], id="one-missing-and-none-is-written"),
    ],
)
def test_which_routes(names: tuple[str, ...], routes: tuple[str, ...], written: list[int]) -> None:
    assert rewriting.http_targets(names, [HttpRoute(name) for name in routes]) == written


def test_an_experiments_services_come_and_go() -> None:
    vs = VirtualService("vs", http=(HttpRoute(destinations=SPLIT),))
    during = rewriting.with_weights(vs, USE, SERVICES, 10, (("exp-b", 5), ("exp-a", 15)))
    assert weights(during.http[0]) == [("stable", 70), ("canary", 10), ("exp-a", 15), ("exp-b", 5)]
    assert weights(rewriting.with_weights(during, USE, SERVICES, 10).http[0]) == [("stable", 90), ("canary", 10)]


def test_connections_are_found_by_port_and_names() -> None:
    def tls(port: int, *names: str) -> ConnectionRoute:
        return ConnectionRoute(Layer.TLS, (port,), names, (), SPLIT)

    vs = VirtualService(
        "vs", connections=(tls(443, "a"), tls(443, "b", "a"), ConnectionRoute(Layer.TCP, (), (), (), SPLIT))
    )
    use = IstioVirtualService("vs", connections=(ConnectionTarget(Layer.TLS, 443, ("a", "b")),))
    changed = rewriting.with_weights(vs, use, SERVICES, 30)
    assert [weights(route)[1][1] for route in changed.connections] == [0, 30, 30]


def test_subsets_select_revisions_and_others_go() -> None:
    subsets = (Subset("old", (("app", "x"),)), Subset("pinned"), Subset("new", ((HASH_LABEL, "gone"),)))
    rule = rewriting.with_subsets(DestinationRule("rule", host="app", subsets=subsets), RULE, "c", "s", (("exp", "e"),))
    assert [(one.name, one.labels) for one in rule.subsets] == [
        ("old", (("app", "x"), (HASH_LABEL, "s"))),
        ("new", ((HASH_LABEL, "c"),)),
        ("exp", ((HASH_LABEL, "e"),)),
    ]


BETA = HeaderRoute("second", (HeaderMatch("x", "exact", "1"), HeaderMatch("y", "prefix", "2")))
PLAIN = VirtualService("vs", http=(HttpRoute("main", (), (replace(SPLIT[0], port=80), SPLIT[1])),))


def test_a_header_route_takes_any_of_its_matches() -> None:
    changed = rewriting.with_header_route(PLAIN, USE, SERVICES, BETA)
    assert [route.name for route in changed.http] == ["second", "main"]
    assert changed.http[0].matches == (
        HttpMatch(headers=(("x", StringMatch("exact", "1")),)),
        HttpMatch(headers=(("y", StringMatch("prefix", "2")),)),
    )
    assert changed.http[0].destinations == (RouteDestination("canary", weight=100, port=80),)
    assert rewriting.with_header_route(changed, USE, SERVICES, HeaderRoute("second")) == PLAIN


def test_a_mirror_route_splits_as_before_and_follows_the_weights() -> None:
    route = MirrorRoute("first", 35, (HttpMatch(method=StringMatch("exact", "GET")),))
    use = IstioVirtualService("vs", ("main",))
    changed = rewriting.with_mirror_route(rewriting.with_header_route(PLAIN, use, SERVICES, BETA), use, SERVICES, route)
    assert [one.name for one in changed.http] == ["first", "second", "main"]
    assert changed.http[0].mirrors == (Mirror(RouteDestination("canary", port=80), 0.35),)
    moved = rewriting.with_weights(changed, use, SERVICES, 40)
    assert [weights(moved.http[i]) for i in (0, 2)] == [[("stable", 60), ("canary", 40)]] * 2
    assert rewriting.without_managed(moved, SERVICES, ()).http == (moved.http[2],)


def test_with_a_mirror_route_and_unnamed_routes_only_the_mirror_gets_weights() -> None:
    """So the real controller does: the mirror's name makes it look for named routes only (istio.go:148-160)."""
    route = MirrorRoute("first", 100, (HttpMatch(method=StringMatch("exact", "GET")),))
    changed = rewriting.with_mirror_route(PLAIN, USE, SERVICES, route)
    moved = rewriting.with_weights(changed, USE, SERVICES, 40)
    assert [weights(one)[1] for one in moved.http] == [("canary", 40), ("canary", 0)]


DESTINATIONS = st.lists(
    st.builds(at, st.sampled_from(["stable", "canary", "a", "b.c"]), st.sampled_from([None, 0, 5, 100])), max_size=5
)


@given(DESTINATIONS, st.integers(0, 100))
def test_weights_of_the_two_sides_sum_to_100(others: list[RouteDestination], canary: int) -> None:
    rest = [one for one in others if one.host not in {"stable", "canary"}]
    vs = VirtualService("vs", http=(HttpRoute(destinations=(*SPLIT, *rest)),))
    changed = rewriting.with_weights(vs, USE, SERVICES, canary)
    assert sum(weight for _, weight in weights(changed.http[0])) == 100
    assert rewriting.with_weights(changed, USE, SERVICES, canary) == changed
