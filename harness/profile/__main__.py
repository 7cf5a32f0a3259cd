"""Measures a cluster's own delays: ``python -m harness.profile --kind NAME | --context NAME [--kubeconfig FILE] [--out FILE]``.

Prints the profile, or writes it to a file that ``harness.profile.profile`` reads.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from harness.cluster.base import Reachable
from harness.cluster.context import context_cluster
from harness.cluster.kind import KindSettings, kind_cluster
from harness.images import Images
from harness.profile.measuring import measure, written


def main(arguments: list[str] | None = None) -> int:
    """The exit code."""
    chosen = _parser().parse_args(arguments)
    images = Images(chosen.images)
    with _cluster(chosen, images) as cluster:
        text = written(measure(cluster, images), _machine(cluster))
    if chosen.out:
        chosen.out.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m harness.profile", description="Measures a cluster's own delays.")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--kind", metavar="NAME", help="a kind cluster; made and deleted if there is none of that name")
    where.add_argument("--context", metavar="NAME", help="a context of a kubeconfig, whose nodes must have the images")
    parser.add_argument("--kubeconfig", type=Path, help="where the context is (default: as kubectl)")
    parser.add_argument("--images", type=Path, help="images to use instead of harness/images.yaml")
    parser.add_argument("--out", type=Path, help="file to write (default: print)")
    return parser


@contextmanager
def _cluster(chosen: argparse.Namespace, images: Images) -> Iterator[Reachable]:
    if chosen.context:
        with context_cluster(chosen.context, chosen.kubeconfig) as cluster:
            yield cluster
    else:
        with kind_cluster(KindSettings.of_environment(images.wanted("kind-node"), chosen.kind)) as cluster:
            yield cluster


def _machine(cluster: Reachable) -> str:
    with cluster.objects("default") as objects:
        (node, *_) = objects.list("Node")
    kubelet = node["status"]["nodeInfo"]["kubeletVersion"]
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}"
    return f"Kubernetes {kubelet}, {machine}, load average {os.getloadavg()[1]:.1f}, {datetime.now(UTC):%Y-%m-%d}"


if __name__ == "__main__":
    raise SystemExit(main())
