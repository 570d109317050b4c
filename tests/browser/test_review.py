"""Review in a real browser: by the keyboard, without scripts, on a phone, for all people."""

import time
from collections.abc import Sequence
from uuid import uuid4

import pytest
import pytest_asyncio
from playwright.async_api import Page

from deploy.bootstrap import open_connection
from tests.browser.conftest import Visiting
from tests.browser.test_pages import OVERFLOW, RUN_AXE, WCAG
from tests.support.findings import lead, proposal
from tests.support.site import Site
from tests.support.time_limits import within
from tests.support.visit import HEIGHT
from tracker import clock
from tracker.auth import tokens
from tracker.auth.scopes import Scope
from tracker.postgres.database import OWNER, WATCHER, Target, create_pool
from tracker.review.findings import propose
from tracker.snapshots.store import SnapshotStore

NOTICE = "<h1>Notice</h1>" + "<p>The export of gallium needs a licence from today on.</p>" * 40
STRANGER = '<img src=x onerror="alert(1)"> of a stranger'
DECISION_SECONDS = 36
"""Seconds per decision of an editor with a hundred decisions an hour."""
MACHINE_SECONDS = 3
"""Seconds of these for the machine."""


class Desk:
    """A separate part of the queue for a test, with its reviewer."""

    def __init__(self, key: str, secret: str):
        self.key = key
        self.secret = secret
        self.path = f"/review?source={key}"

    async def open(self, page: Page, site: Site) -> None:
        """Sign in and open the queue."""
        await page.goto(f"{site.url}/sign-in?next=/review%3Fsource={self.key}")
        await page.get_by_label("Token").fill(self.secret)
        await page.get_by_role("button", name="Sign in").click()
        await page.wait_for_url(f"**{self.path}")


async def arrive(page: Page, title: str) -> None:
    """Wait for a page of this heading whose script listens: it gives the heading the focus last.

    A key that is pressed before that is lost.
    """
    await page.locator("h1:focus", has_text=title).wait_for()


async def desk_with(target: Target, titles: Sequence[str]) -> Desk:
    """Create a desk with a candidate of each title, and a lead after them."""
    key, name = f"desk-{uuid4().hex[:8]}", f"editor-{uuid4().hex[:8]}"
    pool = await create_pool(target, role=WATCHER, size=1)
    kept = await SnapshotStore(pool).put(NOTICE.encode(), "text/html")
    await pool.close()
    found = [proposal(f"{key}-{n}", title=of, sha256=kept) for n, of in enumerate(titles)]
    async with open_connection(target, role=WATCHER) as connection:
        await propose(connection, key, [*found, lead(f"{key}-lead", title="A gap", sha256=kept)])
    async with open_connection(target, role=OWNER) as connection:
        today = clock.today()
        return Desk(key, await tokens.create(connection, name, [Scope.REVIEW], None, today))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def desk(site: Site, site_target: Target) -> Desk:
    """Create a desk whose candidates are not decided."""
    return await desk_with(site_target, ["First", STRANGER, "稀土出口管制" * 12])


async def test_an_editor_decides_on_twenty_candidates_by_the_keyboard_alone(
    visit: Visiting, site: Site, site_target: Target
) -> None:
    desk = await desk_with(site_target, [f"Notice {number}" for number in range(20)])
    async with visit() as tab:
        page, documents = tab.page, list[str]()
        await desk.open(page, site)
        page.on(
            "request",
            lambda one: documents.append(one.method) if one.is_navigation_request() else None,
        )
        await page.keyboard.press("j")
        await page.keyboard.press("Enter")
        await arrive(page, "Notice 0")
        begun = time.monotonic()
        for number in range(20):
            match number % 4:
                case 0 | 1:
                    await page.keyboard.press("a")
                case 2:
                    await page.keyboard.press("r")
                    await page.keyboard.type("It is about tin")
                    await page.keyboard.press("Enter")
                case 3:
                    await page.keyboard.press("p")
                    await page.keyboard.press("Enter")
            title = "A gap" if number == 19 else f"Notice {number + 1}"
            await arrive(page, title)
        seconds = (time.monotonic() - begun) / 20
        assert seconds < within(MACHINE_SECONDS) < DECISION_SECONDS
        # Each decision is a form and its redirect, nothing else: page files are cached.
        assert documents.count("POST") == 20
        assert len(documents) == 1 + 20 * 2
        await page.get_by_text("Postponed.").wait_for()
        await page.goto(f"{site.url}{desk.path}")
        assert "1 pending 5 postponed 0 accepting 10 accepted 5 rejected" in " ".join(
            (await page.get_by_label("Candidates by state").inner_text()).split()
        )


async def test_several_are_marked_and_rejected_by_the_keyboard_alone(
    visit: Visiting, site: Site, site_target: Target
) -> None:
    desk = await desk_with(site_target, [f"Notice {number}" for number in range(4)])
    async with visit(width=320) as tab:
        page = tab.page
        await desk.open(page, site)
        for key in "jxjjx":
            await page.keyboard.press(key)
        assert await page.locator("input[name=marked]:checked").count() == 2
        await page.keyboard.press("r")
        await page.locator("h1", has_text="Reject 2 candidates").wait_for()
        assert await page.evaluate(OVERFLOW) == 0
        await page.get_by_label("Reason").fill("It is about tin")
        await page.keyboard.press("Enter")
        await page.get_by_text("The outcome for each candidate.").wait_for()
        assert await page.get_by_text("Rejected.").count() == 2
        await page.goto(f"{site.url}{desk.path}")
        assert await page.locator("a[data-row]").all_inner_texts() == [
            "Notice 1",
            "Notice 3",
            "A gap",
        ]


async def test_keys_lead_and_are_announced_and_can_be_turned_off(
    visit: Visiting, site: Site, desk: Desk
) -> None:
    async with visit() as tab:
        page = tab.page
        await desk.open(page, site)
        for key, focused in (("j", "First"), ("j", "a stranger"), ("k", "First"), ("k", "First")):
            await page.keyboard.press(key)
            assert focused in await page.evaluate("document.activeElement.innerText")
            outline = "getComputedStyle(document.activeElement).outlineStyle"
            assert await page.evaluate(outline) != "none"
        await page.keyboard.press("Enter")
        await arrive(page, "First")
        await page.keyboard.press("s")
        await arrive(page, "a stranger")
        await page.keyboard.press("k")
        await arrive(page, "First")
        await page.keyboard.press("r")
        await page.keyboard.type("as a ? pk")  # letters in a field are letters
        reason = page.locator("#reject-reason")
        assert await reason.input_value() == "as a ? pk"
        await page.keyboard.press("Escape")
        await page.keyboard.press("?")
        await page.get_by_role("button", name="Keys are on").click()
        await page.get_by_role("button", name="Keys are off").wait_for()
        url = page.url
        await page.locator("h1").focus()
        await page.keyboard.press("s")
        await page.reload()
        await page.keyboard.press("e")
        assert page.url == url
        await page.goto(f"{page.url}&did=reject&of=1")
        await page.get_by_role("status").get_by_text("Rejected.").wait_for()


async def test_everything_works_by_forms_without_scripts_on_a_phone(
    visit: Visiting, site: Site, site_target: Target
) -> None:
    desk = await desk_with(site_target, ["One", "Two"])
    async with visit(scripts=False, width=360) as tab:
        page = tab.page
        await desk.open(page, site)
        await page.get_by_role("link", name="One", exact=True).click()
        await page.get_by_role("link", name="Edit").click()
        await page.locator("[name=title]").fill("One, as it should be")
        await page.get_by_role("button", name="Save").click()
        await page.get_by_text("The proposal was changed.").wait_for()
        await page.get_by_role("button", name="Accept").click()
        await page.get_by_text("Accepted and recorded.").wait_for()
        await page.locator("summary", has_text="Reject").click()
        await page.locator("#reject-reason").fill("A repetition")
        await page.get_by_role("button", name="Reject").click()
        await page.locator("h1", has_text="A gap").wait_for()
        await page.get_by_role("link", name="Make it a fact").click()
        await page.get_by_label("Kind of fact").select_option("recordAnnouncement")
        await page.get_by_role("button", name="Continue").click()
        await page.locator("[name=title]").wait_for()


@pytest.mark.parametrize("which", ["queue", "candidate", "stranger", "edit"])
async def test_the_pages_are_fit_for_all_people_and_screens(
    visit: Visiting, site: Site, desk: Desk, axe: str, which: str
) -> None:
    async with visit() as tab:
        page = tab.page
        await desk.open(page, site)
        if which != "queue":
            await page.locator("a[data-row]").nth(1 if which == "stranger" else 0).click()
            await page.locator("main pre").wait_for()
            assert "needs a licence" in await page.locator("main pre").inner_text()
        if which == "edit":
            await page.get_by_role("link", name="Edit").click()
            await page.locator("[name=title]").wait_for()
        if which == "stranger":
            assert await page.locator("h1").inner_text() == STRANGER
        await page.evaluate(
            "document.querySelectorAll('main details').forEach(each => { each.open = true; })"
        )
        await page.evaluate(axe)
        assert await page.evaluate(RUN_AXE, WCAG) == []
        await page.emulate_media(color_scheme="dark")
        assert await page.evaluate(RUN_AXE, WCAG) == []
        for width in (320, 360, 768, 1280):
            await page.set_viewport_size({"width": width, "height": HEIGHT})
            assert await page.evaluate(OVERFLOW) == 0, width
