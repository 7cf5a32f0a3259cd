"""The scenario file: one YAML document that states a whole question.

``fields`` are the kinds of value it may hold, ``schema`` the tables of what may stand where (defaults come from
``sim.model``, so nothing is said twice), ``source`` the text with its positions, ``load`` the way from a path to a
frozen ``Scenario``.
"""

from scenarios.document.load import Loaded, from_manifests, load, read_many

__all__ = ["Loaded", "from_manifests", "load", "read_many"]
