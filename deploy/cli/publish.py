"""`tracker publish`: the pages, files and log of one moment as a static site."""

import re
from collections.abc import Sequence
from datetime import date
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from deploy.bootstrap import running_tracker
from deploy.cli.common import (
    DataDir,
    KeyOptions,
    day_option,
    report_errors,
    run_with_database,
    stderr,
)
from deploy.cli.export import export_database
from deploy.cli.process import Exit
from deploy.cli.receipt import existing_keys
from deploy.output.progress import progress_bar
from deploy.postgres import default_data_dir
from deploy.web.app import import_app
from schema.services import Access
from tracker.audit.sign.publisher import SigningOptions
from tracker.errors import TrackerError
from tracker.postgres.database import Target

BASE_URL = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~%/-]*)?")
MAX_MISSING_NAMED = 20
"""Maximum number of missing addresses to name."""
RECEIPTS = "receipts"
"""The part that `--without` omits like pages."""
UNSIGNED = ("NO_KEY", "NOT_FOUND", "NOT_SIGNED")
"""Codes of errors that say that this log is not signed here."""

Directory = Annotated[
    Path, typer.Argument(metavar="DIR", help="The directory of the site; created if missing.")
]
ValidAt = Annotated[date | None, day_option(help="The effective date (default: today, UTC).")]
AtPosition = Annotated[
    int | None, typer.Option(min=0, help="The position in the log (default: the last one).")
]
BaseUrl = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        show_default=False,
        help="The address of the site, for citations and addresses in files. Links work without it.",
    ),
]
Without = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PART",
        show_default=False,
        help="Omit pages whose path begins with PART, such as `events` or `figures` (most of the files); "
        "`receipts` omits the receipts. May be repeated.",
    ),
]


def publish(
    directory: Directory,
    valid_at: ValidAt = None,
    position: AtPosition = None,
    base_url: BaseUrl = None,
    without: Without = None,
    keys: KeyOptions = None,
    data_dir: DataDir = None,
) -> None:
    """Write a static site of one date, which any web server can serve.

    The site has all pages with their CSV, JSON and SVG files, signed receipts of the pages, the tables, the
    signed log, and a manifest with the SHA-256 of each file. A second run writes only files that differ, and
    deletes those that are no longer part of the site. The last step exchanges the directory for a new one. A
    file system that cannot do this renames both; the next run repairs an interruption between the two.
    """
    base = checked_base_url(base_url)
    with report_errors():
        signing = keys_of_receipts(data_dir or default_data_dir(), without or ())

    async def work(target: Target) -> bool:
        return await publish_database(
            target,
            directory,
            valid_at,
            position,
            base,
            frozenset(without or ()),
            keys=keys,
            data_dir=data_dir,
            signing=signing,
        )

    if not run_with_database(data_dir, work):
        raise typer.Exit(Exit.REFUSED)


def checked_base_url(text: str | None) -> str:
    """Return an address that ends with a slash. Exits with a usage error for other texts."""
    if text is None:
        return "/"
    if not BASE_URL.fullmatch(text):
        wrong = f"{text!r}: expected an address such as https://example.org/minerals/"
        raise typer.BadParameter(wrong, param_hint="--base-url")
    return f"{text.rstrip('/')}/"


async def publish_database(
    target: Target,
    directory: Path,
    valid_at: date | None,
    position: int | None,
    base_url: str,
    omitted: frozenset[str],
    *,
    keys: list[str] | None = None,
    data_dir: Path | None = None,
    signing: SigningOptions | None = None,
) -> bool:
    """Publish a database, and print a summary. Returns whether no linked page or file is missing.

    Entities of older logs whose ids end like files have no page; that is printed. With `signing`, the pages
    have receipts.
    """
    create_app = import_app()
    from deploy.export.static_site.addresses import LOG, Addresses  # late: see deploy/web/app.py
    from deploy.export.static_site.files import open_site
    from deploy.export.static_site.pages import HOST
    from deploy.export.static_site.publish import entities_without_page, publish_site, site_moment

    async with running_tracker(target, signing) as services:
        await services.projector.reach(await services.recorder.head(), seconds=600)
        of = await site_moment(services, valid_at, position)
        app = create_app(services, Access(hosts=frozenset({HOST}), queries=8))
        with open_site(directory) as files, progress_bar(stderr) as bar:
            update_log = partial(copy_log, target, files.linked(LOG), keys, data_dir)
            has_log = await update_log()
            has_receipts = has_log and services.publisher is not None
            addresses = Addresses(of.valid, str(of.moment.position), omitted, has_log, has_receipts)
            task = bar.add_task("publishing", total=None)
            crawl = await publish_site(
                app,
                files,
                of,
                addresses,
                base_url,
                lambda made, known: bar.update(task, completed=made, total=known),
                update_log,
            )
        unreachable = await entities_without_page(services, crawl.missing)
    stderr.print(
        f"{directory}: {files.count:,} files as of {of.valid} at position {of.moment.position}"
        f" ({crawl.pages_written:,} pages, {files.total_bytes:,} bytes);"
        f" {len(files.changed):,} changed",
        markup=False,
    )
    for address, status in islice(crawl.missing.items(), MAX_MISSING_NAMED):
        reason = "its id ends like a file" if address in unreachable else f"status {status}"
        stderr.print(f"{address} is missing: {reason}", style="yellow", markup=False)
    return crawl.missing.keys() <= unreachable


def keys_of_receipts(data_dir: Path, omitted: Sequence[str]) -> SigningOptions | None:
    """Return the keys that sign receipts; None if receipts are omitted or the log is not signed here."""
    if RECEIPTS in omitted:
        return None
    try:
        return existing_keys(data_dir)
    except TrackerError as error:
        if error.code not in UNSIGNED:
            raise
        stderr.print(f"The pages have no receipts: {error.message}", style="yellow", markup=False)
        return None


async def copy_log(
    target: Target, directory: Path, keys: list[str] | None, data_dir: Path | None
) -> bool:
    """Write or update the bundle of the log. Returns False, with a note, if the log is not signed."""
    try:
        await export_database(target, directory, keys, data_dir, with_snapshots=False)
    except TrackerError as error:
        if keys or error.code not in UNSIGNED:
            raise
        stderr.print(f"The site has no copy of the log: {error.message}", style="yellow")
        return False
    return True
