"""Any page size, forwards and backwards, gives the same list as one big page: in every order, at
old positions."""

from typing import Any

import pytest

from projections.query.lists import KeyRange, slice_range
from schema.base.global_ids import encode_opaque
from schema.services import Services
from tests.support.api import Api, claim, control

LISTS = {
    "exportControls": ("ExportControlOrder", "key"),
    "alliances": ("AllianceOrder", "key"),
    "announcements": ("AnnouncementOrder", "key"),
    "figures": ("FigureOrder", "key"),
    "claims": ("ClaimOrder", "position"),
    "preferences": ("KeyOrder", "key"),
    "facts": ("FactOrder", "position"),
    "horizons": ("HorizonOrder", "kind issuer publisher"),
    "editions": ("EditionOrder", "publisher edition editionVersion"),
    "upcoming": ("TransitionOrder", "day entity clause member transition"),
}
"""Lists of a moment: their orders, and the identity of their items."""
AT_ROOT = {
    "imports": ("ImportOrder", "key", ""),
    "changes": (
        "ChangeOrder",
        "entity",
        'from: {validAt: "2025-10-01"}, to: {validAt: "2026-01-01", position: "5200"},',
    ),
    "events": ("EventOrder", "position", 'types: ["ExportControl.Announced", "Alliance.Founded"],'),
}
INFO = "pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"
SIZES = (2, 7, 60)
MOST, MOST_PAGES = 150, 15
"""Amount of a long list that small pages read, from each of its ends: items, and pages."""


@pytest.fixture
def corpus(corpus_services: Services) -> Api:
    """Run the API on the shipped corpus."""
    return Api(corpus_services)


def moment(name: str, items: str) -> str:
    """Return a query for a page of a moment's list."""
    kind, _ = LISTS[name]
    more = 'commodity: "rare_earths",' if name in ("figures", "claims") else ""
    more = "groupBy: [KIND, ISSUER, PUBLISHER]," if name == "horizons" else more
    more = "days: 5000," if name == "upcoming" else more
    day = "2026-09-01" if name == "upcoming" else "2025-10-20"  # few facts are public later
    return (
        f"query ($order: {kind}!, $at: Position, $first: Int, $after: String, $last: Int,"
        f' $before: String) {{ asOf(validAt: "{day}", position: $at) {{ {name}({more}'
        " orderBy: $order, first: $first, after: $after, last: $last, before: $before)"
        f" {{ totalCount edges {{ cursor node {{ {items} }} }} {INFO} }} }} }}"
    )


def at_root(name: str) -> str:
    """Return a query for a page of a root list."""
    kind, items, more = AT_ROOT[name]
    cursor = "Position" if name == "events" else "String"
    return (
        f"query ($order: {kind}!, $first: Int, $after: {cursor}, $last: Int,"
        f" $before: {cursor}) {{ {name}({more} orderBy: $order, first: $first, after: $after,"
        f" last: $last, before: $before) {{ totalCount edges {{ cursor node {{ {items} }} }}"
        f" {INFO} }} }}"
    )


async def page(api: Api, document: str, **asked: Any) -> dict[str, Any]:
    """Return the page of a document's list."""
    data = await api.ask(document, **asked)
    data = data.get("asOf", data)
    found: dict[str, Any] = next(iter(data.values()))
    return found


async def whole(api: Api, document: str, **asked: Any) -> list[dict[str, Any]]:
    """Return all edges of a list in the largest pages; forward pages have no gap."""
    edges, after = [], None
    while True:
        found = await page(api, document, first=200, after=after, **asked)
        edges += found["edges"]
        assert found["pageInfo"]["hasPreviousPage"] is (after is not None)
        if not found["pageInfo"]["hasNextPage"]:
            assert found["totalCount"] == len(edges)
            return edges
        after = found["pageInfo"]["endCursor"]


async def check(api: Api, document: str, **asked: Any) -> list[dict[str, Any]]:
    """Read a list in pages of all sizes and both ways; returns its nodes."""
    edges = await whole(api, document, **asked)
    nodes = [edge["node"] for edge in edges]
    assert len({str(node) for node in nodes}) == len(nodes)
    for size in SIZES:
        most = min(MOST, size * MOST_PAGES)
        assert await walked(api, document, size, len(edges), most, True, **asked) == edges[:most]
        assert await walked(api, document, size, len(edges), most, False, **asked) == edges[-most:]
    return nodes


async def walked(
    api: Api, document: str, size: int, total: int, most: int, forwards: bool, **asked: Any
) -> list[dict[str, Any]]:
    """Return the edges of small pages, from one end of a list."""
    edges: list[dict[str, Any]] = []
    cursor = None
    while True:
        bounds = {"first": size, "after": cursor} if forwards else {"last": size, "before": cursor}
        found = await page(api, document, **bounds, **asked)
        info, got = found["pageInfo"], found["edges"]
        edges = [*edges, *got] if forwards else [*got, *edges]
        onward, back = ("Next", "Previous") if forwards else ("Previous", "Next")
        assert found["totalCount"] == total
        assert info[f"has{back}Page"] is (cursor is not None)
        assert info[f"has{onward}Page"] is (len(edges) < total)
        ends = (got[0]["cursor"], got[-1]["cursor"]) if got else (None, None)
        assert (info["startCursor"], info["endCursor"]) == ends
        if not info[f"has{onward}Page"] or len(edges) >= most:
            return edges[:most] if forwards else edges[-most:]
        cursor = ends[1] if forwards else ends[0]


async def orders(api: Api, name: str) -> list[str]:
    """Return the names of an enum's orders."""
    data = await api.ask(
        "query ($name: String!) { __type(name: $name) { enumValues { name } } }", name=name
    )
    return [value["name"] for value in data["__type"]["enumValues"]]


@pytest.mark.parametrize("name", LISTS)
async def test_pages_of_any_size_are_the_list_both_ways_in_every_order_at_an_old_position(
    corpus: Api, name: str
) -> None:
    kind, items = LISTS[name]
    head = (await corpus.ask("{ head }"))["head"]
    old = str(int(head) - 40)
    await corpus.do("announceExportControl", control("later"))  # independent of older responses
    found = {}
    for order in await orders(corpus, kind):
        found[order] = await check(corpus, moment(name, items), order=order, at=old)
    for order, nodes in found.items():
        assert sorted(map(str, nodes)) == sorted(map(str, next(iter(found.values()))))
        if order.endswith("_DESC"):
            assert nodes == found[order.removesuffix("_DESC")][::-1]


@pytest.mark.parametrize("name", AT_ROOT)
async def test_so_are_those_of_the_lists_without_a_moment(corpus: Api, name: str) -> None:
    found = {}
    for order in await orders(corpus, AT_ROOT[name][0]):
        found[order] = await check(corpus, at_root(name), order=order)
    for order, nodes in found.items():
        if order.endswith("_DESC"):
            assert nodes == found[order.removesuffix("_DESC")][::-1]


@pytest.mark.parametrize("most", [1, 10**9])
async def test_so_are_those_of_a_history_also_where_a_page_has_room_for_one_state(
    corpus: Api, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    document = (
        "query ($first: Int, $after: String, $last: Int, $before: String) {"
        ' history(entity: "export-control/cn-mofcom-2024-46", first: $first, after: $after,'
        " last: $last, before: $before) { totalCount edges { cursor node { knownFrom"
        f" validFrom state {{ __typename }} }} }} {INFO} }} }}"
    )
    expected = [edge["node"] for edge in (await page(corpus, document, first=200))["edges"]]
    assert len(expected) > 3
    monkeypatch.setattr("projections.query.histories.MAX_PAGE_STATE_BYTES", most)
    assert await check(corpus, document) == expected


async def test_a_cursor_may_name_a_position_that_no_log_will_ever_have(corpus: Api) -> None:
    cursor = encode_opaque("figure/rare_earths/CN/production/mine/2023#" + "9" * 30)
    data = await corpus.ask(moment("claims", "publisher"), order="FIGURE", after=cursor, first=1)
    assert data["asOf"]["claims"]["pageInfo"]["hasPreviousPage"]


@pytest.mark.parametrize("cursor", ["alliance/quad", "1", "x#2025-01-01", "1#2025-13-01", "1#"])
async def test_a_history_takes_its_own_cursors_only(corpus: Api, cursor: str) -> None:
    asked = f'history(entity: "alliance/quad", before: "{encode_opaque(cursor)}") {{ totalCount }}'
    assert await corpus.refused(f"{{ {asked} }}") == ("INVALID_CURSOR", ["before"])


async def test_lists_are_in_the_order_that_is_asked_for(corpus: Api) -> None:
    async def values(name: str, order: str, item: str) -> list[Any]:
        edges = await whole(corpus, moment(name, item), order=order)
        return [next(iter(edge["node"].values())) for edge in edges]

    dates = await values("announcements", "DATE_DESC", "date")
    assert [d[:4] for d in dates] == sorted((d[:4] for d in dates), reverse=True)
    titles = [title.casefold() for title in await values("exportControls", "TITLE", "title")]
    assert [t[:2] for t in titles] == sorted(t[:2] for t in titles)
    assert (await values("exportControls", "KEY", "key")) == sorted(
        await values("exportControls", "TITLE", "key")
    )
    published = await values("claims", "PUBLISHED_ON", "publishedOn")
    assert published == sorted(published)


async def test_two_cursors_bound_a_page_and_an_empty_one_says_where_it_lies(
    services: Services,
) -> None:
    api = Api(services)
    for id in "abcdef":
        await api.do("announceExportControl", control(id))
    document = moment("exportControls", "key")
    edges = await whole(api, document, order="KEY")
    second, fifth = edges[1]["cursor"], edges[4]["cursor"]

    async def keys(**asked: Any) -> tuple[str, bool, bool]:
        found = await page(api, document, order="KEY", **asked)
        info = found["pageInfo"]
        return (
            "".join(edge["node"]["key"] for edge in found["edges"]),
            info["hasPreviousPage"],
            info["hasNextPage"],
        )

    assert await keys(after=second, before=fifth) == ("cd", True, True)
    assert await keys(after=second, before=fifth, first=1) == ("c", True, True)
    assert await keys(after=second, before=fifth, last=1) == ("d", True, True)
    assert await keys(after=fifth, before=second) == ("", True, True)
    assert await keys(first=0) == ("", False, True)
    assert await keys(last=0) == ("", True, False)
    assert await keys(after=edges[5]["cursor"]) == ("", True, False)
    assert await keys(before=edges[0]["cursor"]) == ("", False, True)


async def test_a_cursor_goes_on_when_its_item_has_changed_or_is_gone(services: Services) -> None:
    api = Api(services)
    made = {}
    for id, title in (("a", "Three"), ("b", "Two"), ("c", "Four"), ("d", "One")):
        made[id] = await api.do("announceExportControl", control(id, title=title))
    document = moment("exportControls", "key")
    edges = await whole(api, document, order="TITLE")
    assert [edge["node"]["key"] for edge in edges] == ["c", "d", "a", "b"]
    await api.do(
        "retractEvent",
        {"eventId": made["d"]["eventId"], "reason": "a test", "source": claim()["source"]},
    )
    found = await page(api, document, order="TITLE", first=1, after=edges[1]["cursor"])
    assert [edge["node"]["key"] for edge in found["edges"]] == ["a"]
    assert found["pageInfo"]["hasPreviousPage"] is True


async def test_a_cursor_of_another_list_or_order_is_refused_with_what_was_expected(
    corpus: Api,
) -> None:
    by_title = (await whole(corpus, moment("exportControls", "key"), order="TITLE"))[0]["cursor"]
    by_key = (await whole(corpus, moment("exportControls", "key"), order="KEY"))[0]["cursor"]
    asked = moment("exportControls", "key")
    for order, cursor, said in (
        ("KEY", by_title, "ordered by TITLE"),
        ("ANNOUNCED_ON", by_title, "ordered by TITLE"),
        ("TITLE_DESC", by_key, "ordered by key"),
    ):
        for name in ("after", "before"):
            [error] = (await corpus.post(asked, order=order, **{name: cursor}))["errors"]
            assert error["extensions"] == {"code": "INVALID_CURSOR", "path": [name]}
            assert said in error["message"]
    assert await corpus.refused(moment("announcements", "key"), order="TITLE", after=by_title) == (
        "INVALID_CURSOR",
        ["after"],
    )
    assert (await page(corpus, asked, order="TITLE_DESC", after=by_title))["edges"] == []


@pytest.mark.parametrize(
    "text",
    [
        "[",
        "[1,2]",
        '["TITLE"]',
        '["TITLE","a\\u0000","export-control/x"]',
        '["TITLE","\\ud800","x"]',
        '["TITLE","a","alliance/x"]',
        '["TITLE","a","export-control/x","y"]',
        "export-control/",
        "#",
        '["TITLE","a","export-control/x#5"]',
        '["TITLE","a","export-control/x#y"]',
    ],
)
async def test_forged_cursors_are_refused(corpus: Api, text: str) -> None:
    for order in ("KEY", "TITLE"):
        assert await corpus.refused(
            moment("exportControls", "key"), order=order, before=encode_opaque(text)
        ) == ("INVALID_CURSOR", ["before"])


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        ({"first": 1, "last": 1}, "last"),
        ({"last": 201}, "last"),
        ({"last": -1}, "last"),
        ({"first": 201}, "first"),
    ],
)
async def test_pages_that_make_no_sense_are_refused(
    corpus: Api, asked: dict[str, int], path: str
) -> None:
    assert await corpus.refused(moment("figures", "key"), order="KEY", **asked) == (
        "INVALID_PAGE_SIZE",
        [path],
    )


@pytest.mark.parametrize("from_end", [False, True])
def test_a_span_of_a_list_that_has_no_more_is_all_of_it(from_end: bool) -> None:
    found = [(("a",), 1), (("b",), 2)]
    for limit in (2, 3, 9):
        assert slice_range(found, KeyRange(limit=limit, from_end=from_end)) == found
    assert slice_range(found, KeyRange(limit=1, from_end=from_end)) == [
        found[-1 if from_end else 0]
    ]
