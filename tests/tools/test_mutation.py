"""The wrong changes that `python -m tools.mutation` makes."""

from __future__ import annotations

import pytest

from tools.mutation.source_change import Change
from tools.mutation.sql_changes import sql_changes

QUERIES = """\
-- What holds, and < in a comment.
-- name: held
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
    assert changed("held", changes) == {
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


def test_python_is_changed_in_functions_but_not_in_what_is_for_people() -> None:
    pytest.importorskip("mutmut")
    from tools.mutation.python_changes import python_changes

    source = '''
SIZE = 5

class Page:
    """Of 5."""

    def more(self, after: int | None = None) -> bool:
        log.info("more than %d", 5)
        if after and after > 5:
            self.read(after, size=5)
        return False
'''
    assert changed("Page.more", list(python_changes(source))) == {
        ("after and after > 5", "after or after > 5"),
        ("after and after > 5", "after"),
        ("after and after > 5", "after > 5"),
        ("after and after > 5", "not (after and after > 5)"),
        ("> 5", ">= 5"),
        ("5", "6"),
        ("False", "True"),
        ("self.read(after, size=5)", "self.read(after, )"),
        ("self.read(after, size=5)", "pass"),
    }
