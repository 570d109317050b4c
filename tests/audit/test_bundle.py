"""Bundles: made from a database and made into one, whatever breaks; tampered rows are found."""

from __future__ import annotations

import asyncio
import gzip
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import asyncpg
import pytest
from rich.console import Console

from deploy.bootstrap import open_connection, open_pool, running_tracker
from deploy.export.snapshot_file import replay_bundle
from deploy.postgres import Postgres
from projections.query.moment import Moment
from projections.runner.rebuild import rebuild
from projections.versions.projection import Versions
from tests.conftest import copied
from tests.support.api import OPEN
from tests.support.fact_builders import announced
from tests.support.log_events import gallium
from tests.support.published_log import publisher, restored, superuser
from tests.support.sumdb import sumdb, verified
from tests.support.tampered_logs import TRUST, ForgedLog, bundle, honest, signed
from tests.support.web_server import serving
from tracker.audit.bundle.annexes import annex_lines, export_annexes
from tracker.audit.bundle.export import BundleWriter, export
from tracker.audit.bundle.restore import restore
from tracker.audit.format.layout import BundleFiles
from tracker.audit.sign.keystore import KeyStore
from tracker.audit.verify import http_source
from tracker.audit.verify.database_source import DatabaseSource
from tracker.audit.verify.http_source import HttpSource
from tracker.audit.verify.log_source import LogSource
from tracker.audit.verify.trust import TrustedCheckpoint, TrustPolicy
from tracker.audit.verify.verifier import Verification
from tracker.errors import InvalidInput, NotProven, Rejected, Unavailable
from tracker.log.annexes import Annexes
from tracker.log.recorder import Recorder
from tracker.postgres.database import PUBLISHER, Pool, Target, create_pool

QUIET = Console(quiet=True)
ANNOUNCED = announced()


@dataclass(frozen=True, slots=True)
class Log:
    """A signed log in a database."""

    target: Target
    keystore: KeyStore
    pool: Pool

    @property
    def trust(self) -> TrustPolicy:
        """Return its keys."""
        return TrustPolicy(self.keystore.keys().all)

    async def publish(self) -> int:
        """Sign it in its current state, and return its size."""
        async with open_pool(self.target, role=PUBLISHER, size=2) as pool:
            await publisher(pool, self.target, self.keystore).catch_up()
        return (await Verification.begin(DatabaseSource(self.pool), self.trust)).head.size

    async def export(self, directory: Path) -> int:
        """Export it; how many events are new in the bundle."""

        async def texts(head: TrustedCheckpoint) -> None:
            await export_annexes(annex_lines(Annexes(self.pool), head.size), directory)

        return (
            await export(
                DatabaseSource(self.pool), self.trust, directory, {"key": b"x"}, beside=texts
            )
        ).new

    async def record(self, *names: str) -> None:
        """Record something more."""
        async with running_tracker(self.target) as services:
            for name in names:
                await services.commands.record(f"export-control/{name}", ANNOUNCED)


@pytest.fixture
async def log(corpus_target: Target, tmp_path: Path) -> AsyncIterator[Log]:
    """Create the signed corpus."""
    keystore = KeyStore(tmp_path / "audit")
    keystore.load_or_create("example.org/log")
    async with open_pool(corpus_target) as pool:
        log = Log(corpus_target, keystore, pool)
        await log.publish()
        yield log


@pytest.fixture
async def empty(target: Target, log: Log) -> AsyncIterator[Log]:
    """Create an empty log with the keys of the other."""
    async with open_pool(target) as pool:
        yield Log(target, log.keystore, pool)


async def check(source: LogSource, trust: TrustPolicy, **options: Any) -> Verification:
    """Verify a log to its end."""
    verification = await Verification.begin(source, trust, **options)
    await verification.run()
    return verification


async def rejected(
    source: LogSource, trust: TrustPolicy, **options: Any
) -> tuple[str, range | None]:
    """Return the code and positions of a rejection."""
    with pytest.raises(Rejected) as caught:
        await check(source, trust, **options)
    return caught.value.code, caught.value.positions


async def load(log: Log, directory: Path, trust: TrustPolicy | None = None) -> TrustedCheckpoint:
    """Restore a bundle."""
    verification = await Verification.begin(BundleFiles(directory), trust or log.trust)
    async with open_connection(log.target) as connection:
        return await restore(connection, verification)


async def rows(log: Log) -> list[asyncpg.Record]:
    """Return every event, tile, checkpoint and text, without insertion times."""
    return [
        row
        for query in (
            "SELECT * FROM log.events ORDER BY position",
            "SELECT * FROM log.tiles ORDER BY level, number",
            "SELECT size, root, note FROM log.checkpoints ORDER BY size",
            "SELECT * FROM log.annexes ORDER BY position, field",
        )
        for row in await log.pool.fetch(query)
    ]


# --- there and back


async def test_a_bundle_gives_the_same_answers_and_the_same_database_again(
    log: Log, empty: Log, tmp_path: Path
) -> None:
    size, directory = await log.publish(), tmp_path / "bundle"
    assert await log.export(directory) == size
    async with running_tracker(log.target) as services:
        moment = Moment(date(2024, 6, 1), 4000)
        verification = await Verification.begin(BundleFiles(directory), log.trust)
        assert await replay_bundle(verification, moment, None, None, QUIET) == (
            await services.as_of.digest(moment)
        )
        digest = await services.as_of.digest(Moment(date(2025, 11, 20), size))
    await load(empty, directory)
    assert await rows(empty) == await rows(log)
    await rebuild(empty.target, Versions())
    async with running_tracker(empty.target) as services:
        assert await services.as_of.digest(Moment(date(2025, 11, 20), size)) == digest


async def test_a_restored_log_goes_on_and_the_bundle_with_it(
    log: Log, empty: Log, tmp_path: Path
) -> None:
    size, directory = await log.publish(), tmp_path / "bundle"
    await log.export(directory)
    saved = await load(empty, directory)
    await empty.record("after-1", "after-2")
    assert await empty.publish() == size + 2
    assert await empty.export(directory) == 2
    assert await empty.export(directory) == 0
    verification = await check(BundleFiles(directory), log.trust, saved=saved)
    assert (verification.head.size, verification.known_heads.count) == (size + 2, 2)
    await log.record("instead")  # the old database continues: a fork, which is never signed
    with pytest.raises(NotProven, match=r"older log|does not continue"):
        await log.publish()


async def test_a_bundle_older_than_the_last_signed_head_is_not_signed_again(
    log: Log, empty: Log, tmp_path: Path
) -> None:
    directory = tmp_path / "bundle"
    await log.export(directory)
    await log.record("later")
    await log.publish()
    await load(empty, directory)
    with pytest.raises(NotProven, match="an older log, such as a restored backup"):
        await empty.publish()


async def test_only_an_empty_log_is_restored_into(log: Log, tmp_path: Path) -> None:
    await log.export(tmp_path / "bundle")
    before = await rows(log)
    with pytest.raises(InvalidInput, match="expected an empty log"):
        await load(log, tmp_path / "bundle")
    assert await rows(log) == before


async def test_a_bundle_that_was_tampered_with_restores_nothing(
    log: Log, empty: Log, tmp_path: Path
) -> None:
    directory = tmp_path / "bundle"
    await log.export(directory)
    [last] = (directory / "tile/entries").glob("*.p/*")
    last.write_bytes(last.read_bytes()[:-2] + b" }")
    with pytest.raises(Rejected) as caught:
        await load(empty, directory)
    assert caught.value.code == "ALTERED_ENTRY"
    assert await rows(empty) == []


async def test_nobody_can_change_what_was_restored(log: Log, empty: Log, tmp_path: Path) -> None:
    await log.export(tmp_path / "bundle")
    await load(empty, tmp_path / "bundle")
    async with open_connection(empty.target) as connection:
        for table in ("events", "tiles", "checkpoints"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(f"DELETE FROM log.{table}")


async def test_an_export_of_another_log_or_an_older_one_is_refused(tmp_path: Path) -> None:
    directory = await bundle(tmp_path / "bundle", honest(300))
    files = {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}
    other = [*honest(299), honest(300)[298].replace(b'"299"', b'"300"'), *honest(700)[300:]]
    for entries, code in ((honest(200), "SHRUNK"), (other, "FORKED"), (other[:300], "FORKED")):
        with pytest.raises(Rejected) as caught:
            await bundle(directory, entries)
        assert caught.value.code == code
        await check(BundleFiles(directory), TRUST)
    assert {path: path.read_bytes() for path in files} == files


async def test_the_checkpoint_of_a_bundle_comes_after_all_else_is_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint, synced = tmp_path / "bundle" / "checkpoint", list[bool]()
    monkeypatch.setattr(os, "sync", lambda: synced.append(checkpoint.exists()))
    await bundle(tmp_path / "bundle", honest(300))
    assert synced == [False, True]


async def test_a_reader_of_an_older_checkpoint_continues_after_further_exports(
    tmp_path: Path,
) -> None:
    directory, heads = tmp_path / "bundle", list[TrustedCheckpoint]()
    for size in (100, 300, 310, 511, 600):
        await bundle(directory, honest(size))
        heads.append((await Verification.begin(BundleFiles(directory), TRUST)).head)
        for head in heads:
            await check(Earlier(directory, head.note), TRUST, allow_missing_texts=True)
    kept = [str(path.relative_to(directory / "tile")) for path in directory.rglob("*.p/*")]
    assert {path.partition(".p/")[0] for path in kept} == {"0/002", "1/000", "entries/002"}


class Earlier(BundleFiles):
    """A bundle whose checkpoint was read earlier."""

    def __init__(self, directory: Path, note: bytes):
        super().__init__(directory)
        self.note = note

    async def read(self, path: str) -> bytes | None:
        """Return the content of a file."""
        return self.note if path == "checkpoint" else await super().read(path)


async def test_one_export_at_a_time_writes_into_a_directory(tmp_path: Path) -> None:
    class Slow(ForgedLog):
        async def head(self) -> bytes:
            with pytest.raises(InvalidInput, match="another export or mirror is writing") as caught:
                await bundle(tmp_path / "bundle", honest(300))
            assert caught.value.code == "IN_USE"
            return await super().head()

    await export(Slow(honest(300)), TRUST, tmp_path / "bundle", {})


@pytest.mark.nightly
async def test_gos_sumdb_verifies_a_bundle(log: Log, tmp_path: Path) -> None:
    program = sumdb(tmp_path)
    size = await log.publish()
    await log.export(tmp_path / "bundle")
    assert f"{size} entries" in verified(
        program, str(tmp_path / "bundle"), str(log.keystore.keys().verifiers[0])
    )


# --- kill -9


def killed(work: Callable[[], object]) -> None:
    """Run work in a separate process that kills itself in the middle."""
    child = os.fork()
    if not child:
        try:
            work()
        finally:
            os._exit(1)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL


def suicide(*_: object) -> None:
    """Kill the process with SIGKILL."""
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("number", [1, 4, 7, 11, 13, 14])
def test_an_export_killed_at_any_file_leaves_a_bundle_that_verifies(
    tmp_path: Path, number: int
) -> None:
    directory = asyncio.run(bundle(tmp_path / "bundle", honest(300)))
    puts = []
    put = BundleWriter.write_file

    def killing(writer: BundleWriter, path: str, content: bytes) -> None:
        puts.append(path)
        if len(puts) == number:
            (directory / ".part").write_bytes(content[: len(content) // 2])
            suicide()
        put(writer, path, content)

    def work() -> None:
        BundleWriter.write_file = killing  # type: ignore[method-assign]
        asyncio.run(bundle(directory, honest(800), kept=(290, 400)))
        suicide()  # when all is written

    killed(work)
    verification = asyncio.run(check(BundleFiles(directory), TRUST))
    assert verification.head.size in (300, 800)
    asyncio.run(bundle(directory, honest(900)))
    assert asyncio.run(check(BundleFiles(directory), TRUST)).head.size == 900


def test_a_restore_that_is_killed_leaves_the_log_empty(
    server: Postgres, empty_template: str, tmp_path: Path
) -> None:
    directory = asyncio.run(bundle(tmp_path / "bundle", honest(9000)))

    async def fill(target: Target, progress: Callable[[int], None]) -> None:
        verification = await Verification.begin(BundleFiles(directory), TRUST)
        async with open_connection(target) as connection:
            await restore(connection, verification, progress)

    async def count(target: Target) -> int:
        async with open_connection(target) as connection:
            return int(await connection.fetchval("SELECT count(*) FROM log.events"))

    for target in copied(server, empty_template):
        killed(lambda: asyncio.run(fill(target, lambda at: at > 8500 and suicide())))  # noqa: B023
        assert asyncio.run(count(target)) == 0
        asyncio.run(fill(target, lambda at: None))
        assert asyncio.run(count(target)) == 9000


EVENTS, TILES = "UPDATE log.events SET", "UPDATE log.tiles SET"
TAMPERED = {
    "an edited entry": (
        f"{EVENTS} entry = entry || ' '::bytea WHERE position = 300",
        "ALTERED_ENTRY",
        range(300, 301),
    ),
    "an entry that is none": (
        f"{EVENTS} entry = '{{]' WHERE position = 300",
        "ALTERED_ENTRY",
        range(300, 301),
    ),
    "an edited entry, not yet in a tile": (
        f"{EVENTS} entry = entry || ' '::bytea WHERE position = 550",
        "WRONG_ROOT",
        range(501, 601),
    ),
    "a deleted row": (
        "DELETE FROM log.events WHERE position = 300",
        "MISSING_ROW",
        range(300, 301),
    ),
    "a deleted row at the end": (
        "DELETE FROM log.events WHERE position = 600",
        "MISSING_ROW",
        range(600, 601),
    ),
    "an edited entry, and the end deleted": (
        f"{EVENTS} entry = entry || ' '::bytea WHERE position = 300;"
        "DELETE FROM log.events WHERE position > 550",
        "ALTERED_TILE",
        range(300, 301),
    ),
    "swapped rows": (
        f"{EVENTS} position = 10000000 WHERE position = 300;"
        f"{EVENTS} position = 300 WHERE position = 301;"
        f"{EVENTS} position = 301 WHERE position = 10000000",
        "WRONG_COLUMN",
        range(300, 301),
    ),
    "another stream": (
        f"{EVENTS} stream = 'alliance/x' WHERE position = 7",
        "WRONG_COLUMN",
        range(7, 8),
    ),
    "another type": (
        f"{EVENTS} type = 'Alliance.X' WHERE position = 7",
        "WRONG_COLUMN",
        range(7, 8),
    ),
    "another version": (f"{EVENTS} version = 99 WHERE position = 7", "WRONG_COLUMN", range(7, 8)),
    "another id": (f"{EVENTS} event_id = 'x' WHERE position = 7", "WRONG_COLUMN", range(7, 8)),
    "another time": (
        f"{EVENTS} recorded_at = now() WHERE position = 7",
        "WRONG_COLUMN",
        range(7, 8),
    ),
    "an edited tile": (
        f"{TILES} hashes = overlay(hashes PLACING sha256('x') FROM 33) WHERE level = 0 AND"
        " number = 1",
        "ALTERED_TILE",
        range(257, 513),
    ),
    "an edited root of a tile": (
        f"{TILES} root = sha256('x') WHERE level = 0 AND number = 1",
        "ALTERED_TILE",
        range(257, 513),
    ),
    "a deleted tile": (
        "DELETE FROM log.tiles WHERE level = 0 AND number = 1",
        "MISSING_ROW",
        range(257, 513),
    ),
    "an edited checkpoint": (
        "UPDATE log.checkpoints SET root = sha256('x') WHERE size = 200",
        "BAD_CHECKPOINT",
        None,
    ),
}


@pytest.fixture
async def small(target: Target, tmp_path: Path) -> AsyncIterator[Pool]:
    """Create a signed log of 600 events, with a checkpoint at every 100."""
    directory = await bundle(tmp_path / "small", honest(600), kept=range(100, 600, 100))
    async with open_connection(target) as connection:
        await restore(connection, await Verification.begin(BundleFiles(directory), TRUST))
    async with open_pool(target) as pool:
        yield pool


@pytest.mark.parametrize("kind", TAMPERED)
async def test_changes_of_rows_by_a_superuser_are_found_and_named(
    small: Pool, target: Target, kind: str
) -> None:
    await check(DatabaseSource(small), TRUST)
    statements, code, positions = TAMPERED[kind]
    await superuser(target, *statements.split(";"))
    assert await rejected(DatabaseSource(small), TRUST) == (code, positions)


async def test_a_restored_backup_is_found_by_who_kept_a_checkpoint(log: Log) -> None:
    first = (await Verification.begin(DatabaseSource(log.pool), log.trust)).head
    # Without a projection, whose position would tell the tracker that the log was set back.
    await Recorder(log.pool).append([gallium("lost", "export-control/lost")])
    await log.publish()
    saved = (await check(DatabaseSource(log.pool), log.trust, saved=first)).head
    await superuser(log.target, *restored(first.size))
    code, positions = await rejected(DatabaseSource(log.pool), log.trust, saved=saved)
    assert (code, positions) == ("SHRUNK", range(first.size + 1, saved.size + 1))
    await Recorder(log.pool).append([gallium("other", "export-control/other")])
    (log.keystore.directory / "head").unlink()  # without this the publisher signs the fork
    await log.publish()
    code, positions = await rejected(DatabaseSource(log.pool), log.trust, saved=saved)
    assert (code, positions) == ("FORKED", range(1, saved.size + 1))


async def test_a_log_that_was_never_signed_says_so(target: Target) -> None:
    pool = await create_pool(target)
    with pytest.raises(Exception, match="never been signed"):
        await Verification.begin(DatabaseSource(pool), TRUST)
    await pool.close()


# --- over the web


async def test_a_running_tracker_is_verified_over_http(log: Log, tmp_path: Path) -> None:
    async with running_tracker(log.target) as services, serving(services, OPEN) as (address, *_):
        source = HttpSource(f"http://{address}/log")
        first = (await check(source, log.trust)).head
        await log.record("new")
        await log.publish()
        verification = await check(source, log.trust, saved=first, only_new=True)
        assert verification.first > first.size - 256
        await export(source, log.trust, tmp_path / "copy", {})
        source.close()
    verification = await check(BundleFiles(tmp_path / "copy"), log.trust, allow_missing_texts=True)
    assert verification.head.size == first.size + 1
    assert verification.texts is not None
    assert (verification.texts.opened, verification.texts.missing > 1000) == (0, True)


class Site(SimpleHTTPRequestHandler):
    """A web server of a bundle, with faults in `wrong`."""

    protocol_version = "HTTP/1.1"
    wrong: dict[str, Callable[[Site], None]]

    def do_GET(self) -> None:
        """Send a file, or its fault."""
        answer = self.wrong.get(self.path)
        if answer:
            answer(self)
        else:
            super().do_GET()

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def cut_off(site: Site) -> None:
    """Declare more bytes than are sent."""
    site.send_response(200)
    site.send_header("Content-Length", "1000")
    site.end_headers()
    site.wfile.write(b"x")
    site.close_connection = True


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, str, type[Site]]]:
    """Serve a bundle, and yield its address and handler."""
    monkeypatch.setattr(http_source, "RETRY_DELAYS_SECONDS", ())
    directory = asyncio.run(bundle(tmp_path / "bundle", honest(600)))
    kind = type("Mine", (Site,), {"wrong": {}})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(kind, directory=str(directory)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield directory, f"http://127.0.0.1:{server.server_port}", kind
    server.shutdown()
    server.server_close()


async def test_a_bundle_behind_any_web_server_is_verified(
    site: tuple[Path, str, type[Site]],
) -> None:
    directory, url, _ = site
    saved = TRUST.verify_head(signed(honest(300)), "x")
    source = HttpSource(url)
    for only_new in (False, True):
        assert (await check(source, TRUST, saved=saved, only_new=only_new)).head.size == 600
    entries = directory / "tile/entries/001"
    entries.write_bytes(entries.read_bytes()[:-2] + b" }")
    assert await rejected(source, TRUST) == ("ALTERED_ENTRY", range(512, 513))
    source.close()


@pytest.mark.parametrize(
    "answer",
    [
        lambda site: site.send_error(404),
        lambda site: site.send_error(503),
        lambda site: site.send_error(401),
        cut_off,
        lambda site: setattr(site, "close_connection", True),
    ],
    ids=["404", "503", "401", "cut off", "closed"],
)
@pytest.mark.parametrize("path", ["/checkpoint", "/tile/0/001", "/tile/entries/001"])
async def test_a_web_server_that_fails_is_unavailable_and_not_rejected(
    site: tuple[Path, str, type[Site]], path: str, answer: Callable[[Site], None]
) -> None:
    _, url, kind = site
    kind.wrong[path] = answer
    source = HttpSource(url)
    with pytest.raises(Unavailable, match=path):
        await check(source, TRUST)
    source.close()


async def test_a_log_is_read_over_connections_that_stay_open(
    site: tuple[Path, str, type[Site]],
) -> None:
    _, url, kind = site
    clients, paths = set[tuple[str, int]](), list[str]()

    def noted(request: Site) -> None:
        clients.add(request.client_address)
        paths.append(request.path)
        SimpleHTTPRequestHandler.do_GET(request)

    for path in ("/checkpoint", "/tile/0/000", "/tile/entries/000"):
        kind.wrong[path] = noted
    source = HttpSource(url)
    for path in kind.wrong:
        for _ in range(3):
            await source.read(path[1:])
    source.close()
    assert len(clients) == 1
    assert len(paths) == 9


def compressed(content: bytes, encoding: str = "gzip") -> Callable[[Site], None]:
    """Return responses with a content encoding, requested or not."""

    def answer(site: Site) -> None:
        site.send_response(200)
        site.send_header("Content-Encoding", encoding)
        site.send_header("Content-Length", str(len(content)))
        site.end_headers()
        site.wfile.write(content)

    return answer


async def test_a_log_that_comes_compressed_is_verified(site: tuple[Path, str, type[Site]]) -> None:
    directory, url, kind = site
    for path in ("/checkpoint", "/tile/0/000", "/tile/entries/000", "/tile/entries/001"):
        kind.wrong[path] = compressed(gzip.compress((directory / path[1:]).read_bytes()))
    source = HttpSource(url)
    assert (await check(source, TRUST)).head.size == 600
    source.close()


@pytest.mark.parametrize(
    "answer",
    [
        compressed(gzip.compress(b"0" * 30_000_000)),
        compressed(gzip.compress(b"0" * 8192)[:-9]),
        compressed(b"0" * 8192),
        compressed(b"0" * 8192, "br"),
    ],
    ids=["a bomb", "cut off", "none", "another"],
)
async def test_content_that_cannot_be_decompressed_is_unavailable(
    site: tuple[Path, str, type[Site]], answer: Callable[[Site], None]
) -> None:
    _, url, kind = site
    kind.wrong["/tile/0/001"] = answer
    source = HttpSource(url)
    with pytest.raises(Unavailable, match="/tile/0/001"):
        await check(source, TRUST)
    source.close()


async def test_a_web_server_that_fails_once_is_asked_again(
    site: tuple[Path, str, type[Site]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def once(site: Site) -> None:
        del kind.wrong["/tile/0/001"]
        site.send_error(503)

    _, url, kind = site
    kind.wrong["/tile/0/001"] = once
    monkeypatch.setattr(http_source, "RETRY_DELAYS_SECONDS", (0.0,))
    source = HttpSource(url)
    await check(source, TRUST)
    source.close()
