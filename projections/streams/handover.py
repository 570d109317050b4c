"""Folded pages that one projection hands over to another of the same process."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import takewhile

from projections.fold.entity_rows import RowDelta
from projections.runner.projection import Page
from tracker.domain.entity import RecordedFact

MAX_EVENTS = 2000
"""Maximum of events that wait; a projection that is further behind folds them itself."""


@dataclass(frozen=True, slots=True)
class FoldedPage(Page):
    """The entities of a page, each with its new facts and the changes of its rows."""

    entities: tuple[tuple[str, list[RecordedFact], RowDelta], ...]


class Handover:
    """A queue of folded pages, in the order of the log.

    A page follows from the log alone, so it may also be handed over if its own rows are never written.
    """

    def __init__(self) -> None:
        self._pages = deque[FoldedPage]()

    def put(self, page: FoldedPage) -> None:
        """Add a page. Pages that it does not follow are dropped, as are the oldest beyond the limit."""
        if self._pages and self._pages[-1].until != page.after:
            self._pages.clear()
        self._pages.append(page)
        while self._pages[-1].until - self._pages[0].after > MAX_EVENTS:
            self._pages.popleft()
            if not self._pages:
                return

    def take(self, after: int, limit: int) -> FoldedPage | None:
        """Remove and return the events after a position, at most `limit`, or None if they are missing."""
        while self._pages and self._pages[0].after < after:
            self._pages.popleft()
        if not self._pages or self._pages[0].after != after:
            return None
        pages = list(takewhile(lambda page: page.until - after <= limit, self._pages))
        if not pages:
            return None
        for _ in pages:
            self._pages.popleft()
        entities = tuple(entity for page in pages for entity in page.entities)
        until, count = pages[-1].until, sum(page.count for page in pages)
        return FoldedPage(after, until, count, entities)

    def first_after(self, position: int) -> int | None:
        """Return the position after which the first page begins that is not before a position, or None."""
        return next((page.after for page in self._pages if page.after >= position), None)

    def clear(self) -> None:
        """Drop all pages, after the loss of the database, which may return in an older state."""
        self._pages.clear()
