"""Feeds: new events as Atom and JSON Feed, with the page's filters, back to the first event."""

import asyncio
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import feedparser
import pytest

from schema.services import Access, Services
from tests.support.api import Api, source
from tests.support.libraries import jsonschema
from tests.support.web_server import serving

LISTS = (
    "/index",
    "/alliances",
    "/announcements",
    "/changes",
    "/commodities",
    "/controls",
    "/events",
    "/facts",
    "/figures",
    "/places",
    "/search",
)
ITEM = {
    "type": "object",
    "required": ["id", "url", "content_text"],
    "properties": {
        "id": {"type": "string", "pattern": "^urn:uuid:[0-9a-f-]{36}$"},
        "url": {"type": "string", "format": "uri"},
        "external_url": {"type": "string", "format": "uri"},
        "title": {"type": "string", "minLength": 1},
        "content_text": {"type": "string", "minLength": 1},
        "date_published": {"type": "string", "format": "date-time"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "_event": {"type": "object", "required": ["about", "position", "eventId"]},
    },
    "additionalProperties": False,
}
JSON_FEED = {
    "type": "object",
    "required": ["version", "title", "home_page_url", "feed_url", "items"],
    "properties": {
        "version": {"const": "https://jsonfeed.org/version/1.1"},
        "title": {"type": "string"},
        "home_page_url": {"type": "string", "format": "uri"},
        "feed_url": {"type": "string", "format": "uri"},
        "next_url": {"type": "string", "format": "uri"},
        "language": {"const": "en"},
        "authors": {"type": "array", "items": {"type": "object", "required": ["name"]}},
        "items": {"type": "array", "items": ITEM},
    },
    "additionalProperties": False,
}
"""The rules of JSON Feed 1.1, as far as used."""


async def read_atom(api: Api, path: str) -> Any:
    """Return an Atom feed as parsed by a feed reader."""
    answer = await api.request("GET", path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/atom+xml")
    found = feedparser.parse(answer.content)
    assert not found.bozo, found.bozo_exception
    assert found.version == "atom10"
    return found


async def read_json(api: Api, path: str) -> dict[str, Any]:
    """Return a valid JSON Feed."""
    answer = await api.request("GET", path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/feed+json")
    found: dict[str, Any] = answer.json()
    jsonschema.Draft202012Validator(JSON_FEED, format_checker=jsonschema.FormatChecker()).validate(
        found
    )
    return found


async def read_page(api: Api, path: str) -> str:
    """Return a page as requested by a browser."""
    answer = await api.request("GET", path, headers={"accept": "text/html"})
    assert answer.status_code == 200
    return answer.text


def link(found: Any, rel: str) -> str | None:
    """Return the path of a feed's link."""
    hrefs = [each.href for each in found.feed.links if each.rel == rel]
    assert len(hrefs) < 2
    return path_of(hrefs[0]) if hrefs else None


def path_of(url: str) -> str:
    """Return the address without host."""
    assert url.startswith("http://localhost/")
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


async def record_statement(api: Api, key: str, **more: Any) -> dict[str, Any]:
    """Record an announcement of Japan of a day long ago."""
    return await api.do(
        "recordAnnouncement",
        {
            "id": key,
            "kind": "STATEMENT",
            "title": "Told <late> & “quoted”",
            "on": "1999-01-01",
            "actors": ["JP"],
            "source": source(),
            **more,
        },
    )


@pytest.mark.parametrize("path", LISTS)
async def test_every_list_has_feeds_that_tell_the_same(corpus: Api, path: str) -> None:
    atom, told = (
        await read_atom(corpus, f"{path}.atom"),
        await read_json(corpus, f"{path}.jsonfeed"),
    )
    assert [entry.id for entry in atom.entries] == [item["id"] for item in told["items"]]
    assert [entry.title for entry in atom.entries] == [item["title"] for item in told["items"]]
    assert len({entry.id for entry in atom.entries}) == len(atom.entries) > 10
    html = await read_page(corpus, path.replace("/index", "/"))
    for media_type in ("application/atom+xml", "application/feed+json"):
        assert re.search(
            rf'<link rel="alternate" type="{re.escape(media_type)}"[^>]*href="{path}\.', html
        )


async def test_a_new_event_is_the_first_entry_whatever_its_day(corpus_services: Services) -> None:
    corpus = Api(corpus_services)
    before = await read_atom(corpus, "/announcements.atom")
    recorded = await record_statement(corpus, "late")
    after = await read_atom(corpus, "/announcements.atom")
    assert after.entries[0].link == f"http://localhost/events/{recorded['position']}"
    assert "Told <late> & “quoted”" in after.entries[0].title
    assert after.entries[1].id == before.entries[0].id
    new = after.entries[0].id
    assert (await read_json(corpus, "/announcements.jsonfeed?actor=JP"))["items"][0]["id"] == new
    others = await read_atom(corpus, "/announcements.atom?actor=CD")
    assert new not in [entry.id for entry in others.entries]
    log = await read_atom(corpus, "/events.atom?search=quoted")
    assert log.entries[0].id == new, "an entry has the same id in all feeds"


async def test_a_reader_goes_back_to_the_first_event_and_archives_stay(
    corpus_services: Services,
) -> None:
    corpus = Api(corpus_services)

    async def walk(start: str) -> tuple[list[str], dict[str, bytes]]:
        ids, archives = list[str](), dict[str, bytes]()
        path: str | None = start
        while path:
            found = await read_atom(corpus, path)
            ids += [entry.id for entry in found.entries]
            if path != start:
                assert link(found, "current") == start
                archives[path] = (await corpus.request("GET", path)).content
                assert b"<fh:archive/>" in archives[path]
            path = link(found, "prev-archive")
        return ids, archives

    start = "/events.atom?place=JP"
    ids, archives = await walk(start)
    data = await corpus.ask('{ asOf { events(places: ["JP"], first: 0) { totalCount } } }')
    assert len(ids) == len(set(ids)) == data["asOf"]["events"]["totalCount"]
    assert len(archives) > 1

    by_json, path = list[str](), start.replace(".atom", ".jsonfeed")
    while path:
        told = await read_json(corpus, path)
        by_json += [item["id"] for item in told["items"]]
        path = path_of(told["next_url"]) if "next_url" in told else ""
    assert by_json == ids

    for number in range(3):
        await record_statement(corpus, f"late-{number}")
    later, archived = await walk(start)
    assert later[3:] == ids
    assert archives.items() <= archived.items(), "what a reader has it need not read again"


async def test_a_feed_is_sent_again_only_when_it_changed(corpus_services: Services) -> None:
    corpus = Api(corpus_services)
    for ending in ("atom", "jsonfeed"):
        path = f"/announcements.{ending}?actor=CD"
        first = await corpus.request("GET", path)
        tag = first.headers["etag"]
        await record_statement(corpus, f"elsewhere-{ending}")
        again = await corpus.request("GET", path, headers={"if-none-match": tag})
        assert (again.status_code, again.content) == (304, b""), "another place's event is not news"
        await record_statement(corpus, f"of-{ending}", actors=["CD"])
        changed = await corpus.request("GET", path, headers={"if-none-match": tag})
        assert changed.status_code == 200
        assert changed.headers["etag"] != tag


async def test_a_feed_is_refused_what_it_cannot_be_narrowed_by(corpus: Api) -> None:
    answer = await corpus.request("GET", "/announcements.atom?topic=tariffs")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["extensions"]["path"] == ["topic"]
    assert (await corpus.request("GET", "/about.ics")).status_code == 404
    page = await read_page(corpus, "/announcements?topic=tariffs")
    assert ".atom" not in page, "what would be refused is not offered"
    assert (await corpus.request("GET", "/events.atom?before=x")).status_code == 400
    for path in ("/search.atom?kinds=NONE", "/changes.ics?kind=NONE"):
        assert (await corpus.request("GET", path)).status_code == 400


@pytest.mark.parametrize("ending", ["atom", "jsonfeed"])
async def test_a_feed_is_of_no_day_and_says_so(corpus: Api, ending: str) -> None:
    for path in ("/controls", "/controls/cn-mofcom-2024-46", "/index"):
        answer = await corpus.request("GET", f"{path}.{ending}?valid=2025-01-01")
        assert answer.status_code == 400, path
        [error] = answer.json()["errors"]
        assert error["extensions"] == {"code": "INVALID_INPUT", "path": ["valid"]}
        assert "for all dates" in error["message"]
    assert (await corpus.request("GET", "/controls.ics?valid=2025-01-01")).status_code == 200


async def every_item(api: Api, path: str) -> list[Any]:
    """Return the items of all pages of a feed."""
    items = list[Any]()
    while path:
        part = await read_json(api, path)
        items += part["items"]
        path = path_of(part["next_url"]) if "next_url" in part else ""
    return items


async def test_the_feed_of_a_place_or_commodity_has_its_name(corpus: Api) -> None:
    for path, title in (
        ("/commodities/gallium.jsonfeed", "Gallium"),
        ("/places/CD.jsonfeed", "DR Congo"),
        ("/alliances/quad.jsonfeed", "/alliances/quad"),
        ("/controls.jsonfeed?commodity=gallium", "/controls?commodity=gallium"),
    ):
        feed = (await corpus.request("GET", path)).json()
        assert feed["title"] == f"Critical-minerals policy tracker: {title}"


async def test_a_feed_of_a_position_is_what_it_was_there(corpus: Api) -> None:
    every = await corpus.ask('{ asOf(position: "500") { events(first: 0) { totalCount } } }')
    items = await every_item(corpus, "/events.jsonfeed?position=500")
    positions = [int(item["_event"]["position"]) for item in items]
    assert positions == list(range(500, 0, -1))
    assert every["asOf"]["events"]["totalCount"] == len(positions)


async def test_a_feed_is_narrowed_by_codes_of_the_harmonized_system(corpus: Api) -> None:
    filters = ("commodity=gallium", "hsCode=811292", "hsCode=811292&commodity=gallium")
    lists = [await every_item(corpus, f"/controls.jsonfeed?{one}") for one in filters]
    every, coded, both = ({item["id"] for item in items} for items in lists)
    assert both <= coded
    assert both == every
    for wrong in ("hsCode=9999", "hsCode=x", "hsCode=811292&commodity=cobalt"):
        answer = await corpus.request("GET", f"/controls.atom?{wrong}")
        assert answer.json()["errors"][0]["extensions"]["path"] == ["hsCode"], wrong


async def test_a_page_of_a_moment_offers_the_feed_of_now(corpus: Api) -> None:
    page = await read_page(corpus, "/events?place=JP&valid=2026-11-20&before=900")
    assert 'href="/events.atom?place=JP"' in page


async def test_the_document_for_integrations_shows_feeds_as_they_are(corpus: Api) -> None:
    page = (Path(__file__).parents[2] / "docs" / "integrations.md").read_text(encoding="utf-8")
    shown = page[page.index("## Feeds") :]
    addresses = re.findall(r"`(/\S+?\.(?:atom|ics)\S*)`", shown)
    assert len(addresses) > 5
    for path in addresses:
        assert (await corpus.request("GET", path.replace("…", "x"))).status_code == 200, path
    [program] = re.findall(r"```python\n(.*?)```", shown, re.DOTALL)
    made: dict[str, Any] = {}
    exec(compile(program, "integrations.md", "exec"), made)
    async with serving(corpus.services, Access()) as (host, _, _):
        url = f"http://{host}/events.jsonfeed?place=JP"
        every = await asyncio.to_thread(lambda: list(made["new_items"](url, set())))
        ids = [item["id"] for item in every]
        fewer = await asyncio.to_thread(lambda: list(made["new_items"](url, {ids[120]})))
    data = await corpus.ask('{ asOf { events(places: ["JP"], first: 0) { totalCount } } }')
    assert len(set(ids)) == data["asOf"]["events"]["totalCount"] == len(ids)
    assert [item["id"] for item in fewer] == ids[:120]
