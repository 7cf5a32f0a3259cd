"""The compiled draws against NumPy's, and the exponential against the true one."""

from __future__ import annotations

from decimal import Decimal, localcontext

import numpy as np
import pytest
from numpy.random import SFC64, Generator, SeedSequence

from sim.traffic import draws
from sim.traffic.draws import Draws
from sim.traffic.lognormal import FARTHEST, stretch

MANY = 300_000
"""Enough for every layer's edge and for both tails, many times."""


def generator() -> Generator:
    return Generator(SFC64(SeedSequence(7)))


@pytest.mark.parametrize("is_inline", [pytest.param(True, id="inline"), pytest.param(False, id="asked of NumPy")])
def test_draws_are_those_of_numpy(is_inline: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    assert draws.IS_INLINE, "numba has moved its copy of NumPy's tables"
    monkeypatch.setattr(draws, "IS_INLINE", is_inline)
    numpys, ours = generator(), Draws(generator())
    for count in (1, MANY, 2):
        assert np.array_equal(ours.spacings(count), np.cumsum(numpys.standard_exponential(count)))
        assert np.array_equal(ours.words(count), numpys.bit_generator.random_raw(count))
        normals = numpys.standard_normal(count)
        assert np.array_equal(ours.normals(count), normals)
    assert not ours.words(0).size


def test_the_exponential_is_within_1_5_units_of_its_last_place() -> None:
    powers = np.concatenate([generator().standard_normal(2_000) * 0.7, np.linspace(-700.0, 700.0, 500), [0.0]])
    found = np.empty_like(powers)
    stretch(powers, 1.0, 1.0, found)
    with localcontext() as context:
        context.prec = 50
        true = [Decimal(power).exp() for power in powers.tolist()]
    units = np.spacing(found).tolist()
    assert (
        max(abs(Decimal(x) - e) / Decimal(unit) for x, e, unit in zip(found.tolist(), true, units, strict=True)) < 1.5
    )
    assert found[-1] == 1.0


def test_times_beyond_all_bounds_stay_finite() -> None:
    found = np.empty(2)
    stretch(np.array([-1e9, 1e9]), 1.0, 1.0, found)
    assert np.allclose(found, np.exp([-FARTHEST, FARTHEST]), rtol=1e-12, atol=0)
