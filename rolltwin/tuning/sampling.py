"""Optuna's part: the next setting from what is known of those tried, and which parameters mattered."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import ceil

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.samplers import BaseSampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial

from reports.tune.card import Asked, Fate, Importance, Tried
from reports.tune.measures import Objective
from scenarios.settings import Choices, Parameter, Range, Unit
from sim.study import replication_seed

_STARTUP = 10
"""Settings tried, baselines included, before any is modelled."""
_GENERATION = 16
"""Settings that NSGA-II crosses."""
_GENERATION_KEY = "NSGAIISampler:generation"
"""Optuna's name for it."""


def distribution(parameter: Parameter) -> BaseDistribution:
    """How Optuna counts the parameter: natural numbers where there are any, positions in a list, else the range itself."""
    values = parameter.values
    if isinstance(values, Choices):
        return CategoricalDistribution(values.options)
    if values.unit in {Unit.WHOLE, Unit.PERCENT} and values.step == 1:
        return IntDistribution(int(values.low), int(values.high), log=values.log)
    if values.step and not values.log:
        # Counted in steps: Optuna would cut a range that is no multiple of its step.
        return IntDistribution(0, ceil((values.high - values.low) / values.step))
    return FloatDistribution(values.low, values.high, log=values.log)


def written(parameter: Parameter, raw: object) -> str:
    """Optuna's value as it will be written."""
    values = parameter.values
    if isinstance(values, Choices) or not isinstance(raw, int | float):
        return str(raw)
    return values.write(values.low + raw * values.step if _in_steps(values) else float(raw))


def raw(parameter: Parameter, text: str) -> object:
    """A value as Optuna counts it."""
    values = parameter.values
    number = None if isinstance(values, Choices) else values.read(text)
    if isinstance(values, Choices) or number is None:
        return text
    if _in_steps(values):
        return ceil((number - values.low) / values.step - 1e-9)
    return int(number) if isinstance(distribution(parameter), IntDistribution) else number


def _in_steps(values: Range) -> bool:
    natural = values.unit in {Unit.WHOLE, Unit.PERCENT} and values.step == 1
    return bool(values.step) and not values.log and not natural


def propose(parameters: Sequence[Parameter], asked: Asked, tried: Sequence[Tried]) -> Mapping[Parameter, str]:
    """The next setting to try: a function of what was tried before and of the seed, whenever and wherever it is asked.

    By tree-structured Parzen estimators for several objectives, or by NSGA-II, which crosses settings of a generation; both
    rank infeasible settings by how far they are from feasible.
    """
    with quiet():
        seed = _sampler_seed(asked.seed, len(tried))
        if asked.sampler == "nsga2":
            sampler: BaseSampler = optuna.samplers.NSGAIISampler(population_size=_GENERATION, seed=seed)
        else:
            sampler = optuna.samplers.TPESampler(n_startup_trials=_STARTUP, multivariate=True, seed=seed)
        study = optuna.create_study(directions=directions(asked.objectives), sampler=sampler)
        study.add_trials(_generations([trial_of(one, parameters) for one in tried]))
        found = study.ask({item.name: distribution(item) for item in parameters})
        return {item: written(item, found.params[item.name]) for item in parameters}


def _generations(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """The trials, each of the generation that it would have got had NSGA-II seen one after the other."""
    complete = [trial for trial in trials if trial.state is TrialState.COMPLETE]
    for place, trial in enumerate(complete):
        # Optuna notes this itself where a study lives on; ours is made anew for every proposal.
        trial.system_attrs[_GENERATION_KEY] = place // _GENERATION
    return list(trials)


def _sampler_seed(seed: int, index: int) -> int:
    return replication_seed(seed, "tune/sampler", index) % 2**32


def directions(objectives: Sequence[Objective]) -> list[StudyDirection]:
    """As Optuna names them."""
    return [StudyDirection.MAXIMIZE if item.maximise else StudyDirection.MINIMIZE for item in objectives]


def trial_of(tried: Tried, parameters: Sequence[Parameter]) -> FrozenTrial:
    """A setting as a finished trial; one without an estimate of every objective has failed."""
    settings = dict(tried.settings)
    values = [estimate.mean for estimate in tried.objectives]
    known = [value for value in values if value is not None]
    complete = tried.fate is not Fate.REFUSED and len(known) == len(values) > 0
    return create_trial(
        state=TrialState.COMPLETE if complete else TrialState.FAIL,
        values=known if complete else None,
        params={item.name: raw(item, settings[item.name]) for item in parameters},
        distributions={item.name: distribution(item) for item in parameters},
        constraints={str(index): value for index, value in enumerate(tried.violations)},
    )


def importances(
    parameters: Sequence[Parameter], objectives: Sequence[Objective], tried: Sequence[Tried]
) -> tuple[Importance, ...]:
    """PED-ANOVA shares of each objective; nothing where too few settings were completed to say."""
    trials = [trial_of(one, parameters) for one in tried]
    complete = [trial for trial in trials if trial.state is TrialState.COMPLETE]
    varying = [item for item in parameters if len({trial.params[item.name] for trial in complete}) > 1]
    if len(complete) < _STARTUP or not varying:
        return ()
    with quiet():
        study = optuna.create_study(directions=directions(objectives))
        study.add_trials(complete)
        return tuple(_importance(study, item, place) for place, item in enumerate(objectives))


def _importance(study: optuna.Study, objective: Objective, place: int) -> Importance:
    found = get_param_importances(
        study,
        evaluator=PedAnovaImportanceEvaluator(),
        target=lambda trial: objective.sign * trial.values[place],
    )
    return Importance(objective, tuple(sorted(found.items(), key=lambda item: (-item[1], item[0]))))


@contextmanager
def quiet() -> Iterator[None]:
    """Optuna's log says on standard error what our own reports say, and its experimental parts say that they are."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            # We do as it says: less is better in every target that it is given.
            warnings.filterwarnings("ignore", "PedAnovaImportanceEvaluator computes")
            yield
    finally:
        optuna.logging.set_verbosity(before)
