"""HTTPRoutes as the Gateway API plugin writes them."""

from __future__ import annotations

import pytest

from sim.decide.gateway import with_header_route, with_weights, without_managed
from sim.decide.istio.rewriting import Owner
from sim.model.network import HttpMatch, HttpRoute, RouteDestination, StringMatch, VirtualService
from sim.model.rollout import HeaderMatch, HeaderRoute

OWNER = Owner("canary", "stable", managed=("testers",))
PATH = HttpMatch(uri=StringMatch("prefix", "/api"))
TESTERS = HeaderRoute("testers", (HeaderMatch("a", "exact", "1"), HeaderMatch("b", "prefix", "2")))
HEADERS = (("a", StringMatch("exact", "1")), ("b", StringMatch("prefix", "2")))


def rule(name: str, **weights: int) -> HttpRoute:
    return HttpRoute(name, (PATH,), tuple(RouteDestination(host, weight=weight) for host, weight in weights.items()))


def web(*rules: HttpRoute) -> VirtualService:
    return VirtualService("web", http=rules)


def weights(vs: VirtualService) -> list[dict[str, int | None]]:
    return [{one.host: one.weight for one in route.destinations} for route in vs.http]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param({"stable": 1, "canary": 1}, {"stable": 70, "canary": 30}, id="both"),
        pytest.param({"stable": 1}, {"stable": 70}, id="the-stable-one-alone"),
        pytest.param({"canary": 1}, {"canary": 1}, id="the-canary-alone"),
        pytest.param({"canary": 1, "other": 5}, {"canary": 30, "other": 5}, id="the-canary-and-another"),
        pytest.param({"stable": 1, "canary": 1, "other": 5}, {"stable": 70, "canary": 30, "other": 5}, id="three"),
        pytest.param({"other": 5}, {"other": 5}, id="neither"),
    ],
)
def test_every_rule_that_names_a_service_gets_its_weight(before: dict[str, int], after: dict[str, int]) -> None:
    vs = with_weights(web(rule("r/0", **before), rule("r/1", stable=1, canary=1)), OWNER, 30)
    assert weights(vs) == [after, {"stable": 70, "canary": 30}]


def test_a_managed_route_keeps_its_weight() -> None:
    assert weights(with_weights(web(rule("testers", canary=1, stable=0)), OWNER, 30)) == [{"canary": 1, "stable": 0}]


def test_an_experiment_takes_from_the_stable_service_of_the_first_rule() -> None:
    vs = web(rule("r/0", stable=1, canary=1), rule("r/1", stable=1, canary=1))
    during = with_weights(vs, OWNER, 10, (("new", 5),))
    assert weights(during) == [{"stable": 95, "canary": 10, "new": 5}, {"stable": 90, "canary": 10}]
    assert weights(with_weights(during, OWNER, 20, (), ("new",))) == [{"stable": 80, "canary": 20}] * 2


def test_header_routes_come_before_each_rule_with_both_and_ask_for_what_it_asks_too() -> None:
    vs = web(rule("r/0", other=1), rule("r/1", stable=1, canary=1), rule("s/0", stable=1, canary=1))
    made = with_header_route(vs, OWNER, TESTERS, ("r/0", "r/1"))
    assert [route.name for route in made.http] == ["r/0", "testers", "r/1", "s/0"]
    assert made.http[1].matches == (HttpMatch(uri=PATH.uri, headers=HEADERS),)
    assert weights(made)[1] == {"canary": 1}
    assert with_header_route(made, OWNER, TESTERS, ("r/0", "r/1")) == made
    assert with_header_route(made, OWNER, HeaderRoute("any"), ("r/0", "r/1")) == vs


def test_managed_routes_go_with_every_rule_of_the_canary_alone() -> None:
    vs = web(rule("testers", canary=1), rule("r/0", canary=1), rule("s/0", canary=1), rule("r/1", stable=1))
    assert [route.name for route in without_managed(vs, OWNER, ("r/0", "r/1")).http] == ["s/0", "r/1"]
