"""The twin held against a real cluster: whether it decides the same, at the same time and at the same cost.

Everything is computed from journals, so that runs recorded once can be compared again by anybody. ``facts`` reduces a
run, ``thresholds`` reads what was demanded beforehand, ``comparing`` compares runs one by one (``series`` and
``histograms`` over time and by latency) and ``agreement`` sums up; ``card`` holds the values; ``words``, ``text``,
``data`` (JSON) and ``documents`` (Markdown, HTML, figures) say them. ``recorded`` keeps runs on disk.
"""
