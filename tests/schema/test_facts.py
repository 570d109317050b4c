"""The facts of a moment: by the day on which they became public, by edition, and the newest."""

from datetime import date
from typing import Any

import pytest

from projections.versions import fact_rows
from schema.services import Services
from tests.support.api import Api, claim, control, source, suspension
from tests.support.cases import each_case
from tracker.domain.entities.entity import effective_facts
from tracker.domain.figures.figure_facts import Claimed, edition_key
from tracker.log.entries import RecordedEvent

FACTS = """query ($day: Day, $at: Position, $days: DayRange, $types: [String!], $kind: EntityKind,
                $goods: [String!], $places: [String!], $entity: String, $by: String,
                $order: FactOrder! = PUBLIC_ON, $first: Int = 200, $after: String) {
  asOf(validAt: $day, position: $at) {
    facts(publicOn: $days, types: $types, kind: $kind, commodities: $goods, places: $places,
          entity: $entity, publisher: $by, orderBy: $order, first: $first, after: $after) {
      totalCount nodes { position publicOn summary correctionOf { position } } } } }"""


@pytest.fixture(params=[2, 10_000], ids=("in blocks", "in one block"))
async def api(
    services: Services, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Api:
    """Run the API with a control, its suspension, and claims of two editions, recorded out of order,
    and small blocks of sums."""
    monkeypatch.setattr(fact_rows, "BLOCK_POSITIONS", request.param)
    api = Api(services)
    await api.do("announceExportControl", control())
    await api.do("suspendExportControl", suspension("x", "1"))
    await api.do("recordFigure", claim("240000"))
    await api.do("recordFigure", claim("255000", edition="MCS 2025", published_on="2025-01-31"))
    await api.do("recordFigure", claim("43000", place="US"))
    return api


async def positions(api: Api, day: str = "2026-01-01", **asked: Any) -> list[int]:
    """Return the positions of the facts of a list, and check its total."""
    found = (await api.ask(FACTS, day=day, **asked))["asOf"]["facts"]
    assert found["totalCount"] == len(found["nodes"])
    return [int(node["position"]) for node in found["nodes"]]


async def test_facts_come_in_the_order_of_the_days_on_which_they_became_public(api: Api) -> None:
    assert await positions(api) == [3, 5, 1, 4, 2]
    assert await positions(api, order="PUBLIC_ON_DESC") == [2, 4, 1, 5, 3]


async def test_a_day_has_no_facts_of_later_days_and_a_position_no_later_ones(api: Api) -> None:
    assert await positions(api, "2025-11-08") == [3, 5, 1, 4]
    assert await positions(api, "2024-12-03", at="3") == [3, 1]
    assert await positions(api, "2020-01-01") == []


async def test_facts_are_narrowed(api: Api) -> None:
    for asked, expected in (
        ({"days": {"from": "2024-12-03", "to": "2025-01-31"}}, [1, 4]),
        ({"days": {"to": "2024-01-31"}}, [3, 5]),
        ({"types": ["ExportControl.Suspended", "Figure.Claimed"]}, [3, 5, 4, 2]),
        ({"kind": "EXPORT_CONTROL"}, [1, 2]),
        ({"kind": "FIGURE", "types": ["ExportControl.Suspended"]}, []),
        ({"goods": ["gallium"]}, [1, 2]),
        ({"goods": ["rare_earths"], "places": ["US"]}, [5]),
        ({"places": ["CN"]}, [3, 1, 4, 2]),
        ({"entity": "export-control/x"}, [1, 2]),
        ({"by": "usgs"}, [3, 5, 4]),
        ({"by": "nobody"}, []),
    ):
        assert await positions(api, **asked) == expected, asked


async def test_retracted_facts_do_not_count_from_then_on(api: Api) -> None:
    events = await api.services.recorder.read()
    taken = {"eventId": events[1].event_id, "reason": "misread", "source": source()}
    await api.do("retractEvent", taken)
    assert await positions(api) == [3, 5, 1, 4]
    assert await positions(api, at="5") == [3, 5, 1, 4, 2]
    back = (await api.services.recorder.read(5))[0].event_id
    await api.do("retractEvent", {**taken, "eventId": back})
    assert await positions(api) == [3, 5, 1, 4, 2]
    assert await positions(api, at="6") == [3, 5, 1, 4]


async def test_the_first_and_the_last_day_of_the_calendar_are_days(services: Services) -> None:
    api = Api(services)
    for key, day in (("a", "9999-12-31"), ("b", "0001-01-01"), ("c", "2024-01-01")):
        await api.do("announceExportControl", control(key, on=day, source=source()))
    assert await positions(api, "9999-12-31") == [2, 3, 1]
    assert await positions(api, "0001-01-01") == [2]
    found, cursor = [], None
    for _ in range(3):
        asked = {"day": "9999-12-31", "first": 1, "after": cursor}
        data = await api.ask(FACTS.replace("totalCount", "pageInfo { endCursor }"), **asked)
        page = data["asOf"]["facts"]
        found += [node["position"] for node in page["nodes"]]
        cursor = page["pageInfo"]["endCursor"]
    assert found == ["2", "3", "1"]
    assert await horizons(api) == [("EXPORT_CONTROL", 3, "9999-12-31", "1")]


@each_case(
    ("asked", "code", "path"),
    [
        (
            {"days": {"from": "2025-01-02", "to": "2025-01-01"}},
            "END_BEFORE_START",
            ["publicOn", "to"],
        ),
        ({"types": ["Nothing"]}, "UNKNOWN_TYPE", ["types", 0]),
        ({"goods": ["unobtainium"]}, "UNKNOWN_COMMODITY", ["commodities", 0]),
        ({"entity": "nothing/x"}, "INVALID_INPUT", ["entity"]),
        ({"by": "USGS!"}, "INVALID_INPUT", ["publisher"]),
        ({"first": 201}, "INVALID_PAGE_SIZE", ["first"]),
        ({"after": "WyJmYWN0cyIsIngiLDFd"}, "INVALID_CURSOR", ["after"]),
        ({"after": "WyJmYWN0cyIsIjIwMjUtMDEtMDEiLC0xXQ"}, "INVALID_CURSOR", ["after"]),
        ({"after": "%"}, "INVALID_CURSOR", ["after"]),
    ],
)
async def test_bad_input_is_refused(
    services: Services, asked: dict[str, Any], code: str, path: list[str | int]
) -> None:
    assert await Api(services).refused(FACTS, **asked) == (code, path)


async def test_the_list_of_the_corpus_is_that_of_its_log(read_services: Services) -> None:
    recorder = read_services.recorder
    events = [event async for event in recorder.read_all(await recorder.head())]
    standing = by_day(events)
    until, since = date(2025, 12, 31), date(2025, 10, 1)
    expected = [
        event.position
        for event in standing
        if since <= event.fact.public_on <= until and event.type.startswith("ExportControl.")
    ]
    found = await positions(
        Api(read_services), str(until), days={"from": str(since)}, kind="EXPORT_CONTROL"
    )
    assert found == expected
    assert len(expected) > 30


def by_day(events: list[RecordedEvent]) -> list[RecordedEvent]:
    """Return the events that are not retracted, in day order."""
    streams: dict[str, list[RecordedEvent]] = {}
    for event in events:
        streams.setdefault(event.stream, []).append(event)
    known = [fact for of in streams.values() for fact in effective_facts(e.known for e in of)]
    positions = {fact.position for fact in known}
    standing = [event for event in events if event.position in positions]
    return sorted(standing, key=lambda event: (event.fact.public_on, event.position))


# --- editions

EDITIONS = """query ($day: Day, $at: Position, $by: String, $of: String, $first: Int = 50) {
  asOf(validAt: $day, position: $at) { editions(publisher: $by, commodity: $of, first: $first) {
    totalCount nodes { publisher publisherName edition editionVersion publishedOn lastPublishedOn
      claims places commodities { key } statistics firstYear lastYear firstPosition
      lastPosition } } } }"""


async def editions(api: Api, day: str = "2026-01-01", **asked: Any) -> list[dict[str, Any]]:
    """Return the editions of a day."""
    found = (await api.ask(EDITIONS, day=day, **asked))["asOf"]["editions"]
    assert found["totalCount"] == len(found["nodes"])
    nodes: list[dict[str, Any]] = found["nodes"]
    return nodes


async def test_an_edition_says_what_it_holds(api: Api) -> None:
    first, second = await editions(api)
    assert first == {
        "publisher": "usgs",
        "publisherName": "US Geological Survey",
        "edition": "MCS 2024",
        "editionVersion": None,
        "publishedOn": "2024-01-31",
        "lastPublishedOn": "2024-01-31",
        "claims": 2,
        "places": 2,
        "commodities": [{"key": "rare_earths"}],
        "statistics": ["PRODUCTION"],
        "firstYear": 2023,
        "lastYear": 2023,
        "firstPosition": "3",
        "lastPosition": "5",
    }
    assert (second["edition"], second["claims"], second["firstPosition"]) == ("MCS 2025", 1, "4")


async def test_an_edition_is_there_from_its_day_and_without_what_is_retracted(api: Api) -> None:
    assert [e["edition"] for e in await editions(api, "2024-06-01")] == ["MCS 2024"]
    assert [e["claims"] for e in await editions(api, at="4")] == [1, 1]
    assert [e["claims"] for e in await editions(api, of="rare_earths")] == [2, 1]
    assert await editions(api, of="gallium") == []
    assert await editions(api, by="bgs") == []
    event = (await api.services.recorder.read(3))[0]
    taken = {"eventId": event.event_id, "reason": "misread", "source": source()}
    await api.do("retractEvent", taken)
    assert [e["edition"] for e in await editions(api)] == ["MCS 2024"]
    assert [e["claims"] for e in await editions(api, at="5")] == [2, 1]
    await api.do(
        "retractEvent", taken | {"eventId": (await api.services.recorder.read(5))[0].event_id}
    )
    assert [e["claims"] for e in await editions(api)] == [2, 1]
    await api.do("recordFigure", claim("250000", place="AU"))
    assert [(e["claims"], e["places"], e["lastPosition"]) for e in await editions(api)] == [
        (3, 3, "8"),
        (1, 1, "4"),
    ]


async def test_the_editions_of_the_corpus_are_those_of_its_log(read_services: Services) -> None:
    api = Api(read_services)
    events = [event async for event in read_services.recorder.read_all(10_129)]
    for position, day in ((10_129, "2026-06-01"), (10_000, "2025-01-31"), (9_999, "2024-06-01")):
        claims: dict[tuple[str, str, str | None], list[tuple[Claimed, int]]] = {}
        for event in by_day(events[:position]):
            if isinstance(event.fact, Claimed) and event.fact.public_on.isoformat() <= day:
                own = claims.setdefault(edition_key(event.fact), [])
                own.append((event.fact, event.position))
        found = {
            (of["publisher"], of["edition"], of["editionVersion"]): (
                of["claims"],
                of["places"],
                {one["key"] for one in of["commodities"]},
                (of["firstYear"], of["lastYear"]),
                (int(of["firstPosition"]), int(of["lastPosition"])),
            )
            for of in await editions(api, day, at=str(position), first=200)
        }
        assert found == {key: held(own) for key, own in claims.items()}


def held(claims: list[tuple[Claimed, int]]) -> tuple[Any, ...]:
    """Return the contents of an edition."""
    of, at = [fact.series for fact, _ in claims], [position for _, position in claims]
    years = [one.period for one in of if one.period]
    return (
        len(claims),
        len({one.place for one in of}),
        {one.commodity for one in of},
        (min(years, default=None), max(years, default=None)),
        (min(at), max(at)),
    )


# --- up to when facts are known

HORIZONS = """query ($at: Position, $by: [HorizonGroup!], $kind: EntityKind, $issuer: String,
                   $publisher: String) {
  asOf(position: $at) { horizons(groupBy: $by, kind: $kind, issuer: $issuer, publisher: $publisher,
                                 first: 200) {
    totalCount nodes { kind issuer publisher facts newestFactOn newestPublishedOn newestPosition } } } }"""


async def horizons(api: Api, **asked: Any) -> list[tuple[Any, ...]]:
    """Return the groups with their numbers of facts, and the newest day and position."""
    found = (await api.ask(HORIZONS, **asked))["asOf"]["horizons"]
    assert found["totalCount"] == len(found["nodes"])
    names = ("kind", "issuer", "publisher", "facts", "newestFactOn", "newestPosition")
    return [tuple(n[name] for name in names if n[name] is not None) for n in found["nodes"]]


async def test_up_to_when_facts_are_known_by_kind_issuer_and_publisher(api: Api) -> None:
    assert await horizons(api) == [
        ("EXPORT_CONTROL", 2, "2025-11-09", "2"),
        ("FIGURE", 3, "2025-01-31", "4"),
    ]
    assert await horizons(api, by=["PUBLISHER"]) == [
        ("mofcom", 2, "2025-11-09", "2"),
        ("usgs", 3, "2025-01-31", "4"),
    ]
    assert await horizons(api, by=["ISSUER", "KIND"]) == [
        ("EXPORT_CONTROL", "CN", 2, "2025-11-09", "2")
    ]
    assert await horizons(api, by=[]) == [(5, "2025-11-09", "2")]
    assert await horizons(api, by=[], issuer="US") == []
    assert await horizons(api, by=[], publisher="usgs", at="3") == [(1, "2024-01-31", "3")]
    assert await horizons(api, kind="FIGURE", by=["KIND"]) == [("FIGURE", 3, "2025-01-31", "4")]


async def test_the_newest_facts_of_the_corpus_are_those_of_its_log(read_services: Services) -> None:
    events = [event async for event in read_services.recorder.read_all(10_129)]
    for position in (10_129, 10_000, 9_999, 5_000):
        newest: dict[str, tuple[Any, ...]] = {}
        for event in by_day(events[:position]):
            kind = event.stream.partition("/")[0].replace("-", "_").upper()
            number = newest.get(kind, (kind, 0))[1] + 1
            day = event.fact.public_on.isoformat()
            newest[kind] = kind, number, day, str(event.position)
        for kind in ("IMPORT", "TARIFF_EDITION", "TARIFF_LINE"):
            newest.pop(kind, None)
        found = await horizons(Api(read_services), at=str(position))
        assert {of[0]: of for of in found} == newest


async def test_the_horizon_of_each_issuer_of_the_corpus_is_among_its_facts(
    read_services: Services,
) -> None:
    api = Api(read_services)
    data = await api.ask("{ asOf { horizon { issuer newestFactOn } } }")
    expected = {one["issuer"]: one["newestFactOn"] for one in data["asOf"]["horizon"]}
    found = await horizons(api, by=["ISSUER"])
    newest = {issuer: day for issuer, _, day, _ in found}
    assert all(newest[issuer] >= day for issuer, day in expected.items())
    assert any(newest[issuer] > day for issuer, day in expected.items())
    assert len(expected) > 40
    kinds = {kind: facts for kind, facts, *_ in await horizons(api)}
    assert kinds["FIGURE"] > 9000
