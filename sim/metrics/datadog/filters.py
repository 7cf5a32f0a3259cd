"""The filter between a query's braces: tags, wildcards, AND, OR, NOT, IN."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tag:
    """``key:value`` with ``*`` for any text; tags compare without regard to case, as Datadog stores them."""

    pattern: str

    def accepts(self, tags: Mapping[str, str]) -> bool:
        """Whether any of the tags fits."""
        regex = re.compile(".*".join(re.escape(part) for part in self.pattern.lower().split("*")), re.DOTALL)
        written = (f"{key}:{value}" if value else key for key, value in tags.items())
        return self.pattern == "*" or any(regex.fullmatch(one.lower()) is not None for one in written)


@dataclass(frozen=True, slots=True)
class Not:
    """None of it."""

    inner: Filter

    def accepts(self, tags: Mapping[str, str]) -> bool:
        """Whether the inner filter refuses."""
        return not self.inner.accepts(tags)


@dataclass(frozen=True, slots=True)
class AllOf:
    """AND, also written as a comma."""

    parts: tuple[Filter, ...]

    def accepts(self, tags: Mapping[str, str]) -> bool:
        """Whether every part accepts."""
        return all(part.accepts(tags) for part in self.parts)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """OR."""

    parts: tuple[Filter, ...]

    def accepts(self, tags: Mapping[str, str]) -> bool:
        """Whether some part accepts."""
        return any(part.accepts(tags) for part in self.parts)


Filter = Tag | Not | AllOf | AnyOf


def tag(text: str) -> Filter:
    """The filter a written tag means; a leading ``-`` excludes it."""
    return Not(Tag(text[1:])) if text.startswith("-") and len(text) > 1 else Tag(text)
