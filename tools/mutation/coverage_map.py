"""Which tests run a function, and how long they take: measured once, by coverage's contexts.

Functions are known by their names, so that the map serves while lines move. A test that is new or
has changed is added by measuring its file again.
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
"""Not about what the code does, or too slow to be asked a thousand times."""

SETTINGS = """[run]
data_file = {}
source =
    tracker
    projections
    schema
"""


@dataclass(slots=True)
class CoverageMap:
    """The tests of each function, by file and name, and the seconds that each test takes."""

    tests: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def running(self, path: str, scope: str) -> set[str]:
        """The tests that run a function, or else one around it, or else anything in its file."""
        of_file = self.tests.get(path, {})
        while scope and scope not in of_file:
            scope = scope.rpartition(".")[0]
        return set(of_file[scope]) if scope else set().union(*of_file.values())

    def add(self, other: CoverageMap) -> None:
        """Take in what was measured of some files of tests, instead of what was known of them."""
        again = {test.partition("::")[0] for test in other.seconds}
        for path in {*self.tests, *other.tests}:
            known, new = self.tests.setdefault(path, {}), other.tests.get(path, {})
            for scope in {*known, *new}:
                old = (t for t in known.get(scope, ()) if t.partition("::")[0] not in again)
                known[scope] = sorted({*old, *new.get(scope, ())})
        self.seconds |= other.seconds

    def save(self) -> None:
        """Write it."""
        COVERAGE_FILE.parent.mkdir(exist_ok=True)
        COVERAGE_FILE.write_text(json.dumps(asdict(self)), encoding="utf-8")


def load_map() -> CoverageMap:
    """The map as it was saved, or an empty one."""
    if not COVERAGE_FILE.exists():
        return CoverageMap()
    return CoverageMap(**json.loads(COVERAGE_FILE.read_text(encoding="utf-8")))


def measure(tests: Sequence[str]) -> CoverageMap:
    """Run some tests, or all if none are named, and see what runs what."""
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
    """What coverage and pytest have written: `data` and `times.xml`."""
    data = CoverageData(str(directory / "data"))
    data.read()
    measured = CoverageMap(seconds=dict(_seconds(directory / "times.xml")))
    for file in sorted(data.measured_files()):
        path = Path(file).relative_to(ROOT).as_posix()
        if path.startswith(tuple(ROOMS.values())):
            measured.tests[path] = _tests_of(Path(file), data.contexts_by_lineno(file))
    return measured


def _tests_of(file: Path, contexts: dict[int, list[str]]) -> dict[str, list[str]]:
    """The tests by function; what runs while a module is imported belongs to none."""
    scopes = _scopes(ast.parse(file.read_text(encoding="utf-8")))
    found: dict[str, set[str]] = defaultdict(set)
    for line, running in contexts.items():
        if scope := scopes.get(line):
            found[scope].update(context.rpartition("|")[0] for context in running if context)
    return {scope: sorted(tests) for scope, tests in found.items() if tests}


def _scopes(tree: ast.AST, outer: str = "") -> dict[int, str]:
    """The innermost function of every line that is in one."""
    found: dict[int, str] = {}
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{outer}.{node.name}".strip(".")
            if not isinstance(node, ast.ClassDef) and node.end_lineno:
                found |= dict.fromkeys(range(node.body[0].lineno, node.end_lineno + 1), name)
            found |= _scopes(node, name)
        else:
            found |= _scopes(node, outer)
    return found


def _seconds(path: Path) -> Iterator[tuple[str, float]]:
    for case in ElementTree.parse(path).iter("testcase"):
        module, name = case.get("classname", "").replace(".", "/"), case.get("name", "")
        yield f"{module}.py::{name}", float(case.get("time", 0))
