"""Links: the entities that others name, as objects, at the same moment."""

from datetime import date
from typing import Any

import pytest

from schema.services import Services
from tests.support.api import Api, claim, source

ANNOUNCEMENTS = """query ($day: Day, $position: Position, $after: String) {
  asOf(validAt: $day, position: $position) {
    announcements(first: 200, after: $after) {
      pageInfo { hasNextPage endCursor }
      nodes {
        key about conflictsWith supersedes supersededBy
        aboutEntities { entity __typename }
        conflictsWithEntities { entity }
        supersedesAnnouncements { entity date }
        supersededByAnnouncement { entity title }
      } } } }"""
ALLIANCES = """query ($day: Day, $position: Position) {
  asOf(validAt: $day, position: $position) {
    alliances(first: 200) { nodes {
      key partOf replaces succeededBy
      partOfAlliance { key name } replacesAlliance { key status } succeededByAlliance { key status }
    } } } }"""


async def all_announcements(api: Api, **moment: Any) -> list[dict[str, Any]]:
    """Return every announcement of a moment, with its links."""
    return [*await api.nodes(ANNOUNCEMENTS, **moment)]


async def names_at(api: Api, **moment: Any) -> set[str]:
    """Return the names of all entities with a state at a moment, from the state itself."""
    as_of = api.services.as_of
    at = await as_of.resolve(**moment)
    return {line.split(b'"', 4)[3].decode() async for line in as_of.lines(at)}


@pytest.mark.parametrize("day", ["2025-11-20", "2024-06-01"])
async def test_links_of_announcements_are_the_entities_that_they_name_as_far_as_these_exist(
    corpus: Api, day: str
) -> None:
    there = await names_at(corpus, valid_at=date.fromisoformat(day))
    found = await all_announcements(corpus, day=day)
    links = 0
    for one in found:
        for names, field in (
            ("about", "aboutEntities"),
            ("conflictsWith", "conflictsWithEntities"),
            ("supersedes", "supersedesAnnouncements"),
        ):
            linked = [link and link["entity"] for link in one[field]]
            assert linked == [name if name in there else None for name in one[names]]
            links += len(linked)
        by, link = one["supersededBy"], one["supersededByAnnouncement"]
        assert (link and link["entity"]) == (by if by in there else None)
        links += link is not None
    assert links > (60 if day > "2025" else 10)
    kinds = {link["__typename"] for one in found for link in one["aboutEntities"] if link}
    assert kinds <= {"Alliance", "Announcement", "ExportControl"}
    assert len(kinds) > 1


async def test_alliances_lead_to_each_other_as_they_are_at_the_moment(corpus: Api) -> None:
    data = await corpus.ask(ALLIANCES, day="2026-06-01")
    alliances = {one["key"]: one for one in data["asOf"]["alliances"]["nodes"]}
    linked = 0
    for one in alliances.values():
        for key, link in (
            (one["partOf"], one["partOfAlliance"]),
            (one["replaces"], one["replacesAlliance"]),
            (one["succeededBy"], one["succeededByAlliance"]),
        ):
            assert (link and link["key"]) == (key if key in alliances else None)
            linked += link is not None
    assert linked >= 4
    forge = next(one for one in alliances.values() if one["replaces"])
    assert forge["replacesAlliance"]["status"] == "SUCCEEDED"
    assert alliances[forge["replaces"]]["succeededByAlliance"]["key"] == forge["key"]


async def test_a_clause_leads_to_the_control_that_it_was_merged_into(corpus: Api) -> None:
    data = await corpus.ask(
        """{ asOf(validAt: "2026-06-01") { exportControls(status: REPEALED, first: 200) { nodes {
        clauses { continuedIn continuedInExportControl { key entity title } } } } } }"""
    )
    clauses = [
        clause for one in data["asOf"]["exportControls"]["nodes"] for clause in one["clauses"]
    ]
    merged = [clause for clause in clauses if clause["continuedIn"]]
    assert merged
    for clause in merged:
        assert clause["continuedInExportControl"]["key"] == clause["continuedIn"]
    assert all(
        clause["continuedInExportControl"] is None
        for clause in clauses
        if not clause["continuedIn"]
    )


async def test_a_link_is_of_the_same_day_and_position(services: Services) -> None:
    api = Api(services)
    text = {"publisher": "quad", "name": "Statement", "publishedOn": "2025-01-01"}
    for mutation, input in (
        ("foundAlliance", {"id": "first", "on": "2025-01-01", "name": "First", "members": ["JP"]}),
        (
            "recordAnnouncement",
            {
                "id": "said",
                "on": "2025-02-01",
                "kind": "STATEMENT",
                "title": "About the first, and one to come",
                "about": ["alliance/first", "alliance/second", "alliance/never"],
                "supersedes": ["alliance/first", "announcement/never"],
            },
        ),
        ("renameAlliance", {"id": "first", "on": "2025-03-01", "name": "Renamed"}),
        ("foundAlliance", {"id": "second", "on": "2025-04-01", "name": "Second", "members": []}),
    ):
        await api.do(mutation, {**input, "source": source() | text})
    document = """query ($day: Day, $position: Position) {
      asOf(validAt: $day, position: $position) { announcement(id: "said") {
        aboutEntities { key ... on Alliance { name } } supersedesAnnouncements { key } } } }"""
    for day, position, expected in (
        ("2025-02-01", "4", ["First", None, None]),
        ("2025-03-01", "4", ["Renamed", None, None]),
        ("2025-04-01", "4", ["Renamed", "Second", None]),
        ("2025-04-01", "3", ["Renamed", None, None]),
        ("2025-04-01", "2", ["First", None, None]),
    ):
        found = (await api.ask(document, day=day, position=position))["asOf"]["announcement"]
        assert [link and link["name"] for link in found["aboutEntities"]] == expected
        assert found["supersedesAnnouncements"] == [None, None]  # neither is an announcement there
    history = """{ history(entity: "announcement/said") { nodes { state { ... on Announcement {
        aboutEntities { ... on Alliance { name } } } } } } }"""
    [version] = (await api.ask(history))["history"]["nodes"]
    assert [link and link["name"] for link in version["state"]["aboutEntities"]] == [
        *("Renamed", "Second", None)
    ]


async def test_links_lead_to_figures_too(services: Services) -> None:
    api = Api(services)
    await api.do("recordFigure", claim())
    await api.do(
        "recordAnnouncement",
        {
            "id": "said",
            "on": "2025-02-01",
            "kind": "STATEMENT",
            "title": "About a figure",
            "about": ["figure/rare_earths/CN/production/mine/2023"],
            "source": source(),
        },
    )
    data = await api.ask(
        """{ asOf { announcement(id: "said") { aboutEntities {
        ... on Figure { preferred { value } } } } } }"""
    )
    assert data["asOf"]["announcement"]["aboutEntities"] == [{"preferred": {"value": "240000"}}]


async def test_the_alliances_among_actors_are_objects_of_the_moment(corpus: Api) -> None:
    data = await corpus.ask(
        '{ asOf(validAt: "2025-07-02") { announcements(actor: "quad", first: 50) {'
        " nodes { actors { key place { code } } actorAlliances { key ... on Alliance { name } } } } } }"
    )
    nodes = data["asOf"]["announcements"]["nodes"]
    assert nodes
    for node in nodes:
        named = [one["key"] for one in node["actors"] if one["place"] is None]
        assert [one["key"] for one in node["actorAlliances"]] == named
    assert nodes[0]["actorAlliances"][0]["name"].startswith("Quad")
