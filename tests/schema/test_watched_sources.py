"""Watched sources: last polls and coverage, as recorded at any moment."""

from datetime import date
from typing import Any

import pytest

from projections.fold.replay import ReplayState
from projections.query.moment import Moment
from schema.services import Services
from tests.support.api import Api
from tests.support.watched_sources import (
    ONE,
    OTHER,
    fact_of_source,
    failed,
    fetched,
    looked,
    record,
    unchanged,
    watched,
)
from tracker.domain.evidence.watched_source_facts import Unwatched

SECOND, THIRD = "2026-11-02T00:00:00Z", "2026-11-02T12:00:00Z"


async def three_looks(services: Services) -> None:
    """Record a poll with news, one without, and a failed one: events 1 to 7."""
    await record(
        services,
        watched(covers="rules and notices"),
        *(fetched(mediaType="application/json"), looked(snapshots=1, coversUntil="2026-10-31")),
        *(unchanged(SECOND, look=2), looked(SECOND, look=2, coversUntil="2026-11-01")),
        *(failed(THIRD, look=3, status=503), looked(THIRD, look=3, complete=False)),
    )


async def asked(api: Api, fields: str, **moment: str) -> Any:
    """Return fields of the source at a moment."""
    at = "".join(f', {name}: "{value}"' for name, value in moment.items())
    data = await api.ask(
        f'{{ asOf(validAt: "2027-01-01"{at}) {{ watchedSource(id: "us-federal-register")'
        f" {{ {fields} }} }} }}"
    )
    return data["asOf"]["watchedSource"]


async def test_a_source_says_when_it_was_read_and_since_when_it_cannot_be(
    services: Services, api: Api
) -> None:
    await three_looks(services)
    found = await asked(
        api,
        """entity name publisher adapter address issuers { key } covers everyHours watchedSince lookCount
        lastLook lastEndedAt lastLookedAt nextLookExpectedAt coversUntil lastFetchedAt lastChangedAt
        failingSince lastFailure { look at code reason status address } warnings requestCount
        because { type }""",
    )
    assert found == {
        "entity": "source/us-federal-register",
        "name": "Federal Register",
        "publisher": "gvw",
        "adapter": "federal-register",
        "address": "https://www.federalregister.gov/api/v1/documents.json",
        "issuers": [{"key": "US"}],
        "covers": "rules and notices",
        "everyHours": 12,
        "watchedSince": "2026-11-01",
        "lookCount": 3,
        "lastLook": 3,
        "lastEndedAt": THIRD,
        "lastLookedAt": SECOND,
        "nextLookExpectedAt": THIRD,
        "coversUntil": "2026-11-01",
        "lastFetchedAt": SECOND,
        "lastChangedAt": "2026-11-01T12:00:00.000001Z",
        "failingSince": THIRD,
        "lastFailure": {
            "look": 3,
            "at": THIRD,
            "code": "TIMEOUT",
            "reason": "no answer in 30 seconds",
            "status": 503,
            "address": "https://www.federalregister.gov/api/v1/documents.json",
        },
        "warnings": [],
        "requestCount": 3,
        "because": [
            {"type": f"Source.{what}"} for what in ("Watched", "Looked", "Failed", "Looked")
        ],
    }


@pytest.mark.parametrize(
    ("position", "known"),
    [
        ("1", (0, None, None, 0, 0)),
        ("2", (0, None, None, 0, 1)),
        ("3", (1, "2026-10-31", None, 1, 1)),
        ("5", (2, "2026-11-01", None, 2, 2)),
        ("6", (2, "2026-11-01", None, 2, 3)),
        ("7", (3, "2026-11-01", THIRD, 3, 3)),
    ],
)
async def test_a_position_before_a_look_knows_nothing_of_it(
    services: Services, api: Api, position: str, known: tuple[Any, ...]
) -> None:
    await three_looks(services)
    found = await asked(
        api,
        "lookCount coversUntil failingSince looks { totalCount } fetches { totalCount }",
        position=position,
    )
    looks, fetches = found.pop("looks"), found.pop("fetches")
    assert (*found.values(), looks["totalCount"], fetches["totalCount"]) == known


async def test_looks_and_fetches_come_in_pages_the_newest_first(
    services: Services, api: Api
) -> None:
    await three_looks(services)
    found = await asked(
        api,
        """looks(first: 2) { nodes { look complete coversUntil position } pageInfo { hasNextPage endCursor } }
        more: looks(first: 2, after: "5") { nodes { look } pageInfo { hasNextPage hasPreviousPage } }
        oldest: looks(last: 2) { nodes { look } }
        first: looks(first: 2, orderBy: POSITION) { nodes { look } }""",
    )
    assert found["looks"]["nodes"] == [
        {"look": 3, "complete": False, "coversUntil": None, "position": "7"},
        {"look": 2, "complete": True, "coversUntil": "2026-11-01", "position": "5"},
    ]
    assert found["looks"]["pageInfo"] == {"hasNextPage": True, "endCursor": "5"}
    assert found["more"]["nodes"] == [{"look": 1}]
    assert found["more"]["pageInfo"] == {"hasNextPage": False, "hasPreviousPage": True}
    assert found["oldest"]["nodes"] == [{"look": 2}, {"look": 1}]
    assert found["first"]["nodes"] == [{"look": 1}, {"look": 2}]
    found = await asked(
        api,
        "fetches { nodes { look outcome status sha256 size mediaType code reason } }"
        " only: fetches(outcome: FAILED) { nodes { look } totalCount }",
    )
    assert [tuple(one.values()) for one in found["fetches"]["nodes"]] == [
        (3, "FAILED", 503, None, None, None, "TIMEOUT", "no answer in 30 seconds"),
        (2, "UNCHANGED", 304, ONE, None, None, None, None),
        (1, "FETCHED", 200, ONE, 12345, "application/json", None, None),
    ]
    assert found["only"] == {"nodes": [{"look": 3}], "totalCount": 1}
    code, path = await api.refused(
        '{ asOf { watchedSource(id: "us-federal-register") { looks(after: "soon") { totalCount } } } }'
    )
    assert (code, path) == ("INVALID_CURSOR", ["after"])


async def test_sources_are_found_by_issuer_words_and_how_they_stand(
    services: Services, api: Api
) -> None:
    await three_looks(services)
    await record(services, watched(name="Official Journal", issuers=["EU"]), key="eu-journal")
    gone = fact_of_source(Unwatched, "2026-11-03", reason="it was closed")
    await record(services, watched(name="An old list", issuers=["US"]), gone, key="us-old")

    async def keys(narrowed: str) -> list[str]:
        data = await api.ask(
            f'{{ asOf(validAt: "2027-01-01") {{ watchedSources{narrowed} {{ nodes {{ key }}'
            " totalCount } } }"
        )
        nodes = data["asOf"]["watchedSources"]["nodes"]
        assert data["asOf"]["watchedSources"]["totalCount"] == len(nodes)
        return [one["key"] for one in nodes]

    assert await keys("") == ["eu-journal", "us-federal-register", "us-old"]
    assert await keys("(orderBy: NAME)") == ["us-old", "us-federal-register", "eu-journal"]
    assert await keys('(issuer: "US")') == ["us-federal-register", "us-old"]
    assert await keys('(search: "journal")') == ["eu-journal"]
    assert await keys("(isFailing: true)") == ["us-federal-register"]
    assert await keys("(isWatched: true)") == ["eu-journal", "us-federal-register"]
    assert await keys('(isWatched: false, issuer: "US")') == ["us-old"]


async def test_a_search_finds_sources_by_what_they_are_called_and_list(
    services: Services, api: Api
) -> None:
    await three_looks(services)
    await record(services, watched(name="官报 Diario", covers="acts of mines"), key="es-boe")
    for text, key in (
        ("federal register", "us-federal-register"),
        ("boe", "es-boe"),
        ("diario", "es-boe"),
        ("mines", "es-boe"),
        ("united states diario", "es-boe"),
    ):
        data = await api.ask(
            "query ($text: String!) { asOf { search(text: $text) { nodes { entity kind title"
            " node { ... on WatchedSource { key } } matched { field } } } } }",
            text=text,
        )
        [found] = data["asOf"]["search"]["nodes"]
        assert (found["entity"], found["kind"]) == (f"source/{key}", "SOURCE")
        assert found["node"] == {"key": key}
        assert found["matched"]


async def test_looks_are_not_changes_unless_they_are_asked_for(
    services: Services, api: Api
) -> None:
    await three_looks(services)
    ask = (
        'query ($kind: EntityKind) { changes(from: {validAt: "2026-01-01"}, to: {validAt:'
        ' "2026-12-01"}, kind: $kind) { totalCount nodes { entity } } }'
    )
    assert (await api.ask(ask))["changes"]["totalCount"] == 0
    [one] = (await api.ask(ask, kind="SOURCE"))["changes"]["nodes"]
    assert one["entity"] == "source/us-federal-register"


async def test_its_events_are_reported_as_those_of_other_entities_are(
    services: Services, api: Api
) -> None:
    await three_looks(services)
    data = await api.ask(
        """{ events(types: ["Source.Failed"]) { nodes { entity summary source { publisher } } }
        found: events(search: "no answer in 30 seconds") { nodes { type } }
        watched: events(places: ["US"]) { totalCount }
        history(entity: "source/us-federal-register") { totalCount
          nodes { validFrom state { ... on WatchedSource { lookCount } } } }
        changes(from: {validAt: "2026-10-31"}, to: {validAt: "2027-01-01"}, kind: SOURCE) {
          nodes { entity kind change } } }"""
    )
    assert data["events"]["nodes"] == [
        {
            "entity": "source/us-federal-register",
            "summary": "Federal Register, poll 3: https://www.federalregister.gov/api/v1/documents.json"
            " could not be read (TIMEOUT, HTTP status 503): no answer in 30 seconds.",
            "source": {"publisher": "gvw"},
        }
    ]
    assert data["found"]["nodes"] == [{"type": "Source.Failed"}]
    assert data["watched"]["totalCount"] > 0
    states = [one["state"]["lookCount"] for one in data["history"]["nodes"]]
    assert states == [0, 1, 1, 2, 3]
    assert data["changes"]["nodes"] == [
        {"entity": "source/us-federal-register", "kind": "SOURCE", "change": "APPEARED"}
    ]


async def test_a_source_can_be_watched_again_on_the_day_on_which_it_was_not(
    services: Services, api: Api
) -> None:
    gone = fact_of_source(Unwatched, "2026-11-01", reason="it moved")
    await record(services, watched(), gone, watched(everyHours=6))
    assert await asked(api, "unwatchedOn everyHours") == {"unwatchedOn": None, "everyHours": 6}
    await record(services, gone)
    assert await asked(api, "unwatchedOn") == {"unwatchedOn": "2026-11-01"}


async def test_the_state_with_sources_in_it_is_that_of_a_replay(services: Services) -> None:
    await three_looks(services)
    position = await record(services, fetched(THIRD, look=4, sha256=OTHER))
    moment = Moment(date(2027, 1, 1), position)
    replayed = ReplayState()
    for event in await services.recorder.read(0, limit=100):
        replayed.add(event)
    expected = replayed.digest(moment.valid_at, moment.position)
    assert await services.as_of.digest(moment) == expected


async def test_the_table_has_a_row_for_each_source(services: Services, api: Api) -> None:
    await three_looks(services)
    for ending in ("json", "csv", "xlsx", "parquet"):
        response = await api.request("GET", f"/tables/sources.{ending}?valid=2027-01-01")
        assert response.status_code == 200, response.text[:300]
    [row] = (await api.request("GET", "/tables/sources.json?valid=2027-01-01")).json()["rows"]
    assert (row["key"], row["issuers"], row["lookCount"]) == ("us-federal-register", ["US"], 3)
    assert (row["lastLookedAt"], row["coversUntil"]) == (SECOND, "2026-11-01")
    assert row["lastFailureCode"] == "TIMEOUT"
