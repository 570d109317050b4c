"""The fold: the facts of one entity become consecutive states over valid time. Pure."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import zip_longest
from operator import attrgetter
from typing import NamedTuple

from tracker.domain.codec import encode
from tracker.domain.entity import EntityState, Known, Retracted, rank, standing
from tracker.domain.kinds import kind_of


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
    return _versions(_folded(entity, standing(known)))


class Row(NamedTuple):
    """A version and the positions at which it is what the log says: `since` up to, not including,
    `until` (None: still)."""

    entity: str
    version: Version
    since: int
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Revision:
    """What new events do to the rows of one entity: rows to add, and open rows to close.

    `before` are the rows that were open before. `closed` holds the start day of each of them that
    is so no more, and the position that ends it.
    """

    before: list[Row]
    added: list[Row]
    closed: list[tuple[date, int]]


def revise(entity: str, before: Sequence[Known], new: Sequence[Known]) -> Revision:
    """The effect of `new` facts, each at its own position, on an entity of which `before` is known.

    Rows are only added or closed, so that every past answer stays. A fact leaves alone what holds
    before the day from which it counts.
    """
    known, facts = list(before), standing(before) if before else []
    changes = _folded(entity, facts) if facts else []
    rows = [Row(entity, version, 0) for version in _versions(changes)]
    replacing = {k.fact.replacement for k in known if isinstance(k.fact, Retracted)}
    revision = Revision([*rows], [], [])
    for fact in new:
        facts, differing = _standing_with(fact, known, facts, replacing)
        known.append(fact)
        if isinstance(fact.fact, Retracted):
            replacing.add(fact.fact.replacement)
        kept = changes[: bisect_left(changes, differing, key=_DAY)]
        changes = _refolded(entity, facts, kept, differing)
        since = kept[-1].day if kept else date.min  # what holds from then may end otherwise now
        first = bisect_left(rows, since, key=_START)
        following = [Row(entity, version, fact.position)
                     for version in _versions(changes[max(len(kept) - 1, 0):])]
        rows[first:], ended = _merged(rows[first:], following)
        for row in ended:
            _close(revision, row, fact.position)
    revision.added.extend(row for row in rows if row.since)
    return revision


def _merged(before: Sequence[Row], after: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Rows that follow others, those as before where nothing differs; and the ones that end."""
    ending = {row.version.start: row for row in before}
    return [ending.pop(row.version.start) if _same(row, ending.get(row.version.start)) else row
            for row in after], list(ending.values())


def _same(row: Row, other: Row | None) -> bool:
    """Whether rows that begin on one day tell the same."""
    return other is not None and (
        row.version.end == other.version.end and row.version.text == other.version.text)


def _close(revision: Revision, row: Row, position: int) -> None:
    """Close a row: by its start if it was open before (since 0), at once if this revision's."""
    if row.since:
        revision.added.append(row._replace(until=position))
    else:
        revision.closed.append((row.version.start, position))


class _Change(NamedTuple):
    """The state from a day on; None where there is none."""

    day: date
    state: EntityState | None
    text: str


_DAY, _START = attrgetter("day"), attrgetter("version.start")


def _folded(entity: str, facts: Sequence[Known]) -> list[_Change]:
    """The changes of state that standing facts, in valid-time order, lead to."""
    return _refolded(entity, facts, [], date.min)


def _refolded(
    entity: str, facts: Sequence[Known], kept: Sequence[_Change], since: date
) -> list[_Change]:
    """The same, where the changes before a day are kept from an earlier fold.

    A state follows from the facts public by its day only, so it stands as long as they do.
    """
    kind, id = kind_of(entity), entity.partition("/")[2]
    folded = [*kept]
    text = folded[-1].text if folded else ""
    for day in sorted(turn for turn in kind.turns(facts) if turn >= since):
        state = kind.state_on(id, facts, day)
        before, text = text, encode(state).decode() if state else ""
        if text != before:
            folded.append(_Change(day, state, text))
    return folded


def _standing_with(
    new: Known, known: Sequence[Known], facts: Sequence[Known], replacing: Container[str | None]
) -> tuple[list[Known], date]:
    """The facts that stand once one more is known, and the first day on which they differ.

    Most facts join those that stand, and most retractions take one of them away, whatever else is
    known. Replacements, which have a place of their own, and retractions of retractions are rare.
    """
    after = [*facts]
    if not isinstance(new.fact, Retracted) and new.event_id not in replacing:
        insort(after, new, key=rank)
        return after, new.fact.public_on
    if isinstance(new.fact, Retracted):
        after = [k for k in facts if k.event_id != new.fact.retracts]
    if len(after) == len(facts):
        after = standing([*known, new])
    return after, _first_difference(facts, after)


def _first_difference(before: Sequence[Known], after: Sequence[Known]) -> date:
    """The first day on which two lists of standing facts differ."""
    pairs = zip_longest(before, after)
    differing = next((pair for pair in pairs if pair[0] is not pair[1]), ())
    return min((known.fact.public_on for known in differing if known), default=date.max)


def _versions(changes: Sequence[_Change]) -> list[Version]:
    ends = [change.day for change in changes[1:]]
    return [
        Version(start, end, state, text)
        for (start, state, text), end in zip_longest(changes, ends)
        if state is not None
    ]
