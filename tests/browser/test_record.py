"""Recording by forms in a real browser: signed in, without scripts, on a phone, by the keyboard."""

from uuid import uuid4

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import WRITE_TOKEN, Visiting
from tests.support.site import Site

VIOLATIONS = "axe.run().then(found => found.violations.map(one => one.id))"


async def sign_in(page: Page, site: Site, path: str) -> None:
    """Open a page that requires sign-in."""
    await page.goto(f"{site.url}{path}")
    await page.get_by_label("Token").fill(WRITE_TOKEN)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url(f"**{path}")


async def fill_source(page: Page) -> None:
    """Fill in the source of the fact."""
    for name, value in (
        ("publisher", "tracker"),
        ("name", "A browser test"),
        ("publishedOn", "2026-01-05"),
    ):
        await page.locator(f"[name='source.{name}']").fill(value)


@pytest.mark.parametrize(("width", "scripts"), [(1280, True), (360, False)])
async def test_an_editor_founds_an_alliance_by_a_form_and_finds_it(
    visit: Visiting, site: Site, width: int, scripts: bool
) -> None:
    key = f"browser-{uuid4().hex[:8]}"
    async with visit(width=width, scripts=scripts) as tab:
        page = tab.page
        await sign_in(page, site, "/record/foundAlliance")
        await page.get_by_label("Key").fill(key)
        await page.get_by_label("Public on").fill("2026-13-05")
        await page.locator("[name=name]").fill("An alliance of this test")
        await page.locator("[name='members.0']").fill("JP")
        await page.get_by_role("button", name="Add one more to Members").click()
        await page.locator("[name='members.1']").fill("AU")
        await fill_source(page)
        await page.get_by_role("button", name="Preview").click()
        await page.get_by_role("link", name="Public on").click()  # from the summary to the field
        wrong = page.get_by_label("Public on")
        await expect(page.locator("#field-on-error")).to_contain_text("a month from 01 to 12")
        await wrong.fill("2026-01-05")
        await wrong.press("Enter")
        await page.get_by_text("An alliance of this test is founded").first.wait_for()
        assert site.ask("query ($k: String!) { asOf { alliance(id: $k) { key } } }", {"k": key})[
            "asOf"
        ] == {"alliance": None}
        await page.get_by_role("button", name="Record this").click()
        await page.wait_for_url("**/events/*")
        await expect(page.locator("h1")).to_contain_text("An alliance of this test")
        await page.get_by_role("link", name="Retract this event").click()
        await page.get_by_label("Reason").fill("It was of a test.")
        await fill_source(page)
        await page.get_by_role("button", name="Preview").click()
        await page.get_by_role("button", name="Record this").click()
        await page.wait_for_url("**/events/*")


async def test_a_suspension_is_previewed_by_the_keyboard_alone(
    visit: Visiting, site: Site, axe: str
) -> None:
    async with visit() as tab:
        page = tab.page
        await sign_in(page, site, "/record")
        await page.goto(f"{site.url}/controls/cn-mofcom-2025-10")
        link = page.get_by_role("link", name="a suspension of this")
        await link.focus()
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/record/suspendExportControl?id=cn-mofcom-2025-10")
        filled = {"on": "2026-11-20", "clauses.0": "tungsten", "suspendedFrom": "2026-11-21"}
        source = {"publisher": "tracker", "name": "A test", "publishedOn": "2026-11-20"}
        filled |= {f"source.{name}": value for name, value in source.items()}
        await page.locator("[name=id]").focus()
        for _ in range(60):
            await page.keyboard.press("Tab")
            name = await page.evaluate("document.activeElement.name || ''")
            if value := filled.pop(name, None):
                await page.keyboard.type(value)
            if not filled:
                break
        assert not filled
        await page.keyboard.press("Enter")
        await page.get_by_role("heading", name="Statuses over time").wait_for()
        await expect(page.get_by_role("img", name="suspended")).to_have_count(1)
        await page.wait_for_load_state()
        await page.evaluate(f"{axe}\n;0")
        assert await page.evaluate(VIOLATIONS) == []
