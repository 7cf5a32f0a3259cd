"""What Kubernetes refuses of the containers of a pod template.

Source: ``k8s.io/kubernetes`` 1.34, ``pkg/apis/core/validation/validation.go`` (validateContainers and below). Left out:
security contexts, resize policies, devices, claims and huge pages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from scenarios.manifests.build import names
from scenarios.manifests.build.reading import amount, integer, items, mapping, mappings, text
from sim.decide.field_errors import Place, SpecError, duplicate, forbidden, invalid, not_found, required, unsupported

_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")
_COUNTS = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")
_SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
_RESOURCES = frozenset({"cpu", "memory", "ephemeral-storage"})
_NOT_A_QUANTITY = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
_NOT_NEGATIVE = "must be greater than or equal to 0"


def container_problems(where: Place, containers: list[Any], volumes: frozenset[str]) -> Iterator[SpecError]:
    """Problems of the regular containers, of which there must be one."""
    if not containers:
        yield required(where)
    seen: set[str] = set()
    for index, container in enumerate(containers):
        at = where.at(index)
        if isinstance(container, dict):
            yield from _common(at, container, volumes)
            name = text(container, "name")
            if name in seen:
                yield duplicate(at.at("name"), name)
            seen.add(name)
            yield from _hooks_and_probes(at, container)


def init_container_problems(
    where: Place, containers: list[Any], regular: list[Any], volumes: frozenset[str]
) -> Iterator[SpecError]:
    """Problems of init containers; their names must differ from those of all containers."""
    seen = {text(container, "name") for container in regular}
    for index, container in enumerate(containers):
        at = where.at(index)
        if not isinstance(container, dict):
            continue
        yield from _common(at, container, volumes)
        name = text(container, "name")
        if name in seen:
            yield duplicate(at.at("name"), name)
        seen.add(name)
        if text(container, "restartPolicy") == "Always":
            yield from _hooks_and_probes(at, container)
        else:
            for field in ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe"):
                if isinstance(container.get(field), dict):
                    yield forbidden(at.at(field), "may not be set for init containers without restartPolicy=Always")


def _common(at: Place, container: dict[str, Any], volumes: frozenset[str]) -> Iterator[SpecError]:
    name = text(container, "name")
    yield from names.dns_label(at.at("name"), name) if name else [required(at.at("name"))]
    if not text(container, "image"):
        yield required(at.at("image"))
    yield from _one_of(at, container, "terminationMessagePolicy", ("File", "FallbackToLogsOnError"))
    yield from _ports(at.at("ports"), container)
    yield from _environment(at.at("env"), container)
    yield from _mounts(at.at("volumeMounts"), container, volumes)
    yield from _one_of(at, container, "imagePullPolicy", ("Always", "IfNotPresent", "Never"))
    yield from _resources(at.at("resources"), mapping(container, "resources"))


def _one_of(at: Place, data: dict[str, Any], field: str, supported: tuple[str, ...]) -> Iterator[SpecError]:
    value = text(data, field)
    if value and value not in supported:
        yield unsupported(at.at(field), value, supported)


def _ports(where: Place, container: dict[str, Any]) -> Iterator[SpecError]:
    seen: set[str] = set()
    for index, port in enumerate(mappings(container, "ports")):
        at = where.at(index)
        name, number, host = text(port, "name"), integer(port, "containerPort"), integer(port, "hostPort")
        wrong = list(names.port_name(at.at("name"), name)) if name else []
        yield from wrong
        if name in seen and not wrong:
            yield duplicate(at.at("name"), name)
        seen |= {name} if name else set()
        yield from names.port_number(at.at("containerPort"), number) if number else [required(at.at("containerPort"))]
        yield from names.port_number(at.at("hostPort"), host) if host else ()
        yield from _one_of(at, port, "protocol", ("SCTP", "TCP", "UDP"))


def _environment(where: Place, container: dict[str, Any]) -> Iterator[SpecError]:
    for index, variable in enumerate(mappings(container, "env")):
        at = where.at(index)
        name = text(variable, "name")
        if not name:
            yield required(at.at("name"))
        elif not all(" " <= character <= "~" and character != "=" for character in name):
            message = "a valid environment variable name must consist only of printable ASCII characters other than '='"
            yield invalid(at.at("name"), name, message)
        if isinstance(variable.get("valueFrom"), dict):
            yield from _source(at.at("valueFrom"), variable)


def _source(where: Place, variable: dict[str, Any]) -> Iterator[SpecError]:
    sources = [key for key in _SOURCES if isinstance(mapping(variable, "valueFrom").get(key), dict)]
    if not sources:
        listed = "`fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"
        yield invalid(where, "", f"must specify one of: {listed}")
    elif text(variable, "value"):
        yield invalid(where, "", "may not be specified when `value` is not empty")
    elif len(sources) > 1:
        yield invalid(where, "", "may not have more than one field specified at a time")


def _mounts(where: Place, container: dict[str, Any], volumes: frozenset[str]) -> Iterator[SpecError]:
    seen: set[str] = set()
    for index, mount in enumerate(mappings(container, "volumeMounts")):
        at = where.at(index)
        name, path = text(mount, "name"), text(mount, "mountPath")
        if not name:
            yield required(at.at("name"))
        if name not in volumes:
            yield not_found(at.at("name"), name)
        if not path:
            yield required(at.at("mountPath"))
        if path in seen:
            yield invalid(at.at("mountPath"), path, "must be unique")
        seen.add(path)


def _resources(where: Place, resources: dict[str, Any]) -> Iterator[SpecError]:
    limits = mapping(resources, "limits")
    for kind in ("limits", "requests"):
        for name in mapping(resources, kind):
            if "/" not in name and name not in _RESOURCES and not name.startswith("hugepages-"):
                detail = "must be a standard resource type or fully qualified"
                yield invalid(_key(where.at(kind), name), name, detail)
            value, shown = amount(resources, kind, name), str(mapping(resources, kind)[name])
            if value is None and mapping(resources, kind)[name] is not None:
                # The schema lets it pass; decoding the object fails.
                yield invalid(_key(where.at(kind), name), shown, _NOT_A_QUANTITY)
            elif value is not None and value < 0:
                yield invalid(_key(where.at(kind), name), shown, _NOT_NEGATIVE)
    for name, written in mapping(resources, "requests").items():
        value, limit = amount(resources, "requests", name), amount(resources, "limits", name)
        if value is not None and limit is not None and value > limit:
            message = f"must be less than or equal to {name} limit of {limits[name]}"
            yield invalid(where.at("requests"), str(written), message)


def _key(where: Place, name: str) -> Place:
    """``limits[cpu]``: a key of a map, as Kubernetes prints it."""
    return Place((*where.path, name), (*where.shown[:-1], f"{where.shown[-1]}[{name}]"))


def _hooks_and_probes(at: Place, container: dict[str, Any]) -> Iterator[SpecError]:
    for hook in ("postStart", "preStop"):
        handler = mapping(container, "lifecycle").get(hook)
        if isinstance(handler, dict):
            yield from _handler(at.at("lifecycle", hook), handler, _HANDLERS)
    for kind in ("livenessProbe", "readinessProbe", "startupProbe"):
        probe = container.get(kind)
        if isinstance(probe, dict):
            yield from _probe(at.at(kind), probe)
            successes = integer(probe, "successThreshold")
            if kind != "readinessProbe" and successes not in {None, 0, 1}:
                yield invalid(at.at(kind, "successThreshold"), successes, "must be 1")


def _probe(at: Place, probe: dict[str, Any]) -> Iterator[SpecError]:
    yield from _handler(at, probe, _HANDLERS[:4])
    for field in _COUNTS:
        number = integer(probe, field)
        if number is not None and number < 0:
            yield invalid(at.at(field), number, _NOT_NEGATIVE)


def _handler(at: Place, handler: Mapping[str, Any], known: tuple[str, ...]) -> Iterator[SpecError]:
    written = [kind for kind in known if isinstance(handler.get(kind), dict)]
    if not written:
        yield required(at, "must specify a handler type")
        return
    yield from _action(at.at(written[0]), written[0], mapping(handler, written[0]))
    for kind in written[1:]:
        yield forbidden(at.at(kind), "may not specify more than 1 handler type")


def _action(at: Place, kind: str, action: dict[str, Any]) -> Iterator[SpecError]:
    if kind == "exec" and not items(action, "command"):
        yield required(at.at("command"))
    if kind in {"httpGet", "tcpSocket"}:
        yield from _action_port(at.at("port"), action.get("port"))
    if kind == "httpGet":
        yield from _one_of(at, action, "scheme", ("HTTP", "HTTPS"))


def _action_port(at: Place, port: Any) -> Iterator[SpecError]:
    """A number, or the name of a port; whether that port exists is not looked at."""
    if isinstance(port, str):
        yield from names.port_name(at, port)
    elif not isinstance(port, bool):
        yield from names.port_number(at, port if isinstance(port, int) else 0)
