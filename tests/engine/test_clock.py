"""Ties at one instant."""

from __future__ import annotations

from collections.abc import Callable

from sim.engine.clock import Clock, Rank


def noting(log: list[object], what: object) -> Callable[[], None]:
    return lambda: log.append(what)


def test_ties_come_in_the_documented_order() -> None:
    clock, log = Clock(), list[object]()
    for rank in (Rank.SAMPLER, Rank.CONTROLLER, Rank.TRAFFIC, Rank.FAULT):
        clock.call_at(5.0, rank, noting(log, rank))
    clock.run()
    assert log == [Rank.FAULT, Rank.TRAFFIC, Rank.CONTROLLER, Rank.SAMPLER]


def test_equal_ranks_come_in_order_of_insertion() -> None:
    clock, log = Clock(), list[object]()
    for name in "abc":
        clock.call_at(1.0, Rank.TRAFFIC, noting(log, name))
    clock.run()
    assert log == ["a", "b", "c"]


def test_an_exact_time_ties_with_itself_whenever_it_was_planned() -> None:
    clock, log = Clock(), list[object]()

    def plan_fault() -> None:
        clock.call_at(0.3, Rank.FAULT, noting(log, "fault"))

    clock.call_at(0.3, Rank.SAMPLER, noting(log, "sampler"))
    clock.call_at(0.1, Rank.FAULT, plan_fault)
    clock.run()
    assert log == ["fault", "sampler"]


def test_a_cancelled_moment_passes_unnoticed() -> None:
    clock, log = Clock(), list[object]()
    clock.call_at(1.0, Rank.TRAFFIC, noting(log, "never")).cancel()
    clock.run()
    assert log == []


def test_run_while_includes_the_limit_and_stands_there() -> None:
    clock, log = Clock(), list[object]()
    for time_s in (1.0, 2.0, 2.5):
        clock.call_at(time_s, Rank.TRAFFIC, noting(log, time_s))
    clock.run_while(lambda: 2.0)
    assert (log, clock.now) == ([1.0, 2.0], 2.0)
