"""Folded pages that one projection hands over to another of the same process."""

from collections import deque
from dataclasses import dataclass
from itertools import takewhile

from projections.fold.entity_rows import RowDelta
from projections.runner.projection import Page
from tracker.domain.entities.entity import RecordedFact

MAX_EVENTS = 2000
MAX_BYTES = 16 * 1024 * 1024
"""Maximum of events that wait, and of the approximate bytes of their rows. A projection that is further
behind folds them itself."""


@dataclass(frozen=True, slots=True)
class FoldedPage(Page):
    """The entities of a page, each with its new facts and the changes of its rows."""

    entities: tuple[tuple[str, list[RecordedFact], RowDelta], ...]
    size: int = 0
    """Approximate bytes of their rows."""


class Handover:
    """A queue of folded pages, in the order of the log.

    Its events are durable, so no failover removes them.
    """

    def __init__(self) -> None:
        self._pages = deque[FoldedPage]()
        self._bytes = 0

    def put(self, page: FoldedPage) -> None:
        """Add a page. Pages that it does not follow are dropped, as are the oldest beyond the limits."""
        if self._pages and self._pages[-1].until != page.after:
            self.clear()
        self._pages.append(page)
        self._bytes += page.size
        while self._pages and (
            page.until - self._pages[0].after > MAX_EVENTS or self._bytes > MAX_BYTES
        ):
            self._drop_first()

    def take(self, after: int, limit: int) -> FoldedPage | None:
        """Remove and return the events after a position, at most `limit`, or None if they are missing."""
        while self._pages and self._pages[0].after < after:
            self._drop_first()
        if not self._pages or self._pages[0].after != after:
            return None
        pages = list(takewhile(lambda page: page.until - after <= limit, self._pages))
        if not pages:
            return None
        for _ in pages:
            self._drop_first()
        entities = tuple(entity for page in pages for entity in page.entities)
        until, count = pages[-1].until, sum(page.count for page in pages)
        return FoldedPage(after, until, count, entities)

    def first_after(self, position: int) -> int | None:
        """Return the position after which the first page begins later than a position, or None."""
        return next((page.after for page in self._pages if page.after > position), None)

    def clear(self) -> None:
        """Drop all pages, after the loss of the database, which may return in an older state."""
        self._pages.clear()
        self._bytes = 0

    def _drop_first(self) -> None:
        self._bytes -= self._pages.popleft().size
