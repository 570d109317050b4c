"""What changes of an entity from one day to the next, by the parts of it that change by themselves. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

from projections.fold.diff import FieldChange, diff_contents
from tracker.domain.entity import EntityState

Part = tuple[str, ...]
"""A part of an entity that changes by itself: `("clauses", "2")`, `("members", "JP")`; else ()."""
Parts = dict[Part, list[FieldChange]]
"""The fields that change on a day, by the part that they belong to."""

_LISTS = {("clauses",), ("members",)}


class StateOnDay(NamedTuple):
    """A state, and its content as it is compared."""

    state: EntityState | None
    content: Any

    def narrowed(self, only: str | None) -> StateOnDay:
        """The same with one field of the content; with all for None."""
        if only is None or self.content is None:
            return self
        return self._replace(content={only: self.content[only]})


class DayChange(NamedTuple):
    """The states of the eve and of a day, and the fields in which they differ."""

    before: EntityState | None
    after: EntityState | None
    parts: Parts


def day_change(eve: StateOnDay, on_day: StateOnDay) -> DayChange:
    """The change from the eve to a day."""
    parts = _parts(diff_contents(eve.content, on_day.content))
    return DayChange(eve.state, on_day.state, parts)


def _parts(fields: Sequence[FieldChange]) -> Parts:
    """The fields that change, by part; that a list names its items in another order is no change."""
    parts: Parts = defaultdict(list)
    for change in fields:
        named = len(change.path) > 1 and change.path[0] in ("clauses", "members")
        if change.path in _LISTS and all(isinstance(one, str) for one in change.after):
            continue  # names of items: it tells their order
        parts[change.path[:2] if named else ()].append(change)
    return parts
