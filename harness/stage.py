"""What one region's run needs in its namespace: set up in order, taken down in reverse."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial

from harness.choices import Choices, Decides
from harness.cluster import crds
from harness.controllers import argo
from harness.controllers.argo_manifests import Wanted
from harness.deploy.plan import Plan, plan
from harness.deploy.target import Target
from harness.gateway.gateway import Gateway
from harness.images import Images
from harness.makers import support
from harness.makers.argo import ArgoMaker
from harness.makers.maker import Maker
from harness.makers.rolling import RollingMaker
from harness.makers.script import ScriptMaker, Surroundings
from harness.makers.twin import TwinMaker
from harness.monitoring import addresses, labels
from harness.monitoring.client import Client
from harness.monitoring.in_cluster import wait_until_seen
from harness.monitoring.standing import Standing, need_reachable, stood
from harness.site import Site
from sim.model.strategy import ArgoRollout, LocalStrategy, RollingUpdate, SetImage, SwitchScript


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything stands, and the stable version serves."""

    site: Site
    plan: Plan
    gateway: Gateway
    server: Standing
    """The run's Prometheus."""
    maker: Maker
    controller: str
    """Who decides, with its version, for people to read."""

    @property
    def desired_pods(self) -> int:
        """Pods wanted outside of releases; of a switch script's two colours the one that serves."""
        deployments = [one for one in self.plan.others if one["kind"] == "Deployment"]
        released = [] if isinstance(self.site.loaded.scenario.strategy, SwitchScript) else [self.plan.workload]
        return sum(int(one["spec"].get("replicas", 1)) for one in (*released, *deployments))

    @property
    def adaptations(self) -> tuple[str, ...]:
        """What differs from the scenario as it is written, one sentence each."""
        loaded = self.site.loaded
        unusable = addresses.unusable(addresses.written(loaded.scenario))
        return (*self.plan.adaptations, *unusable, *labels.absent(loaded), *self.gateway.table.left_out)


@contextmanager
def staged(site: Site, strategy: LocalStrategy, images: Images, choices: Choices) -> Iterator[Stage]:
    """The stage while the context lasts; MissingError or WaitError if something does not come to stand."""
    decides, database = choices.decides, choices.database
    support.check(site.loaded.scenario, strategy, twin=decides is Decides.TWIN)
    if isinstance(strategy, ArgoRollout) and decides is Decides.ARGO:
        need_reachable(choices.scrapes)
    with ExitStack() as stack:
        applied = plan(site.loaded, Target(site.namespace, _sent(site, images, "app"), database=database))
        crds.install(site.objects)
        server = stack.enter_context(closing(stood(site, images, choices.scrapes, partial(_sent, site, images))))
        gateway = stack.enter_context(Gateway(site, images))
        gateway.start()
        controller = _controller(site, strategy, images, decides, server)
        maker = _maker(site, applied, strategy, Surroundings(Client(server.address), gateway.weights), decides)
        stack.callback(maker.close)
        maker.stand()
        wait_until_seen(Client(server.address).query, lambda: site.objects.list("Pod"))
        yield Stage(site, applied, gateway, server, maker, controller)


def _sent(site: Site, images: Images, name: str) -> str:
    """An image that the cluster's nodes have."""
    reference = images.reference(name)
    site.cluster.load_image(reference)
    return reference


def _controller(site: Site, strategy: LocalStrategy, images: Images, decides: Decides, server: Standing) -> str:
    """Whoever decides is there; for a Rollout under Argo that means a controller that finds our Prometheus."""
    match strategy:
        case ArgoRollout() if decides is Decides.ARGO:
            return str(argo.at_work(site.cluster, site.objects, lambda: _argo(site, images, server)))
        case ArgoRollout():
            return f"sim.decide as {site.loaded.scenario.controller}"
        case RollingUpdate() | SetImage():
            return "the cluster's Deployment controller"
        case SwitchScript():
            return "sim.decide.script"


def _argo(site: Site, images: Images, server: Standing) -> Wanted:
    """A controller to which every host name in a template is our Prometheus, and that knows no address of its own."""
    scenario = site.loaded.scenario
    names = addresses.hosts(addresses.written(scenario))
    attached = scenario.telemetry.prometheus.attached_address
    return Wanted(_sent(site, images, "argo-rollouts"), dict.fromkeys(names, server.cluster_ip), attached)


def _maker(site: Site, plan: Plan, strategy: LocalStrategy, around: Surroundings, decides: Decides) -> Maker:
    match strategy:
        case ArgoRollout():
            return ArgoMaker(site, plan) if decides is Decides.ARGO else TwinMaker(site, plan, around.prometheus)
        case RollingUpdate():
            return RollingMaker(site, plan, "argo-cd")
        case SetImage():
            return RollingMaker(site, plan, "person")
        case SwitchScript():
            return ScriptMaker(site, plan, strategy, around)
