"""The whole product in one story, on the corpus that ships.

Facts have become immutable events. Events become states on two time axes. GraphQL answers about
any day. A subscriber sees a new event arrive. A replay proves the state.
"""

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

    async def clauses(self, instrument: str, day: str) -> dict[str, dict[str, Any]] | None:
        """Return the clauses of an instrument on a day by id, or None before its announcement."""
        data = await self.ask(
            """query ($id: String!, $day: Day) { asOf(validAt: $day) { exportControl(id: $id) {
                 clauses { key status suspendedUntil returnsOn firstInForce } } } }""",
            id=instrument,
            day=day,
        )
        control = data["asOf"]["exportControl"]
        return control and {clause["key"]: clause for clause in control["clauses"]}

    async def status(self, instrument: str, day: str, clause: str = "1") -> str | None:
        """Return the status of a clause on a day."""
        clauses = await self.clauses(instrument, day)
        return clauses[clause]["status"] if clauses else None

    async def claims(self, figure: str, day: str) -> list[dict[str, Any]]:
        """Return the claims for a figure on a day."""
        data = await self.ask(
            """query ($id: String!, $day: Day) { asOf(validAt: $day) { figure(id: $id) { claims {
                 publisher edition value unit basis preferred
                 source { name publishedOn verified } } } } }""",
            id=figure,
            day=day,
        )
        return list(data["asOf"]["figure"]["claims"])


@pytest.fixture
async def tracker(read_services: Services) -> Tracker:
    """Run a tracker with the shipped corpus, to read."""
    return Tracker(read_services)


@pytest.fixture
async def own_tracker(corpus_services: Services) -> Tracker:
    """Run a tracker with the shipped corpus, to change."""
    return Tracker(corpus_services)


async def test_a_licence_is_absent_then_announced_then_in_force(tracker: Tracker) -> None:
    assert await tracker.status("cn-mofcom-2023-23", "2023-07-02") is None
    assert await tracker.status("cn-mofcom-2023-23", "2023-07-15", "gallium") == "ANNOUNCED"
    assert await tracker.status("cn-mofcom-2023-23", "2023-08-02", "gallium") == "IN_FORCE"


async def test_one_clause_is_suspended_and_comes_back_by_itself(tracker: Tracker) -> None:
    instrument = "cn-mofcom-2024-46"
    assert await tracker.status(instrument, "2025-06-01", "2") == "IN_FORCE"
    clauses = await tracker.clauses(instrument, "2025-11-20")
    assert clauses is not None
    assert clauses["2"]["status"] == "SUSPENDED"
    assert clauses["2"]["suspendedUntil"] == "2026-11-27"
    assert clauses["2"]["returnsOn"] == "2026-11-28"
    assert await tracker.status(instrument, "2026-11-27", "2") == "SUSPENDED"
    assert await tracker.status(instrument, "2026-11-28", "2") == "IN_FORCE"
    for day in ("2024-12-03", "2025-06-01", "2025-11-20", "2026-11-28"):
        assert await tracker.status(instrument, day, "1") == "IN_FORCE"


async def test_a_measure_suspended_before_its_start_was_never_in_force(tracker: Tracker) -> None:
    for day, status in [
        ("2025-10-20", "ANNOUNCED"),
        ("2025-11-08", "SUSPENDED"),
        ("2026-11-10", "SUSPENDED"),
    ]:
        clauses = await tracker.clauses("cn-mofcom-2025-55", day)
        assert clauses is not None
        assert (clauses["1"]["status"], clauses["1"]["firstInForce"]) == (status, None)
    assert await tracker.status("cn-mofcom-2025-55", "2026-11-11") == "IN_FORCE"


async def test_figures_are_restated_and_contested(tracker: Tracker) -> None:
    output = "rare_earths/CN/production/mine/2023"

    async def preferred(day: str) -> str:
        return next(str(c["value"]) for c in await tracker.claims(output, day) if c["preferred"])

    assert await preferred("2024-06-01") == "240000"
    assert await preferred("2025-06-01") == "255000"
    claims = {(c["publisher"], c["value"]): c for c in await tracker.claims(output, "2025-08-01")}
    assert {("usgs", "240000"), ("usgs", "255000"), ("sohu", "210000")} <= claims.keys()
    assert claims["sohu", "210000"]["source"]["publishedOn"] == "2025-07-07"
    assert claims["sohu", "210000"]["basis"] is None


async def test_a_member_joins_an_alliance(tracker: Tracker) -> None:
    document = """query ($day: Day) { asOf(validAt: $day) { alliance(id: "msp") {
                    members { place { code } since } } } }"""
    for day, expected in [("2023-06-01", False), ("2023-07-01", True)]:
        data = await tracker.ask(document, day=day)
        members = {m["place"]["code"] for m in data["asOf"]["alliance"]["members"]}
        assert ("IN" in members) is expected


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
        assert [reason["eventId"] for reason in measure["because"]][:2] == [
            f"cn-mofcom-2025-{number}",
            f"cn-mofcom-2025-70-{number}",
        ]

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


async def test_a_subscriber_that_was_killed_comes_back_and_misses_nothing(tracker: Tracker) -> None:
    services = tracker.services
    head = await services.recorder.head()
    seen: list[int] = []
    for _ in range(3):  # killed twice, each time after a few events
        events = services.follower.follow(after=seen[-1] if seen else head - 25)
        async for event in events:
            seen.append(event.position)
            if len(seen) % 9 == 0 or event.position == head:
                break
        await events.aclose()
    assert seen == list(range(head - 24, head + 1))


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
