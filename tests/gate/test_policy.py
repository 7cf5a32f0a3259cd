"""Policy files: what they mean, and everything that is wrong with one at once, each with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scenarios.document.source import Place
from scenarios.policy.claims import Aborted, Indicator, Missed, Often, Promoted, Relation
from scenarios.policy.load import Instead, load
from scenarios.policy.sentence import claim_of, sentence
from sim.model.data_plane import DataPlaneMode
from sim.model.kpis import Kpi
from tests.gate.dice import CANARY, MANIFESTS, policy, refusal, written

SENTENCES = (
    "errors-5 at 1,000 rps is aborted within 6m in at least 99 %",
    "errors-5 is aborted in at least 50 %",
    "good is promoted within 20m in at least 95 %",
    "good is promoted in at least 99.5 %",
    "good is falsely aborted in at most 1 %",
    "errors-1 is missed in at most 2.5 %",
    "errors-1 is missed in at most 2.5 % (tolerance 1 point)",
    "errors-5 at 1,000 rps is aborted within 6m in at least 99 % (tolerance 4 points)",
    "errors-5 has failed_requests <= 2,000 in at least 95 %",
    "slow has time_to_detect < 2m in at least 95 %",
    "slow has error_budget_burn <= 5% in at least 95 %",
    "errors-5 has mean failed_requests <= 2,000",
    "good has mean deployment_duration > 1m30s",
)


@pytest.mark.parametrize("text", SENTENCES)
def test_a_sentence_is_read_and_written_alike(tmp_path: Path, text: str) -> None:
    (claim,) = policy(tmp_path, text).claims
    assert sentence(claim) == text
    assert claim.name == text


def test_sentence_and_fields_say_the_same(tmp_path: Path) -> None:
    said, given = policy(
        tmp_path,
        """errors-5 at 1000 rps is aborted within 6m in at least 99 % of replications.
{release: errors-5, traffic: 1000, aborted_within: 6m, in_at_least: 99%, name: other}""",
    ).claims
    assert (said.happening, said.often, said.world, said.release) == (
        given.happening,
        given.often,
        given.world,
        given.release,
    )
    assert said.happening == Aborted(360.0)
    assert said.often == Often(0.99)
    assert (said.place.line, given.place.line) == (5, 6)


@pytest.mark.parametrize("text", ["errors-5 is fine", "", "is aborted in at least", "a b c", "x has mean_y"])
def test_another_sentence_is_refused_with_the_shapes_there_are(text: str) -> None:
    with pytest.raises(ValueError, match="RELEASE \\[at N rps\\] is aborted"):
        claim_of(text)


@pytest.mark.parametrize(
    ("text", "kpi", "relation", "value"),
    [
        ("<= 2000", "failed_requests", Relation.AT_MOST, 2000.0),
        ("< 6m", "recovery_time", Relation.BELOW, 6.0),
        ("<= 1.5h", "lead_time", Relation.AT_MOST, 1.5),
        ("'> 90s'", "deployment_duration", Relation.ABOVE, 1.5),
        ("15", "deployment_duration", Relation.AT_MOST, 15.0),
        ("'<= 5%'", "error_budget_burn", Relation.AT_MOST, 0.05),
    ],
)
def test_bounds_take_units(tmp_path: Path, text: str, kpi: str, relation: Relation, value: float) -> None:
    (claim,) = policy(tmp_path, f"{{release: good, {kpi}: {text}, in_at_least: 90%}}").claims
    assert isinstance(claim.happening, Indicator)
    assert (claim.happening.kpi, claim.happening.relation) == (Kpi(kpi), relation)
    assert claim.happening.value == pytest.approx(value)


def test_releases_of_the_policys_own_are_put_behind_those_of_the_scenario(tmp_path: Path) -> None:
    found = policy(
        tmp_path,
        """{release: {errors: 20%, status: 503}, missed: true, in_at_most: 5%}
{release: {latency_factor: 3, good: true}, promoted_within: 20m, in_at_least: 95%}
{release: {name: mine, behaviour: {concurrency: 2}}, missed: true, in_at_most: 5%}""",
    )
    one, two, three = found.claims
    assert [claim.release for claim in found.claims] == ["errors-20pct", "latency-x3", "mine"]
    assert (one.happening, two.happening) == (Missed(), Promoted(1200.0))
    release = found.worlds[one.world].loaded.with_release(one.release).scenario.release
    assert (release.behaviour.statuses, release.good) == (((503, 0.2),), False)
    release = found.worlds[two.world].loaded.with_release(two.release).scenario.release
    assert release.good
    assert found.worlds[three.world].loaded.with_release("mine").scenario.release.behaviour.concurrency == 2


def test_traffic_is_flat_and_claims_at_one_rate_share_a_world(tmp_path: Path) -> None:
    found = policy(
        tmp_path,
        """errors-5 at 1000 rps is missed in at most 5 %
errors-5 at 1000 rps is aborted in at least 95 %
errors-5 is aborted in at least 95 %""",
    )
    one, two, three = found.claims
    assert one.world == two.world != three.world
    load = found.worlds[one.world].loaded.scenario.load
    assert ([stage.rate_rps for stage in load.stages], load.diurnal) == ([1000.0], None)


def test_what_the_file_and_then_the_command_line_change_is_changed(tmp_path: Path) -> None:
    file = written(tmp_path, "good is promoted in at least 95 %", "set: [slo=99%, tail=1m]\ndata_plane: exact")
    scenario = load(file, ["slo=98%"]).worlds[0].loaded.scenario
    assert (scenario.slo, scenario.tail_s, scenario.data_plane) == (0.98, 60.0, DataPlaneMode.EXACT)


def test_a_test_may_say_instead_what_a_file_says(tmp_path: Path) -> None:
    claims = "good is promoted in at least 95 %\ngood at 30 rps is promoted in at least 95 %"
    file = written(tmp_path, claims, "set: [slo=99%, tail=1m]\nseed: 3\ntolerance: 2%")
    place = Place("test_it.py", 7, 1)
    found = load(file, instead=Instead({"seed": 4, "set": ["tail=5s"], "max_replications": 90}, place, 200.0))
    assert (found.seed, [claim.most for claim in found.claims], found.claims[0].tolerance) == (4, [90, 90], 0.02)
    worlds = [found.worlds[claim.world].loaded.scenario for claim in found.claims]
    assert [world.load.stages[0].rate_rps for world in worlds] == [200.0, 30.0]
    assert {(world.slo, world.tail_s) for world in worlds} == {(0.99, 5.0)}


@pytest.mark.parametrize(
    ("fields", "rps", "words"),
    [
        ({"seed": "x"}, None, "test_it.py:7:1: error RT800 seed: must be a whole number"),
        ({"set": "slo=99%"}, None, "test_it.py:7:1: error RT800 set: must be a list"),
        ({"set": ["slo=9"]}, None, "test_it.py:7:1: error RT800 slo: must be a share"),
        ({}, -5, "traffic.stages[0].rate: must be requests/s"),
        ({}, "many", "traffic.stages[0].rate: must be requests/s"),
    ],
    ids=["seed", "no list", "no slo", "negative", "no number"],
)
def test_what_a_test_says_wrongly_is_refused_at_its_line(
    tmp_path: Path, fields: dict[str, Any], rps: Any, words: str
) -> None:
    file = written(tmp_path, "good is promoted in at least 95 %")
    said = refusal(file, instead=Instead(fields, Place("test_it.py", 7, 1), rps))
    assert words in "\n".join(said)


def test_claims_are_about_every_scenario_unless_they_name_one(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(
        f"""schema: rolltwin-policy/v1
scenarios:
  - {{name: a, paths: [{CANARY}]}}
  - {{name: b, paths: [{CANARY}], set: [slo=99%]}}
claims:
  - good is promoted in at least 95 %
  - {{release: good, promoted: true, in_at_least: 90%, scenario: b}}
""",
        encoding="utf-8",
    )
    assert [claim.name for claim in load(file).claims] == [
        "good is promoted in at least 95 % (a)",
        "good is promoted in at least 95 % (b)",
        "good is promoted in at least 90 % (b)",
    ]


def test_manifests_are_guarded_in_the_default_world(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(
        f"schema: rolltwin-policy/v1\nscenarios:\n  - paths: [{MANIFESTS}]\n    name: shop\n"
        "claims: [errors-5 is aborted in at least 90 %]\n",
        encoding="utf-8",
    )
    world = load(file).worlds[0]
    assert world.loaded.default_world
    assert Path(world.arguments[0]).resolve() == MANIFESTS


def test_rates_of_the_policy_are_shared_among_its_claims(tmp_path: Path) -> None:
    claims = "errors-5 is aborted in at least 90 %\ngood is promoted in at least 90 %"
    head = "error_rates: {false_pass: 2%, false_fail: 4%, of: policy}"
    rates = policy(tmp_path, claims, head).claims[0].rates
    assert (rates.false_pass, rates.false_fail, rates.left_open) == (0.01, 0.02, 0.05)


def test_a_claim_has_a_margin_or_a_tolerance_its_own_or_the_policys(tmp_path: Path) -> None:
    claims = """errors-5 is aborted in at least 99 %
errors-5 is missed in at most 1 % (tolerance 2 points)
{release: errors-5, aborted: true, in_at_least: 98%, tolerance: 0%}
{release: errors-5, aborted: true, in_at_least: 97%, margin: 1%}
errors-5 has mean failed_requests <= 2000"""
    found = policy(tmp_path, claims, "tolerance: 4%").claims
    assert [claim.tolerance for claim in found] == [0.04, 0.02, 0.0, 0.0, 0.0]
    assert [claim.name for claim in found][:2] == [
        "errors-5 is aborted in at least 99 % (tolerance 4 points)",
        "errors-5 is missed in at most 1 % (tolerance 2 points)",
    ]


def test_a_tolerance_that_says_nothing_is_refused(tmp_path: Path) -> None:
    claims = """{release: errors-5, aborted: true, in_at_least: 90%, tolerance: 4%, margin: 1%}
{release: errors-5, failed_requests: 2000, mean: true, tolerance: 4%}
{release: errors-5, aborted: true, in_at_least: 3%}
{release: errors-5, missed: true, in_at_most: 97%, tolerance: 3%}"""
    said = "\n".join(refusal(written(tmp_path, claims, "tolerance: 3%")))
    for line in (
        "5:58: error RT800 claims[0].tolerance: a claim has either a tolerance or a margin",
        "6:60: error RT800 claims[1].tolerance: a mean has none",
        "7:5: error RT800 claims[2]: the tolerance must be below 3 % (got 3 %)",
        "8:56: error RT800 claims[3].tolerance: the tolerance must be below 3 %, what is left of 97 % (got 3 %)",
    ):
        assert line in said


def test_all_that_is_wrong_with_fields_is_said_at_once(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        """{release: errors-5, aborted_within: soon, in_at_least: 99%}
{release: errors-5, abortd: true, in_at_least: 99%}
errors-5 behaves
{aborted: true, in_at_least: 99%}
{release: errors-5, aborted: false, in_at_most: 120%}""",
        "error_rates: {false_pass: 60%}\nset: [slo=200%]",
    )
    said = "\n".join(refusal(file))
    for line in (
        "3:15: error RT800 error_rates.false_pass: must be a share above 0% and below 50%",
        "4:7: error RT800 slo: must be a share",
        "6:25: error RT800 claims[0].aborted_within: must be a duration",
        "7:25: error RT800 claims[1].abortd: unknown field",
        "8:5: error RT800 claims[2]: must be a sentence",
        "9:5: error RT800 claims[3]: release is missing",
        "10:25: error RT800 claims[4].aborted: must be true",
        "10:41: error RT800 claims[4].in_at_most: must be a share",
    ):
        assert line in said


def test_all_that_is_wrong_with_claims_is_said_at_once(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        """{release: errors-5, aborted: true, missed: true, in_at_least: 99%}
{release: errors-5, aborted: true}
{release: errors-5, in_at_least: 99%}
{release: errors-5, aborted: true, in_at_least: 100%}
{release: errors-5, aborted: true, in_at_least: 99%, margin: 2%}
{release: errors-5, aborted: true, mean: true}
{release: {good: false}, aborted: true, in_at_least: 9%}""",
    )
    said = "\n".join(refusal(file))
    for line in (
        "5:5: error RT800 claims[0]: a claim says one thing that happens (got 2: aborted, missed)",
        "6:5: error RT800 claims[1]: how often?",
        "7:5: error RT800 claims[2]: a claim says one thing that happens (got none)",
        "8:40: error RT800 claims[3].in_at_least: no number of replications shows 100 %",
        "9:58: error RT800 claims[4].margin: must be above 0 and leave room on both sides of 99 % (got 2 %)",
        "10:25: error RT800 claims[5].aborted: has no mean",
        "11:6: error RT800 claims[6].release: neither names a release",
    ):
        assert line in said


def test_what_does_not_fit_the_scenario_is_said_at_once(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        """errors-6 is aborted in at least 90 %
good is missed in at most 1 %
errors-5 is falsely aborted in at most 1 %
good has time_to_detect <= 2m in at least 90 %
errors-5 is aborted within 100h in at least 90 %
{release: errors-5, aborted: true, in_at_least: 90%, scenario: cnary}""",
    )
    said = "\n".join(refusal(file))
    assert "has no release named 'errors-6'" in said
    assert "did you mean 'errors-5'?" in said
    for line in (
        "6:5: error RT800 claims[1].missed: good is a good release",
        "7:5: error RT800 claims[2].falsely_aborted: errors-5 is a bad release",
        "8:5: error RT800 claims[3].time_to_detect: does not apply to good, a good release",
        "9:5: error RT800 claims[4].aborted_within: 100h is beyond the horizon of 20m",
        "10:58: error RT800 claims[5].scenario: no scenario is named 'cnary'",
    ):
        assert line in said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is not a policy"),
        ("- a\n", "is not a policy"),
        ("schema: rolltwin/v1\n", "schema: must be one of rolltwin-policy/v1"),
        ("schema: rolltwin-policy/v1\nclaims: []\nscenarios: nowhere.yaml\n", "claims: must be a non-empty list"),
        (
            "schema: rolltwin-policy/v1\nclaims: [x is missed in at most 1 %]\nscenarios: [nowhere.yaml]\n",
            "no such file",
        ),
        (
            "schema: rolltwin-policy/v1\nscenarios: [{paths: 3}]\nclaims: [1, null, [], {}]\n",
            "must be a non-empty list",
        ),
        ("schema: [\n", "error RT001"),
        ("schema: rolltwin-policy/v1\n\0", "error RT00"),
    ],
)
def test_broken_files_are_refused_in_words(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(text, encoding="utf-8")
    assert words in "\n".join(refusal(file))


def test_two_claims_of_one_name_are_refused(tmp_path: Path) -> None:
    file = written(tmp_path, "good is promoted in at least 90 %\ngood is promoted in at least 90 %")
    assert "two claims are both named" in "\n".join(refusal(file))
