"""Changes of a text."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Change:
    """The replacement of a text at `start`, in a function or query `scope`."""

    scope: str
    start: int
    before: str
    after: str

    def apply(self, source: str) -> str:
        """Return the text with the change."""
        return source[: self.start] + self.after + source[self.start + len(self.before) :]
