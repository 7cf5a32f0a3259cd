from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from sim.engine.audience import Audience


@pytest.mark.parametrize(
    ("ups_s", "stages"),
    [
        pytest.param([], [(10.0, 20.0, 30.0)], id="nothing comes up"),
        pytest.param([15.0], [(10.0,), (20.0, 30.0)], id="between"),
        pytest.param([15.0, 16.0], [(10.0,), (20.0, 30.0)], id="two between the same instants"),
        pytest.param([30.0], [(10.0, 20.0), (30.0,)], id="at the last instant"),
        pytest.param([5.0, 40.0], [(10.0, 20.0, 30.0)], id="before and after"),
    ],
)
def test_instants_are_told_apart_only_where_somebody_begins_to_answer_in_between(
    ups_s: list[float], stages: list[tuple[float, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    ground: Any = SimpleNamespace(stirs=0)
    audience = Audience(ground, list, "shop", {})  # type: ignore[arg-type]  # nobody's address is asked for
    monkeypatch.setattr(audience, "_containers", lambda: [(up_s, None, None, 0) for up_s in ups_s])
    monkeypatch.setattr(audience, "_at", lambda instant_s: instant_s)
    seen: list[Any] = list(audience.seen((10.0, 20.0, 30.0)))
    assert seen == [(stage, stage[-1]) for stage in stages]
