"""Identity of frozen values: canonical JSON and its digest."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from hashlib import blake2b
from typing import Any


def plain(value: Any) -> Any:
    """A frozen value as JSON data; union members carry their class name under ``kind`` so that no two look alike."""
    if is_dataclass(value) and not isinstance(value, type):
        return {"kind": type(value).__name__} | {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return value


def canonical_json(value: Any) -> str:
    """Sorted keys, no spaces, no NaN: equal values give equal text."""
    return json.dumps(plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(value: Any) -> str:
    """Twelve hex digits that identify a frozen value."""
    return blake2b(canonical_json(value).encode(errors="surrogatepass"), digest_size=6).hexdigest()
