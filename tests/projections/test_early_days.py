"""Lists for days on which little was known: the same as any others, and quick."""

import asyncio
from datetime import date, timedelta
from typing import Any

import pytest

from projections.query.as_of import PLANNED_ONCE
from projections.query.early_days import MAX_EARLY_ENTITIES
from projections.query.list_statements import BY_NAME, Ordering, SortKey
from projections.query.lists import EVERYTHING, Filter, KeyRange, Lists
from projections.query.moment import Moment, MomentSeries
from projections.query.search import MAX_FIGURES, SearchQuery
from schema.services import Services
from tests.projections.golden_sql import literal
from tests.support.query_plans import ExplainingPool, nodes, pages
from tests.support.time_limits import within
from tracker.domain.basics.vocabulary import Statistic
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.figures.figure import Figure, FigureState
from tracker.postgres.database import Target, connect, create_pool

DAYS = [date.min, *(date(2023, 1, 1) + timedelta(days=n) for n in (0, 15, 30, 45))]
FILTERS = [EVERYTHING, Filter(publishers=["usgs"]), Filter(places=["CN"])]


class PlannedOnce(ExplainingPool):
    """Explains plans for any arguments; an EXPLAIN with arguments has a plan for just these."""

    async def fetch(self, query: str, *arguments: Any) -> list[Any]:
        """Run a query and keep its plan."""
        await self.connection.execute(f"PREPARE asked AS {query}")
        await super().fetch(f"EXECUTE asked ({', '.join(map(literal, arguments))})")
        await self.connection.execute("DEALLOCATE asked")
        return []

    async def fetchval(self, query: str, *arguments: Any) -> Any:
        """Return the day by which many are recorded."""
        return await self.connection.fetchval(query, *arguments)


@pytest.fixture
async def lists(corpus_services: Services) -> Lists:
    """Return lists with a progress tracker, without which no day is early."""
    async with asyncio.timeout(within(10)):
        while corpus_services.projector.progress.known is None:
            await corpus_services.as_of.resolve()
            await asyncio.sleep(0.01)
    return corpus_services.as_of.lists


async def test_a_list_of_an_early_day_has_what_it_has_where_all_are_walked(
    corpus_services: Services, corpus_target: Target, lists: Lists, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projections.query.early_days.MAX_EARLY_ENTITIES", 20)
    head = await corpus_services.recorder.head()
    found = 0
    async with await create_pool(corpus_target) as pool:
        walking = Lists(pool)
        for day in DAYS:
            for position in (head // 3, head):
                for filter in FILTERS:
                    at = Moment(day, position)
                    for kind in (FigureState, ExportControlState):
                        [listed, expected] = [
                            (
                                await of.page(kind, at, filter, span=KeyRange(limit=5)),
                                await of.page(
                                    kind,
                                    at,
                                    filter,
                                    Ordering(SortKey.DATE, down=True),
                                    KeyRange(limit=3, from_end=True),
                                ),
                                await of.count(kind, at, filter),
                            )
                            for of in (lists, walking)
                        ]
                        assert listed == expected
                        found += listed[2]
                    [some, others] = [
                        await of.claims(at, filter, BY_NAME, KeyRange(limit=5))
                        for of in (lists, walking)
                    ]
                    assert some == others
    assert found > 100


async def test_a_series_that_ends_late_has_more_than_its_first_day(
    corpus_services: Services, lists: Lists, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projections.query.early_days.MAX_EARLY_ENTITIES", 20)
    head = await corpus_services.recorder.head()
    days = [date(2022, 6, 1), date(2023, 2, 10)]
    filter = Filter(publishers=["usgs"], category=Statistic.PRODUCTION)
    listed = await lists.on_each_day(FigureState, MomentSeries(days, head), filter)
    for day in days:
        assert len(listed[day]) == await lists.count(FigureState, Moment(day, head), filter)
    assert len(listed[days[0]]) < 20 < len(listed[days[1]])


@pytest.mark.usefixtures("lists")
async def test_a_list_of_an_early_day_looks_at_few_pages_however_many_came_later(
    corpus_services: Services, corpus_target: Target
) -> None:
    connection = await connect(corpus_target)
    for setting, value in PLANNED_ONCE.items():
        await connection.execute(f"SET {setting} = {value}")
    head = await corpus_services.recorder.head()
    await connection.execute("""
        INSERT INTO subjects SELECT 'figure', 'usgs', 'figure/later/' || n, 1, '2024-01-01'
        FROM generate_series(1, 50000) AS n""")
    await connection.execute("VACUUM ANALYZE subjects")
    explaining: Any = PlannedOnce(connection)
    lists = Lists(explaining, corpus_services.projector.progress)
    span, filter = KeyRange(limit=20), Filter(publishers=["usgs"])
    for day in (date.min, date(2023, 1, 1)):
        await lists.claims(Moment(day, head), filter, span=span)
    await lists.claims(Moment(date(2024, 6, 1), head), filter, span=span)
    await connection.close()
    [never, early, late] = explaining.plans
    assert pages(never) < 10
    [known] = [node for node in nodes(early) if node.get("Relation Name") == "subjects"]
    assert 0 < known["Actual Rows"] <= MAX_EARLY_ENTITIES
    assert known.get("Rows Removed by Filter", 0) == 0
    assert {node.get("Index Name") for node in nodes(late)} >= {"subjects_key"}


async def test_a_search_on_an_early_day_finds_a_figure_behind_thousands_that_came_later(
    corpus_services: Services, corpus_target: Target
) -> None:
    connection = await connect(corpus_target)
    await connection.execute(
        """
        INSERT INTO subjects
        SELECT 'figure', word, 'figure/gallium/AA/production/primary/' || n, 1, '2025-01-01'
        FROM generate_series(1, $1::integer + 1) AS n, unnest(ARRAY['gallium', '']) AS word""",
        MAX_FIGURES,
    )
    await connection.close()
    at = Moment(date(2024, 6, 1), await corpus_services.recorder.head())
    question = SearchQuery("gallium production", (Figure.KIND,))
    answer = await corpus_services.as_of.searches.answer(question, at)
    assert "figure/gallium/CN/production/primary/2021" in [entity for _, entity in answer.ranked]
