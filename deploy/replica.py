"""Wiring: the read-only parts of a tracker on a standby."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any, cast

from deploy.config import settings
from projections.query.as_of import PLANNED_ONCE, AsOf
from projections.query.changes import Changes
from projections.registry import linked_projections
from projections.runner.folds import OwnFolds
from projections.runner.projector import Projector
from projections.runner.replica import Replica
from projections.versions.projection import Versions
from schema.services import Services
from tracker.audit.serve.proofs import ProofService
from tracker.auth.tokens import Tokens
from tracker.commands.handler import Commands
from tracker.delivery.endpoints import Endpoints
from tracker.log.replica_log import PollingFollower, ReplayedDurability, ReplicaRecorder
from tracker.postgres import database
from tracker.postgres.replica_pool import ReplicaPool, ReplicaSession
from tracker.review.review import Review
from tracker.snapshots.store import SnapshotStore
from tracker.texts.stored import StoredTexts

WORK_TIMEOUT_SECONDS = 20
"""Timeout of a query to the log on a replica, in seconds."""
STANDBY = "SELECT pg_is_in_recovery()"


async def is_standby(connection: database.Connection) -> bool:
    """Whether a database is a read-only standby."""
    return bool(await connection.fetchval(STANDBY))


@asynccontextmanager
async def running_read_only(target: database.Target) -> AsyncIterator[Services]:
    """Run a read-only tracker on a standby. Raises NotMigrated for a standby of another version."""
    async with AsyncExitStack() as stack:
        services = await _replica(stack, target, None, None)
        assert services.replica is not None
        connection = await database.connect(target, role=database.API)
        try:
            await services.replica.check_fits(connection)
        finally:
            await connection.close()
        await stack.enter_async_context(services.follower)
        yield services


@asynccontextmanager
async def reading_from(
    target: database.Target, primary: Services, pool: database.Pool, query_pool: database.Pool
) -> AsyncIterator[Services]:
    """Run a tracker on a primary that serves queries from standbys, or from the primary if none
    responds."""
    async with AsyncExitStack() as stack:
        replica = await _replica(stack, target, pool, query_pool)
        await stack.enter_async_context(replica.follower)
        yield replace(
            replica,
            commands=primary.commands,
            tokens=Tokens(pool, replica.tokens),
            endpoints=primary.endpoints,
            publisher=primary.publisher,
            deliverer=primary.deliverer,
            watch=primary.watch,
            watcher=primary.watcher,
            shipped_size=primary.shipped_size,
            primary=primary,
        )


async def _replica(
    stack: AsyncExitStack,
    target: database.Target,
    pool: database.Pool | None,
    query_pool: database.Pool | None,
) -> Services:
    """Return the parts that read from a replica; the primary's pools replace an unreachable one."""
    target = {"timeout": database.HOST_TIMEOUT_SECONDS} | target
    projection = Versions()
    replica = Replica(linked_projections(), projection.name, target)
    durability = ReplayedDurability(replica.position)
    checked = partial(_pool, stack, target, check=durability.check)
    reading = durability.pool = await checked(pool, seconds=WORK_TIMEOUT_SECONDS)
    query_replica = await checked(query_pool, settings=PLANNED_ONCE)
    for each in (reading, query_replica):
        each.follow(lambda: durability.shown, replica.position)
        replica.serve(each, lambda: durability.shown)
    recorder = ReplicaRecorder(reading, durability=durability)
    follower = PollingFollower(recorder, target, replica.ask, replica.lose)
    folds = OwnFolds(linked_projections())
    projector = Projector(reading, follower, projection, folds=folds)  # it never projects
    commands, snapshots = Commands(recorder), SnapshotStore(reading, settings.snapshots())
    return Services(
        recorder,
        follower,
        projector,
        commands,
        AsOf(query_replica, recorder, projector.progress),
        Changes(reading, recorder),
        Tokens(reading),
        ProofService(reading),
        Endpoints(reading, recorder, settings.delivery_networks()),
        snapshots,
        StoredTexts(snapshots),
        Review(reading, commands, recorder, settings.reviewers()),
        replica=replica,
    )


async def _pool(
    stack: AsyncExitStack, target: database.Target, primary: database.Pool | None, **options: Any
) -> ReplicaPool:
    pool = await database.create_pool(
        target, kind=ReplicaPool, session=ReplicaSession, least=0 if primary else 1, **options
    )
    assert isinstance(pool, ReplicaPool)
    stack.push_async_callback(pool.close)
    pool.primary = cast(database.CheckedPool | None, primary)
    return pool
