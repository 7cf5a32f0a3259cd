"""Delays on the network: where they can be, and what is run for them."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.cluster.commands import CommandError
from harness.faults import network
from harness.faults.network import Network, is_of_the_network, need_network
from harness.faults.pods import Subject
from harness.missing import Missing, MissingError
from sim.model.behaviour import Effect, Errors, Fault, Slowdown
from tests.harness.fakes import AtOnce

DOCKER = Path("docker")
POD = Subject("p1", "candidate", "v2", "0", node="node-1", address="10.244.0.7")


class Ran:
    """Every command, and what it is to say."""

    def __init__(self, said: str = "", *, fails: bool = False) -> None:
        self.said, self.fails = said, fails
        self.scripts: list[tuple[str, str]] = []

    def __call__(self, program: str | Path, *args: str) -> str:
        self.scripts.append((args[1], args[-1]))
        if self.fails:
            raise CommandError([str(program)], 1, "no such container")
        return self.said


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> Ran:
    ran = Ran()
    monkeypatch.setattr(network, "run", ran)
    return ran


@pytest.mark.parametrize(
    ("effect", "expected"),
    [(Slowdown(add_s=0.2), True), (Slowdown(2.0, 0.2), False), (Slowdown(2.0), False), (Errors(0.1), False)],
    ids=["added", "both", "factor", "errors"],
)
def test_the_network_can_only_add_time(effect: Effect, expected: bool) -> None:
    assert is_of_the_network(Fault("f", effect)) is expected


def test_a_delay_is_set_once_changed_and_taken_away(ran: Ran) -> None:
    there = Network(DOCKER, AtOnce())
    there.delay([POD], {"p1": 0.2})
    there.delay([POD], {"p1": 0.2})
    assert len(ran.scripts) == 1
    node, script = ran.scripts[0]
    assert node == "node-1"
    assert "route get 10.244.0.7" in script
    assert script.endswith("tc qdisc replace dev $dev root netem delay 200ms")
    there.delay([POD], {})
    assert ran.scripts[1][1].endswith("tc qdisc del dev $dev root")
    there.close()
    assert len(ran.scripts) == 2


def test_what_is_left_at_the_end_is_taken_away(ran: Ran) -> None:
    there = Network(DOCKER, AtOnce())
    there.delay([POD], {"p1": 0.2})
    there.close()
    there.close()
    assert [script.rpartition("tc ")[2] for _, script in ran.scripts] == [
        "qdisc replace dev $dev root netem delay 200ms", "qdisc del dev $dev root"
    ]  # fmt: skip


def test_a_kernel_without_netem_is_named(ran: Ran) -> None:
    ran.said = "no netem in its kernel\n"
    with pytest.raises(MissingError, match=r"tc with netem on node node-1 \(no netem in its kernel\) is missing"):
        need_network(DOCKER, ["node-1"])
    ran.said = ""
    need_network(DOCKER, ["node-1"])


def test_a_node_that_is_no_container_cannot_be_entered(ran: Ran) -> None:
    ran.fails = True
    with pytest.raises(MissingError, match="no container that can be entered"):
        need_network(DOCKER, ["node-1"])


def test_without_docker_nothing_can_be_done() -> None:
    with pytest.raises(MissingError, match="docker is missing"):
        need_network(Missing("docker", "why", "how"), ["node-1"])
