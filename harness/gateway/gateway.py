"""The gateway of one namespace: a thread that lets the proxy follow what is written and which pods are ready."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from threading import Condition, Thread
from typing import Final, Protocol, Self

from harness.cluster.cluster import Address
from harness.cluster.objects import Object, Watched
from harness.gateway.entry import entry_of
from harness.gateway.haproxy import ADMIN_PORT, CONFIGURE_PORT, PORT, Plan
from harness.gateway.manifests import NAME, objects_of
from harness.gateway.picture import Picture, picture
from harness.gateway.proxy import Proxy, ProxyError
from harness.gateway.routes import RouteTable, table_of
from harness.gateway.shares import Weights, weights_of
from harness.site import Site
from harness.waiting import WaitError, wait_until
from sim.model.manifests import ManifestSet
from sim.model.records import WeightRecord

STANDS_WITHIN_S: Final = 120.0
DEBOUNCE_S: Final = 0.02
"""Changes that come together are acted on together."""
AGAIN_S: Final = 0.5
KINDS: Final = {
    "pods": "Pod",
    "services": "Service",
    "virtual_services": "networking.istio.io/v1beta1/VirtualService",
    "destination_rules": "networking.istio.io/v1beta1/DestinationRule",
    "ingresses": "networking.k8s.io/v1/Ingress",
}


class Images(Protocol):
    """Where images come from."""

    def reference(self, name: str) -> str:
        """The reference of an image of this machine."""
        ...


def kinds_of(manifests: ManifestSet) -> tuple[str, ...]:
    """Which kinds are looked at: a cluster may not know Istio's, where no manifest is one of them."""
    has_istio = bool(manifests.virtual_services or manifests.destination_rules)
    return tuple(name for name, kind in KINDS.items() if has_istio or "istio" not in kind)


@dataclass(frozen=True, slots=True)
class Action:
    """The proxy acted on a change; times are UNIX seconds."""

    heard_s: float
    """When the first of the changes was heard of."""
    acted_s: float
    reloaded: bool
    what: str
    """Kinds of the objects that had changed."""

    @property
    def took_s(self) -> float:
        """From hearing to acting: the propagation delay."""
        return self.acted_s - self.heard_s


class Gateway:
    """Started before the pods are; acts on every change until it is closed."""

    def __init__(self, site: Site, images: Images) -> None:
        self._site = site
        self._images = images
        self._open = ExitStack()
        self._watched: dict[str, Watched] = {}
        self._news = Condition()
        self._heard: dict[str, float] = {}
        self._ended = False
        self._failure: BaseException | None = None
        self._thread = Thread(target=self._follow, name=f"gateway {site.namespace}", daemon=True)
        self._weights: Weights = (-1.0, -1.0)
        self._table: RouteTable | None = None
        self._addresses: dict[int, Address] = {}
        self.actions: list[Action] = []
        """Everything it has acted on so far; also in the run's folder, as ``gateway.jsonl``."""
        self.on_weights: list[Callable[[Weights], None]] = []
        """Called on the gateway's thread with new weights, once the proxy acts on them."""

    def start(self) -> Self:
        """Stands the proxy up and begins to follow; returns once it acts on what there is. WaitError otherwise."""
        image = self._images.reference("gateway")
        self._site.cluster.load_image(image)
        for obj in objects_of(image):
            self._site.objects.apply(obj)
        wait_until(self._stands, "the gateway stands", STANDS_WITHIN_S, self._state)
        for port in (PORT, ADMIN_PORT, CONFIGURE_PORT):
            there = self._site.cluster.reach(self._site.namespace, NAME, port)
            self._addresses[port] = self._open.enter_context(there)
        for name in kinds_of(self._site.loaded.scenario.manifests):
            self._watched[name] = self._site.objects.watch(KINDS[name])
            self._watched[name].on_change(self._listener(name))
        self._heard.setdefault("start", time.time())
        self._thread.start()
        wait_until(lambda: self.actions or self._check(), "the gateway acts on what there is", STANDS_WITHIN_S)
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def address(self) -> Address:
        """Where clients on this machine call."""
        return self._addresses[PORT]

    def weights(self) -> Weights:
        """Percent of the ordinary traffic that reaches the candidate's and the stable version's pods now.

        Raises whatever ended the gateway's thread.
        """
        self._check()
        return self._weights

    @property
    def table(self) -> RouteTable:
        """What the proxy acts on."""
        return self._table or RouteTable()

    def close(self) -> None:
        """Stops following; the proxy goes with the namespace."""
        with self._news:
            self._ended = True
            self._news.notify()
        if self._thread.is_alive():
            self._thread.join(timeout=30)
        self._open.close()

    def _check(self) -> bool:
        if self._failure is not None:
            raise self._failure
        return False

    def _stands(self) -> bool:
        pod = self._site.objects.get("Pod", NAME) or {}
        conditions = pod.get("status", {}).get("conditions", [])
        return any((one["type"], one["status"]) == ("Ready", "True") for one in conditions)

    def _state(self) -> str:
        return json.dumps((self._site.objects.get("Pod", NAME) or {}).get("status", {}), indent=1)

    def _listener(self, name: str) -> Callable[[str, Object | None, float], None]:
        def hear(_object: str, _now: Object | None, at: float) -> None:
            with self._news:
                self._heard.setdefault(name, at)
                self._news.notify()

        return hear

    def _follow(self) -> None:
        try:
            proxy = Proxy(self._addresses[ADMIN_PORT], self._addresses[CONFIGURE_PORT])
            entry, patience_s = entry_of(self._site.loaded.scenario), self._site.loaded.scenario.client.timeout_s
            while heard := self._wait():
                table = table_of(self._picture(entry.namespace), entry)
                if table != self._table:
                    self._act(proxy, Plan(table, patience_s), heard)
        except BaseException as error:  # a thread's failure is its owner's, whatever it is
            self._failure = error
            raise

    def _wait(self) -> dict[str, float]:
        """What was heard of since the last time, empty at the end."""
        with self._news:
            self._news.wait_for(lambda: self._heard or self._ended)
            if self._ended:
                return {}
        time.sleep(DEBOUNCE_S)
        with self._news:
            heard, self._heard = self._heard, {}
            return heard

    def _picture(self, namespace: str) -> Picture:
        current = {name: watched.current().values() for name, watched in self._watched.items()}
        return picture(current, namespace)

    def _act(self, proxy: Proxy, plan: Plan, heard: dict[str, float]) -> None:
        try:
            reloaded = proxy.act(plan)
        except (OSError, ProxyError, WaitError) as error:
            # Its pod may be starting anew: the next plan is loaded whole.
            self._table = None
            self._log({"error": str(error), "at": time.time()})
            time.sleep(AGAIN_S)
            with self._news:
                for name, at in heard.items():
                    self._heard[name] = min(at, self._heard.get(name, at))
            return
        action = Action(min(heard.values()), time.time(), reloaded, ",".join(sorted(heard)))
        self._table = plan.table
        self._note(weights_of(plan.table), action)
        self.actions.append(action)
        self._log(asdict(action) | {"weights": self._weights, "left_out": plan.table.left_out})

    def _note(self, weights: Weights, action: Action) -> None:
        if weights == self._weights:
            return
        self._weights = weights
        recorder = self._site.recorder
        recorder.add(WeightRecord(recorder.at(action.acted_s), self._site.region, *weights))
        for listener in self.on_weights:
            listener(weights)

    def _log(self, row: dict[str, object]) -> None:
        with (self._site.folder / "gateway.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
