"""A change of a text."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Change:
    """What stands from `start` on is replaced, in a function or query called `scope`."""

    scope: str
    start: int
    before: str
    after: str

    def apply(self, source: str) -> str:
        """The text with the change."""
        return source[: self.start] + self.after + source[self.start + len(self.before) :]
