"""The auditors' commands: export, verify, restore; docs/auditing.md is their guide."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from deploy import settings
from deploy.bootstrap import connected, migrated, opened
from deploy.bundle import beside
from deploy.command import DataDir, errors_for_people, note, on_database
from deploy.importing import progress_bar
from deploy.postgres import default_data_dir
from deploy.process import catch_signals, run
from projections.projector import create_schema
from projections.rebuild import rebuild
from tracker.audit.annexed import ANNEXES, export_annexes, restore_annexes
from tracker.audit.checkpoint import Checkpoint
from tracker.audit.export import export as write_bundle
from tracker.audit.export import naming
from tracker.audit.files import KEY, Bundle, Files
from tracker.audit.note import Verifier
from tracker.audit.restore import restore as fill
from tracker.audit.rows import Rows
from tracker.audit.safe import Safe
from tracker.audit.texts import Texts
from tracker.audit.trust import Head, Trust
from tracker.audit.verify import Verification
from tracker.audit.website import Website
from tracker.errors import InvalidInput, Rejected
from tracker.log.annexes import Annexes
from tracker.log.database import PROJECTOR, Target
from tracker.log.recorder import Recorder

T = TypeVar("T")
Keys = Annotated[list[str] | None, typer.Option(
    "--key", metavar="KEY|FILE", show_default=False,
    help="A verifier key of the log, or a file with one a line, which you have from elsewhere;"
         " several during a change of keys (default: what lies beside the log, for what that is"
         " worth).")]

def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(export)
    app.command()(verify)
    app.command()(restore)


def export(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Where the bundle is, or will"
                                                                  " be.")],
    source: Annotated[str | None, typer.Option(
        "--from", metavar="DIR|URL", show_default=False,
        help="Copy this bundle, or the log at this address (default: export the database)."
    )] = None,
    keys: Keys = None,
    data_dir: DataDir = None,
) -> None:
    """Write the signed log as a bundle: a directory that is all an auditor needs.

    It has the layout of C2SP tlog-tiles, so that other tools read it too. A second export adds what
    is new, and refuses a log that does not continue the bundle. What is exported is verified.
    """
    if source is None:
        on_database(data_dir, lambda target: export_database(target, directory, keys, data_dir))
        return

    async def copy() -> None:
        with place(source) as log:
            await write(log, await trust_in(log, keys), directory)

    without_database(copy)


async def export_database(
    target: Target, directory: Path, keys: list[str] | None, data_dir: Path | None
) -> None:
    """Export the log of a database."""
    async with opened(target) as pool:
        head = await write(Rows(pool), Trust(own_keys(keys, data_dir)), directory)
        await export_annexes(Annexes(pool), head.size, directory)


async def write(source: Rows | Files, trust: Trust, directory: Path) -> Head:
    """Write a bundle, or what is new in it, and say what it has."""
    with progress_bar(note) as bar:
        task = bar.add_task("exporting", total=None)
        exported = await write_bundle(
            source, trust, directory, beside(trust),
            lambda done, size: bar.update(task, completed=done, total=size))
    head = exported.head
    note.print(f"{directory}: {head.size} events, {exported.new} of them new", markup=False)
    return head


def verify(
    log: Annotated[str | None, typer.Argument(
        metavar="[DIR|URL]", show_default=False,
        help="A bundle, or the address of a log, such as https://example.org/log.")] = None,
    of_database: Annotated[bool, typer.Option(
        "--database", help="Verify the rows of the database instead.")] = False,
    keys: Keys = None,
    state: Annotated[Path | None, typer.Option(
        metavar="FILE", show_default=False,
        help="The checkpoint of your last visit: the log must continue it. Written when all is"
             " well; keep it.")] = None,
    only_new: Annotated[bool, typer.Option(
        "--only-new", help="Read only what came after the checkpoint of --state.")] = False,
    witnesses: Annotated[list[str] | None, typer.Option(
        "--require-witness", metavar="KEY|FILE", show_default=False,
        help="A witness that must have cosigned; may be given several times.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Verify a log: signature, every entry, every tile, the root, and that nothing seen before was
    changed or taken away. Everything is derived anew from the entries.

    Exit codes: 0 verified, 1 rejected (it says where and why), 3 the log can't be read.
    """
    if (log is None) != of_database:
        raise typer.BadParameter("expected DIR, a URL, or --database")
    if only_new and state is None:
        raise typer.BadParameter("expected --state with --only-new")
    with errors_for_people():
        required = read_keys(witnesses or [])

    async def work(target: Target) -> None:
        async with opened(target) as pool:
            trust = Trust(own_keys(keys, data_dir), required)
            head = await check(Rows(pool), trust, state, only_new)
            unsigned = await Recorder(pool).head() - head.size
            check_safe(data_dir, head, head.size + unsigned)
        note.print(f"{unsigned} events after that are not signed yet.")

    async def visit() -> None:
        with place(log or "") as found:
            await check(found, await trust_in(found, keys, required), state, only_new)

    if of_database:
        on_database(data_dir, work)
    else:
        without_database(visit)


async def check(source: Rows | Files, trust: Trust, state: Path | None, only_new: bool) -> Head:
    """Verify a log to its end, say so, and remember its head."""
    saved = read_state(state, trust) if state else None
    verification = await Verification.begin(source, trust, saved, only_new=only_new)
    with progress_bar(note) as bar:
        task = bar.add_task("verifying", total=verification.head.size)
        texts = await run_through(source, verification,
                                  lambda done: bar.update(task, completed=done))
    say(verification, saved)
    if texts:
        print(f"texts: {texts.opened} open their commitments, {texts.redacted} are redacted")
    if state:
        write_state(state, verification.head)
    return verification.head


async def run_through(
    source: Rows | Files, verification: Verification, progress: Callable[[int], None]
) -> Texts | None:
    """Verify to the end, and the texts too where the log is a bundle that has them."""
    annexes = source.directory / ANNEXES if isinstance(source, Bundle) else None
    if annexes is None or not annexes.exists():
        await verification.run(progress)
        return None
    with annexes.open("rb") as lines:
        texts = Texts(lines, verification.first)
        async for page in verification.pages():
            texts.check(page.events)
            progress(page.events[-1].position)
        texts.end()
    return texts


def say(verification: Verification, saved: Head | None) -> None:
    """Say what has been verified."""
    head = verification.head
    print(f"verified: {head.size} events of {head.checkpoint.origin}")
    print(f"root: {str(head.checkpoint).splitlines()[2]}")
    for key in head.signers:
        print(f"signed by: {key}")
    if verification.recorded_at:
        print(f"last recorded: {verification.recorded_at.isoformat()}")
    if saved:
        print(f"continues: your checkpoint of {saved.size} events")
    if verification.first > 1:
        print(f"read: from position {verification.first} on")
    if verification.heads:
        print(f"kept checkpoints: {verification.heads}, of which {verification.strangers} are"
              " signed by keys you did not name")


def check_safe(data_dir: Path | None, head: Head, size: int) -> None:
    """Check that a database has all that was signed on this machine. Raises Rejected."""
    directory = settings.audit_dir(data_dir or default_data_dir())
    last = Safe(directory).head() if directory else None
    if last and last.size > size:
        raise Rejected("SHRUNK", f"the log has {size} events, and a head of {last.size} was signed"
                       " here: this is an older log, such as a restored backup",
                       range(size + 1, last.size + 1))
    if last and last.size == head.size and last.root != head.checkpoint.root:
        raise Rejected("FORKED", f"another head of {last.size} events was signed here",
                       range(1, last.size + 1))


def restore(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The bundle.")],
    keys: Keys = None,
    data_dir: DataDir = None,
) -> None:
    """Build a database from a bundle: same positions, same times, same entries, same root.

    The bundle is verified on the way. The log must be empty; it gets all of the bundle or nothing.
    Bring the keys along (`TRACKER_AUDIT_DIR`), so that the log can go on being signed.
    """

    async def work(target: Target) -> None:
        bundle = Bundle(directory)
        verification = await Verification.begin(bundle, await trust_in(bundle, keys))
        head = verification.head
        await migrated(target)
        warn_of_head(data_dir, head.checkpoint)
        with progress_bar(note) as bar:
            loading = bar.add_task("restoring", total=head.size)
            projecting = bar.add_task("projecting", total=head.size)
            async with connected(target) as connection, connection.transaction():
                await fill(connection, verification,
                           lambda done: bar.update(loading, completed=done))
                await restore_annexes(connection, head.size, directory)
            async with connected(target, role=PROJECTOR) as connection:
                await create_schema(connection)
            await rebuild(target, lambda done: bar.update(projecting, completed=done))
        print(f"restored: {head.size} events of {head.checkpoint.origin}")

    on_database(data_dir, work)


def warn_of_head(data_dir: Path | None, restored: Checkpoint) -> None:
    """Say what will not go on: nothing is signed that does not continue what was signed here."""
    directory = settings.audit_dir(data_dir or default_data_dir())
    last = Safe(directory).head() if directory else None
    if last and last.size > restored.size:
        note.print(f"A head of {last.size} events was signed here, and the bundle has"
                   f" {restored.size}: after this the log will not be signed (docs/auditing.md).",
                   style="yellow")


@contextmanager
def place(name: str) -> Iterator[Files]:
    """A bundle, or the log at an address."""
    if "://" not in name:
        yield Bundle(Path(name))
        return
    with closing(Website(name, token=settings.token())) as website:
        yield website


async def trust_in(
    log: Files, given: list[str] | None, witnesses: tuple[Verifier, ...] = ()
) -> Trust:
    """The keys that are given; else those beside a bundle, which prove less. Raises InvalidInput.
    """
    if given:
        return Trust(read_keys(given), witnesses)
    content = None if isinstance(log, Website) else await log.read(KEY)
    if content is None:
        raise InvalidInput("expected --key: the key of the log, which you have from elsewhere",
                           code="NO_KEY")
    note.print("The key is the bundle's own: it shows that the bundle is whole, and not whose it"
               " is. Give --key.", style="yellow")
    return Trust(parsed_keys(content.decode(errors="replace")), witnesses)


def own_keys(given: list[str] | None, data_dir: Path | None) -> tuple[Verifier, ...]:
    """The keys that are given; else all that ever signed here. Raises InvalidInput, NotFound."""
    if given:
        return read_keys(given)
    directory = settings.audit_dir(data_dir or default_data_dir())
    if directory is None:
        raise InvalidInput("expected --key, or the keys of the log in"
                           f" {settings.AUDIT_DIR.variable}", code="NO_KEY")
    return Safe(directory).keys().ever


def read_keys(given: list[str]) -> tuple[Verifier, ...]:
    """Keys, or files of them. Raises InvalidInput."""
    keys = list[Verifier]()
    for text in given:
        with naming(Path(text)) as path:
            is_file = "+" not in text or path.is_file()
            keys.extend(parsed_keys(path.read_text(encoding="utf-8") if is_file else text))
    return tuple(keys)


def parsed_keys(text: str) -> tuple[Verifier, ...]:
    """Keys, one a line, as `tracker key show` prints them. Raises InvalidInput."""
    lines = [line.split("\t")[0].strip() for line in text.splitlines()]
    return tuple(Verifier.parse(line) for line in lines if line)


def read_state(path: Path, trust: Trust) -> Head | None:
    """The checkpoint of the last visit; None before the first. Raises Rejected, InvalidInput."""
    with naming(path):
        if not path.exists():
            return None
        return Trust(trust.keys).head(path.read_bytes(), f"your saved checkpoint ({path})")


def write_state(path: Path, head: Head) -> None:
    """Remember a checkpoint, in the place of an older one."""
    with naming(path):
        part = path.with_name(f".{path.name}.part")
        part.write_bytes(head.note)
        part.replace(path)


def without_database(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Do some work that needs no database."""
    catch_signals()
    with errors_for_people():
        return run(work())
