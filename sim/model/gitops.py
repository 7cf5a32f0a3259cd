"""Argo CD: what syncs when, as written in Application, ApplicationSet and AppProject."""

from __future__ import annotations

from dataclasses import dataclass

from sim.model.pods import Labels


@dataclass(frozen=True, slots=True)
class SyncWindow:
    """One ``syncWindows`` entry. ``schedule`` is cron in ``time_zone`` (UTC where not written)."""

    kind: str
    """``allow`` or ``deny``."""
    schedule: str
    duration: str
    time_zone: str = ""
    applications: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    manual_sync: bool = False
    and_operator: bool = False


@dataclass(frozen=True, slots=True)
class AppProject:
    """An AppProject."""

    name: str
    namespace: str = "argocd"
    source_repos: tuple[str, ...] = ()
    destinations: tuple[tuple[str, str, str], ...] = ()
    """(server, name, namespace)."""
    windows: tuple[SyncWindow, ...] = ()
    cluster_whitelist: tuple[tuple[str, str], ...] = ()
    namespace_whitelist: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Application:
    """An Application, or the template of an ApplicationSet."""

    name: str
    namespace: str = "argocd"
    project: str = "default"
    repo: str = ""
    revision: str = ""
    path: str = ""
    server: str = ""
    cluster_name: str = ""
    target_namespace: str = ""
    helm_parameters: Labels = ()
    helm_value_files: tuple[str, ...] = ()
    automated: bool = False
    self_heal: bool = False
    prune: bool = False
    labels: Labels = ()


@dataclass(frozen=True, slots=True)
class ApplicationSet:
    """An ApplicationSet with list generators; other generators are kept by name only."""

    name: str
    namespace: str = "argocd"
    go_template: bool = False
    elements: tuple[Labels, ...] = ()
    """Elements of the list generators, every value as text."""
    non_string_values: tuple[tuple[int, str], ...] = ()
    """(element, key) whose value is no string, which the non-Go template engine refuses."""
    generators: tuple[str, ...] = ()
    template: Application | None = None
    rolling_sync_steps: int = 0
