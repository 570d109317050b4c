"""Changes of an entity on a day if only its first facts were known. Pure.

They show which fact a change needs. The facts are left out from the last one back, in growing chunks: within
a chunk each fold continues the one before, so a fold of many facts is rarely copied. No states are kept.
"""

from collections.abc import Callable, Iterator
from datetime import date
from itertools import islice
from typing import Any

from projections.fold.day_change import DayChange, Part, StateOnDay, day_change
from projections.fold.diff import SharedItems, content
from tracker.domain.basics.values import DAY
from tracker.domain.entities.entity import EntityState

FEWER_FOLDS_INTERVALS = (512, 32)
"""Intervals of facts between cached folds of fewer facts; these are read from the last fact back."""
MAX_CHUNK_FACTS = 64
"""Maximum of numbers of facts for which changes are compared at once."""


def growing_chunks(counts: Iterator[int]) -> Iterator[list[int]]:
    """Yield numbers in chunks of 1, 2, 4 and so on: the first ones are usually enough."""
    size = 1
    while chunk := [*islice(counts, size)]:
        yield chunk
        size = min(2 * size, MAX_CHUNK_FACTS)


class FewerFacts:
    """The changes on one day with the first facts, for any number of them."""

    def __init__(
        self,
        day: date,
        eve: StateOnDay,
        public_before: int,
        state: Callable[[date, int], EntityState | None],
        items: SharedItems,
    ):
        self.day = day
        self._eve, self._public_before = eve, public_before
        """The state of the previous day, from all facts public by then, and their number."""
        self._state, self._items = state, items
        self._compared: dict[tuple[int, str | None], dict[Part, Any]] = {}
        """For a number of facts and a list, or all: the changes of its parts."""
        self._last: dict[tuple[date, str], tuple[Any, Any]] = {}
        """The last value of a list on a day, with its content; fewer facts often give the same one."""

    def last_difference(
        self,
        part: Part,
        counts: Iterator[int],
        expected: Any,
        compare: Callable[[Part, DayChange, date], Any],
    ) -> int:
        """Return the first of some descending numbers of facts with another change of a part; or 0."""
        for chunk in growing_chunks(counts):
            compared = {count: self._compared_with(part, count, compare) for count in chunk[::-1]}
            for count in chunk:
                if compared[count] != expected:
                    return count
        return 0

    def _compared_with(
        self, part: Part, count: int, compare: Callable[[Part, DayChange, date], Any]
    ) -> Any:
        """Return the comparable form of a part's change with the first facts; None without a change.

        The parts of a list share the work.
        """
        only = part[0] if part else None
        if (count, only) not in self._compared:
            change = self._change(count, only)
            self._compared[count, only] = {
                each: compare(each, change, self.day)
                for each in change.parts
                if each[:1] == part[:1]
            }
        return self._compared[count, only].get(part)

    def _change(self, count: int, only: str | None) -> DayChange:
        """Return the change of one list or of all with the first facts."""
        if count < self._public_before:
            eve = self._state_on(self.day - DAY, count, only)
        else:
            eve = self._eve.narrowed(only)
        return day_change(eve, self._state_on(self.day, count, only))

    def _state_on(self, day: date, count: int, only: str | None) -> StateOnDay:
        state = self._state(day, count)
        if state is None or only is None:
            return StateOnDay(state, content(state, only, self._items))
        value, value_content = self._last.get((day, only), (None, None))
        if getattr(state, only) != value:
            value, value_content = getattr(state, only), content(state, only, self._items)
            self._last[day, only] = value, value_content
        return StateOnDay(state, value_content)
