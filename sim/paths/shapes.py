"""What of a scenario shapes its path: everything but its gates. Variants of one shape share paths."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from sim.decide.rejections import Rejection, rejection
from sim.engine.setup import eyes_of
from sim.engine.telemetry import Eyes
from sim.metrics.conventions import words
from sim.model.analysis import AnalysisRef, TemplateRef
from sim.model.rollout import RolloutSpec
from sim.model.scenario import Scenario
from sim.model.strategy import ArgoRollout, Geographic

_SOME: Final = (TemplateRef("*"),)


@dataclass(frozen=True, slots=True)
class Shape:
    """Everything that variants of one shape have in common, and why their release never starts, if it does not."""

    scenario: Scenario
    rejection: Rejection | None
    names: frozenset[str]
    """What their queries name: a label is only kept where somebody asks for it."""


@dataclass(frozen=True, slots=True)
class Group:
    """Variants, by their places, that may share paths; ``shared`` is False where each takes a run of its own."""

    places: tuple[int, ...]
    shared: bool
    eyes: Eyes
    """Everything that any of them reads."""


def grouped(variants: Sequence[Scenario]) -> tuple[Group, ...]:
    """The variants by shape, in order of first appearance."""
    buckets: dict[object, list[tuple[Shape, list[int]]]] = {}
    found: list[tuple[Shape, list[int]]] = []
    for place, variant in enumerate(variants):
        shape = shape_of(variant)
        # Hashing a whole scenario takes longer than comparing it, as variants share most of their parts.
        bucket = buckets.setdefault((shape.scenario.strategy, shape.scenario.manifests.rollouts), [])
        known = next((places for other, places in bucket if other == shape), None)
        if known is None:
            known = []
            bucket.append((shape, known))
            found.append((shape, known))
        known.append(place)
    return tuple(_group(variants, shape, places) for shape, places in found)


def _group(variants: Sequence[Scenario], shape: Shape, places: list[int]) -> Group:
    strategy = shape.scenario.strategy
    if isinstance(strategy, Geographic):
        # Regions one after another wait for each other's verdicts: no one path tells everything.
        return Group(tuple(places), shared=False, eyes=Eyes())
    seen = [eyes_of(variants[place].manifests, strategy) for place in places]
    lines = dict.fromkeys(line for one in seen for line in one.prometheus.splitlines())
    # Scrapes ask for names only; sorted, so that equal names are equal texts.
    names = frozenset[str]().union(*map(_words, lines))
    flushed = dict.fromkeys(line for one in seen for line in one.datadog.splitlines())
    return Group(tuple(places), shared=True, eyes=Eyes(" ".join(sorted(names)), "\n".join(flushed)))


def shape_of(variant: Scenario) -> Shape:
    """The variant without its gates, and without what only names it."""
    strategy = variant.strategy
    refused = rejection(variant, strategy) if not isinstance(strategy, Geographic) else None
    if not isinstance(strategy, ArgoRollout):
        return Shape(replace(variant, title="", description="", name="", variant=""), refused, frozenset())
    rollouts = tuple(_without_gates(one) if one.name == strategy.rollout else one for one in variant.manifests.rollouts)
    manifests = replace(variant.manifests, rollouts=rollouts, analysis_templates=())
    bare = replace(variant, title="", description="", name="", variant="", manifests=manifests)
    return Shape(bare, refused, _names(variant))


def _without_gates(spec: RolloutSpec) -> RolloutSpec:
    """The Rollout with the places of its analyses instead of their contents."""
    canary, blue_green = spec.canary, spec.blue_green
    if canary is not None:
        steps = tuple(
            replace(step, analysis=_place_of(step.analysis)) if step.analysis else step for step in canary.steps
        )
        canary = replace(canary, steps=steps, analysis=_place_of(canary.analysis))
    if blue_green is not None:
        before, after = blue_green.pre_promotion, blue_green.post_promotion
        blue_green = replace(blue_green, pre_promotion=_place_of(before), post_promotion=_place_of(after))
    return replace(spec, canary=canary, blue_green=blue_green)


def _place_of(ref: AnalysisRef | None) -> AnalysisRef | None:
    if ref is None:
        return None
    return AnalysisRef(_SOME if ref.templates else (), starting_step=ref.starting_step)


def _names(variant: Scenario) -> frozenset[str]:
    texts = {text for template in variant.manifests.analysis_templates for text in template.metrics_json}
    return frozenset[str]().union(*map(_named, texts))


@lru_cache(maxsize=4096)
def _words(text: str) -> frozenset[str]:
    return words(text)


@lru_cache(maxsize=4096)
def _named(text: str) -> frozenset[str]:
    provider = json.loads(text).get("provider")
    asked = provider.get("prometheus") if isinstance(provider, dict) else None
    query = asked.get("query") if isinstance(asked, dict) else None
    return words(query) if isinstance(query, str) else frozenset()
