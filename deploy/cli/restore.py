"""`tracker restore`: a database from a bundle, or the missing tail of a restored database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from deploy.bootstrap import migrate_log, open_connection, open_pool, opened_pool
from deploy.cli.common import DataDir, KeyOptions, is_web, run_with_database, stderr
from deploy.cli.demo_log import check_no_mirror
from deploy.cli.trust import (
    AllowMissingSnapshots,
    AllowMissingTexts,
    TrustBundleKey,
    bundle_at,
    open_log,
    run_without_database,
    trust_in,
)
from deploy.cli.verify_result import print_snapshots, print_texts
from deploy.config import settings
from deploy.output.progress import progress_bar
from deploy.postgres import default_data_dir
from projections.registry import PROJECTIONS
from projections.runner.rebuild import rebuild
from projections.runner.tables import create_tables
from tracker.audit.bundle.restore import append_tail
from tracker.audit.bundle.restore import restore as fill
from tracker.audit.bundle.snapshots import put_back
from tracker.audit.format.checkpoint import Checkpoint
from tracker.audit.format.frontier import TileFrontier
from tracker.audit.format.layout import LogFiles
from tracker.audit.sign.keystore import KeyStore
from tracker.audit.verify.database_source import DatabaseSource
from tracker.audit.verify.rows import DerivedRows, begin_tail, check_complete, covered
from tracker.audit.verify.trust import TrustedCheckpoint, TrustPolicy
from tracker.audit.verify.verifier import Verification
from tracker.errors import NotFound
from tracker.log.recorder import Recorder
from tracker.postgres.database import PROJECTOR, WATCHER, Target
from tracker.snapshots.named import NamedSnapshot, add_named
from tracker.snapshots.store import SnapshotStore

Log = Annotated[
    str,
    typer.Argument(
        metavar="DIR|URL",
        help="The bundle; with --onto also the address of a log, such as https://example.org/log.",
    ),
]
Onto = Annotated[
    bool,
    typer.Option(
        "--onto",
        help="Append the missing events to the existing log, as after a restore of an older backup. "
        "The log must be a prefix of the bundle.",
    ),
]


def restore(
    log: Log,
    onto: Onto = False,
    keys: KeyOptions = None,
    trust_bundle_key: TrustBundleKey = False,
    allow_missing_texts: AllowMissingTexts = False,
    allow_missing_snapshots: AllowMissingSnapshots = False,
    data_dir: DataDir = None,
) -> None:
    """Build a database from a bundle, with the same positions, times, entries and root.

    The bundle is verified, and rejected if `tracker verify` rejects it. The log must be empty, except
    with --onto; it gets all of the bundle or nothing. Restore the keys too (`TRACKER_AUDIT_DIR`), so
    that signing can continue.
    """
    if is_web(log) and not onto:
        raise typer.BadParameter(
            f"{log}: expected a directory, as `tracker export --from` makes it, or --onto"
        )

    async def begin() -> Verification:
        bundle = bundle_at(Path(log))
        chosen = await trust_in(bundle, keys, trust_bundle_key=trust_bundle_key)
        return await Verification.begin(
            bundle,
            chosen.trust,
            allow_missing_texts=allow_missing_texts,
            allow_missing_snapshots=allow_missing_snapshots,
        )

    async def append(target: Target) -> None:
        await check_no_mirror(target)
        with open_log(log) as connected:
            chosen = await trust_in(connected, keys, trust_bundle_key=trust_bundle_key)
            await append_to(
                target,
                connected,
                chosen.trust,
                data_dir,
                allow_missing_texts=allow_missing_texts,
                allow_missing_snapshots=allow_missing_snapshots,
            )

    if onto:
        run_with_database(data_dir, append)
        return
    verification = run_without_database(begin)
    run_with_database(
        data_dir, lambda target: restore_into(target, verification, data_dir), make=True
    )


async def restore_into(target: Target, verification: Verification, data_dir: Path | None) -> None:
    """Fill the log of a database, and project it."""
    head = verification.head
    await migrate_log(target)
    warn_of_head(data_dir, head.checkpoint)
    with progress_bar(stderr) as bar:
        loading = bar.add_task("restoring", total=head.size)
        projecting = bar.add_task("projecting", total=head.size)
        async with open_connection(target) as connection, opened_snapshots(target) as snapshots:
            await fill(
                connection,
                verification,
                lambda done: bar.update(loading, completed=done),
                snapshots,
            )
        for make in PROJECTIONS.values():
            async with open_connection(target, role=PROJECTOR) as connection:
                await create_tables(connection, make())
            await rebuild(target, make(), lambda done: bar.update(projecting, completed=done))
    print(f"restored: {head.size} events of {head.checkpoint.origin}")
    print_texts(verification)
    print_snapshots(verification)


@asynccontextmanager
async def opened_snapshots(target: Target) -> AsyncIterator[SnapshotStore]:
    """Open the snapshot store of a tracker."""
    async with open_pool(target, role=WATCHER, size=1) as pool:
        yield SnapshotStore(pool, settings.snapshots())


def warn_of_head(data_dir: Path | None, restored: Checkpoint) -> None:
    """Warn if signing will stop: a head must continue the last one that was signed here."""
    directory = settings.audit_dir(data_dir or default_data_dir())
    last = KeyStore(directory).head() if directory else None
    if last and last.size > restored.size:
        stderr.print(
            f"A head of {last.size} events was signed here, and the bundle has"
            f" {restored.size}: after this the log will not be signed (docs/auditing.md).",
            style="yellow",
        )


async def append_to(
    target: Target,
    log: LogFiles,
    trust: TrustPolicy,
    data_dir: Path | None,
    *,
    allow_missing_texts: bool = False,
    allow_missing_snapshots: bool = False,
) -> None:
    """Append the missing events of another log to a database, and restore lost snapshots.

    Servers project the events.
    """
    head = trust.verify_head(await log.head(), "the checkpoint")
    await migrate_log(target)
    async with opened_pool(target) as pool, opened_snapshots(target) as snapshots:
        size = await Recorder(pool).head()
        named = dict[str, NamedSnapshot]()
        with progress_bar(stderr) as bar:
            rows = await compare(DatabaseSource(pool), trust, head, size, bar, named)
            if head.size <= size:
                await check_complete(rows, size, head, None, trust)
                print(f"nothing is missing: the log has {size} events, and {head.size} were signed")
                tail = None
            else:
                tail = await begin_tail(
                    rows,
                    log,
                    trust,
                    allow_missing_texts=allow_missing_texts,
                    allow_missing_snapshots=allow_missing_snapshots,
                )
                appending = bar.add_task("appending", total=tail.head.size)
                warn_of_head(data_dir, tail.head.checkpoint)
                async with open_connection(target) as connection:
                    await append_tail(
                        connection,
                        rows,
                        tail,
                        lambda done: bar.update(appending, completed=done),
                        snapshots,
                    )
        if tail:
            last, origin = tail.head.size, tail.head.checkpoint.origin
            print(f"appended: positions {size + 1} to {last} of {origin}")
            print_texts(tail)
            print_snapshots(tail)
        if count := await put_back(log, named.values(), snapshots):
            print(f"snapshots: {count} that were lost are back")


async def compare(
    source: DatabaseSource,
    trust: TrustPolicy,
    head: TrustedCheckpoint,
    size: int,
    bar: Progress,
    named: dict[str, NamedSnapshot],
) -> DerivedRows:
    """Verify the `size` rows of a database, and add the snapshots in them to `named`."""
    comparing = bar.add_task("comparing", total=size)
    try:
        own = await Verification.begin(source, trust, await covered(source, trust, head))
        async for page in own.pages():
            add_named(named, page.events)
            bar.update(comparing, completed=page.events[-1].position)
        rows = DerivedRows(source, own.frontier)
    except NotFound:  # a database may have been restored to a time before its first checkpoint
        rows = DerivedRows(source, TileFrontier())
    if head.size > size:
        await rows.extend(size)
    return rows
