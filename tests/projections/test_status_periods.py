"""Status periods of a clause: every day is in the period of its state."""

from datetime import date
from itertools import pairwise

from hypothesis import given

from projections.fold.status_periods import status_periods
from projections.fold.timeline import timeline
from projections.fold.transitions import transitions
from tests.support.fact_builders import DAYS, announced, clause, decided_facts, fact, suspended
from tests.support.random_histories import History, histories, many
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.controls.export_control_acts import Amended, Reinstated

CONTROL = "export-control/gallium"


@many
@given(histories())
def test_on_every_day_a_clause_has_the_status_of_one_period(history: History) -> None:
    stream, known = history
    versions = timeline(stream, known)
    turns = transitions(stream, known, date.min, date.max)
    states = {day: next((v.state for v in versions if v.holds(day)), None) for day in DAYS}
    ids = {
        item.clause.id
        for state in states.values()
        if isinstance(state, ExportControlState)
        for item in state.clauses
    }
    for id in ids:
        periods = status_periods(id, turns)
        for one, next_one in pairwise(periods):
            assert one.status is not next_one.status
        for day, state in states.items():
            found = [period.status for period in periods if period.holds_on(day)]
            clauses = state.clauses if isinstance(state, ExportControlState) else ()
            assert found == [item.status for item in clauses if item.clause.id == id]


def test_suspensions_that_are_over_stay_with_what_they_rest_on() -> None:
    known = decided_facts(
        CONTROL,
        announced(clause("1", inForceFrom="2025-01-01"), clause("2")),
        suspended("1", start="2025-03-01", end="2025-04-30"),
        fact(Reinstated, "2025-04-10", clauses=["1"], reinstatedFrom="2025-04-10"),
        fact(Amended, "2025-06-01", clauses=[clause("1", inForceFrom="2025-01-01", endUse="war")]),
        suspended("1", start="2025-11-09", end="2026-11-27"),
    )
    found = status_periods("1", transitions(CONTROL, known, date.min, date.max))
    assert [
        (
            one.status.value,
            str(one.first),
            one.last and str(one.last),
            one.because.event_id,
            one.basis.value,
        )
        for one in found
    ] == [
        ("announced", "2024-12-03", "2024-12-31", "e1", "act"),
        ("in_force", "2025-01-01", "2025-02-28", "e1", "terms"),
        ("suspended", "2025-03-01", "2025-04-09", "e2", "act"),
        ("in_force", "2025-04-10", "2025-11-08", "e3", "act"),
        ("suspended", "2025-11-09", "2026-11-27", "e5", "act"),
        ("in_force", "2026-11-28", None, "e5", "terms"),
    ]


def test_a_clause_that_comes_with_an_amendment_begins_with_it() -> None:
    known = decided_facts(
        CONTROL, announced(), fact(Amended, "2025-06-01", clauses=[clause("2", inForceFrom=None)])
    )
    [only] = status_periods("2", transitions(CONTROL, known, date.min, date.max))
    assert (only.status.value, str(only.first), only.because.event_id) == (
        "announced",
        "2025-06-01",
        "e2",
    )


def test_a_clause_that_is_suspended_on_its_first_day_is_so_by_the_suspension() -> None:
    known = decided_facts(
        CONTROL,
        announced(clause("1"), clause("2"), on="2025-11-09"),
        suspended("2", start="2025-11-09", on="2025-11-09"),
        fact(Amended, "2025-12-01", clauses=[clause("3")]),
        suspended("3", start="2025-12-01", on="2025-12-01"),
    )
    found = transitions(CONTROL, known, date.min, date.max)
    assert [status_periods(id, found)[0].because.event_id for id in ("1", "2", "3")] == [
        *("e1", "e2", "e4")
    ]
