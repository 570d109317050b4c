"""The rows of one entity, and what new events change of them."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import msgspec

from projections.fold.effective_facts import ClosedFact, FactRow
from projections.fold.elements import ElementRow, Exchange, Key
from tracker.domain.entity import EntityState, History


class Version(msgspec.Struct, frozen=True, gc=False):
    """A state and the days on which it holds: `start` up to, not including, `end` (None: open).

    `text` is the state as JSON, the same bytes whoever folds it: states are compared, stored and
    hashed in this form. In rows those of many facts are without their long lists: see `Fold`.
    """

    start: date
    end: date | None
    state: EntityState
    text: str
    newest: tuple[date, int] | None = None
    """From which day the last fact behind it counts, and the position of that fact."""

    def holds(self, day: date) -> bool:
        """Whether this is the state on `day`."""
        return self.start <= day and (self.end is None or day < self.end)


class Row(msgspec.Struct, frozen=True, gc=False):
    """A version and the positions at which it is what the log says: `since` up to, not including,
    `until` (None: still).

    All that the log says at a position is in one generation of the entity's rows, the last that
    begins by then: the first at 0, each later one at an event, at which the rows that were open
    are closed and written once more. So what was so at a position is found among few rows,
    however many the entity has.
    """

    entity: str
    version: Version
    since: int
    until: int | None = None
    generation: int = 0


class RowDelta(NamedTuple):
    """The changes that new events make to the rows of one entity: rows to add, open rows to close.

    `closed` holds the start day and the generation of each row that was open before and is so no
    more, and the position that ends it. `elements` and `closed_elements` are the same for the elements of
    long lists, `facts` and `closed_facts` for facts, by their positions. `search_keys` is by what lists
    are known to find the entity, and from which day on; `is_new`: it had no rows before. `history` has the
    facts.
    """

    entity: str
    added: list[Row]
    closed: list[tuple[date, int, int]]
    elements: list[ElementRow]
    closed_elements: list[tuple[int, str, date, int]]
    facts: list[FactRow]
    closed_facts: list[ClosedFact]
    search_keys: dict[object, date]
    is_new: bool
    history: History


def note_elements(
    exchange: Exchange, position: int, open: dict[Key, ElementRow], delta: RowDelta
) -> None:
    """Note the changes to elements at a position in a delta; those that are new are `open`."""
    for key in exchange.ended:
        if row := open.pop(key, None):  # it is new: closed at once
            delta.elements.append(ElementRow(row.element, row.since, position))
        else:
            delta.closed_elements.append((*key, position))
    open.update({key: ElementRow(element, position) for key, element in exchange.begun.items()})
