"""Settings that were tried, kept in an Optuna storage: a search goes on where it was, and Optuna's own tools can read it."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from itertools import count, takewhile
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import BaseStorage, JournalStorage, get_storage
from optuna.storages.journal import JournalFileBackend
from sqlalchemy.exc import SQLAlchemyError

from reports.statistics import Estimate
from reports.tune.card import Fate, Tried
from reports.tune.measures import Objective
from rolltwin.tuning.sampling import directions, quiet, trial_of
from scenarios.findings import BadInput, Finding, Severity
from scenarios.settings import Parameter

_ATTRIBUTE = "rolltwin"
_UNUSABLE = (
    json.JSONDecodeError, UnicodeDecodeError, KeyError, ImportError, optuna.exceptions.OptunaError, SQLAlchemyError,
)  # fmt: skip
"""What Optuna and the drivers of databases raise for a place that holds something else, or that nothing can open."""


class Kept:
    """What was tried in one search; the place may hold other searches too, and others may be writing to it."""

    def __init__(self, place: str, key: str, parameters: Sequence[Parameter], objectives: Sequence[Objective]) -> None:
        self.place = place
        self._parameters = parameters
        with _clear(place), quiet():
            self._study = optuna.create_study(
                study_name=key, storage=_storage(place), directions=directions(objectives), load_if_exists=True
            )

    def read(self) -> list[Tried]:
        """Every setting that was kept, in order; of two processes that kept the same one, the first's."""
        with _clear(self.place), quiet():
            trials = self._study.get_trials(deepcopy=False)
        found: dict[int, Tried] = {}
        for trial in trials:
            if _ATTRIBUTE in trial.user_attrs:
                one = tried_from(trial.user_attrs[_ATTRIBUTE])
                found.setdefault(one.index, one)
        # Those after a gap were found in a light that is missing here.
        return [found[index] for index in takewhile(found.__contains__, count())]

    def append(self, tried: Tried) -> None:
        """Keep one more."""
        trial = trial_of(tried, self._parameters)
        trial.set_user_attr(_ATTRIBUTE, asdict(tried))
        with _clear(self.place), quiet():
            self._study.add_trial(trial)


def tried_from(data: dict[str, Any]) -> Tried:
    """The setting that ``asdict`` took apart."""
    estimates = {name: tuple(Estimate(**one) for one in data[name]) for name in ("objectives", "constraints")}
    settings = tuple((str(name), str(value)) for name, value in data["settings"])
    changed = {"settings": settings, "fate": Fate(data["fate"]), "violations": tuple(data["violations"])}
    return Tried(**(data | estimates | changed))


def _storage(place: str) -> str | BaseStorage:
    """A URL as Optuna takes it, else a file of its journal."""
    if "://" in place:
        return get_storage(place)
    file = Path(place)
    if file.exists() and not file.is_file():
        # Optuna would read a device, such as /dev/full, to its end.
        raise BadInput([_finding(place, "is no file")])
    file.parent.mkdir(parents=True, exist_ok=True)
    # Optuna would take its own time to notice.
    with file.open("ab"):
        pass
    return JournalStorage(JournalFileBackend(place))


@contextmanager
def _clear(place: str) -> Iterator[None]:
    """What goes wrong with the storage, in words."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    except _UNUSABLE as error:
        raise BadInput([_finding(place, f"is no storage of Optuna that can be used: {error}")]) from error


def _finding(place: str, message: str) -> Finding:
    hint = "name another with --storage, or delete it: finished replications are kept elsewhere"
    return Finding("RT800", Severity.ERROR, message, place, suggestion=hint)
