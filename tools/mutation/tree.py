"""A copy of the checkout in which tests run on a mutant."""

from __future__ import annotations

import multiprocessing
import os
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from tools.mutation.mutants import ROOT, Mutant

NOT_COPIED = shutil.ignore_patterns(".git", ".venv", ".mutation", ".mypy_cache", "node_modules")
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    [
        "__main__",
        "pytest",
        "hypothesis.strategies",
        "asyncpg",
        "strawberry",
        "httpx2",
        "starlette.applications",
        "cryptography.hazmat.primitives.asymmetric.ed25519",
        "eventsourcing.persistence",
        "python_calamine",
        "xlsxwriter",
        "typer",
        "uvicorn",
        "websockets",
        "pycountry",
    ]
)
"""Preloaded libraries; every mutant has its own process, forked from this one."""

OUTPUT = "output"
STOP_SECONDS = 20
COLLECT_SECONDS = 300
FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+?\.py(?:::.*?)?)(?: - .*)?$", re.MULTILINE)
PASSED, INTERRUPTED_TEST = 0, "Timeout"


class Outcome(Enum):
    """Outcome of a mutant."""

    KILLED = "killed"
    TIMEOUT = "timeout"
    SURVIVED = "survived"


@dataclass(frozen=True, slots=True)
class MutantOutcome:
    """The outcome of tests on a mutant, with the test that killed it."""

    outcome: Outcome
    test: str = ""


class Tree:
    """A copy of the checkout in a separate directory, with the real input if available."""

    def __init__(self, directory: Path) -> None:
        self.root = directory / "repo"
        shutil.copytree(ROOT, self.root, ignore=NOT_COPIED, symlinks=True)
        if (shared := ROOT.parent / "shared").exists():
            (directory / "shared").symlink_to(shared.resolve())

    @contextmanager
    def with_mutant(self, mutant: Mutant) -> Iterator[None]:
        """Apply a mutant for the duration of a block.

        Its modification time is unique, because Python might otherwise use older bytecode.
        """
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
        """Return the existing tests."""
        _, output = self._pytest(["--collect-only", "tests"], COLLECT_SECONDS)
        return {line for line in output.splitlines() if "::" in line}

    def run(self, tests: Sequence[str], seconds: float) -> MutantOutcome:
        """Run tests in order, until the first failure."""
        if not tests:
            return MutantOutcome(Outcome.SURVIVED)
        code, output = self._pytest(
            ["-x", "--tb=line", "-rfE", f"--timeout={seconds / 2:.0f}", *tests], seconds
        )
        if code == PASSED:
            return MutantOutcome(Outcome.SURVIVED)
        failed = FAILED.search(output)
        late = code is None or INTERRUPTED_TEST in output
        return MutantOutcome(
            Outcome.TIMEOUT if late else Outcome.KILLED, failed.group(1) if failed else ""
        )

    def failing(self, tests: Sequence[str], seconds: float) -> set[str]:
        """Return the failing tests among some."""
        return set(FAILED.findall(self._pytest(["--tb=line", "-rfE", *tests], seconds)[1]))

    def _pytest(self, arguments: Sequence[str], seconds: float) -> tuple[int | None, str]:
        """Run pytest in a separate process, and return its exit code (None after a timeout) and output."""
        with tempfile.TemporaryDirectory(prefix="m-") as temporary:
            os.chmod(temporary, 0o755)  # PostgreSQL may run under another account
            process = FORKS.Process(target=run_pytest, args=(self.root, Path(temporary), arguments))
            process.start()
            process.join(seconds)
            code = process.exitcode
            if process.is_alive():
                _stop(process)
            _stop_postgres(Path(temporary))
            return code, (Path(temporary) / OUTPUT).read_text(encoding="utf-8", errors="replace")


def run_pytest(root: Path, temporary: Path, arguments: Sequence[str]) -> None:
    """Run pytest in a new session, with its own output and modules.

    The parent process has loaded libraries, but no code of the checkout except this package.
    """
    os.setsid()
    output = os.open(temporary / OUTPUT, os.O_WRONLY | os.O_CREAT)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.chdir(root)
    os.environ |= {"PYTHONPATH": str(root), "TMPDIR": str(temporary)}
    tempfile.tempdir, sys.dont_write_bytecode = None, True
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    sys.path[:] = [str(root), *(path for path in sys.path if path not in ("", str(ROOT)))]
    for name in [name for name in sys.modules if name.partition(".")[0] in ("tests", "tools")]:
        del sys.modules[name]
    sys.exit(pytest.main(["-n0", "-p", "no:cacheprovider", "-p", "no:schemathesis", *arguments]))


def _stop(process: BaseProcess) -> None:
    """End pytest and its children, first with an interrupt, so that it cleans up."""
    for number in (signal.SIGINT, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid or 0, number)
        process.join(STOP_SECONDS)


def _stop_postgres(directory: Path) -> None:
    """End the PostgreSQL of a killed pytest."""
    for file in directory.rglob("postmaster.pid"):
        with suppress(OSError, ValueError):
            os.kill(int(file.read_text().splitlines()[0]), signal.SIGQUIT)
            time.sleep(1)
