"""A scenario's traffic on a real cluster: Locust in a process of its own, every attempt written down.

``plan`` says what to send (from the scenario), ``locustfile`` and ``sources`` send it (inside Locust's process),
``attempts`` is the file between the two processes, ``generator`` starts and stops the process, ``rows`` makes the
journal's traffic rows of the attempts and ``achieved`` says how near the load came to what was planned.
Locust's own statistics are rounded and never used.
"""
