"""Announcements by several actors, by subject, topic and firm; and the list of disputes."""

from typing import Any

import pytest

from tests.support.api import Api, clause, control, source
from tests.support.cases import each_case


def made(id: str, **more: Any) -> dict[str, Any]:
    """Return an announcement of 1 July 2025."""
    return {
        "id": id,
        "on": "2025-07-01",
        "kind": "STATEMENT",
        "title": id,
        "actors": ["US"],
        "source": source(),
        **more,
    }


@pytest.fixture
async def announced(api: Api) -> Api:
    """Run the API with three announcements."""
    quad = {"id": "quad", "on": "2021-01-01", "name": "Quad", "members": ["US"], "source": source()}
    await api.do("foundAlliance", quad)
    for given in (
        made("a", actors=["US", "JP", "quad"], about=["alliance/quad"], topic="Price floor"),
        made("b", actors=["JP", "US"], about=["alliance/msp"], firms=["MP Materials"]),
        made("c", topic="price  FLOOR", firms=["mp materials", "Lynas"]),
    ):
        await api.do("recordAnnouncement", given)
    return api


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ('actors: ["US", "JP"]', ["a", "b"]),
        ('actors: ["JP", "quad"]', ["a"]),
        ("actors: []", ["a", "b", "c"]),
        ('about: "alliance/quad"', ["a"]),
        ('about: "alliance/nowhere"', []),
        ('topic: "price floor"', ["a", "c"]),
        ('firm: "MP MATERIALS"', ["b", "c"]),
        ('firm: "MP MATERIALS" actors: ["JP"]', ["b"]),
        ('topic: "price floor" actor: "JP"', ["a"]),
        ('topic: "price floor" orderBy: KEY_DESC', ["c", "a"]),
    ],
)
async def test_announcements_are_found_by_all_that_is_asked(
    announced: Api, arguments: str, found: list[str]
) -> None:
    assert await announced.keys("announcements", arguments, "2026-01-01") == found
    assert await announced.keys("announcements", arguments, "2025-01-01") == []


async def test_pages_of_announcements_about_something_go_on_after_their_cursor(corpus: Api) -> None:
    document = """query ($after: String) { asOf(validAt: "2026-11-26") {
        announcements(topic: "trade", orderBy: DATE_DESC, first: 3, after: $after) {
          totalCount pageInfo { hasNextPage endCursor } nodes { key topic date } } } }"""
    found = await corpus.nodes(document)
    assert {one["topic"] for one in found} == {"trade"}
    assert len({one["key"] for one in found}) == len(found) > 5
    dates = [one["date"] for one in found]
    assert dates == sorted(dates, reverse=True)


@each_case(
    ("arguments", "code", "path"),
    [
        ('actors: ["US", "XX"]', "UNKNOWN_PLACE", ["actors", 1]),
        ('about: "quad"', "INVALID_ID", ["about"]),
        ("actors: [" + '"US" ' * 21 + "]", "TOO_LARGE", ["actors"]),
    ],
)
async def test_bad_filters_are_refused(
    api: Api, arguments: str, code: str, path: list[str | int]
) -> None:
    document = f"{{ asOf {{ announcements({arguments}) {{ totalCount }} }} }}"
    assert await api.refused(document) == (code, path)


DISPUTES = """{ asOf(validAt: "2026-11-26") { disputes(ARGUMENTS first: 200) { totalCount nodes {
  exportControl { key } dispute { account position source { publisher publishedOn } } } } } }"""


async def disputes(api: Api, arguments: str) -> list[dict[str, Any]]:
    """Return the disputes, and check that they are complete."""
    found = (await api.ask(DISPUTES.replace("ARGUMENTS", arguments)))["asOf"]["disputes"]
    assert found["totalCount"] == len(found["nodes"])
    return list(found["nodes"])


async def test_disputes_are_those_of_the_controls_each_once(corpus: Api) -> None:
    listed = await disputes(corpus, "")
    document = """query ($after: String) { asOf(validAt: "2026-11-26") {
        exportControls(first: 100, after: $after) { pageInfo { hasNextPage endCursor }
          nodes { key disputes { account } } } } }"""
    expected = [
        (node["key"], one["account"])
        for node in await corpus.nodes(document)
        for one in node["disputes"]
    ]
    assert [(one["exportControl"]["key"], one["dispute"]["account"]) for one in listed] == expected
    assert len(expected) > 5
    newest = await disputes(corpus, "orderBy: PUBLISHED_ON_DESC")
    days = [one["dispute"]["source"]["publishedOn"] for one in newest]
    assert sorted(map(str, newest)) == sorted(map(str, listed))
    assert days == sorted(days, reverse=True)


async def test_only_disputed_controls_are_read_for_disputes(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    lists, read = api.services.as_of.lists, list[str]()
    page = lists.page

    async def counted(*arguments: Any, **options: Any) -> Any:
        states = await page(*arguments, **options)
        read.extend(state.id for _, state in states)
        return states

    monkeypatch.setattr(lists, "page", counted)
    accounts = {"few": 1, "many": 30, "quoted": 0, "none": 0}
    for id, count in accounts.items():
        title = 'a "disputes":["account"] in a title' if id == "quoted" else id
        await api.do("announceExportControl", control(id, clause("1")) | {"title": title})
        for number in range(count):
            other = {"id": id, "on": "2025-01-01", "account": f"{number}", "source": source()}
            await api.do("disputeExportControl", other)
    read.clear()
    listed = await disputes(api, "")
    assert read == ["few", "many"]
    assert [one["exportControl"]["key"] for one in listed] == ["few"] + ["many"] * 30


async def test_a_dispute_is_found_by_the_goods_that_it_names_or_those_of_its_control(
    api: Api,
) -> None:
    both = clause(commodities=["gallium", "graphite"])
    await api.do("announceExportControl", control("x", both))
    said = {"id": "x", "on": "2025-05-01", "source": source("usgs", "2025-05-01")}
    await api.do("disputeExportControl", {**said, "account": "all"})
    await api.do("disputeExportControl", {**said, "account": "one", "commodities": ["graphite"]})

    async def accounts(arguments: str) -> list[str]:
        return [one["dispute"]["account"] for one in await disputes(api, arguments)]

    assert await accounts('commodity: "graphite"') == ["all", "one"]
    assert await accounts('commodity: "gallium"') == ["all"]
    assert await accounts('hsCode: "250410"') == ["all", "one"]
    assert await accounts('commodity: "lithium"') == []
    assert await accounts('issuer: "US"') == []
    assert await accounts('issuer: "CN" publisher: "usgs"') == ["all", "one"]
    assert await accounts('publisher: "bgs"') == []
