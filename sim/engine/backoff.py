"""CrashLoopBackOff: how long the kubelet waits before it starts a container again."""

from __future__ import annotations

from typing import Final

FIRST_S: Final = 10.0
CAP_S: Final = 300.0
RESET_S: Final = 600.0
"""Restart at once, then after 10 s doubling to 300 s; forgotten after 10 min (kubernetes pkg/kubelet/kubelet.go)."""


class BackOff:
    """The waits of one pod."""

    def __init__(self) -> None:
        self._next_s = 0.0

    def wait_s(self, ran_s: float) -> float:
        """Seconds until the next start of a container that ran this long."""
        if ran_s >= RESET_S:
            self._next_s = 0.0
        now_s = self._next_s
        self._next_s = min(CAP_S, 2 * now_s) if now_s else FIRST_S
        return now_s
