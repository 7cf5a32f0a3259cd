from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from sim.model.behaviour import Delay, Shape, VersionBehaviour
from sim.model.load import Client, LoadShape, Stage
from sim.streams import Streams
from sim.traffic import Balancing, DataPlane, Look, PodEffects, PodSample, WindowCount
from sim.traffic import fine as fine_of
from sim.traffic.values import Counts
from tests.traffic.setups import SETUPS, SLOW, Setup, one_pool, split

LOAD = LoadShape((Stage(60.0, 100.0),))


def fine(sample: PodSample) -> list[int]:
    assert sample.fine is not None
    counts: list[int] = sample.fine.tolist()
    return counts


def play(setup: Setup, cuts: list[float]) -> tuple[list[PodSample], tuple[WindowCount, ...]]:
    plane = DataPlane(setup.shape(), setup.client, Streams(3), start_s=setup.start_s)
    setup.begin(plane)
    happenings = [(at, 1, action) for at, action in setup.actions] + [(cut, 0, lambda _: None) for cut in cuts]
    for at, _, action in sorted(happenings, key=lambda row: row[:2]):
        plane.advance(at)
        action(plane)
    plane.advance(setup.end_s)
    pods = sum(1 for behaviour in plane._fleet.behaviours if behaviour is not None)
    return [plane.pod_sample(pod) for pod in range(pods)], plane.take_window()


@pytest.mark.parametrize("name", ["retry-storm", "crash-patient", "canary", "full-queues", "overload"])
@settings(max_examples=12, deadline=None, derandomize=True)
@given(cuts=some.lists(some.floats(0.0, 1.0), max_size=30))
def test_where_time_is_cut_changes_nothing(name: str, cuts: list[float]) -> None:
    setup = SETUPS[name]
    width_s = setup.end_s - setup.start_s
    whole, cut = play(setup, []), play(setup, [setup.start_s + width_s * part for part in cuts])
    assert whole[1] == cut[1]
    for one, other in zip(whole[0], cut[0], strict=True):
        assert (one.statuses, one.bucket_counts, one.latency_sum_s) == (
            other.statuses,
            other.bucket_counts,
            other.latency_sum_s,
        )
        assert fine(one) == fine(other)


def test_uncompiled_code_gives_the_same_bits() -> None:
    program = (
        "import numba; from tests.traffic.setups import SETUPS; from tests.traffic.test_plane import fine, play\n"
        "assert numba.config.DISABLE_JIT\n"
        "print([(dict(pod.statuses), pod.latency_sum_s.hex(), fine(pod)) for pod in play(SETUPS['retry-storm'], [])[0]])"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-c", program],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        check=True,
        capture_output=True,
        text=True,
    )
    pods = play(SETUPS["retry-storm"], [])[0]
    assert done.stdout.strip() == str([(dict(pod.statuses), pod.latency_sum_s.hex(), fine(pod)) for pod in pods])


ROOMY = replace(SLOW, concurrency=50)


def one_pod(behaviour: VersionBehaviour = ROOMY, start_s: float = 0.0, client: Client | None = None) -> DataPlane:
    plane = DataPlane(LOAD, client or Client(), Streams(1), start_s=start_s)
    plane.set_routes(one_pool(plane.add_pod(behaviour, 0)))
    return plane


def test_warm_up_does_not_shift_the_arrivals_after_it() -> None:
    warm, cold = one_pod(start_s=-70.0), one_pod()
    warm.advance(0.0)
    warm.take_window()
    for plane in (warm, cold):
        plane.advance(33.0)
    assert warm.offered_rps(0) == pytest.approx(cold.offered_rps(0), rel=0.02)  # only retries may differ


def test_a_request_finds_the_same_pod_whatever_the_version_behind_it() -> None:
    sent = []
    for behaviour in (SLOW, VersionBehaviour("v2", Delay(0.5, Shape.CONSTANT), ((500, 0.5),))):
        plane = DataPlane(LOAD, Client(retries=0), Streams(1))
        pods = [plane.add_pod(behaviour, 0) for _ in range(5)]
        plane.set_routes(one_pool(*pods))
        plane.advance(20.0)
        sent.append([plane.offered_rps(pod) for pod in pods])
    assert sent[0] == sent[1]


def test_round_robin_deals_evenly() -> None:
    plane = DataPlane(LOAD, Client(retries=0), Streams(1), balancing=Balancing.ROUND_ROBIN)
    pods = [plane.add_pod(SLOW, 0) for _ in range(3)]
    plane.set_routes(one_pool(*pods))
    plane.advance(10.0)
    sent = [round(plane.offered_rps(pod) * 10) for pod in pods]
    assert max(sent) - min(sent) <= 1


def test_effects_come_before_the_versions_own_errors() -> None:
    plane = one_pod(VersionBehaviour("v1", Delay(0.0), ((500, 0.3),)), client=Client(retries=0))
    plane.set_effects(0, PodEffects(errors=((429, 0.9),)))
    plane.advance(60.0)
    statuses = plane.pod_sample(0).statuses
    total = sum(statuses.values())
    assert 200 not in statuses
    assert statuses[429] / total == pytest.approx(0.9, abs=0.02)
    assert statuses[500] / total == pytest.approx(0.1, abs=0.02)


def test_effects_are_replaced_not_added() -> None:
    plane = one_pod(VersionBehaviour("v1", Delay(0.0), ()))
    plane.set_effects(0, PodEffects(errors=((500, 1.0),)))
    plane.set_effects(0, PodEffects())
    plane.advance(10.0)
    assert set(plane.pod_sample(0).statuses) == {200}


def test_a_crash_answers_everything_at_once() -> None:
    plane = one_pod(VersionBehaviour("v1", Delay(50.0, Shape.CONSTANT), (), concurrency=1), client=Client(None, 0))
    plane.advance(10.0)
    sent = round(plane.offered_rps(0) * 10)
    assert plane.pod_sample(0).statuses == {}
    plane.crash_pod(0)
    assert plane.pod_sample(0).statuses == {502: sent}
    (window,) = plane.take_window()
    assert (window.client_requests, window.client_failures) == (sent, sent)


def test_a_drained_pod_finishes_what_it_has() -> None:
    plane = one_pod(VersionBehaviour("v1", Delay(5.0, Shape.CONSTANT), (), concurrency=1000), client=Client(None, 0))
    plane.advance(4.0)
    plane.set_routes(())
    plane.drain_pod(0)
    sent = round(plane.offered_rps(0) * 4)
    plane.advance(20.0)
    assert plane.pod_sample(0).statuses == {200: sent}


def test_a_pod_still_routed_to_cannot_be_drained() -> None:
    with pytest.raises(ValueError, match="still in the routes"):
        one_pod().drain_pod(0)


def test_no_pod_is_503_of_the_group_none() -> None:
    plane = DataPlane(LOAD, Client(), Streams(1))
    plane.set_routes(split(50.0, (plane.add_pod(ROOMY, 0),), ()))
    plane.advance(10.0)
    none, stable = plane.take_window()
    assert (none.group, stable.group) == (-1, 0)
    assert set(dict(none.statuses)) == {503}
    assert none.client_failures == none.client_requests > 0
    assert stable.client_requests > 400


def test_time_does_not_go_back() -> None:
    plane = one_pod()
    plane.advance(5.0)
    plane.advance(5.0)
    with pytest.raises(ValueError, match="already at 5"):
        plane.advance(4.0)


def test_routes_name_known_pods() -> None:
    with pytest.raises(ValueError, match=r"never added: \[3\]"):
        one_pod().set_routes(one_pool(3))


def test_a_share_of_the_load_is_that_share() -> None:
    plane = DataPlane(LOAD, Client(retries=0), Streams(1), share=0.25)
    plane.set_routes(one_pool(plane.add_pod(SLOW, 0)))
    plane.advance(100.0)
    assert plane.offered_rps(0) == pytest.approx(25.0, abs=2.0)


def test_without_a_server_there_is_no_pod() -> None:
    with pytest.raises(ValueError, match="concurrency"):
        one_pod(replace(SLOW, concurrency=0))


@pytest.mark.parametrize("name", sorted(SETUPS))
def test_many_readings_at_once_are_those_that_single_ones_give(name: str) -> None:
    setup = SETUPS[name]
    looks_s, ends_s = (3.0, 7.5, 9.0), (5.0, 7.5, 9.5)
    at_once, singly = (DataPlane(setup.shape(), setup.client, Streams(3), start_s=setup.start_s) for _ in range(2))
    for plane in (at_once, singly):
        setup.begin(plane)
    pods = tuple(range(len(setup.pods)))
    seen = at_once.observe([Look(looks_s, pods, fine=True)], ends_s)
    (samples,), windows = seen.samples, seen.windows
    assert windows is not None
    assert at_once.now_s == 9.5
    for instant_s in sorted({*looks_s, *ends_s}):
        singly.advance(instant_s)
        if instant_s in looks_s:
            at = looks_s.index(instant_s)
            for pod in pods:
                sample = singly.pod_sample(pod)
                assert statuses(samples.codes, samples.answers[at, pod]) == sample.statuses
                assert tuple(samples.buckets[at, pod]) == sample.bucket_counts
                assert samples.latency_sum_s[at, pod] == sample.latency_sum_s
                assert samples.fine[at, pod].tolist() == (
                    fine(sample) if sample.fine is not None else [0] * fine_of.BINS
                )
        if instant_s in ends_s:
            at = ends_s.index(instant_s)
            singly_taken = {one.group: one for one in singly.take_window()}
            assert singly_taken.keys() <= set(windows.groups)
            for place, group in enumerate(windows.groups):
                clients = tuple(windows.clients[at, place])
                if group not in singly_taken:
                    assert not any(clients)
                    continue
                one = singly_taken[group]
                assert tuple(statuses(windows.codes, windows.answers[at, place]).items()) == one.statuses
                assert tuple(windows.buckets[at, place]) == one.latency_counts
                assert windows.latency_sum_s[at, place] == one.latency_sum_s
                assert clients == (one.client_requests, one.client_failures, one.timeouts, one.retries)
    assert [at_once.offered_rps(pod) for pod in pods] == [singly.offered_rps(pod) for pod in pods]


def statuses(codes: tuple[int, ...], answers: Counts) -> dict[int, int]:
    found: Counter[int] = Counter()
    for code, count in sorted(zip(codes, answers.tolist(), strict=True)):
        found[code] += count
    return {code: count for code, count in found.items() if count}
