"""Recorded durations of test files: the longest start first, so that no worker runs one alone at the end.

`TESTS_RECORD_DURATIONS=1 pytest` writes them, on an idle machine.
"""

import json
from collections import Counter
from pathlib import Path

import pytest

RECORDED = Path(__file__).parents[1] / "durations.json"
RECORD = "TESTS_RECORD_DURATIONS"
MIN_SECONDS = 1.0
"""Shorter files are not listed: their order does not matter."""


def read_durations(path: Path = RECORDED) -> dict[str, float]:
    """Return the seconds of each listed file, by its path in the checkout."""
    durations: dict[str, float] = json.loads(path.read_text(encoding="utf-8"))
    return durations


class DurationRecorder:
    """A plugin of the process that prints the summary; writes the durations of the files that ran."""

    def __init__(self, path: Path = RECORDED) -> None:
        self.path = path
        self.seconds = Counter[str]()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add the duration of a phase of a test to its file's."""
        self.seconds[report.nodeid.partition("::")[0]] += report.duration

    def pytest_sessionfinish(self) -> None:
        """Write the file; files that did not run keep their durations."""
        merged = read_durations(self.path) | {
            file: round(seconds, 1) for file, seconds in self.seconds.items()
        }
        listed = {file: merged[file] for file in sorted(merged) if merged[file] >= MIN_SECONDS}
        self.path.write_text(json.dumps(listed, indent=1) + "\n", encoding="utf-8")
