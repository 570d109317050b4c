"""The documentation as pages: links work, nothing is executed, search finds the right page."""

import asyncio
import re
import time
from collections.abc import Mapping, Sequence
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest
from starlette.responses import Response

from schema.execution.schema import CORE_SCHEMA
from schema.pages.docs import docs
from schema.pages.docs.documents import Document, Library, pages, read_documents, reading_order
from schema.pages.docs.markdown import RenderedMarkdown, render, slug
from schema.pages.docs.search import Result, SearchIndex
from schema.pages.site import plain, route
from schema.pages.site.html import problem_response
from schema.services import Access, Services
from tests.support.api import OPEN, Api
from tests.support.cases import each_case
from tests.support.checkout import ROOT


class Elements(HTMLParser):
    """All elements of some HTML, with their attributes."""

    def __init__(self, html: str):
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def attributes(html: str, tag: str, name: str) -> list[str]:
    """Return the values of an attribute of all elements of a kind."""
    return [
        found[name] or "" for kind, found in Elements(html).found if kind == tag and name in found
    ]


def made(text: str) -> str:
    """Return Markdown as HTML, with every link kept."""
    return render(text, lambda target: target).html


# --- the documents of the checkout


def test_every_document_is_a_page_under_its_name_with_a_title() -> None:
    names = {
        **{path.stem.lower(): path for path in (*ROOT.glob("docs/*.md"), *ROOT.glob("*.md"))},
        **{f"operating/{path.stem}": path for path in ROOT.glob("docs/operating/*.md")},
    }
    assert set(names) == set(pages())
    for name, path in names.items():
        title = path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
        assert pages()[name].title == title


def test_the_introduction_of_a_page_has_its_title_and_description_without_its_sections() -> None:
    shown = docs.all_pages(True)
    for name in docs.introductions(True):
        introduction, page = shown.introduction(name), shown[name]
        assert introduction.title == page.title
        assert introduction.description == page.description, name
    assert len(shown.introduction("types").html) < len(shown["types"].html) / 100


def test_they_stand_in_the_order_in_which_the_index_names_them() -> None:
    names = list(pages())
    assert names[:3] == ["readme", "index", "tour"]
    assert names.index("tour") < names.index("changelog")
    assert reading_order({"a.md": Document("a", "a.md", "")}) == ["a.md"]


def test_every_link_between_documents_leads_to_a_heading_that_is_there() -> None:
    shown = docs.all_pages(True)
    for name, page in shown.items():
        for target in attributes(page.html, "a", "href"):
            if not target.startswith(("#", "/docs/")):
                continue
            path, _, anchor = target.partition("#")
            other = shown[path.removeprefix("/docs/")] if path else page
            assert not anchor or anchor in {each.anchor for each in other.sections}, (name, target)


def test_every_other_file_that_a_document_names_stands_there_as_text() -> None:
    assert "LICENSE-DATA" in pages()["readme"].html
    assert "LICENSE-DATA" not in str(attributes(pages()["readme"].html, "a", "href"))


def test_no_page_has_what_our_policy_forbids_or_a_place_that_no_keyboard_reaches() -> None:
    for name, page in pages().items():
        for tag, found in Elements(page.html).found:
            assert tag not in ("script", "style", "iframe", "h1"), name
            assert "style" not in found, name
            assert not [key for key in found if key.startswith("on")], name
            if tag == "pre" or found.get("class") == "scroll":
                assert found["tabindex"] == "0", name


def test_every_anchor_is_there_once() -> None:
    for name, page in pages().items():
        anchors = [each.anchor for each in page.sections]
        assert len(set(anchors)) == len(anchors), name
        ids = attributes(page.html, "h2", "id") + attributes(page.html, "h3", "id")
        assert sorted(ids) == sorted(each.anchor for each in page.contents), name


# --- the types of the schema


def test_every_type_has_a_page_with_its_fields_and_links_that_lead_to_pages() -> None:
    shown = docs.all_pages(True)
    types = {name for name in CORE_SCHEMA.type_map if not name.startswith("__")}
    assert {name for name in shown if name.startswith("types/")} == {f"types/{n}" for n in types}
    assert len({name.lower() for name in shown}) == len(shown)
    for name in types:
        targets = attributes(shown[f"types/{name}"].html, "a", "href")
        linked = [target for target in targets if target.startswith("/")]
        assert {target.removeprefix("/docs/") for target in linked} <= shown.keys(), name
    clause = shown["types/Clause"].html
    assert "<td><code>status</code></td>" in clause
    assert '[<a href="/docs/types/Place">Place</a>!]!' in clause
    assert "Used by</h2>" in clause
    assert "<code>exportControl(id:)</code>" in shown["types/AsOf"].html
    assert "<code>SUSPENDED</code>" in shown["types/ClauseStatus"].html


def test_the_page_of_a_type_comes_first_for_its_name_and_last_for_other_words() -> None:
    index = docs.search_index(True)
    assert index.find("exportcontrol")[0].name == "types/ExportControl"
    assert not index.find("suspended")[0].name.startswith("types/")


async def test_a_server_without_introspection_has_no_pages_of_types(services: Services) -> None:
    for introspection, status in ((True, 200), (False, 404)):
        api = Api(services, Access(introspection=introspection))
        assert (await api.request("GET", "/docs/types/Clause")).status_code == status
        found = await api.request("GET", "/docs?q=ExportControl")
        assert ("/docs/types/ExportControl#" in found.text) == introspection


@each_case(
    ("path", "location"),
    [
        ("/docs/time.md", "/docs/time"),
        ("/docs/operating/Install.md", "/docs/operating/install"),
        ("/docs/tour/", "/docs/tour"),
        ("/docs/types/exportcontrol", "/docs/types/ExportControl"),
        (f"/docs/{docs.VERSION}/time", "/docs/time"),
        (f"/docs/{docs.VERSION}", "/docs"),
        ("/docs/9.9.9/time", None),
        ("/docs//example.org/time.md", None),
    ],
)
async def test_files_and_versions_lead_to_the_pages_of_documents(
    services: Services, path: str, location: str | None
) -> None:
    response = await Api(services, OPEN).request("GET", path)
    assert response.status_code == (308 if location else 404)
    assert response.headers.get("location") == location


# --- Markdown of any kind


@each_case(
    "text",
    [
        "<script>alert(1)</script>",
        'a <img src=x onerror="alert(1)"> b',
        "[a](javascript:alert(1))",
        "[a](data:text/html,x)",
        "<javascript:alert(1)>",
        "```js\n</code><script>alert(1)</script>\n```",
        '# <b>a</b> "x" onload=1',
        "| a |\n| --- |\n| <script> |",
        '## x" onmouseover="alert(1)\n\n| a |\n| --- |\n| b |',
    ],
)
def test_markup_in_a_document_is_text(text: str) -> None:
    html = made(f"# Title\n\n{text}")
    for tag, found in Elements(html).found:
        assert tag not in ("script", "img", "b")
        assert not [key for key in found if key.startswith("on")]
        assert not (found.get("href") or "").startswith(("javascript:", "data:"))


@each_case(
    ("target", "expected"),
    [
        ("time.md", "/docs/time"),
        ("./time.md#two-axes", "/docs/time#two-axes"),
        ("rooms/b.md#c", "/docs/rooms/b#c"),
        ("../README.md", "/docs/readme"),
        ("#here", "#here"),
        ("https://c2sp.org/a", "https://c2sp.org/a"),
        ("http://127.0.0.1:8000/places?valid=2026-03-01", "/places?valid=2026-03-01"),
        ("../LICENSE", None),
        ("../../../etc/passwd", None),
        ("//evil.example/time.md", None),
        ("mailto:a@b.example", None),
        ("screens/overview.png", "/docs/screens/overview.png"),
    ],
)
def test_links_lead_to_the_pages_of_the_documents(target: str, expected: str | None) -> None:
    library = Library(
        [
            Document("readme", "README.md", "# R"),
            Document("time", "docs/time.md", "# T"),
            Document("rooms/b", "docs/rooms/b.md", "# B"),
            Document("a", "docs/a.md", f"# A\n\n[x]({target})"),
        ]
    )
    assert attributes(library.pages["a"].html, "a", "href") == ([expected] if expected else [])
    assert "x" in library.pages["a"].html


def test_pictures_come_from_us_or_are_their_words() -> None:
    html = render(
        "![ours](/docs/screens/a.png) ![theirs](https://x.example/a.png)", lambda to: to
    ).html
    assert attributes(html, "img", "src") == ["/docs/screens/a.png"]
    assert "theirs" in html


def test_headings_have_the_anchors_that_code_hosts_give_them() -> None:
    assert slug("24. On what does an answer `rest`?") == "24-on-what-does-an-answer-rest"
    page = render("# A\n\n## B, c\n\n## B, c\n", lambda to: to)
    assert [each.anchor for each in page.contents] == ["b-c", "b-c-1"]


def test_a_column_of_numbers_is_aligned_without_a_style_attribute() -> None:
    html = made("| a | b |\n| --- | ---: |\n| 1 | 2 |")
    assert attributes(html, "td", "class") == ["n"]
    assert "style" not in html


# --- search


LIBRARY: Mapping[str, RenderedMarkdown] = Library(
    [
        Document(
            "time", "docs/time.md", "# Time\n\nOf both.\n\n## Known\n\nWhat the log told then."
        ),
        Document(
            "log",
            "docs/log.md",
            "# The log\n\nSigned, told in order.\n\n```sh\ntracker verify\n```",
        ),
        Document("set", "docs/set.md", "# Settings\n\n| a |\n| - |\n| `TRACKER_READ` of <b> & é |"),
    ]
).pages
INDEX = SearchIndex(LIBRARY)


@each_case(
    ("question", "found"),
    [
        ("log", [("log", "the-log"), ("time", "known")]),
        ("LOG told", [("log", "the-log"), ("time", "known")]),
        ("verif", [("log", "the-log")]),
        ("tracker_read", [("set", "settings")]),
        ("TRACKER_READ a", [("set", "settings")]),
        ("É", [("set", "settings")]),
        ("log nothing", []),
        ("", []),
        ("*?[(", []),
        ("x" * 10_000, []),
    ],
)
def test_search_finds_sections_with_all_words_those_in_headings_first(
    question: str, found: list[tuple[str, str]]
) -> None:
    assert [(each.name, each.section.anchor) for each in INDEX.find(question)] == found


def test_matches_are_shown_and_marked() -> None:
    [result] = INDEX.find("tracker_read")
    assert [piece.text for piece in result.excerpt if piece.matches] == ["TRACKER_READ"]
    text = "word " * 200 + "needle in hay " + "word " * 200
    [result] = SearchIndex(Library([Document("a", "a.md", f"# A\n\n{text}")]).pages).find("needle")
    pieces = result.excerpt
    assert [piece.text for piece in pieces if piece.matches] == ["needle"]
    assert sum(len(piece.text) for piece in pieces) <= 240
    assert (pieces[0].text[:1], pieces[-1].text[-1:]) == ("…", "…")


def test_every_excerpt_is_a_part_of_its_section() -> None:
    index = SearchIndex(pages())
    for question in ("suspended until", "witness key", "TRACKER_RATE", "position", "a"):
        results = index.find(question)
        assert results
        for result in results:
            text = "".join(piece.text for piece in result.excerpt)
            assert text.removeprefix("…").removesuffix("…") in result.section.text


@each_case(
    ("question", "first"),
    [
        ("TRACKER_READ", "settings"),
        ("witness", "audit"),
        ("trusted documents", "access"),
        ("redaction", "redaction"),
    ],
)
def test_the_best_match_comes_first(question: str, first: str) -> None:
    assert SearchIndex(pages()).find(question)[0].name == first


def test_the_documents_are_read_from_a_directory_like_the_checkout() -> None:
    names = {document.path for document in read_documents(ROOT)}
    assert {"README.md", "docs/time.md"} <= names
    assert unescape(re.sub("<[^>]+>", "", pages()["settings"].html)).count("TRACKER_READ")


def test_marks_of_commands_are_not_shown() -> None:
    assert "<!-- measured: hostile -->" in (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
    assert "measured: hostile" not in pages()["faults"].html
    assert "end of hostile" not in pages()["faults"].html


@pytest.mark.parametrize("path", ["/docs?q=" + 201 * "x", "/controls?unknown=x", "/docs/no"])
async def test_pages_of_errors_are_rendered_one_in_an_iteration_of_the_loop(
    services: Services, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    iteration, rendered = 0, list[int]()

    async def count() -> None:
        nonlocal iteration
        while True:
            iteration += 1
            await asyncio.sleep(0)

    def render_problem(*arguments: Any, **options: Any) -> Response:
        rendered.append(iteration)
        return problem_response(*arguments, **options)

    for module in (plain, route):
        monkeypatch.setattr(module, "problem_response", render_problem)
    api, counting = Api(services, OPEN), asyncio.create_task(count())
    answers = await asyncio.gather(*[api.request("GET", path) for _ in range(10)])
    counting.cancel()
    assert {each.status_code for each in answers} <= {400, 404, 413}
    assert len(rendered) == len({*rendered}) == 10


async def test_a_client_searches_and_renders_one_page_at_a_time(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    searching, most = 0, 0

    def find_sections(_: str, with_types: bool) -> Sequence[Result]:
        nonlocal searching, most
        searching += 1
        most = max(most, searching)
        time.sleep(0.02)
        searching -= 1
        return ()

    monkeypatch.setattr(docs, "find_sections", find_sections)
    api = Api(services, OPEN)
    requests = [api.request("GET", f"/docs?q=word{number}") for number in range(10)]
    assert [each.status_code for each in await asyncio.gather(*requests)] == [200] * 10
    assert most == 1
