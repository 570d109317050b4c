"""A real browser, and the tracker that it visits: the installed wheel with the corpus."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from deploy.bootstrap import running_tracker
from deploy.postgres import Postgres
from tests.conftest import database, run_sql
from tests.support.hostile_facts import record_hostile_facts
from tests.support.node import npm_packages
from tests.support.packed import install_wheel, pack
from tests.support.shared_work import make_once
from tests.support.site import Site, serving_wheel
from tests.support.time_limits import within
from tests.support.visit import Visit, visiting
from tests.support.watched_sources import LIST, failed, fetched, looked, record, watched
from tracker.postgres.database import Target

if TYPE_CHECKING:
    from playwright.async_api import Browser

LONG = LIST + "?" + "&".join(f"conditions[term][{number}]=gallium" for number in range(12))
"""The address of a watched source, as long as some are."""
LOOKS = (
    fetched(address=LONG),
    looked(snapshots=1, candidates=2, requests=2000),
    failed("2026-11-02T00:00:00Z", look=2, address=LONG, reason="no answer " * 20),
    looked("2026-11-02T00:00:00Z", look=2, complete=False, warnings=["Odd: " + "x" * 150]),
)
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WRITE_TOKEN = "the-token-of-the-browser-tests"
Visiting = Callable[..., AbstractAsyncContextManager[Visit]]


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of the browser."""
    found = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if found is None:
        pytest.skip(f"this machine has no Chromium ({', '.join(CHROMIUM_NAMES)})")
    return found


@pytest.fixture(scope="session")
def axe() -> str:
    """Return the source of axe-core."""
    packages = npm_packages(Path(__file__).parent)
    return (packages / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def wheel(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of the installed wheel."""
    packed = make_once(tmp_path_factory, "packed", pack)
    installed = make_once(tmp_path_factory, "installed", partial(install_wheel, packed))
    return installed / "packages"


@pytest.fixture(scope="session")
def site_directory() -> Iterator[Path]:
    """Create the servers' directory for keys."""
    directory = Path(tempfile.mkdtemp(prefix="tracker-browser-"))
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def site_target(server: Postgres, corpus_template: str) -> Target:
    """Create the database of a process's browser tests: the corpus, and hostile texts."""
    run_sql(server, f"CREATE DATABASE browser_site TEMPLATE {corpus_template}")
    target = database(server, "browser_site")

    async def write() -> None:
        async with running_tracker(target) as services:
            await record_hostile_facts(services)
            await record(services, watched(address=LONG), *LOOKS)
            await services.projector.reach(await services.recorder.head(), seconds=within(60))

    asyncio.run(write())
    return target


@pytest.fixture(scope="session")
def site(wheel: Path, site_target: Target, site_directory: Path) -> Iterator[Site]:
    """Run the tracker of a process's browser tests; the token may write."""
    with serving_wheel(
        wheel, site_target, site_directory, TRACKER_WRITE_TOKEN=WRITE_TOKEN
    ) as serving:
        yield serving


@pytest.fixture(scope="session")
def closed_site(
    site: Site, wheel: Path, site_target: Target, site_directory: Path
) -> Iterator[Site]:
    """Run another server of the same log, with reads only by token."""
    settings = {"TRACKER_WRITE_TOKEN": WRITE_TOKEN, "TRACKER_READ": "token"}
    with serving_wheel(wheel, site_target, site_directory, **settings) as serving:
        yield serving


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """Start one browser for all tests of a process."""
    from playwright.async_api import async_playwright, expect

    async with async_playwright() as playwright:
        options = ["--no-sandbox"] if os.geteuid() == 0 else []
        expect.set_options(timeout=within(5) * 1000)
        started = await playwright.chromium.launch(executable_path=chromium, args=options)
        yield started
        await started.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def visit(browser: Browser) -> Visiting:
    """Return a function that opens isolated browser tabs."""
    return partial(visiting, browser)
