"""Code rules: layers, style, types, the table of settings, lengths of files and functions, docstrings."""

import ast
import gc
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from deploy.config.table import PREFIX, SETTINGS
from tests.support.cases import each_case
from tests.support.checkout import FLOORS, ROOT

MAX_FILE_LINES = 440
"""Limit for formatted files, which have about ten percent more lines than hand-wrapped ones."""
MAX_FUNCTION_LINES = 60
"""Limit from `def` to the last line, including the docstring."""

FORMER_NAMES = """
    Told Kept Held Gone Joined Came Tally Filled Mark Sequences Course Folded World
    Cited Decided Exposed Fresh Shown Marked Listed Unread Following Lost Acknowledged Unwritten
    Waiting Controlled Answered Collected ScheduleBook
    Happening Turn Ahead Crew Helper Meaning Verdict Opening Elsewhere Behind Safe Website
    Published Included Publications Seen Stretch Listing Asked Noted Quoted Straight Incoming
    PATIENCE LOST DEAD MYSELF FEW MUCH ENDURANCE LATER HELD GRACE SILENCE STALL
    told once goods sought needed come_to meant begun carried_out stretch touching judge
    understand examine holder granted bearer seen masked sealed unsealed asked says_the_same
    texts_gone place_named gone courses_from readable together settle greet watched barrier forget
"""
"""Former names that say little or have several meanings; `docs/architecture.md` has their replacements."""
FORMER_PREFIXES = ("MOST_", "LEAST_", "LONGEST_", "SHORTEST_", "OLDEST_")
"""Former prefixes of constants, replaced by `MAX_` and `MIN_`."""


def tool(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a tool of this environment in the checkout."""
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


def syntax_tree(path: Path) -> ast.Module:
    """Return the syntax tree of a file.

    The garbage collector is off meanwhile. If a collected object fails to close, Python parses the line
    to report it, and Python 3.11 may treat nested parsing as an error.
    """
    gc.disable()
    try:
        return ast.parse(path.read_text(encoding="utf-8"))
    finally:
        gc.enable()


@each_case(
    "arguments",
    [
        ("-m", "ruff", "check", "."),
        ("-m", "ruff", "format", "--check", "."),
        ("-m", "codespell_lib"),
        ("-m", "mypy"),
        ("-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"),
    ],
    ids=["ruff", "format", "spelling", "mypy", "import-linter"],
)
def test_the_code_is_clean(arguments: tuple[str, ...]) -> None:
    result = tool(*arguments)
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_setting_is_in_its_table_and_nothing_else_is() -> None:
    table = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    for setting in SETTINGS:
        flag = f"`{setting.flag}`" if setting.flag else "–"
        assert f"| `{setting.variable}` | {flag} | {setting.default} |" in table
    assert table.count("\n| `") == len(SETTINGS)


def test_every_environment_variable_of_the_code_is_a_setting() -> None:
    known = {setting.variable for setting in SETTINGS}
    for floor in FLOORS:
        for path in (ROOT / floor).rglob("*.py"):
            for word in path.read_text(encoding="utf-8").replace("`", '"').split('"'):
                if word.startswith("TRACKER_") and word.isupper() and word != PREFIX:
                    assert word in known, f"{path.relative_to(ROOT)} reads {word}"


def test_no_file_has_a_second_subject_in_it() -> None:
    for floor in FLOORS:
        for path in (*(ROOT / floor).rglob("*.py"), *(ROOT / floor).rglob("*.sql")):
            lines = path.read_text(encoding="utf-8").count("\n")
            assert lines <= MAX_FILE_LINES, f"{path.relative_to(ROOT)} has {lines} lines"


def test_no_function_has_a_second_subject_in_it() -> None:
    long = []
    for floor in (*FLOORS, "tools"):
        for path in (ROOT / floor).rglob("*.py"):
            for node in ast.walk(syntax_tree(path)):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    lines = (node.end_lineno or 0) - node.lineno + 1
                    if lines > MAX_FUNCTION_LINES:
                        long.append(f"{path.relative_to(ROOT)}: {node.name} has {lines} lines")
    assert not long


def definitions() -> Iterator[tuple[Path, str]]:
    """Yield every class, function, method and module constant, by file."""
    for floor in FLOORS:
        for path in (ROOT / floor).rglob("*.py"):
            tree = syntax_tree(path)
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                    yield path.relative_to(ROOT), node.name
            yield from ((path.relative_to(ROOT), name) for name, _ in constants(tree))


def constants(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """Yield the constants of a module with their values."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            yield node.targets[0].id, node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            yield node.target.id, node.value


def test_no_former_name_comes_back() -> None:
    former = set(FORMER_NAMES.split())
    assert not [
        f"{path}: {name}"
        for path, name in definitions()
        if name in former or name.startswith(FORMER_PREFIXES)
    ]


FORMER_VARIABLES = {"told"}
"""Former names of variables and fields with unclear contents."""


def test_no_former_name_of_a_variable_comes_back() -> None:
    wrong = []
    for floor in FLOORS:
        for path in (ROOT / floor).rglob("*.py"):
            for node in ast.walk(syntax_tree(path)):
                name = getattr(node, "id", getattr(node, "arg", getattr(node, "attr", None)))
                if name in FORMER_VARIABLES:
                    wrong.append(f"{path.relative_to(ROOT)}: {name}")
    assert not wrong


UNITS_OF_DRAWINGS = ("_PERCENT", "_PX", "_SHARE")
"""Units of constants with a fraction that are not seconds."""


def test_constants_of_time_say_that_they_are_seconds() -> None:
    wrong = []
    for floor in FLOORS:
        for path in (ROOT / floor).rglob("*.py"):
            tree = syntax_tree(path)
            for name, value in constants(tree):
                is_time = isinstance(value, ast.Constant) and isinstance(value.value, float)
                is_time |= name.endswith(("_TIMEOUT", "_INTERVAL", "_DELAY", "_PAUSE", "_AGE"))
                if is_time and not name.endswith(("_SECONDS", *UNITS_OF_DRAWINGS)):
                    wrong.append(f"{path.relative_to(ROOT)}: {name}")
    assert not wrong
