"""``metadata``, the same for every object."""

from __future__ import annotations

import re

from scenarios.manifests.tables import Node

_TEXT = Node("string")
_TEXTS = Node("array", items=_TEXT)
_TEXT_MAP = Node("object", values=_TEXT, nullable=True)
_ANYTHING = Node("any")
_SERVER_SET = ("creationTimestamp", "deletionTimestamp", "managedFields", "ownerReferences", "generation")

METADATA = Node(
    "object",
    fields={
        "name": _TEXT,
        "generateName": _TEXT,
        "namespace": _TEXT,
        "labels": _TEXT_MAP,
        "annotations": _TEXT_MAP,
        "finalizers": _TEXTS,
        "uid": _TEXT,
        "resourceVersion": _TEXT,
        "selfLink": _TEXT,
        "deletionGracePeriodSeconds": Node("integer"),
        **dict.fromkeys(_SERVER_SET, _ANYTHING),
    },
)
"""ObjectMeta's fields."""

NAME_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
    "and must start and end with an alphanumeric character"
)

_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_PATH_SEGMENT = re.compile(r"(?!\.{1,2}$)[^/%]+")
_RBAC = frozenset({"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"})


def name_is_valid(kind: str, name: str) -> bool:
    """Whether a name is an RFC 1123 subdomain of at most 253 characters; RBAC objects may be called anything."""
    if kind in _RBAC:
        return _PATH_SEGMENT.fullmatch(name) is not None
    return len(name) <= 253 and _SUBDOMAIN.fullmatch(name) is not None
