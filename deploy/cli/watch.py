"""`tracker watch`: poll sources on schedule, or once."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from deploy.bootstrap import open_pool, prepare
from deploy.cli.common import DataDir, Form, Level, report_errors, run_with_database, stderr
from deploy.cli.demo_log import check_no_mirror
from deploy.cli.process import Exit
from deploy.config.settings import database_target, secrets, watch_options
from deploy.output.log_format import LogFormat, LogLevel, log_to_stderr
from deploy.postgres import default_data_dir, has_database
from projections.runner.release import RELEASE
from tracker.errors import InvalidInput
from tracker.postgres.database import WATCHER, Target
from tracker.watch.journal import PollReport
from tracker.watch.preview import PollPreview, preview_polls
from tracker.watch.store import SourceRow, WatchStore
from tracker.watch.watcher import Watcher, WatchOptions, only

Sources = Annotated[
    list[str] | None,
    typer.Argument(metavar="[SOURCE]...", help="Only these sources, by key (default: all)."),
]
Once = Annotated[bool, typer.Option("--once", help="Poll each source now, due or not, and exit.")]
ListThem = Annotated[bool, typer.Option("--list", help="Show the sources, and their last polls.")]
SourcesFile = Annotated[
    Path | None,
    typer.Option(
        "--sources",
        exists=True,
        dir_okay=False,
        help="A TOML file whose sources are added to those that ship (docs/watching.md).",
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run", help="Poll once and show the proposals; nothing is stored or recorded."
    ),
]


def watch(
    sources: Sources = None,
    once: Once = False,
    list_them: ListThem = False,
    file: SourcesFile = None,
    dry_run: DryRun = False,
    data_dir: DataDir = None,
    log_level: Level = LogLevel.WARNING,
    log_format: Form = LogFormat.TEXT,
) -> None:
    """Poll the lists of publishers on schedule, until Ctrl-C.

    Responses are stored and recorded; proposed facts wait for a person (`tracker review`). Of several
    processes one polls, and the others wait. `tracker serve` does the same if `TRACKER_WATCH` is set.
    With --once or --dry-run the exit code is 1 if a source could not be read.
    """
    log_to_stderr(log_level, log_format, secrets())
    with report_errors():
        options = watch_options(file=file, always=True)
        assert options is not None
        options = replace(_select_sources(options, sources), release=RELEASE)

    directory = data_dir or default_data_dir()
    if list_them and database_target() is None and not has_database(directory):
        _print_list(options, {})
        stderr.print(f"There is no database in {directory}: nothing was read yet.", markup=False)
        return

    async def work(target: Target) -> bool:
        await prepare(target)
        if list_them:
            async with open_pool(target, role=WATCHER, size=1) as pool:
                _print_list(options, await WatchStore(pool).sources())
            return True
        if dry_run:
            complete = True
            async for preview in preview_polls(target, options):
                _show(preview)
                complete &= preview.report.complete
            return complete
        await check_no_mirror(target)
        watcher = Watcher(target, options)
        watcher.observe_poll = _print_poll
        if once:
            reports = await watcher.poll_once()
            return all(each.complete for each in reports)
        stderr.print(f"{len(options.sources)} sources are watched (Ctrl-C stops)", markup=False)
        await watcher.run()
        return True

    lasting = not (list_them or dry_run or once)
    if not run_with_database(data_dir, work, make=not list_them, lasting=lasting):
        raise typer.Exit(Exit.REFUSED)


def _select_sources(options: WatchOptions, keys: list[str] | None) -> WatchOptions:
    if not keys:
        return options
    try:
        return only(options, keys)
    except KeyError as error:
        known = ", ".join(each.key for each in options.sources)
        raise InvalidInput(
            f"{error.args[0]!r} is not a source: expected some of {known}", code="UNKNOWN_SOURCE"
        ) from None


def _print_poll(report: PollReport) -> None:
    """Print the result of a poll on standard error."""
    outcome = (
        f"{report.source}: poll {report.number}, {report.requests} requests,"
        f" {report.snapshots} new documents, {report.candidates} new candidates"
    )
    if report.failure:
        code, reason = report.failure
        stderr.print(f"{outcome}; NOT COMPLETE: {code}: {reason}", style="red", markup=False)
    else:
        until = f"; all up to {report.covers_until}" if report.covers_until else ""
        stderr.print(f"{outcome}{until}", markup=False)
    for warning in report.warnings:
        stderr.print(f"  {report.source}: {warning}", style="yellow", markup=False)


def _show(preview: PollPreview) -> None:
    """Print the proposals of a poll."""
    for line in preview.lines:
        print(f"{preview.report.source}\t{line}")
    _print_poll(preview.report)


def _print_list(options: WatchOptions, rows: dict[str, SourceRow]) -> None:
    for settings in options.sources:
        row = rows.get(settings.key)
        polled_at = f"{row.looked_at:%Y-%m-%d %H:%M}" if row and row.looked_at else "never"
        wrong = f"{row.last_code}: {row.last_error}" if row and row.failing_since else ""
        print(
            "\t".join(
                (
                    settings.key,
                    settings.adapter,
                    f"every {settings.every_hours:g} h",
                    f"read {polled_at}",
                    f"next {row.next_look_at:%Y-%m-%d %H:%M}"
                    if row and row.watched
                    else "next now",
                    wrong,
                    settings.address,
                )
            ).rstrip("\t")
        )
