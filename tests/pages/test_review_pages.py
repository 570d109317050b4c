"""Pages of review: the queue, a candidate beside its source text, and decision forms."""

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from html import unescape

import httpx2
import pytest

from deploy.bootstrap import open_connection, running_tracker
from schema.pages.review.snapshot_text import MAX_SHOWN_CHARACTERS, snapshot_text
from schema.services import Access, Services
from tests.support.api import Api
from tests.support.cases import each_case
from tests.support.fact_builders import announced
from tests.support.findings import figures, lead, proposal
from tests.support.tokens import token
from tracker import clock
from tracker.auth.scopes import Scope
from tracker.postgres.database import WATCHER, Target, create_pool
from tracker.review.finding import Finding, LeadCode
from tracker.review.findings import propose
from tracker.snapshots.store import Snapshot, SnapshotInfo, SnapshotStore

OWN = {"Sec-Fetch-Site": "same-origin"}
NOTICE = "<script>alert(1)</script><h1>Notice 46</h1><p>Gallium <b>may not</b> leave.</p>"
CHOSEN = re.compile(
    r'<select [^>]*name="([^"]+)"[^>]*>(?:(?!</select>).)*<option value="([^"]+)" selected',
    re.DOTALL,
)
"""A field of a form with the choice that it has."""
STRANGER = '<script>alert("x")</script>'


def text(answer: httpx2.Response) -> str:
    """Return the text of a page."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", answer.text)).replace("\xa0", " ").split())


class Editor:
    """An editor with a browser and a token."""

    def __init__(self, api: Api, secret: str):
        self.api = api
        self.headers = {"Authorization": f"Bearer {secret}", "Accept": "text/html", **OWN}

    async def get(self, path: str, status: int = 200) -> httpx2.Response:
        """Return a page."""
        answer = await self.api.request("GET", path, headers=self.headers)
        assert answer.status_code == status, text(answer)
        return answer

    async def says(self, path: str) -> str:
        """Return the text of a page."""
        return text(await self.get(path))

    async def send(self, path: str, **fields: str | list[str]) -> httpx2.Response:
        """Return the response to a form."""
        return await self.api.request("POST", path, data=fields, headers=self.headers)

    async def decide(self, path: str, do: str, **fields: str) -> str:
        """Return the redirect after a decision."""
        answer = await self.send(path, do=do, **fields)
        assert answer.status_code == 303, text(answer)
        return answer.headers["location"]


@pytest.fixture
async def found(target: Target) -> Callable[..., Awaitable[int]]:
    """Return a function that puts findings into the queue, like the watcher."""

    async def put(*findings: Finding, key: str = "cn-mofcom") -> int:
        async with open_connection(target, role=WATCHER) as connection:
            return await propose(connection, key, findings)

    return put


@pytest.fixture
async def ann(services: Services, target: Target) -> Editor:
    """Create a reviewer."""
    return Editor(Api(services, Access()), await token(target, Scope.REVIEW, name="ann"))


@pytest.fixture
async def snapshots(target: Target) -> AsyncIterator[SnapshotStore]:
    """Create the watcher's store of responses."""
    pool = await create_pool(target, role=WATCHER, size=1)
    yield SnapshotStore(pool)
    await pool.close()


async def test_the_queue_shows_what_waits_and_narrows(
    ann: Editor, found: Callable[..., Awaitable[int]]
) -> None:
    assert "No candidate is pending" in await ann.says("/review")
    await found(proposal(), proposal("2024-2", title="Antimony"), lead("2024-3"))
    await found(figures(), key="usgs-mcs")
    page = await ann.says("/review")
    assert "4 pending" in page
    assert "Notice 2024-1" in page
    assert "to look into: gap" in page
    narrowed = await ann.says("/review?source=usgs-mcs")
    assert ("mcs2025" in narrowed, "Antimony" in narrowed) == (True, False)
    assert "Antimony" in await ann.says("/review?search=antimony&kind=FACT&commodity=gallium")
    assert "No candidate matches" in await ann.says("/review?state=REJECTED")
    for wrong in ("state=OLD", "kind=RUMOUR", "orderBy=LUCK", "colour=red", "commodity=galium"):
        await ann.get(f"/review?{wrong}", 400)


async def test_a_decision_leads_to_the_next_candidate_of_the_same_part_of_the_queue(
    ann: Editor, services: Services, found: Callable[..., Awaitable[int]]
) -> None:
    await found(*(proposal(f"2024-{number}") for number in (1, 2, 3)))
    await found(proposal("2024-4"), key="another")
    part = "?source=cn-mofcom"
    assert await ann.decide(f"/review/1{part}", "accept", revision="1") == (
        f"/review/2{part}&did=accept&of=1"
    )
    [event] = await services.recorder.read()
    assert (event.actor, event.fact.source.reviewed_by) == ("ann", ("ann",))
    assert "Accepted and recorded. Candidate 1" in await ann.says(
        f"/review/2{part}&did=accept&of=1"
    )
    assert await ann.decide(f"/review/2{part}", "reject", reason="About tin") == (
        f"/review/3{part}&did=reject&of=2"
    )
    until = (clock.today() + timedelta(days=3)).isoformat()
    assert await ann.decide(f"/review/3{part}", "postpone", until=until) == (
        f"/review{part}&did=postpone&of=3"
    )
    assert await ann.decide("/review/2", "reopen") == "/review/2?did=reopen&of=2"
    assert await ann.decide("/review/2", "assign", to="bob") == "/review/2?did=assign&of=2"
    said = await ann.says("/review/2")
    assert "Assigned by ann (bob)" in said
    assert "Rejected by ann: About tin" in said
    assert "Notice 2024-2" in await ann.says("/review?assignedTo=bob")


async def test_several_are_accepted_with_one_reason_after_what_will_be_recorded_was_shown(
    ann: Editor, services: Services, found: Callable[..., Awaitable[int]]
) -> None:
    await found(
        proposal(), proposal("2024-2", title="Antimony"), lead("2024-3"), proposal("2024-4")
    )
    queue = (await ann.get("/review?source=cn-mofcom")).text
    assert re.findall(r'name="marked" value="([^"]+)"', queue) == ["1:1", "2:1", "3:1", "4:1"]
    marked = {"marked": ["1:1", "2:1", "3:1"], "do": "accept"}
    preview = await ann.send("/review?source=cn-mofcom", **marked)
    said = text(preview)
    assert (preview.status_code, "Accept 2 candidates" in said) == (200, True)
    assert "ExportControl.Announced of export-control/" in said
    assert "It proposes no fact: make it one, or close it." in said
    assert "A refused candidate stays as it is" in said
    assert await services.recorder.head() == 0
    await ann.decide("/review/2", "reject", revision="1", reason="Faster")
    done = await ann.send("/review", **marked, confirmed="true", reason="Read both")
    said = text(done)
    assert (done.status_code, said.count("Accepted and recorded.")) == (200, 1)
    assert "The data have changed since" in said
    assert await services.recorder.head() == 1
    assert "Read both" in await ann.says("/review/1")
    again = await ann.send("/review", **marked, confirmed="true")
    assert again.status_code == 422
    assert await services.recorder.head() == 1


async def test_a_decision_on_several_needs_marks_and_its_fields(
    ann: Editor, found: Callable[..., Awaitable[int]]
) -> None:
    await found(proposal(), lead("2024-2"))
    marked = ["1:1", "2:1"]
    assert "No candidate is marked" in text(await ann.send("/review", do="reject"))
    refused = await ann.send("/review", do="reject", marked=marked, confirmed="true")
    assert (refused.status_code, "Reason : expected a value" in text(refused)) == (422, True)
    late = await ann.send(
        "/review", do="postpone", marked=marked, confirmed="true", until="2020-01-01"
    )
    assert text(late).count("Not done:") == 2
    for wrong in (
        {"do": "reopen", "marked": marked},
        {"do": "accept", "marked": ["1"]},
        {"do": "accept", "marked": ["9:1"]},
        {"do": "accept", "marked": ["1:1"] * 51},
    ):
        assert (await ann.send("/review", **wrong)).status_code == 400
    closed = await ann.send("/review", do="reject", marked=marked, confirmed="true", reason="Old")
    assert text(closed).count("Rejected.") == 2
    assert "2 rejected" in await ann.says("/review")


async def test_a_refusal_is_shown_at_its_field_and_nothing_is_done(
    ann: Editor, services: Services, found: Callable[..., Awaitable[int]]
) -> None:
    await found(proposal(), lead("2024-3"))
    for fields, words in (
        ({"do": "reject"}, "expected a value"),
        ({"do": "postpone", "until": "2020-01-01"}, "expected a day after"),
        ({"do": "postpone", "until": "soon"}, "is not a day"),
        ({"do": "accept", "revision": "7"}, "The data have changed since"),
        ({"do": "accept", "reason": "x" * 3000}, "expected why"),
    ):
        answer = await ann.send("/review/1", **fields)
        assert (answer.status_code, words in text(answer)) == (422, True), text(answer)
    refused = await ann.send("/review/2", do="accept")
    assert (refused.status_code, "edit it to make it one" in text(refused)) == (422, True)
    assert (await ann.send("/review/1", do="burn")).status_code == 400
    assert await services.recorder.head() == 0
    for path, status in (("/review/9", 404), ("/review/x", 400), ("/review/1?did=x", 200)):
        await ann.get(path, status)


async def test_the_fact_of_a_candidate_is_edited_in_its_fields(
    ann: Editor, services: Services, found: Callable[..., Awaitable[int]]
) -> None:
    await found(proposal(fact=announced(title="Galium")))
    page = (await ann.get("/review/1/edit")).text
    values = {
        unescape(name): unescape(value)
        for name, value in re.findall(r'<input id="[^"]*" name="([^"]+)" value="([^"]*)"', page)
        if value
    }
    values |= dict(CHOSEN.findall(page))
    assert values["title"] == "Galium"
    fields = {**values, "command": "announceExportControl", "revision": "1", "title": "Gallium"}
    wrong = await ann.send("/review/1/edit", **{**fields, "do": "save", "on": "2024-13-03"})
    assert (wrong.status_code, "Nothing was changed" in text(wrong)) == (422, True)
    more = await ann.send("/review/1/edit", **fields, add="clauses.0.commodities")
    assert 'name="clauses.0.commodities.1"' in more.text
    done = await ann.send(
        "/review/1/edit", **fields, do="save", **{"edit-reason": "A typing error"}
    )
    assert (done.status_code, done.headers.get("location")) == (303, "/review/1?did=edited&of=1"), (
        text(done)
    )
    assert "Edited by ann" in await ann.says("/review/1")
    await ann.decide("/review/1", "accept")
    [event] = await services.recorder.read()
    assert event.fact.title == "Gallium"  # type: ignore[attr-defined]


async def test_a_lead_becomes_a_fact_and_a_file_is_not_edited(
    ann: Editor, found: Callable[..., Awaitable[int]]
) -> None:
    await found(lead(code=LeadCode.GAP), figures())
    page = await ann.says("/review/1")
    assert "Make it a fact" in page
    assert "Close" in page
    assert "Kind of fact" in await ann.says("/review/1/edit")
    chosen = await ann.send("/review/1/edit", command="recordAnnouncement")
    assert 'name="title"' in chosen.text
    assert (await ann.send("/review/1/edit", command="retractEvent")).status_code == 400
    await ann.get("/review/2/edit", 400)
    assert "imported by the reader usgs" in await ann.says("/review/2")


async def test_where_two_persons_have_to_accept_the_page_says_who_has(
    target: Target, found: Callable[..., Awaitable[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    await found(proposal(), proposal("2024-2"))
    async with running_tracker(target) as services:
        services.review.reviewers = 2
        api = Api(services, Access())
        ann, bob = [Editor(api, await token(target, Scope.REVIEW, name=n)) for n in ("ann", "bob")]
        assert await ann.decide("/review/1", "accept") == "/review/2?did=noted&of=1"
        assert "Another person has to accept it too" in await ann.says("/review/2?did=noted&of=1")
        page = await ann.get("/review/1")
        assert "You have accepted it" in page.text
        assert 'value="accept"' not in page.text
        assert "Accepted by ann; 1 more person has to" in await bob.says("/review/1")
        assert "did=accept" in await bob.decide("/review/1", "accept")
        assert (await services.recorder.read())[0].fact.source.reviewed_by == ("ann", "bob")


async def test_text_of_strangers_is_escaped(
    ann: Editor, found: Callable[..., Awaitable[int]], snapshots: SnapshotStore
) -> None:
    kept = await snapshots.put(NOTICE.encode(), "text/html")
    await found(proposal(title=STRANGER, sha256=kept, number=STRANGER))
    page = await ann.get("/review/1")
    assert "<script>alert" not in page.text
    assert unescape(page.text).count(STRANGER) >= 2
    assert "Notice 46 Gallium may not leave." in text(page)
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"
    assert f'href="/snapshots/{kept}"' in page.text
    assert "<script>alert" not in (await ann.get("/review")).text


async def test_only_who_may_review_sees_the_pages_and_the_link(
    ann: Editor, services: Services, target: Target, found: Callable[..., Awaitable[int]]
) -> None:
    await found(proposal())
    anybody = Api(services, Access())
    answer = await anybody.request("GET", "/review?source=a", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/sign-in?next=/review%3Fsource%3Da",
    )
    writer = Editor(anybody, await token(target, Scope.RECORD, name="writer"))
    for path in ("/review", "/review/1", "/review/1/edit"):
        assert "scope review" in text(await writer.get(path, 403))
    assert 'href="/review"' not in (await writer.get("/about")).text
    assert 'href="/review"' in (await ann.get("/about")).text
    from_elsewhere = {**ann.headers, "Sec-Fetch-Site": "cross-site"}
    del from_elsewhere["Authorization"]
    opened = Api(services, Access(open=True))
    sent = await opened.request("POST", "/review/1", data={"do": "accept"}, headers=from_elsewhere)
    assert sent.status_code == 403
    assert await services.recorder.head() == 0


def kept(content: bytes | None, media_type: str | None) -> Snapshot:
    """Return a snapshot in memory."""
    info = SnapshotInfo("0" * 64, 1, media_type, datetime(2026, 1, 1, tzinfo=UTC), "database")
    return Snapshot(info, content)


@each_case(
    ("content", "media_type", "place", "shown"),
    [
        (b'{"results": [{"a": 1}, {"b": "\xc3\xa9"}]}', "application/json", "results[1]", "é"),
        (b'{"results": []}', "application/json", "results[9]", "results"),
        ("<p>稀土</p>".encode("gbk"), 'text/html; charset="gbk"', "", ""),
        ('<meta charset="gbk"><p>稀土</p>'.encode("gbk"), "text/html", "", "稀土"),
        (b"a\x00b\xe2\x80\xaec", "text/plain", "", "a\ufffdb\ufffdc"),
    ],
)
def test_a_snapshot_is_read_as_what_it_is(
    content: bytes, media_type: str, place: str, shown: str
) -> None:
    read = snapshot_text(kept(content, media_type), place)
    assert shown in read.text
    assert bool(read.text) != bool(read.note)


@each_case(
    ("snapshot", "words"),
    [
        (None, "not stored"),
        (kept(None, None), "redacted"),
        (kept(b"%PDF", "application/pdf"), "not a text"),
        (kept(b"{", "application/json"), "expected JSON"),
        (kept(b"\xff", "text/plain"), "cannot be shown as text"),
        (kept(b"x" * 5 * 2**20, "text/plain"), "too large"),
    ],
)
def test_why_a_snapshot_is_not_shown_is_said(snapshot: Snapshot | None, words: str) -> None:
    read = snapshot_text(snapshot, "")
    assert (read.text, words in read.note) == ("", True), read


def test_of_a_long_snapshot_the_beginning_is_shown() -> None:
    read = snapshot_text(kept(json.dumps("y" * 10**6).encode(), "application/json"), "")
    assert (len(read.text), "beginning" in read.note) == (MAX_SHOWN_CHARACTERS, True)
