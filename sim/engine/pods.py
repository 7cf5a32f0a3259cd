"""One pod from creation to its end: placed, pulled, started, probed, ready; crashed and restarted; terminated."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Final

from simpy import Interrupt
from simpy.events import Event

from sim.decide.probes import outlook
from sim.engine.backoff import BackOff
from sim.engine.clock import Rank
from sim.engine.cluster import Node
from sim.engine.endpoint import Endpoint
from sim.engine.revision import Avoidance, Revision
from sim.engine.site import PodSite
from sim.model.behaviour import Delay
from sim.model.records import PodRecord
from sim.traffic import PodEffects, PodSample

Life = Generator[Event, Any, None]

NODE_GRACE_S: Final = 40.0
"""node-monitor-grace-period: a lost node's pods count as ready that long."""
NODE_EVICTION_S: Final = 300.0
"""Default toleration of an unreachable node: only then are its pods replaced."""
LINGER_S: Final = 30.0
"""How long a terminating pod goes on where clients never give up."""
REFUSING: Final = PodEffects(errors=((503, 1.0),), refuses=True)


@dataclass(frozen=True, slots=True)
class Crash:
    """Why a container ended (cause of an interrupt)."""

    reason: str


@dataclass(frozen=True, slots=True)
class Lost:
    """The node is gone (cause of an interrupt)."""


@dataclass(frozen=True, slots=True)
class Deleted:
    """The API object was deleted (cause of an interrupt)."""


@dataclass(frozen=True, slots=True)
class Killed:
    """The API object was deleted without grace (cause of an interrupt)."""


class Pod:
    """A pod and its process; a ``standing`` pod has been ready since before the run began."""

    def __init__(
        self, site: PodSite, name: str, revision: Revision, avoids: Avoidance, *, standing: bool = False
    ) -> None:
        self._site = site
        self._ground = site.ground
        self.name = name
        self.revision = revision
        self.avoids = avoids
        self.requests = (revision.template.cpu_request, revision.template.memory_request)
        self.node: Node | None = None
        self.created_s = self._ground.clock.now
        self.started_s: float | None = None
        self.up_s = 0.0
        self.ready_s: float | None = None
        self.index: int | None = None
        self.deleted = False
        self.gone = False
        self.refusing = False
        self.past: list[PodSample] = []
        """Totals of containers that ended: agents that count deltas carry on after a restart."""
        self._bound_s = self.created_s
        self._back_off = BackOff()
        self._stands = standing
        self._ending = False
        self._crashing = False
        self._endpoint = Endpoint(site.ground, revision.side)
        self._process = self._ground.clock.process(self._life(standing=standing))
        self._ground.stir()

    @property
    def revision_hash(self) -> str:
        """Hash of the pod's revision."""
        return self.revision.hash

    @property
    def routed(self) -> int | None:
        """Its data-plane index while routers send it traffic, else None."""
        return self._endpoint.routed

    @property
    def is_up(self) -> bool:
        """Whether the application itself can answer."""
        return self.started_s is not None and self.up_s <= self._ground.clock.now and not self.refusing

    def available(self, min_ready_s: float) -> bool:
        """Ready for at least ``min_ready_s``."""
        return self.ready_s is not None and self.ready_s + min_ready_s <= self._ground.clock.now

    def counts_as_available(self, min_ready_s: float) -> bool:
        """Available as a ReplicaSet sees it: what has been ready since before the run has been so for long."""
        return self.ready_s is not None and (self._stands or self.available(min_ready_s))

    def delete(self) -> None:
        """Asks for graceful termination; once is enough."""
        if not self.deleted:
            self.deleted = True
            self._ground.stir()
            self._end(Deleted())

    def kill(self) -> None:
        """Deletes the pod without grace; nothing if it is ending already."""
        if not self._ending:
            self.deleted = True
            self._ground.stir()
            self._end(Killed())

    def lose(self) -> None:
        """The node under the pod vanishes."""
        self._end(Lost())

    def crash(self, reason: str) -> None:
        """The container ends now, if one runs."""
        if self.started_s is not None and not self._ending and not self._crashing:
            self._crashing = True
            self._process.interrupt(Crash(reason))

    def refresh(self) -> None:
        """Tells the data plane what befalls the pod's requests now."""
        if self.index is not None:
            self._ground.traffic.set_effects(self.index, self._site.hooks.effects(self) if self.is_up else REFUSING)

    def _end(self, cause: Lost | Deleted | Killed) -> None:
        # A pod ends once: what comes while it ends (a second loss, a crash) changes nothing any more.
        if not self._ending:
            self._ending = True
            self._process.interrupt(cause)

    def _life(self, *, standing: bool) -> Life:
        try:
            yield from self._get_placed()
            if not standing:
                yield from self._get_image()
            while True:
                yield from self._run_container(standing=standing)
                standing = False
        except Interrupt as interrupt:
            cause = interrupt.cause
        match cause:
            case Lost():
                yield from self._vanish()
            case Killed():
                yield from self._die()
            case _:
                yield from self._terminate()

    def _get_placed(self) -> Life:
        self.node = self._site.scheduler.place(self)
        if self.node is None:
            self._note("pending", "FailedScheduling")
            bound = self._ground.clock.event()

            def bind(node: Node) -> None:
                self.node = node
                bound.succeed()

            self._site.scheduler.wait(self, bind)
            yield bound

    def _get_image(self) -> Life:
        """The scheduler's own delay, then the image, which is pulled once per node."""
        if self.node is None:
            return
        cluster = self._ground.scenario.cluster
        yield self._ground.clock.after(self._draw_s("schedule", cluster.schedule), Rank.TRAFFIC)
        self._bound_s = self._ground.clock.now
        image = self.revision.template.image
        if image in self.node.images:
            return
        yield self._ground.clock.after(self._draw_s("image_pull", cluster.image_pull), Rank.TRAFFIC)
        self.node.images.append(image)

    def _run_container(self, *, standing: bool) -> Life:
        """One container from start to crash, then the wait before the next one; kills by probes are crashes too."""
        try:
            if standing:
                self._stand()
            else:
                self._start()
                yield from self._be_probed()
            yield self._ground.clock.event()
        except Interrupt as interrupt:
            if not isinstance(interrupt.cause, Crash):
                raise
            reason = interrupt.cause.reason
            ran_s = self._crashed(reason)
            yield self._ground.clock.after(self._back_off.wait_s(ran_s), Rank.TRAFFIC)

    def _stand(self) -> None:
        if self.node is not None:
            self.node.images.append(self.revision.template.image)
        self._bound_s = self.created_s
        self._begin(0.0)
        self._become_ready(propagated=True)

    def _start(self) -> None:
        drawn_s = self._draw_s("start-up", self.revision.behaviour.start_up)
        self._begin(self._site.hooks.start_up_s(self, drawn_s))
        self._note("running")

    def _begin(self, start_up_s: float) -> None:
        now = self._ground.clock.now
        self.started_s, self.up_s = now, now + start_up_s
        self._crashing = False
        self.index = self._ground.traffic.add_pod(self.revision.behaviour, self.revision.group)
        self._ground.stir()
        self.refresh()
        self._site.hooks.started(self)

    def _be_probed(self) -> Life:
        now = self._ground.clock.now
        plan = outlook(self.revision.template, self._bound_s, now, self.up_s)
        if plan.ready_s is not None:
            yield self._ground.clock.at(plan.ready_s, Rank.TRAFFIC)
            self._become_ready(propagated=False)
        if plan.killed_s is not None:
            yield self._ground.clock.at(plan.killed_s, Rank.TRAFFIC)
            raise Interrupt(Crash(plan.reason))
        if self.up_s > self._ground.clock.now:
            yield self._ground.clock.at(self.up_s, Rank.TRAFFIC)
        self.refresh()

    def _become_ready(self, *, propagated: bool) -> None:
        self.ready_s = self._ground.clock.now
        self._note("ready")
        if propagated:
            self._endpoint.put(self.index)
        else:
            self._endpoint.announce(self.index)
        self._site.hooks.became_ready(self)
        self._ground.pods_changed()

    def _crashed(self, reason: str) -> float:
        """Marks the container as ended; how long it ran, seconds."""
        now = self._ground.clock.now
        ran_s = now - (self.started_s if self.started_s is not None else now)
        self._stands = False
        self.started_s = self.ready_s = None
        if self.index is not None:
            self._ground.traffic.crash_pod(self.index)
            self._ground.traffic.set_effects(self.index, REFUSING)
            self.past.append(self._ground.traffic.pod_sample(self.index))
        self.index = None
        self._endpoint.announce(None)
        self._note("crashed", reason)
        self._ground.pods_changed()
        return ran_s

    def _terminate(self) -> Life:
        """SIGTERM comes after preStop, at once without one, while routers still send requests: those fail with 503.

        The process then finishes what it has within the clients' patience, or is killed at the end of its grace.
        """
        template = self.revision.template
        self.ready_s = None
        if self.started_s is None:
            self._leave()
            return
        self._note("terminating")
        self._ground.pods_changed()
        begun_s, propagation_s = self._ground.clock.now, self._endpoint.announce(None)
        yield self._ground.clock.at(begun_s + min(template.pre_stop_s, template.termination_grace_s), Rank.TRAFFIC)
        self.refusing = True
        self._ground.stir()
        if template.pre_stop_s < propagation_s:
            self.refresh()
        timeout_s = self._ground.scenario.client.timeout_s
        finished_s = max(template.pre_stop_s, propagation_s) + (LINGER_S if timeout_s is None else timeout_s)
        yield self._ground.clock.at(begun_s + min(template.termination_grace_s, finished_s), Rank.TRAFFIC)
        self._leave()

    def _vanish(self) -> Life:
        """The machine is gone at once; the cluster notices after its grace and replaces the pod after eviction."""
        begun_s = self._ground.clock.now
        self.started_s = None
        self._ground.stir()
        if self.index is not None:
            self._ground.traffic.crash_pod(self.index)
            self._ground.traffic.set_effects(self.index, REFUSING)
        yield self._ground.clock.at(begun_s + NODE_GRACE_S, Rank.TRAFFIC)
        self.ready_s = None
        self._endpoint.announce(None)
        self._note("unready", "NodeLost")
        self._ground.pods_changed()
        yield self._ground.clock.at(begun_s + NODE_GRACE_S + NODE_EVICTION_S, Rank.TRAFFIC)
        self._leave()

    def _die(self) -> Life:
        """The object and the process are gone at once; what routers still send there is refused."""
        self.started_s = self.ready_s = None
        if self.index is not None:
            self._ground.traffic.crash_pod(self.index)
            self._ground.traffic.set_effects(self.index, REFUSING)
        propagation_s = self._endpoint.announce(None)
        self._ground.pods_changed()
        yield self._ground.clock.after(propagation_s, Rank.TRAFFIC)
        self._leave("Killed")

    def _leave(self, reason: str = "") -> None:
        if self.index is not None:
            self._ground.traffic.crash_pod(self.index)
        self.gone, self.started_s = True, None
        self._endpoint.put(None)
        self._note("gone", reason)
        self._site.scheduler.forget(self)
        if self.node is not None:
            self._site.scheduler.release(self, self.node)
        self._ground.pods_changed()

    def _draw_s(self, what: str, delay: Delay) -> float:
        return self._ground.draw_s(f"pods/{self.revision.side}/{what}", delay)

    def _note(self, state: str, reason: str = "") -> None:
        self._ground.stir()
        node = self.node.name if self.node is not None else ""
        journal = self._ground.journal
        journal.add(PodRecord(journal.t_s, journal.region, self.name, self.revision.side, node, state, reason))
