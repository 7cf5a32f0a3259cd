from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.decide.cron import parse
from sim.decide.windows import binds, next_sync, open_hours
from sim.model.gitops import Application, SyncWindow
from sim.model.units import go_duration_s

APP = Application("api", target_namespace="production", cluster_name="tokyo", server="https://tokyo")
TUESDAY = SyncWindow("allow", "0 10 * * 2", "4h", applications=("*",), manual_sync=True)
YEAR_END = SyncWindow("deny", "0 0 28-31 12 *", "168h", applications=("*",))
GOLDEN_WEEK = SyncWindow("deny", "0 0 29 4-5 *", "168h", applications=("*",))
PLAYBOOK = (TUESDAY, YEAR_END, GOLDEN_WEEK)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def hours(intervals: tuple[tuple[datetime, datetime], ...]) -> float:
    return sum((end - start).total_seconds() for start, end in intervals) / 3600


def may_sync(windows: tuple[SyncWindow, ...], app: Application, now: datetime, *, manual: bool) -> bool:
    """Whether the next sync may be now."""
    return next_sync(windows, app, now, manual=manual) == now


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


@settings(max_examples=30)
@given(st.integers(0, 6), st.integers(0, 23), st.integers(1, 60), st.integers(0, 365 * 24 - 1))
def test_open_hours_agree_with_single_looks(day: int, hour: int, length_h: int, hours_in: int) -> None:
    windows = (SyncWindow("allow", f"0 {hour} * * {day}", f"{length_h}h", applications=("*",)), GOLDEN_WEEK)
    instant = at("2026-01-01T00:30") + timedelta(hours=hours_in)
    inside = any(start < instant < end for start, end in open_hours(windows, APP, 2026, manual=False))
    assert may_sync(windows, APP, instant, manual=False) is inside


def window(kind: str, schedule: str, duration: str, zone: str = "") -> SyncWindow:
    return SyncWindow(kind, schedule, duration, zone, applications=("*",))


FINE = tuple(window("deny", f"{i}/7 {i % 24} * * *", "90s", "Asia/Tokyo") for i in range(24))


@pytest.mark.parametrize(
    ("windows", "opens"),
    [
        pytest.param((window("deny", "* * * * *", "1h"),), False, id="deny-every-minute"),
        pytest.param((window("deny", "*/5 * * * *", "5m"),), False, id="deny-end-to-end"),
        pytest.param((window("deny", "0 0 1 1 *", "100000h"),), False, id="deny-for-eleven-years"),
        pytest.param((window("deny", "0 0 29 2 *", "100000h"),), False, id="deny-from-a-leap-day"),
        pytest.param((window("deny", "* * * * *", "100000h"), *FINE), False, id="many"),
        pytest.param((window("allow", "0 0 30 2 *", "1h"),), True, id="allow-that-never-comes-is-always-active"),
        pytest.param(
            (window("allow", "*/2 * * * *", "1m"), window("deny", "*/2 * * * *", "1m")), False, id="allow-always-denied"
        ),
        pytest.param(
            (window("deny", "*/2 * * * *", "1m"), window("deny", "1/2 * * * *", "1m")), False, id="denies-in-turn"
        ),
        pytest.param((window("deny", "TZ=Europe/Berlin * * * * *", "61s"),), False, id="deny-in-a-zone"),
        pytest.param((window("deny", "* * * * *", "59s"),), True, id="a-second-between"),
        pytest.param((window("allow", "0 0 29 2 *", "1h"),), True, id="leap-day"),
        pytest.param((window("deny", "* * * * *", "-1h"),), True, id="negative-duration"),
    ],
)
def test_any_windows_answer_soon(windows: tuple[SyncWindow, ...], opens: bool) -> None:
    begun_s = time.process_time()
    found = next_sync(windows, APP, at("2026-01-01T00:00:30"), manual=False)
    hours(open_hours(windows, APP, 2026, manual=False))
    assert (found is not None) is opens
    assert found is None or may_sync(windows, APP, found, manual=False)
    assert time.process_time() - begun_s < 10.0


def fields() -> st.SearchStrategy[str]:
    minute = st.sampled_from(["0", "30", "*/20", "17,44", "*"])
    hour = st.sampled_from(["*", "3", "*/5", "22-23", "1"])
    days = st.sampled_from(["* *", "29 3", "*/2 *", "28-31 *"])
    return st.tuples(minute, hour, days, st.sampled_from(["*", "1-5", "0"])).map(" ".join)


def any_window() -> st.SearchStrategy[SyncWindow]:
    zones = st.sampled_from(["", "Asia/Kolkata", "Europe/Berlin", "America/New_York"])
    prefix = st.sampled_from(["", "", "TZ=Europe/Berlin "])
    lengths = st.sampled_from(["1m", "7m", "1h", "13h", "47h", "100h"])
    return st.builds(
        lambda kind, before, schedule, length, zone, manual: SyncWindow(
            kind, before + schedule, length, zone, applications=("*",), manual_sync=manual
        ),
        st.sampled_from(["allow", "deny"]),
        prefix,
        fields(),
        lengths,
        zones,
        st.booleans(),
    )


def active_minutes(window: SyncWindow, minutes: list[datetime]) -> list[bool]:
    """Whether the window is active in the middle of each minute, by looking at every minute before it."""
    schedule, length = parse(window.schedule), int(go_duration_s(window.duration) // 60)
    fires_in, zone = ZoneInfo(schedule.zone), ZoneInfo(window.time_zone or "UTC")

    def fires(instant: datetime) -> bool:
        local = instant.astimezone(fires_in)
        return local.minute in schedule.minutes and local.hour in schedule.hours and schedule.falls_on(local.date())

    begin = minutes[0] - timedelta(days=2, minutes=length)
    count = int((minutes[-1] - begin) / timedelta(minutes=1)) + 2 * 24 * 60
    latest, last = [], -length
    for index in range(count):
        last = index if fires(begin + timedelta(minutes=index)) else last
        latest.append(last)
    shifted = [minute + (minute.astimezone(zone).utcoffset() or timedelta()) for minute in minutes]
    indices = [int((instant - begin) / timedelta(minutes=1)) for instant in shifted]
    return [index - latest[index] < length for index in indices]


def brute(windows: tuple[SyncWindow, ...], minutes: list[datetime], *, manual: bool) -> list[bool]:
    activity = [active_minutes(one, minutes) for one in windows]
    answers = []
    for index in range(len(minutes)):
        active = [one for one, is_active in zip(windows, activity, strict=True) if is_active[index]]
        denies = [one for one in active if one.kind == "deny"]
        allows = [one for one in windows if one.kind == "allow"]
        if denies:
            answers.append(manual and all(one.manual_sync for one in denies))
        else:
            free = not allows or (manual and all(one.manual_sync for one in allows))
            answers.append(free or any(one in allows for one in active))
    return answers


@settings(max_examples=25)
@given(st.lists(any_window(), min_size=1, max_size=3).map(tuple), st.integers(0, 40), st.booleans())
def test_calendars_agree_with_a_walk_over_minutes(windows: tuple[SyncWindow, ...], day: int, manual: bool) -> None:
    begin = at("2026-03-01") + timedelta(days=day)
    minutes = [begin + timedelta(minutes=index, seconds=30) for index in range(2 * 24 * 60)]
    answers = brute(windows, minutes, manual=manual)
    spans = open_hours(windows, APP, 2026, manual=manual)
    inside, index = [], 0
    for minute in minutes:
        while index < len(spans) and spans[index][1] <= minute:
            index += 1
        inside.append(index < len(spans) and spans[index][0] < minute)
    assert inside == answers
    found = next_sync(windows, APP, minutes[0], manual=manual)
    first = next((minute for minute, answer in zip(minutes, answers, strict=True) if answer), None)
    if first is None:
        assert found is None or found > minutes[-1]
    else:
        assert found is not None
        assert found - first <= timedelta(seconds=1)
        assert first - found <= timedelta(seconds=30)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        pytest.param({"time_zone": "Mars/Olympus"}, "provided bad location", id="zone"),
        pytest.param({"kind": "maybe"}, "can only be allow or deny", id="kind"),
        pytest.param({"duration": "9999999h"}, "292 years", id="duration-that-overflows"),
    ],
)
def test_windows_that_argo_cd_refuses(changed: dict[str, str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        next_sync((replace(TUESDAY, **changed),), APP, at("2026-01-01"), manual=False)  # type: ignore[arg-type] # str fields
