"""`tracker fetch`: stored documents of publishers."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from deploy.bootstrap import opened_pool
from deploy.cli.common import DataDir, report_errors, run_with_database
from deploy.cli.redact import ACTOR, DemandPublisher, DemandSource, Yes, carry_out_redaction
from deploy.cli.rows import Row, print_rows
from deploy.config import settings
from schema.services import Services
from tracker.audit.bundle.files import report_path
from tracker.domain.basics.values import PartialDate
from tracker.domain.entities.fact import Source
from tracker.errors import NotFound
from tracker.log.append import AppendResult
from tracker.postgres.database import Pool, Target
from tracker.snapshots.digest import digest_bytes
from tracker.snapshots.store import NEWEST, SnapshotInfo, SnapshotStore

fetches = typer.Typer(
    name="fetch",
    no_args_is_help=True,
    help="List, export or redact stored documents of publishers, by SHA-256.",
)
Sha256 = Annotated[str, typer.Argument(metavar="SHA256", help="From `tracker fetch list`.")]


@fetches.command(name="list")
def list_(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Maximum number of entries.")] = 100,
    before: Annotated[
        str | None,
        typer.Option(
            metavar="SHA256",
            show_default=False,
            help="Only documents stored before this one, the last of the previous list.",
        ),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """List stored documents, newest first: hash, time, bytes, media type, and place or reason for
    redaction."""

    async def work(target: Target) -> list[SnapshotInfo]:
        async with opened_pool(target) as pool:
            store = _store(pool)
            place = NEWEST
            if before is not None:
                last = await _require_description(store, before)
                place = last.stored_at, last.sha256
            return await store.page(place, limit)

    print_rows(map(_columns, run_with_database(data_dir, work)))


@fetches.command()
def get(
    sha256: Sha256,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", show_default=False, help="The output file (default: standard output)."
        ),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Write a stored document, after a check of its hash."""
    if out is None and sys.stdout.isatty():
        raise typer.BadParameter(
            "expected a file or a pipe: foreign bytes can control a terminal", param_hint="--out"
        )

    async def work(target: Target) -> bytes:
        async with opened_pool(target) as pool:
            store = _store(pool)
            info = await _require_description(store, sha256)
            if info.redaction:
                raise NotFound(
                    f"these bytes were redacted, by the event at position {info.redaction.position}:"
                    f" {info.redaction.reason}",
                    code="REDACTED",
                )
            return b"".join([chunk async for chunk in store.chunks(info)])

    content = run_with_database(data_dir, work)
    if out is None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    with report_errors(), report_path(out):
        out.write_bytes(content)


@fetches.command()
def redact(
    sha256: Sha256,
    reason: Annotated[
        str,
        typer.Option(
            help="The reason. It is public and permanent, so it must not repeat the content."
        ),
    ],
    source: DemandSource,
    publisher: DemandPublisher = "tracker",
    yes: Yes = False,
    data_dir: DataDir = None,
) -> None:
    """Redact a stored document permanently; the log records the redaction.

    The events that name it and their proofs stay. If the same bytes arrive again, they are not stored.
    Copies elsewhere are not affected: see docs/redaction.md.
    """
    with report_errors():
        digest_bytes(sha256)

    async def record(services: Services, today: PartialDate, because: Source) -> AppendResult:
        done = await services.commands.redact_snapshot(sha256, reason, today, because, actor=ACTOR)
        await services.snapshots.remove_redacted_file(sha256)
        return done

    carry_out_redaction(f"The bytes {sha256}", publisher, source, yes, data_dir, record)


def _store(pool: Pool) -> SnapshotStore:
    return SnapshotStore(pool, settings.snapshots())


async def _require_description(store: SnapshotStore, sha256: str) -> SnapshotInfo:
    info = await store.describe(sha256)
    if info is None:
        raise NotFound(f"there is no snapshot {sha256}")
    return info


def _columns(info: SnapshotInfo) -> Row:
    gone = info.redaction
    place = f"redacted at position {gone.position}: {gone.reason}" if gone else info.place
    return info.sha256, info.stored_at, info.size, info.media_type, place
