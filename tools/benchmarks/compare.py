"""Comparison of the short set of benchmarks with another commit, in alternation on one machine.

    python -m tools.benchmarks --compare COMMIT [--rounds 3] [--only GROUP …]

The other commit gets a worktree and an environment of its own. It is measured by the benchmarks of this
checkout, or by its own if these do not fit it. The command fails if a figure is more than 15 % below that of
the other commit.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.benchmarks.harness import machine, markdown
from tools.benchmarks.short import GROUPS

ROOT = Path(__file__).parents[2]
MIN_RATIO = 0.85
Figures = Mapping[str, Sequence[float]]
"""Measurements of all rounds by figure; more is better."""


@dataclass(frozen=True, slots=True)
class Checkout:
    """A checkout with its interpreter; `benchmarks` has the benchmarks to try before its own."""

    root: Path
    python: str
    benchmarks: Path

    def measure(self, group: str) -> Mapping[str, float]:
        """Return one round of a group; empty if its benchmarks do not run on this commit."""
        for benchmarks in dict.fromkeys((self.benchmarks, self.root)):
            done = subprocess.run(
                [self.python, "-P", "-m", "tools.benchmarks.short", group],
                cwd=self.root,
                env={**os.environ, "PYTHONPATH": str(benchmarks), "PYTHONDONTWRITEBYTECODE": ""},
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode == 0:
                figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
                return figures
            print(f"{group}: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return {}


@contextmanager
def checked_out(commit: str) -> Iterator[Checkout]:
    """Check a commit out with an environment of its own, for the duration of a block."""
    with tempfile.TemporaryDirectory(prefix="tracker-compare-") as directory:
        os.chmod(directory, 0o755)  # PostgreSQL runs under another account when this runs as root
        root, benchmarks = Path(directory) / "commit", Path(directory) / "benchmarks"
        subprocess.run(
            ["git", "worktree", "add", "-q", "--detach", root, commit], cwd=ROOT, check=True
        )
        try:
            for package in ("tools", "tests/support"):
                shutil.copytree(ROOT / package, benchmarks / package)
            (benchmarks / "tests" / "__init__.py").touch()
            python = str(root / ".venv" / "bin" / "python")
            subprocess.run([sys.executable, "-m", "venv", root / ".venv"], check=True)
            install = [python, "-m", "pip", "install", "--quiet", "psutil"]
            subprocess.run([*install, "--editable", ".[embedded,bench]"], cwd=root, check=True)
            yield Checkout(root, python, benchmarks)
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", root], cwd=ROOT, check=True)


def measured(
    checkouts: Sequence[Checkout], groups: Sequence[str], rounds: int
) -> list[dict[str, list[float]]]:
    """Measure the groups in alternation, after an unmeasured round that fills caches of files."""
    taken: list[dict[str, list[float]]] = [{} for _ in checkouts]
    for number in range(rounds + 1):
        for group in groups:
            for checkout, figures in zip(checkouts, taken, strict=True):
                for name, figure in checkout.measure(group).items():
                    print(
                        f"round {number}: {checkout.root.name}: {name}: {figure:,.1f}",
                        file=sys.stderr,
                    )
                    if number:
                        figures.setdefault(name, []).append(figure)
    return taken


def ratios(before: Figures, after: Figures) -> dict[str, float]:
    """Return the ratios of medians for figures of both. Pure."""
    return {
        name: statistics.median(after[name]) / statistics.median(before[name])
        for name in after
        if name in before
    }


def report(before: Figures, after: Figures) -> str:
    """Return both medians and their ratio by figure as a table. Pure."""
    compared = ratios(before, after)
    rows = []
    for name in dict.fromkeys((*before, *after)):
        cells = [
            f"{statistics.median(of[name]):,.1f}" if name in of else "–" for of in (before, after)
        ]
        ratio = compared.get(name)
        text = (
            "–" if ratio is None else f"{ratio:.2f}" if ratio >= MIN_RATIO else f"**{ratio:.2f}**"
        )
        rows.append([name, *cells, text])
    return markdown(["more is better", "before", "after", "ratio"], rows)


def main(arguments: Sequence[str]) -> None:
    """Compare, print the table, and exit with 1 if a figure fell."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.benchmarks --compare",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("commit")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=[*GROUPS], default=[*GROUPS])
    chosen = parser.parse_args(arguments)
    with checked_out(chosen.commit) as other:
        before, after = measured(
            (other, Checkout(ROOT, sys.executable, ROOT)), chosen.only, chosen.rounds
        )
    print(
        f"{machine()}; rounds: {chosen.rounds}; before: {chosen.commit}.\n\n{report(before, after)}"
    )
    if fallen := [name for name, ratio in ratios(before, after).items() if ratio < MIN_RATIO]:
        sys.exit(f"more than {1 - MIN_RATIO:.0%} slower: {'; '.join(fallen)}")
    if not ratios(before, after):
        sys.exit("no figure could be measured on both commits")
