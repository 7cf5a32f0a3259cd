"""What a proxy remembers of the hosts of a cluster: requests under way, errors in a row, ejections.

Ejection follows Envoy's ``source/common/upstream/outlier_detection_impl.cc``: errors in a row eject at once, an ejected
host is looked at once an interval.
"""

from __future__ import annotations

from math import inf
from typing import Final

from sim.traffic.jit import part
from sim.traffic.state import GATEWAY, GONE, GOOD, LOCAL, SERVER, Mesh

LONGEST_S: Final = 300.0
"""Longest ejection, unless the shortest is longer."""
SLACK: Final = 16
"""Free places below which a row of ends counts as nearly full."""


@part
def note(mesh: Mesh, seat: int, row: int, end_s: float, outcome: int) -> None:
    """A request to a host is under way until ``end_s`` and will count as ``outcome``."""
    host = mesh.rows[row]
    ends, outcomes = mesh.ends[row], mesh.outcomes[row]
    first, count = host["first"], host["count"]
    if first + count == len(ends):
        for k in range(count):
            ends[k] = ends[first + k]
            outcomes[k] = outcomes[first + k]
        first = 0
        host["first"] = 0
    place = first + count
    while place > first and ends[place - 1] > end_s:
        ends[place] = ends[place - 1]
        outcomes[place] = outcomes[place - 1]
        place -= 1
    ends[place] = end_s
    outcomes[place] = outcome
    host["count"] = count + 1
    if count + SLACK > len(ends):
        mesh.flags[0] = 1
    if outcome in (SERVER, GATEWAY, LOCAL):
        host["error_at"] = min(host["error_at"], end_s)
        mesh.seats[seat]["soonest"] = min(mesh.seats[seat]["soonest"], end_s)


@part
def forget_after(mesh: Mesh, row: int, now_s: float) -> None:
    """Drop the ends after now: they will come otherwise."""
    host = mesh.rows[row]
    while host["count"] > 0 and mesh.ends[row, host["first"] + host["count"] - 1] > now_s:
        host["count"] -= 1


@part
def look_ahead(mesh: Mesh, row: int) -> None:
    """When the next known error of a host comes."""
    host = mesh.rows[row]
    host["error_at"] = inf
    for k in range(host["first"], host["first"] + host["count"]):
        if mesh.outcomes[row, k] in (SERVER, GATEWAY, LOCAL):
            host["error_at"] = mesh.ends[row, k]
            return


@part
def look_around(mesh: Mesh, seat: int) -> None:
    """When the next known error of any host comes."""
    place = mesh.seats[seat]
    soonest = inf
    for k in range(place["first"], place["first"] + place["hosts"]):
        soonest = min(soonest, mesh.rows[mesh.members[k]]["error_at"])
    place["soonest"] = soonest


@part
def settle_row(mesh: Mesh, seat: int, row: int, until_s: float) -> None:
    """Count every end up to an instant, in order."""
    host = mesh.rows[row]
    while host["count"] > 0 and mesh.ends[row, host["first"]] <= until_s:
        end_s, outcome = mesh.ends[row, host["first"]], mesh.outcomes[row, host["first"]]
        host["first"] += 1
        host["count"] -= 1
        if mesh.seats[seat]["watched"] == 1:
            judge(mesh, seat, row, end_s, outcome)


@part
def judge(mesh: Mesh, seat: int, row: int, now_s: float, outcome: int) -> None:
    """One end of a request, as the detector counts it."""
    if outcome == GONE:
        return
    place, host = mesh.seats[seat], mesh.rows[row]
    if place["split"] == 1:
        if outcome == LOCAL:
            host["cl"] += 1
            if host["cl"] == place["cl"] and host["ejected"] == 0:
                eject(mesh, seat, row, now_s)
                host["cl"] = 0
            return
        host["cl"] = 0
    if outcome == GOOD:
        host["c5"] = 0
        host["cg"] = 0
        return
    if outcome == SERVER:
        host["cg"] = 0
    else:
        host["cg"] += 1
        if host["cg"] == place["cg"] and host["ejected"] == 0:
            eject(mesh, seat, row, now_s)
            host["cg"] = 0
    host["c5"] += 1
    if host["c5"] == place["c5"] and host["ejected"] == 0:
        eject(mesh, seat, row, now_s)
        host["c5"] = 0


@part
def eject(mesh: Mesh, seat: int, row: int, now_s: float) -> None:
    """Take a host out, if not too many are out then.

    Since Envoy 1.28, and so in every Istio since 1.20, the percentage holds for the first host too: of fewer than 10 hosts
    the default of 10 % ejects none (envoy changelogs/1.28.0.yaml, ``check_mep_on_first_eject``; its ``always_eject_one_host``
    of 1.31 is never written by Istio, cluster_traffic_policy.go).
    """
    place, host = mesh.seats[seat], mesh.rows[row]
    out = place["ejected"]
    if 100.0 * (out + 1) / place["hosts"] > place["max_percent"]:
        return
    host["ejected"] = 1
    host["ejected_at"] = now_s
    longest = max(LONGEST_S, place["base"])
    if host["times"] * place["base"] < longest + place["base"]:
        host["times"] += 1
    place["ejected"] = out + 1
    regroup(mesh, seat)


@part
def regroup(mesh: Mesh, seat: int) -> None:
    """The hosts that may be chosen: those not ejected, or all of them where too few are left."""
    place = mesh.seats[seat]
    first, hosts = place["first"], place["hosts"]
    left = hosts - place["ejected"]
    everybody = hosts > 0 and 100.0 * left / hosts < place["min_health"]
    kept = 0
    for k in range(first, first + hosts):
        if everybody or mesh.rows[mesh.members[k]]["ejected"] == 0:
            mesh.chosen[first + kept] = mesh.members[k]
            kept += 1
    place["healthy"] = kept


@part
def sweep(mesh: Mesh, seat: int, now_s: float) -> None:
    """The look at ejected hosts once an interval: those whose time is over come back."""
    place = mesh.seats[seat]
    back = 0
    for k in range(place["first"], place["first"] + place["hosts"]):
        host = mesh.rows[mesh.members[k]]
        if host["ejected"] == 1:
            length = min(place["base"] * host["times"], max(LONGEST_S, place["base"]))
            if length <= now_s - host["ejected_at"]:
                host["ejected"] = 0
                host["c5"] = 0
                host["cg"] = 0
                host["cl"] = 0
                host["back_at"] = now_s
                back += 1
        elif host["times"] > 0 and now_s - host["back_at"] >= place["interval"]:
            host["times"] -= 1
    if back > 0:
        place["ejected"] -= back
        regroup(mesh, seat)


@part
def catch_up(mesh: Mesh, seat: int, now_s: float) -> None:
    """Everything that a proxy has learnt of a watched cluster by now: errors and sweeps, in order of time."""
    place = mesh.seats[seat]
    while True:
        swept = place["born"] + (place["sweeps"] + 1) * place["interval"]
        if min(swept, place["soonest"]) > now_s:
            return
        if swept <= place["soonest"]:
            place["sweeps"] += 1
            sweep(mesh, seat, swept)
            continue
        for k in range(place["first"], place["first"] + place["hosts"]):
            row = mesh.members[k]
            if mesh.rows[row]["error_at"] == place["soonest"]:
                settle_row(mesh, seat, row, place["soonest"])
                look_ahead(mesh, row)
        look_around(mesh, seat)
