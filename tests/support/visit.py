"""A browser tab that records unexpected events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from tests.support.time_limits import within

if TYPE_CHECKING:
    from playwright.async_api import Browser, ConsoleMessage, Page, Request, Response

WIDTHS = (320, 360, 390, 600, 768, 960, 1024, 1280, 1440)
HEIGHT = 900
NOTE_VIOLATIONS = """
    document.addEventListener("securitypolicyviolation", event =>
        console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""
MISSING = "Failed to load resource: the server responded with a status of "
"""Chromium's console message for an error page, which may be intended."""


@dataclass
class Visit:
    """The events in a tab."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    """Script errors, policy violations, requests to other sites."""
    _requests: list[Request] = field(default_factory=list)

    def attach(self) -> None:
        """Start recording."""
        self.page.on("console", self._note_console)
        self.page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        self.page.on("request", self._note_request)
        self.page.on("requestfinished", lambda request: self._requests.append(request))
        self.page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))

    async def open(self, url: str, status: int = 200) -> Response:
        """Open an address. Raises AssertionError for an unexpected status."""
        response = await self.page.goto(url, wait_until="load")
        assert response is not None
        assert response.status == status, (url, response.status, await response.text())
        return response

    async def loaded_bytes(self) -> int:
        """Return the transferred bytes of all response bodies."""
        sizes = [await each.sizes() for each in self._requests if await each.response()]
        return sum(size["responseBodySize"] for size in sizes)

    def _note_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(MISSING):
            self.complaints.append(f"console: {message.text}")

    def _note_request(self, request: Request) -> None:
        asked, shown = urlsplit(request.url), urlsplit(self.page.url)
        if asked.scheme in ("http", "https", "ws", "wss") and shown.netloc not in (
            "",
            asked.netloc,
        ):
            self.complaints.append(f"request to another site: {request.url}")


@asynccontextmanager
async def visiting(
    browser: Browser,
    *,
    width: int = 1280,
    dark: bool = False,
    scripts: bool = True,
    complaints: bool = False,
) -> AsyncIterator[Visit]:
    """Open a tab without cookies and cache, and close it at the end.

    Then there must be no complaints, unless `complaints` are the subject of the test.
    """
    scheme: Literal["dark", "light"] = "dark" if dark else "light"
    context = await browser.new_context(
        viewport={"width": width, "height": HEIGHT},
        color_scheme=scheme,
        java_script_enabled=scripts,
        reduced_motion="reduce",
        locale="en-GB",
        timezone_id="UTC",
    )
    context.set_default_timeout(within(30) * 1000)
    try:
        if scripts:
            await context.add_init_script(NOTE_VIOLATIONS)
        visit = Visit(await context.new_page())
        visit.attach()
        yield visit
        assert complaints or not visit.complaints, visit.complaints
    finally:
        await context.close()
