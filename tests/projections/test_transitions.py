"""Days of changes of entities, with the changes and their causes."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from hypothesis import given

from projections.fold.diff import content
from projections.fold.timeline import timeline
from projections.fold.transitions import Transition, transitions
from tests.support.fact_builders import DAYS, announced, clause, decided_facts, fact, suspended
from tests.support.random_histories import History, histories, many
from tracker.domain.actors.alliance import (
    Dissolved,
    Founded,
    MemberJoined,
    MemberLeft,
    MembersListed,
    Renamed,
    RoleChanged,
)
from tracker.domain.basics.values import DAY
from tracker.domain.controls.export_control import ExportControlFold
from tracker.domain.controls.export_control_acts import (
    Amended,
    Disputed,
    EnteredIntoForce,
    Expired,
    Extended,
    Reinstated,
    Repealed,
    SuspensionExtended,
)
from tracker.domain.entities.entity import RecordedFact
from tracker.domain.entities.fact import Fact

CONTROL = "export-control/gallium"


def of(stream: str, *facts: Fact) -> list[tuple[str, str, str | None, str]]:
    """Return all transitions of an entity: day, kind, part, and causing event."""
    return [
        (str(turn.day), turn.kind.value, turn.clause or turn.member, turn.because.event_id)
        for turn in all_turns(stream, decided_facts(stream, *facts))
    ]


def all_turns(stream: str, known: Sequence[RecordedFact]) -> list[Transition]:
    """Return all transitions."""
    return transitions(stream, known, date.min, date.max)


def unordered(content: Any) -> Any:
    """Return the content of a state with its members by place, whose order is irrelevant."""
    if not content or "members" not in content:
        return content
    return {**content, "members": sorted(content["members"], key=lambda one: str(one["place"]))}


@many
@given(histories())
def test_an_entity_turns_on_the_days_on_which_what_it_says_changes(history: History) -> None:
    stream, known = history
    contents = {
        day: next((content(v.state) for v in timeline(stream, known) if v.holds(day)), None)
        for day in (DAYS[0] - DAY, *DAYS)
    }
    expected = [day for day in DAYS if unordered(contents[day]) != unordered(contents[day - DAY])]
    found = transitions(stream, known, DAYS[0] - DAY, DAYS[-1])
    assert list(dict.fromkeys(turn.day for turn in found)) == expected
    for turn in found:
        assert content(turn.before) == contents[turn.day - DAY]
        assert content(turn.after) == contents[turn.day]
        assert turn.because in turn.after.because


def test_a_suspension_says_that_it_begins_and_that_the_clause_returns() -> None:
    assert of(
        CONTROL,
        announced(clause("1"), clause("2")),
        suspended("2", start="2025-11-09", end="2026-11-27", on="2025-11-07"),
    )[1:] == [
        # public on the 7th: upcoming changes are part of the state from then on
        ("2025-11-07", "changes", "2", "e2"),
        ("2025-11-09", "suspended", "2", "e2"),
        ("2026-11-28", "returns", "2", "e2"),
    ]


def test_nothing_returns_that_is_not_in_force_when_its_suspension_ends() -> None:
    opening = announced(clause("1", inForceFrom="2027-06-01"), clause("2", inForceFrom=None))
    proposed = fact(Amended, "2026-01-01", clauses=[clause("2", legalStage="proposed")])
    assert of(CONTROL, opening, suspended("1", "2", start="2025-11-09"), proposed)[2:] == [
        ("2025-11-09", "suspended", "2", "e2"),
        ("2026-01-01", "amended", "2", "e3"),
        ("2026-11-28", "changes", "1", "e2"),
        ("2026-11-28", "changes", "2", "e3"),  # the statement on its suspension
        ("2027-06-01", "in_force", "1", "e1"),
    ]


def test_the_last_act_that_moves_a_day_says_so() -> None:
    longer = fact(SuspensionExtended, "2026-11-01", suspendedUntil="2027-05-31")
    assert of(CONTROL, announced(), suspended(), longer)[-1] == ("2027-06-01", "returns", "1", "e3")


def test_a_fact_that_does_not_bear_on_the_day_is_not_what_says_so() -> None:
    facts = [
        announced(clause(inForceFrom="2029-01-01"), clause("2", inForceFrom=None)),
        fact(Disputed, "2025-01-01", account="they deny it"),
        suspended("2", start="2028-01-01", end=None),
    ]
    assert of(CONTROL, *facts)[-1] == ("2029-01-01", "in_force", "1", "e1")


def test_clauses_expire_and_are_amended_and_repealed() -> None:
    facts = [
        announced(clause(inForceUntil="2025-06-30"), clause("2"), clause("3")),
        fact(Extended, "2025-06-01", clauses=["1"], inForceUntil="2025-12-31"),
        fact(Amended, "2025-07-01", clauses=[clause("2", commodities=["germanium"]), clause("4")]),
        fact(Repealed, "2025-08-01", clauses=["3"], repealedFrom="2025-09-01"),
        fact(Amended, "2025-10-01", clauses=[clause("2", inForceFrom=None)]),
    ]
    assert of(CONTROL, *facts) == [
        ("2024-12-03", "appears", None, "e1"),
        ("2025-06-01", "amended", "1", "e2"),
        ("2025-07-01", "amended", "2", "e3"),
        ("2025-07-01", "appears", "4", "e3"),
        ("2025-08-01", "changes", "3", "e4"),
        ("2025-09-01", "repealed", "3", "e4"),
        ("2025-10-01", "amended", "2", "e5"),
        ("2026-01-01", "expires", "1", "e2"),
    ]


def test_members_join_and_leave_and_alliances_change_their_name() -> None:
    assert of(
        "alliance/quad",
        fact(Founded, "2021-01-01", name="Quad", members=["US", "JP"]),
        fact(MemberJoined, "2022-01-01", member="IN"),
        fact(MemberLeft, "2023-01-01", member="JP"),
        fact(Renamed, "2024-01-01", name="Q"),
    ) == [
        ("2021-01-01", "appears", None, "e1"),
        ("2022-01-01", "member_joins", "IN", "e2"),
        ("2023-01-01", "member_leaves", "JP", "e3"),
        ("2024-01-01", "changes", None, "e4"),
    ]


def test_the_first_day_is_left_out_and_the_last_is_not() -> None:
    known = decided_facts(CONTROL, announced(), suspended())
    days = [turn.day for turn in transitions(CONTROL, known, date(2025, 11, 9), date(2026, 11, 28))]
    assert days == [date(2026, 11, 28)]


def test_an_act_of_the_day_is_told_from_the_terms_of_an_older_one() -> None:
    known = decided_facts(
        CONTROL,
        announced(clause("1"), clause("2"), clause("3", inForceUntil="2027-03-31")),
        suspended("1", "2"),
        fact(Reinstated, "2026-11-27", clauses=["1"], reinstatedFrom="2026-11-28"),
        fact(Repealed, "2026-12-01", clauses=["2"], repealedFrom="2026-12-01"),
        fact(Expired, "2027-05-02", clauses=["3"], inForceUntil="2027-03-31"),
    )
    assert [
        (str(turn.day), turn.clause, turn.kind.value, turn.basis.value, str(turn.announced_on))
        + ((turn.confirmed_by.event_id,) if turn.confirmed_by else ())
        for turn in all_turns(CONTROL, known)
        if turn.kind.value != "changes"
    ] == [
        ("2024-12-03", None, "appears", "act", "2024-12-03"),
        ("2025-11-09", "1", "suspended", "act", "2025-11-09"),
        ("2025-11-09", "2", "suspended", "act", "2025-11-09"),
        ("2026-11-28", "1", "returns", "confirmed", "2025-11-09", "e3"),
        ("2026-11-28", "2", "returns", "terms", "2025-11-09"),
        ("2026-12-01", "2", "repealed", "act", "2026-12-01"),
        ("2027-04-01", "3", "expires", "confirmed", "2024-12-03", "e5"),
    ]


def test_an_act_about_another_clause_or_day_confirms_nothing() -> None:
    known = decided_facts(
        CONTROL,
        announced(clause("1", inForceFrom="2025-03-01"), clause("2", inForceFrom="2025-03-01")),
        fact(EnteredIntoForce, "2025-03-02", clauses=["1"], inForceFrom="2025-03-01"),
        fact(EnteredIntoForce, "2025-03-03", clauses=["2"], inForceFrom="2025-03-03"),
    )
    bases = {
        turn.clause: turn.basis.value
        for turn in all_turns(CONTROL, known)
        if turn.kind.value == "in_force" and str(turn.day) == "2025-03-01"
    }
    assert bases == {"1": "confirmed", "2": "terms"}


def test_an_entity_appears_by_its_opening_whatever_else_is_said_of_it_on_the_day() -> None:
    denied = fact(Disputed, "2024-12-03", account="they deny it")
    assert of(CONTROL, announced(), denied) == [("2024-12-03", "appears", None, "e1")]


def test_other_contents_of_an_act_are_not_the_reason_of_a_status_change() -> None:
    germanium = clause("2", commodities=["germanium"])
    facts = [
        announced(clause("1", inForceFrom="2025-01-01"), clause("2"), clause("3")),
        fact(Amended, "2025-02-01", clauses=[germanium], effectiveFrom="2025-06-01"),
        suspended("1", start="2025-06-01", end="2025-12-31", on="2025-03-01"),
        fact(Extended, "2025-06-01", clauses=["1"], inForceUntil="2027-06-30"),
        suspended("2", "3", start="2025-07-01", end="2025-12-31", on="2025-06-01"),
    ]
    found = of(CONTROL, *facts)
    assert [one for one in found if one[0] == "2025-06-01"] == [
        ("2025-06-01", "suspended", "1", "e3"),
        ("2025-06-01", "amended", "2", "e2"),
        ("2025-06-01", "changes", "3", "e5"),
    ]


def test_a_place_is_a_member_because_it_joined_whatever_its_role_is_then() -> None:
    assert of(
        "alliance/quad",
        fact(Founded, "2021-01-01", name="Quad", members=["US"]),
        fact(MemberJoined, "2022-01-01", member="JP"),
        fact(RoleChanged, "2022-01-01", member="JP", role="chair"),
        fact(RoleChanged, "2023-01-01", member="JP", role="member"),
    )[1:] == [("2022-01-01", "member_joins", "JP", "e2"), ("2023-01-01", "changes", "JP", "e4")]


def test_an_amendment_from_the_first_day_of_a_clause_confirms_it_and_no_other_amendment_does() -> (
    None
):
    later = {"inForceFrom": "2025-06-01", "endUse": "war"}
    known = decided_facts(
        CONTROL,
        announced(*(clause(one, inForceFrom="2025-06-01") for one in ("1", "2", "3"))),
        fact(Amended, "2025-05-31", clauses=[clause("1", **later)], effectiveFrom="2025-06-01"),
        fact(Amended, "2025-05-31", clauses=[clause("2", **later)]),
        fact(Amended, "2025-05-31", clauses=[clause("3", **later)], effectiveFrom="2025-07-01"),
    )
    bases = {
        turn.clause: (turn.because.event_id, turn.basis.value)
        for turn in all_turns(CONTROL, known)
        if turn.kind.value == "in_force"
    }
    assert bases == {"1": ("e1", "confirmed"), "2": ("e1", "terms"), "3": ("e1", "terms")}


def test_members_in_another_order_are_not_a_change_and_not_why_an_alliance_ends() -> None:
    assert of(
        "alliance/quad",
        fact(Founded, "2021-01-01", name="Quad", members=["US", "JP"]),
        fact(MembersListed, "2022-01-01", members=["JP", "US"]),
        fact(Dissolved, "2023-01-01"),
        fact(MembersListed, "2023-01-01", members=["US", "JP"]),
    )[1:] == [("2023-01-01", "changes", None, "e3")]


def test_the_cost_of_reasons_is_linear_in_the_number_of_facts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def folded_facts(amendments: int) -> int:
        facts = [fact(Amended, "2025-11-09", clauses=[clause("1")]) for _ in range(amendments)]
        known = decided_facts(CONTROL, announced(clause("1")), suspended(), *facts)
        folded.clear()
        assert [turn.because.event_id for turn in all_turns(CONTROL, known)]
        return len(folded)

    folded: list[RecordedFact] = []
    take = ExportControlFold.take

    def counted(self: ExportControlFold, known: RecordedFact) -> None:
        folded.append(known)
        take(self, known)

    monkeypatch.setattr(ExportControlFold, "take", counted)
    assert folded_facts(160) < 2.5 * folded_facts(80)
