"""What a wrong field name was probably meant to be."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from difflib import get_close_matches

from scenarios.findings import Path, path_text
from scenarios.manifests.tables import Node


def hint(key: str, node: Node, path: Path, root: Node) -> str:
    """A close sibling, else the place of the object where a field of this very name belongs, else ''."""
    if close := _close(key, node):
        return f"did you mean {close}?"
    elsewhere = list(_places(key, root))
    near = sorted(elsewhere, key=lambda place: (-_shared(place, path), len(place)))
    return f"belongs to {path_text(near[0])}" if near else ""


def _close(key: str, node: Node) -> str:
    folded = {name.lower().replace("_", ""): name for name in node.fields}
    matches = get_close_matches(key.lower().replace("_", ""), folded, n=1, cutoff=0.8)
    return folded[matches[0]] if matches else ""


def _shared(place: Path, path: Path) -> int:
    return next((i for i, (a, b) in enumerate(zip(place, path, strict=False)) if a != b), min(len(place), len(path)))


def _places(key: str, root: Node) -> Iterator[Path]:
    """Objects, nearest the root first, that have a field of this name; each shared node once, pod specs not."""
    seen: set[int] = set()
    queue: deque[tuple[Path, Node]] = deque([((), root)])
    while queue:
        path, node = queue.popleft()
        if id(node) in seen or path[-2:] == ("template", "spec") or path[:1] in {("status",), ("metadata",)}:
            continue
        seen.add(id(node))
        if key in node.fields and path:
            yield path
        queue.extend(((*path, name), child) for name, child in node.fields.items())
        if node.items is not None:
            queue.append((path, node.items))
