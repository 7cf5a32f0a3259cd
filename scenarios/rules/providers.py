"""RT126: provider blocks with which every measurement is an Error, whatever the provider would answer.

Source: Argo Rollouts ``metricproviders/`` (prometheus.go:200-310, datadog.go:555-600, webmetric.go:60-80,200-225,
newrelic.go, graphite.go:20-40, kayenta.go:240-285), whose words they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from scenarios.findings import Severity
from scenarios.rules.context import Context
from scenarios.rules.rule import Hit, Rule
from scenarios.rules.tree import mapping, text, whole
from scenarios.rules.uses import PLACEHOLDER, metric_uses
from sim.decide.metric_rules import duration_error
from sim.metrics import jsonpath
from sim.metrics.datadog_answers import datadog_config_error


def misconfigured(context: Context) -> Iterator[Hit]:
    """Metrics whose provider cannot be set up, or whose request cannot be made."""
    for metric in metric_uses(context):
        for kind, check in _CHECKS.items():
            block = mapping(metric.metric, "provider").get(kind)
            for field, error in check(block) if isinstance(block, Mapping) else ():
                path = (*metric.path, "provider", kind, *([field] if field else []))
                yield Hit(metric.template, path, f"every measurement of {metric.words} is an Error: {error}")


Problems = Iterator[tuple[str, str]]
"""Field ('' for the whole block) and what the controller says."""


def _prometheus(block: Mapping[str, Any]) -> Problems:
    address = text(block, "address")
    if address and not _is_url(address):
        yield "address", "prometheus address is not is url format"
    if (whole(block.get("timeout")) or 0) < 0:
        yield "timeout", "prometheus timeout should not be negative"
    login = mapping(block, "authentication", "basicAuth")
    given = [name for name in ("username", "password") if text(login, name)]
    if len(given) == 1:
        missing = "password" if given == ["username"] else "username"
        yield "authentication", f"missing mandatory parameter in metric for basic auth setup: {missing}"
    yield from _oauth(block)


def _oauth(block: Mapping[str, Any]) -> Problems:
    oauth = mapping(block, "authentication", "oauth2")
    if text(oauth, "tokenUrl") and not (text(oauth, "clientId") and text(oauth, "clientSecret")):
        yield "authentication", "missing mandatory parameter in metric for OAuth2 setup"


def _datadog(block: Mapping[str, Any]) -> Problems:
    if error := datadog_config_error({"apiVersion": "v1", "query": "", **block}):
        yield "", error
    secret = mapping(block, "secretRef")
    if secret.get("namespaced") is True and not text(secret, "name"):
        yield "secretRef", "secret name is required for namespaced credentials"


def _web(block: Mapping[str, Any]) -> Problems:
    body, other = text(block, "body"), block.get("jsonBody")
    if body and other is not None:
        yield "jsonBody", "use either Body or JSONBody; both cannot exists for WebMetric payload"
    elif (body or other is not None) and text(block, "method") in {"", "GET"}:
        yield "method", "Body/JSONBody can only be used with POST or PUT WebMetric Method types"
    if text(block, "url") and not _is_url(text(block, "url")):
        yield "url", f'Get "{text(block, "url")}": unsupported protocol scheme ""'
    path = text(block, "jsonPath")
    if error := jsonpath.check(path) if path else None:
        yield "jsonPath", error
    elif path and "{" not in path:
        yield (
            "jsonPath",
            f"a path stands in braces; {path!r} is plain text, and every result is that text: write {{{path}}}",
        )
    yield from _oauth(block)


def _newrelic(block: Mapping[str, Any]) -> Problems:
    if (whole(block.get("timeout")) or 0) < 0:
        yield "timeout", "timeout value needs to be a positive value"


def _graphite(block: Mapping[str, Any]) -> Problems:
    address = text(block, "address")
    if not _is_url(address):
        yield "address", f"graphite address {address} is not a valid URL"


def _cloudwatch(block: Mapping[str, Any]) -> Problems:
    interval = text(block, "interval")
    if interval and (error := duration_error(interval)):
        yield "interval", error


def _kayenta(block: Mapping[str, Any]) -> Problems:
    for scope in block.get("scopes") or ():
        control, experiment = mapping(scope, "controlScope"), mapping(scope, "experimentScope")
        for field in ("start", "end"):
            if bool(text(control, field)) != bool(text(experiment, field)):
                yield "scopes", f"controlScope.{field} and experimentScope.{field} must both be set or be empty"


_CHECKS: Mapping[str, Callable[[Mapping[str, Any]], Problems]] = {
    "prometheus": _prometheus,
    "datadog": _datadog,
    "web": _web,
    "newRelic": _newrelic,
    "graphite": _graphite,
    "cloudWatch": _cloudwatch,
    "kayenta": _kayenta,
}


def _is_url(address: str) -> bool:
    """Go's check: a scheme and a host. Addresses made of arguments are only known in the cluster."""
    if PLACEHOLDER in address:
        return True
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return bool(parts.scheme and parts.netloc)


RULES = (
    Rule(
        "RT126",
        "provider-misconfigured",
        Severity.ERROR,
        "A provider that cannot be set up makes each measurement an Error; the fifth in a row aborts the rollout.",
        "correct the field; the words are the provider's own",
        misconfigured,
    ),
)
