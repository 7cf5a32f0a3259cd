"""Documents out: every indicator, figure and page is computed from journals, never from live simulation objects.

pandas appears in ``frames`` only, matplotlib in ``figures`` only.
"""
