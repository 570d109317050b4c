"""Changes of an entity from one day to the next, by independent part. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

from projections.fold.diff import FieldChange, diff_contents
from tracker.domain.entities.entity import EntityState

Part = tuple[str, ...]
"""An independent part of an entity: `("clauses", "2")`, `("members", "JP")`; () for the rest."""
Parts = dict[Part, list[FieldChange]]
"""The fields that change on a day, by part."""

_LISTS = {("clauses",), ("members",)}


class StateOnDay(NamedTuple):
    """A state, and its content for comparison."""

    state: EntityState | None
    content: Any

    def narrowed(self, only: str | None) -> StateOnDay:
        """Return the state with one field of the content, or with all for None."""
        if only is None or self.content is None:
            return self
        return self._replace(content={only: self.content[only]})


class DayChange(NamedTuple):
    """The states of the previous day and of a day, and the fields that differ."""

    before: EntityState | None
    after: EntityState | None
    parts: Parts


def day_change(eve: StateOnDay, on_day: StateOnDay) -> DayChange:
    """Return the change from the previous day to a day."""
    parts = _parts(diff_contents(eve.content, on_day.content))
    return DayChange(eve.state, on_day.state, parts)


def _parts(fields: Sequence[FieldChange]) -> Parts:
    """Group changed fields by part. A different order of a list's items is not a change."""
    parts: Parts = defaultdict(list)
    for change in fields:
        named = len(change.path) > 1 and change.path[0] in ("clauses", "members")
        if change.path in _LISTS and all(isinstance(one, str) for one in change.after):
            continue  # names of items, in their order
        parts[change.path[:2] if named else ()].append(change)
    return parts
