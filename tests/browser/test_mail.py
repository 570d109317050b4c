"""Mails on a phone: one column, nothing scrolls sideways, letters of 16 pixels."""

from datetime import date
from pathlib import Path
from typing import Any

from schema.pages.alerts.texts import Category, Digest, Line, Point, arranged, digest_letter
from tracker.alerts.letter import Paragraph, html

WIDTH = 390
LONG = "x" * 300


def mail() -> str:
    """Return a mail with long words and long addresses."""
    lines = [
        Line(
            category,
            f"{category}/{number}",
            "2026-11-20",
            f"Act {LONG}",
            f"/controls/{LONG}?a=1",
            "remark",
        )
        for category in Category
        for number in range(3)
    ]
    since, until = Point(date(2026, 11, 1), 1), Point(date(2026, 11, 29), 2)
    digest = Digest(
        f"Gallium {LONG}", f"/{LONG}", "/changes", since, until, arranged(lines), [LONG]
    )
    footer = [
        Paragraph("You get this mail.", f"https://example.org/{LONG}", "Unsubscribe", note=True)
    ]
    return html(digest_letter(digest, "https://example.org", footer))


async def test_a_mail_does_not_scroll_sideways_on_a_phone(browser: Any, tmp_path: Path) -> None:
    file = tmp_path / "mail.html"
    file.write_text(mail(), "utf-8")
    page = await browser.new_page(viewport={"width": WIDTH, "height": 844})
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    await page.goto(file.as_uri())
    assert await page.evaluate("document.documentElement.scrollWidth") <= WIDTH
    sizes = await page.evaluate(
        "[...document.querySelectorAll('p, a, span')].map(e => parseFloat(getComputedStyle(e).fontSize))"
    )
    assert min(sizes) >= 16
    ends = await page.evaluate(
        "[...document.body.querySelectorAll('*')].map(e => e.getBoundingClientRect().right)"
    )
    assert max(ends) <= WIDTH
    assert requests == [file.as_uri()], "no images, no trackers"
    await page.close()
