"""The statements of lists are in a file: as PostgreSQL gets them, and as a person can run them."""

import re

import pytest

from projections.query.list_statements import SQL
from projections.query.sql_parts import fill
from tests.projections.golden_sql import GOLDEN, scripts
from tracker.postgres.database import Target, connect


async def test_every_statement_is_the_one_in_the_file() -> None:
    expected = "\n".join((await scripts()).values())
    hint = "see `git diff` after python -m tests.projections.golden_sql"
    assert GOLDEN.read_text(encoding="utf-8") == expected, hint


async def test_every_condition_and_order_of_a_list_is_in_the_file() -> None:
    text = squeezed(GOLDEN.read_text(encoding="utf-8"))
    for name, part in vars(SQL).items():
        [longest, *_] = sorted(re.split(r"\{\w+\}", part), key=len, reverse=True)
        assert squeezed(longest) in text, name


async def test_every_statement_runs_as_it_stands_and_finds_something(corpus_target: Target) -> None:
    connection = await connect(corpus_target)
    try:
        for name, part in (await scripts()).items():
            status = await connection.execute(part)
            assert re.fullmatch(r"SELECT [1-9]\d*" if name else "SET", status), name
    finally:
        await connection.close()


def test_a_placeholder_is_filled_once_and_indents_what_it_is_filled_with() -> None:
    assert fill("WHERE\n  {one}", one="{two}\nAND 3") == "WHERE\n  {two}\n  AND 3"
    assert fill("'{}' = {one}", one="'{}'") == "'{}' = '{}'"
    with pytest.raises(KeyError):
        fill("{missing}")


def squeezed(text: str) -> str:
    """Return a text without layout."""
    return " ".join(text.split())
