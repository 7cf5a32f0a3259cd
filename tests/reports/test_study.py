from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from io import StringIO
from itertools import islice, pairwise
from math import inf

import numpy as np
import pytest

import reports
from reports.diff.card import Mark
from reports.diff.comparing import ERRS
from reports.figures import differences
from reports.outcome import Outcome
from reports.scorecard import About
from reports.statistics import Sample, mean
from reports.study import documents, words
from reports.study.card import Reached, Setting, StudyCard, Wish
from reports.study.comparing import Question, compare_settings, precise, steady
from sim.model.kpis import Kpi
from sim.model.records import Verdict
from sim.study import Cell, looks_up_to
from tests.reports.builders import outcome, scenario, study

N = 60


def outcomes(values: Sequence[float | None], *, good: bool) -> list[Outcome]:
    verdict = Verdict.PROMOTED if good else Verdict.ABORTED
    return [outcome(verdict, good=good, values={Kpi.FAILED_REQUESTS: value}) for value in values]


def card(
    *settings: Sequence[float | None], wishes: tuple[Wish, ...] = (), looks: tuple[int, ...] = (N,), baseline: int = 0
) -> StudyCard:
    """Settings ``pause=1m``, ``pause=2m`` ...; the values are those of bad releases, good ones have the same everywhere."""
    cells = [(Cell("", "", scenario()), [outcomes([1.0] * len(values), good=True), outcomes(values, good=False)])
             for values in settings]  # fmt: skip
    labels = [f"{index + 1}m" for index in range(len(settings))]
    made = tuple(Setting(f"pause={label}", (("canary.pause", label),)) for label in labels)
    question = Question(made, baseline, looks, wishes)
    return compare_settings(study(cells), question, About("rolltwin study x", "1.2"))


def drawn(seed: int, count: int = N) -> list[float]:
    return [float(value) for value in np.random.default_rng(seed).normal(100, 10, count)]


def test_differences_are_to_the_baseline_pair_by_pair() -> None:
    base = drawn(1)
    found = card(base, [value + 5 for value in base], baseline=0)
    assert found.rows[0].compared == ()
    item = found.rows[1].difference(Kpi.FAILED_REQUESTS)
    assert item is not None
    assert item.effect.difference.mean == pytest.approx(0.12 * 5)
    assert (item.effect.mark, item.gain) == (Mark.LITTLE, inf)
    other = card(base, [value + 5 for value in base], baseline=1).rows[0].difference(Kpi.FAILED_REQUESTS)
    assert other is not None
    assert other.effect.difference.mean == pytest.approx(-0.12 * 5)


def test_pairing_gains_what_the_common_part_would_have_cost() -> None:
    """Half of the variance in common: independent replications would have twice the variance."""
    rng = np.random.default_rng(3)
    shared, a, b = rng.normal(0, 1, (3, 1000))
    item = card(list(shared + a), list(shared + b)).rows[1].difference(Kpi.FAILED_REQUESTS)
    assert item is not None
    assert item.gain == pytest.approx(2.0, rel=0.15)


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        pytest.param([1.0, 1.0, 1.0], [1.0, 1.0, 1.0], None, id="nothing varies"),
        pytest.param([1.0, 2.0, 3.0], [2.0, 3.0, 4.0], inf, id="every pair differs by the same"),
        pytest.param([0.1, 0.2, 0.3], [0.4, 0.5, 0.6], inf, id="but for rounding"),
        pytest.param([1.0, None, None], [1.0, 2.0, 3.0], None, id="one pair"),
        pytest.param([1.0, 3.0], [3.0, 1.0], 0.5, id="pairs that run against each other"),
    ],
)
def test_gains(ours: list[float | None], theirs: list[float | None], expected: float | None) -> None:
    item = card(theirs, ours).rows[1].difference(Kpi.FAILED_REQUESTS)
    assert item is not None
    assert item.gain == expected


def wished(half_width: float, *settings: Sequence[float | None]) -> Reached:
    return card(*settings, wishes=(Wish(Kpi.FAILED_REQUESTS, half_width),)).reached[0]


def test_a_wish_is_about_the_widest_difference() -> None:
    base = drawn(1)
    near, far = [value + 1 for value in drawn(2)], [value + other for value, other in zip(base, drawn(3), strict=True)]
    found = wished(10.0, base, far, near)
    assert found.label == "pause=3m", "independent of the baseline, so least known"
    assert found.met
    assert found.half_width is not None
    assert not wished(found.half_width / 2, base, far, near).met


def test_of_one_setting_a_wish_is_about_its_value() -> None:
    found = wished(10.0, drawn(1))
    assert (found.met, found.label) == (True, "pause=1m")


def test_a_wish_about_what_nothing_has_is_not_met() -> None:
    found = wished(10.0, [None] * 5, [None] * 5)
    # Good releases have it, and are equal in five pairs, which is too few to say so.
    assert not found.met
    nobody = card([1.0], [1.0], wishes=(Wish(Kpi.TIME_TO_DETECT, 1.0),)).reached[0]
    assert (nobody.half_width, nobody.met) == (None, False)


def test_few_equal_pairs_are_not_known_exactly() -> None:
    few, many = [1.0] * 58, [1.0] * 59
    assert not wished(1.0, few, few).met
    assert wished(1.0, many, many).met
    assert not precise(card(few, few, wishes=(Wish(Kpi.FAILED_REQUESTS, 1.0),)))


def test_intervals_are_wider_for_as_many_looks_as_there_may_be() -> None:
    once, often = (card(drawn(1), drawn(2), looks=looks).rows[1] for looks in ((N,), looks_up_to(N)))
    assert once.score.kpi(Kpi.FAILED_REQUESTS).estimate.lo is not None
    widths = [item.effect.difference.hi - item.effect.difference.lo
              for row in (once, often)
              if (item := row.difference(Kpi.FAILED_REQUESTS)) and item.effect.difference.hi and item.effect.difference.lo]  # fmt: skip
    assert widths[1] > 1.2 * widths[0]


@pytest.mark.parametrize("most", [1, 2, 8, 9, 50, 1000])
def test_looks_rise_to_the_last(most: int) -> None:
    looks = looks_up_to(most)
    assert looks[-1] == most
    assert list(looks) == sorted(set(looks))
    assert all(later <= 1.5 * earlier for earlier, later in pairwise(looks))
    assert looks_up_to(150) == (30, 45, 67, 100, 150)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param([], True, id="nothing to be known"),
        pytest.param([1.0] * 58, False, id="few that are equal"),
        pytest.param([1.0] * 59, True, id="many that are equal"),
        pytest.param([0.0, 1.0] * 15, True, id="as many of either"),
        pytest.param([0.0] * 29 + [1.0], False, id="one that is not like the others"),
        pytest.param(([0.0] * 29 + [1.0]) * 25, True, id="seen often enough"),
    ],
)
def test_a_mean_is_known_once_its_values_have_been_seen(values: list[float], expected: bool) -> None:
    assert steady(values) is expected


Drawing = Callable[[np.random.Generator], Iterator[float]]


def rare(rng: np.random.Generator) -> Iterator[float]:
    """One value in two is something; the others are nothing."""
    while True:
        yield float(rng.exponential(1.0) * (rng.random() < 0.5))


def normal(rng: np.random.Generator) -> Iterator[float]:
    while True:
        yield float(rng.normal(0.5, 1.0))


def missed(draw: Drawing, looks: Sequence[int], level: float, *, carefully: bool) -> float:
    """How often the interval at which it was stopped, half as wide as 0.4, misses the truth (0.5)."""
    misses, times = 0, 120
    for seed in range(times):
        source, values = draw(np.random.default_rng(seed)), list[float]()
        for look in looks:
            values += islice(source, look - len(values))
            found = mean([Sample(1.0, tuple(values))], level)
            assert found.lo is not None
            assert found.hi is not None
            lo, hi = found.lo, found.hi
            if hi - lo <= 0.8 and (not carefully or steady(values)):
                break
        misses += not lo <= 0.5 <= hi
    return misses / times


@pytest.mark.parametrize("draw", [normal, rare], ids=["normal", "mostly nothing"])
def test_stopping_when_precise_errs_in_at_most_5_of_100_cases(draw: Drawing) -> None:
    looks = looks_up_to(300)
    assert missed(draw, looks, 1 - ERRS / len(looks), carefully=True) <= 0.05


def test_stopping_at_the_first_narrow_95_percent_interval_would_err_more_often() -> None:
    """What wide intervals, a late first look and the look at the values are for: what is narrow by chance misses."""
    assert missed(rare, looks_up_to(300, 8), 0.95, carefully=False) > 0.1


@pytest.fixture(name="found")
def _found() -> StudyCard:
    base = drawn(1)
    return card(
        base,
        [value - 30 for value in base],
        drawn(2),
        [None] * N,
        wishes=(Wish(Kpi.FAILED_REQUESTS, 5.0), Wish(Kpi.TIME_TO_DETECT, 0.5)),
        looks=looks_up_to(N),
    )


def test_text_says_what_stands_out(found: StudyCard) -> None:
    text = reports.render_study(found, "text")
    assert "4 settings, compared with pause=1m" in text
    assert "60 replications of each of 2 kinds of release in every setting, seed 1." in text
    assert "- pause=2m: better extra failed requests." in text
    assert "- Extra failed requests is known to ±" in text
    assert "Time to detect: no replication has it (asked for: ±30 s)." in text
    assert "all looks together err in at most 5 of 100 cases" in text


def test_json_and_csv_have_every_indicator_of_every_setting(found: StudyCard) -> None:
    data = json.loads(reports.render_study(found, "json"))
    assert [row["label"] for row in data["settings"]] == [f"pause={n}m" for n in (1, 2, 3, 4)]
    assert set(data["settings"][1]["kpis"]) == set(Kpi)
    assert data["settings"][0]["kpis"]["failed_requests"]["difference"] is None
    assert data["settings"][1]["kpis"]["failed_requests"]["difference"]["pairing"] == "all"
    assert data["precision"][0]["met"] is True
    rows = list(csv.DictReader(StringIO(reports.render_study(found, "csv"))))
    assert len(rows) == 4 * len(Kpi)
    assert {row["canary.pause"] for row in rows} == {"1m", "2m", "3m", "4m"}
    (line,) = [row for row in rows if row["setting"] == "pause=2m" and row["kpi"] == "failed_requests"]
    assert (line["change"], line["pairing"]) == ("better", "all")


def test_markdown_has_a_table_an_indicator(found: StudyCard) -> None:
    text = documents.markdown(found)
    assert "| pause=2m | " in text
    assert "`rolltwin study x`, rolltwin 1.2" in text


def test_an_unknown_format_is_refused(found: StudyCard) -> None:
    with pytest.raises(ValueError, match="'xml' is not among"):
        reports.render_study(found, "xml")


def test_the_figure_shows_differences_or_one_settings_values(found: StudyCard) -> None:
    info = differences.info(found)
    assert (info.zero, info.labels) == (True, ("pause=2m", "pause=3m", "pause=4m"))
    (panel,) = [panel for panel in info.panels if panel.title == "Extra failed requests"]
    assert panel.bars[0].mark is Mark.BETTER
    assert panel.better.startswith("better")
    alone = differences.info(card(drawn(1)))
    assert (alone.zero, alone.labels, alone.panels[0].bars[0].mark) == (False, ("pause=1m",), None)


@pytest.mark.slow
def test_figures_can_be_drawn(found: StudyCard) -> None:
    for one in (found, card(drawn(1)), card([None], [None])):
        differences.draw(differences.info(one))


def test_many_times_as_many_are_not_counted() -> None:
    base = drawn(1)
    nearly = [value + 1e-3 * other for value, other in zip(base, drawn(2), strict=True)]
    item = card(base, nearly).rows[1].difference(Kpi.FAILED_REQUESTS)
    assert item is not None
    assert words.gain_text(item) == "over x 1,000"
