"""Clusters, namespaces and the objects in them: where a scenario runs, and nothing about what it means."""
