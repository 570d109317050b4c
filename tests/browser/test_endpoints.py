"""Endpoints in a real browser: added, parked, replayed and removed by forms, without scripts too."""

import re
from uuid import uuid4

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Visiting
from tests.support.site import Site
from tests.support.tokens import token
from tests.support.visit import WIDTHS
from tracker.auth.scopes import Scope
from tracker.postgres.database import Target

VIOLATIONS = "axe.run().then(found => found.violations.map(one => one.id))"
WIDER = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


async def sign_in(page: Page, site: Site, secret: str) -> None:
    """Open the endpoints page through the sign-in page."""
    await page.goto(f"{site.url}/endpoints")
    if "/sign-in" not in page.url:
        await page.goto(f"{site.url}/sign-in?next=/endpoints")
    await page.get_by_label("Token").fill(secret)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url("**/endpoints")


async def do(page: Page, what: str, **fields: str) -> None:
    """Open a form, fill it in and send it."""
    summary = page.locator("summary", has_text=what)
    form = page.locator(".actions > details", has=summary)
    if not await form.get_attribute("open"):
        await summary.click()
    for name, value in {**fields, "reason": "a browser test"}.items():
        await form.locator(f"[name='{name}']").fill(value)
    await form.get_by_role("button").click()


@pytest.mark.parametrize(("dark", "scripts"), [(True, True), (False, False)])
async def test_an_owner_adds_manages_and_removes_an_endpoint(
    visit: Visiting, site: Site, site_target: Target, axe: str, dark: bool, scripts: bool
) -> None:
    name = f"n{uuid4().hex[:8]}"
    secret = await token(site_target, Scope.ENDPOINT, name=f"owner-{name}")
    async with visit(dark=dark, scripts=scripts) as tab:
        page = tab.page
        await sign_in(page, site, secret)
        await page.get_by_label("Address").fill("http://receiver.invalid/")
        await page.get_by_label("Name").fill(name)
        await page.get_by_label("Sign with a shared secret too").check()
        await page.get_by_role("button", name="Add an endpoint").click()
        await expect(page.locator("#add-url-error")).to_contain_text("https")
        await expect(page.get_by_label("Sign with a shared secret too")).to_be_checked()
        await page.get_by_label("Address").fill("https://receiver.invalid/")
        await page.get_by_role("button", name="Add an endpoint").click()
        await expect(page.get_by_label("The shared secret")).to_have_text(re.compile("^whsec_"))
        await page.get_by_role("link", name=f"Continue to {name}").click()
        await do(page, "Pause")
        await expect(page.get_by_role("status")).to_contain_text("The endpoint is paused")
        await do(page, "Replay", **{"from": "999999"})
        await expect(page.get_by_role("alert")).to_contain_text("expected a position")
        await page.wait_for_load_state()
        if scripts:
            await page.evaluate(f"{axe}\n;0")
            assert await page.evaluate(VIOLATIONS) == []
            for width in WIDTHS:
                await page.set_viewport_size({"width": width, "height": 900})
                assert not await page.evaluate(WIDER), width
        await do(page, "Remove", confirmed=name)
        await page.wait_for_url("**/endpoints?do=remove")
        await expect(page.get_by_role("status")).to_contain_text("The endpoint was removed")
        if scripts:
            await page.evaluate(f"{axe}\n;0")
            assert await page.evaluate(VIOLATIONS) == []
