"""A database restored to an older state: its missing tail is named, and can be restored."""

import asyncio
import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from deploy.bootstrap import open_connection, open_pool
from deploy.cli.restore import append_to
from deploy.cli.trust import open_log
from tests.audit.test_restore import restored, rows_in
from tests.audit.test_tampering import edited
from tests.support import published_log
from tests.support.log_events import event
from tests.support.published_log import superuser
from tests.support.tampered_logs import KEY, TRUST, bundle, grown, honest, signed, texts_of
from tracker.audit.bundle import restore as restoring
from tracker.audit.format.checkpoint import Checkpoint
from tracker.audit.format.frontier import TileFrontier
from tracker.audit.format.layout import BundleFiles, LogFiles
from tracker.audit.sign.keystore import KeyStore, LogKeys
from tracker.audit.verify.database_source import DatabaseSource
from tracker.audit.verify.rows import DerivedRows, check_complete, covered
from tracker.audit.verify.trust import TrustedCheckpoint
from tracker.audit.verify.verifier import Verification
from tracker.errors import InvalidInput, NotProven, Rejected
from tracker.log.recorder import Recorder
from tracker.postgres.database import PUBLISHER, Connection, Target

SIZE = 800
"""Number of signed events before the loss of the server."""
ENTRIES = honest(SIZE)
BACKUP, COVERED = 600, 500
"""Number of events in the backup, and in its last checkpoint."""


@pytest.fixture(scope="module")
def newest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create a bundle of all signed events."""
    directory = tmp_path_factory.mktemp("newest")
    return asyncio.run(bundle(directory, ENTRIES, kept=(COVERED, 550, 700)))


@pytest.fixture
async def backup(target: Target, tmp_path: Path) -> Target:
    """Create a database that ends between two checkpoints, without all tiles of its rows."""
    await set_back(target, tmp_path, BACKUP, COVERED)
    return target


async def set_back(target: Target, place: Path, size: int, signed_size: int) -> None:
    """Reset a database to the first events, with fewer published ones."""
    older = await bundle(
        place / "older", ENTRIES[:size], kept=(signed_size,) if signed_size else ()
    )
    await restored(BundleFiles(older), target)
    _, checkpoints, tiles, _ = published_log.restored(signed_size)
    await superuser(target, checkpoints, tiles)


async def appended(target: Target, log: LogFiles, *, allow_missing_texts: bool = False) -> None:
    """Append to a log the events of another beyond it."""
    await append_to(target, log, TRUST, None, allow_missing_texts=allow_missing_texts)


async def contents(target: Target) -> dict[str, list[tuple[object, ...]]]:
    """Return all rows of the log."""
    async with open_connection(target) as connection:
        return {
            table: [
                tuple(row)
                for row in await connection.fetch(f"SELECT t FROM log.{table} t ORDER BY t")
            ]
            for table in ("events", "tiles", "annexes")
        }


async def missing(
    target: Target, note: bytes, elsewhere: LogFiles | None = None
) -> tuple[str, range | None, str]:
    """Return the rejection of a database by a checkpoint."""
    kept = TRUST.verify_head(note, "kept")
    with pytest.raises(Rejected) as caught:
        await complete(target, kept, elsewhere)
    return caught.value.code, caught.value.positions, caught.value.message


async def complete(
    target: Target, kept: TrustedCheckpoint, elsewhere: LogFiles | None = None
) -> None:
    """Verify the rows of a database against a checkpoint, as `tracker verify --against` does."""
    async with open_pool(target) as pool:
        source = DatabaseSource(pool)
        own = await Verification.begin(source, TRUST, await covered(source, TRUST, kept))
        await own.run()
        size = await Recorder(pool).head()
        await check_complete(DerivedRows(source, own.frontier), size, kept, elsewhere, TRUST)


# --- appended


@pytest.mark.parametrize(("size", "signed_size"), [(0, 0), (255, 1), (512, 256), (BACKUP, COVERED)])
async def test_the_tail_makes_of_any_beginning_the_log_that_was_signed(
    target: Target, newest: Path, tmp_path: Path, size: int, signed_size: int
) -> None:
    if size:
        await set_back(target, tmp_path, size, signed_size)
    await appended(target, BundleFiles(newest))
    async with open_pool(target) as pool:
        verification = await Verification.begin(DatabaseSource(pool), TRUST)
        await verification.run()
        entries = [
            row["entry"] for row in await pool.fetch("SELECT entry FROM log.events ORDER BY 1")
        ]
    assert sorted(entries) == sorted(ENTRIES)
    assert verification.frontier.root() == grown(ENTRIES).root()
    rows = await rows_in(target)
    assert (rows["events"], rows["tiles"]) == (SIZE, SIZE // 256)
    assert rows["annexes"] == sum(b'"text"' in line for line in texts_of(SIZE))
    before = await contents(target)
    await appended(target, BundleFiles(newest))
    assert await contents(target) == before


async def test_publishers_that_refused_to_sign_go_on_after_it(
    backup: Target, newest: Path, tmp_path: Path
) -> None:
    keystore = KeyStore(tmp_path / "audit")
    keystore.directory.mkdir()
    (keystore.directory / "keys").write_text(str(LogKeys((KEY,))))
    keystore.save_head(Checkpoint(KEY.name, SIZE, grown(ENTRIES).root()))
    async with open_pool(backup, role=PUBLISHER) as signing, open_pool(backup) as pool:
        publisher = published_log.publisher(signing, backup, keystore)
        with pytest.raises(NotProven, match="a head of 800 was signed"):
            await publisher.catch_up()
        await appended(backup, BundleFiles(newest))
        await publisher.catch_up()
        await Recorder(pool).append([event("export-control/next", "next")])
        await publisher.catch_up()
    assert keystore.head() != Checkpoint(KEY.name, SIZE, grown(ENTRIES).root())
    async with open_connection(backup) as connection:
        sizes = await connection.fetch("SELECT size FROM log.checkpoints ORDER BY 1 DESC LIMIT 2")
    assert [row["size"] for row in sizes] == [SIZE + 1, SIZE]


@pytest.fixture
def address(newest: Path, tmp_path: Path) -> Iterator[str]:
    """Serve the log without its texts, and return its address."""
    copy = shutil.copytree(newest, tmp_path / "without-texts")
    (copy / "annexes").unlink()
    handler = partial(SimpleHTTPRequestHandler, directory=str(copy))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


async def test_an_address_gives_the_tail_without_its_texts_where_that_is_allowed(
    backup: Target, address: str
) -> None:
    with open_log(address) as log:
        with pytest.raises(Rejected) as caught:
            await appended(backup, log)
        assert caught.value.code == "MISSING_ANNEX"
        assert (await rows_in(backup))["events"] == BACKUP
        assert "are the first of them" in (await missing(backup, signed(ENTRIES), log))[2]
        await appended(backup, log, allow_missing_texts=True)
    rows = await rows_in(backup)
    assert rows["events"] == SIZE
    assert rows["annexes"] == sum(b'"text"' in line for line in texts_of(BACKUP))


# --- refused


async def test_a_log_that_grew_anew_since_the_backup_is_not_mixed_with_what_was_signed(
    backup: Target, newest: Path
) -> None:
    async with open_pool(backup) as pool:
        await Recorder(pool).append([event("export-control/new", "new")])
    before = await contents(backup)
    with pytest.raises(Rejected) as caught:
        await appended(backup, BundleFiles(newest))
    assert (caught.value.code, caught.value.positions) == ("FORKED", range(BACKUP + 1, BACKUP + 2))
    assert await contents(backup) == before
    code, positions, _ = await missing(backup, signed(ENTRIES), BundleFiles(newest))
    assert (code, positions) == ("FORKED", range(BACKUP + 1, BACKUP + 2))
    for size in (BACKUP + 1, BACKUP):
        if size == BACKUP:
            await complete(backup, TRUST.verify_head(signed(ENTRIES[:size]), "kept"))
            continue
        code, positions, _ = await missing(backup, signed(ENTRIES[:size]))
        assert (code, positions) == ("FORKED", range(COVERED + 1, size + 1))


@pytest.mark.parametrize(
    ("path", "code"), [("tile/entries/003.p/32", "ALTERED_ENTRY"), ("annexes", "ALTERED_ANNEX")]
)
async def test_a_tail_that_is_not_as_it_was_signed_leaves_the_log_as_it_was(
    backup: Target, tmp_path: Path, path: str, code: str
) -> None:
    forged = await bundle(tmp_path / "forged", ENTRIES)

    def last_changed(content: bytes) -> bytes:
        head, word, tail = content.rpartition(b'"')
        return head + b"x" + tail if path != "annexes" else head[:-1] + b"\x21" + word + tail

    edited(path, last_changed)(forged)
    before = await contents(backup)
    with pytest.raises(Rejected) as caught:
        await appended(backup, BundleFiles(forged))
    assert caught.value.code == code
    assert await contents(backup) == before


async def test_an_event_recorded_during_a_verification_of_the_tail_stops_it(
    backup: Target, newest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = restoring._stage

    async def slow(connection: Connection, *arguments: object, **options: object) -> object:
        async with open_pool(backup) as pool:
            await Recorder(pool).append([event("export-control/meanwhile", "meanwhile")])
        return await stage(connection, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(restoring, "_stage", slow)
    with pytest.raises(InvalidInput) as caught:
        await appended(backup, BundleFiles(newest))
    assert caught.value.code == "LOG_GREW"
    assert (await rows_in(backup))["events"] == BACKUP + 1


async def test_a_checkpoint_names_missing_events_and_a_bundle_proves_them(
    backup: Target, newest: Path
) -> None:
    gone = range(BACKUP + 1, SIZE + 1)
    code, positions, said = await missing(backup, signed(ENTRIES))
    assert (code, positions) == ("SHRUNK", gone)
    assert "whether these are the first of them" in said
    code, positions, said = await missing(backup, signed(ENTRIES), BundleFiles(newest))
    assert (code, positions) == ("SHRUNK", gone)
    assert "these are the first of them" in said


async def test_a_checkpoint_that_the_rows_go_beyond_is_held_against_them(backup: Target) -> None:
    for size in (COVERED - 1, COVERED, COVERED + 1, 512, BACKUP):
        await complete(backup, TRUST.verify_head(signed(ENTRIES[:size]), "kept"))
        others = (*ENTRIES[: size - 1], ENTRIES[size])
        code, positions, _ = await missing(backup, signed(others))
        assert code == "FORKED"
        assert size <= COVERED or (positions and size in positions)


async def test_tiles_beyond_the_newest_checkpoint_are_looked_at_too(
    target: Target, tmp_path: Path
) -> None:
    await set_back(target, tmp_path, BACKUP, COVERED)
    await superuser(
        target,
        "INSERT INTO log.tiles SELECT level, 1, hashes, root FROM log.tiles WHERE number = 0",
    )
    async with open_pool(target) as pool:
        with pytest.raises(Rejected) as caught:
            await DerivedRows(DatabaseSource(pool), TileFrontier()).extend(BACKUP)
    assert (caught.value.code, caught.value.positions) == ("ALTERED_TILE", range(257, 513))
