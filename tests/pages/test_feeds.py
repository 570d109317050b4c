"""Feeds: what is new in the log as Atom, the days to come as a calendar, narrowed as the page is."""

from __future__ import annotations

from datetime import date
from xml.etree import ElementTree

from icalendar import Calendar

from schema.services import Services
from tests.support.api import Api, source
from tests.support.loops import IN_FUNCTION, IN_SESSION

pytestmark = IN_SESSION

ATOM = "{http://www.w3.org/2005/Atom}"


async def entries(api: Api, path: str) -> list[ElementTree.Element]:
    """The entries of an Atom feed."""
    answer = await api.request("GET", path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/atom+xml")
    return ElementTree.fromstring(answer.text).findall(f"{ATOM}entry")


@IN_FUNCTION
async def test_a_new_event_is_the_first_entry_whatever_its_day(corpus_services: Services) -> None:
    corpus = Api(corpus_services)
    before = await entries(corpus, "/announcements.atom")
    recorded = await corpus.do(
        "recordAnnouncement",
        {
            "id": "late",
            "kind": "STATEMENT",
            "title": "Told <late> & “quoted”",
            "on": "1999-01-01",
            "actors": ["JP"],
            "source": source(),
        },
    )
    after = await entries(corpus, "/announcements.atom")
    assert after[0].findtext(f"{ATOM}id") == f"http://localhost/events/{recorded['position']}"
    assert "Told <late> & “quoted”" in (after[0].findtext(f"{ATOM}title") or "")
    assert after[1].findtext(f"{ATOM}id") == before[0].findtext(f"{ATOM}id")
    japan = await entries(corpus, "/announcements.atom?actor=JP")
    assert japan[0].findtext(f"{ATOM}id") == after[0].findtext(f"{ATOM}id")
    others = await entries(corpus, "/announcements.atom?actor=CD")
    assert after[0].findtext(f"{ATOM}id") not in [one.findtext(f"{ATOM}id") for one in others]


async def test_a_feed_is_refused_what_it_cannot_be_narrowed_by(corpus: Api) -> None:
    answer = await corpus.request("GET", "/announcements.atom?topic=tariffs")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["extensions"]["path"] == ["topic"]
    assert (await corpus.request("GET", "/about.ics")).status_code == 404


async def test_the_calendar_has_the_days_to_come_and_no_others(corpus: Api) -> None:
    path = "/controls.ics?valid=2026-11-20"
    answer = await corpus.request("GET", path)
    assert answer.headers["content-type"].startswith("text/calendar")
    found = Calendar.from_ical(answer.text).walk("VEVENT")
    returns = [event for event in found if event["dtstart"].dt == date(2026, 11, 28)]
    assert "http://localhost/controls/cn-mofcom-2024-46" in {str(one["url"]) for one in returns}
    assert all(event["dtstart"].dt > date(2026, 11, 20) for event in found)
    again = await corpus.request("GET", path)
    assert again.text == answer.text, "a calendar that changes by itself is shown as changed"
    one = await corpus.request("GET", "/controls/cn-mofcom-2024-46.ics?valid=2026-11-20")
    assert {str(each["url"]) for each in Calendar.from_ical(one.text).walk("VEVENT")} == {
        "http://localhost/controls/cn-mofcom-2024-46"
    }
    gallium = await corpus.request("GET", "/controls.ics?valid=2026-11-20&commodity=gallium")
    assert 0 < len(Calendar.from_ical(gallium.text).walk("VEVENT")) < len(found)
