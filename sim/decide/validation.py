"""Everything the Rollout controller refuses before it reconciles (condition InvalidSpec).

Source: behaviour reference 11.1 (Argo Rollouts ``pkg/apis/rollouts/validation/``, ``rollout/controller.go:605-700``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sim.decide.field_errors import SpecError
from sim.decide.releases import known_to
from sim.decide.validation_references import reference_errors
from sim.decide.validation_spec import spec_errors
from sim.model.controller import NEWEST, Controller
from sim.model.manifests import ManifestSet
from sim.model.rollout import RolloutSpec

__all__ = ["SpecError", "invalid_spec_message", "rollout_errors"]


def rollout_errors(spec: RolloutSpec, manifests: ManifestSet, controller: Controller = NEWEST) -> tuple[SpecError, ...]:
    """Every error of a Rollout that this release finds, the one it reports first; empty if it reconciles.

    Argo looks at the spec alone, then at what must exist, then at what those objects say, and stops at the first
    error; all are given here so that they can be mended together. What the twin does not read of a pod template is
    not validated.
    """
    spec = known_to(controller, spec)
    found = [*spec_errors(spec, manifests, controller), *reference_errors(spec, manifests, controller)]
    return tuple(replace(error, name=error.name or spec.name, rollout=spec.name) for error in found)


def invalid_spec_message(errors: Sequence[SpecError]) -> str:
    """Message of the InvalidSpec condition for these errors (at least one): only the first is named."""
    return f'The Rollout "{errors[0].rollout}" is invalid: {errors[0].message}'
