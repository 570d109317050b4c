"""The log as pages: the complete content of an event, and its state at the page's moment."""

import html
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from schema.services import Services
from tests.pages.test_proof_script import run_program
from tests.support.api import Api, control, source, suspension
from tests.support.fact_builders import source as law
from tracker.domain.basics.codec import from_builtins
from tracker.domain.basics.values import PartialDate
from tracker.domain.entities.fact import Source

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
VOID = frozenset(
    [
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "source",
        "track",
        "wbr",
    ]
)


class Fields(HTMLParser):
    """A parser of the entry fields that a page marks."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: list[dict[str, Any]] = []
        self._open: list[dict[str, Any] | None] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Start a field, if the element is marked as one."""
        given = dict(attrs)
        annex = given.get("data-annex")
        pointer = given.get("data-entry") if annex is None else annex
        found: dict[str, Any] | None = None
        if pointer is not None:
            form = given.get("data-as") or "text"
            found = {"pointer": pointer, "as": form, "annex": annex is not None, "text": ""}
            found |= {"href": given.get("href")}
            self.fields.append(found)
        if tag not in VOID:
            self._open.append(found)

    def handle_endtag(self, tag: str) -> None:
        """End an element."""
        if tag not in VOID:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        """Add text to every open field."""
        for field in self._open:
            if field:
                field["text"] += data


def fields_of(page: str) -> list[dict[str, Any]]:
    """Return the fields of an entry in a page, as the page's script reads them."""
    parser = Fields()
    parser.feed(page)
    for field in parser.fields:
        link = field.pop("href")
        if field["as"] == "link":
            field["text"] = link
    return parser.fields


async def page(api: Api, path: str, status: int = 200) -> str:
    """Return a page as a browser gets it."""
    answer = await api.request("GET", path, headers=BROWSER)
    assert answer.status_code == status, answer.text
    return answer.text


def text(page: str) -> str:
    """Return the words of a page's content."""
    content = page[page.index("<main") : page.index("</main>")]
    words = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", content)).split())
    return re.sub(r" (?=[.,:)])|(?<=\() ", "", words)


def positions(page: str) -> list[int]:
    """Return the events in a list, in order."""
    return [int(position) for position in re.findall(r'<li data-position="(\d+)"', page)]


@pytest.fixture
def api(services: Services) -> Api:
    """Run the application with an empty log."""
    return Api(services)


async def test_browsers_get_a_page_and_all_others_the_stream_that_they_got_before(api: Api) -> None:
    await api.do("announceExportControl", control())
    for accept, media_type in (
        (BROWSER["Accept"], "text/html"),
        ("*/*", "text/event-stream"),
        ("text/event-stream", "text/event-stream"),
        ("text/event-stream, text/html", "text/event-stream"),
        ("application/x-ndjson", "application/x-ndjson"),
        ("text/html;q=0, application/x-ndjson", "application/x-ndjson"),
        ("text/event-stream;q=0.5, application/x-ndjson;q=0.9", "application/x-ndjson"),
    ):
        answer = await api.request(
            "GET",
            "/events?after=0&follow=false" if "html," not in accept else "/events",
            headers={"Accept": accept},
        )
        assert answer.headers["content-type"].startswith(media_type), accept
        assert "Accept" in answer.headers["vary"]


async def test_the_list_has_every_event_once_the_newest_first_and_can_be_narrowed(
    corpus: Api,
) -> None:
    head = await corpus.services.recorder.head()
    first = await page(corpus, "/events")
    assert positions(first) == [*range(head, head - 50, -1)]
    narrowed = "/events?types=ExportControl.Suspended,ExportControl.Announced&place=CN"
    found, path = list[int](), narrowed
    while True:
        shown = await page(corpus, path)
        found += positions(shown)
        older = re.search(r'rel="next" href="([^"]+)">Older', shown)
        if not older:
            break
        path = html.unescape(older[1])
    data = await corpus.ask(
        '{ events(types: ["ExportControl.Suspended", "ExportControl.Announced"], places: ["CN"]'
        " first: 200) { totalCount nodes { position } } }"
    )
    assert found == [int(node["position"]) for node in data["events"]["nodes"]][::-1]
    assert len(found) == data["events"]["totalCount"] > 50
    assert f"{len(found)} events that match" in text(shown)


async def test_the_feed_of_the_log_is_narrowed_as_the_list_is(corpus: Api) -> None:
    for asked in (
        "?types=ExportControl.Announced,ExportControl.Amended&place=CN&search=gallium",
        "?entity=alliance/quad",
    ):
        listed = positions(await page(corpus, f"/events{asked}"))
        feed = (await corpus.request("GET", f"/events.atom{asked}")).text
        entries = feed[feed.index("<entry") :]
        assert 0 < len(listed) < 50
        told = re.findall(r'<link rel="alternate"[^>]*/events/(\d+)"/>', entries)
        assert [int(found) for found in told] == listed
    assert (await corpus.request("GET", "/events.atom?recorded=2026-01-01")).status_code == 400


async def test_a_list_without_an_end_tells_of_new_events_and_one_with_an_end_knows_of_none(
    corpus_services: Services,
) -> None:
    corpus = Api(corpus_services)
    live = await page(corpus, "/events?types=Alliance.Founded&search=quad")
    assert 'data-live="/events?types=Alliance.Founded"' in live
    assert "data-uncounted" in live
    assert "live.js" in live
    for ended in ("position=60", "valid=2025-01-01&position=60", "before=60"):
        shown = await page(corpus, f"/events?{ended}")
        assert "live.js" not in shown
        assert "data-live" not in shown
    pinned = await page(corpus, "/events?valid=2025-01-01&position=60")
    assert positions(pinned)[0] == 60
    await corpus.do("announceExportControl", control("later"))
    assert await page(corpus, "/events?valid=2025-01-01&position=60") == pinned


async def test_facts_are_listed_by_the_day_on_which_they_became_public(corpus: Api) -> None:
    shown = await page(corpus, "/facts?publicOn=2025-10-01..2025-11-30&place=CN&valid=2026-01-01")
    data = await corpus.ask(
        '{ asOf(validAt: "2026-01-01") { facts(publicOn: {from: "2025-10-01", to: "2025-11-30"},'
        ' places: ["CN"], first: 200, orderBy: PUBLIC_ON_DESC) { nodes { position summary } } } }'
    )
    nodes = data["asOf"]["facts"]["nodes"]
    assert nodes
    assert positions(shown) == [int(node["position"]) for node in nodes][:50]
    assert nodes[0]["summary"] in text(shown)


async def test_a_page_shows_every_value_of_the_entry_as_the_script_expects_it(
    corpus: Api, tmp_path: Path
) -> None:
    """Tested with one event of each type, the one with the longest entry."""
    longest: dict[str, Any] = {}
    for event in await corpus.services.recorder.read(0, limit=20_000):
        known = longest.get(event.type)
        if known is None or len(event.entry) > len(known.entry):
            longest[event.type] = event
    told = []
    for event in longest.values():
        shown = await page(corpus, f"/events/{event.position}")
        annexes = (await corpus.services.recorder.annexes.by_position([event.position])).values()
        texts = {annex.field: annex.text for of in annexes for annex in of}
        told.append({"entry": json.loads(event.entry), "fields": fields_of(shown), "texts": texts})
    assert len(told) > 15
    assert max(len(one["fields"]) for one in told) > 100
    for compared in await run_program("compare.js", told):
        assert compared == {"wrong": [], "missing": []}


async def test_a_page_of_a_past_position_knows_nothing_of_what_became_of_its_event(
    api: Api,
) -> None:
    await api.do("announceExportControl", control())
    wrong = await api.do("suspendExportControl", suspension())
    pinned = "/events/2?valid=2026-01-01&position=2"
    before = await page(api, pinned)
    assert "retracted" not in text(before)
    assert "event 2 of 2" in text(before)
    order = {"eventId": wrong["eventId"], "reason": "a misreading", "source": source()}
    right = {"suspendExportControl": suspension(suspendedUntil="2026-11-10")}
    await api.ask(
        "mutation ($c: [CommandInput!]!) { record(commands: $c) { positions } }",
        c=[{"correctEvent": {**order, "replacement": right}}],
    )
    assert await page(api, pinned) == before
    now = text(await page(api, "/events/2"))
    assert "it was retracted by 3, «a misreading», and 4 replaces it" in now
    assert "Replaces 2" in text(await page(api, "/events/4"))
    assert positions(await page(api, "/events?position=3")) == [3, 2, 1]
    assert "retracted by 3" in text(await page(api, "/events"))


async def test_an_event_that_is_not_known_yet_is_not_there(api: Api) -> None:
    await api.do("announceExportControl", control())
    await api.do("suspendExportControl", suspension())
    missing = await page(api, "/events/2?position=1", 404)
    assert "Event 2 was not recorded at position 1" in html.unescape(missing)
    await page(api, "/events/3", 404)
    await page(api, "/events/x", 400)


async def test_a_text_that_was_redacted_is_gone_from_the_page_which_says_why(api: Api) -> None:
    noted = control(note="Ms Doe said so", quotation="in her words")
    await api.do("announceExportControl", noted, key="k")
    assert "Ms Doe said so" in text(await page(api, "/events/1?valid=2026-01-01&position=1"))
    order = from_builtins(Source, law("court"))
    day = PartialDate("2026-03-01")
    await api.services.commands.redact("k", "An order", day, order, fields=["/note"])
    await api.services.projector.reach(2, seconds=10)
    for path in ("/events/1", "/events/1?valid=2026-01-01&position=1"):
        shown = await page(api, path)
        assert "Doe" not in shown
        assert "Redacted on 1 Mar 2026: An order (2)" in text(shown)
        [gone] = [of for of in fields_of(shown) if of["pointer"] == "/note"]
        assert gone["text"] == "redacted"


async def test_text_of_others_is_escaped(api: Api) -> None:
    hostile = "<script>alert(1)</script>\" onload='x'"
    given = control(title=hostile, note=hostile, quotation=hostile)
    await api.do("announceExportControl", given)
    shown = await page(api, "/events/1")
    assert "<script>alert" not in shown
    assert hostile in html.unescape(shown)
    assert re.findall(r"<script[^>]*>", shown) == re.findall(
        r'<script type="module" src="/static/[^"]+">', shown
    )
    scripts = re.findall(r' on\w+="', shown)
    assert not scripts
