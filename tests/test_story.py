"""The seed article, changes between days and positions, and a replay, on the corpus that ships."""

import random
from datetime import date, timedelta
from typing import Any

import pytest

from projections.fold.replay import ReplayState
from projections.query.moment import Moment
from schema.execution.execute import execute
from schema.services import Access, Services


class Tracker:
    """The tracker as its users meet it: by asking GraphQL."""

    def __init__(self, services: Services):
        self.services = services

    async def ask(self, document: str, **variables: Any) -> Any:
        """Return the data of a response without errors."""
        answer = await execute(self.services, document, variables, Access(open=True))
        assert "errors" not in answer, answer["errors"]
        return answer["data"]


@pytest.fixture
async def tracker(read_services: Services) -> Tracker:
    """Run a tracker with the shipped corpus, to read."""
    return Tracker(read_services)


@pytest.fixture
async def own_tracker(corpus_services: Services) -> Tracker:
    """Run a tracker with the shipped corpus, to change."""
    return Tracker(corpus_services)


async def test_one_query_returns_every_claim_of_the_seed_article(tracker: Tracker) -> None:
    data = await tracker.ask(
        """{ asOf(validAt: "2025-08-01") {
               announcements(publisher: "sohu", first: 50) { totalCount nodes {
                 id title kind source { name publishedOn reference checked } } }
               claims(publisher: "sohu", first: 50) { totalCount nodes {
                 value unit qualifier publishedOn
                 series { commodity { key } place { code } statistic }
                 source { name publishedOn reference checked } } } } }"""
    )
    announcements, claims = data["asOf"]["announcements"], data["asOf"]["claims"]
    assert (announcements["totalCount"], claims["totalCount"]) == (14, 4)
    sources = [node["source"] for node in (*announcements["nodes"], *claims["nodes"])]
    assert {(s["publishedOn"], s["checked"]) for s in sources} == {("2025-07-07", "SEED")}


async def test_a_retraction_changes_later_answers_and_no_earlier_one(own_tracker: Tracker) -> None:
    document = """query ($position: Position) { asOf(validAt: "2025-11-20", position: $position) {
        position digest exportControl(id: "cn-mofcom-2024-46") {
          clauses { key status } because { position eventId } } } }"""
    position = (await own_tracker.ask(document))["asOf"]["position"]
    before = await execute(own_tracker.services, document, {"position": position}, Access())

    retracted = await own_tracker.ask(
        """mutation { retractEvent(input: {eventId: "cn-mofcom-2025-72", reason: "a test",
             source: {publisher: "tracker", name: "A test", publishedOn: "2026-01-01"}})
           { position } }"""
    )
    later = retracted["retractEvent"]["position"]
    assert int(later) == int(position) + 1

    after = await own_tracker.ask(document, position=later)
    assert after["asOf"]["exportControl"]["clauses"][1] == {"key": "2", "status": "IN_FORCE"}
    assert await execute(own_tracker.services, document, {"position": position}, Access()) == before


async def test_people_ask_what_happened_between_1_october_and_20_november_2025(
    tracker: Tracker,
) -> None:
    data = await tracker.ask(
        """{ changes(from: {validAt: "2025-10-01"}, to: {validAt: "2025-11-20"},
                     kind: EXPORT_CONTROL, first: 100) { totalCount nodes {
               entity change effectiveDays fields { path before after }
               because { eventId source { publisher } }
               after { ... on ExportControl { clauses { key status firstInForce } } } } } }"""
    )
    told = {node["entity"].partition("/")[2]: node for node in data["changes"]["nodes"]}
    assert data["changes"]["totalCount"] == len(told) > 10

    ban = told["cn-mofcom-2024-46"]
    assert (ban["change"], ban["effectiveDays"]) == ("CHANGED", ["2025-11-09"])
    assert {f["path"][1][0] for f in ban["fields"] if f["path"][0] == "clauses"} == {"2"}
    assert {"path": ["clauses", "2", "status"], "before": "in_force", "after": "suspended"} in (
        ban["fields"]
    )
    assert {"eventId": "cn-mofcom-2025-72", "source": {"publisher": "pakistan-today"}} in (
        ban["because"]
    )

    for number in (55, 56, 57, 58):
        measure = told[f"cn-mofcom-2025-{number}"]
        assert measure["change"] == "APPEARED"
        assert measure["effectiveDays"][:2] == ["2025-10-09", "2025-11-07"]
        assert {(c["status"], c["firstInForce"]) for c in measure["after"]["clauses"]} == {
            ("SUSPENDED", None)
        }
        # A correction, recorded after the suspension, has the id of the corrected event and `~2`.
        announced, suspended = f"cn-mofcom-2025-{number}", f"cn-mofcom-2025-70-{number}"
        expected = [announced, suspended] if number == 57 else [suspended, f"{announced}~2"]
        assert [reason["eventId"] for reason in measure["because"]][:2] == expected

    # One case of 61/2025 and its refusals were in force for four weeks, two were to begin on 1 December.
    assert told["cn-mofcom-2025-61"]["after"]["clauses"] == [
        {"key": "de-minimis", "status": "SUSPENDED", "firstInForce": None},
        {"key": "technology-product", "status": "SUSPENDED", "firstInForce": None},
        {"key": "originating-in-china", "status": "SUSPENDED", "firstInForce": "2025-10-09"},
        {"key": "refused", "status": "SUSPENDED", "firstInForce": "2025-10-09"},
    ]


async def test_a_suspension_that_ends_by_itself_is_a_change_because_of_the_event_that_said_so(
    tracker: Tracker,
) -> None:
    data = await tracker.ask(
        """{ changes(from: {validAt: "2026-11-27"}, to: {validAt: "2026-11-28"}) { nodes {
               entity change effectiveDays because { eventId } } }
             asOf(validAt: "2026-11-01") { upcoming(days: 60, commodity: "gallium") { nodes {
               day entity clause transition because { eventId } } } } }"""
    )
    because = {"eventId": "cn-mofcom-2025-72"}
    assert data["changes"]["nodes"] == [
        {
            "entity": "export-control/cn-mofcom-2024-46",
            "change": "CHANGED",
            "effectiveDays": ["2026-11-28"],
            "because": [because],
        }
    ]
    assert {
        "day": "2026-11-28",
        "entity": "export-control/cn-mofcom-2024-46",
        "clause": "2",
        "transition": "RETURNS",
        "because": because,
    } in data["asOf"]["upcoming"]["nodes"]


async def test_auditors_ask_what_was_restated_since_a_position(own_tracker: Tracker) -> None:
    position = str(await own_tracker.services.recorder.head())
    await own_tracker.ask(
        """mutation { retractEvent(input: {eventId: "cn-mofcom-2025-72", reason: "a test",
             source: {publisher: "tracker", name: "A test", publishedOn: "2026-01-01"}})
           { position } }"""
    )
    data = await own_tracker.ask(
        """query ($since: Position) {
             changes(from: {position: $since}, to: {validAt: "2025-11-20"}) { totalCount nodes {
               entity change effectiveDays because { position type }
               before { ... on ExportControl { clauses { status } } }
               after { ... on ExportControl { clauses { status } } } } }
             earlier: changes(from: {validAt: "2025-10-01", position: $since},
                              to: {validAt: "2025-10-01"}) { totalCount } }""",
        since=position,
    )
    [restated] = data["changes"]["nodes"]
    before, after = (
        {clause["status"] for clause in restated.pop(moment)["clauses"]}
        for moment in ("before", "after")
    )
    assert restated == {
        "entity": "export-control/cn-mofcom-2024-46",
        "change": "CHANGED",
        "effectiveDays": [],
        "because": [{"position": str(int(position) + 1), "type": "ExportControl.Retracted"}],
    }
    assert (before, after) == ({"IN_FORCE", "SUSPENDED"}, {"IN_FORCE"})
    assert data["earlier"]["totalCount"] == 0


async def test_a_replay_in_memory_proves_what_the_database_says(tracker: Tracker) -> None:
    services, world = tracker.services, ReplayState()
    head = await services.recorder.head()
    async for event in services.recorder.read_all(head):
        world.add(event)
    dice = random.Random(20250701)
    for _ in range(60):
        day = date(2010, 1, 1) + timedelta(days=dice.randrange(365 * 20))
        position = dice.randrange(head + 1)
        digest = await services.as_of.digest(Moment(day, position))
        assert digest == world.digest(day, position), (day, position)
