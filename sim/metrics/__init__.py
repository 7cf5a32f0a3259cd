"""What monitoring sees, and how gates read it: scraping, series, PromQL, Datadog queries and Argo's conditions."""

from sim.metrics import promql
from sim.metrics.store import STALE, SeriesStore

__all__ = ["STALE", "SeriesStore", "promql"]
