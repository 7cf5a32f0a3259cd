from __future__ import annotations

import json
from dataclasses import replace

import pytest
from matplotlib.figure import Figure

from reports.figures import style
from reports.figures import timetable as figure
from reports.figures.axis import Axis
from reports.timetable import timetable_markdown, timetable_text, timetables_json
from reports.timetable.times import earliest_text, exposure_text, latest_text, span_text
from sim.timetable import (
    Ability,
    Exposure,
    Gate,
    Instant,
    Peak,
    Phase,
    Point,
    Refused,
    Relief,
    Row,
    Timetable,
)

APPLY, STEP, END = Instant(0.0, 0.0), Instant(5.0, 600.0), Instant(125.0, 720.4, after_wait=True)
GATE = Gate(
    "errors", "background", "measured without end every 1m", APPLY, END, Ability.ALWAYS, earliest_abort_s=39.2,
    bound_s=300.1, bound_with_errors_s=420.0, bound_with_traffic_s=660.0, first_measurement_s=0.0, interval_s=60.0,
    exposure=Exposure(((10.0, 60.0), (50.0, 12.0))), exposure_with_traffic=Exposure(((10.0, 60.0),)),
)  # fmt: skip
SILENT = replace(GATE, name="saturation", ability=Ability.NEVER, reason="a dry run aborts nothing", bound_s=None)
FOUND = Timetable(
    subject="Rollout shop",
    strategy="canary, weights by istio",
    replicas=10,
    rows=(
        Row(1, "setWeight 10", APPLY, STEP, 10.0, 1, 10, gates=("errors",)),
        Row(2, "pause", STEP, Instant(5.0, 600.0, after_wait=True), 10.0, 1, 10, 0, (), True, "waits for a person"),
        Row(None, "promote", STEP, END, 100.0, 10, 10),
    ),
    end=END,
    ending="",
    gates=(GATE, SILENT),
    unwatched=(1,),
    earliest_abort_s=39.2,
    bound_s=300.1,
    peak=Peak(20, 22, 2, 120.0, 25),
    extra_pod_hours=1.25,
    relief=Relief(10.0, Instant(0.0, 0.1), Instant(30.0, 30.0)),
    fastest=(Point(0.0, 0.0, 1, 10, 11), Point(5.0, 10.0, 1, 10, 11), Point(125.0, 100.0, 10, 10, 20)),
    slowest=(Point(0.0, 0.0, 1, 10, 11), Point(600.0, 10.0, 1, 10, 11), Point(720.4, 100.0, 10, 10, 20)),
    assumptions=("no pod dies",),
    notes=("a header route goes to the canary",),
)
TEXT = """\
Rollout shop: canary, weights by istio, 10 pods
===============================================
- The release serves everybody +2m05s after the apply at the earliest, +12m01s at the latest, besides the wait
  for a person.
- Waits for a person: step 2. Times after that leave the wait out.
- A version that fails errors is aborted between +39s and +5m00s (+7m00s with all errors in between that
  errors tolerates); until then it has 10 % for 1m00s, 50 % for 12s (as much as 12s of all traffic).
- errors may measure before the release has traffic. If it fails only with traffic, the abort comes by
  +11m00s, after 10 % for 1m00s (as much as 6s of all traffic).
- No gate measures during step 2, at up to 10 % of the traffic.
- Cannot abort: saturation (background), a dry run aborts nothing.
- At most 20 pods in 'promote', 10 more than wanted; 22 with those that are terminating; 25 if it is aborted;
  up to 1.25 extra pod-hours.
- After an abort at 10 % the traffic is back at once; its pods are gone after 30s.
- A header route goes to the canary.

   step                        weight  new  old  pods  earliest          latest  watched by
1  setWeight 10                  10 %    1   10    11       +5s         +10m00s  errors
2  pause (waits for a person)    10 %    1   10    11       +5s  +10m00s + wait  -
   promote                      100 %   10   10    20    +2m05s  +12m01s + wait  -

gate    where       earliest abort  at the latest  fails every time: traffic until then
errors  background            +39s         +5m00s  10 % for 1m00s, 50 % for 12s (as much as 12s of all
                                                   traffic)

Times are ends, since the apply.
- no pod dies"""


def test_text() -> None:
    assert timetable_text(FOUND) == TEXT


def test_lines_stay_narrow_even_with_long_names() -> None:
    gates = tuple(replace(GATE, name=f"error-rate-of-the-{n}th-kind") for n in range(9))
    rows = tuple(replace(row, gates=tuple(gate.name for gate in gates)) for row in FOUND.rows)
    text = timetable_text(replace(FOUND, gates=gates, rows=rows))
    assert max(map(len, text.splitlines())) <= 160
    assert "and 7 more" in text


def test_a_refusal() -> None:
    refused = Refused("Rollout shop", "controller", "InvalidSpec: no")
    assert timetable_text(refused) == "Rollout shop\nRejected by controller: InvalidSpec: no"
    assert timetable_markdown(refused) == "## Rollout shop\n\nRejected by controller: InvalidSpec: no"
    assert json.loads(timetables_json([refused]))["plans"] == [
        {"subject": "Rollout shop", "rejected": {"by": "controller", "reason": "InvalidSpec: no"}}
    ]


def test_a_release_that_never_ends_says_why() -> None:
    text = timetable_text(replace(FOUND, ending="step 2 (plugin x) never completes by itself"))
    assert "The release never comes to serve everybody: step 2 (plugin x) never completes by itself." in text


@pytest.mark.parametrize(
    ("gates", "bound_s", "said"),
    [
        pytest.param((), None, "No gate can abort a version that fails: only people can.", id="none"),
        pytest.param((SILENT,), None, "No gate can abort a version that fails: only people can.", id="silent"),
        pytest.param(
            (replace(GATE, ability=Ability.MAYBE, bound_s=None, reason="too late"),), None,
            "No gate is sure to abort a version that fails it.", id="maybe",
        ),
        pytest.param((replace(GATE, start=END),), None, "+5m00s and the wait for a person (+7m00s", id="after-a-wait"),
    ],
)  # fmt: skip
def test_detection_in_words(gates: tuple[Gate, ...], bound_s: float | None, said: str) -> None:
    assert said in timetable_text(replace(FOUND, gates=gates, bound_s=bound_s))


def test_very_many_steps_lose_their_middle() -> None:
    rows = tuple(replace(FOUND.rows[0], number=n + 1) for n in range(1000))
    text = timetable_text(replace(FOUND, rows=rows))
    assert "... 960 more (plan.json has them) ..." in text
    assert len(text.splitlines()) < 100


def test_phases_have_a_table_of_their_own() -> None:
    phase = Phase("japan", ("tokyo", "osaka"), APPLY, END, 604800.0, END)
    assert "japan  tokyo, osaka" in timetable_text(replace(FOUND, phases=(phase,)))


def test_markdown_has_the_same_cells() -> None:
    text = timetable_markdown(FOUND)
    assert text.startswith("## Rollout shop: canary, weights by istio, 10 pods\n\n- The release serves everybody")
    assert "| 1 | setWeight 10 | 10 % | 1 | 10 | 11 | +5s | +10m00s | errors |" in text
    assert "![timetable](plan.svg)" in text


def test_json_holds_everything_and_its_sums() -> None:
    data = json.loads(timetables_json([FOUND]))
    assert data["format"] == 1
    plan = data["plans"][0]
    assert plan["rejected"] is None
    assert plan["end"] == {"earliest_s": 125.0, "latest_s": 720.4, "after_wait": True}
    assert plan["gates"][0]["exposure"] == {
        "at": [{"weight": 10.0, "seconds": 60.0}, {"weight": 50.0, "seconds": 12.0}], "full_traffic_s": 12.0,
    }  # fmt: skip
    assert plan["peak"]["if_aborted"] == 25


@pytest.mark.parametrize(
    ("seconds", "earliest", "latest"),
    [
        pytest.param(0.0, "0s", "0s", id="apply"),
        pytest.param(59.9, "+59s", "+1m00s", id="rounded-outwards"),
        pytest.param(600.015, "+10m00s", "+10m00s", id="a-controllers-milliseconds"),
        pytest.param(3659.0, "+1h00m", "+1h01m", id="minutes-of-an-hour"),
        pytest.param(None, "never", "open", id="none"),
    ],
)
def test_bounds_stay_bounds_when_rounded(seconds: float | None, earliest: str, latest: str) -> None:
    assert (earliest_text(seconds), latest_text(seconds)) == (earliest, latest)


def test_spans_and_exposures_in_words() -> None:
    assert (span_text(30.0, 30.1), span_text(60.0, None)) == ("30s", "1m00s to open")
    assert exposure_text(Exposure()) == "no traffic"
    many = Exposure(tuple((float(weight), 60.0) for weight in (1, 5, 10, 50)))
    assert exposure_text(many) == "up to 50 %, 4m00s in all (as much as 40s of all traffic)"


def test_the_figures_info() -> None:
    found = figure.info(FOUND)
    assert found.title == "Rollout shop: canary, weights by istio, 10 pods"
    assert found.weight[0].y == (0.0, 10.0, 100.0, 100.0)
    assert found.peak == (125 / 60, 20, "peak 20 (+10)")
    assert (found.lanes.names, found.lanes.left_out, found.waits_min) == (("errors", "saturation"), 0, (5 / 60,))
    bar = found.lanes.bars[0]
    assert (bar.able, bar.unlimited, bar.abort_min) == (True, True, (39.2 / 60, 300.1 / 60))
    assert bar.ticks_min[:3] == (0.0, 1.0, 2.0)
    assert [mark.text for mark in found.marks] == [
        "earliest abort +39s", "failing version aborted by +5m00s", "earliest end +2m05s", "latest end +12m01s",
    ]  # fmt: skip


def test_metrics_of_one_step_share_a_lane() -> None:
    gates = tuple(replace(GATE, name=name, where="step 3") for name in ("a", "b", "c"))
    found = figure.info(replace(FOUND, gates=gates))
    assert (found.lanes.names, len(found.lanes.bars)) == (("step 3: 3 metrics",), 1)


def test_a_long_pause_is_cut_short() -> None:
    week = 7 * 86400.0
    rows = (Row(1, "pause 168h", Instant(5.0, 600.0), Instant(week, week + 600), 10.0, 1, 10),)
    found = figure.info(
        replace(FOUND, rows=rows, slowest=(Point(0.0, 0.0, 1, 10, 11), Point(week + 600, 100.0, 10, 0, 10)))
    )
    ((start, end),) = found.axis.cuts_min
    assert 10 < start < 20
    assert week / 60 - 20 < end < week / 60


@pytest.mark.parametrize("length_s", [3.0, 30.0, 3600.0, 7 * 86400.0])
def test_the_unit_fits_the_length(length_s: float) -> None:
    unit = Axis((0.0, length_s / 60)).unit[0]
    assert unit == {3.0: "seconds", 30.0: "seconds", 3600.0: "minutes", 7 * 86400.0: "days"}[length_s]


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(FOUND, id="canary"),
        pytest.param(replace(FOUND, gates=(), unwatched=(), bound_s=None, earliest_abort_s=None), id="no-gates"),
        pytest.param(replace(FOUND, end=Instant(None, None), ending="never", rows=FOUND.rows[:1]), id="never-ends"),
        pytest.param(replace(FOUND, replicas=0, peak=Peak(0, 0, 0, 0.0, 0), fastest=(Point(0.0, 0.0, 0, 0, 0),)), id="no-pods"),
        pytest.param(replace(FOUND, gates=tuple(replace(GATE, name=f"g{n}") for n in range(40))), id="many-gates"),
        pytest.param(replace(FOUND, phases=(Phase("a", ("x",), APPLY, END, 3600.0, END),)), id="regions"),
    ],
)  # fmt: skip
def test_it_draws(found: Timetable) -> None:
    drawn = figure.draw(figure.info(found))
    assert isinstance(drawn, Figure)
    assert style.svg(drawn) == style.svg(figure.draw(figure.info(found)))
    assert style.png(drawn).startswith(b"\x89PNG")


def test_the_figure_of_one_region_has_no_marks_of_the_tour_s_end() -> None:
    found = figure.info(replace(FOUND, end=Instant(14 * 86400.0, 15 * 86400.0)))
    assert "end" not in " ".join(mark.text for mark in found.marks)
    assert all(mark.t_min <= found.axis.span_min[1] for mark in found.marks)
