"""What a person's command comes to, given how the Rollout stands (commands: behaviour reference 11.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sim.decide import operations
from sim.model.operations import Command, Operation
from sim.model.rollout import RolloutSpec, RolloutStatus, RunRole
from sim.model.units import duration_text


@dataclass(frozen=True, slots=True)
class Standing:
    """The Rollout as the person finds it."""

    now_s: float
    spec: RolloutSpec
    status: RolloutStatus
    template_hash: str
    revisions: tuple[tuple[int, str], ...] = ()
    """(number, hash) of every ReplicaSet that still exists."""


@dataclass(frozen=True, slots=True)
class Change:
    """Spec and status become these; ``reopens``: what had come to its end is under way again."""

    decision: str
    reason: str
    spec: RolloutSpec
    status: RolloutStatus
    reopens: bool = False


@dataclass(frozen=True, slots=True)
class Stop:
    """The update is aborted."""

    reason: str


@dataclass(frozen=True, slots=True)
class Return:
    """The template of an older revision is applied."""

    hash: str
    reason: str


@dataclass(frozen=True, slots=True)
class Supersede:
    """Another release is applied, unless it is the one applied last."""

    release: str


@dataclass(frozen=True, slots=True)
class End:
    """Analysis runs of a role (None: all) are asked to end, if there are any."""

    role: RunRole | None
    reason: str


@dataclass(frozen=True, slots=True)
class Nothing:
    """The command has no effect, and why."""

    reason: str


Effect = Change | Stop | Return | Supersede | End | Nothing


def effect_of(operation: Operation, standing: Standing) -> Effect:
    """What is to be done; a command without effect is told as such."""
    effect = _EFFECTS[operation.do](operation, standing)
    return Nothing(f"{operation.do}: {effect.reason}") if isinstance(effect, Nothing) else effect


def _promote(operation: Operation, at: Standing) -> Effect:
    after = operations.promote(at.spec, at.status)
    if after == at.status and not at.spec.paused:
        return Nothing("nothing waits and no step is left")
    skips = after.current_step_index != at.status.current_step_index
    return Change("skip" if skips else "resume", _planned(operation), operations.resume(at.spec), after)


def _promote_full(operation: Operation, at: Standing) -> Effect:
    after = operations.promote_full(at.status)
    if after == at.status and not at.spec.paused:
        return Nothing("the release is stable already")
    spec = operations.resume(at.spec)
    return Change("promote-full", _planned(operation), spec, after, reopens=at.status.abort)


def _abort(operation: Operation, at: Standing) -> Effect:
    if at.template_hash == at.status.stable_rs:
        return Nothing("the release is stable already")
    return Nothing("it is aborted already") if at.status.abort else Stop(_planned(operation))


def _retry(operation: Operation, at: Standing) -> Effect:
    if not at.status.abort:
        return Nothing("nothing is aborted")
    return Change("retry", _planned(operation), at.spec, operations.retry(at.status), reopens=True)


def _pause(operation: Operation, at: Standing) -> Effect:
    if at.spec.paused:
        return Nothing("it is paused already")
    return Change("pause", _planned(operation), operations.pause(at.spec), at.status)


def _resume(operation: Operation, at: Standing) -> Effect:
    after = operations.end_pauses(at.status)
    if after == at.status and not at.spec.paused:
        return Nothing("nothing is paused")
    return Change("resume", _planned(operation), operations.resume(at.spec), after)


def _undo(operation: Operation, at: Standing) -> Effect:
    """To the revision with this number, or to the second newest."""
    number = operation.revision
    newest_first = sorted(at.revisions, key=lambda one: one[0], reverse=True)
    found = newest_first[1:2] if number is None else [one for one in newest_first if one[0] == number]
    if not found:
        wanted = "no older revision" if number is None else f"no revision {number}"
        return Nothing(f"{wanted} in the history")
    if found[0][1] == at.template_hash:
        return Nothing("that revision's template is applied already")
    return Return(found[0][1], _planned(operation))


def _restart(operation: Operation, at: Standing) -> Effect:
    return Change("restart", _planned(operation), operations.restart(at.spec, at.now_s), at.status)


def _apply(operation: Operation, at: Standing) -> Effect:
    del at
    return Supersede(operation.release)


def _scale(operation: Operation, at: Standing) -> Effect:
    if operation.replicas == at.spec.desired:
        return Nothing(f"it has {operation.replicas} replicas already")
    reason = f"{_planned(operation)}: {at.spec.desired} -> {operation.replicas} replicas"
    return Change("scale", reason, replace(at.spec, replicas=operation.replicas), at.status)


def _terminate(operation: Operation, at: Standing) -> Effect:
    del at
    return End(operation.analysis, _planned(operation))


def _planned(operation: Operation) -> str:
    return f"as planned at {duration_text(operation.at_s)}"


_EFFECTS: dict[Command, Callable[[Operation, Standing], Effect]] = {
    Command.PROMOTE: _promote,
    Command.PROMOTE_FULL: _promote_full,
    Command.ABORT: _abort,
    Command.RETRY: _retry,
    Command.PAUSE: _pause,
    Command.RESUME: _resume,
    Command.UNDO: _undo,
    Command.RESTART: _restart,
    Command.APPLY: _apply,
    Command.SCALE: _scale,
    Command.TERMINATE: _terminate,
}
