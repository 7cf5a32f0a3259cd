"""Who decides on the cluster: one module per decision maker, all behind one protocol."""

from harness.makers.maker import Maker

__all__ = ["Maker"]
