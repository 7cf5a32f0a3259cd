"""Runs that stand for the engine; importable by name, as worker processes need."""

from __future__ import annotations

import os
import signal
from multiprocessing import parent_process
from pathlib import Path

from sim.model.records import EndRecord, RunResult, Verdict
from sim.model.scenario import Scenario


def quick(scenario: Scenario, seed: int, scenario_hash: str) -> RunResult:
    """Ends differently by release and seed, so that mixing anything up shows."""
    verdict = Verdict.PROMOTED if scenario.release.good and seed % 3 else Verdict.ABORTED
    reason = f"{scenario.title}/{scenario.release.name}/{seed}"
    end = EndRecord(1.0, verdict, reason, float(seed % 100))
    return RunResult(scenario_hash, seed, verdict, reason, end.ended_s, (end,))


def crashing(scenario: Scenario, seed: int, scenario_hash: str) -> RunResult:
    """A bug in one kind of release only."""
    if scenario.release.name == "broken":
        msg = "the impossible happened"
        raise AssertionError(msg)
    return quick(scenario, seed, scenario_hash)


def interrupted(scenario: Scenario, seed: int, scenario_hash: str) -> RunResult:
    """As if somebody pressed Ctrl-C in a serial study while the second cell was at work."""
    if scenario.title == "B":
        raise KeyboardInterrupt
    return quick(scenario, seed, scenario_hash)


def interrupts_parent(scenario: Scenario, seed: int, scenario_hash: str) -> RunResult:
    """As if somebody pressed Ctrl-C in the process, and during the replication, that the description names (once, if it names a file)."""
    process, when, *once = scenario.description.split()
    if scenario.title == "B" and seed == int(when) and not any(Path(file).exists() for file in once):
        for file in once:
            Path(file).touch()
        os.kill(int(process), signal.SIGINT)
    return quick(scenario, seed, scenario_hash)


def kills_study(scenario: Scenario, seed: int, scenario_hash: str) -> RunResult:
    """Kills the study whose worker this is during the replication of A that a file, named by the description, says."""
    fatal, study = Path(scenario.description), parent_process()
    if study is not None and scenario.title == "A" and fatal.exists() and seed == int(fatal.read_text()):
        os.killpg(study.pid or 0, signal.SIGKILL)
        signal.pause()  # workers end with their study, and this one never finishes what it is at
    return quick(scenario, seed, scenario_hash)


def deaf(scenario: Scenario, seed: int, scenario_hash: str) -> RunResult:
    """Crashes in a process that Ctrl-C could reach."""
    if signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ()):
        msg = "Ctrl-C reaches this process"
        raise AssertionError(msg)
    return quick(scenario, seed, scenario_hash)


def reason(result: RunResult) -> list[object]:
    """A reduction that keeps what tells runs apart."""
    return [result.verdict.value, result.reason, result.seed, result.scenario_hash]


def title(result: RunResult) -> str:
    """Another reduction."""
    return result.reason


def dying_once(scenario: Scenario, seed: int, scenario_hash: str) -> RunResult:
    """Kills the worker, once: the description names a file that says whether it has happened."""
    once = Path(scenario.description)
    if scenario.release.name == "broken" and not once.exists():
        once.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return quick(scenario, seed, scenario_hash)


def deadly(scenario: Scenario, seed: int, scenario_hash: str) -> RunResult:
    """Kills every worker that tries one replication; the description says which."""
    if scenario.description == str(seed):
        os.kill(os.getpid(), signal.SIGKILL)
    return quick(scenario, seed, scenario_hash)


def process(_result: RunResult) -> int:
    """Who ran it."""
    return os.getpid()


def slow(scenario: Scenario, seed: int, scenario_hash: str) -> RunResult:
    """Long enough for something to happen meanwhile."""
    if sum(range(100_000)):
        return quick(scenario, seed, scenario_hash)
    raise AssertionError
