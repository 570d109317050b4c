"""A copy of the checkout, in which a mutant meets its tests."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from tests.mutation.mutants import ROOT, Mutant

NOT_COPIED = shutil.ignore_patterns(".git", ".venv", ".mutation", ".mypy_cache", "node_modules")
STOP_SECONDS = 20
COLLECT_SECONDS = 300
FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+?\.py(?:::.*?)?)(?: - .*)?$", re.MULTILINE)
PASSED, INTERRUPTED_TEST = 0, "Timeout"


class Outcome(Enum):
    """What became of a mutant."""

    KILLED = "killed"
    TIMEOUT = "timeout"
    SURVIVED = "survived"


@dataclass(frozen=True, slots=True)
class Met:
    """How the tests met a mutant, and which one killed it."""

    outcome: Outcome
    test: str = ""


class Tree:
    """A copy of the checkout in a directory of its own, beside the real input if that is there."""

    def __init__(self, directory: Path) -> None:
        self.root = directory / "repo"
        shutil.copytree(ROOT, self.root, ignore=NOT_COPIED, symlinks=True)
        if (shared := ROOT.parent / "shared").exists():
            (directory / "shared").symlink_to(shared.resolve())

    @contextmanager
    def with_mutant(self, mutant: Mutant) -> Iterator[None]:
        """Put a mutant in its place. Its time is its own, or Python might take what it compiled
        before."""
        path = self.root / mutant.path
        before = path.stat()
        path.write_text(mutant.text, encoding="utf-8")
        os.utime(path, (before.st_atime, before.st_mtime + 10))
        try:
            yield
        finally:
            path.write_text(mutant.source, encoding="utf-8")
            os.utime(path, (before.st_atime, before.st_mtime))

    def collect(self) -> set[str]:
        """The tests that there are."""
        _, output = self._pytest(["--collect-only", "-q", "tests"], COLLECT_SECONDS)
        return {line for line in output.splitlines() if "::" in line}

    def run(self, tests: Sequence[str], seconds: float) -> Met:
        """Run tests in their order, until the first that fails."""
        code, output = self._pytest(["-x", "--tb=line", "-rfE", f"--timeout={seconds / 2:.0f}",
                                     *tests], seconds)
        if code == PASSED:
            return Met(Outcome.SURVIVED)
        failed = FAILED.search(output)
        late = code is None or INTERRUPTED_TEST in output
        return Met(Outcome.TIMEOUT if late else Outcome.KILLED, failed.group(1) if failed else "")

    def failing(self, tests: Sequence[str], seconds: float) -> set[str]:
        """Those of some tests that fail."""
        return set(FAILED.findall(self._pytest(["--tb=line", "-rfE", *tests], seconds)[1]))

    def _pytest(self, arguments: Sequence[str], seconds: float) -> tuple[int | None, str]:
        """pytest in a process of its own: its exit code, None if it took too long; its output."""
        with tempfile.TemporaryDirectory(prefix="m-") as temporary:
            os.chmod(temporary, 0o755)  # PostgreSQL may run under another account
            names = Path(temporary) / "tests"
            names.write_text("\n".join(arguments), encoding="utf-8")
            process = subprocess.Popen(
                [sys.executable, "-m", "pytest", "-n0", "-p", "no:cacheprovider", f"@{names}"],
                cwd=self.root, env=self._environment(temporary), text=True, start_new_session=True,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            try:
                output, _ = process.communicate(timeout=seconds)
                return process.returncode, output
            except subprocess.TimeoutExpired:
                return None, _stop(process)
            finally:
                _stop_postgres(Path(temporary))

    def _environment(self, temporary: str) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(self.root), "PYTHONDONTWRITEBYTECODE": "1",
                "TMPDIR": temporary}


def _stop(process: subprocess.Popen[str]) -> str:
    """End pytest and what it started; first as a person would, so that it clears up."""
    os.killpg(process.pid, signal.SIGINT)
    with suppress(subprocess.TimeoutExpired):
        return process.communicate(timeout=STOP_SECONDS)[0]
    os.killpg(process.pid, signal.SIGKILL)
    return process.communicate()[0]


def _stop_postgres(directory: Path) -> None:
    """End the PostgreSQL of a pytest that could not."""
    for file in directory.rglob("postmaster.pid"):
        with suppress(OSError, ValueError):
            os.kill(int(file.read_text().splitlines()[0]), signal.SIGQUIT)
            time.sleep(1)
