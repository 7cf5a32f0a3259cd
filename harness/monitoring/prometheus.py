"""What the run asks of a Prometheus, wherever it runs: instant and range queries, answered as data."""

from __future__ import annotations

from typing import Any, Protocol

Answer = dict[str, Any]
"""The ``data`` of the HTTP API's answer (``{"resultType": "vector", "result": [...]}``), or ``{"error": TEXT}``.

This is what ``sim.metrics.answers.prometheus`` reads. The error's text is the one Prometheus' Go client gives its caller,
because it ends up in messages of analysis runs:

- the server refuses: ``bad_data: invalid parameter "query": 1:5: parse error: ...`` (``errorType: error`` of the answer);
- nobody listens: ``Post "ADDRESS/api/v1/query": dial tcp HOST:PORT: connect: connection refused``;
- no answer in time: ``Post "ADDRESS/api/v1/query": context deadline exceeded``;
- an answer that is none: ``server_error: server error: 503``, ``client_error: client error: 404``.
"""


class Prometheus(Protocol):
    """A client; safe to use from several threads. A query never raises for what a server does or fails to do.

    An outage needs no method here: whoever injects it stops the server, and queries are answered ``{"error": ...}``.
    """

    @property
    def address(self) -> str:
        """``http://HOST:PORT`` at which this machine asks, without a slash at the end."""
        ...

    def query(self, query: str, at_unix_s: float | None = None, *, timeout_s: float = 30.0) -> Answer:
        """The query at an instant of UNIX time; None lets the server take its own now, as Argo's controller does not."""
        ...

    def query_range(
        self, query: str, start_unix_s: float, end_unix_s: float, step_s: float, *, timeout_s: float = 30.0
    ) -> Answer:
        """The query over a range of UNIX time, both ends included."""
        ...
