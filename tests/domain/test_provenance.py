"""Authorship of sources: a publisher that speaks for another place makes no fact primary."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.cases import each_case
from tests.support.fact_builders import announced, fact, source
from tracker.domain.actors.alliance import Founded, MemberJoined, MembersListed
from tracker.domain.actors.announcement import Made, Superseded
from tracker.domain.actors.firm import Identified
from tracker.domain.basics.codec import from_builtins
from tracker.domain.catalogue.publishers import publishers
from tracker.domain.controls.export_control_acts import Disputed, Suspended, SuspensionStated
from tracker.domain.entities.fact import Fact, Source
from tracker.domain.entities.provenance import cite, cited_sources, issuers_of
from tracker.domain.entities.recordable import check_recordable
from tracker.errors import InvalidInput

AUTHORITIES = [one for one in publishers().values() if one.is_authority]
PLACES = sorted({place for one in AUTHORITIES for place in one.authority_of if place.isupper()})
DAY = "2024-12-03"


def own_page(publisher: str, **more: Any) -> dict[str, Any]:
    """Return a source at a publisher's own address, read there."""
    domains = publishers()[publisher].domains
    return {**source(publisher, DAY), "url": f"https://{domains[0]}/act", **more}


def cited(entity: str, *facts: Fact) -> list[bool]:
    """Whether the source of each fact about an entity is primary; the first fact is the opening."""
    sources = [cited_sources(entity, one, facts[0]) for one in facts]
    return [first.is_primary for (first,) in sources]


publisher_ids = st.sampled_from(sorted(one.id for one in publishers().values() if one.domains))
stated = st.sampled_from([None, True, False])


@given(publisher_ids, st.sampled_from(PLACES), stated, st.sampled_from(["page", "data_file"]))
def test_no_publisher_that_speaks_for_another_place_makes_an_act_primary(
    publisher: str, issuer: str, primary: bool | None, checked: str
) -> None:
    given = own_page(publisher, primary=primary, checked=checked)
    acts = (
        announced(issuer=issuer, source=given),
        fact(Suspended, DAY, suspendedFrom=DAY, suspendedUntil="2025-01-01", source=given),
        fact(
            SuspensionStated, DAY, suspendedUntil="2025-02-01", statedBy="A ministry", source=given
        ),
        fact(Disputed, DAY, account="Not so", source=given),
    )
    made = fact(Made, DAY, kind="statement", title="A", actors=[issuer], source=given)
    told = fact(Superseded, DAY, by="announcement/b", source=given)
    speaks = issuer in publishers()[publisher].authority_of and primary is not False
    assert cited("export-control/a", *acts) == [speaks] * len(acts)
    assert cited("announcement/a", made, told) == [speaks] * 2
    assert {one.verified for one in cited_sources("export-control/a", acts[1], acts[0])} == {speaks}


@given(publisher_ids, st.sampled_from(PLACES), st.sampled_from(PLACES), stated)
def test_a_member_speaks_for_itself_and_for_the_founding_but_not_for_other_members(
    publisher: str, founder: str, member: str, primary: bool | None
) -> None:
    given = own_page(publisher, primary=primary)
    founded = fact(Founded, DAY, name="A", members=[founder], source=given)
    joined = fact(MemberJoined, DAY, member=member, source=given)
    listed = fact(MembersListed, DAY, members=[founder, member], source=given)
    authority_of = publishers()[publisher].authority_of
    says = primary is not False
    assert cited("alliance/an-alliance", founded, joined, listed) == [
        says and founder in authority_of,
        says and member in authority_of,
        says and (founder in authority_of or member in authority_of),
    ]


@each_case(
    ("alliance", "publisher", "primary"),
    [
        ("quad", "quad", True),
        ("msp", "quad", False),
        ("msp-forum", "european-commission", True),
        ("ergi", "european-commission", False),
    ],
)
def test_an_alliance_has_publishers_of_its_own(
    alliance: str, publisher: str, primary: bool
) -> None:
    founded = fact(Founded, DAY, name="A", source=own_page(publisher))
    joined = fact(MemberJoined, DAY, member="KZ", source=own_page(publisher))
    assert cited(f"alliance/{alliance}", founded, joined) == [primary, primary]


def test_a_list_that_names_a_firm_is_not_the_firms_own_text() -> None:
    given = own_page("mofcom", primary=True)
    assert cited("firm/a", fact(Identified, DAY, name="A", place="CN", source=given)) == [False]


def test_any_authority_counts_for_a_figure_since_nobody_issues_it() -> None:
    read = from_builtins(Source, {**source("usgs", DAY), "checked": "data_file"})
    claimed = fact(Superseded, DAY, by="announcement/b")
    assert issuers_of("figure/production/gallium/CN/2024", claimed, None) is None
    assert cite(read, None).is_primary


@each_case(
    ("unsupported", "field"),
    [
        (["since"], None),
        (["member"], None),
        (["sinse"], 0),
        (["since", "since.0"], 1),
        (["since."], 0),
    ],
)
def test_a_source_lacks_only_fields_that_the_fact_gives(
    unsupported: list[str], field: int | None
) -> None:
    given = {**source("mofcom", DAY), "unsupported": unsupported}
    joined = fact(MemberJoined, DAY, member="CA", since="2019", source=given)
    if field is None:
        return check_recordable(joined)
    with pytest.raises(InvalidInput, match="expected one of on, member, since") as refused:
        check_recordable(joined)
    assert (refused.value.code, refused.value.path) == (
        "UNKNOWN_FIELD",
        ("source", "unsupported", field),
    )
    return None


def test_a_field_in_a_list_is_named_with_its_place() -> None:
    quantity = {"unit": "t", "value": 50_000, "basis": "lithium carbonate equivalent"}
    given = {**source("mofcom", DAY), "unsupported": ["amounts.0.quantity.basis"]}
    amounts = [{"label": "lithium", "quantity": quantity}]
    fields = {"kind": "commitment", "title": "A", "amounts": amounts}
    check_recordable(fact(Made, DAY, source=given, **fields))
    other = {**given, "unsupported": ["amounts.1.quantity.basis"]}
    with pytest.raises(InvalidInput, match=r"'amounts\.1\.quantity\.basis' is not a field"):
        check_recordable(fact(Made, DAY, moreSources=[other], **fields))
