"""Acts about a clause: those that word, suspend, start or end it."""

from tests.support.fact_builders import announced, clause, decided_facts, fact, suspended
from tracker.domain.controls.clause_facts import facts_about_clause
from tracker.domain.controls.export_control_acts import (
    Amended,
    Disputed,
    Expired,
    Extended,
    Repealed,
)
from tracker.domain.entities.entity import RecordedFact, effective_facts
from tracker.domain.entities.fact import Fact


def about(id: str, *facts: Fact) -> list[str]:
    """Return the ids of the events about a clause, from facts in log order."""
    known = effective_facts(decided_facts("export-control/gallium", *facts))
    return [one.event_id for one in facts_about_clause(id, known)]


def test_an_act_that_names_no_clause_is_about_all_that_there_are_by_then() -> None:
    facts = [
        announced(clause("1"), clause("2")),
        suspended(start="2025-01-10", end="2025-01-20"),
        fact(Amended, "2025-02-01", clauses=[clause("2"), clause("3")]),
        fact(Disputed, "2025-03-01", account="they deny it"),
        suspended(start="2025-04-10", end="2025-04-20", on="2025-04-01"),
    ]
    assert about("1", *facts) == ["e1", "e2", "e5"]
    assert about("2", *facts) == ["e1", "e2", "e3", "e5"]
    assert about("3", *facts) == ["e3", "e5"]


def test_an_act_about_all_clauses_is_not_about_one_that_has_ended() -> None:
    facts = [
        announced(clause("1", inForceUntil="2025-03-31"), clause("2")),
        fact(Repealed, "2025-06-01", repealedFrom="2025-06-01"),
    ]
    assert about("1", *facts) == ["e1"]
    assert about("2", *facts) == ["e1", "e2"]


def test_where_all_clauses_have_ended_an_act_is_about_all_of_them() -> None:
    facts = [
        announced(clause("1", inForceUntil="2025-03-31")),
        fact(Extended, "2025-06-01", inForceUntil="2025-12-31"),
        fact(Expired, "2026-01-01", clauses=["1"], inForceUntil="2025-12-31"),
    ]
    assert about("1", *facts) == ["e1", "e2", "e3"]


def test_facts_before_a_moved_announcement_are_about_no_clause() -> None:
    opening = announced(clause("1"), on="2025-06-01")
    before = fact(Amended, "2025-02-01", clauses=[clause("1")])
    known = [
        RecordedFact(1, "e1", "ExportControl.Amended", before),
        RecordedFact(2, "e2", "ExportControl.Announced", opening),
    ]
    assert [one.event_id for one in facts_about_clause("1", known)] == ["e2"]
