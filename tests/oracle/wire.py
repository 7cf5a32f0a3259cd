"""Prometheus' remote write: a protobuf message, framed as Snappy (whose literals need no compression)."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence

Samples = Sequence[tuple[int, float]]
"""(milliseconds, value) in order of time; the stale NaN keeps its bits."""


def write_request(series: Iterable[tuple[Mapping[str, str], Samples]]) -> bytes:
    """``prometheus.WriteRequest`` as the receiver wants it."""
    return _snappy(b"".join(_field(1, _time_series(labels, samples)) for labels, samples in series))


def _time_series(labels: Mapping[str, str], samples: Samples) -> bytes:
    named = b"".join(_field(1, _field(1, name.encode()) + _field(2, labels[name].encode())) for name in sorted(labels))
    return named + b"".join(_field(2, _sample(t_ms, value)) for t_ms, value in samples)


def _sample(t_ms: int, value: float) -> bytes:
    return b"\x09" + struct.pack("<d", value) + b"\x10" + _varint(t_ms)


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def _snappy(content: bytes) -> bytes:
    parts = [content[at : at + 65536] for at in range(0, len(content), 65536)]
    return _varint(len(content)) + b"".join(b"\xf4" + struct.pack("<H", len(part) - 1) + part for part in parts)
