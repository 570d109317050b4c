"""`tracker mirror`: an updated copy of a log, which any web server can serve."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import typer

from deploy.cli.common import (
    Form,
    KeyOptions,
    Level,
    WithoutSnapshots,
    WitnessOptions,
    report_errors,
    stderr,
)
from deploy.cli.trust import open_log, read_keys, run_without_database, trust_in
from deploy.config.settings import secrets
from deploy.output.log_format import LogFormat, LogLevel, log_to_stderr
from deploy.output.progress import progress_bar
from tracker.audit.bundle.files import report_path
from tracker.audit.format.layout import KEY, LogFiles
from tracker.audit.mirror.companions import MirroredSnapshots, MirroredTexts
from tracker.audit.mirror.cosigner import Cosigner
from tracker.audit.mirror.database import MirrorOptions, Progress
from tracker.audit.mirror.follow import follow
from tracker.audit.mirror.mirror import Mirror, MirrorUpdate
from tracker.audit.verify.trust import TrustPolicy
from tracker.errors import InvalidInput, TrackerError

POLL_INTERVAL_SECONDS = 60.0
MIN_POLL_INTERVAL_SECONDS = 0.1


Log = Annotated[
    str,
    typer.Argument(
        metavar="URL",
        help="The address of a log, such as https://example.org/log, or a directory with one.",
    ),
]
Directory = Annotated[Path, typer.Argument(metavar="DIR", help="The directory of the mirror.")]
Follow = Annotated[
    bool, typer.Option("--follow", help="Continue until Ctrl-C; an unreachable log is retried.")
]
Every = Annotated[
    float,
    typer.Option(
        "--every",
        metavar="SECONDS",
        min=MIN_POLL_INTERVAL_SECONDS,
        help="The poll interval with --follow.",
    ),
]
Whole = Annotated[
    bool,
    typer.Option(
        "--whole",
        help="Verify the whole mirror again, and repair damaged files. Not with --follow.",
    ),
]
CosignerFile = Annotated[
    Path | None,
    typer.Option(
        "--cosign",
        metavar="FILE",
        show_default=False,
        help="Cosign the mirror with the key in this file (`tracker key cosigner`).",
    ),
]
WithoutTexts = Annotated[
    bool,
    typer.Option(
        "--without-texts", help="Omit notes and quotations, which entries only commit to."
    ),
]


def mirror(
    log: Log,
    directory: Directory,
    keys: KeyOptions = None,
    follow_it: Follow = False,
    every: Every = POLL_INTERVAL_SECONDS,
    whole: Whole = False,
    witnesses: WitnessOptions = None,
    cosign: CosignerFile = None,
    without_texts: WithoutTexts = False,
    without_snapshots: WithoutSnapshots = False,
    log_level: Level = LogLevel.WARNING,
    log_format: Form = LogFormat.TEXT,
) -> None:
    """Copy a log into a directory that any web server can serve as the same log.

    Everything is verified before it is written: the head by the key, the rest by the head. The head
    must continue that of the mirror. The texts and snapshots of a tracker are included. An interrupted
    copy resumes. `tracker verify` and `restore --onto` accept the directory or its address. A proof of
    a fork is stored in DIR/forks.

    Exit codes: 0 up to date, 1 rejected, 2 wrong usage, 3 the log is unreachable.
    """
    log_to_stderr(log_level, log_format, secrets())
    if whole and follow_it:
        raise typer.BadParameter("expected no --follow beside it", param_hint="--whole")

    async def work() -> None:
        cosigner = _read_cosigner(cosign) if cosign else None
        with open_log(log) as connected:
            trust = await _trust(connected, keys, witnesses)
            extras = {KEY: "".join(f"{key}\n" for key in trust.keys).encode()}
            companions = list[MirroredTexts | MirroredSnapshots]()
            if not without_texts:
                companions.append(MirroredTexts(connected, directory))
            if not without_snapshots:
                companions.append(MirroredSnapshots(connected, directory))
            copy = Mirror(connected, trust, directory, extras, companions, cosigner)
            await _run(copy, every if follow_it else None, whole=whole)

    run_without_database(work)


async def _trust(log: LogFiles, keys: list[str] | None, witnesses: list[str] | None) -> TrustPolicy:
    return (await trust_in(log, keys, witnesses=read_keys(witnesses) if witnesses else ())).trust


def _read_cosigner(path: Path) -> Cosigner:
    with report_path(path):
        return Cosigner.parse(path.read_text(encoding="utf-8"))


async def _run(copy: Mirror, poll_interval_seconds: float | None, *, whole: bool) -> None:
    """Update a mirror, once or repeatedly, and print the result."""

    def print_update(update: MirrorUpdate) -> None:
        stderr.print(
            f"{copy.directory}: {update.head.size} events of {update.head.checkpoint.origin},"
            f" {update.new} of them new",
            markup=False,
        )
        for companion in copy.companions:
            if companion.missing:
                stderr.print(
                    f"{companion.missing} {companion.name} could not be fetched",
                    style="yellow",
                    markup=False,
                )

    def print_failure(error: TrackerError) -> None:
        stderr.print(f"{error.message} ({error.code})", style="yellow", markup=False)

    with show_progress() as progress:
        if poll_interval_seconds is None:
            print_update(await copy.update(progress, whole=whole))
        else:
            await follow(copy, poll_interval_seconds, print_update, print_failure, progress)


@contextmanager
def show_progress() -> Iterator[Progress]:
    """Show the progress of a copy, in positions."""
    with progress_bar(stderr) as bar:
        task = bar.add_task("mirroring", total=None)
        yield lambda done, size: bar.update(task, completed=done, total=size)


@contextmanager
def open_origins(
    mirrors: list[str],
    keys: list[str] | None,
    witnesses: list[str] | None,
    directory: Path,
    with_snapshots: bool,
) -> Iterator[MirrorOptions]:
    """Open the addresses of an origin. Exits with a message without a key."""
    with ExitStack() as stack, report_errors():
        if not keys:
            raise InvalidInput("expected --key: the key of the mirrored log", code="NO_KEY")
        logs = [stack.enter_context(open_log(each)) for each in mirrors]
        trust = TrustPolicy(read_keys(keys), read_keys(witnesses) if witnesses else ())
        yield MirrorOptions(logs, trust, directory, with_snapshots, show_progress)
