"""A scenario's manifests, adapted to a cluster that has neither the application nor the mesh they were written for."""
