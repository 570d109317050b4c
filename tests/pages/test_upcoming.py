"""Upcoming changes as a room of their own."""

import re

from tests.pages.test_reading_pages import read
from tests.support.api import Api


async def test_the_return_of_the_october_controls_is_listed_with_its_date(corpus: Api) -> None:
    text = await read(corpus, "/upcoming?valid=2026-10-01&commodity=Gallium&place=China")
    assert re.search(r"28.Nov.2026 .*Returns", text)
    assert "in the next 6 months" in text


async def test_a_longer_period_lists_at_least_as_many_changes(corpus: Api) -> None:
    counts = []
    for days in ("92", "183", "365"):
        text = await read(corpus, f"/upcoming?valid=2026-10-01&days={days}")
        counts.append(int(re.search(r"Upcoming changes (\d+) change", text)[1]))  # type: ignore[index]
    assert counts == sorted(counts)
    assert counts[0] > 0


async def test_an_empty_list_says_that_later_acts_may_exist(corpus: Api) -> None:
    text = await read(corpus, "/upcoming?valid=2026-10-01&days=92&place=Fiji")
    assert "No recorded act sets a date in the next 3 months for these filters." in text
    assert "That does not mean that nothing will change" in text


async def test_the_room_has_a_calendar_and_a_table(corpus: Api) -> None:
    html = (await corpus.request("GET", "/upcoming?place=China")).text
    assert 'href="/upcoming.ics?place=CN"' in html
    [table] = re.findall(r'href="/tables/upcoming\.csv\?([^"]*)"', html)[:1]
    assert set(table.split("&amp;")) == {"days=183", "place=CN"}
