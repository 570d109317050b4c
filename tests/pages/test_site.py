"""Common rules of pages: only the address selects the moment."""

import csv
import io
import re
from base64 import b64encode
from hashlib import sha256

import pytest
from graphql import parse

from schema.execution.documents import roots
from schema.execution.response_cache import are_cacheable
from schema.pages.registry import PAGES
from schema.pages.site.page import Page
from schema.services import Services
from tests.pages.test_reading_pages import without_bar
from tests.support.api import Api
from tests.support.cases import each_case
from tests.support.independent_verifier import root_of

PINNED = "/alliances/quad?valid=2025-07-02&position=400"


async def test_an_address_with_both_axes_gives_the_same_bytes_for_ever(
    corpus_services: Services,
) -> None:
    corpus = Api(corpus_services)
    before = await corpus.request("GET", PINNED)
    assert before.status_code == 200
    assert before.headers["cache-control"] == "public, max-age=3600, immutable"
    await corpus.do(
        "foundAlliance",
        {
            "id": "later",
            "name": "A later alliance",
            "on": "2025-01-01",
            "members": ["JP"],
            "source": {
                "publisher": "mofcom",
                "name": "A notice",
                "publishedOn": "2025-01-01",
                "checked": "PAGE",
            },
        },
    )
    after = await corpus.request("GET", PINNED)
    assert after.content == before.content
    for tag in (after.headers["etag"], f'"another", {after.headers["etag"]}', "*"):
        again = await corpus.request("GET", PINNED, headers={"If-None-Match": tag})
        assert (again.status_code, again.content) == (304, b"")


async def test_every_link_of_a_page_keeps_the_moment_of_its_address(corpus: Api) -> None:
    html = without_bar((await corpus.request("GET", PINNED)).text)
    content = (
        html[: html.index('<div class="notes-of-time"')] + html[html.index('<div class="body">') :]
    )
    content = content[: content.index("<footer")]
    links = re.findall(r'<a [^>]*href="(/(?:alliances|places|controls|events)[^"]*)"', content)
    assert len(links) > 8
    assert {"valid=2025-07-02&amp;position=400" in link for link in links} == {True}


async def test_the_same_address_is_data(corpus: Api) -> None:
    answer = (await corpus.request("GET", PINNED.replace("?", ".json?"))).json()
    assert answer["data"]["asOf"]["alliance"]["name"].startswith("Quad")
    table = (await corpus.request("GET", PINNED.replace("?", ".csv?"))).text
    assert "# position: 400\n" in table.replace("\r\n", "\n")
    rows = list(csv.DictReader(line for line in io.StringIO(table) if not line.startswith("#")))
    assert {row["placeCode"] for row in rows} == {"AU", "IN", "JP", "US"}


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        (
            "/alliances/quad?valid=yesterday",
            400,
            "Effective date: &#39;yesterday&#39; is not a day",
        ),
        (
            "/changes?from=abc",
            400,
            "Start date: &#39;abc&#39; is not a day: expected YYYY-MM-DD, such as ",
        ),
        ("/alliances/quad?position=x", 400, "Position: &#39;x&#39;"),
        ("/places/XX", 400, "a country, such as Germany or DE"),
        (
            "/places/XX",
            400,
            '<a href="/search?q=XX">Search for “XX”</a> <a href="/places">Places</a>',
        ),
        ("/commodities/gallum", 400, '<a href="/commodities/gallium">Use gallium</a>'),
        ("/commodities/ti", 400, '<a href="/commodities/tin">Use tin</a>'),
        ("/upcoming?days=x", 400, "Days: &#39;x&#39;: expected a whole number, such as "),
        ("/alliances/quad?valid=2025-01-01&known=2025-01-01T00:00:00Z&position=3", 400, "known"),
        ("/alliances/none", 404, "No alliance &#39;none&#39; at this moment"),
        ("/alliances?colour=blue", 400, "&#39;colour&#39; is not a parameter of this page"),
        ("/alliances?status=ASLEEP", 400, "expected one of "),
        ("/alliances/quad?key=g7", 400, "stands in the path"),
        ("/alliances?" + "&".join(f"a{n}=1" for n in range(60)), 413, "at most 50 parameters"),
        ("/controls?destination=" + "x," * 2500, 413, "4000 letters in all"),
    ],
)
async def test_an_address_that_cannot_be_answered_says_what_was_expected(
    corpus: Api, path: str, status: int, says: str
) -> None:
    answer = await corpus.request("GET", path)
    assert answer.status_code == status
    assert says in answer.text
    assert "now</h1>" not in answer.text, "it is the address, and will not be otherwise later"
    assert answer.headers["cache-control"] == "no-store"
    assert "<h1>" in answer.text
    data = await corpus.request(
        "GET", path.replace("?", ".json?") if "?" in path else f"{path}.json"
    )
    if status == 400:
        assert data.status_code == 400
        assert data.json()["errors"][0]["extensions"]["code"]


async def test_a_page_runs_nothing_but_our_own_files(corpus: Api) -> None:
    answer = await corpus.request("GET", "/alliances")
    assert "script-src 'self';" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert " style=" not in answer.text
    assert not re.search(r"<script(?![^>]*\bsrc=)", answer.text)
    for path in re.findall(r'(?:src|href)="(/static/[^"]+)"', answer.text):
        file = await corpus.request("GET", path)
        assert file.status_code == 200
        assert "immutable" in file.headers["cache-control"]


async def test_the_citation_names_publishers_moment_position_and_log_root(corpus: Api) -> None:
    html = (await corpus.request("GET", PINNED)).text
    events = await corpus.services.recorder.read(0, limit=400)
    root = root_of([sha256(b"\0" + event.entry).digest() for event in events])
    assert html.count(b64encode(root).decode()) == 4  # text, BibTeX, RIS, CSL-JSON
    for word in ("@misc{", "TY  - DATA", "log position 400", "checkpoint /log/checkpoint/400"):
        assert word in html


async def test_the_question_of_a_page_can_be_asked_by_oneself(corpus: Api) -> None:
    html = (await corpus.request("GET", PINNED)).text
    [link] = re.findall(r'href="(/graphql\?query=[^"]+)"', html)
    path = link.replace("&amp;", "&")
    answer = await corpus.request("GET", path, headers={"Accept": "application/json"})
    page = await corpus.request("GET", PINNED.replace("?", ".json?"))
    assert answer.json()["data"] == page.json()["data"]


async def test_the_matrix_shows_members_unions_and_roles_of_the_day(corpus: Api) -> None:
    html = (await corpus.request("GET", "/alliances?valid=2025-11-20")).text
    [japan] = re.findall(
        r"<tr[^>]*><th scope=\"row\"[^>]*><a [^>]*>Japan</a>.*?</tr>", html, re.DOTALL
    )
    assert japan.count("●") >= 3
    [austria] = re.findall(
        r"<tr[^>]*><th scope=\"row\"[^>]*><a [^>]*>Austria</a>.*?</tr>", html, re.DOTALL
    )
    assert 'aria-label="by EU"' in austria


async def test_an_unexpected_error_is_a_page_with_an_id(
    corpus: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a secret of the code")

    monkeypatch.setattr("schema.pages.site.route.render", fail)
    answer = await corpus.request("GET", "/about?valid=2019-03-04")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    [id] = re.findall(r"Internal error ([0-9a-f]{12})", answer.text)
    assert id in caplog.text


@each_case("page", PAGES, ids=[page.path for page in PAGES])
async def test_the_answer_to_the_question_of_a_page_can_be_kept(page: Page) -> None:
    for fields in roots(parse(page.document)).values():
        assert are_cacheable(fields), [field.name.value for field in fields]


async def test_an_address_of_nothing_is_a_page_for_people_and_an_error_for_programs(
    corpus: Api,
) -> None:
    people = await corpus.request("GET", "/control/x", headers={"Accept": "text/html,*/*"})
    assert people.status_code == 404
    assert "No page has this address" in people.text
    assert "script-src 'self'" in people.headers["content-security-policy"]
    programs = await corpus.request("GET", "/control/x")
    assert programs.status_code == 404
    assert programs.json() == {
        "errors": [
            {"message": "there is nothing at this address", "extensions": {"code": "NOT_FOUND"}}
        ]
    }


async def test_a_method_that_an_address_does_not_take_is_told_which_it_takes(corpus: Api) -> None:
    for path, method, allowed in (
        ("/healthz", "POST", {"GET", "HEAD"}),
        ("/mcp", "GET", {"POST"}),
        ("/sign-out", "GET", {"POST"}),
        ("/controls.csv", "DELETE", {"GET", "HEAD"}),
    ):
        refused = await corpus.request(method, path)
        assert refused.status_code == 405, path
        assert set(refused.headers["allow"].split(", ")) == allowed, path
        [error] = refused.json()["errors"]
        assert error["extensions"] == {"code": "METHOD_NOT_ALLOWED"}
        assert all(name in error["message"] for name in allowed)
    page = await corpus.request("GET", "/sign-out", headers={"Accept": "text/html"})
    assert (page.status_code, page.headers["allow"]) == (405, "POST")
    assert "Expected the method POST" in page.text
