"""User stories: with the keyboard alone, on a phone, without scripts, with a token; hostile texts have
no effect."""

import re
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
from playwright.async_api import Page, expect

from tests.browser.addresses import PAGES
from tests.browser.conftest import WRITE_TOKEN, Visiting
from tests.support.hostile_facts import KEY, SCRIPT_ADDRESS, TEXT
from tests.support.site import Site

CONTROL = "/controls/cn-mofcom-2024-46"
PINNED = f"{CONTROL}?valid=2025-11-20&position=11355"
MAX_TABS = 80


def parameter(page: Page, name: str) -> str | None:
    """Return a parameter of a page's address."""
    return parse_qs(urlsplit(page.url).query).get(name, [None])[0]


async def tab_to(page: Page, selector: str) -> None:
    """Press Tab until an element has the focus."""
    for _ in range(MAX_TABS):
        await page.keyboard.press("Tab")
        if await page.evaluate("s => document.activeElement.matches(s)", selector):
            return
    pytest.fail(f"no tabulator leads to {selector}")


# --- by keyboard


async def test_the_first_tabulator_leads_past_the_head_of_a_page(
    site: Site, visit: Visiting
) -> None:
    async with visit() as tab:
        await tab.open(site.url + CONTROL)
        await tab.page.keyboard.press("Tab")
        await expect(tab.page.locator("a.skip")).to_be_focused()
        await tab.page.keyboard.press("Enter")
        await expect(tab.page).to_have_url(re.compile("#"))
        await tab.page.keyboard.press("Tab")
        assert await tab.page.evaluate("document.activeElement.closest('main') !== null")


@pytest.mark.parametrize("name", ["overview", "commodity", "control", "places", "check"])
async def test_the_answer_comes_after_at_most_eight_stops_of_the_keyboard(
    site: Site, visit: Visiting, name: str
) -> None:
    async with visit() as tab:
        await tab.open(site.url + PAGES[name])
        before = await tab.page.evaluate(
            """() => {
                const answer = document.querySelector(".answer") ?? document.querySelector("h1");
                return [...document.querySelectorAll("a[href], button, input, select, summary")]
                    .filter(one => one.checkVisibility() && one.type !== "hidden")
                    .filter(one => answer.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_PRECEDING)
                    .map(one => one.textContent);
            }"""
        )
    assert len(before) <= 8, before


@pytest.mark.parametrize("name", ["overview", "commodity", "control"])
async def test_the_title_of_a_page_on_a_phone_begins_near_the_top(
    site: Site, visit: Visiting, name: str
) -> None:
    async with visit(width=390) as tab:
        await tab.open(site.url + PAGES[name])
        box = await tab.page.locator("h1").bounding_box()
    assert box is not None
    assert box["y"] <= 160


async def test_a_chip_of_the_moment_stays_open_while_the_ruler_is_used(
    site: Site, visit: Visiting
) -> None:
    async with visit() as tab:
        await tab.open(site.url + PINNED)
        await tab.page.click(".axis-v summary")
        await tab.page.click(".time a[data-step=previous]")
        await tab.page.wait_for_url(lambda url: "valid=2025-11-20" not in url)
        await expect(tab.page.locator("#valid")).to_be_visible()


async def test_arrows_on_the_ruler_lead_from_turn_to_turn(site: Site, visit: Visiting) -> None:
    async with visit() as tab:
        await tab.open(site.url + PINNED)
        await tab.page.click(".axis-v summary")
        await tab_to(tab.page, ".time input[type=range]")
        await tab.page.keyboard.press("ArrowRight")
        await tab.page.wait_for_url(lambda url: "valid=2025-11-20" not in url)
        later = parameter(tab.page, "valid")
        assert later
        assert later > "2025-11-20"
        await expect(tab.page.locator("#valid")).to_have_value(later)
        await tab.page.keyboard.press("ArrowLeft")
        await tab.page.wait_for_url(lambda url: f"valid={later}" not in url)
        assert (parameter(tab.page, "valid") or later) < later
        assert parameter(tab.page, "position") == "11355"


async def test_the_moment_is_chosen_by_keyboard_without_scripts(
    site: Site, visit: Visiting
) -> None:
    async with visit(scripts=False) as tab:
        await tab.open(site.url + PINNED)
        await tab.page.click(".axis-k summary")
        await tab.page.locator("#position").focus()
        await tab.page.keyboard.press("Control+A")
        await tab.page.keyboard.type("11455")
        await tab.page.keyboard.press("Enter")
        await tab.page.wait_for_url(lambda url: "position=11455" in url)
        assert parameter(tab.page, "valid") == "2025-11-20"
        await tab.page.click(".axis-v summary")
        await tab.page.locator("[data-step=next]").focus()
        await tab.page.keyboard.press("Enter")
        await tab.page.wait_for_url(lambda url: "valid=2025-11-20" not in url)


async def test_a_list_is_narrowed_by_keyboard(site: Site, visit: Visiting) -> None:
    async with visit(scripts=False) as tab:
        await tab.open(f"{site.url}/docs")
        await tab_to(tab.page, "#q")
        await tab.page.keyboard.type("TRACKER_READ")
        await tab.page.keyboard.press("Enter")
        await expect(tab.page.locator(".found mark").first).to_contain_text("TRACKER")
        await tab_to(tab.page, ".found a")
        await tab.page.keyboard.press("Enter")
        await expect(tab.page.locator("h1")).to_have_text("Settings")


@pytest.mark.parametrize(
    ("width", "name"),
    [
        (360, "control"),
        *((1280, name) for name in ("overview", "places", "commodity", "controls", "control")),
        *((1280, name) for name in ("alliances", "announcements", "figure", "changes", "event")),
        (1280, "search"),
    ],
)
async def test_every_place_that_has_the_focus_can_be_seen(
    site: Site, visit: Visiting, width: int, name: str
) -> None:
    async with visit(width=width) as tab:
        await tab.open(site.url + PAGES[name])
        for _ in range(25):
            await tab.page.keyboard.press("Tab")
            shown = await tab.page.evaluate(
                """() => {
                    const one = document.activeElement, box = one.getBoundingClientRect();
                    return box.right > 0 && box.bottom > 0 && box.left < innerWidth
                        && box.top < innerHeight && one.matches(':focus-visible, [type=date]');
                }"""
            )
            assert shown, await tab.page.evaluate("document.activeElement.outerHTML")


# --- on a phone, and without scripts


@pytest.mark.parametrize("scripts", [True, False])
async def test_from_the_overview_to_the_evidence_in_two_taps_on_a_phone(
    site: Site, visit: Visiting, scripts: bool
) -> None:
    async with visit(width=360, scripts=scripts) as tab:
        await tab.open(site.url + CONTROL)
        await tab.page.locator('main a[href^="/events/"]').first.click()
        await tab.page.wait_for_url(lambda url: "/events/" in url)
        await expect(tab.page.locator('main a[href^="http"]').first).to_be_visible()


async def test_a_page_says_by_itself_where_its_data_are(site: Site, visit: Visiting) -> None:
    async with visit(scripts=False) as tab:
        await tab.open(site.url + PINNED)
        links = tab.page.locator('link[rel="alternate"]')
        for place in range(await links.count()):
            link = await links.nth(place).get_attribute("href")
            answer = await tab.page.request.get(urljoin(site.url, link or ""))
            assert answer.status in (200, 501), link


@pytest.mark.parametrize(
    "path",
    [
        f"/controls/{KEY}",
        f"/alliances/{KEY}",
        f"/announcements/{KEY}",
        "/events",
        "/search?q=hostile",
    ],
)
async def test_text_of_strangers_is_escaped(site: Site, visit: Visiting, path: str) -> None:
    async with visit() as tab:
        await tab.open(site.url + path)
        assert await tab.page.title() != "run"
        assert await tab.page.locator("main script, main img, main iframe").count() == 0
        addresses = await tab.page.evaluate(
            "[...document.querySelectorAll('[href], [src], [action]')].map(each =>"
            " each.getAttribute('href') ?? each.getAttribute('src') ?? each.getAttribute('action'))"
        )
        assert not [each for each in addresses if each.strip().lower().startswith("javascript:")]
        if KEY in path and "?" not in path:
            assert "<script>document.title='run'</script>" in await tab.page.inner_text("main")
            assert SCRIPT_ADDRESS in await tab.page.inner_text("main")


async def test_their_tables_hold_no_formula(site: Site, visit: Visiting) -> None:
    async with visit() as tab:
        await tab.open(f"{site.url}/about")
        answer = await tab.page.request.get(f"{site.url}/controls.csv?search=HYPERLINK")
        assert answer.status == 200
        cells = (await answer.text()).replace('""', "'").split('"')
        assert TEXT[:10] in await answer.text()
        assert not [cell for cell in cells if cell.startswith(("=", "+", "@"))]


# --- with a token


async def test_a_token_holder_signs_in_reads_and_signs_out(
    closed_site: Site, visit: Visiting
) -> None:
    async with visit() as tab:
        await tab.open(closed_site.url + PINNED)
        assert urlsplit(tab.page.url).path == "/sign-in"
        await tab_to(tab.page, "#token")
        await tab.page.keyboard.type("wrong")
        await tab.page.keyboard.press("Enter")
        await expect(tab.page.get_by_role("alert")).to_contain_text("Not signed in")
        await tab_to(tab.page, "#token")
        await tab.page.keyboard.type(WRITE_TOKEN)
        await tab.page.keyboard.press("Enter")
        await tab.page.wait_for_url(closed_site.url + PINNED)
        assert WRITE_TOKEN not in await tab.page.content()
        assert await tab.page.evaluate("document.cookie") == ""
        [cookie] = await tab.page.context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Lax", "/")
        await tab.open(f"{closed_site.url}/sign-in")
        await tab.page.get_by_role("button", name="Sign out").click()
        await expect(tab.page.locator("h1")).to_have_text("Sign in")
        assert await tab.page.context.cookies() == []
        await tab.page.goto(closed_site.url + PINNED)  # the browser shows no cached page either
        assert urlsplit(tab.page.url).path == "/sign-in"


async def test_a_page_of_another_site_can_send_no_form_with_the_cookie(
    closed_site: Site, visit: Visiting
) -> None:
    async with visit(complaints=True) as tab:
        await tab.open(f"{closed_site.url}/sign-in")
        await tab.page.locator("#token").fill(WRITE_TOKEN)
        await tab.page.keyboard.press("Enter")
        await tab.page.wait_for_url(lambda url: "/sign-in" not in url)
        await tab.page.goto(
            "data:text/html,<form method=post action="
            f"'{closed_site.url}/sign-out'><button>Win</button></form>"
        )
        await tab.page.get_by_role("button", name="Win").click()
        await expect(tab.page.locator("h1")).to_contain_text("do not have permission")
        assert await tab.page.context.cookies(closed_site.url)


async def test_the_link_that_never_changes_is_copied_also_after_a_step_in_time(
    site: Site, visit: Visiting
) -> None:
    async with visit() as tab:
        await tab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        await tab.open(f"{site.url}/alliances/quad")
        await tab.page.click(".axis-v summary")
        await tab.page.click(".time a[data-step=previous]")
        await tab.page.wait_for_url("**valid=**")
        await tab.page.click("summary:text('Cite')")
        await tab.page.click("a[data-copy-link]")
        await tab.page.wait_for_selector("a[data-copy-link]:text('Copied')")
        copied = await tab.page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(f"{site.url}/alliances/quad?valid=")
    assert "position=" in copied


@pytest.mark.parametrize(
    "path",
    [
        PAGES["story"],
        "/story?commodity=rare_earths&from=2010-01-01&valid=2026-12-01",
        "/story?commodity=critical_minerals&from=2020-01-01&valid=2026-12-01",
        "/check?commodity=gallium&form=METAL&origin=CN&destination=US&valid=2026-12-01",
        "/check?commodity=rare_earths&origin=CN&destination=US&valid=2026-12-01",
    ],
)
async def test_a_page_for_paper_has_at_most_two_sheets(
    site: Site, visit: Visiting, path: str
) -> None:
    async with visit() as tab:
        await tab.open(site.url + path)
        paper = await tab.page.pdf(format="A4")
    assert 1 <= len(re.findall(rb"/Type\s*/Page\b", paper)) <= 2
