"""Every operation the vectors may ask for, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.conformance import analysis_ops, conditions_ops, provider_ops, replicas_ops, rollout_ops

Operation = Callable[[dict[str, Any]], Any]

OPS: Mapping[str, Operation] = {
    **analysis_ops.OPS,
    **replicas_ops.OPS,
    **rollout_ops.OPS,
    **conditions_ops.OPS,
    **provider_ops.OPS,
}
