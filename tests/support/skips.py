"""Skipped tests: printed with their reasons, and refused where every test is to run.

`tests/skips.toml` lists the tests that CI cannot run. With TESTS_MUST_RUN set, as in CI, a run fails if
another test is skipped.
"""

from __future__ import annotations

import os
import tomllib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pytest

LIST = Path(__file__).parents[1] / "skips.toml"
MUST_RUN = "TESTS_MUST_RUN"


class Skip(NamedTuple):
    """A skipped test, or file of tests, and the reason that it gave."""

    test: str
    reason: str

    @classmethod
    def of(cls, report: pytest.TestReport | pytest.CollectReport) -> Skip:
        """Read a report of a skipped test or file."""
        text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        return cls(report.nodeid, text.removeprefix("Skipped: "))


def excused(path: Path = LIST) -> tuple[Skip, ...]:
    """Read the list: a test's file or name, and a part of the reason with which it is skipped."""
    entries = tomllib.loads(path.read_text(encoding="utf-8"))["skip"]
    return tuple(Skip(test, entry["reason"]) for entry in entries for test in entry["tests"])


def unexcused(skips: Iterable[Skip], excuses: tuple[Skip, ...]) -> list[Skip]:
    """Return the skips that no entry of the list covers."""
    return [
        skip
        for skip in skips
        if not any(
            skip.test.startswith(excuse.test) and excuse.reason in skip.reason for excuse in excuses
        )
    ]


def summary(skips: Iterable[Skip]) -> list[str]:
    """Return a line for each reason in a file, with its number of tests."""
    counts = Counter((skip.test.partition("::")[0], skip.reason) for skip in skips)
    return [f"skipped: {file} ({count}): {reason}" for (file, reason), count in counts.items()]


class SkipReporter:
    """A plugin of the process that prints the summary."""

    def __init__(self, excuses: tuple[Skip, ...]) -> None:
        self.excuses = excuses
        self.skips: list[Skip] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Collect skipped tests."""
        if report.skipped and not hasattr(report, "wasxfail"):
            self.skips.append(Skip.of(report))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Collect skipped files."""
        if report.skipped:
            self.skips.append(Skip.of(report))

    def unexcused(self) -> list[Skip]:
        """Return the skips that fail the run."""
        return unexcused(self.skips, self.excuses) if os.environ.get(MUST_RUN) else []

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail the run if a test that must run was skipped."""
        if self.unexcused() and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the skips with their reasons, and those that fail the run."""
        for line in summary(self.skips):
            terminalreporter.write_line(line, yellow=True)
        for skip in self.unexcused():
            terminalreporter.write_line(
                f"{skip.test} must run here, and was skipped: {skip.reason}. Install what it needs, "
                f"or add it to {LIST.name} with the reason that it cannot run.",
                red=True,
            )
