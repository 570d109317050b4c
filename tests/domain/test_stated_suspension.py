"""A government states that a suspension runs on, and no legal instrument says so."""

from datetime import date
from functools import partial

from tests.domain.test_export_control import on
from tests.support.fact_builders import announced, clause, fact, refused, suspended
from tracker.domain.basics.control_vocabulary import ClauseStatus
from tracker.domain.controls.export_control_acts import (
    Reinstated,
    SuspensionExtended,
    SuspensionStated,
)

refusal = partial(refused, "export-control/gallium")
INSTRUMENT = announced(clause("1"), clause("2"))
SUSPENSION = suspended("1")  # from 9 November 2025 until 27 November 2026


def stated(on: str, clause: str, until: str) -> SuspensionStated:
    """Return a statement of the ministry about a clause."""
    return fact(
        SuspensionStated, on, clauses=[clause], suspendedUntil=until, statedBy="the ministry"
    )


STATEMENT = fact(
    SuspensionStated,
    "2026-09-28",
    clauses=["1"],
    suspendedUntil="2027-01-10",
    statedBy="the ministry",
)


def contradicted(day: str, *facts: object, id: str = "1") -> bool:
    """Whether the status of a clause on a day contradicts a statement."""
    state = on(day, INSTRUMENT, SUSPENSION, *facts, id=id)  # type: ignore[arg-type]
    return state.contradiction(date.fromisoformat(day)) is not None


def test_the_status_stays_that_of_the_text_beside_the_statement() -> None:
    state = on("2026-11-29", INSTRUMENT, SUSPENSION, STATEMENT)
    assert state.status is ClauseStatus.IN_FORCE
    assert state.stated_suspension is not None
    assert state.stated_suspension.until == "2027-01-10"
    assert state.stated_suspension.by == "the ministry"


def test_the_status_is_contradicted_from_the_return_until_the_stated_end() -> None:
    days = ["2026-09-27", "2026-11-27", "2026-11-28", "2027-01-10", "2027-01-11"]
    assert [contradicted(day, STATEMENT) for day in days] == [False, False, True, True, False]
    assert not contradicted("2026-11-28", STATEMENT, id="2")


def test_a_later_act_about_the_clause_overtakes_the_statement() -> None:
    extended = fact(SuspensionExtended, "2026-11-05", clauses=["1"], suspendedUntil="2026-12-31")
    reinstated = fact(Reinstated, "2026-10-20", clauses=["1"], reinstatedFrom="2026-10-21")
    assert not contradicted("2027-01-05", STATEMENT, extended)
    assert not contradicted("2026-11-28", STATEMENT, reinstated)


def test_a_statement_may_come_when_the_clause_is_back() -> None:
    late = fact(
        SuspensionStated,
        "2026-12-01",
        clauses=["1"],
        suspendedUntil="2027-01-10",
        statedBy="the ministry",
    )
    assert not contradicted("2026-11-30", late)
    assert contradicted("2026-12-01", late)


def test_a_statement_without_a_suspension_or_without_a_later_end_is_refused() -> None:
    never = fact(
        SuspensionStated,
        "2026-09-28",
        clauses=["2"],
        suspendedUntil="2027-01-10",
        statedBy="the ministry",
    )
    error = refusal(INSTRUMENT, SUSPENSION, never)
    assert (error.code, error.path) == ("NOT_SUSPENDED", ("clauses",))
    shorter = fact(
        SuspensionStated,
        "2026-09-28",
        clauses=["1"],
        suspendedUntil="2026-11-10",
        statedBy="the ministry",
    )
    error = refusal(INSTRUMENT, SUSPENSION, shorter)
    assert (error.code, error.path) == ("NOT_LONGER", ("suspendedUntil",))
