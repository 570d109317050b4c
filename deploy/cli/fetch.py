"""`tracker fetch`: the bytes that publishers sent, as they are kept."""

from __future__ import annotations

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
from tracker.domain.values import PartialDate, Source
from tracker.errors import NotFound
from tracker.log.append import AppendResult
from tracker.postgres.database import Pool, Target
from tracker.snapshots.digest import digest_bytes
from tracker.snapshots.store import NEWEST, SnapshotInfo, SnapshotStore

fetches = typer.Typer(
    name="fetch",
    no_args_is_help=True,
    help="Bytes that publishers sent, by their SHA-256: list them, have them as a file, or redact them.",
)
Sha256 = Annotated[str, typer.Argument(metavar="SHA256", help="From `tracker fetch list`.")]


@fetches.command(name="list")
def list_(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 100,
    before: Annotated[
        str | None,
        typer.Option(
            metavar="SHA256",
            show_default=False,
            help="Those that were kept before this one, which a list has ended with.",
        ),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """List what is kept, the newest first: hash, time, bytes, media type, and where it is or why it went."""

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
            metavar="FILE", show_default=False, help="Where to (default: standard output)."
        ),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Write the bytes that a publisher sent, once they were compared with their hash."""
    if out is None and sys.stdout.isatty():
        raise typer.BadParameter(
            "expected a file or a pipe: bytes of strangers can steer a terminal", param_hint="--out"
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
        typer.Option(help="Why they go. It is public and permanent, so it must not repeat them."),
    ],
    source: DemandSource,
    publisher: DemandPublisher = "tracker",
    yes: Yes = False,
    data_dir: DataDir = None,
) -> None:
    """Take bytes that a publisher sent out for ever; the log says that it was done.

    The events that name them stay, and every proof about them. The same bytes are not kept when they come
    again. Copies elsewhere are not reached: docs/redaction.md says what is left to do.
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
