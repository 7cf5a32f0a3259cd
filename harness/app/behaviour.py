"""What a version does by its own nature and what faults add to it: the twin's arithmetic, one request at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import exp, log
from random import Random
from typing import Any


@dataclass(frozen=True, slots=True)
class Delay:
    """A random time: its median in seconds, its shape and, where it is log-normal, its sigma."""

    median_s: float
    shape: str = "lognormal"
    sigma: float = 0.5

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Delay:
        """The delay written as JSON."""
        return cls(float(data["median_s"]), str(data["shape"]), float(data["sigma"]))

    def draw_s(self, random: Random) -> float:
        """One draw, seconds. The mean of an exponential one is ``median_s / ln 2``."""
        if self.shape == "constant" or self.median_s == 0:
            return self.median_s
        if self.shape == "exponential":
            return random.expovariate(1.0) * self.median_s / log(2.0)
        return self.median_s * exp(self.sigma * random.gauss(0.0, 1.0))


@dataclass(frozen=True, slots=True)
class Fault:
    """An effect by name, and the two conditions that a pod can judge by itself.

    ``effect`` is the JSON of the model's effect: ``kind`` and its fields.
    """

    name: str
    effect: Mapping[str, Any]
    pod_age_s: float | None = None
    above_rps_per_pod: float | None = None

    @property
    def kind(self) -> str:
        """Class name of the effect."""
        return str(self.effect["kind"])

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Fault:
        """A fault, or a bare effect (which acts as long as it is there), written as JSON."""
        if data["kind"] != "Fault":
            return cls(str(sorted(data.items())), data)
        trigger = data["trigger"]
        return cls(str(data["name"]), data["effect"], trigger["pod_age_s"], trigger["above_rps_per_pod"])


def acts_by_itself(fault: Mapping[str, Any], side: str) -> bool:
    """Whether a pod needs nobody to tell it when a fault of its version acts.

    Not where times, weights or a share of the pods decide; nor in the stable version's pods, which are there before
    time 0 while its faults are not.
    """
    trigger, target = fault["trigger"], fault["target"]
    is_timed = trigger["start_s"] > 0 or trigger["duration_s"] is not None
    return side == "candidate" and not is_timed and trigger["above_weight"] is None and target["share"] >= 1


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One version: ``statuses`` are (status, share) of its answers that are not 200."""

    name: str
    service_time: Delay = Delay(0.04)
    statuses: tuple[tuple[int, float], ...] = ()
    concurrency: int = 8
    queue_limit: int | None = None
    start_up: Delay = Delay(12.0, sigma=0.2)
    faults: tuple[Fault, ...] = ()

    @classmethod
    def of(cls, data: Mapping[str, Any], side: str) -> Behaviour:
        """The model's ``VersionBehaviour`` as JSON, with those of its faults that this side's pods judge themselves."""
        return cls(
            str(data["name"]),
            Delay.of(data["service_time"]),
            tuple((int(status), float(share)) for status, share in data["statuses"]),
            int(data["concurrency"]),
            data["queue_limit"],
            Delay.of(data["start_up"]),
            tuple(Fault.of(fault) for fault in data["faults"] if acts_by_itself(fault, side)),
        )


@dataclass(frozen=True, slots=True)
class Influence:
    """Everything that faults do to a request that begins service now."""

    errors: tuple[tuple[int, float], ...] = ()
    factor: float = 1.0
    add_s: float = 0.0


def influence(faults: Iterable[Fault], age_s: float) -> Influence:
    """Errors one after the other, factors multiplied; a leak slows down with the container's age."""
    errors: list[tuple[int, float]] = []
    factor, add_s = 1.0, 0.0
    for fault in faults:
        effect = fault.effect
        match fault.kind:
            case "Errors":
                errors.append((int(effect["status"]), float(effect["ratio"])))
            case "Slowdown":
                factor, add_s = factor * float(effect["factor"]), add_s + float(effect["add_s"])
            case "Leak":
                factor *= 1 + float(effect["slowdown_per_hour"]) * age_s / 3600
    return Influence(tuple(errors), factor, add_s)


def start_up_s(faults: Iterable[Fault], drawn_s: float) -> float:
    """The drawn start-up time, lengthened by every slow start in turn."""
    for fault in faults:
        if fault.kind == "SlowStart":
            drawn_s = drawn_s * float(fault.effect["factor"]) + float(fault.effect["add_s"])
    return drawn_s


def answer(shares: Iterable[tuple[int, float]], draw: float) -> int:
    """The status for a draw in [0, 1): the first whose cumulative share is above it, else 200."""
    reached = 0.0
    for status, share in shares:
        reached += share
        if draw < reached:
            return status
    return 200


def end_s(fault: Fault, age_s: float, random: Random) -> tuple[float, int] | None:
    """(seconds from now, exit code) of a container that a fault begins to act on at this age; None if it lets it live.

    137 is what a container has that was killed for its memory.
    """
    if fault.kind == "Crash":
        mean_s = float(fault.effect["mean_time_s"])
        return (random.expovariate(1 / mean_s) if mean_s > 0 else 0.0), 1
    if fault.kind == "Leak" and fault.effect["oom_after_s"] is not None:
        return max(0.0, float(fault.effect["oom_after_s"]) - age_s), 137
    return None
