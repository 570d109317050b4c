"""Stored rows are compared with a fresh fold of their events."""

import asyncio
from functools import partial

import pytest

from deploy import bootstrap
from deploy.bootstrap import open_connection, open_pool, running_tracker
from projections.checks.row_check import RowsDiffer, check_all_rows, check_random_entity
from projections.checks.sample_check import SampleCheck
from projections.runner.rebuild import rebuild
from projections.versions.projection import Versions
from schema.services import Services
from tests.support.api import Api, control
from tests.support.time_limits import within
from tracker.postgres.database import PROJECTOR, Target

CONTROL = "export-control/cn-mofcom-2024-46"
CHANGES = (
    ("state_documents", "UPDATE state_documents SET key = 'other'"),
    ("documents", "UPDATE documents SET vector = 'other'"),
    ("versions", "UPDATE versions SET state = replace(state, 'g', 'q')"),
    ("versions", "UPDATE versions SET until = until - 1"),
    ("versions", "DELETE FROM versions"),
    ("texts", "UPDATE texts SET said = md5(said)"),
    ("subjects", "UPDATE subjects SET first_day = first_day - 1"),
    ("facts", "UPDATE facts SET type = 'other'"),
)
"""Each is found before the ones above it: the versions first, then by the names of the tables."""


async def test_rows_of_the_corpus_are_those_of_a_fresh_fold(corpus_target: Target) -> None:
    async with open_pool(corpus_target) as pool:
        entities, position = await check_all_rows(pool)
        async with open_connection(corpus_target) as connection:
            found = await connection.fetchrow(
                "SELECT count(DISTINCT stream), max(position) FROM log.events"
            )
        assert (entities, position) == tuple(found or ())
        assert len({await check_random_entity(pool) for _ in range(20)} - {None}) > 5


async def test_each_row_that_differs_is_found_and_its_entity_named(corpus_target: Target) -> None:
    async with (
        open_pool(corpus_target) as pool,
        open_connection(corpus_target, role=PROJECTOR) as connection,
    ):
        for table, change in CHANGES:
            changed = await connection.execute(f"{change} WHERE entity = '{CONTROL}'")
            assert not changed.endswith(" 0")
            with pytest.raises(RowsDiffer, match=f"{CONTROL}: its rows in projection.{table} "):
                await check_random_entity(pool, CONTROL)
        with pytest.raises(RowsDiffer, match=f"{CONTROL}: its rows in projection.{table} "):
            await check_all_rows(pool)


async def test_rows_of_an_entity_without_events_are_found(
    services: Services, target: Target
) -> None:
    await Api(services).do("announceExportControl", control("x"))
    async with open_pool(target) as pool, open_connection(target, role=PROJECTOR) as connection:
        await check_all_rows(pool)
        done = await connection.execute(
            "INSERT INTO subjects SELECT kind, word, 'zzz/none', since, first_day FROM subjects LIMIT 1"
        )
        assert done == "INSERT 0 1"
        with pytest.raises(RowsDiffer, match="zzz/none: its rows in projection"):
            await check_all_rows(pool)


async def test_a_server_whose_rows_differ_is_not_ready_until_they_are_made_anew(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "SampleCheck", partial(SampleCheck, interval_seconds=0.1))
    async with running_tracker(target, serves=True) as services:
        api, check = Api(services), services.sample_check
        assert check is not None
        done = await api.do("announceExportControl", control("x"))
        await check.check()
        ready = await api.request("GET", "/readyz")
        assert (ready.status_code, check.difference) == (200, None)
        async with open_connection(target, role=PROJECTOR) as connection:
            await connection.execute("UPDATE versions SET state = replace(state, 'Gallium', 'Tin')")
        async with asyncio.timeout(within(60)):
            while check.difference is None:
                await asyncio.sleep(0.1)
        ready = await api.request("GET", "/readyz")
        assert (ready.status_code, ready.json()["ready"]) == (503, False)
        assert done["entity"] in ready.json()["reasons"][0]
        assert "tracker_rows_differ 1.0" in (await api.request("GET", "/metrics")).text
        await rebuild(target, Versions())
        await check.check()
        assert (await api.request("GET", "/readyz")).status_code == 200
