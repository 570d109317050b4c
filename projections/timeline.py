"""The fold: the facts of one entity become consecutive states over valid time. Pure."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import zip_longest
from operator import attrgetter
from typing import NamedTuple

from tracker.domain.codec import encode
from tracker.domain.entity import EntityState, Known, Retracted, rank, standing
from tracker.domain.kinds import kind_of

FEWEST = 32
"""Events of an entity, at least, before another generation of its rows begins."""


class Version(NamedTuple):
    """A state and the days on which it holds: `start` up to, not including, `end` (None: open).

    `text` is the state as JSON, the same bytes whoever folds it: states are compared, stored and
    hashed in this form.
    """

    start: date
    end: date | None
    state: EntityState
    text: str

    def holds(self, day: date) -> bool:
        """Whether this is the state on `day`."""
        return self.start <= day and (self.end is None or day < self.end)


def timeline(entity: str, known: Sequence[Known]) -> list[Version]:
    """The consecutive states of an entity, from all that is known of it in the order of the log.

    It is split wherever the state changes, be it by an act or because an announced day has come.
    Days before the first state have none.
    """
    return [row.version for row in Folded(entity, known).rows]


class Row(NamedTuple):
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


class Revision(NamedTuple):
    """What new events do to the rows of one entity: rows to add, and open rows to close.

    `before` are the rows that were open before. `closed` holds the start day and the generation of
    each of them that is so no more, and the position that ends it.
    """

    before: Sequence[Row]
    added: list[Row]
    closed: list[tuple[date, int, int]]


class Folded:
    """What is known of one entity, folded, and ready to learn more.

    Rows are only added or closed, so that every past answer stays. A fact leaves alone what holds
    before the day from which it counts.
    """

    __slots__ = ("_changes", "_entity", "_facts", "_generation", "_id", "_kind", "_known",
                 "_replacing", "_since", "rows")

    def __init__(self, entity: str, known: Sequence[Known] = ()):
        self._entity, self._kind = entity, kind_of(entity)
        self._id = entity.partition("/")[2]
        self._known = [*known]
        self._facts = standing(known) if known else []
        self._replacing = frozenset([
            k.fact.replacement for k in known if isinstance(k.fact, Retracted)])
        """The events that stand, or will stand, in the place of others."""
        self._generation, self._since = _generation(known)
        """The position at which the last generation of rows begins, and how many facts came since.
        """
        self._changes: list[_Change] = []
        self.rows: list[Row] = []
        """The rows that are open, in the order of their days; those of the first facts are since 0.
        """
        if known:
            self._changes = self._folded(date.min, "")
            self.rows = self._rows_from(0, 0)

    def learn(self, new: Sequence[Known]) -> Revision:
        """Take in new facts, each at its own position, and tell what they do to the rows."""
        revision = Revision(self.rows, [], [])
        for fact in new:
            for row in self._learn(fact):
                _close(revision, row, new[0].position, fact.position)
        if new:
            revision.added.extend([row for row in self.rows if row.since >= new[0].position])
        return revision

    def _learn(self, new: Known) -> Iterable[Row]:
        """Take in a fact; the rows that are open no more."""
        differing = self._take_in(new)
        kept = bisect_left(self._changes, differing, key=_DAY)
        before = self._changes[kept - 1] if kept else None
        self._changes[kept:] = self._folded(differing, before.text if before else "")
        if self._begins_generation():
            open, self.rows = self.rows, self._rows_from(0, new.position)
            return open
        if before is None:
            first, following = 0, self._rows_from(0, new.position)
        else:  # what held before may end otherwise now
            first = bisect_left(self.rows, before.day, key=_START)
            following = self._rows_from(kept - 1, new.position)
        ending = {row.version.start: row for row in self.rows[first:]}
        if ending:
            following = [ending.pop(row.version.start)
                         if _same(row, ending.get(row.version.start)) else row for row in following]
        self.rows = self.rows[:first] + following  # another list: revisions keep those before
        return ending.values()

    def _begins_generation(self) -> bool:
        """Whether a generation of rows begins with the last fact that was taken in."""
        self._since += 1
        if self._since >= FEWEST:
            self._generation, self._since = _generation(self._known)
        return self._since == 0

    def _take_in(self, new: Known) -> date:
        """Have the facts that stand once one more is known; the first day on which they differ.

        Most facts join those that stand, and most retractions take one of them away, whatever else
        is known. Replacements, which have a place of their own, and retractions of retractions are
        rare.
        """
        self._known.append(new)
        if not isinstance(new.fact, Retracted) and new.event_id not in self._replacing:
            insort(self._facts, new, key=rank)
            return new.fact.public_on
        before = self._facts
        if isinstance(new.fact, Retracted):
            self._replacing |= {new.fact.replacement}
            self._facts = [k for k in before if k.event_id != new.fact.retracts]
        if len(self._facts) == len(before):
            self._facts = standing(self._known)
        return _first_difference(before, self._facts)

    def _folded(self, since: date, text: str) -> list[_Change]:
        """The changes of state from a day on, before which the state was `text`.

        A state follows from the facts public by its day only, so it stands as long as they do.
        """
        folded: list[_Change] = []
        for day in sorted([turn for turn in self._kind.turns(self._facts) if turn >= since]):
            state = self._kind.state_on(self._id, self._facts, day)
            before, text = text, encode(state).decode() if state else ""
            if text != before:
                folded.append(_Change(day, state, text))
        return folded

    def _rows_from(self, first: int, since: int) -> list[Row]:
        """The rows of the changes from one on."""
        rows: list[Row] = []
        end = None
        for day, state, text in self._changes[:first - 1 if first else None:-1]:
            if state is not None:
                version = Version(day, end, state, text)
                rows.append(Row(self._entity, version, since, None, self._generation))
            end = day
        rows.reverse()
        return rows


class _Change(NamedTuple):
    """The state from a day on; None where there is none."""

    day: date
    state: EntityState | None
    text: str


def _generation(known: Sequence[Known]) -> tuple[int, int]:
    """The position at which the last generation of rows begins, and how many facts came since.

    One begins after as many facts as there are days from which facts count, and `FEWEST` at least.
    An entity has about a row for each such day, so that rows written once more stay fewer than the
    facts, however many days there are.
    """
    if len(known) < FEWEST:
        return 0, len(known)
    begun, since, days = 0, 0, set[date]()
    for one in known:
        days.add(one.fact.public_on)
        since += 1
        if since >= max(FEWEST, len(days)):
            begun, since = one.position, 0
    return begun, since


_DAY, _START = attrgetter("day"), attrgetter("version.start")


def _same(row: Row, other: Row | None) -> bool:
    """Whether rows that begin on one day tell the same."""
    return other is not None and (
        row.version.end == other.version.end and row.version.text == other.version.text)


def _close(revision: Revision, row: Row, first: int, position: int) -> None:
    """Close a row: at once if it is new, or else, where it was open before the first position, by
    its start."""
    if row.since >= first:
        revision.added.append(row._replace(until=position))
    else:
        revision.closed.append((row.version.start, row.generation, position))


def _first_difference(before: Sequence[Known], after: Sequence[Known]) -> date:
    """The first day on which two lists of standing facts differ."""
    pairs = zip_longest(before, after)
    differing = next((pair for pair in pairs if pair[0] is not pair[1]), ())
    return min((known.fact.public_on for known in differing if known), default=date.max)
