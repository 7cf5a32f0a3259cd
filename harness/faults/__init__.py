"""The scenario's faults on a real cluster: the same union, triggers and targets as in the twin.

Errors, slowness, leaks, slow starts and crashes are the application's own, told through its admin port; pods are deleted,
nodes paused and Prometheus stopped. What this machine cannot do raises MissingError before the run.
"""

from harness.faults.engine import FaultEngine, View

__all__ = ["FaultEngine", "View"]
