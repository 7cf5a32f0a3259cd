from __future__ import annotations

import typing
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios import library
from scenarios.compression import compressed, compression, datadog, promql, world
from scenarios.compression.pace import Pace, Spot, go_duration, pause, seconds
from scenarios.document import Loaded, load
from sim.model.behaviour import Delay, Leak
from sim.model.load import LoadShape
from sim.model.manifests import ManifestSet
from sim.model.scenario import Scenario
from sim.model.units import go_duration_s

PLAYBOOK = library.DEFAULT.parent / "triptrip" / "scenarios"
FOLDER = Path(__file__).parent / "compression"
WORLD = FOLDER / "scenario.yaml"


@lru_cache(maxsize=8)
def loaded(name: str) -> Loaded:
    return load(WORLD if name == "world" else PLAYBOOK / f"{name}.yaml")


def spot(factor: float) -> Spot:
    return Spot(Pace(factor), "Kind/name")


def classes_of(annotation: Any) -> Iterator[type]:
    for part in typing.get_args(annotation):
        yield from classes_of(part)
    if isinstance(annotation, type) and is_dataclass(annotation):
        yield annotation


def reachable(root: type, seen: set[type]) -> set[type]:
    if root in seen or root is ManifestSet:
        return seen
    seen.add(root)
    for annotation in typing.get_type_hints(root).values():
        for one in classes_of(annotation):
            reachable(one, seen)
    return seen


def is_time(kind: type, name: str) -> bool:
    return name.endswith("_s") or Delay in set(classes_of(typing.get_type_hints(kind)[name]))


def times_of(kind: type) -> set[str]:
    return {one.name for one in fields(kind) if is_time(kind, one.name)} if kind is not Delay else set()


def test_every_time_of_the_model_is_divided_or_deliberately_not() -> None:
    for kind in reachable(Scenario, set()):
        decided = {*world.DIVIDED.get(kind, ()), *world.KEPT.get(kind, {})}
        assert times_of(kind) <= decided, kind


def test_no_time_is_decided_twice_or_does_not_exist() -> None:
    for kind, names in world.DIVIDED.items():
        assert not set(names) & set(world.KEPT.get(kind, {})), kind
    for kind in {*world.DIVIDED, *world.MULTIPLIED}:
        assert {*world.DIVIDED.get(kind, ()), *world.MULTIPLIED.get(kind, ())} <= {one.name for one in fields(kind)}


DIVIDED = {
    "duration", "min_ready_s", "progress_deadline_s", "scale_down_delay_s", "abort_scale_down_delay_s",
    "auto_promotion_s", "period_s", "initial_delay_s", "interval_s", "base_ejection_s",
}  # fmt: skip
KEPT = {"timeout_s", "termination_grace_s", "pre_stop_s", "delay_s", "per_try_s", "restart_at_s"}
"""Of the typed manifests; a request's, a process's, or an instant."""


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, str, Any]]:
    """(place, field, value) of every time below a value."""
    if isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from leaves(item, f"{path}[{index}]")
    elif is_dataclass(value):
        for one in fields(value):
            item = getattr(value, one.name)
            if one.name.endswith("_s") or one.name == "duration":
                yield f"{path}.{one.name}", one.name, item
            yield from leaves(item, f"{path}.{one.name}")


def test_every_time_of_the_manifests_is_divided_or_deliberately_not() -> None:
    before, after = loaded("world").scenario.manifests, compressed(loaded("world"), 10).scenario.manifests
    found = set()
    for (place, name, slow), (_, _, fast) in zip(leaves(before), leaves(after), strict=True):
        if not slow or "liveness" in place or place.startswith(".rollouts[2]"):
            continue
        found.add(name)
        if name in KEPT:
            assert fast == slow, place
        else:
            assert name in DIVIDED, place
            assert fast != slow, place
    assert found >= DIVIDED


def test_factor_one_is_the_identity() -> None:
    assert compressed(loaded("repaired/canary"), 1) is loaded("repaired/canary")


@pytest.mark.parametrize("factor", [0.5, 0.0, -3.0, float("nan")])
def test_time_cannot_be_stretched(factor: float) -> None:
    with pytest.raises(ValueError, match="factor of 1 or more"):
        compressed(loaded("repaired/canary"), factor)


@given(first=st.floats(1.5, 6), second=st.floats(1.5, 6))
@settings(max_examples=20)
def test_compressing_twice_is_compressing_once(first: float, second: float) -> None:
    assert_composes("world", first, second)


@pytest.mark.parametrize(
    "name", ["as-written/canary", "corrected/canary", "repaired/blue-green", "corrected/geographic"]
)
def test_compressing_a_playbook_twice_is_compressing_it_once(name: str) -> None:
    assert_composes(name, 2, 4)


def assert_composes(name: str, first: float, second: float) -> None:
    twice = compressed(compressed(loaded(name), first), second).scenario
    once = compressed(loaded(name), first * second).scenario
    assert close(replace(twice, manifests=ManifestSet()), replace(once, manifests=ManifestSet()))
    for (place, _, one), (_, _, other) in zip(leaves(twice.manifests), leaves(once.manifests), strict=True):
        # Each time is rounded to whole seconds at most twice; deadlines and probes that kill have floors.
        assert abs(in_seconds(one) - in_seconds(other)) <= 1.5 or "deadline" in place or "liveness" in place, place


def in_seconds(value: Any) -> float:
    return go_duration_s(value) if isinstance(value, str) and value else float(value or 0)


def close(one: Any, other: Any) -> bool:
    if isinstance(one, float):
        return one == pytest.approx(other)
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(close, one, other))
    if is_dataclass(one):
        return all(close(getattr(one, item.name), getattr(other, item.name)) for item in fields(one))
    return bool(one == other)


def test_the_rates_of_a_day_pass_faster() -> None:
    slow, fast = loaded("world").scenario.load, compressed(loaded("world"), 10).scenario.load
    instants = [0.0, 100.0, 1234.0, 3599.0, 4000.0, 7300.0, 20000.0]
    assert [fast.rate_rps(t_s / 10) for t_s in instants] == pytest.approx([slow.rate_rps(t_s) for t_s in instants])


def test_a_leak_grows_as_much_in_the_same_share_of_the_run() -> None:
    effects = [fault.effect for fault in compressed(loaded("world"), 10).scenario.faults]
    assert Leak(slowdown_per_hour=5.0, oom_after_s=270.0) in effects


def test_scrapes_and_samples_have_a_floor() -> None:
    telemetry = compressed(loaded("world"), 100).scenario.telemetry
    assert (telemetry.prometheus.scrape_interval_s, telemetry.sample_interval_s) == (0.5, 1.0)
    assert "scenario telemetry.prometheus.scrape_interval_s: 15 s would be 0.15 s and is 0.5 s" in statements(100)


def statements(factor: float) -> tuple[str, ...]:
    return compression(loaded("world"), factor).statements


def test_roundings_defaults_and_exceptions_are_said() -> None:
    said = statements(10)
    assert said[0].startswith("Time runs 10 times as fast: ")
    canary, probe = "Rollout/shop spec.strategy.canary", "Rollout/shop spec.template.spec.containers[0].livenessProbe"
    query = "AnalysisTemplate/errors spec.metrics[0].provider.prometheus.query"
    for sentence in (
        f"{canary}.steps[1].pause.duration: 95s would be 9.5 s and is 10 s",
        f"{canary}: abortScaleDownDelaySeconds is not written; its default of 30 s is divided too",
        f"{probe}: stays, for divided it would kill a container after 5 s",
        f"{query}: increase() over a range that is 10 times as short counts about 10 times less",
    ):
        assert sentence in said, "\n".join(said)


def data_of(factor: float, kind: str, name: str) -> Any:
    document = compressed(loaded("world"), factor).documents.find(kind, name)
    assert document is not None
    return document.data["spec"]


def test_arguments_that_stand_for_durations_are_divided_wherever_they_are_given() -> None:
    template, rollout = data_of(10, "AnalysisTemplate", "errors"), data_of(10, "Rollout", "shop")
    assert template["args"] == [{"name": "service"}, {"name": "window", "value": "30s"}, {"name": "every"}]
    step = rollout["strategy"]["canary"]["steps"][2]["analysis"]
    assert [item["value"] for item in step["args"]] == ["5m", "1m", "6s"]
    assert template["metrics"][0]["interval"] == "{{ args.every }}"


def test_what_was_given_is_left_alone() -> None:
    before = repr(loaded("world").documents)
    compressed(loaded("world"), 7)
    assert repr(loaded("world").documents) == before


def test_a_rollout_that_is_refused_for_its_deadline_still_is() -> None:
    hasty = data_of(10, "Rollout", "hasty")
    assert (hasty["minReadySeconds"], hasty["progressDeadlineSeconds"]) == (90, 80)


@pytest.mark.parametrize(
    ("written", "factor", "expected"),
    [
        pytest.param("sum(rate(x[5m]))", 10, "sum(rate(x[30s]))", id="range"),
        pytest.param("rate( x [ 5m ] )", 10, "rate( x [ 30s ] )", id="blanks stay"),
        pytest.param("rate(x[1h30m])", 4, "rate(x[22m30s])", id="compound"),
        pytest.param("rate(x[1m])", 8, "rate(x[7500ms])", id="part of a second"),
        pytest.param("rate(x[3s])", 10, "rate(x[1s])", id="not below a second"),
        pytest.param("rate(x[1d] offset 1w)", 7, "rate(x[3h25m42857ms] offset 1d)", id="days and weeks"),
        pytest.param("max_over_time(rate(x[5m])[1h:1m])", 10, "max_over_time(rate(x[30s])[6m:6s])", id="subquery"),
        pytest.param("max_over_time(x[1h:])", 10, "max_over_time(x[6m:])", id="subquery without a step"),
        pytest.param("x offset -5m", 10, "x offset -30s", id="negative offset"),
        pytest.param("rate(x[300])", 10, "rate(x[30s])", id="plain seconds"),
        pytest.param("rate(x[2 * 5m])", 10, "rate(x[(2 * 5m) / 10])", id="arithmetic"),
        pytest.param("rate(x[step()])", 10, "rate(x[step()])", id="a step is divided by itself"),
        pytest.param('x{a="[5m] offset 5m"} # [5m]', 10, 'x{a="[5m] offset 5m"} # [5m]', id="texts and comments stay"),
        pytest.param("x @ 1609746000", 10, "x @ 1609746000", id="instants stay"),
        pytest.param("rate(x[{{args.window}}])", 10, "rate(x[{{args.window}}])", id="arguments stay"),
        pytest.param("vector(5) + 300", 10, "vector(5) + 300", id="numbers stay"),
        pytest.param("rate(x[", 10, "rate(x[", id="broken"),
    ],
)
def test_only_durations_of_a_query_change(written: str, factor: float, expected: str) -> None:
    if "42857" in expected:
        expected = "rate(x[12342857ms] offset 1d)".replace("1d", "24h")
    assert promql.rewritten(written, spot(factor)).text == expected


@pytest.mark.parametrize(
    ("written", "names"),
    [
        ("rate(x[{{args.window}}])", {"window"}),
        ("rate(x{a='{{args.service}}'}[{{ args.window }}:{{args.step}}] offset {{args.back}})", {"window", "step", "back"}),
        ("rate(x[{{args.minutes}}m])", set()),
        ("{{args.metric}} > {{args.limit}}", set()),
    ],
)  # fmt: skip
def test_arguments_in_a_duration_s_place_are_found(written: str, names: set[str]) -> None:
    assert promql.rewritten(written, spot(10)).arguments == names


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("sum:a.b{*}.as_count().rollup(sum, 86400)", "sum:a.b{*}.as_count().rollup(sum, 8640)"),
        ("sum:a.b{*}.rollup(60)", "sum:a.b{*}.rollup(6)"),
        ("sum:a.b{*}.rollup(max, 3)", "sum:a.b{*}.rollup(max, 1)"),
        ("moving_rollup(sum:a.b{x:1,y:2}, 600, 'avg')", "moving_rollup(sum:a.b{x:1,y:2}, 60, 'avg')"),
        ("timeshift(avg:a.b{*}.rollup(avg, 60), -3600)", "timeshift(avg:a.b{*}.rollup(avg, 6), -360)"),
        ("avg:a.rollup.timeshift{*} / 3600", "avg:a.rollup.timeshift{*} / 3600"),
    ],
)
def test_only_seconds_of_a_datadog_query_change(written: str, expected: str) -> None:
    assert datadog.rewritten(written, spot(10)) == expected


@pytest.mark.parametrize(
    ("change", "written", "expected"),
    [
        (pause, "10m", "1m"),
        (pause, 95, 10),
        (pause, "95", "10"),
        (pause, "3s", "1s"),
        (pause, "300ms", "300ms"),
        (pause, 0, 0),
        (pause, "-5m", "-5m"),
        (pause, "soon", "soon"),
        (pause, None, None),
        (seconds, 600, 60),
        (seconds, True, True),
        (seconds, "600", "600"),
        (go_duration, "1m15s", "7500ms"),
        (go_duration, "5m", "30s"),
        (go_duration, "0", "0"),
        (go_duration, "2d", "2d"),
    ],
)
def test_a_written_duration_keeps_its_notation(change: Any, written: Any, expected: Any) -> None:
    assert change(written, spot(10)) == expected


def test_traffic_of_the_model_is_unchanged_without_a_pace() -> None:
    assert LoadShape().diurnal is None
