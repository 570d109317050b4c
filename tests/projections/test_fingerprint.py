"""Rows are rebuilt exactly when the behaviour of their code changes."""

import tomllib
from pathlib import Path

import pytest

from projections.runner.fingerprint import behaviour, hash_files
from projections.runner.release import FOLDS, number
from projections.versions import projection
from tests.projections.record_folds import current_folds

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
def test_changes_without_effect_on_rows_keep_the_hash(
    tmp_path: Path, files: dict[str, str]
) -> None:
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
def test_changes_with_effect_on_rows_change_the_hash(tmp_path: Path, files: dict[str, str]) -> None:
    assert hashed(tmp_path, files) != hashed(tmp_path, {"days.py": CODE, "q.sql": QUERY})


def test_every_module_that_makes_rows_of_versions_is_among_the_code_that_they_follow_from() -> None:
    room = {path.name for path in Path(projection.__file__).parent.glob("*.py")}
    assert room - MAKES_NO_ROW <= {path.name for path in projection.Versions.code}


def test_the_number_of_this_release_has_grown_with_the_last_change_of_a_fold() -> None:
    recorded = tomllib.loads(FOLDS.read_text(encoding="utf-8"))["folds"]
    assert current_folds() == recorded, "run `python -m tests.projections.record_folds`"


def test_a_formatted_string_has_the_same_hash_in_every_version_of_python() -> None:
    code = 'x = f"a {b!r:>{width}} {{}}" f"{c}"\n'
    assert behaviour(".py", code) == '0 x=f"a {b!r:>{width}} {{}}"f"{c}"'
    lines = 'x = f"""a {\n    b}\n  c"""\n'
    assert behaviour(".py", lines) == '0 x=f"""a {\n    b}\n  c"""'


def test_releases_are_ordered_by_migration_and_folds_and_after_all_versions() -> None:
    releases = ["30.3", "0.1.0", "29.10", "an older release", "29.2"]
    order = ["an older release", "0.1.0", "29.2", "29.10", "30.3"]
    assert sorted(releases, key=number) == order
