"""`tracker texts`: units of the text of an act, and the differences between two versions."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from jinja2 import Environment

import deploy.output
from deploy.bootstrap import open_pool, running_tracker
from deploy.cli.changes import AsJson
from deploy.cli.common import DataDir, print_whole, report_errors, run_with_database, stderr
from deploy.cli.demo_log import check_no_mirror
from deploy.config import settings
from deploy.output.progress import progress_bar
from deploy.output.terminal import escaped, in_one_line
from schema.services import Services
from tracker.domain.basics.vocabulary import TextChange
from tracker.domain.wording.phrases import many
from tracker.errors import InvalidInput
from tracker.postgres.database import WATCHER, Target
from tracker.snapshots.digest import sha256_of
from tracker.snapshots.store import SnapshotStore
from tracker.texts.folder import ReadVersion, read_version, version_files
from tracker.texts.formats import read_text
from tracker.texts.redline import Run, UnitChange, compare_texts
from tracker.texts.units import split_into_units

texts = typer.Typer(
    name="texts", no_args_is_help=True, help="Texts of acts: import, units, and a redline of two."
)
TextFile = Annotated[
    Path, typer.Argument(exists=True, dir_okay=False, help="A text: .md, .txt, .html or .xml.")
]
TEMPLATE = Path(deploy.output.__file__).with_name("redline.html")
KEPT = frozenset({TextChange.SAME, TextChange.FORMATTED})
MEDIA_TYPES = {"html": "text/html", "md": "text/markdown", "txt": "text/plain", "xml": "text/xml"}
CONTEXT_CHARACTERS = 120
"""Length of the words that stay before and behind a change."""


@texts.command()
def units(file: TextFile, as_json: AsJson = False) -> None:
    """List the units of a text: articles, paragraphs, points, annexes, with ids of their numbers."""
    found = split_into_units(load(file))
    if as_json:
        print_whole(msgspec.json.encode(unit._asdict()).decode() for unit in found)
    else:
        print_whole(f"{unit.id}: {first_words(unit.text)}" for unit in found)


@texts.command()
def compare(
    old: TextFile,
    new: TextFile,
    as_json: AsJson = False,
    page: Annotated[
        Path | None,
        typer.Option(
            "--html",
            dir_okay=False,
            metavar="FILE",
            help="Write a page with two columns, to print.",
        ),
    ] = None,
) -> None:
    """Show what changed between two versions of an act, unit by unit.

    Removed words are in [-…-], added ones in {+…+}. Spaces, dashes, quotation marks, marks of lists and
    numbers of footnotes do not count. `--json` prints each changed unit with all its words.
    """
    changes = compare_texts(load(old), load(new)).changes()
    if page:
        with report_errors():
            page.write_text(as_page(old.name, new.name, changes), encoding="utf-8")
    elif as_json:
        print_whole(msgspec.json.encode(each).decode() for each in changes)
    else:
        print_whole(describe(changes))


@texts.command(name="import")
def import_(
    folder: Annotated[
        Path,
        typer.Argument(exists=True, file_okay=False, help="A folder with a folder for each act."),
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Record nothing; list the versions and their units.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Record versions of the texts of acts, and store their bytes.

    FOLDER/ACT has `act.toml` and a file for each version, named by the day from which it governs and its
    language: 2021-09-09.md, 2021-09-09.de.html. All files are checked first. A version counts once:
    importing it again adds nothing. docs/texts.md is the guide.
    """
    with report_errors(), progress_bar(stderr) as bar:
        read = [
            read_version(file) for file in bar.track(version_files(folder), description="reading")
        ]
    if dry_run:
        print_whole(in_one_line(described(one)) for one in read)
        return

    async def work(target: Target) -> int:
        await check_no_mirror(target)
        async with (
            running_tracker(target) as services,
            open_pool(target, role=WATCHER, size=1) as pool,
        ):
            store, new = SnapshotStore(pool, settings.snapshots()), 0
            with progress_bar(stderr) as bar:
                for one in bar.track(read, description="recording"):
                    new += await record(services, store, one)
            return new

    new = run_with_database(data_dir, work, make=True)
    print_whole(
        [f"{many(new, 'version', space=' ')} recorded, {len(read) - new:,} recorded before"]
    )


async def record(services: Services, store: SnapshotStore, read: ReadVersion) -> bool:
    """Store the bytes of a version and record it; return whether it is new."""
    content = read.file.read_bytes()
    if sha256_of(content) != read.fact.sha256:
        raise InvalidInput(f"{read.file}: expected no change during the import", code="CHANGED")
    await store.put(content, MEDIA_TYPES[read.fact.format])
    try:
        done = await services.commands.record(read.stream, read.fact, idempotency_key=read.event_id)
    except InvalidInput as error:
        raise InvalidInput(f"{read.file}: {error.message}", code=error.code) from None
    return not done.repeated


def described(read: ReadVersion) -> str:
    """Return a version in a line."""
    of, found = read.fact, split_into_units(load(read.file))
    return (
        f"{read.stream}: {of.kind} text in {of.language!r} that governs from {of.on},"
        f" {many(len(found), 'unit', space=' ')}, SHA-256 {of.sha256}"
    )


def load(file: Path) -> str:
    """Return the text in a file. Exits for one that cannot be read."""
    with report_errors():
        return read_text(file.name, file.read_bytes())


def first_words(text: str) -> str:
    """Return the beginning of a unit in a line."""
    words = " ".join(text.split())
    return in_one_line(words if len(words) <= 100 else f"{words[:99]}…")


def as_page(old: str, new: str, changes: list[UnitChange]) -> str:
    """Return a redline of two files as an HTML page."""
    template = Environment(autoescape=True).from_string(TEMPLATE.read_text(encoding="utf-8"))
    summary = summarize(changes)
    return template.render(old=old, new=new, units=changes, summary=summary, kept=[*KEPT])


def summarize(changes: list[UnitChange]) -> str:
    """Return the numbers of changed units: `2 units added, 1 unit replaced`."""
    counts = Counter(each.change for each in changes)
    parts = [
        f"{many(counts[kind], 'unit', space=' ')} {kind}"
        for kind in (TextChange.ADDED, TextChange.REMOVED, TextChange.REPLACED)
        if counts[kind]
    ]
    return ", ".join(parts) or "No word differs."


def describe(changes: list[UnitChange]) -> Iterator[str]:
    """Yield the lines of a redline."""
    yield summarize(changes)
    for each in changes:
        yield ""
        yield f"{each.id} ({each.change})"
        yield escaped("".join(map(marked, each.runs)).strip())


def marked(run: Run) -> str:
    """Return a run with marks, and of unchanged words those near a change."""
    if run.change in KEPT:
        if len(run.new) <= 2 * CONTEXT_CHARACTERS:
            return run.new
        return f"{run.new[:CONTEXT_CHARACTERS]} … {run.new[-CONTEXT_CHARACTERS:]}"
    space = run.new[len(run.new.rstrip()) :] or run.old[len(run.old.rstrip()) :]
    removed = f"[-{run.old.strip()}-]" if run.old.strip() else ""
    return f"{removed}{f'{{+{run.new.strip()}+}}' if run.new.strip() else ''}{space}"
