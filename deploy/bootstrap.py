"""Wiring: the parts of a tracker on one database."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import asyncpg
from msgspec import Struct

from deploy.config import settings
from deploy.replica import is_standby, reading_from, running_read_only
from projections.checks.sample_check import SampleCheck
from projections.query.as_of import PLANNED_ONCE, AsOf
from projections.query.changes import Changes
from projections.registry import PROJECTIONS, linked_projections
from projections.runner.folds import (
    USE_THAT_RELEASE,
    AnotherRelease,
    OwnFolds,
    foreign_folds,
    read_folds,
)
from projections.runner.projector import Projectors
from projections.runner.rebuild import rebuild, take_over
from projections.runner.release import RELEASE
from projections.runner.tables import create_tables
from projections.versions.projection import Versions
from schema.services import Services
from tracker.alerts.options import MailOptions
from tracker.audit.mirror.state import MirrorState
from tracker.audit.serve.proofs import ProofService
from tracker.audit.sign.publisher import Publisher, SigningOptions
from tracker.auth.tokens import Tokens
from tracker.commands.handler import Commands
from tracker.corpus.shipped import shipped_size
from tracker.delivery.deliverer import Deliverer, DeliveryOptions
from tracker.delivery.endpoints import Endpoints
from tracker.log.durability import Durability
from tracker.log.follower import Follower
from tracker.log.recorder import Recorder
from tracker.log.replica_log import MirrorRecorder
from tracker.postgres.background import WorkObserver
from tracker.postgres.database import (
    PROJECTOR,
    PUBLISHER,
    WATCHER,
    Connection,
    Pool,
    Target,
    connect,
    create_pool,
)
from tracker.postgres.migrate import check, lacking, migrate
from tracker.postgres.pooler import check_pooler
from tracker.review.imports import AcceptedImports
from tracker.review.review import Review
from tracker.snapshots.store import SnapshotStore
from tracker.texts.stored import StoredTexts
from tracker.watch.summary import WatchOverview
from tracker.watch.watcher import Watcher, WatchOptions

if TYPE_CHECKING:
    from tracker.audit.mirror.database import MirrorOptions

APPEND_TIMEOUT_SECONDS = 10
"""Timeout of an append in seconds, including its queue and synchronous standbys."""
WORK_TIMEOUT_SECONDS = 20
"""Timeout of a query to the log or the projector in seconds; a retry uses another connection."""


logger = logging.getLogger(__name__)


async def prepare(target: Target) -> None:
    """Migrate the log, and create missing projections. Rows of other code stay.

    Raises NotMigrated if the login may not migrate a database that needs it.
    """
    await migrate_log(target)
    async with open_connection(target, role=PROJECTOR) as connection:
        await _create_projections(connection)


async def _prepare_to_run(target: Target, serves: bool) -> bool:
    """Prepare a database for a tracker; return False if it is a standby. Raises AnotherRelease."""
    async with open_connection(target) as connection:
        if await is_standby(connection):
            return False
        await migrate(connection)
    async with open_connection(target, role=PROJECTOR) as connection:
        await _create_projections(connection)
        if not serves:
            await _require_own_rows(connection)
    return True


async def _create_projections(connection: Connection) -> None:
    """Create the tables of projections that are missing."""
    for make in PROJECTIONS.values():
        await create_tables(connection, make())


async def take_over_rows(target: Target) -> None:
    """Rebuild rows of older releases, and replace them. Raises AnotherRelease."""
    await take_over(target, linked_projections())


async def _require_own_rows(connection: Connection) -> None:
    """Check that this code made the rows of a prepared database. Raises AnotherRelease."""
    folds = await read_folds(connection, linked_projections())
    if foreign := foreign_folds(folds):
        raise AnotherRelease(foreign, USE_THAT_RELEASE)


async def migrate_log(target: Target) -> list[str]:
    """Migrate the log, and return the applied steps."""
    async with open_connection(target) as connection:
        return await migrate(connection)


async def check_migrations(target: Target) -> None:
    """Check that no step of the log is missing. Raises NotMigrated."""
    async with open_connection(target) as connection:
        await check(connection)


async def lacking_migrations(target: Target) -> list[str]:
    """Return the names of the steps that data of an older release lack."""
    async with open_connection(target) as connection:
        return [each.name for each in await lacking(connection)]


@asynccontextmanager
async def opened_pool(target: Target) -> AsyncIterator[Pool]:
    """Open a pool for the API on a prepared database."""
    await prepare(target)
    async with open_pool(target, seconds=WORK_TIMEOUT_SECONDS) as pool:
        yield pool


def _deliverer(
    target: Target, follower: Follower, proofs: ProofService, options: DeliveryOptions | None
) -> Deliverer | None:
    """Return the deliverer of this release; None without options."""
    if options is None:
        return None
    return Deliverer(target, follower, proofs, replace(options, release=RELEASE))


def _watcher(
    target: Target, options: WatchOptions | None, durability: Durability
) -> Watcher | None:
    """Return the watcher of this release; None without options."""
    if options is None:
        return None
    return Watcher(target, replace(options, release=RELEASE), durability)


@asynccontextmanager
async def running_tracker(
    target: Target,
    signing: SigningOptions | None = None,
    observe: WorkObserver | None = None,
    delivery: DeliveryOptions | None = None,
    watch: WatchOptions | None = None,
    *,
    mail: MailOptions | None = None,
    pooled: Target | None = None,
    reading: Target | None = None,
    serves: bool = False,
    mirror: MirrorOptions | None = None,
) -> AsyncIterator[Services]:
    """Run a whole tracker: follow, project, sign and deliver the log, watch sources, serve requests.

    On a standby, and as a `mirror` of another log, it only serves reads. `observe` gets the background work.
    With a transaction pooler only the API uses `pooled`. Standbys (`reading`) serve queries. A tracker that
    `serves` checks rows, and waits for rows of its own code. Raises AnotherRelease and UnsuitableConnection.
    """
    if not await _prepare_to_run(target, serves):
        logger.warning("the database is a standby: this process reads from it, and records nothing")
        async with running_read_only(target) as services:
            yield services
        return
    durability = Durability()
    async with (
        _open_pools(target, pooled, durability) as pools,
        _mirroring(target, pools.api, mirror) as mirroring,
    ):
        recorder = _recorder(pools, durability, mirroring)
        follower, proofs = Follower(recorder, target), ProofService(pools.api)
        deliverer = _deliverer(target, follower, proofs, delivery)
        async with (
            follower,
            Projectors(pools.project, follower, linked_projections(), observe) as projectors,
            running_publisher(target, follower, signing, observe) as publisher,
            deliverer or nullcontext(),
            _watcher(target, watch, durability) or nullcontext() as watcher,
            SampleCheck(pools.api) if serves else nullcontext() as sample_check,
        ):
            services = replace(
                _services(pools, recorder, follower, projectors, proofs, delivery, mirroring),
                publisher=publisher,
                deliverer=deliverer,
                watcher=watcher,
                sample_check=sample_check,
                shipped_size=await _shipped_size(pools.api),
            )
            await services.snapshots.remove_redacted_files()
            services = with_alerts(services, target, pools.api, mail)
            services = with_scenarios(services, target, pools.api)
            beside = reading_from(reading, services, pools.api, pools.query) if reading else None
            imports = AcceptedImports(target, services.review, services.snapshots)
            async with (
                nullcontext() if mirror else imports,
                services.mailer or nullcontext(),
                services.branches or nullcontext(),
                beside or nullcontext(services) as answering,
            ):
                yield answering


@asynccontextmanager
async def _mirroring(
    target: Target, pool: Pool, options: MirrorOptions | None
) -> AsyncIterator[MirrorState | None]:
    """Copy the log of an origin, project a first copy, and follow the log for the duration of a block."""
    if options is None:
        yield None
        return
    # Here, as it would delay every start.
    from tracker.audit.mirror.database import DatabaseMirror

    async with open_pool(target, role=WATCHER, size=1) as writing:
        store = SnapshotStore(writing, settings.snapshots())
        mirror = DatabaseMirror(options, target, pool, store)
        await mirror.begin()
        with suppress(AnotherRelease):
            for projection in linked_projections():
                await rebuild(target, projection, only_empty=True)
        async with mirror:
            yield mirror.state


@asynccontextmanager
async def reading_tracker(target: Target, projections: Sequence[str]) -> AsyncIterator[Services]:
    """Run the parts that answer queries of a restored log that does not grow.

    Only the named projections are rebuilt first. Signing, deliveries and watching do not run.
    """
    for name, make in PROJECTIONS.items():
        async with open_connection(target, role=PROJECTOR) as connection:
            await create_tables(connection, make())
        if name in projections:
            await rebuild(target, make())
    durability = Durability()
    async with _open_pools(target, None, durability) as pools:
        recorder = _recorder(pools, durability)
        follower = Follower(recorder, target)
        folds = OwnFolds(linked_projections())
        projectors = Projectors(pools.project, follower, [Versions()], folds=folds)
        async with follower, projectors:
            yield _services(pools, recorder, follower, projectors, ProofService(pools.api), None)


async def _shipped_size(pool: Pool) -> int:
    """Return the number of events at the start of a log that are those of the shipped log."""
    async with pool.acquire() as connection:
        return await shipped_size(connection)


def with_alerts(
    services: Services, target: Target, pool: Pool, options: MailOptions | None
) -> Services:
    """Return the services with e-mail alerts, if there is a mail server."""
    if options is None:
        return services
    # Here, as they would delay every start.
    from schema.pages.alerts.digests import Digests
    from tracker.alerts.mailer import Mailer
    from tracker.alerts.store import Alerts

    options = replace(options, release=RELEASE)
    mailer = Mailer(target, options, Digests(services), services.recorder.head)
    return replace(services, alerts=Alerts(pool, options), mailer=mailer)


def with_scenarios(services: Services, target: Target, pool: Pool) -> Services:
    """Return the services with scenarios."""
    # Here, as they would delay every start.
    from projections.query.branch import Branches
    from tracker.scenarios.scenarios import Scenarios

    branches = Branches(target, services.as_of, services.projector.progress)
    return replace(services, scenarios=Scenarios(pool), branches=branches)


class Pools(Struct, frozen=True):
    """The connection pools of a tracker, by their work."""

    api: Pool
    append: Pool
    query: Pool
    project: Pool


@asynccontextmanager
async def _open_pools(
    target: Target, pooled: Target | None, durability: Durability
) -> AsyncIterator[Pools]:
    """Open the pools of a tracker; the API pools use the pooler, if there is one. Raises
    UnsuitableConnection."""
    if pooled is not None:
        await check_pooler(pooled, target)
    checked = partial(open_pool, check=durability.check)
    for_api = partial(checked, pooled or target, pooled=pooled is not None, beside=target)
    size = 2 * len(PROJECTIONS) + 1
    async with (
        for_api(seconds=WORK_TIMEOUT_SECONDS) as api,
        for_api(size=2, seconds=APPEND_TIMEOUT_SECONDS, least=0) as append,
        # A pooler has one login for all pools, so plan settings cannot differ per pool.
        for_api(settings={} if pooled else PLANNED_ONCE, least=0) as query,
        checked(target, role=PROJECTOR, size=size, seconds=WORK_TIMEOUT_SECONDS) as project,
    ):
        yield Pools(api, append, query, project)


def _recorder(pools: Pools, durability: Durability, mirror: MirrorState | None = None) -> Recorder:
    """Return the recorder of a tracker, which refuses to append to a mirror."""
    recorder = Recorder(pools.api, pools.append, durability)
    if mirror:
        recorder = MirrorRecorder(pools.api, pools.append, durability)
        recorder.read_only = mirror.read_only
    durability.confirm = recorder.confirm
    return recorder


def _services(
    pools: Pools,
    recorder: Recorder,
    follower: Follower,
    projectors: Projectors,
    proofs: ProofService,
    delivery: DeliveryOptions | None,
    mirror: MirrorState | None = None,
) -> Services:
    """Return the services of a tracker, without those that only some trackers run."""
    pool, commands = pools.api, Commands(recorder)
    networks = delivery.networks if delivery else settings.delivery_networks()
    versions, snapshots = projectors[Versions.name], SnapshotStore(pool, settings.snapshots())
    return Services(
        recorder,
        follower,
        versions,
        commands,
        AsOf(pools.query, recorder, versions.progress),
        Changes(pool, recorder),
        Tokens(pool),
        proofs,
        Endpoints(pool, recorder, networks),
        snapshots,
        StoredTexts(snapshots),
        Review(pool, commands, recorder, settings.reviewers()),
        watch=WatchOverview(pool),
        mirror=mirror,
    )


@asynccontextmanager
async def running_publisher(
    target: Target,
    follower: Follower,
    signing: SigningOptions | None,
    observe: WorkObserver | None = None,
) -> AsyncIterator[Publisher | None]:
    """Run the publisher of the log for the duration of a block, if it is signed here.

    Creates missing keys. Raises InvalidInput for keys that do not fit.
    """
    if signing is None:
        yield None
        return
    signing.keystore.load_or_create(signing.origin)
    async with (
        open_pool(
            target,
            role=PUBLISHER,
            size=3,
            seconds=WORK_TIMEOUT_SECONDS,
            check=follower.durability.check,
        ) as pool,
        Publisher(pool, follower, signing).with_observer(observe) as publisher,
    ):
        yield publisher


@asynccontextmanager
async def open_pool(target: Target, **options: Any) -> AsyncIterator[Pool]:
    """Open a pool for the duration of a block; options as `create_pool` takes them."""
    pool = await create_pool(target, **options)
    try:
        yield pool
    finally:
        await pool.close()


@asynccontextmanager
async def open_connection(
    target: Target, *, role: str | None = None
) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """Open a connection for the duration of a block."""
    connection = await connect(target, role=role)
    try:
        yield connection
    finally:
        await connection.close()
