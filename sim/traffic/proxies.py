"""The proxies between clients and pods: their arrays, kept from one set of routes to the next."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Final

import numpy as np

from sim.model.network import OutlierDetection
from sim.traffic.fleet import Fleet, lengthened, widened
from sim.traffic.routes import starts
from sim.traffic.serve import LATE, REFUSED, RESET
from sim.traffic.state import GATEWAY, GOOD, LOCAL, POLICY, ROW, SEAT, SERVER, Mesh
from sim.traffic.values import Balancing, Cluster, Counts, Handling, Pool, Route

BALANCINGS: Final = (Balancing.RANDOM, Balancing.ROUND_ROBIN, Balancing.LEAST_REQUEST)
FIRST_ROOM: Final = 64
NOBODY: Final = Handling()


class Proxies:
    """What the proxies know and do; ``in_use`` from the first route that needs them on."""

    def __init__(self, count: int, balancing: Balancing) -> None:
        self.in_use = False
        self._balancing = balancing
        self._seat_of: dict[str, int] = {}
        self._row_of: dict[tuple[int, int], int] = {}
        self._next_row = 0
        self._handlings: list[Handling] = []
        self._codes = 0
        none = np.zeros(0, dtype=np.int64)
        self._mesh = Mesh(
            proxies=count,
            policy_of=none,
            seat_of=none,
            mirrors_from=none,
            mirror_share=np.zeros(0),
            mirror_seat=none,
            policies=np.zeros(0, dtype=POLICY),
            again=np.zeros((0, 0), dtype=np.bool_),
            kinds=none,
            seats=np.zeros(0, dtype=SEAT),
            members=none,
            chosen=none,
            rows=np.zeros(0, dtype=ROW),
            ends=np.zeros((0, FIRST_ROOM)),
            outcomes=np.zeros((0, FIRST_ROOM), dtype=np.int64),
            flags=np.zeros(1, dtype=np.int64),
        )

    def are_needed(self, routes: Sequence[Route]) -> bool:
        """Whether these routes, or any before, have proxies do more than pass requests on."""
        self.in_use = self.in_use or are_more_than_passages(routes)
        return self.in_use

    def mesh(self, fleet: Fleet) -> Mesh:
        """The arrays, for the statuses that there are by now."""
        if self._codes != len(fleet.codes):
            self._codes = len(fleet.codes)
            again = [
                [_tries_again(one, slot, code) for slot, code in enumerate(fleet.codes)] for one in self._handlings
            ]
            self._mesh = self._mesh._replace(
                kinds=np.array([_kind(slot, code) for slot, code in enumerate(fleet.codes)], dtype=np.int64),
                again=np.array(again, dtype=np.bool_).reshape(len(self._handlings), len(fleet.codes)),
            )
        return self._mesh

    def make_room(self) -> None:
        """Longer memories, where one was nearly full."""
        mesh = self._mesh
        if mesh.flags[0] == 1:
            columns = 2 * mesh.ends.shape[1]
            self._mesh = mesh._replace(ends=widened(mesh.ends, columns), outcomes=widened(mesh.outcomes, columns))
            mesh.flags[0] = 0

    def arrange(self, routes: Sequence[Route], fleet: Fleet, now_s: float) -> None:
        """Follow new routes; hosts that stay are remembered, those that have left are forgotten."""
        kept = [route for route in routes if route.share > 0] or [Route(1.0, ())]
        pools = [pool for route in kept for pool in [p for p in route.pools if p.weight > 0] or [Pool(1.0, ())]]
        mirrors = [[pool for pool in route.mirrors if pool.pods] for route in kept]
        copies = [pool for of_route in mirrors for pool in of_route]
        self._seat([pool for pool in (*pools, *copies) if _is_seated(pool)], now_s)
        policies = [self._policy(route.handling, fleet) for route in kept]
        self._codes = 0  # handlings and statuses may be new
        self._mesh = self._mesh._replace(
            policy_of=np.array(policies, dtype=np.int64),
            seat_of=np.array([self._seat_of[self._name(p)] if _is_seated(p) else -1 for p in pools], dtype=np.int64),
            mirrors_from=starts([len(of_route) for of_route in mirrors]),
            mirror_share=np.array([pool.weight for pool in copies], dtype=np.float64),
            mirror_seat=np.array([self._seat_of[self._name(pool)] for pool in copies], dtype=np.int64),
        )

    def refused(self) -> dict[str, int]:
        """Requests that proxies answered themselves, by cluster: there was no host, or too many were under way."""
        count, seats = self._mesh.proxies, self._mesh.seats["refused"]
        return {name: int(seats[seat : seat + count].sum()) for name, seat in self._seat_of.items()}

    @property
    def is_ejecting(self) -> bool:
        """Whether any host of any cluster is left out."""
        return bool(self._mesh.seats["ejected"].any())

    def begin_anew(self) -> None:
        """Nothing is under way any more; what has been learnt of hosts stays."""
        self._mesh.rows["count"] = self._mesh.rows["first"] = 0
        self._mesh.rows["error_at"] = self._mesh.seats["soonest"] = inf

    def counted(self) -> Counts:
        """A copy of what has been answered here, by seat."""
        return self._mesh.seats["refused"].copy()

    def recount(self, kept: Counts) -> None:
        """Go back to these counts; seats that have come since start from none."""
        self._mesh.seats["refused"] = 0
        self._mesh.seats["refused"][: len(kept)] = kept

    def _name(self, pool: Pool) -> str:
        return pool.cluster.name if pool.cluster is not None else f"#{pool.pods}"

    def _policy(self, handling: Handling, fleet: Fleet) -> int:
        if handling not in self._handlings:
            self._handlings.append(handling)
            row = (
                handling.retries,
                inf if handling.per_try_s is None else handling.per_try_s,
                inf if handling.timeout_s is None else handling.timeout_s,
                handling.delay_s,
                handling.delay_share,
                fleet.slot_of(handling.abort_status) if handling.abort_status else 0,
                handling.abort_share,
                int(handling.retry_late),
            )
            table = np.array([row], dtype=POLICY)
            self._mesh = self._mesh._replace(policies=np.concatenate([self._mesh.policies, table]))
        return self._handlings.index(handling)

    def _seat(self, pools: Sequence[Pool], now_s: float) -> None:
        """Seats for every cluster, and rows for every host of them."""
        clusters = {self._name(pool): pool for pool in pools}
        for name in clusters:
            self._seat_of.setdefault(name, len(self._seat_of) * self._mesh.proxies)
        fresh = len(self._mesh.seats)
        seats = lengthened(self._mesh.seats, len(self._seat_of) * self._mesh.proxies)
        seats["born"][fresh:] = now_s
        self._mesh = self._mesh._replace(seats=seats)
        for place in seats:
            place["hosts"], place["healthy"], place["ejected"] = 0, 0, 0
        members: list[int] = []
        for name, pool in clusters.items():
            for seat in range(self._seat_of[name], self._seat_of[name] + self._mesh.proxies):
                _furnish(seats[seat], pool.cluster or Cluster(name, self._balancing))
                seats[seat]["first"], seats[seat]["hosts"] = len(members), len(pool.pods)
                members += [self._row(seat, pod + 1) for pod in pool.pods]
        self._mesh = self._mesh._replace(
            members=np.array(members, dtype=np.int64), chosen=np.array(members, dtype=np.int64)
        )
        self._forget(set(members))
        for seat in range(len(seats)):
            _regroup(self._mesh, seat)

    def _row(self, seat: int, pod: int) -> int:
        key = (seat, pod)
        if key not in self._row_of:
            row = self._row_of[key] = self._next_row
            self._next_row += 1
            room = max(row + 1, len(self._mesh.rows))
            if room > len(self._mesh.rows):
                room *= 2
                fresh = len(self._mesh.rows)
                rows = lengthened(self._mesh.rows, room)
                rows["error_at"][fresh:], rows["back_at"][fresh:], rows["pod"][fresh:] = inf, -inf, -1
                self._mesh = self._mesh._replace(
                    rows=rows, ends=lengthened(self._mesh.ends, room), outcomes=lengthened(self._mesh.outcomes, room)
                )
            self._mesh.rows[row]["pod"] = pod
        return self._row_of[key]

    def _forget(self, members: set[int]) -> None:
        """A host that leaves a cluster and comes back is a new one; what is under way to the old one counts no more."""
        for key, row in list(self._row_of.items()):
            if row not in members:
                del self._row_of[key]
                self._mesh.rows[row]["pod"] = -1


def _is_seated(pool: Pool) -> bool:
    """Whether proxies know of a pool: a cluster, even an empty one, or pods."""
    return bool(pool.pods) or pool.cluster is not None


def _furnish(place: np.void, cluster: Cluster) -> None:
    """The settings of a cluster."""
    outlier = cluster.outlier
    least = cluster.balancing is Balancing.LEAST_REQUEST
    place["balancing"] = BALANCINGS.index(cluster.balancing)
    place["limit"] = -1 if cluster.limit is None else cluster.limit
    place["watched"] = int(outlier is not None)
    place["counted"] = int(least or cluster.limit is not None or outlier is not None)
    one = outlier or OutlierDetection()
    place["split"] = int(one.split)
    # A threshold of 0 never ejects; no count ever equals -1.
    place["c5"], place["cg"], place["cl"] = (
        one.consecutive_5xx or -1,
        one.consecutive_gateway or -1,
        one.consecutive_local,
    )
    place["max_percent"], place["min_health"] = min(100, one.max_ejection_percent), one.min_health_percent
    place["interval"], place["base"] = one.interval_s, one.base_ejection_s


def _regroup(mesh: Mesh, seat: int) -> None:
    """Ejected and healthy hosts of a seat, and its next known error, after its members have changed."""
    place = mesh.seats[seat]
    rows = mesh.members[place["first"] : place["first"] + place["hosts"]]
    out = [row for row in rows if mesh.rows[row]["ejected"]]
    place["ejected"] = len(out)
    panic = len(rows) > 0 and 100.0 * (len(rows) - len(out)) / len(rows) < place["min_health"]
    healthy = rows if panic else [row for row in rows if row not in out]
    mesh.chosen[place["first"] : place["first"] + len(healthy)] = healthy
    place["healthy"] = len(healthy)
    place["soonest"] = min((float(mesh.rows[row]["error_at"]) for row in rows), default=inf)


def _kind(slot: int, code: int) -> int:
    """What a detector makes of an answer (Envoy's outlier_detection_impl.cc)."""
    if slot in {REFUSED, RESET, LATE}:
        return LOCAL
    if code in {502, 503, 504}:
        return GATEWAY
    return SERVER if code >= 500 else GOOD


def _tries_again(handling: Handling, slot: int, code: int) -> bool:
    named = {REFUSED: handling.retry_refused, RESET: handling.retry_reset, LATE: handling.retry_late}
    return named.get(slot, code in handling.retry_on)


def are_more_than_passages(routes: Sequence[Route]) -> bool:
    """Whether proxies do more for these routes than pass requests on."""
    return any(
        route.handling != NOBODY or bool(route.mirrors) or any(pool.cluster for pool in route.pools) for route in routes
    )
