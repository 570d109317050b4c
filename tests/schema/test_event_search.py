"""Searching the log: the events that say some words, in its order."""

from typing import Any

import pytest

from schema.services import Services
from tests.support.api import Api, claim, clause, control, source, suspension
from tests.support.fact_builders import source as fact_source
from tracker.domain.basics.codec import from_builtins
from tracker.domain.basics.values import PartialDate
from tracker.domain.entities.fact import Source

EVENTS = """query ($search: String, $types: [String!], $entity: String, $commodities: [String!],
                   $places: [String!], $recorded: TimeRange, $order: EventOrder, $first: Int,
                   $after: Position, $last: Int, $before: Position) {
  events(search: $search, types: $types, entity: $entity, commodities: $commodities, places: $places,
         recorded: $recorded, orderBy: $order, first: $first, after: $after, last: $last,
         before: $before) {
    totalCount pageInfo { hasNextPage hasPreviousPage } nodes { position type entity } } }"""


@pytest.fixture
async def api(services: Services) -> Api:
    """Run the API on a log of six events, open for writing."""
    api = Api(services)
    await api.do(
        "announceExportControl",
        control("x", clause(endUse="military use", note="As Ms Doe explained")),
    )
    await api.do("suspendExportControl", suspension("x", "1", note="Until the talks end"))
    await api.do("recordFigure", claim(place="CN", year=2023))
    await api.do("recordFigure", {**claim(place="US", year=2023), "note": "Talks with the miner"})
    await api.do(
        "announceExportControl",
        control("y", clause(commodities=["dysprosium"]), title="Talks fail"),
    )
    await api.do(
        "retractEvent",
        {
            "eventId": (await api.ask("{ events(last: 1) { nodes { eventId } } }"))["events"][
                "nodes"
            ][0]["eventId"],
            "reason": "They did not",
            "source": source(),
        },
    )
    return api


async def positions(api: Api, search: str, **variables: Any) -> list[int]:
    """Return the positions of a search's events."""
    found = (await api.ask(EVENTS, search=search, **variables))["events"]
    assert found["totalCount"] >= len(found["nodes"])
    return [int(one["position"]) for one in found["nodes"]]


async def test_events_are_found_by_what_their_facts_notes_and_figures_say(api: Api) -> None:
    for search, found in (
        ("military", [1]),
        ("gallium china", [1]),
        ("dysprosium", [5]),
        ("doe", [1]),
        ("gallium doe", [1]),
        ("talks", [2, 4, 5]),
        ("talking", [2, 4, 5]),
        ("2026 suspended", [2]),
        ("export control retracted", [6]),
        ("rare earths china", [3]),
        ("production 2023 rare", [3, 4]),
        ("mofcom", [1, 2, 5, 6]),
        ("militery", [1]),
        ("nonsense", []),
    ):
        assert await positions(api, search) == found, search


async def test_a_search_is_narrowed_by_all_that_lists_of_events_are(api: Api) -> None:
    assert await positions(api, "talks", types=["ExportControl.Suspended"]) == [2]
    assert await positions(api, "talks", entity="export-control/y") == [5]
    assert await positions(api, "talks", entity="export-control/none") == []
    assert await positions(api, "talks", commodities=["gallium"]) == [2]
    assert await positions(api, "talks", places=["US"]) == [4]
    assert await positions(api, "talks", commodities=["gallium"], entity="export-control/x") == [2]
    assert await positions(api, "talks", commodities=["gallium"], entity="export-control/y") == []
    assert await positions(api, "talks", recorded={"to": "2020-01-01T00:00:00Z"}) == []


async def test_pages_go_both_ways_in_the_order_of_the_log(api: Api) -> None:
    assert await positions(api, "talks", first=2) == [2, 4]
    assert await positions(api, "talks", first=2, after="2") == [4, 5]
    assert await positions(api, "talks", last=1) == [5]
    assert await positions(api, "talks", last=1, before="4") == [2]
    assert await positions(api, "talks", order="POSITION_DESC") == [5, 4, 2]
    assert await positions(api, "talks", order="POSITION_DESC", after="5", first=1) == [4]


async def test_a_redacted_note_is_no_longer_found(api: Api) -> None:
    event_id = (await api.ask("{ events(first: 1) { nodes { eventId } } }"))["events"]["nodes"][0]
    law = from_builtins(Source, fact_source("court", "2026-03-01"))
    services = api.services
    done = await services.commands.redact(
        event_id["eventId"], "A court forbids it", PartialDate("2026-03-01"), law
    )
    await services.projector.reach(done.positions[-1])
    assert await positions(api, "doe") == []
    assert await positions(api, "court forbids") == [7]


async def test_bad_words_are_refused(api: Api) -> None:
    for search, code in (("…", "INVALID_INPUT"), ("x" * 501, "TOO_LARGE")):
        assert await api.refused(EVENTS, search=search) == (code, ["search"])
