"""As-of queries do not read history: query plans, also after the history has grown."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest

from projections.query.as_of import PLANNED_ONCE, AsOf
from projections.query.facts import FactFilter, FactList, Facts, Grouping, NewestFilter
from projections.query.lists import KeyRange
from projections.query.moment import Moment
from projections.versions.fact_rows import block_of
from projections.versions.row_batch import SQL as PROJECTING
from tests.projections.questions import QUESTIONS, REE
from tests.support.query_plans import ExplainingPool, Plan, nodes, pages
from tracker.log.recorder import StreamRange
from tracker.postgres.database import Connection, Target, connect

FINDING = {"subjects_key", "subjects_by_day", "texts_words", "texts_key"}
"""Indexes that find entities; they grow with subjects and texts, not with history."""

READING = {"versions_as_of": ("entity", "generation"), "facts_of_entity": ("entity",)}
"""Indexes that read the versions or facts of an entity, with the columns of their conditions."""

ELEMENTS = "elements_key"
"""The index that finds the elements of long lists."""

GROW = """
INSERT INTO versions
SELECT entity, kind, commodity, period, commodities, places, category, title, said, dated,
       sources, clauses, first_day, last_day, $1 + 2 * round, $1 + 2 * round + 1, $1 + 2 * round,
       newest_fact, newest_position, 'grown'
FROM versions, generate_series(1, 10) AS round WHERE until = 9223372036854775807
"""


@pytest.fixture
async def connection(corpus_target: Target) -> AsyncIterator[Connection]:
    """Open a connection to a database with the shipped corpus."""
    connection = await connect(corpus_target)
    for setting, value in PLANNED_ONCE.items():
        await connection.execute(f"SET {setting} = {value}")
    for table in ("versions", "subjects", "texts"):  # the tests analyze them at the same steps
        await connection.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = false)")
    yield connection
    await connection.close()


async def plans(connection: Connection, at: Moment) -> dict[str, Plan]:
    """Return the plans of all queries."""
    await connection.execute("VACUUM ANALYZE versions, subjects, texts")
    found = {}
    for name, question in QUESTIONS.items():
        pool: Any = ExplainingPool(connection)
        await question(AsOf(pool, None), at)  # type: ignore[arg-type]
        [found[name]] = pool.plans
    return found


def pages_of_versions(plan: Plan) -> int:
    """Return the number of pages of histories that are read; entities are found in other tables."""
    return sum(pages(node) for node in nodes(plan) if node.get("Relation Name") == "versions")


def looked_up(plan: Plan) -> int:
    """Return the number of entity lookups: each has two steps, the first of which only reads an index."""
    return sum(
        node["Actual Loops"]
        for node in nodes(plan)
        if node.get("Index Name") == "versions_as_of" and node["Node Type"] == "Index Scan"
    )


async def test_no_question_about_a_moment_reads_history(connection: Connection) -> None:
    head = await connection.fetchval("SELECT min(position) FROM progress")
    at = Moment(date(2025, 6, 1), head)
    before = await plans(connection, at)
    await connection.execute(GROW, head + 1)
    after = await plans(connection, at)
    apart = await connection.fetchval(
        "SELECT count(DISTINCT entity) FROM versions WHERE sources IS NULL"
    )
    for name, plan in after.items():
        by_index = [
            node
            for node in nodes(plan)
            if "Index Name" in node and node["Index Name"] not in {*FINDING, ELEMENTS}
        ]
        for node in nodes(plan):
            if node.get("Index Name") == ELEMENTS:  # others have nothing to be put in
                assert node["Actual Loops"] <= apart, name
        assert by_index, name
        for node in by_index:  # a bitmap of it is as good: few rows either way
            assert node["Index Name"] in READING, name
            assert all(part in node["Index Cond"] for part in READING[node["Index Name"]]), name
            assert node.get("Rows Removed by Filter", 0) < 10, name
        for node in nodes(plan):
            assert node["Node Type"] != "Memoize", name  # no double lookups
            assert node["Node Type"] != "Seq Scan" or node["Relation Name"] != "versions", name
        assert plan["Actual Rows"] == before[name]["Actual Rows"], name
        assert pages_of_versions(plan) <= 2 * pages_of_versions(before[name]) + 5, name


async def test_a_page_of_a_list_looks_no_further_than_it_must(connection: Connection) -> None:
    head = await connection.fetchval("SELECT min(position) FROM progress")
    plan = (await plans(connection, Moment(date(2026, 6, 1), head)))["claims of a publisher"]
    assert 0 < looked_up(plan) < 100


async def test_later_facts_are_not_read(connection: Connection) -> None:
    position = await connection.fetchval("SELECT min(position) / 3 FROM progress")
    plan = (await plans(connection, Moment(date(2026, 6, 1), position)))["digest"]
    assert looked_up(plan) == await connection.fetchval(
        "SELECT count(DISTINCT stream) FROM log.events WHERE position <= $1", position
    )


async def test_on_an_early_day_only_what_was_known_by_then_is_looked_up(
    connection: Connection,
) -> None:
    head = await connection.fetchval("SELECT min(position) FROM progress")
    day = date(2023, 2, 15)
    found = await plans(connection, Moment(day, head))
    known = await connection.fetchval(
        "SELECT count(DISTINCT entity) FROM versions WHERE first_day <= $1", day
    )
    assert looked_up(found["digest"]) == known
    assert 0 < known < await connection.fetchval("SELECT count(DISTINCT entity) FROM versions") / 2
    assert 0 < looked_up(found["claims of a publisher"]) < known / 2
    assert pages(found["claims of a publisher"]) < 10 * known


async def test_the_past_of_an_entity_is_read_by_its_index(connection: Connection) -> None:
    pool: Any = ExplainingPool(connection)
    await connection.execute(
        "SET enable_seqscan = off"
    )  # which may be quicker: here are few elements
    try:
        await AsOf(pool, None).histories.page(f"figure/{REE}")  # type: ignore[arg-type]
    finally:
        await connection.execute("RESET enable_seqscan")
    [plan] = pool.plans
    assert {node["Index Name"] for node in nodes(plan) if "Index Name" in node} == {
        "versions_as_of",
        "events_pkey",
        ELEMENTS,
    }


MANY_VERSIONS = """
INSERT INTO versions
SELECT 'figure/long', kind, commodity, period, commodities, places, category, title, said,
       dated, sources, clauses, first_day, '9999-12-31', n, n + 1, n / 32 * 32, newest_fact,
       newest_position, repeat(state, 5)
FROM generate_series(1, 9000) AS n, (SELECT * FROM versions WHERE entity = $1 LIMIT 1) AS one"""


async def test_a_page_of_a_history_reads_no_more_however_long_the_history_is(
    connection: Connection,
) -> None:
    await connection.execute(MANY_VERSIONS.replace("$1", f"'figure/{REE}'"))
    await connection.execute("VACUUM ANALYZE versions")
    pool: Any = ExplainingPool(connection)
    as_of = AsOf(pool, None)  # type: ignore[arg-type]
    spans = [
        KeyRange(limit=21),
        KeyRange(limit=21, from_end=True),
        KeyRange(limit=21, after=(4000, "2025-01-01")),
        KeyRange(limit=21, before=(4000, "2025-01-01"), from_end=True),
    ]
    for span in spans:
        await as_of.histories.page("figure/long", span=span)
        assert pool.plans[-1]["Actual Rows"] == 21, span
        assert pages(pool.plans[-1]) < 1000, span


async def test_words_are_found_by_an_index_however_many_texts_there_are(
    connection: Connection,
) -> None:
    head = await connection.fetchval("SELECT min(position) FROM progress")
    await connection.execute("""
        INSERT INTO texts SELECT 'announcement', 'announcement/' || n, 'words of no ' || n
        FROM generate_series(1, 20000) AS n""")
    found = (await plans(connection, Moment(date(2026, 6, 1), head)))[
        "how many announcements by their words"
    ]
    assert "texts_words" in {node.get("Index Name") for node in nodes(found)}
    assert pages(found) < 1000


async def test_a_version_that_ends_is_looked_up_alone(connection: Connection) -> None:
    await connection.execute("VACUUM ANALYZE versions")
    ending = await connection.fetch("""
        SELECT entity, first_day, generation, (SELECT min(position) + 1 FROM progress) AS position
        FROM versions WHERE kind = 'figure' AND until = 9223372036854775807
        ORDER BY hashtextextended(entity, 0) LIMIT 100""")
    pool: Any = ExplainingPool(connection)
    await pool.fetch(
        PROJECTING.close_versions, *([row[column] for row in ending] for column in range(4))
    )
    [plan] = pool.plans
    by_index = [node for node in nodes(plan) if "Index Name" in node]
    assert {node["Index Name"] for node in by_index} == {"versions_as_of"}
    assert sum(node["Actual Rows"] * node["Actual Loops"] for node in by_index) == len(ending)
    assert "Seq Scan" not in {node["Node Type"] for node in nodes(plan)}


async def test_a_first_day_that_was_not_known_is_looked_up_alone(connection: Connection) -> None:
    await connection.execute("VACUUM ANALYZE subjects")
    lowered = await connection.fetchval("""
        SELECT array_agg(line) FROM (
            SELECT concat_ws(E'\\t', kind, word, entity, since, first_day - (n % 2)::integer) AS line
            FROM (SELECT *, row_number() OVER () AS n FROM subjects WHERE word <> '' LIMIT 100) AS one
        ) AS subject""")
    pool: Any = ExplainingPool(connection)
    await pool.fetch(PROJECTING.lower_subjects, lowered)
    [plan] = pool.plans
    by_index = [node for node in nodes(plan) if "Index Name" in node]
    assert {node["Index Name"] for node in by_index} == {"subjects_key"}
    assert sum(node["Actual Rows"] * node["Actual Loops"] for node in by_index) == 50
    assert "Seq Scan" not in {node["Node Type"] for node in nodes(plan)}


async def test_totals_of_all_facts_read_the_facts_of_one_block(connection: Connection) -> None:
    head = await connection.fetchval("SELECT min(position) FROM progress")
    await connection.execute("VACUUM ANALYZE facts, fact_sums")
    pool: Any = ExplainingPool(connection)
    facts = Facts(pool, None)  # type: ignore[arg-type]
    await facts.editions(Moment(date(2026, 6, 1), head), None, None)
    await facts.newest(head, Grouping(), NewestFilter())
    assert len(pool.plans) == 2
    first = block_of(head)[1]
    in_block = await connection.fetchval("SELECT count(*) FROM facts WHERE since >= $1", first)
    for plan in pool.plans:
        of_facts = [node for node in nodes(plan) if node.get("Relation Name") == "facts"]
        assert "Seq Scan" not in {node["Node Type"] for node in of_facts}
        rows = sum(node["Actual Rows"] * node["Actual Loops"] for node in of_facts)
        assert 0 < rows < in_block + 50


async def test_a_page_of_facts_reads_few_rows_wherever_it_begins(connection: Connection) -> None:
    head = await connection.fetchval("SELECT min(position) FROM progress")
    await connection.execute("VACUUM ANALYZE facts")
    pool: Any = ExplainingPool(connection)
    moment = Moment(date(2026, 6, 1), head)
    about = [StreamRange("export-control/cn-mofcom-2023-23", "export-control/cn-mofcom-2023-23 ")]
    for ranges in (None, about):
        listed = FactList(pool, moment, FactFilter(), ranges)
        for key in (None, ("2024-06-01", 5)):
            for down in (False, True):
                await listed.page(KeyRange(after=key, limit=21), down)
    assert len(pool.plans) == 8
    for plan in pool.plans:
        names = {node.get("Index Name") for node in nodes(plan)}
        assert names & {"facts_by_day", "facts_of_entity"}
        assert not [n for n in nodes(plan) if n["Node Type"] == "Seq Scan"]
        assert "facts_of_entity" in names or not [
            n for n in nodes(plan) if n["Node Type"] == "Sort"
        ]
        assert pages(plan) < 150
