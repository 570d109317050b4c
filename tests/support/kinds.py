"""Kinds of tests by file: drills, which only CI and `just nightly` run, and quick tests.

`pytest` runs all but the drills. `pytest -m drill` runs the drills, `pytest -m quick` a minute of tests
in every room, and `pytest -m ""` everything. Paths on the command line are always run.
"""

from __future__ import annotations

from pathlib import Path

TESTS = Path(__file__).parents[1]
DRILLS = (
    "browser/test_pages.py",
    "browser/test_truth.py",
    "cluster",
    "contract/test_fuzzed.py",
    "deploy/test_images.py",
    "deploy/test_idle.py",
    "deploy/test_packaging.py",
    "deploy/test_two_releases.py",
    "faults",
    "pages/test_crawl.py",
    "test_idle_programs.py",
    "truth",
)
"""Fault rounds, clusters, the full browser matrix, sweeps of the oracle, releases."""
QUICK = ("assistants/test_protocol.py", "audit/test_merkle.py", "commands", "domain")
"""Fast tests of every room."""


def is_below(path: Path, names: tuple[str, ...]) -> bool:
    """Whether a test file is one of some files, or in one of some directories."""
    return any(path.is_relative_to(TESTS / name) for name in names)
