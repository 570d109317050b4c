"""Tasks of readers, each in at most three clicks on visible text from the overview."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Visiting
from tests.support.site import Site

MAX_CLICKS = 3
DAY = "2026-11-29"


class Reader:
    """A reader who starts at the overview; clicks are counted, typing is not."""

    def __init__(self, page: Page):
        self.page = page
        self._clicks = 0

    async def search(self, text: str) -> None:
        """Search from the head of the page."""
        await self.page.fill("#find", text)
        await self.page.press("#find", "Enter")
        await self.page.wait_for_url(re.compile("/search"))

    async def click(self, text: str | re.Pattern[str], within: str = "body") -> None:
        """Click on the first visible text in a part of the page."""
        self._clicks += 1
        assert self._clicks <= MAX_CLICKS
        found = self.page.locator(f"{within} :is(a, button, summary)").filter(has_text=text)
        await found.locator("visible=true").first.click()

    async def see(self, *texts: str | re.Pattern[str]) -> None:
        """Expect texts on the page."""
        for text in texts:
            shown = self.page.locator("body").get_by_text(text).locator("visible=true").first
            await expect(shown).to_be_visible()


@asynccontextmanager
async def reading(site: Site, visit: Visiting) -> AsyncIterator[Reader]:
    """Open the overview."""
    async with visit() as tab:
        await tab.open(f"{site.url}/?valid={DAY}")
        yield Reader(tab.page)


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        (
            "Is gallium export to the US allowed?",
            "Ban on exports as metal to the United States. In force by",
        ),
        ("nickel Indonesia", "Quota on production"),
        (
            "tungsten carbide from China to Germany",
            "Dual-use licensing of certain exports as alloy",
        ),
    ],
)
async def test_a_search_answers(site: Site, visit: Visiting, query: str, answer: str) -> None:
    async with reading(site, visit) as reader:
        await reader.search(query)
        await reader.see(answer)


async def test_the_page_of_tungsten_says_that_refinery_figures_are_missing(
    site: Site, visit: Visiting
) -> None:
    async with reading(site, visit) as reader:
        await reader.search("refined tungsten")
        await reader.click(re.compile("^Tungsten$"), "main")
        await reader.see("No figures for refinery production are recorded.")


async def test_changes_of_china_in_november_2025_are_compared(site: Site, visit: Visiting) -> None:
    async with reading(site, visit) as reader:
        await reader.click("Changes", "nav")
        await reader.click("Compare", "nav")
        await reader.page.fill("main [name=from]", "2025-11-01")
        await reader.page.fill(".body [name=valid]", "2025-11-30")
        await reader.page.fill("main [name=place]", "China")
        await reader.click("Compare", ".body")
        await reader.see(re.compile("suspended"))


async def test_members_of_alliances_stand_side_by_side(site: Site, visit: Visiting) -> None:
    async with reading(site, visit) as reader:
        await reader.click("Places", "nav")
        await reader.click("Alliances", "nav")
        await reader.see("Pax Silica", "Forum on Resource Geostrategic Engagement (FORGE)")


async def test_producers_of_rare_earths_in_2023_are_ranked(site: Site, visit: Visiting) -> None:
    async with reading(site, visit) as reader:
        await reader.search("rare earths")
        await reader.click(re.compile("^Rare earths$"), "main")
        await reader.click(re.compile("^2023$"), "main")
        await reader.see(re.compile("Mine production, 2023"))


async def test_changes_of_the_next_six_months_are_two_clicks_away(
    site: Site, visit: Visiting
) -> None:
    async with reading(site, visit) as reader:
        await reader.click("Changes", "nav")
        await reader.click("Upcoming", "nav")
        await reader.see(re.compile("in the next 6 months"))


async def test_the_clauses_on_a_code_are_downloaded_for_a_spreadsheet(
    site: Site, visit: Visiting
) -> None:
    async with reading(site, visit) as reader:
        await reader.search("8112")
        await reader.click("controls that may cover these goods", "main")
        await reader.click("Download")
        files = reader.page.locator(".tool h3", has_text="Clauses").locator("+ ul")
        async with reader.page.expect_download() as download:
            await files.get_by_text("CSV for spreadsheets").click()
        path = await (await download.value).path()
        assert path.read_text("utf-8").startswith("control,issuer,")


async def test_a_control_is_cited(site: Site, visit: Visiting) -> None:
    async with reading(site, visit) as reader:
        await reader.search("MOFCOM Announcement 2024 No. 46")
        await reader.click(re.compile("^Dual-use exports to the US"), "main")
        await reader.click("Cite")
        await reader.see("Critical-minerals policy tracker: “China’s ban")


async def test_a_commodity_is_followed_by_a_feed(site: Site, visit: Visiting) -> None:
    async with reading(site, visit) as reader:
        await reader.search("antimony")
        await reader.click(re.compile("^Antimony$"), "main")
        await reader.click("Follow")
        await reader.see("Atom", "Calendar")


async def test_the_image_of_a_commodity_is_offered(site: Site, visit: Visiting) -> None:
    async with reading(site, visit) as reader:
        await reader.search("gallium")
        await reader.click(re.compile("^Gallium$"), "main")
        await reader.click("Download")
        await reader.see("SVG")


async def test_the_lists_behind_an_answer_are_one_click_away(site: Site, visit: Visiting) -> None:
    async with reading(site, visit) as reader:
        await reader.search("gallium")
        await reader.click("Lists that were read", "main")
        await reader.see(re.compile("read by"))


async def test_a_table_is_sorted_by_the_head_of_a_column(site: Site, visit: Visiting) -> None:
    async with reading(site, visit) as reader:
        await reader.search("rare earths")
        await reader.click(re.compile("^Rare earths$"), "main")
        names = reader.page.locator("table.rank").first.locator("tbody th")
        before = await names.all_inner_texts()
        await reader.click("Place", "table.rank")
        assert await names.all_inner_texts() == sorted(before)
