"""Prometheus on the cluster or beside it, behind one interface: what scrapes the pods and answers the templates' queries."""

from harness.monitoring.prometheus import Answer, Prometheus

__all__ = ["Answer", "Prometheus"]
