"""The fold on both time axes, over histories made at random."""

import functools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from itertools import chain, pairwise, zip_longest
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import astuple, replace

from projections.fold.elements import ElementRow
from projections.fold.entity_rows import Row, RowDelta, Version
from projections.fold.replay import ReplayState
from projections.fold.timeline import MIN_GENERATION_EVENTS, EntityFold, timeline
from tests.support.fact_builders import (
    announced,
    claimed,
    clause,
    fact,
    in_the_world,
    rearranged,
    retracted,
    source,
    suspended,
)
from tests.support.fact_builders import decided_facts as told_of
from tests.support.random_histories import WINDOW, History, histories, many
from tracker.domain.basics.codec import encode
from tracker.domain.basics.values import DAY
from tracker.domain.controls.export_control_acts import Disputed, Suspended
from tracker.domain.entities.elements import MAX_INLINE_FACTS
from tracker.domain.entities.entity import RecordedFact, effective_facts
from tracker.domain.entities.fold import CACHED_FOLD_INTERVAL_FACTS
from tracker.domain.events.registry import entity_type


@pytest.fixture(
    params=[(MAX_INLINE_FACTS, CACHED_FOLD_INTERVAL_FACTS), (1, 2)],
    ids=["few", "many"],
    scope="module",
    autouse=True,
)
def lengths(request: pytest.FixtureRequest) -> Iterator[None]:
    """Test all lengths as if a few facts were many: with split lists and cached folds."""
    with pytest.MonkeyPatch.context() as patch:
        few, step = request.param
        patch.setattr("tracker.domain.entities.elements.MAX_INLINE_FACTS", few)
        patch.setattr("tracker.domain.entities.fold.CACHED_FOLD_INTERVAL_FACTS", step)
        yield


def text_on(versions: Sequence[Version], day: date) -> str | None:
    """Return the state on a day."""
    found = [version.text for version in versions if version.holds(day)]
    assert len(found) <= 1
    return found[0] if found else None


# --- a timeline


@many
@given(histories())
def test_versions_follow_each_other_without_gap_overlap_or_repetition(told: History) -> None:
    versions = timeline(*told)
    assert all(one.end is not None and one.start < one.end for one in versions[:-1])
    for one, next in pairwise(versions):
        assert one.end == next.start
        assert one.text != next.text


@many
@given(histories())
def test_the_version_of_a_day_is_the_state_folded_for_that_very_day(told: History) -> None:
    stream, known = told
    versions, facts = timeline(stream, known), effective_facts(known)
    for day in WINDOW:
        state = entity_type(stream).state_on(stream.partition("/")[2], facts, day)
        assert text_on(versions, day) == (encode(state).decode() if state else None)


def test_a_timeline_is_split_where_an_announced_day_comes_without_an_act() -> None:
    stream = "export-control/gallium"
    known = told_of(
        stream,
        announced(clause(inForceFrom="2025-01-01")),
        suspended(start="2025-11-09", end="2026-11-27"),
    )
    assert [(str(v.start), v.state.clauses[0].status) for v in timeline(stream, known)] == [  # type: ignore[attr-defined]
        ("2024-12-03", "announced"),
        ("2025-01-01", "in_force"),
        ("2025-11-09", "suspended"),
        ("2026-11-28", "in_force"),
    ]


def test_nothing_known_is_not_a_timeline() -> None:
    assert timeline("export-control/gallium", []) == []


@many
@given(histories(), st.randoms())
def test_the_order_in_which_facts_arrive_does_not_matter_except_within_a_day(
    told: History, chance: Random
) -> None:
    stream, known = told
    assert in_the_world(timeline(stream, rearranged(chance, known))) == in_the_world(
        timeline(stream, known)
    )


# --- revisions


class Rows:
    """Version rows as a table keeps them: they are only added, and closed once."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.elements: list[ElementRow] = []

    def take(self, revision: RowDelta) -> None:
        """Apply the closed and added rows of a delta."""
        for start, generation, position in revision.closed:
            [index] = [
                i
                for i, row in enumerate(self.rows)
                if row.until is None and row.version.start == start
            ]
            assert self.rows[index].since < position
            assert self.rows[index].generation == generation
            self.rows[index] = replace(self.rows[index], until=position)
        assert all(row.until is None or row.since < row.until for row in revision.added)
        self.rows.extend(revision.added)
        for *key, position in revision.closed_elements:
            [index] = [
                i
                for i, row in enumerate(self.elements)
                if row.until is None and [*row.element[:3]] == key
            ]
            assert self.elements[index].since < position
            self.elements[index] = replace(self.elements[index], until=position)
        assert all(row.until is None or row.since < row.until for row in revision.elements)
        self.elements.extend(revision.elements)

    def still(self) -> list[Version]:
        """Return the current rows."""
        open = [row for row in self.rows if row.until is None]
        return [
            replace(row.version, text=self.whole(row))
            for row in sorted(open, key=lambda row: row.version.start)
        ]

    def whole(self, row: Row) -> str:
        """Return the state in a row, with the elements of its long lists."""
        day, since, text = row.version.start, row.since, row.version.text
        if not text.startswith("\x02"):
            return text
        _, size, _, *parts = text.split("\x02")
        there = sorted(
            element
            for element, begun, until in map(astuple, self.elements)
            if begun <= since
            and (until is None or since < until)
            and element.first_day <= day
            and (element.end is None or day < element.end)
        )
        lists = [",".join(one.text for one in there if one.list == number) for number in (1, 2)]
        whole = "".join(chain.from_iterable(zip_longest(parts, lists, fillvalue="")))
        assert len(whole.encode()) == int(size)
        return whole

    def as_of(self, day: date, position: int) -> list[str]:
        """Return the states on a day, as recorded at a position, from the last generation by then."""
        found = [
            row
            for row in self.rows
            if row.version.holds(day)
            and row.since <= position
            and (row.until is None or position < row.until)
        ]
        last = max([row.generation for row in self.rows if row.generation <= position], default=0)
        assert {row.generation for row in found} <= {last}
        return [self.whole(row) for row in found]


def rows_of(stream: str, known: Sequence[RecordedFact], cuts: Sequence[int]) -> Rows:
    """Return the rows after facts in pages between the cuts."""
    rows = Rows()
    for start, end in pairwise([0, *sorted(cuts), len(known)]):
        rows.take(EntityFold(stream, known[:start]).apply(known[start:end]))
    return rows


def with_generations_of(*lengths: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Test with generations of rows after few events."""

    def tried(test: Callable[..., None]) -> Callable[..., None]:
        def with_each(*given: Any, **named: Any) -> None:
            for length in lengths:
                with pytest.MonkeyPatch.context() as patch:
                    patch.setattr("projections.fold.timeline.MIN_GENERATION_EVENTS", length)
                    test(*given, **named)

        return functools.wraps(test)(with_each)

    return tried


@many
@given(histories())
@with_generations_of(1, 3, MIN_GENERATION_EVENTS)
def test_rows_answer_for_every_day_and_position_what_was_known_of_it(told: History) -> None:
    stream, known = told
    rows = rows_of(stream, known, range(1, len(known)))
    for position in range(len(known) + 1):
        versions = timeline(stream, known[:position])
        for day in WINDOW:
            text = text_on(versions, day)
            assert rows.as_of(day, position) == ([] if text is None else [text])


@many
@given(histories(), st.lists(st.integers(0, 14)))
@with_generations_of(1, 3, MIN_GENERATION_EVENTS)
def test_rows_do_not_depend_on_how_the_facts_came_in_pages(told: History, cuts: list[int]) -> None:
    stream, known = told
    cuts = [min(cut, len(known)) for cut in cuts]
    one_by_one = rows_of(stream, known, range(1, len(known)))
    in_pages = rows_of(stream, known, cuts)
    assert sorted(in_pages.rows, key=place) == sorted(one_by_one.rows, key=place)
    assert set(in_pages.elements) == set(one_by_one.elements)
    assert len(in_pages.elements) == len(one_by_one.elements)


def place(row: Row) -> tuple[int, date]:
    """Return the unique key of a row within its entity."""
    return row.since, row.version.start


@many
@given(histories(), st.lists(st.integers(0, 14)))
@with_generations_of(1, 3, MIN_GENERATION_EVENTS)
def test_a_fold_that_goes_on_adds_and_closes_what_one_made_anew_does(
    told: History, cuts: list[int]
) -> None:
    stream, known = told
    cuts = sorted(min(cut, len(known)) for cut in cuts)
    fold = EntityFold(stream)
    for start, end in pairwise([0, *cuts, len(known)]):
        on = fold.apply(known[start:end])
        anew = EntityFold(stream, known[:start]).apply(known[start:end])
        assert on.added == anew.added
        assert on.closed == anew.closed
        assert on.elements == anew.elements
        assert on.closed_elements == anew.closed_elements
        assert fold.versions() == timeline(stream, known[:end])


@many
@given(histories())
def test_a_revision_touches_nothing_that_stays_as_it_was(told: History) -> None:
    stream, known = told
    for count in range(1, len(known)):
        before, after = timeline(stream, known[:count]), timeline(stream, known[: count + 1])
        revision = EntityFold(stream, known[:count]).apply(known[count : count + 1])
        kept = {(v.start, v.end, v.text) for v in before} & {
            (v.start, v.end, v.text) for v in after
        }
        assert len(revision.closed) == len(before) - len(kept)
        assert len(revision.added) == len(after) - len(kept)


@many
@given(histories())
@with_generations_of(1, 3, MIN_GENERATION_EVENTS)
def test_folding_on_fact_by_fact_gives_what_folding_at_once_gives(told: History) -> None:
    stream, known = told
    for count in range(len(known) + 1):
        rows = rows_of(stream, known[:count], [])
        assert rows.still() == timeline(stream, known[:count])


def test_a_retraction_opens_the_rows_again_that_its_target_had_closed() -> None:
    stream = "export-control/gallium"
    known = told_of(stream, announced(), suspended(), retracted("e2"))
    revision = EntityFold(stream, known[:1]).apply(known[1:])
    assert revision.closed == [(date(2024, 12, 3), 0, 2)]
    assert [(row.since, row.until) for row in sorted(revision.added, key=place)] == [
        (2, 3),
        (2, 3),
        (2, 3),
        (3, None),
    ]


# --- generations


def claims(days: Sequence[date]) -> tuple[str, list[RecordedFact]]:
    """Return a figure and its facts: a claim is published on each of some days."""
    facts = [claimed(n, edition=f"no {n}", published_on=str(day)) for n, day in enumerate(days)]
    return facts[0].stream, told_of(facts[0].stream, *facts)


def corrections(count: int) -> tuple[str, list[RecordedFact]]:
    """Return a figure with one claim that is repeatedly retracted and recorded again."""
    claim = claimed(1)
    facts = [claim, *(fact for n in range(count) for fact in (retracted(f"e{2 * n + 1}"), claim))]
    return claim.stream, told_of(claim.stream, *facts)


def test_past_states_are_few_rows_however_often_an_entity_is_corrected() -> None:
    stream, known = corrections(1000)
    rows = EntityFold(stream).apply(known).added
    of_generations = Counter(row.generation for row in rows)
    assert len(of_generations) > 50
    assert max(of_generations.values()) <= MIN_GENERATION_EVENTS + 1
    assert len(rows) < 1.1 * len(known)


def test_rows_written_once_more_are_fewer_than_the_events_however_many_days_there_are() -> None:
    stream, known = claims([date(2020, 1, 1) + n % 40 * DAY for n in range(500)])
    rows = EntityFold(stream).apply(known).added
    anew = [row for row in rows if row.since == row.generation > 0]
    assert len(known) / 2 < len(anew) < len(known)


def test_a_generation_begins_with_all_that_was_open() -> None:
    stream, known = claims(
        [date(2020, 1, 1) + n % 3 * DAY for n in range(MIN_GENERATION_EVENTS + 1)]
    )
    fold, rows = EntityFold(stream), Rows()
    rows.take(fold.apply(known[:-2]))
    before = fold.versions()
    revision = fold.apply(known[-2:-1])
    assert revision.closed == [(version.start, 0, MIN_GENERATION_EVENTS) for version in before]
    assert [(row.since, row.generation) for row in revision.added] == [
        (MIN_GENERATION_EVENTS, MIN_GENERATION_EVENTS)
    ] * 3
    rows.take(revision)
    assert rows.still() == timeline(stream, known[:-1])
    assert fold.apply(known[-1:]).closed[0][1] == MIN_GENERATION_EVENTS


# --- the world


def test_a_world_refuses_events_that_are_missing_or_out_of_order() -> None:
    world = ReplayState()
    with pytest.raises(ValueError, match="position 2 follows 0"):
        world.add(replace_position(2))
    world.add(replace_position(1))
    with pytest.raises(ValueError, match="position 1 follows 1"):
        world.add(replace_position(1))


def replace_position(position: int) -> Any:
    """Return an event at a position, with the used fields."""
    [known] = told_of("export-control/gallium", announced())

    class Event:
        stream = "export-control/gallium"

    event: Any = Event()
    event.position, event.known = position, replace(known, position=position)
    return event


def test_an_empty_world_has_the_digest_of_nothing() -> None:
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert ReplayState().digest(date(2025, 1, 1), 0) == empty


def test_a_correction_of_the_issuer_changes_whose_text_the_sources_of_all_acts_are() -> None:
    stream = "export-control/gallium"
    page = source() | {"url": "https://www.mofcom.gov.cn/act"}
    days = {"suspendedFrom": "2025-11-09", "suspendedUntil": "2026-11-27"}
    acts = [
        fact(Suspended, "2025-11-09", **days, source=page),
        fact(Disputed, "2025-12-01", account="Not so", source=page),
    ]
    known = told_of(
        stream, announced(source=page), *acts, retracted("e1"), announced(source=page, issuer="US")
    )
    for count, issuer in ((3, "CN"), (5, "US")):
        rows = rows_of(stream, known[:count], range(1, count))
        assert rows.still() == timeline(stream, known[:count])
        open = [row.element.issuers for row in rows.elements if row.until is None]
        assert set(open) <= {(issuer,)}
