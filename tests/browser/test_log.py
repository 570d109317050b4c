"""The log in a browser: a proof fails at the tampered step, and new events appear."""

import re
from collections.abc import Awaitable, Callable
from uuid import uuid4

import httpx2
import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.conftest import WRITE_TOKEN, Visiting
from tests.support.api import control, document
from tests.support.site import Site
from tests.support.time_limits import within

DECIDED = ".proof:not([data-state=none])"
CHECKS = ("head", "seen", "entry", "path", "texts", "page")
Tamper = Callable[[Page], Awaitable[None]]


@pytest.fixture(scope="session")
def noted(site: Site) -> str:
    """Record an event with a remark, and return its address."""
    question = '{ events(types: ["ExportControl.Suspended"], last: 1) { nodes { position } } }'
    [node] = site.ask(question)["events"]["nodes"]
    return f"{site.url}/events/{node['position']}"


def record(site: Site, title: str = "A ban") -> str:
    """Record an event; its position."""
    id = f"browser-{uuid4()}"
    given = {"input": control(id, title=title), "key": id}
    response = httpx2.post(
        f"{site.url}/graphql",
        json={"query": document("announceExportControl"), "variables": given},
        headers={"Authorization": f"Bearer {WRITE_TOKEN}"},
        timeout=within(60),
    )
    position: str = response.json()["data"]["announceExportControl"]["position"]
    return position


async def outcomes(page: Page) -> tuple[str | None, dict[str, str | None]]:
    """Return the state of the panel, and the result of each check: passed (1), failed (0) or not run."""
    await page.wait_for_selector(DECIDED)
    state = await page.locator(".proof").get_attribute("data-state")
    rows = {
        name: await page.locator(f".proof [data-check={name}]").get_attribute("data-ok")
        for name in CHECKS
    }
    return state, rows


def changing(path: str, pattern: str, other: str) -> Tamper:
    """Change responses of a path in transit."""

    async def tamper(page: Page) -> None:
        async def change(route: Route) -> None:
            answer = await route.fetch()
            changed = re.sub(pattern, other, await answer.text(), count=1)
            await route.fulfill(response=answer, body=changed)

        await page.route(re.compile(path), change)

    return tamper


async def test_a_proof_is_made_and_the_next_visit_goes_on_from_it(
    site: Site, noted: str, visit: Visiting
) -> None:
    async with visit() as tab:
        await tab.open(noted)
        assert await outcomes(tab.page) == ("ok", dict.fromkeys(CHECKS, "1"))
        await expect(tab.page.locator("[data-check=seen] .res")).to_have_text("first visit")
        key = httpx2.get(f"{site.url}/log/key", timeout=within(60)).text.strip()
        await expect(tab.page.locator("[data-proof-key]")).to_have_text(key)
        entry = httpx2.get(noted.replace("/events/", "/log/entries/"), timeout=within(60)).text
        assert await tab.page.locator("[data-entry-bytes] pre").text_content() == entry
        await tab.open(noted)
        assert await outcomes(tab.page) == ("ok", dict.fromkeys(CHECKS, "1"))
        await expect(tab.page.locator("[data-check=seen] .res")).to_contain_text("since ")


@pytest.mark.parametrize(
    ("tamper", "failing", "title"),
    [
        (
            changing("/log/entries/", "2025", "2024"),
            ("path", "page"),
            "This is not the entry that was signed",
        ),
        (
            changing("/log/proof/", r"\n\w{4}", "\nAAAA"),
            ("path", "page"),
            "This is not the entry that was signed",
        ),
        (
            changing("/log/checkpoint", r"(— \S+ .{20}).", r"\1/"),
            ("head",),
            "The head of the log is not what its key signed",
        ),
        (
            changing("/annexes", r'"text":"', '"text":"Not '),
            ("texts",),
            "A text is not the one that was recorded",
        ),
        (
            changing(r"/events/\d+$", r'(data-entry="/data/on"[^>]*>)\d', r"\1 3"),
            ("page",),
            "This page does not show what the entry says",
        ),
        (
            changing(r"/events/\d+$", r'(data-annex="/note"[^>]*>)', r"\1Not "),
            ("page",),
            "This page does not show what the entry says",
        ),
    ],
    ids=["entry", "path", "head", "remark", "page", "remark on the page"],
)
async def test_a_byte_changed_on_the_way_turns_the_proof_red_at_its_step(
    noted: str, visit: Visiting, tamper: Tamper, failing: tuple[str, ...], title: str
) -> None:
    async with visit() as tab:
        await tamper(tab.page)
        await tab.open(noted)
        passing = dict.fromkeys(CHECKS, "1")
        assert await outcomes(tab.page) == ("bad", passing | dict.fromkeys(failing, "0"))
        await expect(tab.page.locator(".proof h2")).to_have_text(title)
        differs = await tab.page.locator("[data-differs]").count()
        assert (differs > 0) == (failing == ("page",))


async def test_a_log_that_has_grown_passes_and_an_older_head_does_not(
    site: Site, noted: str, visit: Visiting
) -> None:
    async with visit() as tab:
        await tab.open(noted)
        await outcomes(tab.page)
        older = httpx2.get(f"{site.url}/log/checkpoint", timeout=within(60)).text
        position = record(site)
        await signed(site, position)
        await tab.open(noted)
        assert await outcomes(tab.page) == ("ok", dict.fromkeys(CHECKS, "1"))
        await tab.page.route(
            re.compile("/log/checkpoint$"), lambda route: route.fulfill(body=older)
        )
        await tab.open(noted)
        state, rows = await outcomes(tab.page)
        assert (state, rows) == ("bad", {**dict.fromkeys(CHECKS, "1"), "seen": "0"})
        await expect(tab.page.locator(".proof h2")).to_have_text(
            "This is not the log that this browser saw"
        )


async def signed(site: Site, position: str) -> None:
    """Wait until a head of the log has an event."""
    async with httpx2.AsyncClient(base_url=site.url, timeout=within(60)) as client:
        while (await client.get(f"/log/proof/{position}")).status_code != 200:
            pass


async def test_a_browser_that_cannot_check_accuses_no_one_and_says_how_to_check_elsewhere(
    noted: str, visit: Visiting
) -> None:
    for script, state in (
        ("Object.defineProperty(crypto, 'subtle', { value: undefined })", "part"),
        ("crypto.subtle.importKey = async () => { throw new Error('no Ed25519'); }", "part"),
    ):
        async with visit() as tab:
            await tab.page.add_init_script(script)
            await tab.open(noted)
            found, rows = await outcomes(tab.page)
            assert found == state
            assert "0" not in rows.values()
            await expect(tab.page.locator("#elsewhere")).to_be_visible()
    async with visit(scripts=False) as tab:
        await tab.open(noted)
        for path in ("checkpoint", "key", "entries", "proof"):
            await expect(tab.page.locator(f'.proof a[href^="/log/{path}"]')).to_be_visible()
        await expect(tab.page.locator("pre", has_text="tracker verify")).to_be_visible()


async def test_new_events_are_told_of_and_come_into_the_list_when_one_asks(
    site: Site, visit: Visiting
) -> None:
    async with visit() as tab:
        await tab.open(f"{site.url}/events?place=CN")
        page, first = tab.page, tab.page.locator("[data-live] ol > li").first
        await expect(page.locator("[data-live] [role=status]")).to_contain_text("Live")
        before = await first.bounding_box(), await first.get_attribute("data-position")
        record(site)
        position = record(site, "The newest ban")
        link = page.locator("a[data-new]")
        await expect(link).to_have_text("2 new events")
        assert (await first.bounding_box(), await first.get_attribute("data-position")) == before
        await link.click()
        await expect(first).to_have_attribute("data-position", position)
        await expect(first).to_contain_text("The newest ban")
        await expect(link).to_be_hidden()


async def test_a_list_misses_nothing_while_its_connection_is_broken(
    site: Site, visit: Visiting
) -> None:
    async with visit(complaints=True) as tab:
        broken: list[str] = []

        async def break_once(route: Route) -> None:
            if broken:
                await route.continue_()
                return
            broken.append(record(site))
            await route.abort("connectionreset")
            broken.append(record(site))

        await tab.page.route(re.compile(r"/events\?after="), break_once)
        await tab.open(f"{site.url}/events")
        link = tab.page.locator("a[data-new]")
        await expect(link).to_have_text("2 new events", timeout=within(20) * 1000)
        await link.click()
        first = tab.page.locator("[data-live] ol > li").first
        await expect(first).to_have_attribute("data-position", broken[1])
