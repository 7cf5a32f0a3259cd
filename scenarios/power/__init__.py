"""What a rollout's gates can tell at the user's traffic: requests a measurement judges, chances of judging wrong.

``models`` makes a ``GateModel`` of each metric of each analysis run, ``courses`` says how it ends for a true error ratio
or latency, ``advice`` looks for the least that reaches a wanted power, and ``replicas`` makes the scenarios by which a
study checks all of it. Exact where measurements share no requests; counted (Monte Carlo over what each scrape sees)
where they do; neither where a query is no share of requests, and then the reason is said.
"""
