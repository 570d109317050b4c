"""Receipts in a browser: a page checks its own, and each change in transit fails at its check."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.async_api import Page, Route, expect

from schema.pages.site.static_files import static_path
from tests.browser.conftest import Visiting
from tests.support.site import Site
from tests.support.time_limits import within
from tracker.audit.receipts.canonical import canonical_json
from tracker.audit.receipts.receipt import Receipt

ADDRESS = "/controls/cn-mofcom-2024-46?valid=2025-11-20&position=10755"
CHECKS = ("signature", "consistency", "answer", "moment", "page")
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda children: (
        st.lists(children, max_size=4)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=4), children, max_size=4)
    ),
    max_leaves=20,
)
Change = Callable[[str], str]


async def outcomes(page: Page) -> tuple[str | None, list[str | None]]:
    """Open the panel of the receipt; return its state and the result of each check."""
    await page.get_by_text("Proof", exact=True).click()
    panel = page.locator("[data-receipt]")
    await expect(panel).to_have_attribute(
        "data-state", re.compile("ok|bad|part"), timeout=within(20) * 1000
    )
    rows = [panel.locator(f"[data-check={name}]") for name in CHECKS]
    return await panel.get_attribute("data-state"), [
        await row.get_attribute("data-ok") for row in rows
    ]


async def change_response(page: Page, path: str, change: Change) -> None:
    """Change responses of a path in transit."""

    async def fulfill(route: Route) -> None:
        answer = await route.fetch()
        await route.fulfill(response=answer, body=change(await answer.text()))

    await page.route(re.compile(path), fulfill)


def in_answer(file: str) -> str:
    """Change the answer of a receipt."""
    content = json.loads(file)
    content["answer"]["asOf"]["exportControl"]["title"] = "Another title"
    return canonical_json(content).decode()


def in_statement(file: str) -> str:
    """Change the position in the statement of a receipt."""
    content = json.loads(file)
    content["receipt"] = content["receipt"].replace('"position":"10755"', '"position":"10756"')
    return canonical_json(content).decode()


def in_checkpoint(file: str) -> str:
    """Change the signature of the checkpoint in a receipt."""
    content = json.loads(file)
    content["receipt"] = re.sub(
        r"(\\n\\n— \S+ \S{20})(.)",
        lambda found: found[1] + ("A" if found[2] != "A" else "B"),
        content["receipt"],
        count=1,
    )
    return canonical_json(content).decode()


def proof(text: str) -> str:
    """Change the first hash of a proof of consistency."""
    old, first, *others = text.split("\n")
    return "\n".join([old, ("A" if first[0] != "A" else "B") + first[1:], *others])


@pytest.mark.parametrize("address", [ADDRESS, "/commodities/gallium"])
async def test_a_fixed_and_a_live_page_check_the_receipt_of_what_they_show(
    site: Site, visit: Visiting, address: str
) -> None:
    async with visit() as tab:
        await tab.open(f"{site.url}{address}")
        assert await outcomes(tab.page) == ("ok", ["1"] * len(CHECKS))
        await expect(tab.page.locator(".receipt [role=status]")).to_contain_text("checked")


@pytest.mark.parametrize(
    ("path", "change", "failing"),
    [
        (r"\.receipt\?", in_answer, ["answer"]),
        (r"\.receipt\?", in_statement, ["signature", "moment", "page"]),
        (r"\.receipt\?", in_checkpoint, ["signature"]),
        (r"\.receipt\?", lambda text: "{}", list(CHECKS)),
        (r"\.receipt\?", lambda text: "\ufeff" + text, list(CHECKS)),
        (r"\.receipt\?", lambda text: text[:-9], list(CHECKS)),
        ("/log/key", lambda text: "", ["signature", "consistency"]),
    ],
)
async def test_a_change_in_transit_fails_at_its_check(
    site: Site, visit: Visiting, path: str, change: Change, failing: list[str]
) -> None:
    async with visit() as tab:
        await change_response(tab.page, path, change)
        await tab.open(f"{site.url}{ADDRESS}")
        state, found = await outcomes(tab.page)
    assert state == "bad"
    assert [name for name, ok in zip(CHECKS, found, strict=True) if ok == "0"] == failing


async def test_the_receipt_of_another_control_is_not_that_of_the_page(
    site: Site, visit: Visiting
) -> None:
    other = httpx2.get(
        f"{site.url}{ADDRESS.replace('2024-46?', '2023-23.receipt?')}", timeout=within(60)
    ).text
    async with visit() as tab:
        await change_response(tab.page, r"\.receipt\?", lambda _: other)
        await tab.open(f"{site.url}{ADDRESS}")
        assert await outcomes(tab.page) == ("bad", ["1", "1", "1", "1", "0"])


async def test_the_page_shows_the_id_of_the_published_key(site: Site, visit: Visiting) -> None:
    key = httpx2.get(f"{site.url}/log/key", timeout=within(60)).text
    async with visit() as tab:
        await tab.open(f"{site.url}{ADDRESS}")
        await outcomes(tab.page)
        shown = tab.page.locator("[data-check=signature] .res")
        await expect(shown).to_have_text(f"key {key.split('+')[1]}")


async def test_a_server_without_a_receipt_is_not_a_sign_of_tampering(
    site: Site, visit: Visiting
) -> None:
    async def refuse(route: Route) -> None:
        error = {"errors": [{"message": "this server does not sign the log"}]}
        await route.fulfill(status=400, json=error)

    async with visit() as tab:
        await tab.page.route(re.compile(r"\.receipt\?"), refuse)
        await tab.open(f"{site.url}{ADDRESS}")
        state, _ = await outcomes(tab.page)
        assert state == "part"
        status = tab.page.locator(".receipt [role=status]")
        await expect(status).to_contain_text("this server does not sign the log")


async def test_without_scripts_the_receipt_is_a_download(
    site: Site, visit: Visiting, tmp_path: Path
) -> None:
    async with visit(scripts=False) as tab:
        await tab.open(f"{site.url}{ADDRESS}")
        await tab.page.get_by_text("Proof", exact=True).click()
        async with tab.page.expect_download() as download:
            await tab.page.get_by_text("Download receipt").click()
        file = await download.value
        await file.save_as(tmp_path / "file")
        assert file.suggested_filename == "control-cn-mofcom-2024-46-2025-11-20-10755.receipt.json"
    receipt = Receipt.parse((tmp_path / "file").read_bytes())
    answer = httpx2.get(f"{site.url}{ADDRESS.replace('?', '.json?')}", timeout=within(60)).json()
    assert receipt.answer == answer["data"]


async def test_the_browser_writes_canonical_json_as_python_does(
    site: Site, visit: Visiting
) -> None:
    examples: list[Any] = [{"\ue000": 1, "\U0001f600": 2, "a": [1e21, 1e-7, -0.0, 5e-324, 1.5]}]

    @given(VALUES)
    def collect(value: Any) -> None:
        examples.append(value)

    collect()
    texts = [json.dumps(value) for value in examples]
    async with visit() as tab:
        await tab.open(f"{site.url}/about")
        found = await tab.page.evaluate(
            """async ([path, texts]) => {
                const { canonicalJson } = await import(path);
                return texts.map((text) => canonicalJson(JSON.parse(text)));
            }""",
            [static_path("canonical_json.js"), texts],
        )
    assert found == [canonical_json(json.loads(text)).decode() for text in texts]
