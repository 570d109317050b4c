"""Clients of several servers set the minimum position of a response."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from deploy.bootstrap import open_connection
from projections.query import as_of
from projections.runner.tables import SQL
from projections.versions.projection import Versions
from schema.execution.schema import CORE_SCHEMA
from schema.inputs import moment
from schema.services import Services
from tests.support.api import Api, control
from tests.support.fact_builders import announced
from tests.support.time_limits import within
from tests.support.waiting import first_call
from tracker.postgres.database import PROJECTOR, Target

ASKED = "query ($at: Position) { asOf(minPosition: $at) { position counts { exportControls } } }"


async def test_a_question_waits_for_the_position_it_needs(
    api: Api, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = first_call(monkeypatch, services.projector, "reach")
    asking = asyncio.create_task(api.ask(ASKED, at="1"))
    await waits.wait()
    await asyncio.sleep(0.2)  # several checks
    assert not asking.done()
    await api.do("announceExportControl", control())
    assert (await asking)["asOf"]["position"] == "1"


async def test_a_position_that_is_reached_costs_no_waiting_and_pins_nothing(api: Api) -> None:
    await api.do("announceExportControl", control())
    await api.do("announceExportControl", control("y"))
    assert (await api.ask(ASKED, at="1"))["asOf"]["position"] == "2"


async def test_a_position_that_does_not_come_is_an_error_of_its_own(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moment, "MIN_POSITION_TIMEOUT_SECONDS", 0.2)
    assert await api.refused(ASKED, at="5") == ("POSITION_NOT_REACHED", ["minPosition"])


async def test_a_value_that_is_not_a_position_is_refused_at_once(api: Api) -> None:
    assert await api.refused(ASKED, at="soon") == ("INVALID_POSITION", ["minPosition"])


@asynccontextmanager
async def projection_held(target: Target) -> AsyncIterator[None]:
    """Hold the projection of versions at its position for the duration of a block."""
    async with open_connection(target, role=PROJECTOR) as holder, holder.transaction():
        async with asyncio.timeout(within(10)):
            while not await holder.fetchval(SQL.take_turn, Versions.name, "60s"):
                await asyncio.sleep(0.01)
        yield


@pytest.mark.parametrize(
    "query",
    [
        '{ asOf(position: "1") { position } }',
        '{ changes(from: {position: "0"}, to: {position: "1"}) { nodes { entity } } }',
        '{ over(from: "2025-01-01", to: "2026-01-01", step: YEAR, position: "1") { position } }',
    ],
)
async def test_a_position_that_head_returned_is_waited_for(
    api: Api, services: Services, target: Target, query: str
) -> None:
    async with projection_held(target):
        await services.commands.record("export-control/z", announced())
        assert await api.ask("{ head }") == {"head": "1"}
        ahead = await api.refused('{ asOf(position: "2") { position } }')
        assert ahead == ("POSITION_AHEAD", ["position"])
        pinned = asyncio.create_task(api.ask(query))
        await asyncio.sleep(0.2)
        assert not pinned.done()
    assert await pinned


async def test_a_position_that_is_not_projected_in_time_is_an_error_of_the_server(
    api: Api, services: Services, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(as_of, "PROJECTION_TIMEOUT_SECONDS", 0.2)
    async with projection_held(target):
        await services.commands.record("export-control/z", announced())
        refused = await api.refused('{ asOf(position: "1") { position } }')
        assert refused == ("POSITION_NOT_REACHED", ["position"])


EVERY = [
    "head(minPosition: $at)",
    "node(id: $id, minPosition: $at) { key }",
    "nodes(ids: [$id], minPosition: $at) { key }",
    'history(entity: "export-control/x", minPosition: $at) { totalCount }',
    'changes(from: {validAt: "2020-01-01"}, minPosition: $at) { nodes { entity } }',
    "imports(minPosition: $at) { totalCount }",
    'import(id: "x", minPosition: $at) { key }',
    "events(minPosition: $at) { nodes { position } }",
    "redactions(minPosition: $at) { totalCount }",
    'event(position: "1", minPosition: $at) { type }',
    'over(from: "2020-01-01", step: YEAR, minPosition: $at) { position }',
    'shipmentChanges(input: {commodity: "gallium"}, from: {validAt: "2020-01-01"}, minPosition: $at)'
    " { changes { __typename } }",
    'overKnown(entity: "export-control/x", minPosition: $at) { position }',
]


@pytest.mark.parametrize("field", EVERY)
async def test_every_question_about_what_is_recorded_waits(
    api: Api, field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moment, "MIN_POSITION_TIMEOUT_SECONDS", 0.1)
    id = "$id: ID!, " if "$id" in field else ""
    document = f"query ({id}$at: Position) {{ {field} }}"
    given = {"id": "ZXhwb3J0LWNvbnRyb2wveA"} if id else {}  # export-control/x
    assert await api.refused(document, at="1", **given) == ("POSITION_NOT_REACHED", ["minPosition"])
    await api.do("announceExportControl", control())
    await api.ask(document, at="1", **given)


def test_no_question_is_missing_here() -> None:
    """Exempt are declared commodities and places, the signed log with its own size, previews decided by
    the log, endpoints, candidates and scenarios outside it, and `asOf`, which is tested above."""
    fields = CORE_SCHEMA.query_type.fields  # type: ignore[union-attr]
    waiting = {name for name, of in fields.items() if "minPosition" in of.args}
    assert waiting == {"asOf", *(field.partition("(")[0] for field in EVERY)}
    assert set(fields) - waiting == {
        "commodities",
        "places",
        "scenario",
        "scenarios",
        "checkpoint",
        "endpoint",
        "endpoints",
        "candidate",
        "candidateCounts",
        "candidateSources",
        "candidates",
        "inclusionProof",
        "consistencyProof",
        "logKeys",
        "preview",
    }
