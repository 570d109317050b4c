"""Embeds in a browser: a page of another site frames them and learns their height; other routes refuse."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from playwright.async_api import Frame

from tests.browser.conftest import Visiting
from tests.support.documents import block
from tests.support.published_sites import file_server
from tests.support.site import Site

CHECK = "/check?commodity=tungsten&hsCode=284990&origin=CN&destination=DE&valid=2025-12-01"
PAGES = (
    "/commodities/gallium",
    "/controls/cn-mofcom-2024-46?valid=2025-11-20&position=10755",
    CHECK,
)
LISTENER = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>Article</title><body>%s<script>%s
addEventListener("message", event => { document.body.dataset.height = event.data.height; });
</script></body></html>"""
"""A page with the listener of the documentation, and another one for the test."""
HEIGHT = "document.documentElement.getBoundingClientRect().height"
MAX_BYTES = 60_000


@dataclass(frozen=True)
class Article:
    """A page of another origin."""

    url: str
    directory: Path

    def write(self, html: str, script: str) -> None:
        """Write the page, with a script."""
        (self.directory / "index.html").write_text(LISTENER % (html, script), "utf-8")


@pytest.fixture
def article(tmp_path: Path) -> Iterator[Article]:
    """Serve an article from another host and port."""
    with file_server(tmp_path) as url:
        yield Article(url.replace("127.0.0.1", "localhost"), tmp_path)


def code_of(site: Site, path: str) -> str:
    """Return the code for a page, as a site with oEmbed gets it."""
    response = httpx2.get(f"{site.url}/oembed", params={"url": f"{site.url}{path}"}, timeout=60)
    code: str = response.json()["html"]
    return code


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("width", [320, 800])
async def test_another_site_frames_a_part_of_a_page_and_learns_its_height(
    site: Site, visit: Visiting, article: Article, path: str, width: int
) -> None:
    article.write(code_of(site, path), block("docs/embeds.md", "js", "addEventListener"))
    async with visit(complaints=True, width=width) as tab:
        await tab.open(article.url)
        await tab.page.wait_for_function("document.body.dataset.height")
        frame = tab.page.frames[1]
        assert frame.url.startswith(f"{site.url}/embed/answer/")
        assert "as recorded at position" in await text_of(frame)
        told = int(await tab.page.evaluate("document.body.dataset.height"))
        assert abs(told - await frame.evaluate(HEIGHT)) <= 1
        assert await frame.evaluate("innerHeight >= document.documentElement.scrollHeight")
        assert await frame.evaluate("innerWidth >= document.documentElement.scrollWidth")
        assert await tab.page.context.cookies() == []
        assert [one for one in tab.complaints if "another site" not in one] == []


async def test_an_embed_without_scripts_has_the_same_text_in_few_bytes(
    site: Site, visit: Visiting
) -> None:
    for path in ("/embed/answer/commodities/gallium", "/embed/chart/", f"/embed/chart{CHECK}"):
        texts = []
        for scripts in (True, False):
            async with visit(scripts=scripts, width=320) as tab:
                await tab.open(site.url + path)
                texts.append(await text_of(tab.page.main_frame))
                assert 0 < await tab.loaded_bytes() < MAX_BYTES
        assert texts[0] == texts[1]


@pytest.mark.parametrize("path", ["/commodities/gallium", "/", "/sign-in", "/docs/access"])
async def test_a_browser_refuses_to_frame_other_routes(
    site: Site, visit: Visiting, article: Article, path: str
) -> None:
    article.write(f'<iframe src="{site.url}{path}"></iframe>', "")
    async with visit(complaints=True) as tab:
        await tab.open(article.url)
        assert any("frame-ancestors 'none'" in one for one in tab.complaints), tab.complaints
        assert not tab.page.frames[1].url.startswith(site.url)


async def text_of(frame: Frame) -> str:
    """Return the text of a document as a reader sees it."""
    return await frame.locator("body").inner_text()
