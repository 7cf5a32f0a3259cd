"""What a cluster's own delays are: measured, and given to the twin in place of a scenario's assumptions about production.

The twin and a cluster can only be compared decision by decision if both have the same Kubernetes under them. A scenario's
``cluster`` section describes the team's production; a kind cluster on one machine is another one. ``profile.yaml`` says
how quick that is, ``python -m harness.profile`` measures it anew.
"""

from harness.profile.profile import Profile, profile, profiled

__all__ = ["Profile", "profile", "profiled"]
