"""Rows of one entity, and their changes by new events."""

from datetime import date
from typing import NamedTuple

import msgspec

from projections.fold.effective_facts import ClosedFact, FactRow
from projections.fold.elements import ElementRow, Exchange, Key
from tracker.domain.entities.entity import EntityState, History


class Version(msgspec.Struct, frozen=True, gc=False):
    """A state and the days on which it holds: `start` to `end`, exclusive (None: open).

    `text` is the state as canonical JSON, by which states are compared, stored and hashed. Rows with
    many facts lack their long lists: see `Fold`.
    """

    start: date
    end: date | None
    state: EntityState
    text: str
    newest: tuple[date, int] | None = None
    """Effective day and position of the newest fact behind the state."""

    def holds(self, day: date) -> bool:
        """Whether the state holds on `day`."""
        return self.start <= day and (self.end is None or day < self.end)


class Row(msgspec.Struct, frozen=True, gc=False):
    """A version and its positions in the log: `since` to `until`, exclusive (None: open).

    All rows at a position are in one generation, the last that begins by then. The first begins at 0,
    each later one at an event, which closes the open rows and writes them again. So a state at a
    position is found among few rows, however many the entity has.
    """

    entity: str
    version: Version
    since: int
    until: int | None = None
    generation: int = 0


class RowDelta(NamedTuple):
    """The changes of an entity's rows by new events: rows to add, open rows to close.

    `closed` has the start day and generation of each row that is closed, and the position that ends it.
    `elements` and `closed_elements` are the same for the elements of long lists, `facts` and
    `closed_facts` for facts, by position. `search_keys` are the keys under which lists find the entity,
    with their first day. `is_new` is true if the entity had no rows. `history` has the facts.
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
    """Record the changes of elements at a position in a delta; new ones are in `open`."""
    for key in exchange.ended:
        if row := open.pop(key, None):  # a new row, closed at once
            delta.elements.append(ElementRow(row.element, row.since, position))
        else:
            delta.closed_elements.append((*key, position))
    open.update({key: ElementRow(element, position) for key, element in exchange.begun.items()})
