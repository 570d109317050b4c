"""Alliances: members on a day with their dates, and the fate of the alliance."""

from datetime import date
from functools import partial
from typing import Any

import pytest

from tests.support.cases import each_case
from tests.support.fact_builders import decided_facts, fact, refused, retracted, state
from tracker.domain.actors.alliance import (
    AllianceState,
    Dissolved,
    Founded,
    MemberJoined,
    MemberLeft,
    MembersListed,
    Renamed,
    RoleChanged,
    Succeeded,
)
from tracker.domain.catalogue.places import Place
from tracker.domain.entities.fact import Fact
from tracker.errors import InvalidInput, NotFound

STREAM = "alliance/msp"
refusal = partial(refused, STREAM)


def founded(on: str = "2022-06-14", *members: str, **more: Any) -> Founded:
    """Return the founding of the Minerals Security Partnership."""
    return fact(Founded, on, **{"name": "MSP", "members": members, **more})


def joined(on: str, member: str, since: str | None = None) -> MemberJoined:
    """Return a new member."""
    return fact(MemberJoined, on, member=member, since=since)


def left(on: str, member: str) -> MemberLeft:
    """Return a leaving member."""
    return fact(MemberLeft, on, member=member)


def alliance(day: str, *facts: Fact) -> AllianceState | None:
    """Return the alliance on a day, from these facts."""
    found: AllianceState | None = state(decided_facts(STREAM, *facts), STREAM, day)
    return found


def members(day: str, *facts: Fact) -> dict[str, str]:
    """Return its members on a day, with their dates of joining."""
    found = alliance(day, *facts)
    assert found
    return {member.place: member.since for member in found.members}


def test_an_alliance_exists_from_the_day_it_is_founded() -> None:
    assert alliance("2022-06-13", founded()) is None
    told = alliance("2022-06-14", founded())
    assert told
    assert (told.name, told.status, told.founded_on) == ("MSP", "active", "2022-06-14")


def test_the_founders_are_members_since_the_founding_as_precisely_as_it_is_known() -> None:
    assert members("2022-06-01", founded("2022-06", "US", "AU")) == {
        "US": "2022-06",
        "AU": "2022-06",
    }


def test_a_joining_place_is_a_member_from_that_day_on() -> None:
    facts = founded("2022-06-14", "US"), joined("2023-02-05", "IT")
    assert members("2023-02-04", *facts) == {"US": "2022-06-14"}
    assert members("2023-02-05", *facts) == {"US": "2022-06-14", "IT": "2023-02-05"}


def test_a_member_since_a_month_becomes_public_on_a_day() -> None:
    facts = founded(), joined("2023-06-23", "IN", since="2023-05")
    assert members("2023-06-22", *facts) == {}
    assert members("2023-06-23", *facts) == {"IN": "2023-05"}


def test_a_leaving_place_is_not_a_member_from_that_day_on() -> None:
    facts = founded("2022-06-14", "US", "JP"), left("2024-01-01", "JP")
    assert list(members("2023-12-31", *facts)) == ["US", "JP"]
    assert list(members("2024-01-01", *facts)) == ["US"]


def test_a_returning_place_is_a_member_since_then() -> None:
    facts = founded("2022-06-14", "JP"), left("2024-01-01", "JP"), joined("2025-01-01", "JP")
    assert members("2024-06-01", *facts) == {}
    assert members("2025-01-01", *facts) == {"JP": "2025-01-01"}


def test_an_earlier_day_of_joining_recorded_late_is_the_one_that_counts() -> None:
    facts = founded(), joined("2024-01-01", "IN"), joined("2023-06-23", "IN")
    assert members("2023-12-31", *facts) == {"IN": "2023-06-23"}
    assert members("2024-01-01", *facts) == {"IN": "2023-06-23"}


@each_case("again", ["2023-01-01", "2024-06-01"])
def test_a_member_can_not_join_again(again: str) -> None:
    error = refusal(founded(), joined("2023-01-01", "IN"), joined(again, "IN"))
    assert (error.code, error.path) == ("ALREADY_MEMBER", ("member",))


@each_case(
    "facts",
    [
        (founded("2022-06-14", "US"), left("2023-01-01", "CN")),
        (founded("2022-06-14", "US"), left("2023-01-01", "US"), left("2024-01-01", "US")),
        (founded(), joined("2023-01-01", "IN"), left("2022-12-31", "IN")),
    ],
)
def test_a_place_that_is_not_a_member_cannot_leave(facts: tuple[Fact, ...]) -> None:
    error = refusal(*facts)
    assert (error.code, error.path) == ("NOT_A_MEMBER", ("member",))


def test_an_alliance_without_a_published_list_says_so() -> None:
    told = alliance("2025-01-01", founded(membersKnown=False, partOf="quad", replaces="old"))
    assert told
    assert (told.members, told.members_known) == ((), False)
    assert (told.part_of, told.replaces) == ("quad", "old")


def test_a_rename_keeps_the_former_names() -> None:
    facts = (
        founded(),
        fact(Renamed, "2024-01-01", name="MSP Forum"),
        fact(Renamed, "2025-01-01", name="FORGE"),
    )
    named = [alliance(day, *facts) for day in ("2023-12-31", "2024-01-01", "2025-01-01")]
    assert [(a.name, a.former_names) for a in named if a] == [
        ("MSP", ()),
        ("MSP Forum", ("MSP",)),
        ("FORGE", ("MSP", "MSP Forum")),
    ]


def test_a_succession_ends_the_alliance_and_names_its_successor() -> None:
    facts = founded("2022-06-14", "US"), fact(Succeeded, "2026-02-04", by="forge")
    before, after = alliance("2026-02-03", *facts), alliance("2026-02-04", *facts)
    assert before
    assert after
    assert (before.status, before.succeeded_by, before.ended_on) == ("active", None, None)
    assert (after.status, after.succeeded_by, after.ended_on) == (
        "succeeded",
        "forge",
        "2026-02-04",
    )
    assert after.members == before.members


def test_an_alliance_can_be_dissolved() -> None:
    told = alliance("2026-01-01", founded(), fact(Dissolved, "2026", note="by its members"))
    assert told
    assert (told.status, told.succeeded_by, told.ended_on) == ("dissolved", None, "2026")


def test_an_alliance_is_founded_once_unless_its_founding_is_retracted() -> None:
    assert refusal(founded(), founded("2023-01-01")).code == "ALREADY_EXISTS"
    told = alliance("2023-01-01", founded(), retracted("e1"), founded("2023-01-01"))
    assert told
    assert told.founded_on == "2023-01-01"


@each_case(
    "act",
    [
        joined("2023-01-01", "IN"),
        left("2023-01-01", "IN"),
        fact(Renamed, "2023", name="X"),
        fact(Succeeded, "2023", by="forge"),
        fact(Dissolved, "2023"),
    ],
)
def test_nothing_follows_before_a_founding(act: Fact) -> None:
    assert isinstance(refusal(act), NotFound)


@each_case(
    "act",
    [
        joined("2022-06-13", "IN"),
        joined("2022", "IN"),
        left("2022-06-13", "US"),
        fact(Renamed, "2022-06-13", name="X"),
        fact(Succeeded, "2022-06-13", by="forge"),
        fact(Dissolved, "2022-06-13"),
    ],
)
def test_nothing_happens_to_an_alliance_on_a_day_before_its_founding(act: Fact) -> None:
    error = refusal(founded("2022-06-14", "US"), act)
    assert (error.code, error.path) == ("NOT_FOUNDED", ("on",))


def test_an_earlier_day_can_be_told_once_the_founding_is_corrected() -> None:
    facts = founded(), retracted("e1"), founded("2022-01-01"), joined("2022-02-01", "IN")
    assert members("2022-02-01", *facts) == {"IN": "2022-02-01"}


def test_facts_before_a_moved_founding_do_not_count() -> None:
    facts = (
        founded(),
        joined("2022-07-01", "IN"),
        fact(Renamed, "2022-07-01", name="X"),
        retracted("e1"),
        founded("2023-01-01", "US"),
    )
    told = alliance("2023-01-01", *facts)
    assert told
    assert (told.name, [member.place for member in told.members]) == ("MSP", ["US"])
    assert [b.event_id for b in told.because] == ["e5"]
    assert members("2022-07-01", *facts, retracted("e5"), retracted("e4")) == {"IN": "2022-07-01"}
    assert members("2023-02-01", *facts, joined("2023-02-01", "IN"))["IN"] == "2023-02-01"


def test_a_fact_about_another_kind_of_entity_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"Alliance.Founded is not a fact about"):
        decided_facts("export-control/msp", founded())


def test_the_reasons_of_a_state_are_the_facts_public_by_its_day() -> None:
    facts = founded(), joined("2024-01-01", "IN"), joined("2023-01-01", "IT")
    told = alliance("2023-06-01", *facts)
    assert told
    assert [(b.position, b.event_id) for b in told.because] == [(1, "e1"), (3, "e3")]


# --- roles, lists and unions


def role_of(place: str, day: str, *facts: Fact) -> str | None:
    """Return the role of a place on a day."""
    found = alliance(day, *facts)
    assert found
    return next((member.role for member in found.members if member.place == place), None)


def listed(on: str, *members: str) -> MembersListed:
    """Return the publication of a list of members."""
    return fact(MembersListed, on, members=members)


def test_a_joining_place_is_a_member_unless_another_role_is_reported() -> None:
    observer = fact(MemberJoined, "2024-01-01", member="NL", role="observer")
    facts = founded("2022-06-14", "US"), joined("2023-02-05", "IT"), observer
    assert [role_of(place, "2024-01-01", *facts) for place in ("US", "IT", "NL", "CN")] == [
        "member",
        "member",
        "observer",
        None,
    ]


def test_a_role_changes_and_the_place_takes_part_since_the_same_day() -> None:
    chair = fact(RoleChanged, "2026-02-04", member="KR", role="chair")
    facts = founded("2022-06-14", "KR", "US"), chair
    assert role_of("KR", "2026-02-03", *facts) == "member"
    assert role_of("KR", "2026-02-04", *facts) == "chair"
    assert members("2026-02-04", *facts) == {"KR": "2022-06-14", "US": "2022-06-14"}


def test_an_observer_that_joins_is_a_member_then_whichever_was_told_first() -> None:
    member, observer, chair = (
        fact(MemberJoined, on, member="KR", role=role)
        for on, role in (
            ("2024-05-01", "member"),
            ("2023-06-01", "observer"),
            ("2025-01-01", "chair"),
        )
    )
    days = ("2023-06-01", "2024-04-30", "2024-05-01")
    assert [role_of("KR", day, founded(), member, observer) for day in days] == [
        "observer",
        "observer",
        "member",
    ]
    assert role_of("KR", "2026-01-01", founded(), chair, member) == "chair"
    assert (
        role_of(
            "KR",
            "2026-01-01",
            founded(),
            member,
            fact(MemberJoined, "2023-01-01", member="KR", role="chair"),
        )
        == "chair"
    )


def test_the_role_of_who_takes_no_part_can_not_change() -> None:
    error = refusal(founded(), fact(RoleChanged, "2024-01-01", member="KR", role="chair"))
    assert (error.code, error.path) == ("NOT_A_MEMBER", ("member",))


def test_members_are_known_from_the_day_their_list_is_public() -> None:
    facts = founded(membersKnown=False), listed("2022-07-01", "US", "AU")
    for day, known in (("2022-06-14", False), ("2022-07-01", True)):
        found = alliance(day, *facts)
        assert found
        assert found.members_known is known
    assert members("2022-07-01", *facts) == {"US": "2022-07-01", "AU": "2022-07-01"}


def test_a_list_is_whole_but_for_those_in_other_roles() -> None:
    observer = fact(MemberJoined, "2023-01-01", member="NL", role="observer")
    facts = founded("2022-06-14", "US", "JP"), observer, listed("2024-01-01", "US", "AU")
    assert members("2023-12-31", *facts).keys() == {"US", "JP", "NL"}
    assert members("2024-01-01", *facts) == {
        "NL": "2023-01-01",
        "US": "2022-06-14",
        "AU": "2024-01-01",
    }


def test_an_observer_on_the_list_of_members_is_one() -> None:
    observer = fact(MemberJoined, "2023-01-01", member="NL", role="observer")
    facts = founded("2022-06-14", "US"), observer, listed("2024-01-01", "US", "NL")
    assert role_of("NL", "2024-01-01", *facts) == "member"


def test_a_list_without_names_says_that_those_known_are_all() -> None:
    facts = founded("2022-06-14", "US", membersKnown=False), listed("2024-01-01")
    found = alliance("2024-01-01", *facts)
    assert found
    assert (found.members_known, members("2024-01-01", *facts)) == (True, {"US": "2022-06-14"})


@each_case(
    ("place", "day", "kind", "union"),
    [
        ("US", "2025-01-01", "member", None),
        ("EU", "2025-01-01", "member", None),
        ("FR", "2025-01-01", "through_union", "EU"),
        ("GB", "2019-12-31", "through_union", "EU"),
        ("GB", "2025-01-01", "none", None),
        ("NL", "2025-01-01", "through_union", "EU"),
        ("BR", "2025-01-01", "takes_part", None),
    ],
)
def test_membership_through_a_union_is_reported_as_such(
    place: str, day: str, kind: str, union: str | None
) -> None:
    roles = {"NL": "observer", "BR": "guest"}
    facts = (
        founded("2015-01-01", "US", "EU"),
        *(fact(MemberJoined, "2015-02-01", member=who, role=role) for who, role in roles.items()),
    )
    found = alliance(day, *facts)
    assert found
    belongs = found.membership(Place(place), date.fromisoformat(day))
    assert (belongs.kind, belongs.union) == (kind, union)
    assert belongs.role == ("member" if kind == "member" else roles.get(place))


def test_of_an_alliance_without_a_list_nobody_can_be_said_to_be_outside() -> None:
    found = alliance("2025-01-01", founded("2022-06-14", "US", membersKnown=False))
    assert found
    assert found.membership(Place("BR"), date(2025, 1, 1)).kind == "not_known"
    assert found.membership(Place("US"), date(2025, 1, 1)).kind == "member"


@each_case(
    ("facts", "field"),
    [
        ((founded(partOf="msp"),), "partOf"),
        ((founded(partOf="alliance/msp"),), "partOf"),
        ((founded(replaces="msp"),), "replaces"),
        ((founded(), fact(Succeeded, "2026-02-04", by="msp")), "by"),
    ],
)
def test_an_alliance_is_not_linked_to_itself(facts: tuple[Fact, ...], field: str) -> None:
    error = refusal(*facts)
    assert (error.code, error.path) == ("LINKED_TO_ITSELF", (field,))
