"""The query `events` by subject: equal to `/events` and the subscription."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from schema.inputs.arguments import parse_selection
from schema.services import Services
from tests.projections.test_projections import events
from tests.schema.test_paging import MOST, page, walked
from tests.support.api import Api
from tests.support.cases import each_case
from tests.support.log_events import append_all
from tests.support.query_plans import ExplainingPool, nodes
from tracker.log.recorder import Recorder
from tracker.log.selection import Selection, filter_each, read_selected, streams_selected
from tracker.postgres.database import Connection, Target, connect, create_pool

ABOUT: dict[str, dict[str, Any]] = {
    "a group of commodities": {"commodities": ["rare_earths"]},
    "one of two": {"commodities": ["gallium", "cobalt"]},
    "a place": {"places": ["CN"]},
    "a member, from its joining on": {"places": ["IN"]},
    "an alliance that acts": {"places": ["quad"]},
    "both": {"commodities": ["rare_earths", "gallium"], "places": ["CN", "US"]},
    "of types": {"places": ["US"], "types": ["Alliance.MemberJoined", "ExportControl.Suspended"]},
    "of no type of figures": {"commodities": ["gallium"], "types": ["ExportControl.Announced"]},
    "nothing": {"commodities": []},
    "an entity": {"commodities": ["gallium"], "entity": "export-control/cn-mofcom-2024-46"},
    "another's entity": {"commodities": ["lithium"], "entity": "export-control/cn-mofcom-2024-46"},
}
DOCUMENT = """query ($order: EventOrder!, $first: Int, $after: Position, $last: Int,
                     $before: Position, $types: [String!], $commodities: [String!],
                     $places: [String!], $entity: String, $recorded: TimeRange) {
    events(orderBy: $order, first: $first, after: $after, last: $last, before: $before,
           types: $types, commodities: $commodities, places: $places, entity: $entity,
           recorded: $recorded) {
        totalCount edges { cursor node { position } }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""


async def sent(recorder: Recorder, wanted: Selection) -> list[str]:
    """Return the positions of the events in `/events`."""
    pages = read_selected(recorder, 0, await recorder.head(), wanted)
    return [str(event.position) async for page in pages for event in page]


def chosen(about: dict[str, Any]) -> Selection:
    """Return a filter in the form of the stream's parameters."""
    return parse_selection(
        about.get("types"), about.get("commodities"), about.get("places"), about.get("entity")
    )


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def sent_about(read_services: Services) -> list[list[str]]:
    """Return the events that the stream sends of each; one reading of the log selects most."""
    recorder, selections = read_services.recorder, [chosen(about) for about in ABOUT.values()]
    found: list[list[str]] = [[] for _ in selections]
    async for log_page in read_selected(recorder, 0, await recorder.head(), Selection()):
        selected = filter_each(recorder, log_page, selections)
        for positions in found:
            positions += [str(event.position) for event in await anext(selected)]
    for number, selection in enumerate(selections):
        if selection.entity is not None:
            found[number] = await sent(recorder, selection)
    return found


@each_case(("number", "about"), enumerate(ABOUT.values()), ids=ABOUT)
async def test_pages_both_ways_are_what_the_stream_sends(
    read_services: Services, sent_about: list[list[str]], number: int, about: dict[str, Any]
) -> None:
    api, asked = Api(read_services), {"order": "POSITION", **about}
    every, size, most = sent_about[number], 7, 14
    there = await walked(api, DOCUMENT, size, len(every), most, True, **asked)
    assert [edge["cursor"] for edge in there] == every[:most]
    back = await walked(api, DOCUMENT, size, len(every), most, False, **asked)
    assert [edge["cursor"] for edge in back] == every[-most:]
    asked["order"] = "POSITION_DESC"
    there = await walked(api, DOCUMENT, MOST, len(every), MOST, True, **asked)
    assert [edge["cursor"] for edge in there] == every[::-1][:MOST]


async def test_any_history_has_the_same_events_in_both(services: Services) -> None:
    await append_all(services.recorder, events(6, length=400))
    api, found = Api(services), set[int]()
    for goods in (None, ["gallium"], ["rare_earths"], ["lithium", "gallium"]):
        for around in (None, ["US"], ["CN"], ["forge"], ["IN", "AU"]):
            about = {"commodities": goods, "places": around}
            every = await sent(services.recorder, chosen(about))
            got = await page(api, DOCUMENT, order="POSITION", first=200, **about)
            assert got["totalCount"] == len(every)
            assert [edge["cursor"] for edge in got["edges"]] == every[:200], about
            found.add(len(every))
    assert len(found) > 5


async def test_a_time_narrows_them_too(services: Services) -> None:
    api, about = Api(services), {"places": ["US", "CN"]}
    for event in events(6):
        await services.recorder.append([event])
    pages = read_selected(services.recorder, 0, await services.recorder.head(), chosen(about))
    every = [event async for found in pages for event in found]
    middle = every[len(every) // 2]
    got = await page(
        api,
        DOCUMENT,
        order="POSITION",
        first=200,
        **about,
        recorded={"to": middle.recorded_at.isoformat()},
    )
    assert [edge["cursor"] for edge in got["edges"]] == [
        str(event.position) for event in every if event.position <= middle.position
    ]
    assert 0 < got["totalCount"] < len(every)


@each_case(
    ("argument", "code", "path"),
    [
        ('commodities: ["gallium", "galium"]', "UNKNOWN_COMMODITY", ["commodities", 1]),
        ('places: ["Narnia"]', "UNKNOWN_PLACE", ["places", 0]),
        ('types: ["Nothing.Happened"]', "UNKNOWN_TYPE", ["types", 0]),
    ],
)
async def test_words_that_there_are_not_are_refused_as_in_the_subscription(
    api: Api, argument: str, code: str, path: list[str | int]
) -> None:
    assert await api.refused(f"{{ events({argument}) {{ totalCount }} }}") == (code, path)


@pytest.fixture
async def connection(corpus_target: Target) -> AsyncIterator[Connection]:
    """Open a connection to a database with the shipped corpus."""
    connection = await connect(corpus_target)
    yield connection
    await connection.close()


GROW = """
INSERT INTO log.events
SELECT (SELECT max(position) FROM log.events) + n, 'grown-' || n,
       'figure/lithium/AU/production/grown/' || n, 1, 'Figure.Claimed', now(), '{}'
FROM generate_series(1, 60000) AS n
"""


async def test_a_page_reads_what_is_about_it_however_long_the_log_is(
    connection: Connection, corpus_target: Target
) -> None:
    looked_at, real = [], await create_pool(corpus_target, size=1)
    about = await streams_selected(
        Recorder(real), chosen({"commodities": ["gallium"], "places": ["CN"]}), 100_000
    )
    await real.close()
    for grow in (False, True):
        if grow:
            await connection.execute(GROW)
        await connection.execute("VACUUM ANALYZE log.events")
        pool: Any = ExplainingPool(connection)
        recorder = Recorder(pool)
        wanted = chosen({"commodities": ["gallium"], "places": ["CN"]})
        await streams_selected(recorder, wanted, 100_000)
        for from_end in (False, True):
            await recorder.page(0, 100_000, limit=20, about=about, from_end=from_end)
        await recorder.count(0, 100_000, about=about)
        for plan in pool.plans:
            assert all(node["Node Type"] != "Seq Scan" for node in nodes(plan)), plan
            assert {node["Index Name"] for node in nodes(plan) if "Index Name" in node} <= {
                "events_type",
                "events_stream_version_key",
            }
        looked_at.append(
            [plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] for plan in pool.plans]
        )
    before, after = looked_at
    # A deeper index costs a block or two more per lookup; 60,000 more events cost nothing else.
    assert all(new <= 3 * old for old, new in zip(before, after, strict=True)), looked_at
