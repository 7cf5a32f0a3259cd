"""Where the templates say that Prometheus is: names and ports that have to lead to the run's own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import urlsplit

from sim.model.scenario import Scenario

PORT = 9090
_SCHEMES = {"http": 80, "https": 443}


def written(scenario: Scenario) -> tuple[str, ...]:
    """The addresses in the templates' metrics, and the one the controller uses where a template names none."""
    found = [*_in_templates(scenario), scenario.telemetry.prometheus.attached_address]
    return tuple(dict.fromkeys(address for address in found if address))


def _in_templates(scenario: Scenario) -> Iterator[str]:
    for template in scenario.manifests.analysis_templates:
        for text in template.metrics_json:
            provider = json.loads(text).get("provider", {}).get("prometheus") or {}
            yield str(provider.get("address", ""))


def hosts(addresses: tuple[str, ...]) -> tuple[str, ...]:
    """Host names in the addresses, arguments (``{{args.x}}``) and numbers left out."""
    names = (urlsplit(address).hostname or "" for address in addresses if "{{" not in address)
    return tuple(dict.fromkeys(name for name in names if name and not name.replace(".", "").isdigit()))


def ports(addresses: tuple[str, ...]) -> tuple[int, ...]:
    """Ports at which Prometheus has to answer: its usual one first, then the others in the addresses."""
    plain = (urlsplit(address) for address in addresses if "{{" not in address)
    found = (one.port or _SCHEMES.get(one.scheme, PORT) for one in plain)
    return tuple(dict.fromkeys((PORT, *found)))


def unusable(addresses: tuple[str, ...]) -> tuple[str, ...]:
    """Sentences on the addresses that lead nowhere on the cluster."""
    encrypted = [address for address in addresses if address.startswith("https:")]
    return tuple(
        f"{address} is encrypted, and the cluster's Prometheus is not: its queries fail." for address in encrypted
    )
