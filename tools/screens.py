"""Screenshots of pages for the README and the documentation, from the shipped corpus.

    python -m tools.screens [docs/screens]

Needs Chromium, a font with Chinese characters (Debian's `chromium`, `fonts-wqy-microhei`) and Playwright.
The pages have a fixed day, so that the screenshots change only with the pages or the corpus.
"""

import shutil
import sys
from contextlib import ExitStack
from pathlib import Path

import uvloop
from playwright.sync_api import sync_playwright

from tools.benchmarks.graphql import own_rows, started
from tools.benchmarks.harness import load, server

DAY = "2026-11-25"
WIDTH_PX, HEIGHT_PX = 1280, 900
QUALITY = 82
"""JPEG quality in per cent: letters stay clear, and a picture has about 100 kB."""
SCREENS = {
    "overview": ("/", "light"),
    "commodity": ("/commodities/rare_earths", "light"),
    "control": ("/controls/cn-mofcom-2024-46", "light"),
    "figure": ("/figures/rare_earths/CN/production/mine/2023", "dark"),
    "changes": ("/changes?from=2025-10-01&kind=EXPORT_CONTROL", "light"),
    "alliances": ("/alliances", "dark"),
}


def main() -> None:
    """Make all screenshots."""
    directory = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/screens")
    directory.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("there is no chromium on this machine")
    with server() as target, ExitStack() as running:
        uvloop.run(load(target))
        port, _ = running.enter_context(started(own_rows(target, 0)))
        play = running.enter_context(sync_playwright())
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, (path, scheme) in SCREENS.items():
            page = browser.new_page(
                viewport={"width": WIDTH_PX, "height": HEIGHT_PX},
                color_scheme=scheme,  # type: ignore[arg-type]  # one of the two words
            )
            page.goto(f"http://127.0.0.1:{port}{path}{'&' if '?' in path else '?'}valid={DAY}")
            file = directory / f"{name}.jpeg"
            page.screenshot(path=file, type="jpeg", quality=QUALITY)
            print(f"{file}: {file.stat().st_size / 1000:.0f} kB")
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
