# ruff: noqa: PLR0913, PLR0917 - a record would be an allocation for every request
"""What is done to attempts in flight when something changes, and to proxies' knowledge of them."""

from __future__ import annotations

from math import inf

import numpy as np
from numpy.typing import NDArray

from sim.traffic.jit import kernel, part
from sim.traffic.serve import RESET, answer_slot, count_answer, note_start, occupy, take
from sim.traffic.state import FLYING, Carried, Client, Mesh, Pods, Row, Tally
from sim.traffic.tries import outcome_of, settle_any
from sim.traffic.watching import catch_up, forget_after, look_ahead, look_around, note


@part
def forget(mesh: Mesh, pod: int, now_s: float) -> None:
    """No proxy knows any more how its requests to a pod will end."""
    for row in range(len(mesh.rows)):
        if mesh.rows[row]["pod"] == pod:
            forget_after(mesh, row, now_s)
            look_ahead(mesh, row)
    for seat in range(len(mesh.seats)):
        look_around(mesh, seat)


@part
def is_known(mesh: Mesh, flight: Row, now_s: float) -> bool:
    """Whether a proxy still counts an attempt: somebody waits for it, and its host has not left the cluster since."""
    row = flight["row"]
    return bool(row >= 0 and flight["ends"] > now_s and mesh.rows[row]["pod"] == flight["pod"])


@kernel
def observe(mesh: Mesh, now_s: float) -> None:
    """Every proxy learns what has ended by now."""
    for seat in range(len(mesh.seats)):
        if mesh.seats[seat]["watched"] == 1:
            catch_up(mesh, seat, now_s)


@kernel
def resume(client: Client, pods: Pods, tally: Tally, carried: Carried, mesh: Mesh, horizon_s: float) -> None:
    """Bring what is in flight forward to the horizon; the caller has made room for a retry of each."""
    flights = carried.flights
    kept = 0
    for k in range(carried.sizes[FLYING]):
        flight = flights[k]
        settle_any(client, pods, tally, carried, mesh, flight, horizon_s)
        if flight["finish"] < horizon_s:
            latency = flight["finish"] - flight["arrived"]
            count_answer(pods, tally, flight["pod"], flight["slot"], latency)
        else:
            flights[kept] = flights[k]
            kept += 1
    carried.sizes[FLYING] = kept


@part
def idle(pods: Pods, pod: int, now_s: float) -> None:
    """All servers of a pod are free from now on and nobody waits."""
    row = pods.rows[pod]
    row["first"] = 0
    row["queued"] = 0
    pods.free[pod, : row["servers"]] = now_s


@kernel
def reset(client: Client, pods: Pods, tally: Tally, carried: Carried, mesh: Mesh, pod: int, now_s: float) -> None:
    """Everything a pod has in flight is answered 502 now."""
    flights = carried.flights
    forget(mesh, pod, now_s)
    kept = 0
    for k in range(carried.sizes[FLYING]):
        flight = flights[k]
        if flight["pod"] == pod:
            flight["finish"] = now_s
            flight["slot"] = RESET
            if is_known(mesh, flight, now_s):
                note(mesh, flight["seat"], flight["row"], now_s, mesh.kinds[RESET])
            settle_any(client, pods, tally, carried, mesh, flight, inf)
            count_answer(pods, tally, pod, RESET, now_s - flight["arrived"])
        else:
            flights[kept] = flights[k]
            kept += 1
    carried.sizes[FLYING] = kept
    idle(pods, pod, now_s)


@kernel
def replan(client: Client, pods: Pods, carried: Carried, mesh: Mesh, changed: NDArray[np.bool_], now_s: float) -> None:
    """Plan what waits at the pods of these rows anew, in order of arrival: their effects have changed.

    What is in service stays.
    """
    flights = carried.flights
    for pod in range(len(changed)):
        if changed[pod]:
            idle(pods, pod, now_s)
            forget(mesh, pod, now_s)
    for k in range(carried.sizes[FLYING]):
        flight = flights[k]
        if changed[flight["pod"]] and flight["start"] <= now_s:
            take(pods, flight["pod"], now_s, flight["finish"])
    for k in range(carried.sizes[FLYING]):
        flight = flights[k]
        if changed[flight["pod"]] and flight["start"] > now_s:
            pod = flight["pod"]
            start, finish = occupy(pods, pod, now_s, flight["base"])
            flight["start"] = start
            flight["finish"] = finish
            flight["slot"] = answer_slot(pods, pod, flight["error"])
            if pods.rows[pod]["limit"] >= 0:
                note_start(pods, pod, start)
    for k in range(carried.sizes[FLYING]):
        flight = flights[k]
        if changed[flight["pod"]] and is_known(mesh, flight, now_s):
            leaves = flight["begun"] + client.timeout_s
            outcome = outcome_of(mesh, flight["slot"], flight["finish"], flight["ends"], leaves)
            note(mesh, flight["seat"], flight["row"], min(flight["finish"], flight["ends"]), outcome)
