"""User stories of commodities and figures: from a picture to the claim behind it, at every size."""

import re

from playwright.async_api import expect

from tests.browser.conftest import Visiting
from tests.support.site import Site

RARE_EARTHS = "/commodities/rare_earths?valid=2026-11-20"
CHINA_2023 = "/figures/rare_earths/CN/production/mine/2023?valid=2026-11-20"


async def test_a_reader_goes_from_the_list_to_the_event_behind_a_mark(
    site: Site, visit: Visiting
) -> None:
    async with visit() as tab:
        page = tab.page
        await tab.open(f"{site.url}/commodities?valid=2026-11-20")
        await page.get_by_role("link", name="Rare earths", exact=True).click()
        await page.get_by_role("link", name="2023", exact=True).first.click()
        await expect(page.get_by_text("World mine production, 2023")).to_be_visible()
        await page.locator(".lines .wide a", has_text="World, 2023: 350,000").click()
        await expect(page.locator("h1")).to_have_text(
            "Rare earths: mine production of the world, 2023"
        )
        row = page.locator("tr", has_text="MCS 2024")
        await expect(row).to_contain_text("restated since")
        await row.locator("a[href^='/events/']").click()
        await expect(page).to_have_url(re.compile(r"/events/\d+\?valid=2026-11-20"))


async def test_a_phone_gets_the_narrow_drawing_and_a_desk_the_wide_one(
    site: Site, visit: Visiting
) -> None:
    for width, shown, hidden in ((360, ".narrow", ".wide"), (1280, ".wide", ".narrow")):
        async with visit(width=width) as tab:
            await tab.open(site.url + RARE_EARTHS)
            await expect(tab.page.locator(f".lines {shown}")).to_be_visible()
            await expect(tab.page.locator(f".lines {hidden}")).to_be_hidden()


async def test_the_colours_of_a_chart_are_those_of_the_theme(site: Site, visit: Visiting) -> None:
    fills = []
    for dark in (False, True):
        async with visit(dark=dark) as tab:
            await tab.open(site.url + RARE_EARTHS)
            name = tab.page.locator(".lines .wide text", has_text="China")
            fills.append(await name.evaluate("text => getComputedStyle(text).fill"))
    assert fills == ["rgb(176, 58, 6)", "rgb(255, 138, 85)"]


async def test_a_mark_is_reached_and_followed_by_the_keyboard(site: Site, visit: Visiting) -> None:
    async with visit() as tab:
        await tab.open(site.url + RARE_EARTHS)
        await tab.page.locator(".lines .wide a", has_text="China, 2023: 255,000").focus()
        await tab.page.keyboard.press("Enter")
        await expect(tab.page.locator("h1")).to_have_text(
            "Rare earths: mine production of China, 2023"
        )


async def test_without_scripts_a_filter_finds_a_figure(site: Site, visit: Visiting) -> None:
    async with visit(scripts=False, width=360) as tab:
        page = tab.page
        await tab.open(f"{site.url}/figures?valid=2026-11-20")
        await page.get_by_label("Commodity").select_option("rare_earths")
        await page.get_by_label("Place").fill("CN")
        await page.get_by_label("Years").fill("2023..2023")
        await page.get_by_role("button", name="Filter").click()
        await page.get_by_role(
            "link", name="Rare earths: mine production of China, 2023"
        ).first.click()
        await expect(page.locator(".hero .big")).to_contain_text("255,000")
        await expect(page.locator(".hero")).to_contain_text("no judgement is recorded")


async def test_on_an_earlier_day_the_page_says_what_was_known_then(
    site: Site, visit: Visiting
) -> None:
    async with visit() as tab:
        await tab.open(site.url + CHINA_2023.replace("2026-11-20", "2024-06-01"))
        await expect(tab.page.locator(".hero .big")).to_contain_text("240,000")
        await expect(tab.page.locator("tbody tr")).to_have_count(1)


async def test_the_text_of_a_mark_is_shown_by_pointer_by_keyboard_and_in_a_row_of_bars(
    site: Site, visit: Visiting
) -> None:
    async with visit(complaints=True) as tab:
        await tab.open(site.url + RARE_EARTHS)
        tip = tab.page.locator(".tip")
        await expect(tip).to_be_hidden()
        mark = tab.page.locator(".lines .wide a[href*='CN%2Fproduction%2Fmine%2F2023']").first
        await mark.focus()
        await expect(tip).to_contain_text("China, 2023: 240,000 t REO, estimated, MCS 2024")
        await tab.page.keyboard.press("Escape")
        await expect(tip).to_be_hidden()
        await mark.hover()
        await expect(tip).to_contain_text("China, 2023: 240,000 t REO, estimated, MCS 2024")
        await tab.page.locator(".bars tbody th a").first.focus()
        await expect(tip).to_contain_text("suspended")
        inside = "tip => tip.getBoundingClientRect().right <= innerWidth"
        assert await tip.evaluate(inside)
        assert tab.complaints == []
