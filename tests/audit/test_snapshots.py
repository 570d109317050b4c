"""Bundles with snapshots: missing, altered and redacted ones are reported and refused."""

import asyncio
import hashlib
import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from deploy.bootstrap import open_connection, open_pool, running_tracker
from deploy.cli.main import app
from deploy.cli.process import Exit
from deploy.cli.restore import append_to
from deploy.postgres import Postgres
from schema.services import Access
from tests.conftest import copied
from tests.support.database_urls import database_url
from tests.support.published_log import publish
from tests.support.snapshots import (
    WATCHED,
    entries_of,
    failed,
    fetched,
    keep,
    read_from,
    redact,
    redacted,
    unchanged,
)
from tests.support.tampered_logs import KEY, TRUST, ForgedLog, honest, signed
from tests.support.web_server import serving
from tracker.audit.bundle.export import export
from tracker.audit.bundle.restore import restore
from tracker.audit.bundle.snapshots import SnapshotExporter, from_log, from_store
from tracker.audit.format.layout import BundleFiles
from tracker.audit.sign.keystore import KeyStore
from tracker.audit.verify import database_snapshots, http_source
from tracker.audit.verify.database_snapshots import DatabaseSnapshots
from tracker.audit.verify.database_source import DatabaseSource
from tracker.audit.verify.http_source import HttpSource
from tracker.audit.verify.log_source import LogSource
from tracker.audit.verify.trust import TrustedCheckpoint, TrustPolicy
from tracker.audit.verify.verifier import Verification
from tracker.domain.entities.fact import Fact
from tracker.errors import Rejected, Unavailable
from tracker.postgres.database import WATCHER, Target
from tracker.snapshots.store import SnapshotStore

PAGES = tuple(f"page {number}".encode() * number for number in range(6))
KEPT = {hashlib.sha256(page).hexdigest(): page for page in PAGES}
DIGESTS = tuple(KEPT)
FACTS = (
    fetched(PAGES[0]),
    fetched(PAGES[1]),
    unchanged(PAGES[1]),
    failed(PAGES[2]),
    fetched(PAGES[3]),
    read_from(PAGES[1]),
)
"""Positions 1 to 6; of the first two pages, and of the fourth, the size is on record."""


def opened(kept: dict[str, bytes]) -> Callable[[str], Any]:
    """Return a function that opens snapshots from memory and counts calls."""

    async def open_snapshot(sha256: str) -> AsyncIterator[bytes] | None:
        async def chunks() -> AsyncIterator[bytes]:
            yield kept[sha256][:3]
            yield kept[sha256][3:]

        return chunks() if sha256 in kept else None

    return open_snapshot


async def exported(
    directory: Path, facts: Sequence[Fact], kept: dict[str, bytes] | None = KEPT, **options: Any
) -> SnapshotExporter:
    """Export a log of facts; `kept` are the available snapshots, None omits them."""
    exporter = SnapshotExporter(directory, None if kept is None else opened(kept))
    log = ForgedLog(entries_of(facts))
    await export(
        log, TRUST, directory, {"key": str(KEY.verifier).encode()}, snapshots=exporter, **options
    )
    return exporter


def file_of(directory: Path, sha256: str) -> Path:
    """Return the file of a snapshot in a bundle."""
    return directory / "snapshots" / sha256[:2] / sha256


def files_in(directory: Path) -> dict[str, bytes]:
    """Return the snapshots in a bundle."""
    return {
        path.name: path.read_bytes()
        for path in (directory / "snapshots").glob("??/*")
        if path.is_file()
    }


@pytest.fixture
async def bundle(tmp_path: Path) -> Path:
    """Create a bundle of all facts, with their snapshots."""
    await exported(tmp_path / "bundle", FACTS)
    return tmp_path / "bundle"


async def verified(directory: Path, **options: Any) -> Verification:
    """Verify a bundle to its end."""
    verification = await Verification.begin(BundleFiles(directory), TRUST, **options)
    await verification.run()
    return verification


async def restored(
    target: Target, directory: Path, files: Path | None = None, **options: Any
) -> TrustedCheckpoint:
    """Restore a bundle, with its snapshots."""
    verification = await Verification.begin(BundleFiles(directory), TRUST, **options)
    async with (
        open_connection(target) as connection,
        open_pool(target, role=WATCHER, size=1) as pool,
    ):
        return await restore(connection, verification, snapshots=SnapshotStore(pool, files))


async def kept_in(target: Target, files: Path | None = None) -> dict[str, bytes | None]:
    """Return the snapshots of a database."""
    async with open_pool(target, size=1) as pool:
        store = SnapshotStore(pool, files)
        return {
            info.sha256: found.content
            for info in await store.page()
            if (found := await store.get(info.sha256))
        }


async def test_a_bundle_has_every_snapshot_once_under_its_hash(bundle: Path) -> None:
    assert files_in(bundle) == {sha256: KEPT[sha256] for sha256 in DIGESTS[:4]}
    snapshots = (await verified(bundle)).snapshots
    assert snapshots is not None
    assert (snapshots.intact, snapshots.redacted, len(snapshots.missing)) == (4, 0, 0)


def put(path: Callable[[Path], Path], content: bytes) -> Callable[[Path], object]:
    """Return a function that replaces a file."""
    return lambda directory: path(directory).write_bytes(content)


def of(number: int) -> Callable[[Path], Path]:
    """Return the file of a page."""
    return lambda directory: file_of(directory, DIGESTS[number])


def linked(directory: Path) -> None:
    """Move the bytes elsewhere, and link to them."""
    shutil.move(of(3)(directory), directory.parent / "elsewhere")
    of(3)(directory).symlink_to(directory.parent / "elsewhere")


def made_directory(directory: Path) -> None:
    """Replace a file by a directory."""
    of(3)(directory).unlink()
    of(3)(directory).mkdir()


TAMPERED: dict[str, tuple[Callable[[Path], object], str, int | None]] = {
    "altered": (put(of(3), PAGES[3][:-1] + b"!"), "ALTERED_SNAPSHOT", 5),
    "cut off": (put(of(3), PAGES[3][:-1]), "ALTERED_SNAPSHOT", 5),
    "longer": (put(of(1), PAGES[1] + b"!"), "ALTERED_SNAPSHOT", 2),
    "emptied": (put(of(2), b""), "ALTERED_SNAPSHOT", 4),
    "that of another": (put(of(1), PAGES[3]), "ALTERED_SNAPSHOT", 2),
    "missing": (lambda directory: of(1)(directory).unlink(), "MISSING_SNAPSHOT", 2),
    "missing, of no size on record": (
        lambda directory: of(2)(directory).unlink(),
        "MISSING_SNAPSHOT",
        4,
    ),
    "all missing": (
        lambda directory: shutil.rmtree(directory / "snapshots"),
        "MISSING_SNAPSHOT",
        1,
    ),
    "a link": (linked, "NOT_A_FILE", None),
    "a directory": (made_directory, "NOT_A_FILE", None),
}


@pytest.mark.parametrize("kind", TAMPERED)
async def test_verify_and_restore_refuse_the_same_tampered_bundles(
    bundle: Path, target: Target, kind: str
) -> None:
    tamper, code, position = TAMPERED[kind]
    tamper(bundle)
    with pytest.raises(Rejected) as of_verify:
        await verified(bundle)
    with pytest.raises(Rejected) as of_restore:
        await restored(target, bundle)
    error = of_verify.value
    assert (error.code, error.message) == (code, of_restore.value.message)
    assert (error.positions and error.positions[0]) == position
    assert await kept_in(target) == {}
    if code == "MISSING_SNAPSHOT":
        snapshots = (await verified(bundle, allow_missing_snapshots=True)).snapshots
        assert snapshots is not None
        assert snapshots.intact + len(snapshots.missing) == 4
        assert len(snapshots.missing) == 4 - len(files_in(bundle))
        await restored(target, bundle, allow_missing_snapshots=True)
        assert await kept_in(target) == files_in(bundle)
    else:
        with pytest.raises(Rejected) as again:
            await verified(bundle, allow_missing_snapshots=True)
        assert again.value.code == code
    with pytest.raises(Rejected) as texts_only:
        await verified(bundle, allow_missing_texts=True)
    assert texts_only.value.code == code


async def test_a_size_that_an_event_says_wrongly_is_reported(tmp_path: Path) -> None:
    await exported(tmp_path, [fetched(PAGES[1]), fetched(PAGES[1], size=3)])
    with pytest.raises(Rejected, match=r"position 2: snapshot .* has 6 bytes: the event says 3"):
        await verified(tmp_path)


@pytest.mark.parametrize("in_directory", [False, True])
async def test_a_restore_puts_every_snapshot_back(
    bundle: Path, target: Target, tmp_path: Path, in_directory: bool
) -> None:
    files = tmp_path / "files" if in_directory else None
    await restored(target, bundle, files)
    assert await kept_in(target, files) == files_in(bundle)
    async with open_pool(target, size=1) as pool:
        store = SnapshotStore(pool, files)
        info = await store.describe(DIGESTS[1])
        assert info is not None
        assert (info.media_type, info.place) == (
            "text/html",
            "directory" if in_directory else "database",
        )
        again = SnapshotExporter(tmp_path / "again", from_store(store))
        log = ForgedLog(entries_of(FACTS))
        await export(log, TRUST, tmp_path / "again", {}, snapshots=again)
    assert files_in(tmp_path / "again") == files_in(bundle)


async def test_a_restore_that_was_interrupted_before_the_log_was_filled_goes_through(
    bundle: Path, target: Target
) -> None:
    async with open_pool(target, role=WATCHER, size=1) as pool:
        await SnapshotStore(pool).put(PAGES[1])
    await restored(target, bundle)
    assert await kept_in(target) == files_in(bundle)


async def test_a_tail_brings_its_snapshots(bundle: Path, target: Target, tmp_path: Path) -> None:
    await exported(tmp_path / "older", FACTS[:3])
    await restored(target, tmp_path / "older")
    of(3)(bundle).unlink()
    with pytest.raises(Rejected) as caught:
        await append_to(target, BundleFiles(bundle), TRUST, None)
    assert (caught.value.code, caught.value.positions) == ("MISSING_SNAPSHOT", range(5, 6))
    await exported(tmp_path / "whole", FACTS)
    await append_to(target, BundleFiles(tmp_path / "whole"), TRUST, None)
    assert await kept_in(target) == files_in(tmp_path / "whole")


async def test_lost_texts_come_back_from_a_bundle_though_the_log_is_complete(
    bundle: Path, target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = tmp_path / "files"
    monkeypatch.setenv("TRACKER_SNAPSHOTS", str(files))
    whole = files_in(bundle)
    (files_without := tmp_path / "without").mkdir()
    shutil.copytree(bundle, files_without / "bundle")
    of(2)(files_without / "bundle").unlink()
    await restored(target, files_without / "bundle", files, allow_missing_snapshots=True)
    for sha256, damage in ((DIGESTS[1], PAGES[1][:-1] + b"!"), (DIGESTS[3], None)):
        file = files / sha256[:2] / sha256
        file.unlink() if damage is None else file.write_bytes(damage)
    await append_to(target, BundleFiles(bundle), TRUST, None)
    assert await kept_in(target, files) == whole


# --- redaction

REDACTED = (*FACTS, redacted(PAGES[1]), fetched(PAGES[4]))


async def test_redacted_texts_are_counted_and_not_missing(bundle: Path, target: Target) -> None:
    await exported(bundle, REDACTED)
    assert DIGESTS[1] not in files_in(bundle)
    assert DIGESTS[4] in files_in(bundle)
    snapshots = (await verified(bundle)).snapshots
    assert snapshots is not None
    assert (snapshots.intact, snapshots.redacted, len(snapshots.missing)) == (4, 1, 0)
    await restored(target, bundle)
    assert await kept_in(target) == {**files_in(bundle), DIGESTS[1]: None}


async def test_bytes_that_were_redacted_before_a_bundle_was_made_stop_no_export(
    tmp_path: Path,
) -> None:
    directory = tmp_path / "new"
    exporter = SnapshotExporter(directory, opened(KEPT), redacted=[DIGESTS[5]])
    for _ in range(2):
        await export(ForgedLog(entries_of(REDACTED)), TRUST, directory, {}, snapshots=exporter)
    assert DIGESTS[1] not in files_in(directory)


async def test_an_old_copy_of_redacted_bytes_is_not_restored(bundle: Path, target: Target) -> None:
    await exported(bundle, REDACTED)
    of(1)(bundle).write_bytes(PAGES[1])
    await restored(target, bundle)
    assert (await kept_in(target))[DIGESTS[1]] is None


async def test_bytes_that_were_redacted_and_fetched_again_are_not_missing(tmp_path: Path) -> None:
    facts = [*REDACTED, *map(fetched, [PAGES[5]] * 300), fetched(PAGES[1]), unchanged(PAGES[1])]
    await exported(tmp_path, facts)
    await verified(tmp_path)
    saved = TRUST.verify_head(signed(entries_of(facts[:300])), "saved")
    tail = await verified(tmp_path, saved=saved, only_new=True)
    assert tail.first == 257
    assert tail.snapshots is not None
    assert not tail.snapshots.missing
    file_of(tmp_path, DIGESTS[5]).unlink()
    with pytest.raises(Rejected) as caught:
        await verified(tmp_path, saved=saved, only_new=True)
    assert caught.value.code == "MISSING_SNAPSHOT"


async def test_a_redaction_that_somebody_puts_into_an_older_entry_explains_nothing(
    tmp_path: Path,
) -> None:
    facts = [*map(fetched, [PAGES[5]] * 300), fetched(PAGES[1])]
    await exported(tmp_path, facts)
    of(1)(tmp_path).unlink()
    forged = entries_of([*facts[:5], redacted(PAGES[1]), *facts[6:]])[:256]
    entries = b"".join(len(entry).to_bytes(2, "big") + entry for entry in forged)
    (tmp_path / "tile/entries/000").write_bytes(entries)
    saved = TRUST.verify_head(signed(entries_of(facts[:300])), "saved")
    with pytest.raises(Rejected) as caught:
        await verified(tmp_path, saved=saved, only_new=True)
    assert caught.value.code == "MISSING_SNAPSHOT"


# --- exports


async def test_a_second_export_writes_only_what_is_new(bundle: Path) -> None:
    before = {path: path.stat().st_ino for path in (bundle / "snapshots").glob("??/*")}
    again = await exported(bundle, (*FACTS, fetched(PAGES[4])))
    assert again.written == 1
    assert {path: path.stat().st_ino for path in before} == before
    await verified(bundle)


async def test_a_later_full_export_adds_omitted_parts(tmp_path: Path) -> None:
    await exported(tmp_path, FACTS[:2])
    without = await exported(tmp_path, FACTS, None)
    assert without.written == 0
    with pytest.raises(Rejected):
        await verified(tmp_path)
    await verified(tmp_path, allow_missing_snapshots=True)
    added = await exported(tmp_path, FACTS)
    assert added.written == 2
    await verified(tmp_path)


async def test_an_unavailable_part_is_named_and_retried_by_the_next_export(tmp_path: Path) -> None:
    lacking = {sha256: page for sha256, page in KEPT.items() if sha256 != DIGESTS[1]}
    first = await exported(tmp_path, FACTS, {**lacking, DIGESTS[3]: b"other"})
    assert set(first.missing) == {DIGESTS[1], DIGESTS[3]}
    assert set(files_in(tmp_path)) == {DIGESTS[0], DIGESTS[2]}
    second = await exported(tmp_path, FACTS)
    assert (second.written, second.missing) == (2, {})
    await verified(tmp_path)


async def test_a_copy_of_a_bundle_has_its_snapshots(bundle: Path, tmp_path: Path) -> None:
    source = BundleFiles(bundle)
    exporter = SnapshotExporter(tmp_path / "copy", from_log(source))
    await export(source, TRUST, tmp_path / "copy", {}, snapshots=exporter)
    assert files_in(tmp_path / "copy") == files_in(bundle)
    await verified(tmp_path / "copy")


async def test_an_export_writes_through_no_link(bundle: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    place = of(4)(bundle).parent
    shutil.rmtree(place, ignore_errors=True)
    place.symlink_to(outside)
    with pytest.raises(Rejected) as caught:
        await exported(bundle, (*FACTS, fetched(PAGES[4])))
    assert caught.value.code == "NOT_A_FILE"
    assert list(outside.iterdir()) == []


async def test_a_log_without_sources_needs_no_snapshots(tmp_path: Path) -> None:
    await export(ForgedLog(honest(300)), TRUST, tmp_path, {})
    snapshots = (await verified(tmp_path, allow_missing_texts=True)).snapshots
    assert snapshots is not None
    assert snapshots.intact == 0


# --- by an address, and by the command line


@pytest.fixture
async def address(target: Target, tmp_path: Path, bundle: Path) -> AsyncIterator[str]:
    """Run a tracker with the log of a bundle, and return its address."""
    await restored(target, bundle)
    async with running_tracker(target) as services, serving(services, Access()) as (address, *_):
        yield f"http://{address}/log"


async def test_a_copy_of_an_address_has_the_snapshots_that_are_there(
    address: str, bundle: Path, target: Target, tmp_path: Path
) -> None:
    await redact(target, DIGESTS[3])
    source = HttpSource(address)
    try:
        exporter = SnapshotExporter(tmp_path / "copy", from_log(source))
        await export(source, TRUST, tmp_path / "copy", {}, snapshots=exporter)
    finally:
        source.close()
    assert set(exporter.missing) == {DIGESTS[3]}  # the event is not signed yet
    of(3)(bundle).unlink()
    assert files_in(tmp_path / "copy") == files_in(bundle)
    elsewhere = HttpSource(address.removesuffix("/log"))
    try:
        assert await asyncio.to_thread(elsewhere.snapshot, DIGESTS[1]) is None
    finally:
        elsewhere.close()


async def of_address(address: str) -> Verification:
    """Verify the log at an address, with its snapshots."""
    source = HttpSource(address, with_snapshots=True)
    try:
        verification = await Verification.begin(source, TRUST)
        await verification.run()
    finally:
        source.close()
    return verification


async def of_rows(target: Target, directory: Path | None = None) -> Verification:
    """Verify the rows of a database, with its snapshots."""
    async with open_pool(target) as pool:
        source = DatabaseSource(pool, DatabaseSnapshots(pool, directory).read)
        verification = await Verification.begin(source, TRUST)
        await verification.run()
    return verification


async def damage(target: Target, change: str, sha256: str = DIGESTS[1]) -> None:
    """Change the row of a snapshot as no role may."""
    async with open_connection(target) as connection, connection.transaction():
        await connection.execute("ALTER TABLE watch.snapshots DISABLE TRIGGER ALL")
        await connection.execute("ALTER TABLE watch.snapshots DROP CONSTRAINT snapshots_check2")
        await connection.execute(change, bytes.fromhex(sha256))
        await connection.execute("ALTER TABLE watch.snapshots ENABLE TRIGGER ALL")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (
            "UPDATE watch.snapshots SET content = overlay(content PLACING 'P' FROM 1) WHERE sha256 = $1",
            "ALTERED_SNAPSHOT",
        ),
        ("DELETE FROM watch.snapshots WHERE sha256 = $1", "MISSING_SNAPSHOT"),
    ],
)
async def test_an_address_and_a_database_are_verified_with_their_snapshots(
    address: str, target: Target, change: str, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_source, "RETRY_DELAYS_SECONDS", ())
    for verification in (await of_address(address), await of_rows(target)):
        assert verification.snapshots is not None
        assert (verification.snapshots.intact, verification.snapshots.redacted) == (4, 0)
    await damage(target, change)
    for again in (of_address(address), of_rows(target)):
        with pytest.raises((Rejected, Unavailable)) as caught:
            await again
        assert caught.value.code in (code, "UNAVAILABLE")


async def test_redacted_texts_are_not_missing_at_an_address_or_in_a_database(
    bundle: Path, target: Target
) -> None:
    await exported(bundle, REDACTED)
    await restored(target, bundle)
    async with running_tracker(target) as services, serving(services, Access()) as (address, *_):
        looked_at = [await of_address(f"http://{address}/log"), await of_rows(target)]
    for verification in looked_at:
        assert verification.snapshots is not None
        assert (verification.snapshots.intact, verification.snapshots.redacted) == (4, 1)


async def test_snapshots_in_a_directory_are_verified_with_the_rows_of_a_database(
    bundle: Path, target: Target, tmp_path: Path
) -> None:
    files = tmp_path / "files"
    await restored(target, bundle, files)
    snapshots = (await of_rows(target, files)).snapshots
    assert snapshots is not None
    assert snapshots.intact == 4
    with pytest.raises(Unavailable, match="--no-snapshots"):
        await of_rows(target)
    for change, code in (
        (lambda file: file.write_bytes(b"!"), "ALTERED_SNAPSHOT"),
        (Path.unlink, "MISSING_SNAPSHOT"),
    ):
        change(files / DIGESTS[1][:2] / DIGESTS[1])
        with pytest.raises(Rejected) as caught:
            await of_rows(target, files)
        assert caught.value.code == code


async def test_a_database_that_does_not_give_a_snapshot_in_time_accuses_no_one(
    bundle: Path, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    await restored(target, bundle)
    monkeypatch.setattr(database_snapshots, "READ_TIMEOUT_SECONDS", 0.2)
    async with open_connection(target) as connection, open_pool(target, size=1) as pool:
        async with connection.transaction():
            await connection.execute("LOCK TABLE watch.snapshots")
            source = DatabaseSource(pool, DatabaseSnapshots(pool).read)
            verification = await Verification.begin(source, TRUST)
            with pytest.raises(Unavailable, match=f"snapshot {DIGESTS[0]} within 0.2 s") as caught:
                await verification.run()
        assert caught.value.code == "SNAPSHOT_TIMEOUT"
        assert await pool.fetchval("SELECT 1") == 1  # no waiter is left


async def interrupted(
    source: LogSource, trust: TrustPolicy, happens: Callable[[], Awaitable[object]]
) -> Verification:
    """Verify a log to its end, with a change after its head is read."""
    verification = await Verification.begin(source, trust)
    await happens()
    await verification.run()
    return verification


@pytest.mark.parametrize("by_address", [True, False])
async def test_a_redaction_during_a_verification_is_not_a_missing_text(
    target: Target, tmp_path: Path, by_address: bool
) -> None:
    KeyStore(tmp_path).load_or_create("example.org/log")
    trust = TrustPolicy(KeyStore(tmp_path).keys().all)
    async with (
        running_tracker(target) as services,
        serving(services, Access()) as (address, *_),
        open_pool(target, size=2) as pool,
    ):
        await services.commands.record("source/a", WATCHED)
        for page in PAGES[1:4]:
            await services.commands.record("source/a", fetched(page))
            await keep(target, page)
        await publish(target, tmp_path)
        source: LogSource = (
            HttpSource(f"http://{address}/log", with_snapshots=True)
            if by_address
            else DatabaseSource(pool, DatabaseSnapshots(pool).read)
        )

        async def redact_and_sign() -> None:
            await redact(target, DIGESTS[1])
            await publish(target, tmp_path)

        found = await interrupted(source, trust, redact_and_sign)
        assert found.snapshots is not None
        assert (found.head.size, found.snapshots.intact, found.snapshots.redacted) == (4, 2, 1)
        with pytest.raises(Unavailable, match=f"snapshot {DIGESTS[2]} .* not signed yet") as caught:
            await interrupted(source, trust, lambda: redact(target, DIGESTS[2], "again"))
        assert caught.value.code == "REDACTED"
        await damage(target, "DELETE FROM watch.snapshots WHERE sha256 = $1", DIGESTS[3])
        with pytest.raises(Rejected, match=f"snapshot {DIGESTS[3]} is not there, and") as refused:
            await interrupted(source, trust, services.recorder.head)
        assert refused.value.code == "MISSING_SNAPSHOT"
        if isinstance(source, HttpSource):
            source.close()


@pytest.fixture
def other(server: Postgres, empty_template: str) -> Iterator[Target]:
    """Create another empty database."""
    yield from copied(server, empty_template)


async def test_a_tail_that_comes_from_an_address_brings_its_snapshots(
    address: str, bundle: Path, other: Target, tmp_path: Path
) -> None:
    await exported(tmp_path / "older", FACTS[:3])
    await restored(other, tmp_path / "older")
    source = HttpSource(address)
    try:
        await append_to(other, source, TRUST, None)
    finally:
        source.close()
    assert await kept_in(other) == files_in(bundle)


def test_the_command_line_exports_with_and_without_and_says_what_is_missing(
    target: Target, tmp_path: Path
) -> None:
    environment = {
        "TRACKER_DATABASE_URL": database_url(target),
        "TRACKER_AUDIT_DIR": str(tmp_path / "audit"),
        "COLUMNS": "300",
    }

    async def prepare() -> None:
        async with running_tracker(target) as services:
            await services.commands.record("source/a", WATCHED)
            for page in PAGES[1:4]:
                await services.commands.record("source/a", fetched(page))
        for page in PAGES[1:3]:
            await keep(target, page)
        KeyStore(tmp_path / "audit").load_or_create("example.org/log")
        await publish(target, tmp_path / "audit")

    asyncio.run(prepare())

    def tracker(*arguments: object) -> tuple[int, str]:
        result = CliRunner().invoke(app, [str(each) for each in arguments], env=environment)
        return result.exit_code, result.output

    key = KeyStore(tmp_path / "audit").keys().verifiers[0]
    bundle, verify = tmp_path / "bundle", ("verify", tmp_path / "bundle", "--key", key)
    code, said = tracker("export", bundle, "--without-snapshots")
    assert (code, "0 new snapshots" in said) == (Exit.OK, True), said
    assert "--allow-missing-snapshots" in said
    code, said = tracker(*verify)
    assert (code, "MISSING_SNAPSHOT" in said, DIGESTS[1] in said) == (Exit.REFUSED, True, True)
    code, said = tracker("export", bundle)
    assert (code, "2 new snapshots" in said) == (Exit.OK, True), said
    assert f"Snapshot {DIGESTS[3]} is missing" in said
    assert "1 of the snapshots that events name are not in it" in said
    code, said = tracker(*verify, "--json")
    assert json.loads(said[said.index("{") : said.rindex("}") + 1])["code"] == "MISSING_SNAPSHOT"
    code, said = tracker(*verify, "--allow-missing-snapshots")
    assert "snapshots: 2 are what was fetched, 0 are redacted, 1 are missing" in said
    assert code == Exit.OK

    async def hide_snapshots() -> None:
        async with open_connection(target) as connection:
            await connection.execute("ALTER TABLE watch.snapshots RENAME TO hidden")

    asyncio.run(hide_snapshots())
    code, said = tracker("verify", "--database", "--json")
    told = json.loads(said[said.index("{") : said.rindex("}") + 1])
    assert (code, told["result"], told["code"]) == (
        Exit.UNAVAILABLE,
        "not_verified",
        "DATABASE_UNAVAILABLE",
    )
    assert told["exitCode"] == Exit.UNAVAILABLE, told
