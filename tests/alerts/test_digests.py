"""Digests: each change once, in its category; nothing recorded late is lost."""

import re
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schema.pages.alerts.digests import Digests, comparison
from schema.pages.alerts.lines import Selection, page_lines
from schema.pages.alerts.targets import parse_target
from schema.pages.alerts.texts import (
    Category,
    Digest,
    Line,
    Point,
    arranged,
    digest_letter,
    subject,
)
from schema.services import Services
from tests.support.api import Api, clause, control, source
from tests.support.cases import each_case
from tests.support.fact_builders import announced, fact, suspended
from tests.support.fact_builders import clause as ban
from tracker.alerts.letter import html, plain, render
from tracker.clock import now
from tracker.domain.controls.export_control_acts import Amended

SINCE, UNTIL = Point(date(2026, 11, 1), 100), Point(date(2026, 11, 29), 200)
DAYS = st.dates(date(2026, 10, 20), date(2026, 12, 20))
SITE = "https://example.org"


def event(
    position: int, on: date, corrects: bool = False, retracted: bool = False
) -> dict[str, Any]:
    """Return an event that was recorded after the first moment."""
    source = {"name": "MOFCOM", "publishedOn": "2026-11-01", "level": "VERIFIED", "unsupported": []}
    return {
        "position": str(position),
        "type": "ExportControl.Announced",
        "entity": f"export-control/{position}",
        "publicOn": on.isoformat(),
        "summary": f"act {position}",
        "data": {"on": on.isoformat()},
        "source": source,
        "correctionOf": {"position": "1"} if corrects else None,
        "retractedBy": {"position": "2"} if retracted else None,
    }


def transition(
    entity: int, clause: str, day: date, position: int, confirmation: str
) -> dict[str, Any]:
    """Return a transition of a clause."""
    return {
        "day": day.isoformat(),
        "entity": f"export-control/{entity}",
        "kind": "EXPORT_CONTROL",
        "transition": "RETURNS",
        "basis": "TERMS",
        "clause": clause,
        "member": None,
        "confirmation": confirmation,
        "summary": f"clause {clause} of {entity} returns",
        "because": {"position": str(position)},
    }


CONFIRMATIONS = st.sampled_from(["CONFIRMED", "BY_TERMS", "CONTRADICTED"])
EVENTS = st.lists(
    st.builds(event, st.integers(101, 200), DAYS, st.booleans(), st.booleans()),
    unique_by=lambda one: str(one["position"]),
)
TRANSITIONS = st.lists(
    st.builds(
        transition,
        st.integers(1, 3),
        st.sampled_from("12"),
        st.dates(SINCE.day + timedelta(1), UNTIL.day + timedelta(30)),
        st.integers(1, 200),
        CONFIRMATIONS,
    ),
    unique_by=lambda one: (one["entity"], one["clause"], one["day"]),
)


@st.composite
def controls(draw: Any) -> list[dict[str, Any]]:
    """Return controls that differ, with the confirmations of their clauses."""

    def clauses() -> list[dict[str, Any]]:
        return [
            {"key": key, "confirmation": draw(CONFIRMATIONS), "statusStatement": "in force"}
            for key in draw(st.sets(st.sampled_from("12")))
        ]

    return [
        {
            "entity": f"export-control/{number}",
            "before": draw(st.sampled_from([None, {"clauses": clauses()}])),
            "after": {"title": f"control {number}", "clauses": clauses()},
        }
        for number in draw(st.sets(st.integers(1, 3)))
    ]


@given(EVENTS, TRANSITIONS, controls())
def test_each_change_is_listed_once_and_none_is_lost(
    events: list[dict[str, Any]], transitions: list[dict[str, Any]], differing: list[dict[str, Any]]
) -> None:
    lines = arranged(page_lines(events, transitions, differing, SINCE, UNTIL, Selection()))
    assert len({line.key for line in lines}) == len(lines)
    by_key = {line.key: line for line in lines}
    for one in events:
        line = by_key[f"event/{one['position']}"]
        late = one["publicOn"] < SINCE.day.isoformat()
        if one["correctionOf"]:
            assert line.category is Category.CORRECTED
        else:
            assert line.category is (Category.LATE if late else Category.NEW)
    passed = [one for one in transitions if one["day"] <= UNTIL.day.isoformat()]
    expected = {
        f"transition/{one['entity']}/{one['clause']}/RETURNS/{one['day']}"
        for one in transitions
        if one not in passed or int(one["because"]["position"]) <= SINCE.position
    }
    assert {key for key in by_key if key.startswith("transition/")} == expected
    for control_ in differing:
        was = {
            one["key"]: one["confirmation"] for one in (control_["before"] or {}).get("clauses", [])
        }
        for one in control_["after"]["clauses"]:
            if one["confirmation"] == "CONTRADICTED" != was.get(one["key"]):
                key = f"{control_['entity']}/{one['key']}"
                contradicted = [line for line in lines if line.category is Category.CONTRADICTED]
                assert any(key in line.key for line in contradicted)


@given(EVENTS, TRANSITIONS)
def test_a_letter_has_every_line_in_both_texts_and_only_permanent_links(
    events: list[dict[str, Any]], transitions: list[dict[str, Any]]
) -> None:
    lines = arranged(page_lines(events, transitions, [], SINCE, UNTIL, Selection()))
    digest = Digest("Gallium", "/a", "/changes?b=1", SINCE, UNTIL, lines)
    made = digest_letter(digest, SITE)
    for text in (plain(made), html(made)):
        for category in Category:
            shown = [line for line in lines if line.category is category][:40]
            for line in shown:
                link = line.path.replace("&", "&amp;") if text.startswith("<") else line.path
                assert f"{SITE}{link}" in text
                assert "valid=2026-11-29" in line.path
                assert "position=200" in line.path
    changes = [line for line in lines if line.category is not Category.UPCOMING]
    assert ("no change recorded" in made.subject) == (not changes)
    assert "nothing changed" not in plain(made).lower()


def lines_of(
    events: list[dict[str, Any]], transitions: list[dict[str, Any]], since: Point = SINCE
) -> list[Line]:
    """Return the lines of a digest of some events and transitions."""
    return arranged(page_lines(events, transitions, [], since, UNTIL, Selection()))


@each_case(
    ("kind", "clause_", "lines"),
    [("APPEARS", None, 0), ("CHANGES", None, 0), ("AMENDED", "1", 0), ("SUSPENDED", "1", 1)],
)
def test_an_act_of_an_earlier_digest_is_not_a_status_change_on_its_day(
    kind: str, clause_: str | None, lines: int
) -> None:
    act = transition(1, "1", UNTIL.day, SINCE.position, "CONFIRMED")
    act |= {"transition": kind, "clause": clause_, "basis": "ACT"}
    assert len(lines_of([], [act])) == lines


@each_case(
    ("recorded", "category", "text"),
    [
        ("2026", Category.NEW, "2026: act 150"),
        ("2026-11", Category.NEW, "November 2026: act 150"),
        ("2026-10", Category.LATE, "October 2026: act 150"),
        ("2026-10-01", Category.LATE, "1 October 2026: act 150"),
    ],
)
def test_a_date_is_written_as_it_is_recorded_and_late_only_if_it_is_certainly_late(
    recorded: str, category: Category, text: str
) -> None:
    act = event(150, date.fromisoformat((recorded + "-01-01")[:10])) | {"data": {"on": recorded}}
    [line] = lines_of([act], [])
    assert line.category is category
    assert text in plain(digest_letter(Digest("Gallium", "/a", None, SINCE, UNTIL, [line]), SITE))


def test_the_subject_counts_the_changes() -> None:
    events = [event(101, UNTIL.day), event(102, UNTIL.day), event(103, date(2026, 10, 1))]
    lines = arranged(page_lines(events, [], [], SINCE, UNTIL, Selection()))
    digest = Digest("Gallium", "/a", "/b", SINCE, UNTIL, lines)
    assert subject(digest) == "Gallium: 2 new records, 1 recorded late"


def test_a_long_title_leaves_room_for_the_changes() -> None:
    digest = Digest("x" * 300, "/a", "/b", SINCE, UNTIL, [])
    assert subject(digest).endswith("…: no change recorded")
    assert len(subject(digest)) < 100


def test_a_line_break_in_a_title_is_not_a_header() -> None:
    digest = Digest("a\r\nBcc: x@example.org", "/a", "/b", SINCE, UNTIL, [])
    content = render(digest_letter(digest, SITE), "T <t@example.com>", now()).content
    assert b"Bcc:" in content
    assert b"\r\nBcc:" not in content.partition(b"\r\n\r\n")[0]
    assert b"<script" not in content


async def test_a_digest_compares_two_moments_of_a_log(services: Services) -> None:
    api, digests = Api(services), Digests(services)
    await api.do("announceExportControl", control("x", clause("1"), clause("2")))
    await services.commands.record("export-control/x", suspended("1", end="2026-11-20"))
    since = Point(date(2026, 11, 10), await services.recorder.head())
    await api.do("announceExportControl", control("late"))
    wrong = await api.do("announceExportControl", control("wrong"))
    reason = {"reason": "misread", "source": source()}
    await api.do("retractEvent", {"eventId": wrong["eventId"], **reason})
    until = Point(date(2026, 11, 29), await services.recorder.head())
    digest = await digests.digest(parse_target("/commodities/gallium"), since, until)
    told = {(line.category, line.key.partition("/")[0]) for line in digest.lines}
    assert (Category.STATUS, "transition") in told, "it returns on 21 November"
    counts = digest.counts
    assert counts[Category.LATE] == 2
    assert counts[Category.CORRECTED] == 1
    assert "Retracted at position" in " ".join(line.remark for line in digest.lines)
    again = await digests.digest(parse_target("/commodities/gallium"), until, until)
    assert not again.counts
    other = await digests.digest(parse_target("/commodities/copper"), since, until)
    assert not other.counts


async def test_a_digest_of_a_place_lists_acts_and_no_declarations_of_read_lists(
    services: Services,
) -> None:
    api, digests, today = Api(services), Digests(services), date(2026, 11, 29)
    since = Point(today, await services.recorder.head())
    read = {"on": "2026-11-29", "issuer": "CN", "acts": "EXPORT_CONTROL", "name": "Announcements"}
    listed = {"last": "2026-11-28", "checkedBy": "tests", "source": source()}
    await api.do("declareCoverage", {"id": "cn-list", **read, **listed})
    until = Point(today, await services.recorder.head())
    of_place, of_log = [
        await digests.digest(parse_target(path), since, until) for path in ("/places/CN", "/events")
    ]
    assert not of_place.counts
    assert of_log.counts == {Category.NEW: 1}


async def test_an_act_that_was_recorded_the_day_before_its_date_is_listed_once(
    services: Services,
) -> None:
    digests, target = Digests(services), parse_target("/commodities/gallium")
    await services.commands.record(
        "export-control/x", announced(ban("1", inForceFrom="2026-11-29"), on="2026-11-29")
    )
    head = await services.recorder.head()
    first, second = Point(date(2026, 11, 28), head), Point(date(2026, 11, 29), head)
    digest = await digests.digest(target, Point(date(2026, 11, 27), 0), first)
    assert digest.counts == {Category.NEW: 1}
    assert not (await digests.digest(target, first, second)).counts


async def test_an_act_of_yesterday_that_takes_effect_later_is_new_and_rests_on_no_older_act(
    services: Services,
) -> None:
    digests, target = Digests(services), parse_target("/commodities/gallium")
    await services.commands.record(
        "export-control/x", announced(ban("1", inForceFrom="2026-12-18"), on="2026-11-28")
    )
    today = date(2026, 11, 29)
    digest = await digests.digest(target, Point(today, 0), Point(today, 1))
    assert digest.counts == {Category.NEW: 1}
    [upcoming] = [line for line in digest.lines if line.category is Category.UPCOMING]
    assert upcoming.day == "2026-12-18"
    assert upcoming.remark == "Not confirmed: it follows from the dates of an act."


async def test_an_act_that_took_effect_before_the_previous_digest_is_recorded_late(
    services: Services,
) -> None:
    digests, target = Digests(services), parse_target("/commodities/gallium")
    await services.commands.record(
        "export-control/x", announced(ban("1", inForceFrom="2026-11-20"), on="2026-11-10")
    )
    today = date(2026, 11, 29)
    digest = await digests.digest(target, Point(today, 0), Point(today, 1))
    assert digest.counts == {Category.LATE: 1}


async def test_digests_that_follow_each_other_list_what_one_over_the_whole_time_lists(
    services: Services,
) -> None:
    digests, target = Digests(services), parse_target("/controls")
    points = [Point(date(2026, 11, 1), 0)]
    for number in range(4):
        await services.commands.record(f"export-control/{number}", announced())
        await services.commands.record(
            f"export-control/{number}", suspended("1", end=f"2026-11-{10 + number}")
        )
        points.append(Point(date(2026, 11, 5 + 5 * number), await services.recorder.head()))
    whole = await digests.digest(target, points[0], points[-1])
    parts = [await digests.digest(target, start, end) for start, end in pairwise(points)]
    keys = [
        line.key for part in parts for line in part.lines if line.category is not Category.UPCOMING
    ]
    assert len(keys) == len(set(keys)), "each change once"
    events = {line.key for line in whole.lines if line.key.startswith("event/")}
    assert events == {key for key in keys if key.startswith("event/")}


SHIPMENT = "/check?commodity=gallium&origin=CN&destination=US"


async def shipment_digest(services: Services, since: Point) -> Digest:
    """Return the digest of a shipment from a moment up to the present."""
    until = Point(UNTIL.day, await services.recorder.head())
    return await Digests(services).digest(parse_target(SHIPMENT), since, until)


async def test_a_new_act_on_a_shipment_with_a_later_first_day_is_a_change(
    services: Services,
) -> None:
    act = announced(ban("1"), ban("2", commodities=["germanium"]))
    await services.commands.record("export-control/x", act)
    since = Point(date(2026, 11, 20), await services.recorder.head())
    assert not (await shipment_digest(services, since)).counts
    other = suspended("2", start="2026-12-10", end="2027-12-01", on="2026-11-25")
    await services.commands.record("export-control/x", other)
    assert not (await shipment_digest(services, since)).counts, "the clause covers other goods"
    later = suspended("1", start="2028-12-10", end=None, on="2026-11-25")
    await services.commands.record("export-control/x", later)
    digest = await shipment_digest(services, since)
    assert digest.counts == {Category.NEW: 1}
    [line] = digest.lines
    assert "suspended from 10 December 2028" in line.text
    same_day = Point(UNTIL.day, since.position)
    assert (await shipment_digest(services, same_day)).counts == {Category.NEW: 1}
    assert line.path.startswith("/events/3?")


async def test_a_rule_that_differs_by_a_new_act_is_not_a_status_change(services: Services) -> None:
    act = announced(ban("1"), instrument="Act")
    await services.commands.record("export-control/x", act)
    since = Point(date(2026, 11, 20), await services.recorder.head())
    await services.commands.record(
        "export-control/x", suspended("1", start="2026-11-25", end="2027-01-01")
    )
    digest = await shipment_digest(services, since)
    [line] = [one for one in digest.lines if "no longer applies" in one.text]
    assert line.category is Category.NEW
    assert "suspended from 25 November 2026" in line.remark
    assert line.text.count("clause 1)") == 1
    assert Category.STATUS not in digest.counts
    assert digest.counts[Category.NEW] <= 2


async def test_a_rule_that_differs_by_date_is_a_status_change(services: Services) -> None:
    await services.commands.record("export-control/x", announced())
    await services.commands.record("export-control/x", suspended("1", end="2026-11-24"))
    since = Point(date(2026, 11, 20), await services.recorder.head())
    digest = await shipment_digest(services, since)
    assert digest.counts == {Category.STATUS: 1}
    assert "a rule applies" in digest.lines[0].text
    later = suspended("1", start="2028-12-10", end=None, on="2026-11-25")
    await services.commands.record("export-control/x", later)
    digest = await shipment_digest(services, since)
    assert digest.counts == {Category.STATUS: 1, Category.NEW: 1}


@each_case(
    ("page", "filters"),
    [
        ("/commodities/gallium", "commodity=gallium"),
        ("/places/CN", "place=CN"),
        ("/controls?commodity=gallium", "commodity=gallium"),
        ("/alliances", "kind=ALLIANCE"),
        ("/changes", ""),
        ("/search?q=gallium", None),
        ("/events?types=ExportControl.Announced", None),
        ("/controls/cn-mofcom-2024-46", None),
        (SHIPMENT, None),
    ],
)
def test_a_comparison_is_about_the_page(page: str, filters: str | None) -> None:
    path = comparison(parse_target(page), SINCE, UNTIL)
    if filters is None:
        assert path is None
        text = plain(digest_letter(Digest("x", "/a", path, SINCE, UNTIL, []), SITE))
        assert "omparison" not in text
    else:
        assert path is not None
        assert filters in path


async def place_digest(services: Services, place: str, since: Point) -> Digest:
    """Return the digest of a place from a moment up to the present."""
    until = Point(UNTIL.day, await services.recorder.head())
    return await Digests(services).digest(parse_target(f"/places/{place}"), since, until)


async def test_a_digest_of_a_place_lists_controls_of_others_that_name_it(
    services: Services,
) -> None:
    since = Point(date(2026, 11, 20), await services.recorder.head())
    to_japan, to_all = ban("japan", destinations=["JP"]), ban("all")
    act = announced(to_japan, to_all, title="Gallium", on="2026-11-25")
    await services.commands.record("export-control/x", act)
    on_imports = announced(
        ban("1", measure="tariff", origins=["JP", "KR"], inForceFrom="2026-11-26"),
        issuer="US",
        direction="import",
        on="2026-11-25",
    )
    await services.commands.record("export-control/y", on_imports)
    await services.commands.record("export-control/z", announced(ban("1"), on="2026-11-25"))
    digest = await place_digest(services, "JP", since)
    assert {line.key for line in digest.lines} == {"event/1", "event/2"}
    assert (await place_digest(services, "DE", since)).counts == {}
    assert any("all places" in one for one in digest.remarks)


async def test_a_line_on_an_act_names_its_destination_and_its_limit(services: Services) -> None:
    to_japan = ban("1", destinations=["JP"], items=[{"name": "Artisanal gallium"}])
    act = announced(to_japan, title="Gallium", on="2026-11-25")
    await services.commands.record("export-control/x", act)
    digests, target = Digests(services), parse_target("/commodities/gallium")
    digest = await digests.digest(target, Point(date(2026, 11, 20), 0), Point(UNTIL.day, 1))
    [line] = [one for one in digest.lines if one.key == "event/1"]
    assert "exports of gallium to Japan" in line.text.replace("\xa0", " ")
    assert "only Artisanal gallium" in line.text


async def test_a_digest_of_a_place_follows_only_clauses_that_name_it(services: Services) -> None:
    act = announced(
        ban("japan", destinations=["JP"], inForceFrom="2026-11-24"),
        ban("korea", destinations=["KR"], inForceFrom="2026-11-25"),
        on="2026-11-01",
    )
    await services.commands.record("export-control/x", act)
    since = Point(date(2026, 11, 20), await services.recorder.head())
    digest = await place_digest(services, "JP", since)
    assert [line.day for line in digest.lines] == ["2026-11-24"]
    assert digest.counts == {Category.STATUS: 1}
    to_all = fact(Amended, "2026-11-26", clauses=[ban("japan", inForceFrom="2026-11-24")])
    await services.commands.record("export-control/x", to_all)
    digest = await place_digest(services, "JP", since)
    assert digest.counts == {Category.STATUS: 1, Category.NEW: 1}, "it named the place before"


PAGES = (
    "/", "/controls", "/controls?commodity=gallium&issuer=CN", "/controls/cn-mofcom-2024-46",
    "/commodities", "/commodities/gallium", "/places/CN", "/search?q=gallium", "/upcoming",
    "/changes?commodity=gallium", "/events", "/figures?commodity=gallium", "/alliances",
    "/announcements", "/check?commodity=gallium&from=CN&to=US",
)  # fmt: skip


@each_case("page", PAGES)
async def test_every_kind_of_page_has_digests_of_the_shipped_corpus(
    read_services: Services, page: str
) -> None:
    head = await read_services.recorder.head()
    since, until = Point(date(2026, 11, 1), head - 50), Point(date(2026, 11, 29), head)
    digest = await Digests(read_services).digest(parse_target(page), since, until)
    text = plain(digest_letter(digest, SITE))
    assert digest.title
    assert re.search(r"position \d+", text)
    assert len({line.key for line in digest.lines}) == len(digest.lines)
