"""Tasks of readers, each in at most three clicks on visible text from the overview."""

import csv
import re
from collections.abc import AsyncIterator, Mapping
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

    async def fill(self, fields: Mapping[str, str]) -> None:
        """Fill fields by their labels; typing is not counted."""
        for label, text in fields.items():
            await self.page.get_by_label(label, exact=True).fill(text)

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


async def test_gallium_through_hamburg_is_checked_after_the_port_is_corrected(
    site: Site, visit: Visiting
) -> None:
    async with reading(site, visit) as reader:
        await reader.click(re.compile("^Check$"), "nav")
        await reader.fill(
            {"Goods": "gallium", "Country of production": "China", "Destination": "United States"}
        )
        await reader.page.get_by_label("Form").select_option("METAL")
        await reader.page.locator("summary", has_text="Places, firms and content").click()
        await reader.fill({"In transit through": "Hamburg"})
        await reader.click("Check", "main form")
        await reader.click("Use Germany")
        await reader.see(
            re.compile("Gallium, metal, from China through Germany to the United States"),
            "Not confirmed: The export is prohibited",
        )


async def test_wafers_of_gallium_arsenide_are_checked_as_the_compound(
    site: Site, visit: Visiting
) -> None:
    async with reading(site, visit) as reader:
        await reader.click(re.compile("^Check$"), "nav")
        await reader.fill(
            {"Goods": "gallium arsenide", "Country of production": "China", "Destination": "Japan"}
        )
        await reader.page.get_by_label("Form").select_option("ARTICLE")
        await reader.click("Check", "main form")
        await reader.see("'article' is not a form of 'gallium_arsenide'")
        await reader.click("Use compound")
        await reader.see(re.compile("Certainly: .*dual-use licence"))


async def test_the_duty_on_tungsten_carbide_powder_names_the_layers_that_are_missing(
    site: Site, visit: Visiting
) -> None:
    async with reading(site, visit) as reader:
        await reader.click(re.compile("^Check$"), "nav")
        await reader.fill(
            {
                "Goods": "tungsten carbide",
                "HS or tariff code": "2849.90.30",
                "Country of production": "China",
                "Destination": "United States",
            }
        )
        await reader.page.locator("summary", has_text="Places, firms and content").click()
        await reader.fill({"Tariff of the code": "United States"})
        await reader.click("Check", "main form")
        await reader.see(re.compile("at least .*% of the value"), re.compile("not covered:"))


async def test_the_share_of_chinese_magnets_in_german_imports_is_a_sentence(
    site: Site, visit: Visiting
) -> None:
    async with reading(site, visit) as reader:
        await reader.search("Germany")
        await reader.click(re.compile("^Germany$"), "main")
        await reader.click("All products, with export controls", "main")
        await reader.click("Permanent magnets", "main")
        await reader.see(re.compile(r"82\.4.% of the imports of Germany came from China"))


async def test_the_ban_on_nickel_says_since_when_and_can_be_embedded(
    site: Site, visit: Visiting
) -> None:
    async with reading(site, visit) as reader:
        await reader.search("Indonesia nickel ban")
        await reader.see(re.compile("Ban on exports as concentrate or ore .* In force since"))
        await reader.click("Ban on exports as concentrate or ore", "main")
        await reader.see("Indonesia’s ban on exports of nickel as concentrate or ore is in force")
        await reader.click("Embed")
        await reader.see(re.compile("<iframe"))


async def test_two_dates_are_compared_for_one_mineral(site: Site, visit: Visiting) -> None:
    async with reading(site, visit) as reader:
        await reader.page.goto(f"{site.url}/commodities/gallium?valid={DAY}")
        await reader.click(re.compile("^As of"))
        await reader.click("Compare…")
        await reader.see(re.compile(r"^Gallium: \d+ records? differ"))


async def test_all_years_of_cobalt_are_a_file_for_a_spreadsheet(
    site: Site, visit: Visiting
) -> None:
    async with reading(site, visit) as reader:
        await reader.search("cobalt")
        await reader.click(re.compile("^Cobalt$"), "main")
        await reader.click("Download")
        title = reader.page.locator(".tool h3", has_text="Production, all years and editions")
        async with reader.page.expect_download() as download:
            await title.locator("+ ul").get_by_text("CSV for spreadsheets").click()
        path = await (await download.value).path()
        rows = [*csv.DictReader(path.read_text("utf-8").splitlines())]
    assert {"DR Congo", "World"} <= {row["placeName"] for row in rows}
    assert {row["statistic"] for row in rows} == {"PRODUCTION"}
    assert {str(year) for year in range(2021, 2026)} <= {row["year"] for row in rows}


async def test_products_with_full_reliance_are_listed_by_place(site: Site, visit: Visiting) -> None:
    async with reading(site, visit) as reader:
        await reader.search("United States")
        await reader.click(re.compile("^United States$"), "main")
        await reader.click("All products, with export controls", "main")
        await reader.see(re.compile("were all of its consumption of .*products"))


async def test_the_quad_names_its_members_and_announcements(site: Site, visit: Visiting) -> None:
    async with reading(site, visit) as reader:
        await reader.search("Quad")
        await reader.click("Quadrilateral Security Dialogue", "main")
        await reader.see(
            re.compile("4.members on this day: United States, Japan, India and Aus"),
            "Announcements",
        )


async def test_news_on_antimony_can_be_followed_by_calendar(site: Site, visit: Visiting) -> None:
    async with reading(site, visit) as reader:
        await reader.page.goto(f"{site.url}/commodities/antimony?valid={DAY}")
        await reader.click("Follow")
        await reader.see("Calendar", "Atom")


async def test_announcement_61_is_printed_with_its_sources(site: Site, visit: Visiting) -> None:
    async with reading(site, visit) as reader:
        await reader.search("61/2025")
        await reader.click("Export controls on rare-earth items made abroad", "main")
        await reader.page.emulate_media(media="print")
        await reader.see("MOFCOM Announcement 2025 No. 61", re.compile("0.1"))


async def test_the_story_of_china_is_linked_from_its_page(site: Site, visit: Visiting) -> None:
    async with reading(site, visit) as reader:
        await reader.search("China")
        await reader.click(re.compile("^China$"), "main")
        await reader.click("Story of the year", "main")
        await reader.see(
            re.compile("^China: since"), re.compile("Back in force from 28 November 2026")
        )


async def test_the_largest_refiner_of_cobalt_is_named_with_its_share(
    site: Site, visit: Visiting
) -> None:
    async with reading(site, visit) as reader:
        await reader.search("refined cobalt")
        await reader.click(re.compile("^Cobalt$"), "main")
        await reader.click("refinery", "main")
        await reader.see(re.compile(r"China refined 78\.4.% of the world.s output of 2024"))


async def test_the_alliances_of_germany_have_their_dates(site: Site, visit: Visiting) -> None:
    async with reading(site, visit) as reader:
        await reader.search("Germany")
        await reader.click(re.compile("^Germany$"), "main")
        row = reader.page.locator("tr", has_text="Minerals Security Partnership").first
        await expect(row).to_contain_text("2022")


async def test_the_page_of_chile_says_that_no_list_of_its_acts_was_read(
    site: Site, visit: Visiting
) -> None:
    async with reading(site, visit) as reader:
        await reader.search("Chile")
        await reader.click(re.compile("^Chile$"), "main")
        await reader.see("Completeness unknown.", re.compile("No list of export controls"))


async def test_a_first_line_says_whether_its_status_is_confirmed_and_is_proved(
    site: Site, visit: Visiting
) -> None:
    async with reading(site, visit) as reader:
        await reader.search("MOFCOM Announcement 2024 No. 46")
        await reader.click(re.compile("^Dual-use exports to the US"), "main")
        await reader.see(re.compile("in force by their own terms .not confirmed"))
        await reader.click("Proof")
        await reader.see("Download receipt")
