"""A run that must run every test fails if one is skipped that is not on the list."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.checkout import ROOT
from tests.support.skips import LIST, MUST_RUN, excused

CONFTEST = """
from pathlib import Path
from tests.support.skips import SkipReporter, excused
def pytest_configure(config):
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(SkipReporter(excused(Path(__file__).with_name("skips.toml"))))
"""
TESTS = """
import pytest
def test_passes(): pass
@pytest.mark.skip(reason="LibreOffice is not installed")
def test_opens(): pass
"""
MODULE = (
    'import pytest; pytest.importorskip("no_such_library", reason="no_such_library is missing")'
)
OPENS = '[[skip]]\ntests = ["test_it.py::test_opens"]\nreason = "{}"\nwhy = "too large"\n'


def run(directory: Path, skips: str, *arguments: str, must_run: str = "1") -> tuple[int, str]:
    """Run tests below a directory with a list of skips; return exit status and output."""
    (directory / "conftest.py").write_text(CONFTEST)
    (directory / "test_it.py").write_text(TESTS)
    (directory / "skips.toml").write_text(skips)
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--rootdir", ".", "-c", os.devnull, *arguments],
        cwd=directory,
        env={**inherited, "PYTHONPATH": str(ROOT), MUST_RUN: must_run},
        capture_output=True,
        text=True,
        check=False,
    )
    return result.returncode, result.stdout + result.stderr


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_skip_that_is_not_on_the_list_fails_the_run(tmp_path: Path, workers: str) -> None:
    (tmp_path / "test_module.py").write_text(MODULE)
    status, output = run(tmp_path, "skip = []", "-n", workers)
    assert status == 1, output
    assert "1 passed" in output
    assert (
        "test_it.py::test_opens must run here, and was skipped: LibreOffice is not installed"
        in output
    )
    assert "test_module.py must run here, and was skipped: no_such_library is missing" in output


def test_a_skip_on_the_list_is_printed_with_its_reason(tmp_path: Path) -> None:
    status, output = run(tmp_path, OPENS.format("LibreOffice"))
    assert status == 0, output
    assert "skipped: test_it.py (1): LibreOffice is not installed" in output


def test_an_entry_excuses_its_own_reason_only(tmp_path: Path) -> None:
    status, output = run(tmp_path, OPENS.format("Excel"))
    assert (status, "must run here" in output) == (1, True), output


def test_elsewhere_skips_are_printed_and_pass(tmp_path: Path) -> None:
    status, output = run(tmp_path, "skip = []", must_run="")
    assert status == 0, output
    assert "skipped: test_it.py (1): LibreOffice is not installed" in output


def test_each_entry_of_the_list_names_a_test_of_this_checkout() -> None:
    for entry in excused(LIST):
        file, _, name = entry.test.partition("::")
        assert (ROOT / file).exists(), entry
        assert not name or f"def {name}(" in (ROOT / file).read_text(encoding="utf-8"), entry
