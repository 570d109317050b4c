"""Number of database queries per GraphQL query."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import pytest
from asyncpg.connection import Connection

from schema.execution.execute import execute
from schema.services import Access, Services
from tests.support.cases import each_case
from tests.support.time_limits import within

DAY = 'asOf(validAt: "2025-11-20")'
QUESTIONS: list[tuple[int, str]] = [
    (0, "{ asOf { position validAt } }"),
    (0, "{ commodities { key } }"),
    (
        1,
        f'{{ {DAY} {{ exportControl(id: "cn-mofcom-2024-46")'
        " { title clauses { status } because { position } } } }",
    ),
    (
        1,
        f'{{ {DAY} {{ position validAt exportControls(issuer: "CN", commodity: "gallium",'
        " status: IN_FORCE, first: 5) { totalCount nodes { title clauses { status } } } } }",
    ),
    (2, f"{{ {DAY} {{ exportControls(first: 2) {{ totalCount nodes {{ title }} }} }} }}"),
    (1, f'{{ {DAY} {{ alliance(id: "quad") {{ name members {{ place {{ name }} since }} }} }} }}'),
    (
        1,
        f'{{ {DAY} {{ production(commodity: "rare_earths", year: 2023)'
        " { world { value } concentration { hhi } figures { place { name } share } } } }",
    ),
    (
        2,
        f'{{ {DAY} {{ productions(commodities: ["lithium", "tin"], years: {{from: 2020, to: 2025}})'
        ' { year available { years } share(of: {alliance: "quad"}) { share } } } }',
    ),
    (1, f'{{ {DAY} {{ supplies(commodity: "rare_earths") {{ stage years }} }} }}'),
    (
        1,
        f'{{ {DAY} {{ figure(id: "rare_earths/CN/production/mine/2021")'
        " { preferred { value } sideBySide { spread { relative } } } } }",
    ),
    (1, f'{{ {DAY} {{ claims(publisher: "usgs") {{ nodes {{ value preferred }} }} }} }}'),
    (1, f"{{ {DAY} {{ figures(first: 100) {{ nodes {{ key preferred {{ value }} }} }} }} }}"),
    (
        2,
        f'{{ {DAY} {{ exposure(commodity: "gallium", destination: "US") {{ controlledShare }} }} }}',
    ),
    (
        2,
        '{ before: asOf(validAt: "2023-06-01") { alliance(id: "msp") { name } }'
        ' after: asOf(validAt: "2023-07-01") { alliance(id: "msp") { name } } }',
    ),
    (
        2,
        f"{{ {DAY} {{ announcements(first: 100) {{ nodes {{ aboutEntities {{ key }}"
        " conflictsWithEntities { key } supersedesAnnouncements { key }"
        " supersededByAnnouncement { title } } } } }",
    ),
    (
        2,
        f"{{ {DAY} {{ exportControls(status: REPEALED, first: 100) {{ nodes {{ clauses {{"
        " continuedInExportControl { key } } } } } }",
    ),
    (1, "{ events(first: 20) { nodes { position type data } } }"),
    (
        1,
        '{ history(entity: "export-control/cn-mofcom-2024-46") { nodes { validFrom state {'
        " ... on ExportControl { clauses { key status } } } } } }",
    ),
    (
        3,
        '{ changes(from: {validAt: "2025-10-01"}, to: {validAt: "2025-11-20"},'
        ' commodity: "gallium") { totalCount nodes { entity fields { path } } } }',
    ),
    (1, "{ imports(first: 1) { nodes { file } } }"),
]


ASKING: ContextVar[bool] = ContextVar("asking", default=False)
"""Whether a database query belongs to the GraphQL query: its tasks inherit this."""


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Record the database queries of a GraphQL query."""
    sent: list[str] = []
    plain = Connection._execute  # type: ignore[attr-defined]

    async def execute(self: Any, query: str, *arguments: Any, **more: Any) -> Any:
        if ASKING.get():
            sent.append(query)
        return await plain(self, query, *arguments, **more)

    token = ASKING.set(True)
    with monkeypatch.context() as patched:
        patched.setattr(Connection, "_execute", execute)
        yield sent
    ASKING.reset(token)


@each_case(("trips", "document"), QUESTIONS)
async def test_a_question_takes_no_more_round_trips_than_it_must(
    corpus_services: Services, monkeypatch: pytest.MonkeyPatch, trips: int, document: str
) -> None:
    async with asyncio.timeout(within(20)):
        while corpus_services.projector.progress.known is None:
            await asyncio.sleep(0.01)
    await execute(corpus_services, document, {}, Access())  # publisher orders are cached then
    with counted(monkeypatch) as sent:
        answer = await execute(corpus_services, document, {}, Access())
    assert "errors" not in answer
    assert len(sent) == trips, sent
