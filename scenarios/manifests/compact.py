"""A CustomResourceDefinition's schema to a compact field table."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

LIMITS = (
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "pattern",
    "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "format",
)  # fmt: skip
"""What a schema says about values beyond their type, under the names of OpenAPI."""

_SHARE_FROM = 80
"""Length of a node's JSON from which a repetition is worth a reference."""


def table(crd: dict[str, Any]) -> dict[str, Any]:
    """The table of a CRD (``kind: CustomResourceDefinition``) or of a flat dump with the same ``versions``.

    Kept of each node: type, fields, required, enum, one-of, nullable, preserve-unknown, the limits of ``LIMITS``, the
    keys of list maps and scalar defaults. ``metadata`` is left to the reader and ``status`` is free, since people write
    neither. CEL rules are left out.
    """
    spec = crd.get("spec", crd)
    kind = crd["spec"]["names"]["kind"] if "spec" in crd else crd["kind"]
    versions = {version["name"]: _root(version) for version in spec["versions"] if version.get("served", True)}
    shared, versions = _share(versions)
    head = {"group": spec["group"], "kind": kind}
    return head | ({"source": crd["source"]} if "source" in crd else {}) | {"versions": versions, "shared": shared}


def _root(version: dict[str, Any]) -> Any:
    schema = version.get("schema") or {}
    root = node(schema.get("openAPIV3Schema", schema))
    if not isinstance(root, dict) or "fields" not in root:
        return {"open": True}
    root["fields"] |= {"apiVersion": "string", "kind": "string", "metadata": "any", "status": "any"}
    return root


def node(schema: dict[str, Any]) -> Any:
    """A schema node as a type name where that says it all, else as a mapping (see ``tables.read_table``)."""
    if schema.get("x-kubernetes-int-or-string"):
        return _int_or_string(schema)
    compact = _shape(schema) | _limits(schema) | _list_type(schema)
    if enum := schema.get("enum"):
        compact["enum"] = [item for item in enum if item is not None]
    if schema.get("nullable"):
        compact["nullable"] = True
    return compact["type"] if set(compact) == {"type"} else compact


def _int_or_string(schema: dict[str, Any]) -> Any:
    compact = {"type": "int-or-string"} | ({"nullable": True} if schema.get("nullable") else {}) | _limits(schema)
    return compact["type"] if set(compact) == {"type"} else compact


def _limits(schema: dict[str, Any]) -> dict[str, Any]:
    limits = {key: schema[key] for key in LIMITS if schema.get(key) not in {None, False}}
    default = schema.get("default")
    if isinstance(default, str | int | float):
        limits["default"] = default
    return limits


def _list_type(schema: dict[str, Any]) -> dict[str, Any]:
    """The keys by which the items of a list are told apart; none for a list of plain values without repeats."""
    if schema.get("x-kubernetes-list-type") == "map":
        return {"keys": list(schema.get("x-kubernetes-list-map-keys", ()))}
    return {"keys": []} if schema.get("x-kubernetes-list-type") == "set" else {}


def _shape(schema: dict[str, Any]) -> dict[str, Any]:
    kind = schema.get("type", "any")
    if kind == "array":
        return {"type": "array", "items": node(schema.get("items") or {})}
    if kind != "object":
        return {"type": kind}
    return _object(schema)


def _object(schema: dict[str, Any]) -> dict[str, Any]:
    free, fields = schema.get("additionalProperties"), schema.get("properties")
    compact: dict[str, Any] = {"type": "object"}
    if fields:
        compact["fields"] = {name: node(child) for name, child in sorted(fields.items())}
    if isinstance(free, dict) and not fields:
        compact["values"] = node(free)
    # An object without any field named is pruned to {} by the API server, but `{}` is how CRDs write "do not care".
    if schema.get("x-kubernetes-preserve-unknown-fields") or free is True or not (fields or free):
        compact["open"] = True
    if required := schema.get("required"):
        compact["required"] = sorted(required)
    return compact | _one_of(schema)


def _one_of(schema: dict[str, Any]) -> dict[str, Any]:
    """The first group of alternatives that are named by one required field each, as Istio's generator writes them."""
    groups = [schema.get("oneOf")] + [entry.get("oneOf") for entry in schema.get("allOf", ())]
    for group in filter(None, groups):
        names = sorted(
            {name for option in group for name in option.get("required", ()) if len(option["required"]) == 1}
        )
        if len(names) > 1:
            needed = not any("not" in option for option in group)
            return {"oneOf": names} | ({"oneNeeded": True} if needed else {})
    return {}


def _share(versions: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """Repeated nodes pulled out and replaced by ``#n``; small nodes stay where they are."""
    counts: Counter[str] = Counter()
    for root in versions.values():
        _count(root, counts)
    names: dict[str, int] = {}
    shared: list[Any] = []

    def replace(raw: Any) -> Any:
        if not isinstance(raw, dict):
            return raw
        text = json.dumps(raw, sort_keys=True)
        if text in names:
            return f"#{names[text]}"
        body = _map_children(raw, replace)
        if counts[text] > 1 and len(text) >= _SHARE_FROM:
            names[text] = len(shared)
            shared.append(body)
            return f"#{names[text]}"
        return body

    return shared, {name: replace(root) for name, root in versions.items()}


def _count(raw: Any, counts: Counter[str]) -> None:
    if isinstance(raw, dict):
        text = json.dumps(raw, sort_keys=True)
        counts[text] += 1
        if counts[text] == 1:
            _map_children(raw, lambda child: _count(child, counts))


def _map_children(raw: dict[str, Any], apply: Any) -> dict[str, Any]:
    """A copy of a node with a function applied to its child nodes."""
    changed = dict(raw)
    if "fields" in raw:
        changed["fields"] = {name: apply(child) for name, child in raw["fields"].items()}
    changed |= {key: apply(raw[key]) for key in ("values", "items") if key in raw}
    return changed
