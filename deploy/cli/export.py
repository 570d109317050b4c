"""`tracker export`: the log as a bundle, or all versions as Parquet."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from deploy.bootstrap import opened_pool, running_tracker
from deploy.cli.common import DataDir, KeyOptions, run_with_database, stderr
from deploy.cli.trust import (
    AllowMissingSnapshots,
    AllowMissingTexts,
    TrustBundleKey,
    open_log,
    own_keys,
    run_without_database,
    trust_in,
)
from deploy.config import settings
from deploy.export.bundle_readme import bundle_extras
from deploy.output.progress import progress_bar
from tracker.audit.bundle.annexes import annex_lines, export_annexes
from tracker.audit.bundle.export import export as write_bundle
from tracker.audit.bundle.snapshots import SnapshotExporter, from_log, from_store
from tracker.audit.format.layout import LogFiles
from tracker.audit.mirror.companions import copy_texts
from tracker.audit.verify.database_source import DatabaseSource
from tracker.audit.verify.trust import TrustedCheckpoint, TrustPolicy
from tracker.log.annexes import Annexes
from tracker.postgres.database import Target
from tracker.snapshots.store import SnapshotStore

MAX_MISSING_NAMED = 20
"""Maximum number of missing snapshots to name."""
TextWriter = Callable[[TrustedCheckpoint], Awaitable[None]]


Directory = Annotated[
    Path,
    typer.Argument(
        metavar="DIR", help="The directory of the bundle or snapshot; created if missing."
    ),
]
AsParquet = Annotated[
    bool,
    typer.Option(
        "--parquet",
        help="Write a Parquet snapshot of all versions instead: one file per kind of entity, for "
        "DuckDB and notebooks. It needs no keys, but the extra `parquet`.",
    ),
]
AtPosition = Annotated[
    int | None,
    typer.Option(
        min=0, help="With --parquet: the position of the snapshot (default: the last one)."
    ),
]
CopiedFrom = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="DIR|URL",
        show_default=False,
        help="Copy this bundle, or the log at this address (default: export the database).",
    ),
]
WithoutSnapshots = Annotated[
    bool,
    typer.Option(
        "--without-snapshots",
        help="Omit publishers' documents, which may be many times as large as the log; a later export "
        "without this option adds them.",
    ),
]


def export(
    directory: Directory,
    parquet: AsParquet = False,
    position: AtPosition = None,
    source: CopiedFrom = None,
    keys: KeyOptions = None,
    trust_bundle_key: TrustBundleKey = False,
    allow_missing_texts: AllowMissingTexts = False,
    allow_missing_snapshots: AllowMissingSnapshots = False,
    without_snapshots: WithoutSnapshots = False,
    data_dir: DataDir = None,
) -> None:
    """Write the signed log as a bundle: a directory with everything that an auditor needs.

    It has the layout of C2SP tlog-tiles, so other tools can read it. A second export adds new events,
    and rejects a log that does not continue the bundle. The export is verified. A copy from an address
    also has the texts (notes, quotations) and publishers' documents, as far as they are available.
    """
    if parquet:
        if (
            source is not None
            or keys
            or trust_bundle_key
            or allow_missing_texts
            or allow_missing_snapshots
            or without_snapshots
        ):
            raise typer.BadParameter("expected no option of bundles", param_hint="--parquet")
        run_with_database(data_dir, lambda target: export_versions(target, position, directory))
        return
    if position is not None:
        raise typer.BadParameter("expected --parquet beside it", param_hint="--position")

    async def copy() -> None:
        with open_log(source or "") as log:
            chosen = await trust_in(log, keys, trust_bundle_key=trust_bundle_key)
            await export_from(
                log,
                chosen.trust,
                directory,
                texts_of(log, directory),
                SnapshotExporter(directory, None if without_snapshots else from_log(log)),
                allow_missing_texts=allow_missing_texts,
                allow_missing_snapshots=allow_missing_snapshots,
            )

    if source is None:
        run_with_database(
            data_dir,
            lambda target: export_database(
                target, directory, keys, data_dir, with_snapshots=not without_snapshots
            ),
        )
    else:
        run_without_database(copy)


async def export_versions(target: Target, position: int | None, directory: Path) -> None:
    """Export all versions of a database as Parquet."""
    from deploy.export.parquet_export import export_parquet  # late: see deploy/web/app.py

    async with running_tracker(target) as services:
        await services.projector.reach(await services.recorder.head(), seconds=600)
        await export_parquet(services, position, directory, stderr)


async def export_database(
    target: Target,
    directory: Path,
    keys: list[str] | None,
    data_dir: Path | None,
    *,
    with_snapshots: bool,
) -> None:
    """Export the log of a database."""
    async with opened_pool(target) as pool:
        store = SnapshotStore(pool, settings.snapshots())
        snapshots = SnapshotExporter(
            directory, from_store(store) if with_snapshots else None, await store.redacted()
        )

        async def texts(head: TrustedCheckpoint) -> None:
            redactions = list[int]()
            lines = annex_lines(Annexes(pool), head.size, redactions.append)
            await export_annexes(lines, directory)
            if later := sum(position > head.size for position in redactions):
                stderr.print(
                    f"{later} of the texts were redacted by events that are not signed in this bundle:"
                    " `verify` and `restore` refuse it until you export again, in a moment.",
                    style="yellow",
                )

        await export_from(
            DatabaseSource(pool), own_keys(keys, data_dir).trust, directory, texts, snapshots
        )


def texts_of(log: LogFiles, directory: Path) -> TextWriter:
    """Return a function that copies the texts of a log to a directory and prints the missing ones."""

    async def texts(head: TrustedCheckpoint) -> None:
        lines = log.annex_lines()
        if lines is not None:
            await export_annexes(each(lines), directory)
            return
        copied = await copy_texts(log, directory, head.size)
        if copied.absent or copied.missing:
            lacks = "The texts" if copied.absent else f"{copied.missing} of the texts"
            stderr.print(
                f"{lacks} that entries commit to are missing. `verify` and `restore` take a copy"
                " without them with --allow-missing-texts.",
                style="yellow",
            )

    return texts


async def each(lines: Iterable[bytes]) -> AsyncIterator[bytes]:
    """Yield some lines."""
    for line in lines:
        yield line


async def export_from(
    source: DatabaseSource | LogFiles,
    trust: TrustPolicy,
    directory: Path,
    texts: TextWriter,
    snapshots: SnapshotExporter,
    *,
    allow_missing_texts: bool = False,
    allow_missing_snapshots: bool = False,
) -> None:
    """Write a bundle, or its new events, and print a summary."""
    with progress_bar(stderr) as bar:
        task = bar.add_task("exporting", total=None)
        exported = await write_bundle(
            source,
            trust,
            directory,
            bundle_extras(trust),
            lambda done, size: bar.update(task, completed=done, total=size),
            beside=texts,
            snapshots=snapshots,
            allow_missing_texts=allow_missing_texts,
            allow_missing_snapshots=allow_missing_snapshots,
        )
    stderr.print(
        f"{directory}: {exported.head.size} events, {exported.new} of them new;"
        f" {snapshots.written} new snapshots",
        markup=False,
    )
    for sha256, reason in islice(snapshots.missing.items(), MAX_MISSING_NAMED):
        stderr.print(f"Snapshot {sha256} is missing: {reason}", style="yellow", markup=False)
    if snapshots.missing or not snapshots.writes:
        lacks = (
            f"{len(snapshots.missing)} of the snapshots" if snapshots.missing else "The snapshots"
        )
        stderr.print(
            f"{lacks} that events name are not in it. `verify` and `restore` take it with"
            " --allow-missing-snapshots.",
            style="yellow",
        )
