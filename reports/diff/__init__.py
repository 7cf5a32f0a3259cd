"""Two versions of a policy, replayed on the same releases: what changed in decisions and indicators.

``card`` holds the values, ``decisions`` and ``effects`` compute them from pairs of replications, ``comparing`` puts them
together; ``words`` says it in sentences, ``text``, ``data`` (JSON) and ``documents`` (HTML, Markdown, figures) write it.
"""
