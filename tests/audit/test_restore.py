"""Restore accepts verified bundles, refuses others, and then leaves nothing."""

import asyncio
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.bootstrap import open_connection, open_pool
from deploy.postgres import Postgres
from tests.audit.test_tampering import KEPT, SIZE, TAMPERED, edited, removed
from tests.conftest import copied
from tests.support.log_events import event
from tests.support.tampered_logs import KEY, TRUST, ForgedLog, bundle, honest, texts_of
from tests.support.time_limits import within
from tracker.audit.bundle import restore as restoring
from tracker.audit.bundle.restore import restore
from tracker.audit.format.layout import BundleFiles
from tracker.audit.verify.log_source import LogSource
from tracker.audit.verify.trust import TrustedCheckpoint
from tracker.audit.verify.verifier import Verification
from tracker.errors import InvalidInput, Rejected
from tracker.log.append import AppendResult
from tracker.log.recorder import Recorder
from tracker.postgres.database import Connection, Target

Tamper = Callable[[Path], object]


def replaced(path: str, make: Callable[[Path], object]) -> Tamper:
    """Replace a file or directory by another kind."""

    def tamper(directory: Path) -> None:
        place = directory / path
        shutil.rmtree(place) if place.is_dir() else place.unlink()
        make(place)

    return tamper


def linked(path: str) -> Tamper:
    """Move a file elsewhere, and link to it."""

    def tamper(directory: Path) -> None:
        elsewhere = directory.parent / f"elsewhere-{os.getpid()}"
        shutil.move(directory / path, elsewhere)
        (directory / path).symlink_to(elsewhere)

    return tamper


def sparse(path: Path) -> None:
    """Create a sparse file of 6 GB."""
    with path.open("wb") as file:
        file.truncate(6 * 2**30)


def listening(path: Path) -> None:
    """Create an unused socket file."""
    here = os.getcwd()
    os.chdir(path.parent)  # the whole path may be too long for one
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    finally:
        os.chdir(here)


LINES = [n for n, line in enumerate(texts_of(SIZE)) if b'"text"' in line]


def without_line(number: int) -> Callable[[bytes], bytes]:
    """Return a file without one of its lines."""
    return lambda content: b"".join(
        line for n, line in enumerate(content.splitlines(keepends=True)) if n != number
    )


TEXTS: dict[str, tuple[Tamper, str]] = {
    "no file of texts": (removed("annexes"), "MISSING_ANNEX"),
    "no texts in their file": (edited("annexes", lambda content: b""), "MISSING_ANNEX"),
    "a missing text": (edited("annexes", without_line(1)), "MISSING_ANNEX"),
    "a missing last text": (edited("annexes", without_line(LINES[-1])), "MISSING_ANNEX"),
    "another text": (
        edited("annexes", lambda content: content.replace(b'"text":"', b'"text":"x', 1)),
        "ALTERED_ANNEX",
    ),
    "a text twice": (
        edited("annexes", lambda content: content.splitlines(keepends=True)[0] + content),
        "ALTERED_ANNEX",
    ),
    "a text that is another's": (
        edited("annexes", lambda content: content.replace(b'"position":"1"', b'"position":"2"')),
        "ALTERED_ANNEX",
    ),
    "a line that is no JSON": (
        edited("annexes", lambda content: b"{]\n" + content),
        "ALTERED_ANNEX",
    ),
    "a file of texts without an end": (replaced("annexes", sparse), "ALTERED_ANNEX"),
}
KINDS: dict[str, tuple[Tamper, str]] = {
    "a tile that is a device": (
        replaced("tile/0/000", lambda path: path.symlink_to("/dev/zero")),
        "NOT_A_FILE",
    ),
    "a tile of 6 GB": (replaced("tile/0/000", sparse), "BAD_LENGTH"),
    "entries of 6 GB": (replaced("tile/entries/001", sparse), "BAD_LENGTH"),
    "a checkpoint of 6 GB": (replaced("checkpoint", sparse), "BAD_LENGTH"),
    "a kept checkpoint of 6 GB": (replaced("checkpoints/100", sparse), "BAD_LENGTH"),
    "a tile that is a pipe": (replaced("tile/0/001", os.mkfifo), "NOT_A_FILE"),
    "entries that are a pipe": (replaced("tile/entries/000", os.mkfifo), "NOT_A_FILE"),
    "a checkpoint that is a pipe": (replaced("checkpoint", os.mkfifo), "NOT_A_FILE"),
    "texts that are a pipe": (replaced("annexes", os.mkfifo), "NOT_A_FILE"),
    "a tile that is a socket": (replaced("tile/0/000", listening), "NOT_A_FILE"),
    "a tile that is a directory": (replaced("tile/0/000", Path.mkdir), "NOT_A_FILE"),
    "a checkpoint that is a directory": (replaced("checkpoint", Path.mkdir), "NOT_A_FILE"),
    "a kept checkpoint that is a directory": (
        replaced("checkpoints/100", Path.mkdir),
        "NOT_A_FILE",
    ),
    "texts that are a directory": (replaced("annexes", Path.mkdir), "NOT_A_FILE"),
    "tiles that are a file": (replaced("tile", Path.touch), "NOT_A_FILE"),
    "kept checkpoints that are a file": (replaced("checkpoints", Path.touch), "NOT_A_FILE"),
    "a tile that is a link": (linked("tile/0/000"), "NOT_A_FILE"),
    "tiles that are a link": (linked("tile"), "NOT_A_FILE"),
    "kept checkpoints that are a link": (linked("checkpoints"), "NOT_A_FILE"),
    "a checkpoint that is a link": (linked("checkpoint"), "NOT_A_FILE"),
    "texts that are a link": (linked("annexes"), "NOT_A_FILE"),
}
ALL = {**{kind: (tamper, code) for kind, (tamper, code, _) in TAMPERED.items()}, **TEXTS, **KINDS}


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create a bundle as signed."""
    return asyncio.run(bundle(tmp_path_factory.mktemp("bundle"), honest(SIZE), kept=KEPT))


@pytest.fixture
def copy(untouched: Path, tmp_path: Path) -> Path:
    """Copy it for tampering."""
    return Path(shutil.copytree(untouched, tmp_path / "copy"))


@pytest.fixture(scope="module")
def into(server: Postgres, empty_template: str) -> Iterator[Target]:
    """Create a database with an empty log, into which nothing is restored."""
    yield from copied(server, empty_template)


async def verified(source: LogSource, **options: bool) -> Verification:
    """Verify a log to its end."""
    verification = await Verification.begin(source, TRUST, **options)
    await verification.run()
    return verification


async def restored(source: LogSource, target: Target, **options: bool) -> TrustedCheckpoint:
    """Return the head of a restored log."""
    async with open_connection(target) as connection:
        return await restore(connection, await Verification.begin(source, TRUST, **options))


async def rows_in(target: Target) -> dict[str, int]:
    """Return the number of rows in the log's tables."""
    async with open_connection(target) as connection:
        return {
            table: await connection.fetchval(f"SELECT count(*) FROM log.{table}")
            for table in ("events", "tiles", "checkpoints", "annexes")
        }


MEANWHILE = event("export-control/meanwhile", "meanwhile")
NOTHING = {"events": 0, "tiles": 0, "checkpoints": 0, "annexes": 0}


@pytest.mark.parametrize("kind", ALL)
async def test_verify_and_restore_refuse_the_same_logs(copy: Path, into: Target, kind: str) -> None:
    tamper, code = ALL[kind]
    tamper(copy)
    with pytest.raises(Rejected) as of_verify:
        await asyncio.wait_for(verified(BundleFiles(copy)), within(60))
    with pytest.raises(Rejected) as of_restore:
        await asyncio.wait_for(restored(BundleFiles(copy), into), within(60))
    assert (of_verify.value.code, of_verify.value.message) == (code, of_restore.value.message)
    assert await rows_in(into) == NOTHING


@pytest.mark.parametrize(
    "kind", [kind for kind, (_, code) in TEXTS.items() if code == "MISSING_ANNEX"]
)
async def test_missing_texts_are_taken_where_that_is_allowed_and_counted(
    copy: Path, target: Target, kind: str
) -> None:
    TEXTS[kind][0](copy)
    verification = await verified(BundleFiles(copy), allow_missing_texts=True)
    await restored(BundleFiles(copy), target, allow_missing_texts=True)
    assert verification.texts is not None
    left = len((copy / "annexes").read_bytes().splitlines()) if (copy / "annexes").exists() else 0
    assert (verification.texts.opened, verification.texts.missing) == (left, len(LINES) - left)
    assert await rows_in(target) == {
        "events": SIZE,
        "tiles": 2,
        "checkpoints": len(KEPT) + 1,
        "annexes": left,
    }


@pytest.mark.parametrize(
    "kind", [kind for kind, (_, code) in ALL.items() if code != "MISSING_ANNEX"]
)
async def test_nothing_else_is_taken_with_it(copy: Path, kind: str) -> None:
    tamper, code = ALL[kind]
    tamper(copy)
    with pytest.raises(Rejected) as caught:
        await verified(BundleFiles(copy), allow_missing_texts=True)
    assert caught.value.code == code


async def test_a_whole_bundle_is_restored_with_every_text(untouched: Path, target: Target) -> None:
    await restored(BundleFiles(untouched), target)
    assert await rows_in(target) == {
        "events": SIZE,
        "tiles": 2,
        "checkpoints": len(KEPT) + 1,
        "annexes": len(LINES),
    }


async def test_no_word_of_a_restored_text_waits_for_its_index_entry_and_no_later_one_will(
    untouched: Path, target: Target
) -> None:
    words = "'log.annexes_words'::regclass"
    async with open_connection(target) as connection:
        await restored(BundleFiles(untouched), target)
        options = f"SELECT reloptions FROM pg_class WHERE oid = {words}"
        assert await connection.fetchval(options) == ["fastupdate=off"]
        assert await connection.fetchval(f"SELECT gin_clean_pending_list({words})") == 0


async def test_where_something_is_recorded_while_a_bundle_is_verified_nothing_is_restored(
    target: Target,
) -> None:
    async with open_pool(target) as pool, open_connection(target) as connection:
        appending = list[asyncio.Task[AppendResult]]()

        def append(_: int) -> None:
            if not appending:
                appending.append(asyncio.create_task(Recorder(pool).append([MEANWHILE])))

        verification = await Verification.begin(Slow(honest(SIZE)), TRUST)
        with pytest.raises(InvalidInput) as caught:
            await restore(connection, verification, append)
        assert list((await appending[0]).positions) == [1]
    assert caught.value.code == "NOT_EMPTY"
    assert await rows_in(target) == {**NOTHING, "events": 1}


async def test_events_appended_during_a_fill_come_after_it(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill, appending = restoring._fill, list[asyncio.Task[AppendResult]]()

    async with open_pool(target) as pool:

        async def slow(connection: Connection, *, is_empty: bool) -> None:
            appending.append(asyncio.create_task(Recorder(pool).append([MEANWHILE])))
            await asyncio.sleep(0.3)
            await fill(connection, is_empty=is_empty)

        monkeypatch.setattr(restoring, "_fill", slow)
        await restored(ForgedLog(honest(SIZE)), target)
        appended = await asyncio.wait_for(appending[0], within(30))
    assert list(appended.positions) == [SIZE + 1]


class Slow(ForgedLog):
    """A slow log, so that other work runs in between."""

    async def checkpoints(self, after: int):  # type: ignore[no-untyped-def]
        """Yield no heads of smaller sizes."""
        for nothing in list[tuple[int, bytes]]():
            yield nothing

    async def entries(self, tile):  # type: ignore[no-untyped-def]
        """Return the entries below a tile, after a delay."""
        await asyncio.sleep(0.3)
        return await super().entries(tile)


@pytest.mark.parametrize("size", [300, 512])
async def test_a_log_that_keeps_no_heads_is_restored_with_the_one_it_has(
    target: Target, size: int
) -> None:
    await restored(ForgedLog(honest(size)), target)
    async with open_connection(target) as connection:
        rows = await connection.fetch("SELECT size, note FROM log.checkpoints")
    assert [tuple(row) for row in rows] == [(size, (await ForgedLog(honest(size)).head()).decode())]


@pytest.mark.parametrize(
    ("path", "make"),
    [
        ("checkpoint", os.mkfifo),
        ("checkpoint", sparse),
        (".part", os.mkfifo),
        (".part", lambda path: path.symlink_to("/dev/full")),
        (".annexes.part", os.mkfifo),
        ("tile/entries/000", os.mkfifo),
        ("annexes", Path.mkdir),
        ("tile", lambda path: path.symlink_to("/tmp")),
    ],
)
async def test_an_export_goes_nowhere_but_into_its_directory(
    tmp_path: Path, path: str, make: Callable[[Path], object]
) -> None:
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    make(tmp_path / path)
    with pytest.raises(Rejected) as caught:
        await asyncio.wait_for(bundle(tmp_path, honest(300)), within(60))
    assert caught.value.code in ("NOT_A_FILE", "BAD_LENGTH")
    assert path in caught.value.message


async def test_too_many_kept_checkpoints_are_refused(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracker.audit.format.bounded_files.MAX_DIRECTORY_ENTRIES", len(KEPT))
    with pytest.raises(Rejected, match="checkpoints has more than 4 files"):
        await verified(BundleFiles(copy))


def test_the_key_of_a_bundle_is_bounded_too(copy: Path) -> None:
    assert asyncio.run(BundleFiles(copy).read("key")) == str(KEY.verifier).encode()
    replaced("key", os.mkfifo)(copy)
    with pytest.raises(Rejected, match="key is a pipe: expected a file"):
        asyncio.run(BundleFiles(copy).read("key"))
