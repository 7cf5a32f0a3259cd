"""How a Rollout comes to its end, read off its status and off what the routers act on."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sim.model.outcome import Outcome
from sim.model.records import DecisionRecord, Verdict
from sim.model.rollout import RolloutPhase, RolloutStatus


@dataclass(frozen=True, slots=True)
class Aim:
    """What is under way: a release, or its way back; and what is known of its end."""

    hash: str
    """Of the template that was applied last."""
    going_back: bool = False
    """Whether that is the version before the release."""
    served_all: bool = False
    """Whether the release came to serve everybody."""
    person: str = ""
    """Why a person aborted or went back; '' if nobody did."""
    abort_noted: bool = False
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Carried:
    """Percent of the ordinary traffic that reaches the candidate's pods, and the pods of the revision aimed at."""

    candidate: float
    aimed: float


@dataclass(frozen=True, slots=True)
class Seen:
    """One look at the rollout: at what second, and in which region."""

    now_s: float
    t_s: float
    """The same as rows write it."""
    region: str
    status: RolloutStatus
    carried: Carried


def aimed_at(aim: Aim, pod_hash: str, *, going_back: bool, person: str = "") -> Aim:
    """Another template is applied, or the same once more."""
    return Aim(pod_hash, going_back, aim.served_all, person)


def settled(aim: Aim, seen: Seen) -> tuple[Aim, DecisionRecord | None]:
    """The aim after a look, and the decision to be written with it, if one has been made."""
    status = seen.status
    if aim.outcome is not None or status.current_pod_hash != aim.hash:
        return aim, None
    if status.abort and not status.promote_full and status.stable_rs != aim.hash:
        return _aborted(aim, seen)
    if status.stable_rs == aim.hash and status.phase is RolloutPhase.HEALTHY:
        return _promoted(aim, seen)
    return aim, None


def _promoted(aim: Aim, seen: Seen) -> tuple[Aim, DecisionRecord | None]:
    now_s = seen.now_s
    if not aim.going_back:
        row = DecisionRecord(seen.t_s, seen.region, "controller", "promote", f"revision {aim.hash} is stable")
        end = Outcome(Verdict.PROMOTED, "the release is stable and serves all traffic", now_s, served_all=True)
        return replace(aim, served_all=True, outcome=end), row
    reason = f"undone by a person: {aim.person}"
    if aim.served_all:
        return replace(aim, outcome=Outcome(Verdict.UNDONE, reason, now_s, served_all=True)), None
    if seen.carried.candidate == 0:
        return replace(aim, outcome=Outcome(Verdict.ABORTED, reason, now_s)), None
    return aim, None


def _aborted(aim: Aim, seen: Seen) -> tuple[Aim, DecisionRecord | None]:
    message, row = seen.status.message, None
    if not aim.abort_noted and message:
        aim = replace(aim, abort_noted=True)
        actor = "person" if aim.person else "analysis" if " analysis " in message else "controller"
        row = DecisionRecord(seen.t_s, seen.region, actor, "abort", aim.person or message)
    if aim.abort_noted and not aim.going_back and seen.carried.aimed == 0:
        reason = f"aborted by a person: {aim.person}" if aim.person else message
        aim = replace(aim, outcome=Outcome(Verdict.ABORTED, reason, seen.now_s, aim.served_all))
    return aim, row


def trouble(aim: Aim, status: RolloutStatus) -> str:
    """The controller's message while a rollout that has no end is Degraded by itself; '' otherwise."""
    return f"{status.phase.value}: {status.message}" if _is_degraded(status) and aim.outcome is None else ""


def stuck(aim: Aim, status: RolloutStatus, now_s: float) -> Outcome:
    """What is said at the horizon: Degraded if the controller says so, else stuck where it is."""
    reason = f"{status.phase.value}: {status.message}" if status.message else status.phase.value
    verdict = Verdict.DEGRADED if _is_degraded(status) else Verdict.STUCK
    return Outcome(verdict, reason, now_s, aim.served_all)


def _is_degraded(status: RolloutStatus) -> bool:
    return status.phase is RolloutPhase.DEGRADED and not status.abort
