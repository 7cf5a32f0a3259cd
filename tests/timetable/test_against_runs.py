"""What a timetable promises is what the simulated controllers do: ends, weights, pods, aborts, peaks."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from sim.engine import run
from sim.model.controller import NEWEST, Controller
from sim.model.manifests import ManifestSet
from sim.model.records import DecisionRecord, RunResult, ScaleRecord, StepRecord, Verdict, WeightRecord
from sim.timetable import Ability, Gate, Instant, Timetable, plan
from tests.timetable import worlds

SLACK_S = 1e-3


several = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
seeds = st.integers(0, 1000)
releases = st.sampled_from(list(Controller))


def planned(manifests: ManifestSet, *, deployment: bool = False, controller: Controller = NEWEST) -> Timetable:
    found = plan(worlds.scenario(manifests, deployment=deployment, controller=controller))
    assert isinstance(found, Timetable), found
    return found


def within(at_s: float, instant: Instant) -> bool:
    assert instant.earliest_s is not None
    assert instant.latest_s is not None
    return instant.earliest_s - SLACK_S <= at_s <= instant.latest_s + SLACK_S


def completed(result: RunResult) -> dict[int, float]:
    """When each step was completed."""
    return {row.index: row.t_s for row in result.journal if isinstance(row, StepRecord) and row.state == "completed"}


def pods_over_time(result: RunResult) -> Iterator[tuple[float, dict[str, int]]]:
    """(instant, pods wanted by side) after each change."""
    sizes: dict[str, tuple[str, int]] = {}
    for row in result.journal:
        if isinstance(row, ScaleRecord):
            side = "experiment" if row.replica_set.endswith("-x") else row.side
            sizes[row.replica_set] = (side, row.desired)
            sides = dict.fromkeys(("stable", "candidate", "experiment"), 0)
            for side, count in sizes.values():
                sides[side] += count
            yield row.t_s, sides


def pods_at(result: RunResult, at_s: float) -> tuple[int, int]:
    """(candidate, stable) pods wanted at an instant."""
    last = (0, 0)
    for t_s, sides in pods_over_time(result):
        if t_s > at_s + SLACK_S:
            break
        last = (sides["candidate"], sides["stable"])
    return last


def peak_of(result: RunResult) -> int:
    return max((sum(sides.values()) for t_s, sides in pods_over_time(result) if t_s >= 0), default=0)


def check_good(found: Timetable, result: RunResult) -> None:
    if found.ending:
        assert result.verdict is not Verdict.PROMOTED
        return
    assert result.verdict is Verdict.PROMOTED, result.reason
    assert within(result.ended_s, found.end), (result.ended_s, found.end)
    times = completed(result)
    for row in found.rows:
        if row.number is None:
            continue
        at_s = times[row.number - 1]
        assert within(at_s, row.end), (row.what, at_s, row.end)
        assert pods_at(result, at_s) == (row.candidate_pods, row.stable_pods), (row, at_s)
    assert peak_of(result) <= found.peak.pods


@several
@given(worlds.canaries(routed=True), seeds, releases)
def test_a_good_release_through_a_router(manifests: ManifestSet, seed: int, controller: Controller) -> None:
    found = planned(manifests, controller=controller)
    result = run(worlds.scenario(manifests, controller=controller), seed)
    check_good(found, result)
    if not found.ending:
        check_weights(found, result)


def check_weights(found: Timetable, result: RunResult) -> None:
    """The routers act on the timetable's weights, in its order."""
    asked = [row.weight for row in found.rows if row.number is not None or row.what in {"promote", "replace all pods"}]
    acted = [row.candidate for row in result.journal if isinstance(row, WeightRecord) and row.t_s >= 0]
    assert changes([0.0, *asked])[-1] == (changes([0.0, *acted])[-1])
    assert set(changes([0.0, *acted])) <= set(changes([0.0, *asked]))


def changes(values: list[float]) -> list[float]:
    return [value for index, value in enumerate(values) if index == 0 or value != values[index - 1]]


@several
@given(worlds.canaries(routed=False), seeds)
def test_a_good_release_by_pods(manifests: ManifestSet, seed: int) -> None:
    check_good(planned(manifests), run(worlds.scenario(manifests), seed))


@several
@given(worlds.blue_greens(), seeds)
def test_a_good_blue_green(manifests: ManifestSet, seed: int) -> None:
    check_good(planned(manifests), run(worlds.scenario(manifests), seed))


@several
@given(worlds.deployments(), seeds)
def test_a_good_rolling_update(manifests: ManifestSet, seed: int) -> None:
    check_good(planned(manifests, deployment=True), run(worlds.scenario(manifests, deployment=True), seed))


def aborted_s(result: RunResult) -> float | None:
    return next((r.t_s for r in result.journal if isinstance(r, DecisionRecord) and r.decision == "abort"), None)


def check_bad(found: Timetable, result: RunResult) -> None:
    """A version that fails everywhere is aborted by the first gate that can, within its bounds."""
    able = [gate for gate in found.gates if not gate.is_for_pods and gate.ability is not Ability.NEVER]
    at_s = aborted_s(result)
    if at_s is None:
        assert not any(gate.ability is Ability.ALWAYS for gate in able), able
        return
    assert found.earliest_abort_s is not None
    assert at_s >= found.earliest_abort_s - SLACK_S
    if found.bound_s is not None:
        assert at_s <= found.bound_s + SLACK_S
    assert any(possible(gate, at_s) for gate in able), (at_s, able)
    assert peak_of(result) <= found.peak.if_aborted


def possible(gate: Gate, at_s: float) -> bool:
    after = gate.earliest_abort_s is not None and at_s >= gate.earliest_abort_s - SLACK_S
    return after and (gate.bound_s is None or at_s <= gate.bound_s + SLACK_S)


def check_exposure(found: Timetable, result: RunResult) -> None:
    """The weights written until the abort are within what the deciding gate's exposure allows."""
    at_s = aborted_s(result)
    if at_s is None:
        return
    binding = [gate for gate in found.gates if gate.bound_s is not None and gate.bound_s + SLACK_S >= at_s]
    rows = [(0.0, 0.0)] + [(r.t_s, r.candidate) for r in result.journal if isinstance(r, WeightRecord) and r.t_s >= 0]
    had_s = sum(
        weight / 100 * max(0.0, min(end, at_s) - start)
        for (start, weight), (end, _) in zip(rows, [*rows[1:], (at_s, 0.0)], strict=True)
    )
    if binding:
        assert had_s <= max(gate.exposure.full_traffic_s for gate in binding) + SLACK_S


@several
@given(worlds.canaries(routed=True), seeds, releases)
def test_a_bad_release_through_a_router(manifests: ManifestSet, seed: int, controller: Controller) -> None:
    found = planned(manifests, controller=controller)
    assume(any(not gate.is_for_pods for gate in found.gates))
    result = run(worlds.scenario(manifests, bad_from_s=-1e5, controller=controller), seed)
    check_bad(found, result)
    check_exposure(found, result)


@several
@given(worlds.canaries(routed=False, background=True), seeds)
def test_a_bad_release_by_pods(manifests: ManifestSet, seed: int) -> None:
    check_bad(planned(manifests), run(worlds.scenario(manifests, bad_from_s=-1e5), seed))


@several
@given(worlds.blue_greens(), seeds)
def test_a_bad_blue_green(manifests: ManifestSet, seed: int) -> None:
    check_bad(planned(manifests), run(worlds.scenario(manifests, bad_from_s=-1e5), seed))


@several
@given(worlds.watched(), seeds)
def test_a_release_that_is_bad_with_its_first_request(manifests: ManifestSet, seed: int) -> None:
    found = planned(manifests)
    bounds = [gate.bound_with_traffic_s for gate in found.gates if gate.bound_with_traffic_s is not None]
    first_s = next((at_s for at_s, weight in weights_of(run(worlds.scenario(manifests), seed)) if weight > 0), None)
    assume(bounds and first_s is not None)
    at_s = aborted_s(run(worlds.scenario(manifests, bad_from_s=first_s), seed))
    assert at_s is not None
    assert at_s <= min(bounds) + SLACK_S


def weights_of(result: RunResult) -> list[tuple[float, float]]:
    return [(row.t_s, row.candidate) for row in result.journal if isinstance(row, WeightRecord) and row.t_s >= 0]
