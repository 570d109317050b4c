"""The house rules: layers, style, types, settings in their table, files of a readable length."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from deploy.settings import PREFIX, SETTINGS

ROOT = Path(__file__).parents[1]
MAX_FILE_LINES = 480
"""As the formatter breaks lines: about 400 as people would."""

FLOORS = ("tracker", "projections", "schema", "deploy")


def tool(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a tool of this environment in the checkout."""
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("-m", "ruff", "check", "."),
        ("-m", "ruff", "format", "--check", "."),
        ("-m", "mypy"),
        ("-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"),
    ],
    ids=["ruff", "format", "mypy", "import-linter"],
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
