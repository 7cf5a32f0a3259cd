"""What one analysis run is made of under each variant, told apart once and followed on every path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from sim.decide.arguments import RunContext
from sim.decide.orders import Created, Order, created
from sim.decide.runs import reference_of
from sim.decide.templates import TemplateError, templates_of
from sim.engine.observing import Course
from sim.model.actions import StartAnalysis
from sim.model.analysis import AnalysisPhase, AnalysisRef
from sim.model.manifests import ManifestSet
from sim.model.rollout import RolloutSpec, RunRole
from sim.model.scenario import Scenario
from sim.model.strategy import ArgoRollout
from sim.paths.path import Path, good_s
from sim.paths.replay import Family, Span, Trace, timing
from sim.paths.tallies import ERROR
from sim.paths.values import Booleans, Floats, Integers


@dataclass(frozen=True, slots=True)
class Contents:
    """The different contents of one run, which variant has which, and how they are followed.

    ``None`` is a run that cannot even be created.
    """

    distinct: tuple[Created | None, ...]
    of: Integers
    """Of each variant the place of its content."""
    families: tuple[Family, ...]
    reads_spec: bool
    """Whether arguments are taken from the Rollout's own fields."""
    names: tuple[tuple[str, ...], ...] = ()
    """Of each content its metrics."""
    broken: Booleans = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))
    """Which contents end as errors at once."""
    missing: Booleans = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))
    """Which cannot even be created."""

    @classmethod
    def of_runs(
        cls, distinct: Sequence[Created | None], of: Integers, families: tuple[Family, ...], *, reads_spec: bool
    ) -> Contents:
        """With what follows from the runs themselves."""
        names = tuple(tuple(metric.name for metric in one.spec.metrics) if one else () for one in distinct)
        broken = np.array([one is not None and one.status.phase.is_completed for one in distinct], dtype=np.bool_)
        missing = np.array([one is None for one in distinct], dtype=np.bool_)
        return cls(tuple(distinct), of, families, reads_spec, names, broken, missing)

    def trace(self, path: Path, course: Course, wanted: Booleans) -> Trace:
        """What comes of each content that is wanted, and from when on the path is not its own."""
        trace = Trace.of(len(self.distinct))
        created_s = course.run.created_s
        ended_s = np.inf if course.told_to_end_s is None else course.told_to_end_s
        done_s = good_s(course)
        until_s = np.inf if course.run.order.role is RunRole.BACKGROUND else done_s
        span = Span(created_s, ended_s, min(until_s, path.end_s + 1.0))
        for family in self.families:
            family.trace(path, span, wanted, trace)
        trace.lost_s[self.missing | (self.broken != _is_broken(course))] = created_s
        trace.bad_s[self.broken], trace.phase[self.broken], trace.metric[self.broken] = created_s, ERROR, -1
        _part(trace, course, path, done_s)
        return trace


def _is_broken(course: Course) -> bool:
    """Whether the path's own run could not be judged."""
    return bool(course.told) and course.told[0] == (course.run.created_s, AnalysisPhase.ERROR)


def _part(trace: Trace, course: Course, path: Path, done_s: float) -> None:
    """From when on contents part from the path because the controller hears of their run at other times."""
    running_s = next((at_s for at_s, phase in course.told if phase is AnalysisPhase.RUNNING), np.inf)
    _part_from(trace, trace.running_s, running_s, path)
    if course.run.order.role is RunRole.BACKGROUND:
        _part_from(trace, trace.good_s, done_s, path)
    else:
        first_s = np.minimum(trace.good_s, done_s)
        other = (trace.good_s != done_s) & (first_s < trace.bad_s)
        trace.lost_s[other] = np.minimum(trace.lost_s, first_s)[other]


def _part_from(trace: Trace, told_s: Floats, on_path_s: float, path: Path) -> None:
    """News that come where they did not on the path, or not where they did, change nothing in a quiet moment."""
    for at_s in np.unique(told_s[told_s != on_path_s]).tolist():
        differs = told_s == at_s
        for news_s in (at_s, on_path_s):
            heard = differs & (trace.bad_s > news_s)
            if np.isfinite(news_s) and heard.any() and not path.is_quiet(news_s):
                trace.lost_s[heard] = np.minimum(trace.lost_s[heard], news_s - path.margin_s)


@dataclass(slots=True)
class Book:
    """The contents of every run of a group of variants; made at first need and kept for all seeds."""

    variants: Sequence[Scenario]
    _known: dict[object, tuple[RolloutSpec, Contents]] = field(default_factory=dict)

    def contents(self, course: Course, path: Path) -> Contents:
        """Of one run on a path."""
        order, context = course.run.order, course.context
        spec = path.spec_at(course.run.created_s)
        experiment = order.ref if order.role is RunRole.EXPERIMENT else None
        key = order.role, order.step_index, experiment, context.canary_hash, context.stable_hash
        known = self._known.get(key)
        if known is None or (known[1].reads_spec and known[0] != spec):
            known = self._known[key] = spec, self._made(order, spec, context)
        return known[1]

    def _made(self, order: Order, spec: RolloutSpec, context: RunContext) -> Contents:
        sources: dict[object, int] = {}
        known: dict[object, int] = {}
        distinct: list[Created | None] = []
        of = []
        reads_spec = False
        for variant in self.variants:
            ref = _reference(variant, order)
            reads_spec |= any(argument.field_path is not None for argument in ref.args)
            source = ref, _templates(ref, variant.manifests, context)
            if source not in sources:
                made = _created(ref, order, variant.manifests, spec, context)
                sources[source] = known.setdefault(_identity(made), len(distinct))
                if sources[source] == len(distinct):
                    distinct.append(made)
            of.append(sources[source])
        families = _families(self.variants[0], distinct)
        return Contents.of_runs(distinct, np.array(of, dtype=np.int64), families, reads_spec=reads_spec)


def _reference(variant: Scenario, order: Order) -> AnalysisRef:
    """The ``analysis`` block of the variant; an experiment's analyses are the same for all."""
    strategy = variant.strategy
    if order.role is RunRole.EXPERIMENT or not isinstance(strategy, ArgoRollout):
        return order.ref
    action = StartAnalysis(order.role, order.step_index, order.name)
    return reference_of(next(one for one in variant.manifests.rollouts if one.name == strategy.rollout), action)


def _templates(ref: AnalysisRef, manifests: ManifestSet, context: RunContext) -> object:
    try:
        return templates_of(ref.templates, manifests, context.namespace, context.controller)
    except TemplateError as error:
        return str(error)


def _created(
    ref: AnalysisRef, order: Order, manifests: ManifestSet, spec: RolloutSpec, context: RunContext
) -> Created | None:
    wanted = Order(order.name, order.role, ref, order.step_index, order.pod_hash)
    try:
        return created(wanted, manifests, spec, context)
    except TemplateError:
        return None


def _identity(made: Created | None) -> object:
    if made is None:
        return None
    spec = made.spec
    return spec.metrics, spec.dry_run, spec.retention, tuple(sorted(made.origins.items())), made.status.message


def _families(scenario: Scenario, distinct: Sequence[Created | None]) -> tuple[Family, ...]:
    members: dict[object, dict[int, Created]] = {}
    for place, one in enumerate(distinct):
        if one is not None and not one.status.phase.is_completed:
            members.setdefault(timing(one), {})[place] = one
    return tuple(Family(scenario, contents) for contents in members.values())
