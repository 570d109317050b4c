"""Sentences on clauses and members: content and basis."""

from datetime import date

from projections.fold.transition_sentences import part_sentence
from projections.fold.transitions import transitions
from tests.support.cases import each_case
from tests.support.fact_builders import announced, clause, decided_facts, fact, suspended
from tracker.domain.actors.alliance import Founded, MemberJoined, MemberLeft, RoleChanged
from tracker.domain.controls.export_control_acts import (
    Amended,
    Discontinued,
    EnteredIntoForce,
    Merged,
    Reinstated,
    Repealed,
    Suspended,
    SuspensionExtended,
)
from tracker.domain.entities.fact import Fact

CONTROL = "export-control/gallium"
TITLE = "Gallium to the US: clause 1 "


def sentences(stream: str, *facts: Fact) -> list[str]:
    """Return the sentences on the parts of an entity after its first fact."""
    turns = transitions(stream, decided_facts(stream, *facts), date.min, date.max)
    return [part_sentence(turn).removeprefix(TITLE) for turn in turns if turn.part]


def test_a_return_says_that_only_the_suspension_announces_it() -> None:
    longer = fact(SuspensionExtended, "2026-11-01", suspendedUntil="2027-05-31")
    assert sentences(CONTROL, announced(), suspended(), longer) == [
        "is suspended from 9 November 2025 until 27 November 2026.",
        "has its suspension from 9 November 2025 until 31 May 2027, known from 1 November 2026 on.",
        "is back in force from 1 June 2027 on, by the terms announced on 1 November 2026 alone.",
    ]


def test_a_clause_suspended_before_its_start_is_never_said_to_be_back() -> None:
    opening = announced(clause(inForceFrom="2025-12-01"))
    assert sentences(CONTROL, opening, suspended(start="2025-11-09")) == [
        "is suspended from 9 November 2025 until 27 November 2026.",
        "is in force for the first time from 28 November 2026 on, when its suspension has ended, by"
        " the terms announced on 9 November 2025 alone.",
    ]


def test_a_suspension_that_ends_before_the_first_day_brings_nothing_into_force() -> None:
    opening = announced(clause(inForceFrom="2027-06-01"))
    assert sentences(CONTROL, opening, suspended(start="2025-11-09")) == [
        "is suspended from 9 November 2025 until 27 November 2026.",
        "is no longer suspended from 28 November 2026 on, and not yet in force, by the terms announced"
        " on 9 November 2025 alone.",
        "is in force from 1 June 2027 on, by the terms announced on 3 December 2024 alone.",
    ]


def test_a_clause_that_was_never_in_force_starts_and_does_not_return() -> None:
    shorter = fact(Reinstated, "2026-06-01", reinstatedFrom="2026-09-01")
    for start, says in (
        ("2024-12-03", "is to be back in force"),
        ("2025-12-01", "is to be in force"),
    ):
        opening = announced(clause(inForceFrom=start))
        told = sentences(CONTROL, opening, suspended(start="2025-11-09"), shorter)
        assert f"{says} from 1 September 2026 on, known from 1 June 2026 on." in told


def test_a_later_act_that_names_the_day_is_reported() -> None:
    opening = announced(clause(inForceFrom="2025-03-01", inForceUntil="2025-12-31"))
    begun = fact(EnteredIntoForce, "2025-03-02", inForceFrom="2025-03-01")
    assert sentences(CONTROL, opening, begun) == [
        "is in force from 1 March 2025 on, by the terms announced on 3 December 2024 and a later act.",
        "ends; its last day is 31 December 2025, by the terms announced on 3 December 2024 alone.",
    ]


def test_a_month_or_a_year_is_reported_as_it_is_recorded() -> None:
    opening = announced(clause(inForceFrom="2025-03", inForceUntil="2029"))
    suspension = suspended(start="2025-09", end="2026-01")
    assert sentences(CONTROL, opening, suspension) == [
        "is in force from March 2025 on, by the terms announced on 3 December 2024 alone.",
        "is suspended from September 2025 until January 2026.",
        "is back in force from 1 February 2026 on, by the terms announced on 1 September 2025 alone.",
        "ends; its last year is 2029, by the terms announced on 3 December 2024 alone.",
    ]
    repealed = fact(Repealed, "2025-03-01", clauses=["1"], repealedFrom="2026-02")
    assert sentences(CONTROL, opening, repealed)[-1] == (
        "is repealed from February 2026 on, by the terms announced on 1 March 2025 alone."
    )


@each_case(
    ("act", "says"),
    [
        (
            fact(Repealed, "2025-09-01", clauses=["1"], repealedFrom="2025-09-01"),
            "is repealed from 1 September 2025 on.",
        ),
        (
            fact(Merged, "2025-09-01", clauses=["1"], mergedFrom="2025-09-01", into="all"),
            "is repealed from 1 September 2025 on, continued in all.",
        ),
        (
            fact(
                Discontinued,
                "2025-09-01",
                clauses=["1"],
                discontinuedFrom="2025-09-01",
                outcome="lapsed",
            ),
            "lapses on 1 September 2025.",
        ),
        (
            fact(Amended, "2025-09-01", clauses=[clause(commodities=["germanium"])]),
            "is reworded from 1 September 2025 on.",
        ),
        (
            suspended(start="2025-09-01", end=None),
            "is suspended from 1 September 2025 until further notice.",
        ),
    ],
)
def test_an_act_of_the_day_needs_no_reason(act: Fact, says: str) -> None:
    assert sentences(CONTROL, announced(), act) == [says]


@each_case(
    ("act", "says"),
    [
        (
            fact(Repealed, "2025-09-01", clauses=["1"], repealedFrom="2026-01-01"),
            "is to be repealed from 1 January 2026 on, known from 1 September 2025 on.",
        ),
        (
            fact(Merged, "2025-09-01", clauses=["1"], mergedFrom="2026-01-01", into="all"),
            "is to be repealed from 1 January 2026 on, continued in all, known from 1 September 2025"
            " on.",
        ),
        (
            fact(Discontinued, "2025-09-01", discontinuedFrom="2026-01-01", outcome="lapsed"),
            "is to end without repeal from 1 January 2026 on, known from 1 September 2025 on.",
        ),
        (
            suspended(start="2026-01-01", end=None, on="2025-09-01"),
            "has its suspension from 1 January 2026 until further notice, known from 1 September"
            " 2025 on.",
        ),
        (
            fact(Suspended, "2025-09-01", suspendedFrom="2025-09-01", entities=["A"]),
            "has other terms (partial suspensions), known from 1 September 2025 on.",
        ),
    ],
)
def test_upcoming_changes_are_listed_when_they_become_known(act: Fact, says: str) -> None:
    assert sentences(CONTROL, announced(), act)[0] == says


def test_a_clause_that_is_added_is_reported_by_its_name() -> None:
    new = fact(Amended, "2025-09-01", clauses=[clause("2b")])
    assert sentences(CONTROL, announced(), new) == [
        "Gallium to the US: clause 2b is added on 1 September 2025."
    ]


def test_members_join_leave_and_take_other_roles() -> None:
    assert sentences(
        "alliance/quad",
        fact(Founded, "2021-01-01", name="Quad", members=["US", "JP"]),
        fact(MemberJoined, "2022-01-01", member="IN", role="observer"),
        fact(RoleChanged, "2022-06-01", member="IN", role="member"),
        fact(MemberLeft, "2023-01-01", member="JP"),
    ) == [
        "India takes part in Quad as observer from 1 January 2022 on.",
        "India joins Quad on 1 June 2022.",
        "Japan leaves Quad on 1 January 2023.",
    ]
