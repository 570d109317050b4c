"""Durations of test files are recorded, and the longest files run first."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.checkout import ROOT
from tests.support.durations import RECORDED, DurationRecorder, read_durations

FILES = (
    "tests/alerts/test_headers.py",
    "tests/audit/test_merkle.py",
    "tests/audit/test_publisher.py",
)


def test_the_longest_file_runs_first() -> None:
    listed = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "0", "--collect-only", *FILES],
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    files = dict.fromkeys(line.split("::")[0] for line in listed.splitlines() if "::" in line)
    assert len(files) == len(FILES)
    seconds = [read_durations()[file] for file in files]
    assert seconds == sorted(seconds, reverse=True)


def test_a_run_keeps_the_durations_of_files_that_did_not_run(tmp_path: Path) -> None:
    path = tmp_path / "durations.json"
    path.write_text('{"tests/test_a.py": 5.0, "tests/test_b.py": 7.0}')
    recorder = DurationRecorder(path)
    recorder.seconds["tests/test_b.py"] = 2.04
    recorder.seconds["tests/test_c.py"] = 0.2
    recorder.pytest_sessionfinish()
    assert read_durations(path) == {"tests/test_a.py": 5.0, "tests/test_b.py": 2.0}


def test_recorded_files_exist() -> None:
    assert [file for file in read_durations(RECORDED) if not (ROOT / file).exists()] == []
