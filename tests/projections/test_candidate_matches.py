"""Matches of candidates with recorded acts, on the shipped corpus."""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

import pytest

from deploy.bootstrap import open_connection
from projections.query.candidate_matches import CandidateMatch, MatchKind, find_matches
from schema.services import Services
from tests.support.cases import each_case
from tests.support.fact_builders import announced, clause
from tests.support.findings import lead, proposal
from tracker.domain.entities.citations import cited_numbers, first_number
from tracker.postgres.database import WATCHER, Target
from tracker.review.finding import Finding
from tracker.review.findings import propose

AFFILIATES = "export-control/us-bis-2025-19001"
GALLIUM = "export-control/cn-mofcom-2024-46"
Matches = Callable[..., Awaitable[list[CandidateMatch]]]


@pytest.fixture
async def matches(corpus_services: Services, corpus_target: Target) -> Matches:
    """Return the matches of a finding in the corpus."""

    async def find(finding: Finding, *issuers: str) -> list[CandidateMatch]:
        async with open_connection(corpus_target, role=WATCHER) as connection:
            await propose(connection, "a", [finding], issuers)
        review, as_of = corpus_services.review, corpus_services.as_of
        id = await corpus_services.recorder._pool.fetchval("SELECT max(id) FROM review.candidates")
        found = [await review.candidates.get(id)]
        [matched] = await find_matches(as_of.lists, await as_of.resolve(), found)
        return matched

    return find


def kinds(found: list[CandidateMatch]) -> set[tuple[str, str]]:
    """Return matches as kind and act."""
    return {(match.kind.value, match.entity) for match in found}


def of_bis(**more: Any) -> Finding:
    """Return the affiliates rule as listed by the Federal Register."""
    given = {
        "title": "Expansion of End-User Controls To Cover Affiliates of Certain Listed Entities",
        "number": "90 FR 47201",
        "published_on": date(2025, 9, 30),
        "url": "https://www.federalregister.gov/documents/2025/09/30/2025-19001/expansion",
        **more,
    }
    return lead("2025-19001", **given)


async def test_a_document_of_the_federal_register_that_is_in_the_corpus_is_the_same(
    matches: Matches,
) -> None:
    found = await matches(of_bis(), "US")
    assert ("same_as", AFFILIATES) in kinds(found)
    [same] = [match for match in found if match.entity == AFFILIATES]
    assert "fr-2025-19001" in same.because


async def test_a_document_that_cites_a_known_one_amends_it(matches: Matches) -> None:
    title = "Suspension of the rule published at 90 FR 47201 (FR Doc. 2025-19001)"
    later = lead("2025-99999", title=title, number="90 FR 59999", published_on=date(2025, 11, 12))
    assert kinds(await matches(later, "US")) >= {("amends", AFFILIATES)}


async def test_the_same_announcement_with_another_day_or_other_goods_conflicts(
    matches: Matches,
) -> None:
    told = announced(
        clause(commodities=["tin"]), on="2024-12-09", instrument="MOFCOM Announcement 2024 No. 46"
    )
    other = proposal(
        "x", told, number="公告2024年第46号", title="关于加强相关两用物项对美国出口管制的公告"
    )
    [match] = [one for one in await matches(other) if one.entity == GALLIUM]
    assert match.kind is MatchKind.CONFLICTS_WITH
    assert "another day: 2024-12-09, not 2024-12-03" in match.because
    assert "other goods: tin" in match.because


async def test_the_same_number_of_another_issuer_is_another_act(matches: Matches) -> None:
    assert await matches(lead("x", number="Announcement 2024 No. 46"), "KR") == []


async def test_a_title_on_the_same_day_is_the_same_and_on_another_is_not(matches: Matches) -> None:
    known = await matches(lead("y", title="x", number="Announcement No. 46 of 2024"), "CN")
    [act] = [match for match in known if match.entity == GALLIUM]
    same = lead(
        "z", title=act.title, number=None, published_on=date(2024, 12, 3), url="https://a.example/"
    )
    assert ("same_as", GALLIUM) in kinds(await matches(same, "CN"))
    later = lead(
        "w", title=act.title, number=None, published_on=date(2024, 12, 5), url="https://a.example/"
    )
    assert ("same_as", GALLIUM) not in kinds(await matches(later, "CN"))


@each_case(
    ("text", "numbers"),
    [
        ("FR Doc. 2025-19001, RIN 0694-AK11", {"fr-2025-19001"}),
        (
            "90 FR 50857 (FR Doc. 2025-19846); rule 90 FR 47201",
            {"90-fr-50857", "fr-2025-19846", "90-fr-47201"},
        ),
        ("MOFCOM, MIIT, GAC & SCA Announcement 2024 No. 51", {"no-2024-51"}),
        ("Announcement No. 46 of 2024", {"no-2024-46"}),
        ("商务部公告2024年第46号", {"no-2024-46"}),
        ("Council Regulation (EU) 2025/395", {"eu-2025-395"}),
        ("Council Regulation (EC) No 428/2009", {"eu-2009-428"}),
        ("32025R0395", {"eu-2025-395"}),
        ("https://eur-lex.europa.eu/eli/reg_impl/2025/2351/oj", {"eu-2025-2351"}),
        ("SI 2024/1234 and S.I. 2024 No. 7", {"si-2024-1234", "si-2024-7"}),
        ("https://www.legislation.gov.uk/uksi/2024/1234/made", {"si-2024-1234"}),
        ("Executive Order 14272, Proclamation 9704", {"eo-14272", "proclamation-9704"}),
        ("Public Law 118-62", {"pl-118-62"}),
        ("In 2024 prices rose by 46 %", set()),
        ("2024-12-03", set()),
    ],
)
def test_numbers_are_read_in_one_form(text: str, numbers: set[str]) -> None:
    assert cited_numbers(text) == numbers


def test_the_first_number_is_that_of_the_text_itself() -> None:
    assert first_number("90 FR 50857 (FR Doc. 2025-19846); rule 90 FR 47201") == {"90-fr-50857"}
    assert first_number("none") == set()
