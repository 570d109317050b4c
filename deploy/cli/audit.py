"""The auditors' commands that make bundles and take them in; verifying.py has the other one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from pathlib import Path
from typing import Annotated

import typer

from deploy import settings
from deploy.bootstrap import migrate_log, open_connection, opened_pool, running_tracker
from deploy.bundle_readme import bundle_extras
from deploy.cli.common import DataDir, run_with_database, stderr
from deploy.cli.trust import (
    AllowMissingTexts,
    KeyOptions,
    TrustBundleKey,
    bundle_at,
    open_log,
    own_keys,
    run_without_database,
    trust_in,
)
from deploy.cli.verify import print_texts, verify
from deploy.imports import progress_bar
from deploy.parquet_export import export_parquet
from deploy.postgres import default_data_dir
from projections.registry import PROJECTIONS
from projections.runner.rebuild import rebuild
from projections.runner.tables import create_tables
from tracker.audit.bundle.annexes import annex_lines, export_annexes
from tracker.audit.bundle.export import export as write_bundle
from tracker.audit.bundle.restore import restore as fill
from tracker.audit.format.checkpoint import Checkpoint
from tracker.audit.format.layout import LogFiles
from tracker.audit.sign.keystore import KeyStore
from tracker.audit.verify.database_source import DatabaseSource
from tracker.audit.verify.trust import TrustedCheckpoint, TrustPolicy
from tracker.audit.verify.verifier import Verification
from tracker.log.annexes import Annexes
from tracker.postgres.database import PROJECTOR, Target

TextWriter = Callable[[TrustedCheckpoint], Awaitable[None]]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(export)
    app.command()(verify)
    app.command()(restore)


def export(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where the bundle or snapshot is, or will be.")
    ],
    parquet: Annotated[
        bool,
        typer.Option(
            "--parquet",
            help="Write a snapshot of all versions as Parquet instead: a file a kind of entity, for"
            " DuckDB and notebooks. It needs no keys, and the extra `parquet`.",
        ),
    ] = False,
    position: Annotated[
        int | None,
        typer.Option(min=0, help="With --parquet: what was known there (default: the last)."),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="DIR|URL",
            show_default=False,
            help="Copy this bundle, or the log at this address (default: export the database).",
        ),
    ] = None,
    keys: KeyOptions = None,
    trust_bundle_key: TrustBundleKey = False,
    allow_missing_texts: AllowMissingTexts = False,
    data_dir: DataDir = None,
) -> None:
    """Write the signed log as a bundle: a directory that is all an auditor needs.

    It has the layout of C2SP tlog-tiles, so that other tools read it too. A second export adds what
    is new, and refuses a log that does not continue the bundle. What is exported is verified. A
    copy made from an address has no texts (notes, quotations): those are not part of the log.
    """
    if parquet:
        if source is not None or keys or trust_bundle_key or allow_missing_texts:
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
                allow_missing_texts=allow_missing_texts,
            )

    if source is None:
        run_with_database(
            data_dir, lambda target: export_database(target, directory, keys, data_dir)
        )
    else:
        run_without_database(copy)


async def export_versions(target: Target, position: int | None, directory: Path) -> None:
    """Export all versions of a database as Parquet."""
    async with running_tracker(target) as services:
        await services.projector.reach(await services.recorder.head(), seconds=600)
        await export_parquet(services, position, directory, stderr)


async def export_database(
    target: Target, directory: Path, keys: list[str] | None, data_dir: Path | None
) -> None:
    """Export the log of a database."""
    async with opened_pool(target) as pool:

        async def texts(head: TrustedCheckpoint) -> None:
            await export_annexes(annex_lines(Annexes(pool), head.size), directory)

        await export_from(DatabaseSource(pool), own_keys(keys, data_dir).trust, directory, texts)


def texts_of(log: LogFiles, directory: Path) -> TextWriter | None:
    """A function that copies the annexes of a log to a directory; None for a log without annexes."""
    lines = log.annex_lines()
    if lines is None:
        return None

    async def texts(_: TrustedCheckpoint) -> None:
        await export_annexes(each(lines), directory)

    return texts


async def each(lines: Iterable[bytes]) -> AsyncIterator[bytes]:
    """Some lines, one after the other."""
    for line in lines:
        yield line


async def export_from(
    source: DatabaseSource | LogFiles,
    trust: TrustPolicy,
    directory: Path,
    texts: TextWriter | None,
    *,
    allow_missing_texts: bool = False,
) -> None:
    """Write a bundle, or what is new in it, and say what it has."""
    with progress_bar(stderr) as bar:
        task = bar.add_task("exporting", total=None)
        exported = await write_bundle(
            source,
            trust,
            directory,
            bundle_extras(trust),
            lambda done, size: bar.update(task, completed=done, total=size),
            beside=texts,
            allow_missing_texts=allow_missing_texts,
        )
    stderr.print(
        f"{directory}: {exported.head.size} events, {exported.new} of them new", markup=False
    )
    if texts is None:
        stderr.print(
            "The texts that entries commit to are not in it: they are not part of the log."
            " `verify` and `restore` take it with --allow-missing-texts.",
            style="yellow",
        )


def restore(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The bundle.")],
    keys: KeyOptions = None,
    trust_bundle_key: TrustBundleKey = False,
    allow_missing_texts: AllowMissingTexts = False,
    data_dir: DataDir = None,
) -> None:
    """Build a database from a bundle: same positions, same times, same entries, same root.

    The bundle is verified on the way, and refused where `tracker verify` refuses it. The log must
    be empty; it gets all of the bundle or nothing. Bring the keys along (`TRACKER_AUDIT_DIR`), so
    that the log can go on being signed.
    """

    async def begin() -> Verification:
        bundle = bundle_at(directory)
        chosen = await trust_in(bundle, keys, trust_bundle_key=trust_bundle_key)
        return await Verification.begin(
            bundle, chosen.trust, allow_missing_texts=allow_missing_texts
        )

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
        async with open_connection(target) as connection:
            await fill(connection, verification, lambda done: bar.update(loading, completed=done))
        for make in PROJECTIONS.values():
            async with open_connection(target, role=PROJECTOR) as connection:
                await create_tables(connection, make())
            await rebuild(target, make(), lambda done: bar.update(projecting, completed=done))
    print(f"restored: {head.size} events of {head.checkpoint.origin}")
    print_texts(verification)


def warn_of_head(data_dir: Path | None, restored: Checkpoint) -> None:
    """Say what will not go on: nothing is signed that does not continue what was signed here."""
    directory = settings.audit_dir(data_dir or default_data_dir())
    last = KeyStore(directory).head() if directory else None
    if last and last.size > restored.size:
        stderr.print(
            f"A head of {last.size} events was signed here, and the bundle has"
            f" {restored.size}: after this the log will not be signed (docs/auditing.md).",
            style="yellow",
        )
