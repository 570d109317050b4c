"""Any feed: new, changed and removed entries, and possible gaps."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from tests.support.cases import each_case
from tests.support.publishers.feeds import Item, atom, rss
from tests.support.publishers.publisher import (
    Asked,
    Declared,
    Moved,
    Page,
    Publisher,
    Status,
    driven_by,
    truncated,
)
from tests.watch.adapters.drive import TODAY, DrivenPoll, drive, source_of
from tracker.review.finding import LeadCode
from tracker.watch.adapter import Cursor, FetchFailed, NotUnderstood
from tracker.watch.adapters.feed import ADAPTER

ADDRESS = "https://publisher.example/feed.xml"
A, B, C, D = (
    Item(f"https://publisher.example/{name}", title, day)
    for name, title, day in (
        ("a", "Export ban on antimony", "2026-02-23"),
        ("b", "Visit of a delegation", "2026-02-22"),
        ("c", "Licences for rare earths", "2026-02-21"),
        ("d", "Quota for tungsten", "2026-02-20"),
    )
)


def poll(
    page: Page | Publisher,
    cursor: Cursor | None = None,
    today: date = TODAY,
    may_fail: bool = False,
    **options: Any,
) -> DrivenPoll:
    publisher = page if isinstance(page, Publisher) else Publisher({"/feed.xml": page})
    settings = source_of(ADAPTER, ADDRESS, options)
    answer = driven_by(publisher)
    return drive(ADAPTER, settings, answer, cursor=cursor, today=today, may_fail=may_fail)


@each_case("form", [atom, rss])
def test_entries_are_leads_with_title_language_and_day(form: Any) -> None:
    driven = poll(form([replace(C, title="Licences pour les terres rares")], language="fr"))
    [lead] = driven.leads
    origin = lead.origin
    assert (lead.code, origin.item, origin.url) == (LeadCode.ANNOUNCED, C.id, C.id) or form is rss
    assert (origin.title, origin.language) == ("Licences pour les terres rares", "fr")
    assert origin.published_on == date(2026, 2, 21)
    assert origin.place in ("entry[0]", "item[0]")
    assert driven.result
    assert driven.result.covers_until == TODAY - timedelta(days=1)


def test_a_feed_in_chinese_is_read_in_the_encoding_that_it_declares() -> None:
    title = "关于对镓、锗相关物项实施出口管制的公告"
    driven = poll(rss([replace(C, id="c", title=title)], language="zh-cn", encoding="gb2312"))
    assert [(lead.origin.title, lead.origin.language) for lead in driven.leads] == [
        (title, "zh-cn")
    ]
    assert poll(rss([replace(A, title=title)]), terms=["镓"]).leads


def test_rss_1_is_read_too() -> None:
    content = (
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
        ' xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        '<channel rdf:about="x"><title>METI</title><dc:language>ja</dc:language></channel>'
        '<item rdf:about="https://publisher.example/1"><title>輸出貿易管理令</title>'
        "<link>https://publisher.example/1</link><dc:date>2026-02-20T10:00:00+09:00</dc:date>"
        "</item></rdf:RDF>"
    )
    [lead] = poll(Page(content.encode(), "application/rdf+xml")).leads
    assert (lead.origin.title, lead.origin.language) == ("輸出貿易管理令", "ja")
    assert lead.origin.published_on == date(2026, 2, 20)


def test_words_choose_entries_wherever_they_stand() -> None:
    page = atom([replace(A, text="of metal"), B, C, D])
    assert poll(page, terms=["RARE  earth", "metal"]).items == [A.id, C.id]
    assert poll(page, terms=["are"]).items == []
    assert poll(page, without=["delegation", "quota"]).items == [A.id, C.id]


def test_markup_in_titles_is_not_a_part_of_them() -> None:
    item = replace(A, title="Gallium &amp; <b>germanium</b>")
    assert [lead.origin.title for lead in poll(rss([item])).leads] == ["Gallium & germanium"]


def test_only_what_is_new_is_found_again() -> None:
    first = poll(atom([B, C, D]), since="2026-02-22")
    assert first.items == [B.id]
    second = poll(atom([A, B, C]), first.cursor)
    assert second.items == [A.id]
    assert second.result
    assert second.result.warnings == ()
    assert poll(atom([A, B, C]), second.cursor).items == []


def test_an_entry_that_reads_otherwise_is_a_lead() -> None:
    first = poll(atom([A, B]))
    second = poll(atom([replace(A, title="Export ban on bismuth"), replace(B, day="2026-02-25")]))
    changed = poll(atom([replace(A, title="Export ban on bismuth"), B]), first.cursor)
    [lead] = changed.leads
    assert lead.code is LeadCode.ANOTHER_BODY
    assert lead.origin.item == A.id
    assert "its title was: Export ban on antimony" in lead.reason
    assert poll(atom([replace(A, day="2026-02-25"), B]), first.cursor).leads == []
    assert second.items == [A.id, B.id]


def test_an_entry_that_is_taken_out_is_a_lead() -> None:
    first = poll(atom([A, B, C]))
    [lead] = poll(atom([A, C]), first.cursor).leads
    assert (lead.code, lead.origin.title) == (LeadCode.WITHDRAWN, B.title)
    assert poll(atom([A, B]), first.cursor).leads == [], "the oldest just ran out"


def test_an_entry_that_comes_under_another_id_is_new_and_not_withdrawn() -> None:
    first = poll(atom([A, B, C]))
    again = replace(B, id=f"{B.id}#2026-02-28", day="2026-02-28")
    assert poll(atom([again, A, C]), first.cursor).items == [again.id]


def test_a_feed_that_ran_past_all_that_was_seen_is_a_gap() -> None:
    first = poll(atom([C, D]), terms=["licences"])
    driven = poll(atom([A, B]), first.cursor, terms=["licences"])
    [lead] = driven.leads
    assert (lead.code, lead.origin.item) == (LeadCode.GAP, "gap since 2026-03-02")
    assert driven.result
    [warning] = driven.result.warnings
    assert "None of the entries of 2026-03-02" in warning
    assert driven.result.covers_until is None
    assert poll(atom([A, B]), driven.cursor).result.warnings == ()  # type: ignore[union-attr]


def test_an_empty_feed_is_a_gap_and_forgets_nothing() -> None:
    first = poll(atom([A, B]))
    empty = poll(atom([]), first.cursor)
    assert [lead.code for lead in empty.leads] == [LeadCode.GAP]
    assert poll(atom([A, B]), empty.cursor).leads == []


@each_case("form", [atom, rss])
def test_different_entries_with_one_id_fail_the_look_and_equal_ones_are_one(form: Any) -> None:
    driven = poll(form([A, replace(B, id=A.id)]), may_fail=True)
    assert isinstance(driven.failure, NotUnderstood)
    assert f"[0] and {'entry' if form is atom else 'item'}[1]" in str(driven.failure)
    assert A.id in str(driven.failure)
    assert poll(form([A, A, B])).items == [A.id, B.id]


@each_case("form", [atom, rss])
@each_case("link", ["javascript:alert(1)", "data:text/html,x", "http://[::1"])
def test_a_link_that_leads_to_no_page_is_none(form: Any, link: str) -> None:
    assert poll(form([replace(A, link=link)])).leads[0].origin.url == ADDRESS


def test_a_file_with_too_many_entries_is_not_a_feed() -> None:
    many = [Item(f"https://publisher.example/{n}", f"Act {n}", "2026-02-20") for n in range(2001)]
    assert len(poll(atom(many[1:])).items) == 2000
    driven = poll(atom(many), may_fail=True)
    assert "at most 2,000 entries" in str(driven.failure)


def test_older_pages_are_read_until_an_entry_is_known() -> None:
    following = '<link rel="next" href="http://publisher.example/{}"/>'
    publisher = Publisher(
        {
            "/feed.xml": atom([A], head=following.format("2.xml")),
            "/2.xml": atom([B], head=following.format("3.xml")),
            "/3.xml": atom([C], head=following.format("4.xml")),
        }
    )
    first = poll(atom([C, D]))
    driven = poll(publisher, first.cursor)
    assert driven.items == [A.id, B.id]
    assert driven.urls[1:] == ["https://publisher.example/2.xml", "https://publisher.example/3.xml"]
    assert [lead.origin.place for lead in driven.leads] == ["entry[0]", "page 2: entry[0]"]
    assert LeadCode.GAP in {lead.code for lead in poll(publisher, first.cursor, max_pages=2).leads}


def elsewhere(asked: Asked, page: Page) -> Page:
    return Page(b"<!doctype html><html><title>Our new site</title></html>", "text/html")


@each_case(
    ("fault", "code"),
    [
        (truncated, "LAYOUT_CHANGED"),
        (elsewhere, "LAYOUT_CHANGED"),
        (lambda asked, page: Page(b"<feed/>", "application/xml"), "LAYOUT_CHANGED"),
        (
            lambda asked, page: replace(page, content=page.content.replace(b"id>", b"name>")),
            "LAYOUT_CHANGED",
        ),
        (Declared(charset="gb2312"), None),
        (
            lambda asked, page: replace(page, content=page.content.replace(b"ban", b"\xff")),
            "ENCODING",
        ),
        (Status(404), "HTTP_STATUS"),
        (Status(429), "RATE_LIMITED"),
        (Moved("/feed.xml"), "REDIRECT"),
    ],
)
def test_faults_end_the_look(fault: Any, code: str | None) -> None:
    publisher = Publisher({"/feed.xml": atom([A])})
    publisher.fail("/feed.xml", fault)
    driven = poll(publisher, may_fail=True)
    assert driven.failure is None or isinstance(driven.failure, NotUnderstood | FetchFailed)
    assert (driven.failure and driven.failure.code) == code


def test_a_feed_that_moved_is_read_where_it_is() -> None:
    publisher = Publisher({"/new.xml": atom([A])})
    publisher.pages["/feed.xml"] = Page(status=301, headers={"location": "/new.xml"})
    assert poll(publisher).items == [A.id]


@each_case(
    ("options", "message"),
    [
        ({"terms": [""]}, r"\$\.terms\[0\]"),
        ({"language": "Chinese"}, r"\$\.language"),
        ({"max_pages": 99}, r"\$\.max_pages"),
        ({"selector": "p"}, "unknown field `selector`"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=message):
        source_of(ADAPTER, ADDRESS, options)
