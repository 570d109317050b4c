"""A static site in a browser, from a plain file server: every page, without requests to elsewhere."""

import asyncio
import json
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.postgres import Postgres
from tests.browser.conftest import Visiting
from tests.conftest import database, run_sql
from tests.support.published_sites import (
    MOST_PAGES,
    broken_links,
    contents,
    file_server,
    publish,
    record_small_log,
)
from tracker.audit.sign.keystore import KeyStore


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def directory(
    server: Postgres, empty_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Publish a small log."""
    await asyncio.to_thread(
        run_sql, server, f"CREATE DATABASE published_site TEMPLATE {empty_template}"
    )
    target, made = database(server, "published_site"), tmp_path_factory.mktemp("published")
    keystore = KeyStore(made / "keys")
    keystore.load_or_create("example.com/log")
    await record_small_log(target, keystore)
    assert await publish(target, made / "site", keystore, *MOST_PAGES)
    others = (
        "commodities",
        "places",
        "controls",
        "figures",
        "events",
        "alliances",
        "index",
        "tables",
    )
    assert await publish(target, made / "documents", keystore, *others)
    return made / "site"


@pytest.mark.timeout(600)
async def test_every_page_opens_without_a_server(directory: Path, visit: Visiting) -> None:
    assert broken_links(directory) == []
    pages = sorted(name for name in contents(directory) if name.endswith(".html"))
    assert {"index.html", "controls/index.html", "not-published/index.html"} <= {*pages}
    with file_server(directory) as url:
        async with visit() as tab:
            for name in pages:
                await tab.open(f"{url}/{name}")
                text = await tab.page.inner_text("body")
                assert "29 Nov 2026" in text.replace("\u00a0", " "), name
                assert "position 5" in text.replace("\u00a0", " "), name


async def test_readers_go_from_page_to_page_and_are_told_what_needs_the_server(
    directory: Path, visit: Visiting
) -> None:
    with file_server(directory) as url:
        async with visit() as tab:
            await tab.open(url)
            await tab.page.click("nav >> text=Controls")
            await tab.page.click("main >> text=Gallium to the US >> nth=0")
            assert tab.page.url == f"{url}/controls/cn-gallium/index.html"
            await tab.page.click("text=Today")
            assert tab.page.url == f"{url}/not-published/index.html#dates"
            assert await tab.page.is_visible("text=Pages of other dates")
            await tab.page.go_back()
            await tab.page.click("summary >> text=Download")
            async with tab.page.expect_download() as started:
                await tab.page.click("li >> text=SVG")
            download = await started.value
            assert download.url == f"{url}/controls/cn-gallium.svg"


@pytest.mark.timeout(600)
async def test_readers_search_the_documentation_without_a_server(
    directory: Path, visit: Visiting
) -> None:
    site = directory.with_name("documents")
    for section in json.loads((site / "docs" / "sections.json").read_text(encoding="utf-8")):
        page = (site / "docs" / section["name"] / "index.html").read_text(encoding="utf-8")
        assert f'id="{section["anchor"]}"' in page or section["level"] == 1
    with file_server(site) as url:
        async with visit() as tab:
            await tab.open(f"{url}/docs/index.html")
            await tab.page.fill("main input[type=search]", "idempot key")
            first = tab.page.locator("ol.found a >> nth=0")
            await first.wait_for()
            assert await tab.page.locator("ul.found").count() == 0
            heading = await first.inner_text()
            await first.click()
            assert await tab.page.is_visible(f"main >> text={heading} >> nth=0")
            await tab.page.go_back()
            await tab.page.fill("main input[type=search]", "zzqx")
            await tab.page.wait_for_selector("main >> text=No sections")
