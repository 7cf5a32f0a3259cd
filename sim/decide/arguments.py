"""Arguments of an analysis: merging, resolving their values, and substituting them in a metric's text.

Source: behaviour reference 2.6 (Argo Rollouts ``utils/analysis/factory.go:18-130``, ``helpers.go:225-254``,
``utils/template/template.go``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sim.model.analysis import Argument
from sim.model.controller import NEWEST, Controller
from sim.model.rollout import RolloutSpec

SECRET_PLACEHOLDER = "temp-for-secret"  # noqa: S105 - what the controller itself writes where a secret will stand
"""Stands for a secret while a run is checked, and for good where the secrets are not known."""

_ESCAPES = {
    "\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v", "\\": "\\\\", '"': '\\"',
}  # fmt: skip
_SEPARATORS = re.compile(r"[.\[\]]+")


class TemplateError(Exception):
    """An analysis that cannot be run as written; the text is the controller's.

    ``in_run`` tells when it shows: True, the run is created and ends as Error at once with this message; False, the
    run cannot even be created (normally such a Rollout is already refused as InvalidSpec).
    """

    def __init__(self, message: str, *, in_run: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.in_run = in_run


@dataclass(frozen=True, slots=True)
class RunContext:
    """What a run takes from its surroundings.

    ``secrets`` maps a Secret's name to its data. None: every secret is there, its value unknown.
    """

    canary_hash: str = ""
    stable_hash: str = ""
    namespace: str = "default"
    secrets: Mapping[str, Mapping[str, str]] | None = field(default=None, hash=False)
    controller: Controller = NEWEST


def merge(incoming: Sequence[Argument], declared: Sequence[Argument]) -> tuple[Argument, ...]:
    """The template's arguments with the incoming values on top; TemplateError if one has neither value nor source.

    Incoming arguments the template does not declare are dropped. An incoming value does not remove a source: where
    the template names a secret, the secret still wins.
    """
    merged = {argument.name: argument for argument in declared}
    for argument in incoming:
        if argument.name in merged:
            merged[argument.name] = _overlaid(merged[argument.name], argument)
    for argument in merged.values():
        if argument.value is None and not _has_source(argument):
            msg = f"args.{argument.name} was not resolved"
            raise TemplateError(msg)
    return tuple(merged.values())


def _has_source(argument: Argument) -> bool:
    return any(s is not None for s in (argument.secret, argument.pod_template_hash, argument.field_path))


def _overlaid(under: Argument, over: Argument) -> Argument:
    if over.value is not None:
        return replace(under, value=over.value)
    if _has_source(over):
        return replace(over, name=under.name, value=under.value)
    return under


def flatten(declarations: Sequence[Sequence[Argument]]) -> tuple[Argument, ...]:
    """The arguments of several templates as one list; TemplateError if two give one argument different values."""
    merged: dict[str, Argument] = {}
    for argument in (a for declared in declarations for a in declared):
        known = merged.get(argument.name)
        if known is None or known.value is None:
            merged[argument.name] = argument
        elif argument.value is not None and argument.value != known.value:
            values = f"'{known.value}', '{argument.value}'"
            msg = f"Argument `{argument.name}` specified multiple times with different values: {values}"
            raise TemplateError(msg)
    return tuple(merged.values())


def values_for_run(
    arguments: Sequence[Argument], spec: RolloutSpec, context: RunContext, *, strict: bool = True
) -> tuple[Argument, ...]:
    """The Rollout's side of the arguments, each with a value (empty where nothing gives one).

    A field path that leads nowhere is a TemplateError, or an empty value where ``strict`` is off (as in validation).
    """
    return tuple(Argument(a.name, _value(a, spec, context, strict=strict)) for a in arguments)


def _value(argument: Argument, spec: RolloutSpec, context: RunContext, *, strict: bool) -> str:
    if argument.pod_template_hash is not None:
        hashes = {"Latest": context.canary_hash, "Stable": context.stable_hash}
        return hashes.get(argument.pod_template_hash, "")
    if argument.field_path is None:
        return argument.value or ""
    try:
        return field_value(spec, argument.field_path)
    except TemplateError:
        if strict or argument.field_path.startswith("metadata"):
            raise
        return ""


def field_value(spec: RolloutSpec, path: str) -> str:
    """The text at a field path of the Rollout, as far as the twin reads Rollouts; TemplateError if there is none."""
    if path.startswith("metadata"):
        return _metadata_value(spec, path)
    here: Any = _document(spec)
    for section in _SEPARATORS.split(path):
        if section:
            here = _child(here, section, path)
    if here is None:
        msg = f"invalid path {path} in rollout"
        raise TemplateError(msg)
    if isinstance(here, dict | list):
        msg = f"path {path} in rollout must terminate in a primitive value"
        raise TemplateError(msg)
    return str(here)


def _metadata_value(spec: RolloutSpec, path: str) -> str:
    """Name and namespace; labels and annotations of the Rollout itself are not read by the twin and read as empty."""
    known = {"metadata.name": spec.name, "metadata.namespace": spec.namespace, "metadata.uid": ""}
    if path in known:
        return known[path]
    if re.fullmatch(r"metadata\.(labels|annotations)(\['[^']+'\])?", path):
        return ""
    msg = f"unsupported fieldPath: {path}"
    raise TemplateError(msg)


def _document(spec: RolloutSpec) -> dict[str, Any]:
    """The Rollout as JSON, as much of it as people refer to."""
    template = spec.template
    return {
        "metadata": {"name": spec.name, "namespace": spec.namespace},
        "spec": {
            "replicas": spec.desired,
            "minReadySeconds": spec.min_ready_s or None,
            "progressDeadlineSeconds": spec.progress_deadline_s,
            "selector": {"matchLabels": dict(spec.selector)},
            "template": {
                "metadata": {"labels": dict(template.labels), "annotations": dict(template.annotations)},
                "spec": {"containers": [{"image": template.image, "env": [_env(pair) for pair in template.env]}]},
            },
        },
    }


def _env(pair: tuple[str, str]) -> dict[str, str]:
    return {"name": pair[0], "value": pair[1]}


def _child(here: Any, section: str, path: str) -> Any:
    if isinstance(here, dict):
        return here.get(section)
    if not isinstance(here, list):
        msg = f"invalid path {path} in rollout"
        raise TemplateError(msg)
    if not re.fullmatch(r"[+-]?\d+", section):
        msg = f"invalid index '{section}'"
        raise TemplateError(msg)
    if not 0 <= int(section) < len(here):
        msg = f"index {section} out of range"
        raise TemplateError(msg)
    return here[int(section)]


def with_placeholders(arguments: Sequence[Argument]) -> tuple[Argument, ...]:
    """The arguments with a placeholder wherever a secret belongs."""
    return tuple(a if a.secret is None else replace(a, value=SECRET_PLACEHOLDER) for a in arguments)


def with_secrets(arguments: Sequence[Argument], context: RunContext) -> tuple[Argument, ...]:
    """The arguments with their secrets' values; TemplateError if a Secret or its key is missing."""
    if context.secrets is None:
        return with_placeholders(arguments)
    return tuple(a if a.secret is None else _with_secret(a, context.secrets) for a in arguments)


def _with_secret(argument: Argument, secrets: Mapping[str, Mapping[str, str]]) -> Argument:
    reference = argument.secret
    if reference is None:
        return argument
    if reference.name not in secrets:
        msg = f'secrets "{reference.name}" not found'
        raise TemplateError(msg, in_run=True)
    if reference.key not in secrets[reference.name]:
        msg = f"key '{reference.key}' does not exist in secret '{reference.name}'"
        raise TemplateError(msg, in_run=True)
    return replace(argument, value=secrets[reference.name][reference.key])


def substitute(text: str, arguments: Sequence[Argument]) -> str:
    """JSON text with every ``{{args.NAME}}`` replaced by the argument's value, escaped as inside a Go string.

    Blanks inside the braces do not matter. TemplateError if any argument lacks a value (used or not), if a tag is not
    closed, or if a tag is unknown: the last unknown one is named.
    """
    values: dict[str, str] = {}
    for argument in arguments:
        if argument.value is None:
            msg = f'argument "{argument.name}" was not supplied'
            raise TemplateError(msg, in_run=True)
        values[f"args.{argument.name}"] = go_escaped(argument.value)
    return replace_tags(text, values.get)


def replace_tags(text: str, lookup: Callable[[str], str | None]) -> str:
    """The text with each ``{{tag}}`` replaced by what its trimmed name looks up; TemplateError as in ``substitute``."""
    parts: list[str] = []
    unknown: str | None = None
    rest = text
    while "{{" in rest:
        before, rest = rest.split("{{", 1)
        if "}}" not in rest:
            msg = f'Cannot find end tag="}}}}" in the template={go_quoted(text)} starting from {go_quoted(rest)}'
            raise TemplateError(msg, in_run=True)
        tag, rest = rest.split("}}", 1)
        value = lookup(tag.strip())
        unknown = tag if value is None else unknown
        parts += [before, value or ""]
    if unknown is not None:
        msg = f"failed to resolve {{{{{unknown}}}}}"
        raise TemplateError(msg, in_run=True)
    return "".join([*parts, rest])


def go_quoted(text: str) -> str:
    """The text as Go's ``%q`` prints it."""
    return f'"{go_escaped(text)}"'


def go_escaped(text: str) -> str:
    r"""The inside of a Go string literal; escapes JSON does not know (``\a``, ``\x01``) make the result invalid JSON."""
    return "".join(_escaped(character) for character in text)


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
