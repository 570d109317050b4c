"""Calendars: upcoming changes appear in users' calendars, move there, and are cancelled."""

from datetime import date, timedelta
from typing import Any

from icalendar import Calendar

from schema.services import Services
from tests.support.api import Api, control, source, suspension


async def read_calendar(api: Api, path: str) -> Any:
    """Return a calendar as parsed by other software."""
    answer = await api.request("GET", path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/calendar")
    found = Calendar.from_ical(answer.content)
    assert not found.errors
    assert not [event.errors for event in found.events if event.errors]
    return found


async def end_of_suspension(api: Api, day: str) -> Any:
    """Return the one event of a calendar with a return."""
    found = await read_calendar(api, f"/controls.ics?valid={day}")
    [event] = [one for one in found.events if "back in force" in str(one["summary"])]
    return event


async def test_the_end_of_a_suspension_moves_when_it_is_extended_and_is_cancelled(
    services: Services,
) -> None:
    api = Api(services)
    await api.do("announceExportControl", control())
    await api.do("suspendExportControl", suspension())
    first = await end_of_suspension(api, "2026-11-20")
    assert first["dtstart"].dt == date(2026, 11, 28)
    assert (first["dtend"].dt, first["sequence"]) == (date(2026, 11, 29), 0)
    assert str(first["url"]) == "http://localhost/controls/x"

    longer = {"id": "x", "on": "2025-12-01", "suspendedUntil": "2027-05-31", "source": source()}
    await api.do("extendSuspension", longer)
    moved = await end_of_suspension(api, "2026-11-20")
    assert moved["uid"] == first["uid"], "another event would stand beside the old one"
    assert moved["dtstart"].dt == date(2027, 6, 1)
    assert moved["sequence"] == 1
    assert moved["last-modified"].dt >= first["last-modified"].dt == first["dtstamp"].dt
    assert moved["created"] == first["created"]
    assert moved["status"] == "TENTATIVE"
    assert "Not confirmed: it follows from the dates of an act." in moved["description"]
    assert "28\N{NO-BREAK SPACE}Nov\N{NO-BREAK SPACE}2026 (position 2)" in moved["description"]

    repeal = {"id": "x", "on": "2026-01-10", "repealedFrom": "2026-01-10", "source": source()}
    await api.do("repealExportControl", repeal)
    gone = await end_of_suspension(api, "2026-11-20")
    assert (gone["uid"], gone["sequence"], gone["status"]) == (first["uid"], 2, "CANCELLED")
    assert str(gone["summary"]).startswith("Withdrawn: ")
    as_told = await read_calendar(api, "/controls.ics?valid=2026-11-20&position=2")
    assert date(2026, 11, 28) in [event["dtstart"].dt for event in as_told.events]


async def test_the_calendar_has_the_days_to_come_and_those_that_passed_lately(corpus: Api) -> None:
    path = "/controls.ics?valid=2026-11-20"
    found = await read_calendar(corpus, path)
    returns = [event for event in found.events if event["dtstart"].dt == date(2026, 11, 28)]
    assert "http://localhost/controls/cn-mofcom-2024-46" in {str(one["url"]) for one in returns}
    assert all(event["dtstart"].dt >= date(2026, 10, 20) for event in found.events)
    assert len({event["uid"] for event in found.events}) == len(found.events)
    assert found["refresh-interval"].dt == timedelta(hours=6)
    one = await read_calendar(corpus, "/controls/cn-mofcom-2024-46.ics?valid=2026-11-20")
    assert {str(each["url"]) for each in one.events} == {
        "http://localhost/controls/cn-mofcom-2024-46"
    }
    for narrowed in ("commodity=gallium", "hsCode=8112", "issuer=CN"):
        fewer = await read_calendar(corpus, f"{path}&{narrowed}")
        uids = {event["uid"] for event in fewer.events}
        assert 0 < len(uids) < len(found.events)
        assert uids < {event["uid"] for event in found.events}, "the same in every calendar"


async def test_a_day_that_was_postponed_has_its_whole_history(corpus: Api) -> None:
    data = await corpus.ask(
        'query ($entity: String) { asOf(validAt: "2026-11-20") { scheduled(entity: $entity, days: 100) {'
        " nodes { withdrawn days { day } transition { clause transition } } } } }",
        entity="export-control/cn-mofcom-2025-21",
    )
    assert {
        "withdrawn": False,
        "days": [{"day": "2025-08-12"}, {"day": "2025-11-10"}, {"day": "2026-11-10"}],
        "transition": {"clause": "1", "transition": "RETURNS"},
    } in data["asOf"]["scheduled"]["nodes"]


async def test_a_calendar_is_sent_again_only_when_it_changed(corpus: Api) -> None:
    for path in ("/index.ics", "/places/CN.ics", "/commodities/gallium.ics", "/changes.ics"):
        first = await corpus.request("GET", path)
        tag = {"if-none-match": first.headers["etag"]}
        assert (await corpus.request("GET", path, headers=tag)).status_code == 304
        assert "http://localhost/index" not in first.text.replace("/index.ics", "")
