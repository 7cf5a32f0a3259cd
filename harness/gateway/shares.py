"""Who gets how much of the ordinary traffic by a route table: the figures of the journal's weights."""

from __future__ import annotations

from harness.gateway.routes import RouteTable

Weights = tuple[float, float]
"""Percent of the ordinary (header-less) traffic that reaches the candidate's and the stable version's pods."""


def weights_of(table: RouteTable) -> Weights:
    """Each destination's share of the requests, spread evenly over its pods, by the pods' side.

    A destination without pods keeps its share and gives it to nobody.
    """
    percent = {"candidate": 0.0, "stable": 0.0}
    for entrance in table.entrances:
        rule = entrance.ordinary
        total = sum(one.weight for one in rule.destinations) if rule is not None else 0.0
        if rule is None or not total:
            continue
        for one in rule.destinations:
            for server in one.servers:
                part = 100 * entrance.origin.share * one.weight / total / len(one.servers)
                percent[server.side] = percent.get(server.side, 0.0) + part
    return round(percent["candidate"], 6), round(percent["stable"], 6)
