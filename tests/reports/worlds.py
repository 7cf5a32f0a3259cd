"""Both worlds built by hand, for tests of their comparison that need neither engine nor cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reports.scorecard import About
from reports.verify.card import ClusterRun, Pairing, Verification
from reports.verify.comparing import verify
from reports.verify.facts import Decision, Facts, Measure
from reports.verify.thresholds import Thresholds
from sim.model.records import Verdict

BUCKETS_S = (0.1, 0.5)


def facts(
    verdict: Verdict = Verdict.PROMOTED,
    decided_s: float | None = 100.0,
    *,
    step: int | None = None,
    causes: tuple[str, ...] = (),
    requests: float = 5000.0,
    failed: float = 5.0,
) -> Facts:
    """A run of 100 s at 50 requests/s: 20 % from 10 s on, everything from 60 s on."""
    return Facts(
        backend="twin",
        seed=1,
        decision=Decision(verdict, step, causes),
        reason="because",
        place="" if step is None else f"step {step + 1} (pause)",
        decided_s=decided_s,
        ended_s=decided_s or 0.0,
        last_s=100.0,
        warm_up_s=20.0,
        requests=requests,
        covered_s=100.0,
        values=(
            (Measure.TIME, decided_s),
            (Measure.FAILED, failed),
            (Measure.ERROR_RATIO, failed / requests),
            (Measure.EXPOSED, 0.5),
            (Measure.EXTRA_PODS, None),
        ),
        weights=((-20.0, 0.0), (10.0, 20.0), (60.0, 100.0)),
        ready=(("candidate", ((5.0, 1.0), (55.0, 4.0))), ("stable", ((-20.0, 4.0),))),
        failures=tuple((10.0 * (index + 1), 500.0, 1.0) for index in range(-2, 10)),
        latency=(("candidate", (90, 10, 0)), ("stable", (180, 20, 0))),
        buckets_s=BUCKETS_S,
    )


def late(run: Facts, by_s: float) -> Facts:
    """The same with every change of weights later."""
    return replace(run, weights=tuple((at if at < 0 else at + by_s, value) for at, value in run.weights))


def pairing(twin: Sequence[Facts], *cluster: Facts, near: bool = False, name: str = "canary") -> Pairing:
    """One scenario."""
    runs = tuple(ClusterRun(f"{name}-{index}", run, (("cores", "2"),)) for index, run in enumerate(cluster))
    return Pairing(name, "A canary", "errors", False, near, 1.0, tuple(twin), runs, ("Time runs as it does.",))


def verification(*pairings: Pairing, thresholds: Thresholds | None = None) -> Verification:
    """The comparison, asked for by the usual thresholds."""
    return verify(pairings, thresholds or Thresholds(), 20, 1, About("rolltwin verify", "0.1.0"))
