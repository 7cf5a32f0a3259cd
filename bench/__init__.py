"""Benchmarks, with the SimPy models the twin's data plane is compared with."""
