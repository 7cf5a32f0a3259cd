"""limit_ratio's choice: the server's own hash of a label set decides whether a series is in the sample."""

from __future__ import annotations

from typing import Final

from sim.metrics.rows import Labels, Rows

_BITS: Final = 2**64 - 1
_P1, _P2, _P3, _P4, _P5 = (
    11400714785074694791, 14029467366897019727, 1609587929392839161, 9650029242287828579, 2870177450012600261,
)  # fmt: skip


def sampled(rows: Rows, index: int, ratio: float) -> bool:
    """Whether a row is in the first ``ratio`` of all label sets, or for a negative one in the last (promql ``AddRatioSample``)."""
    shares: list[float] = rows.once("shares", lambda: [share_of(labels) for labels in rows.labels])
    ratio = max(-1.0, min(1.0, ratio))
    return shares[index] < ratio if ratio >= 0 else shares[index] >= 1.0 + ratio


def share_of(labels: Labels) -> float:
    """Where a label set lies between 0 and 1 (model/labels ``Hash`` of its flat string)."""
    encoded = b"".join(_sized(name) + _sized(labels[name]) for name in sorted(labels))
    return xxh64(encoded) / float(_BITS)


def _sized(text: str) -> bytes:
    encoded = text.encode()
    size = len(encoded)
    return (bytes([size]) if size < 255 else b"\xff" + size.to_bytes(3, "little")) + encoded


def xxh64(content: bytes) -> int:
    """XXH64 with seed 0."""
    at, end = 0, len(content)
    if end >= 32:
        lanes = [(_P1 + _P2) & _BITS, _P2, 0, -_P1 & _BITS]
        while at + 32 <= end:
            lanes = [_round(lane, _word(content, at + 8 * index)) for index, lane in enumerate(lanes)]
            at += 32
        total = sum(_turned(lane, by) for lane, by in zip(lanes, (1, 7, 12, 18), strict=True)) & _BITS
        for lane in lanes:
            total = ((total ^ _round(0, lane)) * _P1 + _P4) & _BITS
    else:
        total = _P5
    return _avalanche(_rest(content, at, (total + end) & _BITS))


def _rest(content: bytes, at: int, total: int) -> int:
    """The last bytes that fill no block."""
    while at + 8 <= len(content):
        total = (_turned(total ^ _round(0, _word(content, at)), 27) * _P1 + _P4) & _BITS
        at += 8
    if at + 4 <= len(content):
        part = int.from_bytes(content[at : at + 4], "little")
        total = (_turned(total ^ part * _P1 & _BITS, 23) * _P2 + _P3) & _BITS
        at += 4
    for byte in content[at:]:
        total = _turned(total ^ byte * _P5 & _BITS, 11) * _P1 & _BITS
    return total


def _avalanche(total: int) -> int:
    total = (total ^ total >> 33) * _P2 & _BITS
    total = (total ^ total >> 29) * _P3 & _BITS
    return total ^ total >> 32


def _word(content: bytes, at: int) -> int:
    return int.from_bytes(content[at : at + 8], "little")


def _round(lane: int, word: int) -> int:
    return _turned((lane + word * _P2) & _BITS, 31) * _P1 & _BITS


def _turned(value: int, by: int) -> int:
    """Bits rotated to the left."""
    return (value << by | value >> 64 - by) & _BITS
