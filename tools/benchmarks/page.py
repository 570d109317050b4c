"""Page benchmarks: server time, size, the slider, and Lighthouse.

    python -m tools.benchmarks.page [--rounds 3] [--write docs/page.md]

Needs Chromium (Debian's `chromium`), Playwright and npm. Lighthouse comes from npm into a cache.
"""

from __future__ import annotations

import os
import random
import re
import statistics
import time
from contextlib import ExitStack
from dataclasses import dataclass

import httpx2
from playwright.sync_api import Page, sync_playwright

from tools.benchmarks.harness import machine, markdown, options, publish
from tools.benchmarks.hostile import serving
from tools.benchmarks.scores import CATEGORIES, THEMES, installed_chromium, lighthouse

PAGES = {
    "overview": "/",
    "commodity": "/commodities/rare_earths",
    "place": "/places/CN",
    "control": "/controls/cn-mofcom-2024-46",
    "controls": "/controls",
    "figure": "/figures/rare_earths/CN/production/mine/2023",
    "changes": "/changes?kind=EXPORT_CONTROL",
    "event": "/events/6618",
}
MOMENTS = 40
"""Moments at which each page is requested, first uncached and then cached."""
STEPS = 40
"""Steps of the slider on each page that has one."""
STEP = """async (days) => {
  const slider = document.querySelector(".time input[type=range]");
  const shown = new Promise((done) => document.addEventListener("page-shown", done, {once: true}));
  const began = performance.now();
  slider.value = String(Number(slider.value) - days);
  slider.dispatchEvent(new Event("input", {bubbles: true}));
  await shown;
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  return performance.now() - began;
}"""
"""Drags the slider by some days and waits until the page of that day is painted."""


@dataclass(frozen=True, slots=True)
class Weight:
    """Transferred bytes of a page, compressed."""

    html: int
    style: int
    scripts: int

    @property
    def total(self) -> int:
        """Return the total."""
        return self.html + self.style + self.scripts


def moments(head: int) -> list[str]:
    """Return days and positions, the same each time."""
    chance = random.Random(17)
    return [
        f"valid={chance.randint(2015, 2026)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
        f"&position={chance.randint(head // 2, head)}"
        for _ in range(MOMENTS)
    ]


def at(path: str, moment: str) -> str:
    """Return the address of a page at a moment."""
    return f"{path}{'&' if '?' in path else '?'}{moment}"


def server_times(client: httpx2.Client, head: int) -> dict[str, tuple[list[float], list[float]]]:
    """Return the milliseconds of each page, for first and repeated requests."""
    taken: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in PAGES}
    client.get("/about")  # templates are compiled and the first connections opened
    for path in PAGES.values():
        client.get(path)
    for moment in moments(head):
        for name, path in PAGES.items():
            for into in taken[name]:
                since = time.perf_counter()
                response = client.get(at(path, moment))
                into.append((time.perf_counter() - since) * 1000)
                assert response.status_code in (200, 404), response.text
    return taken


def weight(client: httpx2.Client, path: str) -> Weight:
    """Return the size of a page and its files."""
    html = client.get(path)
    files = re.findall(r'(?:src|href)="(/static/[^"]+\.(css|js))"', html.text)
    sizes = {"css": 0, "js": 0}
    for file, kind in dict.fromkeys(files):
        sizes[kind] += sent(client.get(file))
    return Weight(sent(html), sizes["css"], sizes["js"])


def sent(response: httpx2.Response) -> int:
    """Return the transferred bytes of a body."""
    return int(response.headers["content-length"])


def slider_times(page: Page, url: str) -> list[float]:
    """Return the milliseconds of slider steps on the pages, until painted."""
    taken = []
    for path in (PAGES["overview"], PAGES["commodity"], PAGES["control"]):
        for count in range(2):  # the first pass has new days, the second cached ones
            page.goto(url + path)
            page.wait_for_selector(".time input[type=range]:not([hidden])")
            for _ in range(STEPS):
                milliseconds = page.evaluate(STEP, 11)
                if count:
                    taken.append(milliseconds)
    return taken


def percentile(values: list[float], part: float) -> float:
    """Return a percentile of some values."""
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


def report(
    times: dict[str, tuple[list[float], list[float]]],
    weights: dict[str, Weight],
    slider: list[float],
    scores: dict[str, list[dict[str, float]]],
    load: float,
) -> str:
    """Return the results as Markdown; `load` is that of the machine before the measurement."""
    header = ["page", "new, p95 ms", "cached, p95 ms", "HTML, kB", "total, kB", *CATEGORIES]
    rows = []
    for name in PAGES:
        new, cached = times[name]
        judged = [
            f"{statistics.median(each[category] for each in scores[name]):.0f}"
            for category in CATEGORIES
        ]
        rows.append(
            [
                f"`{PAGES[name]}`",
                f"{percentile(new, 0.95):.0f}",
                f"{percentile(cached, 0.95):.1f}",
                f"{weights[name].html / 1000:.1f}",
                f"{weights[name].total / 1000:.1f}",
                *judged,
            ]
        )
    painted = (
        f"A step of the slider until it is painted, among days that were shown before: median"
        f" {statistics.median(slider):.0f} ms, p95 {percentile(slider, 0.95):.0f} ms."
    )
    about = f"{machine()}, load {load:.1f}. Lighthouse scores: of 100, medians, in light and dark."
    return f"{about}\n\n{markdown(header, rows)}\n\n{painted}"


def main() -> None:
    """Measure and print, or write to a page."""
    chosen = options(str(__doc__)).parse_args()
    chromium, load = installed_chromium(), os.getloadavg()[0]
    with ExitStack() as running:
        url = running.enter_context(serving(0)).url
        client = running.enter_context(httpx2.Client(base_url=url, timeout=30))
        head = int(client.get("/about.json").json()["data"]["asOf"]["position"])
        times = server_times(client, head)
        weights = {name: weight(client, path) for name, path in PAGES.items()}
        play = running.enter_context(sync_playwright())
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        slider = slider_times(browser.new_page(), url)
        browser.close()
        scores = {
            name: [
                lighthouse(url, path, chromium, theme)
                for theme in THEMES
                for _ in range(chosen.rounds)
            ]
            for name, path in PAGES.items()
        }
    publish("page", report(times, weights, slider, scores, load), chosen.write)


if __name__ == "__main__":
    main()
