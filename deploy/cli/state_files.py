"""Commands that write the state at a moment to a file: `tracker snapshot` and `tracker replay`."""

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from deploy.bootstrap import opened_pool, running_tracker
from deploy.cli.common import (
    DataDir,
    KeyOptions,
    day_option,
    report_errors,
    run_with_database,
    stderr,
)
from deploy.cli.trust import TrustBundleKey, bundle_at, run_without_database, trust_in
from deploy.export.snapshot_file import replay as replayed
from deploy.export.snapshot_file import replay_bundle, write_snapshot
from projections.query.moment import moment_at_position, resolve_moment
from schema.base.scalars import Instant
from schema.inputs.arguments import parse_instant
from tracker.audit.verify.verifier import Verification
from tracker.log.recorder import Recorder
from tracker.postgres.database import Target

ValidAt = Annotated[date | None, day_option(help="The effective date (default: today, UTC).")]
KnownAt = Annotated[
    str | None, typer.Option(help="The recording time, YYYY-MM-DDTHH:MM:SSZ; not with --position.")
]
AtPosition = Annotated[
    int | None, typer.Option(min=0, help="The position in the log (default: the last one).")
]
Out = Annotated[
    Path | None,
    typer.Option(
        help="The output file for the whole state; it gets this name when it is complete."
    ),
]


def snapshot(
    valid_at: ValidAt = None,
    known_at: KnownAt = None,
    position: AtPosition = None,
    out: Out = None,
    data_dir: DataDir = None,
) -> None:
    """Write the whole state at a moment to a file, and print its digest.

    The file has one JSON line per entity, in the order of their names. The digest is its SHA-256, and
    equals `{ asOf(validAt:, position:) { digest } }`. Without --out only the digest is printed.
    """
    known = moment_of(known_at)

    async def work(target: Target) -> str:
        async with running_tracker(target) as services:
            await services.projector.reach(await services.recorder.head(), seconds=600)
            moment = await services.as_of.resolve(valid_at, known, position)
            return await write_snapshot(services, moment, out, stderr)

    print(run_with_database(data_dir, work))


def replay(
    bundle: Annotated[
        Path | None,
        typer.Argument(
            metavar="[DIR]",
            show_default=False,
            help="A bundle, which is verified during the replay without a database (default: the log "
            "of the database).",
        ),
    ] = None,
    valid_at: ValidAt = None,
    known_at: KnownAt = None,
    position: AtPosition = None,
    out: Out = None,
    keys: KeyOptions = None,
    trust_bundle_key: TrustBundleKey = False,
    data_dir: DataDir = None,
) -> None:
    """Compute the state of `tracker snapshot` from the log alone, in memory.

    If the two differ, the projection does not follow from the log.
    """
    known = moment_of(known_at)

    async def work(target: Target) -> str:
        async with opened_pool(target) as pool:
            recorder = Recorder(pool)
            moment = await resolve_moment(
                recorder, await recorder.head(), valid_at, known, position
            )
            return await replayed(recorder, moment, out, stderr)

    async def alone(directory: Path) -> str:
        log = bundle_at(directory)
        chosen_keys = await trust_in(log, keys, trust_bundle_key=trust_bundle_key)
        # A state has no texts, so it follows from a bundle without them too.
        verification = await Verification.begin(
            log, chosen_keys.trust, allow_missing_texts=True, allow_missing_snapshots=True
        )
        moment = moment_at_position(verification.head.size, valid_at, known, position)
        return await replay_bundle(verification, moment, known, out, stderr)

    if bundle is None:
        print(run_with_database(data_dir, work))
    else:
        print(run_without_database(lambda: alone(bundle)))


def moment_of(known_at: str | None) -> datetime | None:
    """Parse a time. Exits if it is invalid."""
    with report_errors():
        return parse_instant(None if known_at is None else Instant(known_at), "knownAt")
