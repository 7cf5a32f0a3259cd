"""What a run is made with and on, for the readers of its journal."""

from __future__ import annotations

import json
import os
import platform
from importlib.metadata import version

from harness.choices import Conditions
from harness.cluster.cluster import Cluster
from harness.images import Images
from harness.stage import Stage

_GIB = 2**30


def conditions(stage: Stage, images: Images) -> Conditions:
    """Everything that stands on the stage by its version, and the machine below it."""
    used = {name: images.reference(name) for name in ("app", "gateway")} | {"prometheus": stage.server.what}
    versions = {"kubernetes": kubernetes(stage.site.cluster), "rolltwin": version("rolltwin"), **used}
    return Conditions(stage.controller, tuple(versions.items()), machine(), stage.adaptations)


def kubernetes(cluster: Cluster) -> str:
    """The API server's version."""
    said = json.loads(cluster.kubectl("version", "--output=json"))
    return str(said.get("serverVersion", {}).get("gitVersion", ""))


def machine() -> tuple[tuple[str, str], ...]:
    """Processors and memory of this machine, which is the cluster's too where kind made it."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GIB
    system = f"{platform.system()} {platform.machine()}"
    return ("processors", str(os.cpu_count())), ("memory", f"{memory:.0f} GiB"), ("system", system)
