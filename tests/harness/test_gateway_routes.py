"""The route table of the playbook's objects, and of smaller ones, and who gets how much by it."""

from __future__ import annotations

from typing import Any, Final

import pytest

from harness.cluster.objects import Object
from harness.gateway.entry import Entry, Origin, entry_of
from harness.gateway.picture import Picture, picture
from harness.gateway.routes import RouteTable, Rule, table_of
from harness.gateway.shares import weights_of
from scenarios.document import load
from scenarios.library import playbook
from sim.model.network import LoadBalancer

HOST: Final = Entry(hosts=("api.example.com",), gateways=("default/gw",))


def pod(name: str, side: str, *, ready: bool = True, leaving: bool = False, **labels: str) -> Object:
    """A pod of the application."""
    meta: Object = {"name": name, "labels": {"app": "api", **labels}, "annotations": {"rolltwin.dev/side": side}}
    status = {
        "podIP": f"10.0.0.{len(name)}",
        "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
    }
    ports = [{"name": "http", "containerPort": 8081}]
    gone = {"deletionTimestamp": "2026-01-01T00:00:00Z"} if leaving else {}
    return {"metadata": meta | gone, "spec": {"containers": [{"name": "c", "ports": ports}]}, "status": status}


def service(name: str, target: int | str = 8080, **selector: str) -> Object:
    """A Service with one port."""
    spec = {"selector": {"app": "api", **selector}, "ports": [{"port": 80, "targetPort": target}]}
    return {"metadata": {"name": name}, "spec": spec}


def virtual_service(*http: Any, gateways: tuple[str, ...] = ("gw",), name: str = "api") -> Object:
    """A VirtualService of the called host."""
    spec = {"hosts": ["api.example.com"], "gateways": list(gateways), "http": list(http)}
    return {"metadata": {"name": name}, "spec": spec}


def to(host: str, weight: int | None = None, subset: str = "") -> dict[str, Any]:
    """One weighted destination."""
    where = {"host": host} | ({"subset": subset} if subset else {})
    return {"destination": where} | ({} if weight is None else {"weight": weight})


PODS: Final = [
    pod("s1", "stable", version="1"),
    pod("s22", "stable", version="1"),
    pod("c333", "candidate", version="2"),
]
SERVICES: Final = [service("stable", version="1"), service("canary", version="2"), service("all")]


def table(*http: Any, pods: list[Object] | None = None, entry: Entry = HOST, **more: list[Object]) -> RouteTable:
    """The table of one VirtualService."""
    written = {"virtual_services": [virtual_service(*http)], **more}
    return table_of(drawn(PODS if pods is None else pods, SERVICES, **written), entry)


def drawn(pods: list[Object], services: list[Object], **more: list[Object]) -> Picture:
    """The picture of these objects."""
    return picture({"pods": pods, "services": services, **more})


def only(made: RouteTable) -> Rule:
    """The one rule of the one entrance."""
    (entrance,) = made.entrances
    (rule,) = entrance.rules
    return rule


def test_weights_are_spread_over_ready_pods_by_side() -> None:
    made = table({"route": [to("stable", 90), to("canary", 10)]})
    assert [(one.weight, [s.pod for s in one.servers]) for one in only(made).destinations] == [
        (90.0, ["s1", "s22"]),
        (10.0, ["c333"]),
    ]
    assert weights_of(made) == (10.0, 90.0)


def test_a_destination_without_pods_keeps_its_share() -> None:
    leaving = [pod("s1", "stable", version="1"), pod("c", "candidate", version="2", leaving=True)]
    assert weights_of(table({"route": [to("stable", 80), to("canary", 20)]}, pods=leaving)) == (0.0, 80.0)
    unready = [pod("s1", "stable", version="1"), pod("c", "candidate", version="2", ready=False)]
    assert weights_of(table({"route": [to("stable", 80), to("canary", 20)]}, pods=unready)) == (0.0, 80.0)


def test_a_service_over_both_sides_is_shared_by_pods() -> None:
    assert weights_of(table({"route": [to("all")]})) == (33.333333, 66.666667)


def test_header_routes_come_first_and_change_no_weights() -> None:
    header = {"match": [{"headers": {"x-canary": {"exact": "true"}}}], "route": [to("canary")]}
    made = table(header, {"route": [to("stable", 100), to("canary", 0)]})
    first, second = made.entrances[0].rules
    assert first.match is not None
    assert first.match.headers[0][0] == "x-canary"
    assert second.match is None
    assert weights_of(made) == (0.0, 100.0)


def test_subsets_select_by_the_rules_labels() -> None:
    rule = {
        "metadata": {"name": "all"},
        "spec": {
            "host": "all",
            "trafficPolicy": {"loadBalancer": {"simple": "RANDOM"}},
            "subsets": [{"name": "canary", "labels": {"version": "2"}}],
        },
    }
    made = table({"route": [to("all", 60, "canary"), to("all", 40, "absent")]}, destination_rules=[rule])
    canary, absent = only(made).destinations
    assert [server.pod for server in canary.servers] == ["c333"]
    assert absent.servers == ()
    assert canary.treatment.balancer is LoadBalancer.RANDOM
    assert weights_of(made) == (60.0, 0.0)


def test_istio_tries_twice_more_unless_told_otherwise() -> None:
    assert only(table({"route": [to("stable")]})).destinations[0].treatment.retries == 2
    none = only(table({"route": [to("stable")], "retries": {"attempts": 0}})).destinations[0]
    assert (none.treatment.retries, none.treatment.retry_on) == (0, "")


def test_clients_of_another_gateway_meet_the_plain_service_of_the_host() -> None:
    entry = Entry(hosts=("all",), gateways=("default/other",))
    made = table_of(drawn(PODS, SERVICES, virtual_services=[virtual_service({"route": [to("stable")]})]), entry)
    assert only(made).destinations[0].name == "all||0"


def test_without_any_object_the_workloads_pods_are_called_themselves() -> None:
    made = table_of(drawn(PODS, []), Entry(labels=(("app", "api"),)))
    assert [server.port for server in only(made).destinations[0].servers] == [8080] * 3
    assert only(made).destinations[0].treatment.retries == 0


def test_a_named_target_port_is_the_containers() -> None:
    made = table_of(drawn(PODS, [service("named", "http")]), Entry(service="named"))
    assert {server.port for server in only(made).destinations[0].servers} == {8081}


def test_conditions_on_gateways_are_decided_by_where_clients_come_from() -> None:
    inside = {"match": [{"gateways": ["mesh"]}], "route": [to("canary")]}
    both = virtual_service(inside, {"route": [to("stable")]}, gateways=("gw", "mesh"))
    entry = Entry(HOST.hosts, gateways=HOST.gateways, origins=(Origin(0.75), Origin(0.25, in_mesh=True)))
    made = table_of(drawn(PODS, SERVICES, virtual_services=[both]), entry)
    assert [len(entrance.rules) for entrance in made.entrances] == [1, 1]
    assert weights_of(made) == (25.0, 75.0)


def test_what_a_gateway_does_not_do_is_said() -> None:
    made = table({"route": [to("stable")], "mirror": {"host": "canary"}})
    assert made.left_out == ("VirtualService route '': the gateway sends no copies to a mirror.",)


def ingress(name: str, host: str, **nginx: str) -> Object:
    path = {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": host}}}
    annotations = {f"nginx.ingress.kubernetes.io/{key.replace('_', '-')}": text for key, text in nginx.items()}
    return {
        "metadata": {"name": name, "annotations": annotations},
        "spec": {"rules": [{"http": {"paths": [path]}}]},
    }


def test_nginx_splits_by_the_canary_ingress() -> None:
    both = [ingress("api", "stable"), ingress("api-canary", "canary", canary="true", canary_weight="25")]
    made = table_of(drawn(PODS, SERVICES, ingresses=both), Entry(ingresses=("api",)))
    assert weights_of(made) == (25.0, 75.0)
    assert only(made).destinations[0].treatment.retries == 0


def test_nginx_asks_for_the_cookie_before_the_weight() -> None:
    named = ingress("api-canary", "canary", canary="true", canary_weight="25", canary_by_cookie="beta")
    made = table_of(drawn(PODS, SERVICES, ingresses=[ingress("api", "stable"), named]), Entry(ingresses=("api",)))
    (entrance,) = made.entrances
    asked = [rule.match.headers[0][0] if rule.match is not None else "" for rule in entrance.rules]
    assert asked == ["cookie", "cookie", ""]
    assert [[one.weight for one in rule.destinations] for rule in entrance.rules] == [[100], [100], [75, 25]]


@pytest.mark.parametrize("name", ["canary", "blue-green"])
def test_the_playbooks_clients_call_the_hosts_that_the_release_is_routed_by(name: str) -> None:
    entry = entry_of(load(playbook(name, "corrected")).scenario)
    assert entry.hosts
    assert entry.gateways == ("istio-system/triptrip-gateway",)
    assert entry.origins[0].in_mesh is False
