"""The evaluator beside a real Prometheus server, where one can be had: ``nox -s oracle`` fetches it."""
