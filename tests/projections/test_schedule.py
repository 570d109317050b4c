"""Scheduled changes: one change keeps its identity when its day moves or is withdrawn."""

from collections.abc import Sequence

from hypothesis import given, settings

from projections.fold.schedule import newest_schedule, schedule
from tests.projections.test_transitions import CONTROL, all_turns
from tests.support.fact_builders import announced, clause, decided_facts, fact, retracted, suspended
from tests.support.random_histories import History, histories
from tracker.domain.controls.export_control_acts import Repealed, SuspensionExtended
from tracker.domain.entities.entity import RecordedFact
from tracker.domain.entities.fact import Fact


def of(*facts: Fact) -> list[tuple[str, str | None, list[str]]]:
    """Return the scheduled changes: kind, clause, and each announced day with its position."""
    return schedule_of(decided_facts(CONTROL, *facts))


def schedule_of(known: Sequence[RecordedFact]) -> list[tuple[str, str | None, list[str]]]:
    """Return the schedule of facts of any origin."""
    return [
        (
            one.transition.kind.value,
            one.transition.clause,
            [f"{each.day or 'withdrawn'} by {each.position}" for each in one.days],
        )
        for one in schedule(CONTROL, known)
    ]


START = ("suspended", "1", ["2025-11-09 by 2"])
SUSPENSION = suspended(start="2025-11-09", end="2026-11-27", on="2025-11-07")
LONGER = fact(SuspensionExtended, "2026-11-01", suspendedUntil="2027-05-31")


def test_the_end_of_a_suspension_moves_when_it_is_extended() -> None:
    assert of(announced(), SUSPENSION) == [START, ("returns", "1", ["2026-11-28 by 2"])]
    moved = ("returns", "1", ["2026-11-28 by 2", "2027-06-01 by 3"])
    assert of(announced(), SUSPENSION, LONGER) == [START, moved]
    known = decided_facts(CONTROL, announced(), SUSPENSION, LONGER)
    assert {one.id for one in schedule(CONTROL, known)} == {
        one.id for one in schedule(CONTROL, known[:2])
    }


def test_an_end_that_is_no_longer_stated_is_withdrawn() -> None:
    repealed = fact(Repealed, "2026-06-01", repealedFrom="2026-06-01")
    assert ("returns", "1", ["2026-11-28 by 2", "withdrawn by 3"]) in of(
        announced(), SUSPENSION, repealed
    )


def test_another_suspension_has_an_end_of_its_own() -> None:
    again = suspended(start="2027-01-01", end="2027-12-31", on="2026-12-01")
    ends = [days for kind, _, days in of(announced(), SUSPENSION, again) if kind == "returns"]
    assert ends == [["2026-11-28 by 2"], ["2028-01-01 by 3"]]


def test_each_clause_has_its_own() -> None:
    some = suspended("2", start="2025-11-09", end="2026-11-27", on="2025-11-07")
    more = fact(SuspensionExtended, "2026-11-01", suspendedUntil="2027-05-31", clauses=["2"])
    ends = [
        (key, days)
        for kind, key, days in of(announced(clause("1"), clause("2"), clause("3")), some, more)
        if kind == "returns"
    ]
    assert ends == [("2", ["2026-11-28 by 2", "2027-06-01 by 3"])]


def test_a_correction_moves_and_does_not_begin_anew() -> None:
    known = decided_facts(CONTROL, announced(), SUSPENSION)
    gone = retracted(known[1].event_id)
    right = suspended(start="2025-11-09", end="2026-10-31", on="2025-11-07")
    both = [
        *known,
        RecordedFact(3, "e3", "ExportControl.Retracted", gone),
        RecordedFact(4, "e4", known[1].type, right),
    ]
    assert (
        "returns",
        "1",
        ["2026-11-28 by 2", "withdrawn by 3", "2026-11-01 by 4"],
    ) in schedule_of(both)
    assert len(schedule_of(both)) == 2


@settings(max_examples=30, deadline=None)
@given(histories())
def test_the_schedule_has_all_upcoming_changes_and_keeps_every_id(history: History) -> None:
    stream, known = history
    found, before = schedule(stream, known), schedule(stream, known[:-1])
    ids = {one.id for one in found}
    assert len(ids) == len(found)
    assert {one.id for one in before} <= ids, "what was once told stays, moved or withdrawn"
    standing = [(one.transition.day, one.transition.kind) for one in found if not one.withdrawn]
    turns = all_turns(stream, known)
    assert {(turn.day, turn.kind) for turn in turns if turn.announced_on < turn.day} <= {*standing}
    assert {*standing} <= {(turn.day, turn.kind) for turn in turns}
    for one in found:
        assert [each.position for each in one.days] == sorted({each.position for each in one.days})
        assert one.withdrawn or one.days[-1].day == one.transition.day


def test_of_an_entity_with_very_many_facts_there_is_what_stands() -> None:
    known = decided_facts(CONTROL, announced(), SUSPENSION, LONGER)
    [start, end] = newest_schedule(CONTROL, known)
    assert (start.transition.kind.value, end.transition.kind.value) == ("suspended", "returns")
    assert [(str(each.day), each.position) for each in end.days] == [("2027-06-01", 3)]
