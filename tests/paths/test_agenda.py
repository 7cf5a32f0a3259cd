"""The short form of the analysis controller's times is the long one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sim.decide import analysis
from sim.decide.orders import unplanned
from sim.model.analysis import (
    AnalysisPhase,
    AnalysisRunSpec,
    AnalysisRunStatus,
    Measurement,
    Metric,
    PrometheusProvider,
)
from sim.paths.agenda import Agenda, Times

ENDLESS = 10**9
METRICS = st.builds(
    Metric,
    name=st.just("m"),
    providers=st.just((PrometheusProvider("up"),)),
    interval=st.sampled_from([None, "1500ms", "7s", "1m", "300ms"]),
    initial_delay=st.sampled_from([None, "0s", "5s", "2500ms"]),
    failure_limit=st.just(-1),
    consecutive_error_limit=st.just(ENDLESS),
)
RUNNING, ERROR, GOOD = AnalysisPhase.RUNNING, AnalysisPhase.ERROR, AnalysisPhase.SUCCESSFUL


@given(
    metrics=st.lists(METRICS, min_size=1, max_size=3),
    phases=st.lists(st.sampled_from([GOOD, GOOD, ERROR, RUNNING]), min_size=40, max_size=40),
    resumes=st.lists(st.sampled_from([None, 3.3, 11.0]), min_size=40, max_size=40),
    latencies=st.lists(st.sampled_from([0.0, 0.05, 0.3]), min_size=3, max_size=3),
    start_s=st.sampled_from([0.0, 12.345, 59.9995]),
)
def test_both_measure_at_the_same_instants(
    metrics: list[Metric],
    phases: list[AnalysisPhase],
    resumes: list[float | None],
    latencies: list[float],
    start_s: float,
) -> None:
    named = tuple(replace_name(metric, f"m{place}") for place, metric in enumerate(metrics))
    spec, status = AnalysisRunSpec("run", named), AnalysisRunStatus()
    agenda, now_s = Agenda([Times.of(metric) for metric in named]), start_s
    for passed in range(12):
        tasks = analysis.due(spec, status, now_s)
        assert [f"m{place}" for place in agenda.due(now_s)] == [task.metric.name for task in tasks]
        measurements, end_s = {}, now_s
        for place in agenda.due(now_s):
            phase, resume_s = phases[(passed * 3 + place) % 40], resumes[(passed * 3 + place) % 40]
            ended_s = now_s + latencies[place]
            begun_s = agenda.entries[place].begun_s
            begun_s = now_s if begun_s is None else begun_s
            if phase is RUNNING:
                again_s = None if resume_s is None else now_s + resume_s
                measurements[f"m{place}"] = Measurement(phase, started_s=begun_s, resume_at_s=again_s)
                agenda.wait(place, begun_s, again_s)
            else:
                measurements[f"m{place}"] = Measurement(phase, started_s=begun_s, finished_s=ended_s)
                agenda.finish(place, ended_s, erred=phase is ERROR)
                done = named[place].interval is None and phase is GOOD
                agenda.entries[place].done |= done
            end_s = max(end_s, ended_s)
        before, status = status, analysis.record(spec, status, measurements, end_s)
        agenda.pass_over(end_s)
        assert agenda.is_over is status.phase.is_completed
        if agenda.is_over:
            return
        waiting = [(f"m{place}", begun_s) for place, begun_s in agenda.unplanned()]
        assert sorted(waiting) == sorted(unplanned(status, end_s))
        next_s = analysis.next_time_s(spec, status, end_s, changed=status != before)
        assert agenda.next_s(end_s) == next_s
        if next_s is None:
            return
        now_s = max(next_s, end_s)


def replace_name(metric: Metric, name: str) -> Metric:
    return Metric(
        name,
        metric.providers,
        metric.interval,
        metric.initial_delay,
        failure_limit=metric.failure_limit,
        consecutive_error_limit=metric.consecutive_error_limit,
    )
