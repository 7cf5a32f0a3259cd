"""Places in a manifest as people name them: ``canary step 3``, ``metric error-rate failureLimit``."""

from __future__ import annotations

from typing import Any

from scenarios.findings import Path, path_text

_SILENT = frozenset({"spec", "strategy", "provider", "prometheus", "datadog", "matchLabels"})
"""Keys that say nothing to somebody who knows the object's kind."""
_ONE = {
    "metrics": "metric",
    "args": "argument",
    "containers": "container",
    "initContainers": "init container",
    "env": "variable",
    "templates": "template",
    "subsets": "subset",
    "http": "route",
    "route": "destination",
    "steps": "step",
    "measurementRetention": "retention of",
    "dryRun": "dry run of",
    "syncWindows": "sync window",
    "virtualServices": "VirtualService",
    "ports": "port",
    "analyses": "analysis",
}
_PLAIN = {"analysis": "background analysis"}
"""Keys directly below ``canary``."""
_NAMES = ("name", "templateName", "metricName", "clusterName", "host")


def item_name(item: Any) -> str:
    """What an item of a list is called: its name, if it has one."""
    if not isinstance(item, dict):
        return ""
    destination = item.get("destination")
    if isinstance(destination, dict):
        return ".".join(str(destination[key]) for key in ("host", "subset") if key in destination)
    return next((str(item[key]) for key in _NAMES if isinstance(item.get(key), str)), "")


def place_words(path: Path, data: Any) -> str:
    """The path in words, list items by name or counted from 1."""
    words: list[str] = []
    for depth, part in enumerate(path):
        parent = path[depth - 1] if depth else ""
        if isinstance(part, int):
            data = data[part] if isinstance(data, list) and part < len(data) else None
            words.append(item_name(data) or str(part + 1))
        else:
            words += [_ONE[part]] if depth + 1 < len(path) and part in _ONE else _key(part, parent)
            data = data.get(part) if isinstance(data, dict) else None
    return " ".join(words) or path_text(path)


def _key(part: str, parent: str | int) -> list[str]:
    if part in _SILENT or (part == "duration" and parent == "pause"):
        return []
    return [_PLAIN[part]] if parent == "canary" and part in _PLAIN else [part]
