"""Argo CD's Application, ApplicationSet and AppProject."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from scenarios.manifests.build.reading import flag, items, json_text, labels, mapping, mappings, text, texts
from sim.model.gitops import Application, ApplicationSet, AppProject, SyncWindow
from sim.model.pods import Labels, labels_of


def application(data: dict[str, Any], name: str, namespace: str) -> Application:
    """An Application; of several ``sources`` the first is read."""
    spec = mapping(data, "spec")
    source = mapping(spec, "source") or next(mappings(spec, "sources"), {})
    automated = "automated" in mapping(spec, "syncPolicy")
    switch = mapping(spec, "syncPolicy", "automated")
    return Application(
        name=name,
        namespace=namespace,
        project=text(spec, "project") or "default",
        repo=text(source, "repoURL"),
        revision=text(source, "targetRevision"),
        path=text(source, "path"),
        server=text(spec, "destination", "server"),
        cluster_name=text(spec, "destination", "name"),
        target_namespace=text(spec, "destination", "namespace"),
        helm_parameters=_helm_parameters(source),
        helm_value_files=texts(source, "helm", "valueFiles"),
        # Being there is enough, even when empty, unless a newer Argo CD's `enabled: false` says otherwise.
        automated=automated and switch.get("enabled") is not False,
        self_heal=flag(switch, "selfHeal"),
        prune=flag(switch, "prune"),
        labels=labels(data, "metadata", "labels"),
    )


def _helm_parameters(source: dict[str, Any]) -> Labels:
    return labels_of({text(entry, "name"): text(entry, "value") for entry in mappings(source, "helm", "parameters")})


def application_set(data: dict[str, Any], name: str, namespace: str) -> ApplicationSet:
    """An ApplicationSet; lists nested in matrix and merge generators count as generators, not as elements."""
    spec = mapping(data, "spec")
    generators = list(mappings(spec, "generators"))
    elements = [element for generator in generators for element in mappings(generator, "list", "elements")]
    template = mapping(spec, "template")
    return ApplicationSet(
        name=name,
        namespace=namespace,
        go_template=flag(spec, "goTemplate"),
        elements=tuple(labels_of({key: _as_text(value) for key, value in element.items()}) for element in elements),
        non_string_values=tuple(_non_strings(elements)),
        generators=tuple(
            kind for generator in generators for kind in generator if kind not in {"selector", "template"}
        ),
        template=application(template, text(template, "metadata", "name"), text(template, "metadata", "namespace")),
        rolling_sync_steps=_rolling_steps(mapping(spec, "strategy")),
    )


def _rolling_steps(strategy: dict[str, Any]) -> int:
    return len(items(strategy, "rollingSync", "steps")) if text(strategy, "type") == "RollingSync" else 0


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json_text(value)


def _non_strings(elements: list[dict[str, Any]]) -> Iterator[tuple[int, str]]:
    """Values the non-Go engine refuses; a mapping ``values`` of strings is its one exception."""
    for index, element in enumerate(elements):
        for key, value in element.items():
            if isinstance(value, str) or (key == "values" and isinstance(value, dict)):
                continue
            yield index, key


def project(data: dict[str, Any], name: str, namespace: str) -> AppProject:
    """An AppProject."""
    spec = mapping(data, "spec")
    return AppProject(
        name=name,
        namespace=namespace,
        source_repos=texts(spec, "sourceRepos"),
        destinations=tuple(
            (text(entry, "server"), text(entry, "name"), text(entry, "namespace"))
            for entry in mappings(spec, "destinations")
        ),
        windows=tuple(_window(entry) for entry in mappings(spec, "syncWindows")),
        cluster_whitelist=_group_kinds(spec, "clusterResourceWhitelist"),
        namespace_whitelist=_group_kinds(spec, "namespaceResourceWhitelist"),
    )


def _group_kinds(spec: dict[str, Any], key: str) -> tuple[tuple[str, str], ...]:
    return tuple((text(entry, "group"), text(entry, "kind")) for entry in mappings(spec, key))


def _window(entry: dict[str, Any]) -> SyncWindow:
    return SyncWindow(
        kind=text(entry, "kind"),
        schedule=text(entry, "schedule"),
        duration=text(entry, "duration"),
        time_zone=text(entry, "timeZone"),
        applications=texts(entry, "applications"),
        namespaces=texts(entry, "namespaces"),
        clusters=texts(entry, "clusters"),
        manual_sync=flag(entry, "manualSync"),
        and_operator=flag(entry, "andOperator"),
    )
