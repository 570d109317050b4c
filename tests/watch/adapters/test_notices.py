"""Lists of notices in HTML: in their language and encoding, over pages, and nothing missed."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec
import pytest

from tests.support.cases import each_case
from tests.support.publishers.publisher import Page, Publisher, Status, driven_by
from tests.watch.adapters.drive import DrivenPoll, drive, source_of
from tracker.review.finding import LeadCode
from tracker.watch.adapter import NotUnderstood
from tracker.watch.adapters.notices import ADAPTER

SITE = "https://ministry.example"
TODAY = date(2025, 9, 20)
FRENCH: dict[str, Any] = {
    "language": "fr",
    "item": "ul.actes > li",
    "days": "%d %B %Y",
    "since": date(2025, 1, 1),
    "next": "a.suivant",
}
LANGUAGES: dict[str, tuple[dict[str, Any], str, str, str, str]] = {
    "id": (
        {
            "item": "table.jdih tr:has(a)",
            "title": "td.judul",
            "day": "td.tanggal",
            "days": "%d %B %Y",
            "number": r"(Nomor \d+ Tahun \d{4})",
        },
        "<table class=jdih><tr><th>Judul<tr><td class=judul>{}<td class=tanggal>17 Agustus 2025"
        "<td><a href=/unduh/1>Unduh</a></table>",
        "Peraturan Menteri Nomor 11 Tahun 2025 tentang ekspor bijih nikel",
        "utf-8",
        "Nomor 11 Tahun 2025",
    ),
    "fr": (
        {"item": "ul.actes > li", "days": "%d %B %Y", "number": r"n° ?(\d{4}-\d+)"},
        "<ul class=actes><li><a href=/acte/1>{}</a><p>17 août 2025</ul>",
        "Décret n° 2025-77 relatif à l’exportation du lithium",
        "iso-8859-1",
        "2025-77",
    ),
    "es": (
        {"item": "div.norma", "day": "time", "day_attribute": "datetime", "days": "%Y-%m-%d"},
        "<div class=norma><a href=/norma/1>{}</a><time datetime='2025-08-17T09:00'>ayer</time></div>",
        "Resolución Nº 77 sobre la exportación de litio y niobio",
        "utf-8",
        "",
    ),
    "zh": (
        {"item": "ul > li", "days": "%Y年%m月%d日"},
        "<ul><li><a href=/a/1>{}</a>2025年8月17日</ul>",
        "关于稀土出口管制的公告",
        "gb18030",
        "",
    ),
}


def poll(
    publisher: Publisher, options: Mapping[str, Any], cursor: Any = None, **more: Any
) -> DrivenPoll:
    settings = source_of(ADAPTER, f"{SITE}/list", options)
    return drive(ADAPTER, settings, driven_by(publisher), cursor=cursor, today=TODAY, **more)


def french(*notices: tuple[int, str, str], next_page: str | None = None) -> Page:
    items = "".join(
        f"<li><a href=/acte/{n}>{title}</a> <i>{day}</i></li>" for n, day, title in notices
    )
    link = f"<a class=suivant href={next_page}>suivant</a>" if next_page else ""
    return Page(f"<meta charset=utf-8><ul class=actes>{items}</ul>{link}".encode())


@each_case("language", LANGUAGES)
def test_titles_are_kept_in_their_language_and_encoding(language: str) -> None:
    options, html, title, encoding, number = LANGUAGES[language]
    content = f"<meta charset={encoding}>{html.format(title)}".encode(
        "cp1252" if encoding == "iso-8859-1" else encoding
    )
    publisher = Publisher({"/list": Page(content)})
    found = poll(publisher, {"language": language, "since": date(2025, 1, 1), **options})
    [lead] = found.leads
    assert (lead.code, lead.origin.title, lead.origin.language) == (
        LeadCode.ANNOUNCED,
        title,
        language,
    )
    assert (lead.origin.published_on, lead.origin.number) == (date(2025, 8, 17), number or None)


def test_pages_are_followed_until_what_is_known_and_each_notice_is_said_once() -> None:
    publisher = Publisher(
        {
            "/list": french((3, "3 mars 2025", "C"), (2, "2 mars 2025", "B"), next_page="/list2"),
            "/list2": french((2, "2 mars 2025", "B"), (1, "1er mars 2025", "A")),
        }
    )
    first = poll(publisher, FRENCH)
    assert [lead.origin.title for lead in first.leads] == ["A", "B", "C"]
    publisher.pages["/list"] = french(
        (4, "4 mars 2025", "D"), (3, "3 mars 2025", "C"), next_page="/list2"
    )
    second = poll(publisher, FRENCH, first.cursor)
    assert [lead.origin.title for lead in second.leads] == ["D"]
    assert poll(publisher, FRENCH, second.cursor).urls == [f"{SITE}/list"]


def test_only_notices_with_one_of_the_terms_count() -> None:
    publisher = Publisher(
        {"/list": french((2, "2 mars 2025", "Arrêté LITHIUM"), (1, "1er mars 2025", "Voirie"))}
    )
    found = poll(publisher, {**FRENCH, "terms": ["lithium", "cobalt"]})
    assert [lead.origin.title for lead in found.leads] == ["Arrêté LITHIUM"]
    assert poll(publisher, {**FRENCH, "terms": ["lithium"]}, found.cursor).findings == []


def test_notices_are_read_where_the_settings_say_so() -> None:
    publisher = Publisher(
        {"/list": french((2, "2 mars 2025", "B"), (1, "1er mars 2025", "A")), "/acte/1": Page(b"a")}
    )
    found = poll(publisher, {**FRENCH, "read_notices": True})
    assert [(lead.origin.title, lead.code) for lead in found.leads] == [
        ("A", LeadCode.ANNOUNCED),
        ("B", LeadCode.NOT_READ),
    ]
    assert found.leads[0].origin.url == f"{SITE}/acte/1"


def test_a_notice_that_is_gone_was_withdrawn_and_one_that_is_not_listed_was_not() -> None:
    publisher = Publisher(
        {"/list": french((2, "2 mars 2025", "B"), (1, "1er mars 2025", "A")), "/acte/2": Page(b"b")}
    )
    first = poll(publisher, FRENCH)
    publisher.pages["/list"] = french((1, "1er mars 2025", "A"))
    assert poll(publisher, FRENCH, first.cursor).findings == []
    publisher.fail("/acte/2", Status(500), times=1)
    unsure = poll(publisher, FRENCH, first.cursor)
    assert unsure.findings == []
    publisher.fail("/acte/2", Status(410))
    [lead] = poll(publisher, FRENCH, unsure.cursor).leads
    assert (lead.code, lead.origin.title) == (LeadCode.WITHDRAWN, "B")


def test_a_list_that_ran_past_all_that_was_seen_is_a_gap() -> None:
    publisher = Publisher({"/list": french((2, "2 mars 2025", "B"), (1, "1er mars 2025", "A"))})
    first = poll(publisher, FRENCH)
    publisher.pages["/list"] = french((9, "9 mars 2025", "I"), (8, "8 mars 2025", "H"))
    second = poll(publisher, FRENCH, first.cursor)
    assert [lead.code for lead in second.leads] == [LeadCode.GAP, *[LeadCode.ANNOUNCED] * 2]
    assert second.result is not None
    assert second.result.covers_until is None
    assert len(second.result.warnings) == 1
    third = poll(publisher, FRENCH, second.cursor)
    assert third.findings == []


@each_case(
    ("page", "code"),
    [
        ("<p>Site en maintenance", "LAYOUT_CHANGED"),
        ("<ul class=actes><li><a href=/acte/1>A</a> bientôt</ul>", "LAYOUT_CHANGED"),
        ("<ul class=actes><li>A <i>1er mars 2025</i></ul>", "LAYOUT_CHANGED"),
        ("<ul class=actes><li><a href=/acte/1>A</a> 1er mars 1404</ul>", "LAYOUT_CHANGED"),
        ("<meta charset=utf-8><ul class=actes><li>\xe9", "ENCODING"),
    ],
)
def test_unreadable_responses_fail_the_poll(page: str, code: str) -> None:
    publisher = Publisher({"/list": Page(page.encode("cp1252"), charset=None)})
    if code == "LAYOUT_CHANGED":
        publisher.pages["/list"] = Page(page.encode(), charset="utf-8")
    found = poll(publisher, FRENCH, may_fail=True)
    assert isinstance(found.failure, NotUnderstood)
    assert found.failure.code == code


def test_a_list_that_can_not_be_read_back_far_enough_fails() -> None:
    publisher = Publisher(
        {
            f"/list{n or ''}": french((n, "1er mars 2025", "A"), next_page=f"/list{n + 1}")
            for n in range(20)
        }
    )
    found = poll(publisher, FRENCH, may_fail=True)
    assert isinstance(found.failure, NotUnderstood)
    assert found.failure.code == "INCOMPLETE"
    assert len(found.requests) == 10


@each_case(
    "wrong",
    [
        {"item": "ul:::"},
        {"days": "%d %B"},
        {"language": "sv"},
        {"number": "(("},
        {"number": "no group"},
        {"selector": "unknown"},
        {"since": "soon"},
        {"max_pages": 0},
        {"max_pages": -1},
        {"max_pages": 10**6},
    ],
)
def test_wrong_options_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        source_of(ADAPTER, SITE, {**FRENCH, **wrong})
