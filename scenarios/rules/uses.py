"""Which rollout judges itself by which metric, with which arguments: the analysis blocks of the manifests, resolved.

This is the reading side only; what the controller does with a run is ``sim.decide.analysis``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from scenarios.findings import Path
from scenarios.manifests import Document
from scenarios.rules.context import TEMPLATES, Context, space
from scenarios.rules.tree import dig, entries, mapping, seconds, sequence, text, whole
from sim.model.controller import Expr

_ARGUMENT = re.compile(r"\{\{\s*args\.([^\s{}]+)\s*\}\}")

PLACEHOLDER = "placeholder"
"""Stands for arguments whose value is only known in the cluster."""


class Role(StrEnum):
    """When a block of analysis runs."""

    BACKGROUND = "background"
    STEP = "step"
    PRE_PROMOTION = "prePromotion"
    POST_PROMOTION = "postPromotion"
    EXPERIMENT = "experiment"


@dataclass(frozen=True)
class Use:
    """One ``analysis`` block of a Rollout: its role, its place, the step it belongs to."""

    rollout: Document
    path: Path
    role: Role
    step: int | None = None

    @property
    def block(self) -> Mapping[str, Any]:
        """The block as written."""
        return mapping(self.rollout.data, *self.path)

    @property
    def arguments(self) -> dict[str, str]:
        """Values given here; ``valueFrom`` is a placeholder."""
        return {
            name: text(item, "value") if "value" in item else PLACEHOLDER
            for _, item in entries(self.block, "args")
            if (name := text(item, "name"))
        }

    @property
    def words(self) -> str:
        """``background analysis`` or ``analysis of step 3``, counting steps from 1 as people do."""
        if self.role is Role.STEP and self.step is not None:
            return f"analysis of step {self.step + 1}"
        return f"{self.role} analysis"


@dataclass(frozen=True)
class MetricUse:
    """One metric, its arguments substituted, in the block that uses it (None: in no block)."""

    template: Document
    path: Path
    metric: Mapping[str, Any]
    use: Use | None
    expr: Expr = Expr.V1_17
    """The controller's expression library."""

    @property
    def name(self) -> str:
        """The metric's name."""
        return text(self.metric, "name")

    @property
    def words(self) -> str:
        """``metric error-rate of AnalysisTemplate canary``."""
        return f"metric {self.name!r} of {self.template.kind} {self.template.name!r}"

    @property
    def interval_s(self) -> float | None:
        """Seconds between measurements; None where there is no (readable) interval."""
        return seconds(self.metric.get("interval"))

    @property
    def delay_s(self) -> float:
        """``initialDelay`` in seconds."""
        return seconds(self.metric.get("initialDelay")) or 0.0

    @property
    def count(self) -> int | None:
        """Measurements that count; None without end (Argo: no count but an interval)."""
        written = whole(self.metric.get("count"))
        return written or (None if self.metric.get("interval") else 1)

    @property
    def failure_limit(self) -> int:
        """Failures tolerated; the next one fails the run."""
        return whole(self.metric.get("failureLimit")) or 0

    @property
    def earliest_failure_s(self) -> float | None:
        """From the start of the run to the earliest verdict against the release; None if there never is one."""
        if self.failure_limit < 0 or (self.count is not None and self.failure_limit >= self.count):
            return None
        if self.failure_limit and self.interval_s is None:
            return None
        return self.delay_s + self.failure_limit * (self.interval_s or 0.0)

    @property
    def shortest_pass_s(self) -> float | None:
        """From the start of the run to its success; None if it only ends by failing."""
        if self.count is None:
            return None
        return self.delay_s + (self.count - 1) * (self.interval_s or 0.0)


def uses(context: Context) -> Iterator[Use]:
    """Every analysis block of every Rollout, in the order of the files."""
    for rollout in context.of_kind("Rollout"):
        yield from rollout_uses(rollout)


def rollout_uses(rollout: Document) -> Iterator[Use]:
    """The analysis blocks of one Rollout."""
    canary: Path = ("spec", "strategy", "canary")
    blue_green: Path = ("spec", "strategy", "blueGreen")
    if sequence(rollout.data, *canary, "analysis", "templates"):
        yield Use(rollout, (*canary, "analysis"), Role.BACKGROUND)
    for path, step in entries(rollout.data, *canary, "steps"):
        index = int(path[-1])
        if isinstance(step.get("analysis"), Mapping):
            yield Use(rollout, (*path, "analysis"), Role.STEP, index)
        for inner, _ in entries(rollout.data, *path, "experiment", "analyses"):
            yield Use(rollout, inner, Role.EXPERIMENT, index)
    for key, role in (("prePromotionAnalysis", Role.PRE_PROMOTION), ("postPromotionAnalysis", Role.POST_PROMOTION)):
        if isinstance(dig(rollout.data, *blue_green, key), Mapping):
            yield Use(rollout, (*blue_green, key), role)


def templates_of(context: Context, use: Use) -> tuple[Document, ...]:
    """The templates a block names that exist, the ones they name in turn included, each once."""
    found: dict[int, Document] = {}
    pending = [use.block]
    while pending:
        block = pending.pop(0)
        references = [item for _, item in entries(block, "templates")] or [block]
        for reference in references:
            template = _template(context, reference, space(use.rollout))
            if template is not None and id(template) not in found:
                found[id(template)] = template
                pending.append(mapping(template.data, "spec"))
    return tuple(found.values())


def _template(context: Context, reference: Mapping[str, Any], namespace: str) -> Document | None:
    name = text(reference, "templateName")
    if not name:
        return None
    if reference.get("clusterScope") is True:
        return context.find("ClusterAnalysisTemplate", name)
    return context.find("AnalysisTemplate", name, namespace)


def metric_uses(context: Context) -> Iterator[MetricUse]:
    """Every metric of every template, once for each block that uses it, and once if none does; those of AnalysisRuns."""
    used: set[int] = set()
    for use in uses(context):
        for template in templates_of(context, use):
            used.add(id(template))
            yield from _metrics(context, template, use)
    for template in context.of_kind(*TEMPLATES, "AnalysisRun"):
        if id(template) not in used:
            yield from _metrics(context, template, None)


def metrics_of(context: Context, use: Use) -> tuple[MetricUse, ...]:
    """The metrics of one block."""
    return tuple(metric for template in templates_of(context, use) for metric in _metrics(context, template, use))


def _metrics(context: Context, template: Document, use: Use | None) -> Iterator[MetricUse]:
    values = defaults(template)
    if use is not None:
        values |= {name: value for name, value in use.arguments.items() if name in values}
    for path, metric in entries(template.data, "spec", "metrics"):
        yield MetricUse(template, path, _substitute(metric, values), use, context.controller.expr)


def defaults(template: Document) -> dict[str, str]:
    """The template's arguments; a placeholder for those without a value."""
    return {
        name: text(item, "value") if "value" in item else PLACEHOLDER
        for _, item in entries(template.data, "spec", "args")
        if (name := text(item, "name"))
    }


def _substitute(node: Any, values: Mapping[str, str]) -> Any:
    """The node with every ``{{args.x}}`` replaced by its value, or by a placeholder."""
    if isinstance(node, str):
        return _ARGUMENT.sub(lambda match: values.get(match[1], PLACEHOLDER), node)
    if isinstance(node, Mapping):
        return {key: _substitute(value, values) for key, value in node.items()}
    if isinstance(node, list):
        return [_substitute(item, values) for item in node]
    return node
