"""Every page: fit for all people and all screens, light, and the same without scripts."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio

from schema.pages.registry import PAGES as ALL_PAGES
from tests.browser.addresses import PAGES, STATUS, VARIANTS
from tests.browser.conftest import Visiting
from tests.support.site import Site
from tests.support.visit import HEIGHT, WIDTHS

MAX_BYTES, MAX_BYTES_WITH_CHARTS = 100_000, 450_000
"""Of a page with all that it loads, compressed."""
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN_AXE = """run => axe.run({runOnly: run, resultTypes: ["violations"]}).then(found =>
    found.violations.map(each => [each.id, each.nodes.slice(0, 3).map(node => node.html)]))"""
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
PHONE_WIDTH = 390
PHONE_WIDTHS = [width for width in WIDTHS if width < 640]
SIDEWAYS = """() => [...document.querySelectorAll("table.cards")]
    .filter(table => table.parentElement.scrollWidth > table.parentElement.clientWidth)
    .map(table => table.textContent.slice(0, 80))"""
"""Wide tables that scroll although their rows should be cards."""
DESKTOP_WIDTH = 1280
MENU_LINES = (
    "new Set([...document.querySelectorAll('.top nav > ul > li')].map(a => a.offsetTop)).size"
)
MAX_STOPS, MAX_TITLE_TOP = 8, 160
"""Tab stops before the title, which begins the answer; and its distance from the top on a phone in pixels."""
STOPS = """() => [...document.querySelectorAll(
        "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']")]
    .filter(each => each.checkVisibility()
        && document.querySelector("h1").compareDocumentPosition(each) & Node.DOCUMENT_POSITION_PRECEDING)
    .map(each => each.innerText || each.name)"""
TITLE_TOP = "document.querySelector('h1').getBoundingClientRect().top"
CONTENT = """() => ({
    heading: document.querySelector("h1").innerText,
    headings: document.querySelectorAll("h1").length,
    language: document.documentElement.lang,
    rows: document.querySelectorAll("main tr").length,
    items: document.querySelectorAll("main li").length,
})"""


@dataclass
class Seen:
    """The observations of a page."""

    name: str
    violations: list[Any] = field(default_factory=list)
    overflows: dict[int, int] = field(default_factory=dict)
    sideways: list[str] = field(default_factory=list)
    stops: list[str] = field(default_factory=list)
    title_top: float = 0
    menu_lines: int = 0
    loaded_bytes: int = 0
    has_charts: bool = False
    content: dict[str, Any] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)


@pytest_asyncio.fixture(
    scope="module",
    loop_scope="session",
    params=[
        pytest.param(name, marks=[pytest.mark.nightly] if name in VARIANTS else [])
        for name in PAGES
    ],
)
async def seen(
    request: pytest.FixtureRequest, site: Site, visit: Visiting, axe: str
) -> AsyncIterator[Seen]:
    """Observe a page once for all tests: in light on a desktop, in dark on a phone, at all widths."""
    found = Seen(request.param)
    async with visit(complaints=True) as tab:
        await tab.open(site.url + PAGES[found.name], STATUS.get(found.name, 200))
        found.loaded_bytes = await tab.loaded_bytes()
        found.has_charts = await tab.page.locator("main svg").count() > 0
        await tab.page.evaluate(axe)
        found.violations += await tab.page.evaluate(RUN_AXE, WCAG)
        await tab.page.emulate_media(color_scheme="dark")
        for width in WIDTHS:
            await tab.page.set_viewport_size({"width": width, "height": HEIGHT})
            if over := await tab.page.evaluate(OVERFLOW):
                found.overflows[width] = over
            if width in PHONE_WIDTHS:
                found.sideways += await tab.page.evaluate(SIDEWAYS)
            if width == PHONE_WIDTH:
                found.stops = await tab.page.evaluate(STOPS)
                found.title_top = await tab.page.evaluate(TITLE_TOP)
            if width == PHONE_WIDTHS[0]:
                found.violations += await tab.page.evaluate(RUN_AXE, WCAG)
        await tab.page.set_viewport_size({"width": DESKTOP_WIDTH, "height": HEIGHT})
        found.menu_lines = await tab.page.evaluate(MENU_LINES)
        found.content = await tab.page.evaluate(CONTENT)
        found.complaints = tab.complaints
    yield found


async def test_no_rule_of_accessibility_is_broken_in_light_or_dark(seen: Seen) -> None:
    assert seen.violations == []


async def test_nothing_overflows_at_any_width(seen: Seen) -> None:
    assert seen.overflows == {}


async def test_an_answer_begins_after_few_tab_stops_and_near_the_top_of_a_phone(seen: Seen) -> None:
    assert len(seen.stops) <= MAX_STOPS, seen.stops
    assert seen.title_top <= MAX_TITLE_TOP or "strangers" in seen.name, "their names are long"


async def test_the_menu_is_on_one_line_of_a_wide_screen(seen: Seen) -> None:
    assert seen.menu_lines <= 1, "0 without a menu"


async def test_wide_tables_are_cards_on_phones(seen: Seen) -> None:
    assert seen.sideways == []


async def test_cards_keep_the_roles_of_a_table_and_name_their_columns(
    site: Site, visit: Visiting
) -> None:
    async with visit(scripts=False) as tab:
        await tab.page.set_viewport_size({"width": 375, "height": HEIGHT})
        await tab.open(f"{site.url}/places/CN")
        cell = tab.page.get_by_role("region", name="Production by product").get_by_role("cell")
        label = "getComputedStyle(document.querySelector('.cards td'), '::before').content"
        assert await cell.count() > 10
        assert await tab.page.get_by_role("columnheader", name="Commodity").count() == 1
        assert await tab.page.evaluate(label) == '"2020"'


async def test_the_policy_holds_and_nothing_comes_from_elsewhere(seen: Seen) -> None:
    assert seen.complaints == []


async def test_a_page_is_light(seen: Seen) -> None:
    assert 0 < seen.loaded_bytes <= (MAX_BYTES_WITH_CHARTS if seen.has_charts else MAX_BYTES)


async def test_without_scripts_it_has_the_same_content(
    seen: Seen, site: Site, visit: Visiting
) -> None:
    async with visit(scripts=False) as tab:
        await tab.open(site.url + PAGES[seen.name], STATUS.get(seen.name, 200))
        content = await tab.page.evaluate(CONTENT)
    assert content == seen.content
    assert (content["headings"], content["language"]) == (1, "en")


async def test_axe_finds_what_is_wrong(visit: Visiting, site: Site, axe: str) -> None:
    async with visit(complaints=True) as tab:
        await tab.open(f"{site.url}/about")
        await tab.page.evaluate("document.querySelector('main').innerHTML += '<img src=/x.png>'")
        await tab.page.evaluate(axe)
        assert "image-alt" in [id for id, _ in await tab.page.evaluate(RUN_AXE, WCAG)]


async def test_every_page_is_visited() -> None:
    shown = [path.partition("?")[0] for name, path in PAGES.items() if name not in VARIANTS]
    patterns = [re.sub(r"\\{\w+(:path)?\\}", ".+", re.escape(page.path)) for page in ALL_PAGES]
    assert [each for each in patterns if not any(re.fullmatch(each, path) for path in shown)] == []


async def test_the_omissions_of_lists_have_a_column_that_can_be_read(
    site: Site, visit: Visiting
) -> None:
    async with visit(width=768) as tab:
        await tab.open(f"{site.url}/coverage")
        box = await tab.page.locator("td:last-child > ul").first.bounding_box()
        assert box is not None
        assert box["width"] > 200
