"""Readiness and kills on the kubelet's grid, which is anchored where the kubelet learns of the pod."""

from __future__ import annotations

import pytest

from sim.decide.probes import Outlook, outlook
from sim.model.pods import PodTemplate, Probe

PLAYBOOK = PodTemplate(readiness=Probe(initial_delay_s=5, period_s=5), liveness=Probe(initial_delay_s=15, period_s=10))


@pytest.mark.parametrize(
    ("template", "bound_s", "started_s", "up_s", "expected"),
    [
        pytest.param(PodTemplate(), 0.0, 4.0, 11.0, Outlook(4.0, None), id="no-probe-ready-when-running"),
        pytest.param(PLAYBOOK, 0.0, 0.0, 3.0, Outlook(5.0, None), id="up-before-initial-delay"),
        pytest.param(PLAYBOOK, 0.0, 0.0, 5.0, Outlook(5.0, None), id="up-exactly-on-a-tick"),
        pytest.param(PLAYBOOK, 0.0, 0.0, 12.0, Outlook(15.0, None), id="next-tick-after-up"),
        pytest.param(PLAYBOOK, 1.0, 5.0, 12.0, Outlook(16.0, None), id="grid-from-binding-not-from-start"),
        pytest.param(PLAYBOOK, 0.0, 0.0, 40.0, Outlook(40.0, None), id="liveness-spares-up-on-third-attempt"),
        pytest.param(PLAYBOOK, 0.0, 0.0, 41.0, Outlook(None, 40.0, "liveness probe"), id="liveness-kills-slow-starter"),
        pytest.param(
            PodTemplate(liveness=Probe(period_s=10)), 0.0, 0.0, 60.0, Outlook(0.0, 20.0, "liveness probe"), id="ready-then-killed"
        ),
        pytest.param(
            PodTemplate(startup=Probe(period_s=5, failure_threshold=4), readiness=Probe(period_s=10)),
            0.0, 0.0, 12.0, Outlook(15.0, None), id="startup-success-triggers-readiness",
        ),
        pytest.param(
            PodTemplate(startup=Probe(period_s=5, failure_threshold=4), liveness=Probe(period_s=1)),
            0.0, 0.0, 15.0, Outlook(15.0, None), id="startup-probe-holds-liveness-back",
        ),
        pytest.param(
            PodTemplate(startup=Probe(period_s=5, failure_threshold=2)),
            0.0, 0.0, 12.0, Outlook(None, 5.0, "startup probe"), id="startup-probe-gives-up",
        ),
        pytest.param(
            PodTemplate(readiness=Probe(period_s=5, success_threshold=3)), 0.0, 0.0, 1.0, Outlook(15.0, None), id="three-successes"
        ),
    ],
)  # fmt: skip
def test_outlook(template: PodTemplate, bound_s: float, started_s: float, up_s: float, expected: Outlook) -> None:
    assert outlook(template, bound_s, started_s, up_s) == expected
