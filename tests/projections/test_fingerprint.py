"""Rows are rebuilt exactly when the behaviour of their code changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from projections.runner.fingerprint import hash_files
from projections.versions import projection

MAKES_NO_ROW = {
    *("__init__.py", "projection.py", "fold_cache.py", "whole_streams.py"),
    *("row_check.py", "sample_check.py"),
}
"""Modules that determine no row: fold order, caches, query words, and the row check."""

CODE = '''"""About days."""

import calendar


class Day:
    """One day."""

    LAST = 31  # of most months

    def is_last(self, day):
        """Whether it is."""
        if day == self.LAST:
            return True
        return False
'''

QUERY = "-- name: last_day\n-- Of a state.\nSELECT max(day) FROM days WHERE day < $1;\n"


def hashed(directory: Path, files: dict[str, str]) -> str:
    """Return the hash of some files."""
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    found = hash_files([directory / name for name in files])
    for name in files:
        (directory / name).unlink()
    return found


@pytest.mark.parametrize(
    "files",
    [
        {"days.py": CODE.replace("Whether it is.", "True of the last day."), "q.sql": QUERY},
        {"days.py": CODE.replace('"""About days."""', '"""About\n\ndays."""'), "q.sql": QUERY},
        {"days.py": CODE.replace("  # of most months", ""), "q.sql": QUERY},
        {
            "days.py": CODE.replace("import calendar", "from calendar import (\n    monthrange)"),
            "q.sql": QUERY,
        },
        {"days.py": CODE.replace("return False", "\n\n        return False"), "q.sql": QUERY},
        {"moved/days.py": CODE, "z.sql": QUERY},
        {"days.py": CODE, "q.sql": QUERY.replace("Of a state.", "Of an entity.")},
        {"days.py": CODE, "q.sql": QUERY.replace(" FROM", "\n    FROM")},
    ],
    ids=[
        "docstring",
        "docstring of the module",
        "comment",
        "import",
        "layout",
        "place",
        "comment in SQL",
        "layout of SQL",
    ],
)
def test_what_changes_no_row_changes_no_hash(tmp_path: Path, files: dict[str, str]) -> None:
    assert hashed(tmp_path, files) == hashed(tmp_path, {"days.py": CODE, "q.sql": QUERY})


@pytest.mark.parametrize(
    "files",
    [
        {"days.py": CODE.replace("31", "30"), "q.sql": QUERY},
        {"days.py": CODE.replace("day == self", "day != self"), "q.sql": QUERY},
        {
            "days.py": CODE.replace("        return False", "            return False"),
            "q.sql": QUERY,
        },
        {"days.py": CODE, "q.sql": QUERY.replace("<", "<=")},
        {"days.py": CODE},
        {"days.py": CODE, "q.sql": QUERY, "more.toml": "a = 1"},
    ],
    ids=["number", "operator", "indentation", "condition in SQL", "a file less", "a file more"],
)
def test_what_may_change_a_row_changes_the_hash(tmp_path: Path, files: dict[str, str]) -> None:
    assert hashed(tmp_path, files) != hashed(tmp_path, {"days.py": CODE, "q.sql": QUERY})


def test_every_module_that_makes_rows_of_versions_is_among_the_code_that_they_follow_from() -> None:
    room = {path.name for path in Path(projection.__file__).parent.glob("*.py")}
    assert room - MAKES_NO_ROW <= {path.name for path in projection.Versions.code}
