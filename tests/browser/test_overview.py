"""The overview in a browser: the map follows the day, new events are announced, and all works without
scripts."""

import httpx2
from playwright.async_api import expect

from tests.browser.conftest import WRITE_TOKEN, Visiting
from tests.support.api import source
from tests.support.site import Site
from tests.support.time_limits import within

FOUND = "mutation ($input: FoundAllianceInput!) { foundAlliance(input: $input) { __typename } }"


def found_alliance(site: Site, key: str) -> None:
    """Record an event with the token."""
    name = f"An alliance named {key}"
    given = {"id": key, "on": "2025-01-01", "name": name, "members": ["JP"], "source": source()}
    answer = httpx2.post(
        f"{site.url}/graphql",
        json={"query": FOUND, "variables": {"input": given}},
        headers={"Authorization": f"Bearer {WRITE_TOKEN}"},
        timeout=within(30),
    ).json()
    assert "errors" not in answer, answer


async def test_the_map_follows_the_day_of_the_ruler(site: Site, visit: Visiting) -> None:
    async with visit() as tab:
        await tab.open(f"{site.url}/?valid=2026-11-12")
        title = tab.page.locator(".land .CN").locator("xpath=..").locator("title")
        later = await title.text_content()
        await tab.page.click(".axis-v summary")
        await tab.page.locator("form.time input[type=range]").first.focus()
        await tab.page.keyboard.press("PageDown")
        await expect(tab.page.locator(".time .day")).to_contain_text("13 Oct 2026")
        earlier = await title.text_content()
        assert earlier != later
        assert "clauses in force" in str(earlier)


async def test_a_new_event_is_told_of_and_moves_nothing_until_one_asks(
    site: Site, visit: Visiting
) -> None:
    async with visit() as tab:
        await tab.open(f"{site.url}/")
        newest = tab.page.locator("[data-live]")
        await expect(newest.get_by_role("status")).to_contain_text("Live")
        before = await newest.locator("ol").inner_text()
        found_alliance(site, "story-of-the-overview")
        button = newest.locator("a[data-new]")
        await expect(button).to_contain_text("new event", timeout=within(15) * 1000)
        assert await newest.locator("ol").inner_text() == before
        await button.click()
        first = newest.locator("ol > li").first
        await expect(first).to_contain_text("An alliance named story-of-the-overview")


async def test_without_scripts_links_and_forms_choose_what_the_map_shows(
    site: Site, visit: Visiting
) -> None:
    async with visit(scripts=False, width=360) as tab:
        await tab.open(f"{site.url}/?valid=2026-01-01&position=10755")
        await tab.page.get_by_role("link", name="Share of output").click()
        await tab.page.wait_for_url("**map=share**#map")
        await tab.page.locator("select[name=commodity]").select_option("cobalt")
        await tab.page.get_by_role("button", name="Show").click()
        await tab.page.wait_for_url("**commodity=cobalt**")
        for part in ("map=share", "commodity=cobalt", "valid=2026-01-01", "position=10755"):
            assert part in tab.page.url
        await tab.page.get_by_text("Table of the map").click()
        row = tab.page.get_by_role("row", name="DR Congo")
        await row.get_by_role("link").click()
        await tab.page.wait_for_url("**/places/CD?**")
        assert "position=10755" in tab.page.url
        await expect(tab.page.locator("h1")).to_have_text("DR Congo")


async def test_a_country_of_the_map_leads_to_its_page(site: Site, visit: Visiting) -> None:
    async with visit() as tab:
        await tab.open(f"{site.url}/?valid=2026-01-01&position=10755")
        await tab.page.locator(".land .CN").click()
        await expect(tab.page.locator("h1")).to_have_text("China")
        assert "valid=2026-01-01" in tab.page.url
