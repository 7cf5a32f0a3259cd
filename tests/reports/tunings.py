"""A tuning built by hand: a front of four, what breaks a constraint, what was stopped and refused, and held-out releases."""

from __future__ import annotations

from dataclasses import replace

from reports.scorecard import About
from reports.statistics import Estimate
from reports.tune.card import Asked, Claim, Fate, HeldOut, Importance, Row, Tried, Tuning
from reports.tune.measures import read_constraint, read_objective
from sim.study import Stratum

STRATA = (Stratum("good", True, 0.9), Stratum("errors-5", False, 0.1))
ASKED = Asked(
    title="Canary with Argo Rollouts, repaired",
    scenario_hash="0123456789ab",
    objectives=(read_objective("failed_requests@errors-5", STRATA), read_objective("deployment_duration@good", STRATA)),
    constraints=(
        read_constraint("time_to_detect@errors-5:p99<2m", STRATA),
        read_constraint("false_abort_rate<1%", STRATA),
    ),
    space=(
        ("canary.steps[1].pause", "10s..4m:log", "2m", "shop.yaml:20 spec.strategy.canary.steps[1].pause.duration"),
        ("gate.metrics[errors].failureLimit", "0..3", "3", "shop.yaml:40 spec.metrics[0].failureLimit"),
    ),
    releases=("good", "errors-5"),
    seed=1,
    trials=8,
    looks=(4, 8),
    level=0.95,
)


def around(mean: float, half: float = 0.0, n: int = 32) -> Estimate:
    return Estimate(mean, mean - half, mean + half, n)


def tried(index: int, failed: float, minutes: float, detect: float = 1.0, fate: Fate = Fate.COMPLETE) -> Tried:
    return Tried(
        index,
        "search" if index > 1 else "pauses halved",
        (("canary.steps[1].pause", f"{10 + index}s"), ("gate.metrics[errors].failureLimit", "1")),
        fate,
        {Fate.INFEASIBLE: "time_to_detect@errors-5:p99<2m is broken (3 after 4 replications)"}.get(fate, ""),
        32,
        (around(failed, 3.0), around(minutes, 0.2)),
        (Estimate(detect, detect - 0.2, None, 32), Estimate(0.0, 0.0, 0.1, 32)),
        (max(0.0, (detect - 2) / 2), 0.0),
    )


FRONT = (tried(4, 40, 14), tried(3, 55, 10.5), tried(5, 80, 9.5), tried(6, 130, 9.4))
WRITTEN = replace(
    tried(-1, 200, 56, detect=5),
    origin="as written",
    settings=(("canary.steps[1].pause", "2m"), ("gate.metrics[errors].failureLimit", "3")),
)
REFUSED = Tried(7, "search", FRONT[0].settings, Fate.REFUSED, "InvalidSpec: too long", violations=(1.0, 1.0))


def tuning() -> Tuning:
    rows = tuple(
        Row(item.measure, around(old, 4, 64), around(new, 2, 381), around(new - old, 5, 64))
        for item, old, new in zip(ASKED.objectives, (205.0, 56.8), (58.0, 10.6), strict=True)
    )
    claims = (
        Claim(ASKED.constraints[0], Estimate(1.4, 1.3, 1.5, 381), True, 381, 381, False),
        Claim(ASKED.constraints[1], Estimate(0.0, 0.0, 0.00998, 381), True, 381, 381, None),
    )
    return Tuning(
        asked=ASKED,
        tried=(
            WRITTEN,
            tried(1, 150, 30, detect=3, fate=Fate.INFEASIBLE),
            tried(2, 90, 14.5, fate=Fate.DOMINATED),
            *FRONT,
            REFUSED,
        ),
        written=WRITTEN,
        front=FRONT,
        knee=FRONT[1],
        held_out=HeldOut(123456, (("good", 381), ("errors-5", 381)), 64, rows, claims),
        patch="--- a/shop.yaml\n+++ b/shop.yaml\n@@ -20 +20 @@\n-        - pause: {duration: 2m}\n+        - pause: {duration: 13s}\n",
        apply="patch -p1",
        unwritten=("people.notice.median=1m",),
        importances=tuple(
            Importance(item, (("canary.steps[1].pause", 0.7), ("gate.metrics[errors].failureLimit", 0.3)))
            for item in ASKED.objectives
        ),
        about=About("rolltwin tune shop.yaml", "0.1.0"),
    )
