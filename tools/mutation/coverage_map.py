"""Tests and durations by function, measured once with coverage contexts.

Functions are identified by name, so that the map survives line changes. New or changed tests are added
by measuring their file again.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from coverage import CoverageData

from tools.mutation.mutants import ROOMS, ROOT

COVERAGE_FILE = ROOT / ".mutation" / "coverage.json"
LEFT_OUT = ("tests/faults", "tests/contract/test_clients.py", "tests/test_style.py", "tests/tools")
"""Tests that are unrelated to behaviour, or too slow for a thousand runs."""

SETTINGS = """[run]
data_file = {}
source =
    tracker
    projections
    schema
"""


@dataclass(slots=True)
class CoverageMap:
    """The tests of each function, by file and name, and the seconds of each test."""

    tests: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def running(self, path: str, scope: str) -> set[str]:
        """Return the tests that run a function, or else an enclosing one, or else its file."""
        of_file = self.tests.get(path, {})
        while scope and scope not in of_file:
            scope = scope.rpartition(".")[0]
        return set(of_file[scope]) if scope else set().union(*of_file.values())

    def add(self, other: CoverageMap) -> None:
        """Replace the data of some test files by new measurements."""
        again = {test.partition("::")[0] for test in other.seconds}
        for path in {*self.tests, *other.tests}:
            known, new = self.tests.setdefault(path, {}), other.tests.get(path, {})
            for scope in {*known, *new}:
                old = (t for t in known.get(scope, ()) if t.partition("::")[0] not in again)
                known[scope] = sorted({*old, *new.get(scope, ())})
        self.seconds |= other.seconds

    def save(self) -> None:
        """Save the map."""
        COVERAGE_FILE.parent.mkdir(exist_ok=True)
        COVERAGE_FILE.write_text(json.dumps(asdict(self)), encoding="utf-8")


def load_map() -> CoverageMap:
    """Return the saved map, or an empty one."""
    if not COVERAGE_FILE.exists():
        return CoverageMap()
    return CoverageMap(**json.loads(COVERAGE_FILE.read_text(encoding="utf-8")))


def measure(tests: Sequence[str]) -> CoverageMap:
    """Run some tests, by default all, and measure which code they run."""
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)
        (directory / "settings").write_text(SETTINGS.format(directory / "data"), encoding="utf-8")
        subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "--cov",
                f"--cov-config={directory / 'settings'}",
                "--cov-context=test",
                "--cov-report=",
                f"--junitxml={directory / 'times.xml'}",
                "--timeout=600",
                *(f"--ignore={path}" for path in LEFT_OUT),
                *tests,
            ],
            cwd=ROOT,
            check=False,
        )
        return read_measured(directory)


def read_measured(directory: Path) -> CoverageMap:
    """Read the output of coverage and pytest: `data` and `times.xml`."""
    data = CoverageData(str(directory / "data"))
    data.read()
    measured = CoverageMap(seconds=dict(_seconds(directory / "times.xml")))
    for file in sorted(data.measured_files()):
        path = Path(file).relative_to(ROOT).as_posix()
        if path.startswith(tuple(ROOMS.values())):
            measured.tests[path] = _tests_of(Path(file), data.contexts_by_lineno(file))
    return measured


def _tests_of(file: Path, contexts: dict[int, list[str]]) -> dict[str, list[str]]:
    """Return the tests by function; code that runs on import belongs to none."""
    scopes = _scopes(ast.parse(file.read_text(encoding="utf-8")))
    by_function: dict[str, set[str]] = defaultdict(set)
    for line, running in contexts.items():
        if scope := scopes.get(line):
            by_function[scope].update(context.rpartition("|")[0] for context in running if context)
    return {scope: sorted(tests) for scope, tests in by_function.items() if tests}


def _scopes(tree: ast.AST, outer: str = "") -> dict[int, str]:
    """Return the innermost function of every line in one."""
    scopes: dict[int, str] = {}
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{outer}.{node.name}".strip(".")
            if not isinstance(node, ast.ClassDef) and node.end_lineno:
                scopes |= dict.fromkeys(range(node.body[0].lineno, node.end_lineno + 1), name)
            scopes |= _scopes(node, name)
        else:
            scopes |= _scopes(node, outer)
    return scopes


def _seconds(path: Path) -> Iterator[tuple[str, float]]:
    for case in ElementTree.parse(path).iter("testcase"):
        module, name = case.get("classname", "").replace(".", "/"), case.get("name", "")
        yield f"{module}.py::{name}", float(case.get("time", 0))
