"""Calendars: the days to come."""

from __future__ import annotations

from datetime import date

from icalendar import Calendar

from tests.support.api import Api
from tests.support.loops import IN_SESSION

pytestmark = IN_SESSION


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
