"""Lighthouse scores of the main pages, in light and dark.

    python -m tools.benchmarks.scores URL

URL is that of a running server, such as `http://127.0.0.1:8000`. The exit status is 1 if a score is below
its target.
Needs Chromium (Debian's `chromium`) and npm. Lighthouse comes from npm into a cache.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

TARGETS = {"performance": 95, "accessibility": 100, "best-practices": 100, "seo": 100}
CATEGORIES = tuple(TARGETS)
THEMES = {"light": "preferredColorScheme=1", "dark": "preferredColorScheme=0"}
"""Themes with their settings of Blink."""
LIGHTHOUSE = Path(__file__).with_name("lighthouse")
PAGES = (
    "/",
    "/commodities/gallium",
    "/places/CN",
    "/controls",
    "/controls/cn-mofcom-2024-46",
    "/alliances",
    "/upcoming",
    "/search?q=gallium",
    "/changes",
    "/events/6618",
    "/about",
)


def installed_chromium() -> str:
    """Return the path of Chromium; exit with the reason if it or npm is missing."""
    chromium = shutil.which("chromium")
    if chromium is None or shutil.which("npm") is None:
        sys.exit("Skipped: Lighthouse needs chromium and npm on this machine")
    return chromium


def lighthouse(url: str, path: str, chromium: str, theme: str) -> dict[str, float]:
    """Return the Lighthouse scores of a page in a theme, out of 100."""
    home = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "tracker-lighthouse"
    home.mkdir(parents=True, exist_ok=True)
    shutil.copy(LIGHTHOUSE / "package.json", home)
    if not (home / "node_modules" / ".bin" / "lighthouse").exists():
        command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=home, check=True, capture_output=True, timeout=600)
    with tempfile.TemporaryDirectory() as directory:
        saved = Path(directory) / "report.json"
        subprocess.run(
            [
                home / "node_modules" / ".bin" / "lighthouse",
                url + path,
                "--quiet",
                "--output=json",
                f"--output-path={saved}",
                f"--only-categories={','.join(CATEGORIES)}",
                f"--chrome-flags=--headless --no-sandbox --blink-settings={THEMES[theme]}",
            ],
            check=True,
            capture_output=True,
            timeout=180,
            env={**os.environ, "CHROME_PATH": chromium},
        )
        report: dict[str, Any] = json.loads(saved.read_text("utf-8"))
    return {name: report["categories"][name]["score"] * 100 for name in CATEGORIES}


def main() -> None:
    """Print the scores; exit with 1 if one is below its target."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    url, chromium = sys.argv[1].rstrip("/"), installed_chromium()
    good = True
    for path in PAGES:
        for theme in THEMES:
            scores = lighthouse(url, path, chromium, theme)
            good &= all(scores[name] >= target for name, target in TARGETS.items())
            print(
                f"{path} ({theme}): {', '.join(f'{name} {scores[name]:.0f}' for name in TARGETS)}"
            )
    sys.exit(not good)


if __name__ == "__main__":
    main()
