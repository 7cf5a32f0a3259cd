"""A route table in HAProxy's language, and what tells a running HAProxy of a new one."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Final

import pytest

from harness.gateway.entry import Origin
from harness.gateway.haproxy import DRAWS, MAP, Plan, bounds, quoted, retry_words
from harness.gateway.proxy import archive, changes, farewells
from harness.gateway.routes import DEFAULT_RETRY_ON, Destination, Entrance, RouteTable, Rule, Server, Treatment
from sim.model.network import HttpMatch, LoadBalancer, OutlierDetection, StringMatch

S1: Final = Server("s1", "stable", "10.0.0.1", 8080)
S2: Final = Server("s2", "stable", "10.0.0.2", 8080)
C1: Final = Server("c1", "candidate", "10.0.0.3", 8080)
ISTIO: Final = Treatment(LoadBalancer.LEAST_REQUEST, 2, DEFAULT_RETRY_ON)


def plan(stable: tuple[Server, ...] = (S1, S2), canary: tuple[Server, ...] = (C1,), weight: float = 10.0) -> Plan:
    """A canary with a header route on top."""
    to_canary = Destination("canary||80", weight, canary, ISTIO)
    split = (Destination("stable||80", 100 - weight, stable, ISTIO), to_canary)
    header = HttpMatch(headers=(("x-canary", StringMatch("exact", "it's")),))
    return Plan(RouteTable((Entrance(Origin(), (Rule(header, (to_canary,)), Rule(destinations=split))),)), 1.0)


def test_bounds_cut_what_a_request_may_draw() -> None:
    weights = [Destination("a", 90.0), Destination("b", 10.0), Destination("c", 0.0)]
    assert bounds(tuple(weights)) == [900_000, DRAWS, DRAWS]
    assert bounds((Destination("a", 0.0), Destination("b", 0.0))) == [0, 0]


def test_weights_and_servers_are_no_part_of_the_skeleton() -> None:
    assert plan().skeleton == plan((S1,), (), 50.0).skeleton
    assert plan().weights != plan(weight=50.0).weights
    assert "server stable:s2 10.0.0.2:8080 weight 100" in plan().text
    assert "  server " not in plan().skeleton


def test_destinations_shared_by_rules_are_one_backend() -> None:
    assert list(plan().servers) == ["b0", "b1"]
    assert list(plan().servers["b0"]) == ["candidate:c1"]


def test_the_clients_patience_is_the_proxys() -> None:
    assert "timeout server 1000ms" in plan().text
    assert "timeout server 3600000ms" in Plan(plan().table).text


def test_a_routes_own_limit_is_not_the_clients_patience() -> None:
    limited = Treatment(timeout_s=0.5)
    table = RouteTable((Entrance(Origin(), (Rule(destinations=(Destination("d", 1.0, (), limited),)),)),))
    assert "  timeout server 500ms\n  http-request set-var(txn.limited) bool(1)" in Plan(table, 1.0).text
    assert "txn.limited) bool" not in Plan(table, 0.4).text


@pytest.mark.parametrize(
    ("retry_on", "words"),
    [
        pytest.param(DEFAULT_RETRY_ON, ["conn-failure", "503"], id="Istio's own"),
        pytest.param("5xx", ["conn-failure", "empty-response", "response-timeout", "500", "501", "502", "503", "504"]),
        pytest.param("gateway-error", ["conn-failure", "empty-response", "response-timeout", "502", "503", "504"]),
        pytest.param("409,retriable-4xx", [], id="what HAProxy cannot"),
    ],
)
def test_retries_in_haproxys_words(retry_on: str, words: list[str]) -> None:
    assert list(retry_words(retry_on)) == words


def test_new_pods_come_and_old_ones_rest_without_a_reload() -> None:
    before = plan((S1,), ())
    after = plan((S2,), (C1,))
    assert list(changes(before.servers, set(), after)) == [
        "add server b0/candidate:c1 10.0.0.3:8080 weight 100",
        "enable server b0/candidate:c1",
        "add server b1/stable:s2 10.0.0.2:8080 weight 100",
        "enable server b1/stable:s2",
    ]
    assert list(farewells(before.servers, set(), after)) == ["set server b1/stable:s1 state maint"]


def test_a_pod_that_is_ready_again_comes_back() -> None:
    known = plan().servers
    resting = {("b1", "stable:s2")}
    assert list(changes(known, resting, plan())) == ["set server b1/stable:s2 state ready"]
    assert list(farewells(known, resting, plan((S1,)))) == []


def test_ejection_needs_checks() -> None:
    treatment = Treatment(LoadBalancer.LEAST_REQUEST, outlier=OutlierDetection(5))
    table = RouteTable((Entrance(Origin(), (Rule(destinations=(Destination("d", 1.0, (S1,), treatment),)),)),))
    added = list(changes({}, set(), Plan(table)))
    assert "check inter 30000ms" in added[0]
    assert added[1:] == ["enable health b0/stable:s1", "enable server b0/stable:s1"]


def test_texts_are_quoted_as_in_a_shell() -> None:
    assert quoted("it's $HOME #1") == "'it'\\''s $HOME #1'"


def test_the_archive_holds_both_files() -> None:
    with tarfile.open(fileobj=io.BytesIO(archive({"a": "x", "b": "yy"}))) as tar:
        assert [(one.name, one.size) for one in tar] == [("a", 1), ("b", 2)]


@pytest.mark.skipif(shutil.which("haproxy") is None, reason="HAProxy is not installed here")
def test_haproxy_reads_every_kind_of_rule(tmp_path: Path) -> None:
    hows = (
        StringMatch("exact", "a b'c"),
        StringMatch("prefix", "-x"),
        StringMatch("regex", "a|b$"),
        StringMatch("present"),
    )
    matches = [
        HttpMatch(
            headers=(("x-a", how),),
            without_headers=(("x-b", how),),
            query=(("q", how),),
            uri=how,
            ignore_uri_case=True,
            method=StringMatch("exact", "GET"),
        )
        for how in hows
    ]
    all_kinds = [
        Destination("random", 1.0, (S1,)),
        Destination("turns", 1.0, (S2,), Treatment(LoadBalancer.ROUND_ROBIN, 1, "nothing", timeout_s=0.5)),
        Destination("least", 1.0, (C1,), Treatment(LoadBalancer.LEAST_REQUEST, 2, "5xx", outlier=OutlierDetection())),
    ]
    rules = [
        *(Rule(match, tuple(all_kinds)) for match in matches),
        Rule(HttpMatch(uri=StringMatch("exact", "/gone")), answer=301),
        Rule(destinations=tuple(all_kinds), abort_share=0.5, abort_status=503),
    ]
    origins = (Origin(), Origin(0.0, in_mesh=True), Origin(0.0, in_mesh=True, host="other.example.com"))
    made = Plan(RouteTable(tuple(Entrance(origin, tuple(rules)) for origin in origins)), 1.0)
    (tmp_path / "weights.map").touch()
    config = tmp_path / "haproxy.cfg"
    config.write_text(made.text.replace(MAP, str(tmp_path / "weights.map")), encoding="utf-8")
    done = subprocess.run(["haproxy", "-c", "-f", str(config)], capture_output=True, text=True, check=False)  # noqa: S607
    assert (done.returncode, done.stderr) == (0, "")
