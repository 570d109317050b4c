"""Any page: a visible change is a lead, and nothing else is."""

from typing import Any

import msgspec
import pytest

from tests.support.cases import each_case
from tests.support.publishers.publisher import Declared, Page, Publisher, Status, driven_by
from tests.watch.adapters.drive import DrivenPoll, drive, source_of
from tracker.review.finding import LeadCode
from tracker.watch.adapter import Cursor, FetchFailed, NotUnderstood
from tracker.watch.adapters.page import ADAPTER

ADDRESS = "https://publisher.example/licences"
PAGE = """<html lang="pt-BR"><head><title>Licenças</title></head><body>
<nav>Início</nav><main><h1>Licenças</h1><p>Lítio: livre</p><p>Nióbio: livre</p></main>
<footer>Visitas: 17</footer></body></html>"""


def poll(
    content: str | bytes | Page | Publisher,
    cursor: Cursor | None = None,
    may_fail: bool = False,
    **options: Any,
) -> DrivenPoll:
    page = (
        content
        if isinstance(content, Page | Publisher)
        else Page(content if isinstance(content, bytes) else content.encode())
    )
    publisher = page if isinstance(page, Publisher) else Publisher({"/licences": page})
    settings = source_of(ADAPTER, ADDRESS, options)
    return drive(ADAPTER, settings, driven_by(publisher), cursor=cursor, may_fail=may_fail)


def test_the_first_look_only_keeps_what_the_page_says() -> None:
    first = poll(PAGE)
    assert first.findings == []
    assert poll(PAGE, first.cursor).findings == []


def test_a_change_is_a_lead_that_says_what_is_new() -> None:
    first = poll(PAGE)
    second = poll(PAGE.replace("Lítio: livre", "Lítio: licença<br>desde 1 de março"), first.cursor)
    [lead] = second.leads
    assert lead.code is LeadCode.CHANGED
    assert (lead.origin.title, lead.origin.language) == ("Licenças", "pt-BR")
    assert lead.reason.splitlines()[1:] == [
        "2 lines are new, 1 are gone",
        "+ Lítio: licença",
        "+ desde 1 de março",
    ]
    assert first.cursor["sha256"] in lead.reason
    assert poll(PAGE, second.cursor).items == second.items, "and back again, as the same item"


def test_markup_alone_is_not_a_change_and_another_order_is_one() -> None:
    first = poll(PAGE)
    marked = PAGE.replace("<p>Lítio:", '<p class="x">\n  <!-- new -->Lítio:')
    assert poll(marked, first.cursor).findings == []
    swapped = PAGE.replace(
        "<p>Lítio: livre</p><p>Nióbio: livre</p>", "<p>Nióbio: livre</p><p>Lítio: livre</p>"
    )
    [lead] = poll(swapped, first.cursor).leads
    assert "its lines have moved" in lead.reason


def test_only_what_is_selected_counts_without_what_is_ignored() -> None:
    counted = PAGE.replace("17", "18")
    for options in ({"selector": "main"}, {"ignore": [r"^Visitas: \d+$"]}):
        first = poll(PAGE, **options)
        assert poll(counted, first.cursor, **options).findings == []
        assert poll(counted.replace("livre", "licença"), first.cursor, **options).leads
    first = poll(PAGE)
    assert poll(counted, first.cursor).leads


def test_words_choose_the_changes_that_are_leads() -> None:
    first = poll(PAGE, terms=["lítio"])
    assert poll(PAGE.replace("Nióbio: livre", "x"), first.cursor, terms=["lítio"]).leads == []
    assert poll(PAGE.replace("Lítio: livre", "LÍTIO: não"), first.cursor, terms=["lítio"]).leads


def test_of_another_file_the_bytes_count() -> None:
    first = poll(Page(b"%PDF-1", "application/pdf"))
    assert poll(Page(b"%PDF-1", "application/pdf"), first.cursor).findings == []
    [lead] = poll(Page(b"%PDF-2", "application/pdf"), first.cursor).leads
    assert (lead.origin.title, lead.code) == ("A source", LeadCode.CHANGED)


@each_case(
    ("content", "options", "code"),
    [
        (PAGE.replace("main", "div"), {"selector": "main"}, "LAYOUT_CHANGED"),
        ("<script>load()</script>", {}, "LAYOUT_CHANGED"),
        ("", {}, "LAYOUT_CHANGED"),
        ("<meta http-equiv=refresh content='0; url=/new'><p>It moved", {}, "LAYOUT_CHANGED"),
        (PAGE.encode("cp1252"), {}, "ENCODING"),
    ],
)
def test_pages_that_are_not_what_they_were_end_the_look(
    content: str | bytes, options: dict[str, Any], code: str
) -> None:
    driven = poll(content, may_fail=True, **options)
    assert isinstance(driven.failure, NotUnderstood)
    assert driven.failure.code == code


@each_case(
    ("fault", "code"),
    [
        (Declared(charset="gb2312"), "ENCODING"),
        (Status(404), "HTTP_STATUS"),
        (Status(429), "RATE_LIMITED"),
    ],
)
def test_faults_end_the_look(fault: Any, code: str) -> None:
    publisher = Publisher({"/licences": Page("<p>Lítio ÿ".encode("cp1252"))})
    publisher.fail("*", fault)
    driven = poll(publisher, may_fail=True)
    assert isinstance(driven.failure, NotUnderstood | FetchFailed)
    assert driven.failure.code == code


@each_case(
    ("options", "message"),
    [
        ({"selector": "main["}, "expected a CSS selector"),
        ({"ignore": ["ok", "("]}, "expected a regular expression"),
        ({"since": "2026-01-01"}, "unknown field `since`"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=message):
        source_of(ADAPTER, ADDRESS, options)
