"""The faulty changes of SQL, and the tests that run on them."""

from pathlib import Path

import pytest

from tools.sql_mutation import Change, sql_changes, survivors

QUERIES = """\
-- The current rows, and < in a comment.
-- name: current
SELECT DISTINCT entity FROM versions
WHERE since <= $1 AND until > $1
  AND kind = 'a < b'
ORDER BY since DESC;

-- name: first
SELECT max(a) FROM b WHERE c BETWEEN 3 AND 4;
"""


def changed(scope: str, changes: list[Change]) -> set[tuple[str, str]]:
    """Return the changes in a function or query, with their replacements."""
    return {(change.before, change.after) for change in changes if change.scope == scope}


def test_queries_are_changed_outside_of_comments_and_literals() -> None:
    changes = list(sql_changes(QUERIES))
    assert changed("current", changes) == {
        ("<=", "<"),
        (">", ">="),
        ("=", "<>"),
        ("AND", "OR"),
        ("DESC", "ASC"),
        ("DISTINCT", ""),
        ("  AND kind = 'a < b'", ""),
        ("WHERE since <= $1 AND until > $1", ""),
    }
    assert changed("first", changes) == {("max", "min")}
    for change in changes:
        assert len(change.apply(QUERIES)) == len(QUERIES) - len(change.before) + len(change.after)


def test_only_a_change_that_no_test_detects_survives(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "query.sql").write_text("-- name: first\nSELECT min(a) FROM b ORDER BY c DESC;\n")
    (tmp_path / "test_query.py").write_text(
        "from pathlib import Path\n\n"
        "def test_minimum() -> None:\n"
        "    assert 'min(a)' in Path('query.sql').read_text()\n"
    )
    changes = list(sql_changes((tmp_path / "query.sql").read_text()))
    assert {(change.before, change.after) for change in changes} == {
        ("min", "max"),
        ("DESC", "ASC"),
    }
    left = list(survivors(tmp_path, "query.sql", changes, ["test_query.py"], 60))
    assert [(change.scope, change.before) for change in left] == [("first", "DESC")]
    assert "killed first: min → max" in capsys.readouterr().out
    assert list(sql_changes((tmp_path / "query.sql").read_text())) == changes
