"""The packaged scenarios: the default world for bare manifests, and the TripTrip playbook in three variants."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).parent
DEFAULT = _HERE / "default.yaml"
"""Traffic, behaviours and people for manifests that come without a scenario."""
POLICY = _HERE / "triptrip" / "policy.yaml"
"""What the playbook's corrected canary is held to."""
STRATEGIES = ("canary", "blue-green", "rolling-update", "hotfix", "geographic")
VARIANTS = ("as-written", "repaired", "corrected")


def playbook(strategy: str, variant: str) -> Path:
    """The scenario file of one strategy of the playbook in one variant."""
    return _HERE / "triptrip" / "scenarios" / variant / f"{strategy}.yaml"
