"""The story of an instrument: found in the list, read on both axes, with and without scripts."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Visiting
from tests.support.site import Site

X = "/controls/cn-mofcom-2024-46"


@pytest.mark.parametrize(("width", "scripts"), [(1280, True), (360, False)])
async def test_an_instrument_is_found_by_its_goods_and_read_at_another_moment(
    site: Site, visit: Visiting, width: int, scripts: bool
) -> None:
    async with visit(width=width, scripts=scripts) as tab:
        await tab.open(f"{site.url}/controls?valid=2026-11-25")
        page = tab.page
        await page.locator("select[name=commodity]").select_option("gallium")
        await page.locator("select[name=issuer]").select_option("CN")
        await page.get_by_role("button", name="Filter").click()
        await page.wait_for_url("**commodity=gallium**")
        await expect(page.locator("h1")).to_contain_text("by China on Gallium")
        assert "valid=2026-11-25" in page.url
        await page.get_by_role("link", name="Dual-use exports to the US").first.click()
        heading = page.get_by_role("heading", level=1)
        await expect(heading).to_contain_text(
            re.compile(r"8\s+suspended,\s+which\s+return\s+on\s+28\s+Nov\s+2026")
        )
        rows = page.locator("table.square tbody tr")
        await expect(rows.nth(2)).to_be_attached()
        first = rows.first.locator("svg a").first
        address = await first.get_attribute("href")
        assert address is not None
        await page.goto(site.url + address)
        assert await page.locator("table.square tr.now").count() == 1
        assert await page.locator("table.square .here").count() == 1
        assert await page.locator("table.square tr.later").count() == 0  # pinned on both axes
        assert "are in force" in await page.locator("h1").inner_text()


async def test_the_cells_of_the_square_are_reached_and_opened_by_keyboard(
    site: Site, visit: Visiting
) -> None:
    async with visit() as tab:
        await tab.open(f"{site.url}{X}?valid=2026-11-25")
        page = tab.page
        cell = page.locator("table.square svg a").first
        await cell.focus()
        assert await page.evaluate("document.activeElement.closest('table').className") == "square"
        await page.keyboard.press("Enter")
        await page.wait_for_url("**position=*")
        assert "&position=" in page.url


async def test_every_bar_says_its_status_in_words(site: Site, visit: Visiting) -> None:
    async with visit() as tab:
        await tab.open(f"{site.url}{X}?valid=2026-11-25")
        bars = tab.page.locator("table.bars tbody tr:not(.grp)")
        assert await bars.count() == 10
        for index in range(9):
            row = bars.nth(index)
            label = await row.locator("svg[role=img]").get_attribute("aria-label")
            assert label is not None
            assert label.startswith("in force 3\u00a0Dec\u00a02024 to") or label.startswith(
                "in force from 3\u00a0Dec\u00a02024 on"
            )
            assert await row.locator(".is .st").inner_text() in ("in force", "suspended")


async def test_the_drawing_of_an_instrument_is_a_picture_too(site: Site, visit: Visiting) -> None:
    async with visit() as tab:
        await tab.open(f"{site.url}{X}?valid=2026-11-25&position=11755")
        link = tab.page.get_by_role("link", name="SVG", exact=True)
        address = await link.get_attribute("href")
        response = await tab.page.goto(f"{site.url}{address}")
        assert response is not None
        assert response.headers["content-type"].startswith("image/svg+xml")
        assert "suspended" in await response.text()
