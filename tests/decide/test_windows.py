from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.decide.windows import binds, may_sync, next_sync, open_hours
from sim.model.gitops import Application, SyncWindow

APP = Application("api", target_namespace="production", cluster_name="tokyo", server="https://tokyo")
TUESDAY = SyncWindow("allow", "0 10 * * 2", "4h", applications=("*",), manual_sync=True)
YEAR_END = SyncWindow("deny", "0 0 28-31 12 *", "168h", applications=("*",))
GOLDEN_WEEK = SyncWindow("deny", "0 0 29 4-5 *", "168h", applications=("*",))
PLAYBOOK = (TUESDAY, YEAR_END, GOLDEN_WEEK)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def hours(intervals: tuple[tuple[datetime, datetime], ...]) -> float:
    return sum((end - start).total_seconds() for start, end in intervals) / 3600


@pytest.mark.parametrize(
    ("instant", "automatic", "manual"),
    [
        pytest.param("2026-02-03T10:00", False, True, id="not-yet-at-its-first-instant"),
        pytest.param("2026-02-03T10:00:01", True, True, id="inside"),
        pytest.param("2026-02-03T14:00", False, True, id="no-more-at-its-last-instant"),
        pytest.param("2026-05-05T12:00", False, False, id="deny-beats-allow"),
        pytest.param("2027-01-06T23:59", False, False, id="overlapping-denies-reach-far"),
        pytest.param("2027-01-07T00:00", False, True, id="deny-is-over"),
        pytest.param("2026-06-02T12:00", False, False, id="the-month-range-denies-june-too"),
    ],
)
def test_playbook(instant: str, automatic: bool, manual: bool) -> None:
    assert may_sync(PLAYBOOK, APP, at(instant), manual=False) is automatic
    assert may_sync(PLAYBOOK, APP, at(instant), manual=True) is manual


@pytest.mark.parametrize(
    ("year", "expected"), [pytest.param(2026, 192.0, id="2026"), pytest.param(2027, 192.0, id="2027")]
)
def test_playbook_hours_of_a_year(year: int, expected: float) -> None:
    assert hours(open_hours(PLAYBOOK, APP, year, manual=False)) == expected
    assert len(open_hours(PLAYBOOK, APP, year, manual=False)) == 48


def test_no_windows_is_always() -> None:
    assert open_hours((), APP, 2026, manual=False) == ((at("2026-01-01"), at("2027-01-01")),)


def test_touching_windows_join() -> None:
    halves = tuple(SyncWindow("allow", f"0 {hour} * * *", "12h", applications=("*",)) for hour in (0, 12))
    assert hours(open_hours(halves, APP, 2026, manual=False)) == 8760


@pytest.mark.parametrize(
    ("after", "manual", "expected"),
    [
        pytest.param("2026-02-03T09:00", False, "2026-02-03T10:00:01", id="first-second-of-an-allow"),
        pytest.param("2026-02-03T11:00", False, "2026-02-03T11:00", id="now"),
        pytest.param("2026-12-28T12:00", True, "2027-01-07T00:00", id="end-of-a-deny"),
        pytest.param("2026-12-28T12:00", False, "2027-01-12T10:00:01", id="end-of-a-deny-and-an-allow"),
    ],
)
def test_next_sync(after: str, manual: bool, expected: str) -> None:
    found = next_sync(PLAYBOOK, APP, at(after), manual=manual)
    assert found == at(expected)
    assert may_sync(PLAYBOOK, APP, found, manual=manual)


def test_a_schedule_that_never_comes_is_always_active() -> None:
    never = SyncWindow("deny", "0 0 30 2 *", "1h", applications=("*",))
    assert next_sync((never,), APP, at("2026-01-01"), manual=True) is None
    assert open_hours((never,), APP, 2026, manual=True) == ()


@pytest.mark.parametrize(
    ("denies", "allowed"),
    [
        pytest.param((True, True), True, id="all-let-people-through"),
        pytest.param((True, False), False, id="one-does-not"),
    ],
)
def test_manual_needs_every_active_deny(denies: tuple[bool, ...], allowed: bool) -> None:
    windows = tuple(SyncWindow("deny", "0 0 * * *", "23h", applications=("*",), manual_sync=m) for m in denies)
    assert may_sync(windows, APP, at("2026-01-01T12:00"), manual=True) is allowed
    assert not may_sync(windows, APP, at("2026-01-01T12:00"), manual=False)


def test_zone_shifts_the_schedule() -> None:
    tokyo = replace(TUESDAY, time_zone="Asia/Tokyo")
    assert may_sync((tokyo,), APP, at("2026-02-03T02:00"), manual=False)
    assert not may_sync((tokyo,), APP, at("2026-02-03T11:00"), manual=False)


def test_clock_change_shifts_a_window_under_way() -> None:
    berlin = SyncWindow("allow", "0 1 29 3 *", "4h", time_zone="Europe/Berlin", applications=("*",))
    assert open_hours((berlin,), APP, 2026, manual=False) == ((at("2026-03-29T00:00"), at("2026-03-29T03:00")),)


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        pytest.param(SyncWindow("allow", "", "", applications=("a*",)), True, id="name-glob"),
        pytest.param(SyncWindow("allow", "", "", applications=("{web,api}",)), True, id="alternatives"),
        pytest.param(SyncWindow("allow", "", "", applications=("[!a]pi",)), False, id="not-a-class"),
        pytest.param(SyncWindow("allow", "", "", applications=("ap",)), False, id="whole-name"),
        pytest.param(SyncWindow("allow", "", "", applications=("a.i",)), False, id="dot-is-a-dot"),
        pytest.param(SyncWindow("allow", "", "", namespaces=("prod*",), clusters=("x",)), True, id="or"),
        pytest.param(
            SyncWindow("allow", "", "", namespaces=("prod*",), clusters=("x",), and_operator=True), False, id="and"
        ),
        pytest.param(SyncWindow("allow", "", "", clusters=("https://tokyo",)), True, id="cluster-by-server"),
        pytest.param(SyncWindow("allow", "", ""), False, id="about-nothing"),
    ],
)
def test_binds(window: SyncWindow, expected: bool) -> None:
    assert binds(window, APP) is expected


@pytest.mark.parametrize(
    "window",
    [
        pytest.param(replace(TUESDAY, schedule="@daily"), id="schedule"),
        pytest.param(replace(TUESDAY, duration="7d"), id="duration"),
    ],
)
def test_unreadable_windows(window: SyncWindow) -> None:
    with pytest.raises(ValueError, match=r"fields|duration"):
        may_sync((window,), APP, at("2026-01-01"), manual=False)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 6), st.integers(0, 23), st.integers(1, 60), st.integers(0, 365 * 24 - 1))
def test_open_hours_agree_with_single_looks(day: int, hour: int, length_h: int, hours_in: int) -> None:
    windows = (SyncWindow("allow", f"0 {hour} * * {day}", f"{length_h}h", applications=("*",)), GOLDEN_WEEK)
    instant = at("2026-01-01T00:30") + timedelta(hours=hours_in)
    inside = any(start < instant < end for start, end in open_hours(windows, APP, 2026, manual=False))
    assert may_sync(windows, APP, instant, manual=False) is inside
