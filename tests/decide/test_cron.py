from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.decide.cron import CronError, activations, next_after, parse


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "after", "expected"),
    [
        pytest.param("0 10 * * 2", "2026-01-01T00:00", "2026-01-06T10:00", id="tuesday-ten"),
        pytest.param("0 10 * * 2", "2026-01-06T10:00", "2026-01-13T10:00", id="strictly-after"),
        pytest.param("*/15 * * * *", "2026-01-01T00:01", "2026-01-01T00:15", id="step"),
        pytest.param("5/20 * * * *", "2026-01-01T00:26", "2026-01-01T00:45", id="single-value-with-step-runs-on"),
        pytest.param("0 0 29 feb *", "2026-03-01T00:00", "2028-02-29T00:00", id="leap-day"),
        pytest.param("0 0 1 * MON", "2026-01-02T00:00", "2026-01-05T00:00", id="day-or-weekday"),
        pytest.param("0 0 */2 * 1", "2026-01-01T00:00", "2026-01-03T00:00", id="stepped-star-is-or-too"),
        pytest.param("0 0 */1 * 1", "2026-01-01T00:00", "2026-01-05T00:00", id="step-of-one-is-a-star"),
        pytest.param("0 0 ? * 1", "2026-01-01T00:00", "2026-01-05T00:00", id="question-mark"),
        pytest.param("0 0 28-31 12 *", "2026-12-28T00:00", "2026-12-29T00:00", id="range"),
        pytest.param("TZ=Asia/Tokyo 0 10 * * *", "2026-01-01T00:00", "2026-01-01T01:00", id="zone-prefix"),
        pytest.param("CRON_TZ=Europe/Berlin 30 2 29 3 *", "2026-01-01T00:00", "2027-03-29T00:30", id="skipped-hour"),
        pytest.param("0 0 30 2 *", "2026-01-01T00:00", None, id="never"),
    ],
)
def test_next(schedule: str, after: str, expected: str | None) -> None:
    assert next_after(parse(schedule), at(after)) == (None if expected is None else at(expected))


def test_a_repeated_hour_comes_twice() -> None:
    schedule = parse("TZ=Europe/Berlin 30 2 * * *")
    found = list(activations(schedule, at("2026-10-24T12:00"), at("2026-10-25T12:00")))
    assert found == [at("2026-10-25T00:30"), at("2026-10-25T01:30")]


@pytest.mark.parametrize(
    "schedule",
    [
        pytest.param("* * * * 7", id="sunday-is-zero-only"),
        pytest.param("* * * * 0-7", id="range-to-seven"),
        pytest.param("@daily", id="descriptor"),
        pytest.param("* * L * *", id="last-day"),
        pytest.param("* * * * 1#2", id="nth-weekday"),
        pytest.param("5-1 * * * *", id="range-that-wraps"),
        pytest.param("* * * * * *", id="six-fields"),
        pytest.param("* * * *", id="four-fields"),
        pytest.param("60 * * * *", id="above"),
        pytest.param("* * 0 * *", id="below"),
        pytest.param("*/0 * * * *", id="no-step"),
        pytest.param("1/2/3 * * * *", id="two-steps"),
        pytest.param("1-2-3 * * * *", id="two-ranges"),
        pytest.param("-1 * * * *", id="negative"),
        pytest.param("TZ=Mars/Base * * * * *", id="unknown-zone"),
        pytest.param("", id="empty"),
    ],
)
def test_refused(schedule: str) -> None:
    with pytest.raises(CronError):
        parse(schedule)


FIELD = st.sampled_from(["*", "*/7", "3", "1-5", "2,4"])


@settings(deadline=None)
@given(
    st.tuples(FIELD, FIELD, FIELD, FIELD, FIELD).map(" ".join),
    st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds must be naive
)
def test_next_is_the_first_activation(text: str, after: datetime) -> None:
    schedule = parse(text)
    found = next_after(schedule, after)
    assert found is not None
    assert found > after
    assert list(activations(schedule, after, found)) == [found]
    assert (found.second, found.microsecond) == (0, 0)
    earlier = list(activations(schedule, found - timedelta(days=2), found))
    assert earlier[-1] == found
    assert earlier == sorted(set(earlier))
