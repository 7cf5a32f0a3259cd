"""Questions to a Prometheus server over HTTP, answered in the words of its Go client."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from harness.monitoring.prometheus import Answer

_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True, slots=True)
class Client:
    """See ``harness.monitoring.prometheus.Prometheus``; every question has a connection of its own."""

    address: str

    def query(self, query: str, at_unix_s: float | None = None, *, timeout_s: float = 30.0) -> Answer:
        """The query at an instant."""
        when = {} if at_unix_s is None else {"time": f"{at_unix_s:.3f}"}
        return self._ask("query", {"query": query} | when, timeout_s)

    def query_range(
        self, query: str, start_unix_s: float, end_unix_s: float, step_s: float, *, timeout_s: float = 30.0
    ) -> Answer:
        """The query over a range."""
        times = {"start": f"{start_unix_s:.3f}", "end": f"{end_unix_s:.3f}", "step": f"{step_s:.3f}"}
        return self._ask("query_range", {"query": query} | times, timeout_s)

    def _ask(self, what: str, form: dict[str, str], timeout_s: float) -> Answer:
        there = urlsplit(self.address)
        asked = f'Post "{self.address}/api/v1/{what}": '
        connection = HTTPConnection(there.hostname or "", there.port or 80, timeout=timeout_s)
        try:
            connection.request("POST", f"{there.path}/api/v1/{what}", urlencode(form), _FORM)
            answer = connection.getresponse()
            return _read(answer.status, answer.read())
        except TimeoutError:
            return {"error": f"{asked}context deadline exceeded"}
        except ConnectionRefusedError:
            return {"error": f"{asked}dial tcp {there.netloc}: connect: connection refused"}
        except (OSError, HTTPException) as error:
            return {"error": f"{asked}{error}"}
        finally:
            connection.close()


def _read(status: int, body: bytes) -> Answer:
    """The answer's data, or its error as ``client_golang/api/prometheus/v1`` words it (``apiClientImpl.Do``)."""
    if status // 100 != 2 and status not in {400, 422, 503}:
        kind = {4: "client_error: client error", 5: "server_error: server error"}
        return {"error": f"{kind.get(status // 100, 'bad_response: bad response code')}: {status}"}
    try:
        said: Any = json.loads(body)
    except ValueError:
        if status == 503:
            return {"error": f"server_error: server error: {status}"}
        return {"error": f"bad_response: {body[:200].decode(errors='replace')}"}
    if said.get("status") == "error":
        return {"error": f"{said.get('errorType', '')}: {said.get('error', '')}"}
    data: Answer = said.get("data") or {}
    return data
