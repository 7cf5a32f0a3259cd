"""Conformance: our decisions against what Argo Rollouts' own functions answered for the same inputs."""
