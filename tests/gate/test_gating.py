"""Policies decided by dice: the answers, their independence of workers, what is kept, what is said of a failure."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from reports.gate.card import Gate
from reports.gate.judging import Observed, judged, observed_of
from reports.gate.sprt import Answer, State
from rolltwin import gating
from rolltwin.cli.main import main
from scenarios.findings import BadInput
from scenarios.policy.claims import Claim
from scenarios.policy.load import load
from sim.model.records import DecisionRecord, Verdict
from sim.study import Processes, Serial, replication_seed, run_once
from tests.gate.dice import CANARY, certain, chance, dice, policy, written
from tests.reports.builders import journal, run_result, traffic, weight

CLAIMS = """errors-5 is aborted within 2m in at least 98 %
errors-5 is aborted within 2m in at least 70 %
errors-5 is aborted within 10s in at least 50 %
{release: good, falsely_aborted: true, in_at_most: 10%, margin: 5%, max_replications: 80}
errors-5 has failed_requests <= 500 in at least 50 %
good has mean failed_requests <= 2000"""


def decided(folder: Path, claims: str, head: str = "", workers: int = 1) -> Gate:
    engine = Serial() if workers == 1 else Processes(workers)
    with engine:
        return gating.decide(policy(folder, claims, head), engine, run=dice)


def test_claims_are_decided_as_the_dice_are(tmp_path: Path) -> None:
    gate = decided(tmp_path, CLAIMS, "max_replications: 300")
    assert [result.answer for result in gate.results] == [
        Answer.FAILED,
        Answer.PASSED,
        Answer.FAILED,
        Answer.UNDECIDED,
        Answer.PASSED,
        Answer.PASSED,
    ]
    assert gate.answer is Answer.FAILED
    # Claims about one release share its replications.
    longest = [max(r.seen for r in gate.results if r.claim.release == name) for name in ("errors-5", "good")]
    assert gate.replications == sum(longest)


@pytest.mark.slow
def test_results_do_not_depend_on_workers(tmp_path: Path) -> None:
    assert decided(tmp_path, CLAIMS, "max_replications: 300") == decided(
        tmp_path, CLAIMS, "max_replications: 300", workers=2
    )


def test_a_stream_ends_with_its_last_claim(tmp_path: Path) -> None:
    gate = gating.decide(policy(tmp_path, "errors-5 is aborted in at least 90 %"), Serial(), run=certain)
    assert (gate.answer, gate.replications) == (Answer.PASSED, 36)


def test_the_example_is_the_first_that_breaks_the_claim(tmp_path: Path) -> None:
    gate = decided(tmp_path, "errors-5 is aborted in at least 95 %")
    (result,) = gate.results
    scenario = gate.policy.worlds[0].loaded.with_release("errors-5").scenario
    seeds = [replication_seed(1, "errors-5", index) for index in range(result.seen)]
    broken = [index + 1 for index, seed in enumerate(seeds) if chance(scenario, seed) >= 0.9]
    assert list(result.breaks) == broken
    assert result.example is not None
    assert result.example.seed == seeds[broken[0] - 1]
    assert result.example.happened == "promoted at +1m40s"
    assert result.verdicts == ((Verdict.PROMOTED, len(broken)),)


def test_what_is_kept_is_not_run_again(tmp_path: Path) -> None:
    store = tmp_path / "replications.sqlite"
    file = written(tmp_path, "errors-5 is aborted in at least 95 %")
    first = gating.decide(load(file), Serial(), store=store, run=dice)
    seen: list[int] = []
    again = gating.decide(
        load(file), Serial(), store=store, run=dice, watch=lambda deciding: seen.append(deciding.seen)
    )
    assert again == first
    assert seen[:2] == [0, 1]


def test_a_claim_that_cannot_pass_is_refused_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot pass within 100 replications, even if all keep it: 373 are needed"):
        decided(tmp_path, "errors-5 is aborted in at least 99 %", "max_replications: 100")


def seen(verdict: Verdict, *, good: bool = False, abort_s: float | None = None, failures: int = 10) -> Observed:
    decisions = [] if abort_s is None else [DecisionRecord(abort_s, "", "analysis", "abort", "x")]
    weights = [weight(0.0, 25.0), weight(60.0, 0.0 if verdict is Verdict.ABORTED else 100.0)]
    rows = journal(traffic(60.0, "candidate", 2000, failures), *weights, *decisions, verdict=verdict, good=good)
    return observed_of(run_result(rows))


@pytest.mark.parametrize(
    ("text", "observed", "kept"),
    [
        pytest.param("errors-5 is aborted in at least 9 %", seen(Verdict.ABORTED, abort_s=60), True, id="aborted"),
        pytest.param(
            "errors-5 is aborted in at least 9 %", seen(Verdict.REJECTED), False, id="rejected is not aborted"
        ),
        pytest.param("errors-5 is aborted in at least 9 %", seen(Verdict.UNDONE), False, id="undone is not aborted"),
        pytest.param(
            "errors-5 is aborted within 60s in at least 9 %", seen(Verdict.ABORTED, abort_s=60), True, id="just"
        ),
        pytest.param(
            "errors-5 is aborted within 60s in at least 9 %", seen(Verdict.ABORTED, abort_s=61), False, id="late"
        ),
        pytest.param("errors-5 is aborted in at most 9 %", seen(Verdict.ABORTED, abort_s=60), False, id="unwanted"),
        pytest.param("good is falsely aborted in at most 9 %", seen(Verdict.STUCK, good=True), False, id="stuck"),
        pytest.param("good is falsely aborted in at most 9 %", seen(Verdict.PROMOTED, good=True), True, id="through"),
        pytest.param("good is promoted in at least 9 %", seen(Verdict.DEGRADED, good=True), False, id="degraded"),
        pytest.param(
            "errors-5 has failed_requests <= 10 in at least 9 %", seen(Verdict.ABORTED, abort_s=9), True, id="ten"
        ),
        pytest.param(
            "errors-5 has failed_requests < 10 in at least 9 %", seen(Verdict.ABORTED, abort_s=9), False, id="<10"
        ),
        pytest.param(
            "good has lead_time <= 1h in at least 9 %", seen(Verdict.ABORTED, good=True), False, id="never served"
        ),
        pytest.param(
            "good has recovery_time <= 1h in at least 9 %", seen(Verdict.PROMOTED, good=True), True, id="no harm"
        ),
    ],
)
def test_what_keeps_a_claim(tmp_path: Path, text: str, observed: Observed, kept: bool) -> None:
    claim: Claim = policy(tmp_path, text).claims[0]
    assert judged(claim, observed).kept is kept


@pytest.mark.slow
def test_a_failure_of_the_twin_is_replayed_by_the_command_that_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command, given as it is printed, tells the very replication that broke the claim."""
    claims = "{release: {errors: 6%}, traffic: 40, aborted_within: 60s, in_at_least: 80%}"
    gate = gating.decide(policy(tmp_path, claims, "set: [tail=5s]"), Serial())
    (result,) = gate.results
    assert result.answer is Answer.FAILED
    assert isinstance(result.state, State)
    assert result.example is not None
    assert any(
        item.place.file.endswith("manifests/rollout.yaml") and item.place.line for item in result.example.conditions
    )
    program, *arguments = shlex.split(result.example.command)
    assert program == "rolltwin"
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 0
    told = capsys.readouterr().out
    world = gate.policy.worlds[result.claim.world]
    run = run_once(world.loaded.with_release(result.claim.release).scenario, result.example.seed)
    assert f"Verdict   {run.verdict.value}" in told
    assert f"Seed      {result.example.seed}" in told
    assert result.example.happened.startswith("promoted" if run.verdict is Verdict.PROMOTED else "aborted at +")
    cell = gating.cell_of(world, result.claim.release)
    assert observed_of(run) == observed_of(run_once(cell.scenario, result.example.seed))
    assert CANARY.name in result.example.command
