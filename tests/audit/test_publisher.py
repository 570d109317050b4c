"""The publisher signs one continuous log after any failure, and nothing else."""

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from deploy.bootstrap import open_connection, open_pool, prepare, running_tracker
from tests.support.independent_verifier import root_of
from tests.support.log_events import event
from tests.support.merkle_proofs import all_tiles
from tests.support.published_log import check, fill, publisher, restored, superuser
from tests.support.replication import running_pair, several_hosts
from tests.support.time_limits import within
from tracker.audit.format.merkle import Tile, tile_root
from tracker.audit.serve.proofs import ProofService, read_tiles
from tracker.audit.sign.keystore import KeyStore
from tracker.audit.sign.publisher import Publisher, SigningOptions
from tracker.errors import LogSetBack, NotFound, NotProven
from tracker.postgres.database import PUBLISHER, Pool, Target, create_pool


@pytest.fixture
def publishing(pool: Pool, target: Target, keystore: KeyStore) -> Publisher:
    """Create a publisher of an empty log."""
    return publisher(pool, target, keystore)


async def test_every_published_head_is_that_of_the_entries(
    publishing: Publisher, target: Target, keystore: KeyStore
) -> None:
    sizes = [0]
    await publishing.catch_up()
    for more in (1, 1, 253, 1, 1, 300, 700):
        await fill(target, more)
        sizes.append(sizes[-1] + more)
        await publishing.catch_up()
        await publishing.catch_up()  # nothing new: nothing is signed
    assert await check(target, keystore) == sizes


async def test_tiles_of_every_level_are_kept_when_complete(
    publishing: Publisher, target: Target, pool: Pool, keystore: KeyStore
) -> None:
    size = 256 * 256 + 300  # more than a page, so several transactions
    await fill(target, size)
    await publishing.catch_up()
    assert await check(target, keystore) == [size]
    async with pool.acquire() as connection:
        kept = await connection.fetch("SELECT level, number, hashes, root FROM log.tiles")
        tiles = await read_tiles(connection, all_tiles(size))
    complete = {tile for tile in all_tiles(size) if tile.width == 256}
    assert {Tile(row["level"], row["number"]) for row in kept} == complete
    assert all(tile_root(row["hashes"]) == row["root"] for row in kept)
    assert tiles[Tile(2, 0, 1)] == tile_root(tiles[Tile(1, 0)])
    assert tiles[Tile(1, 1, 1)] == tile_root(tiles[Tile(0, 256)])


async def test_a_tile_of_an_older_tree_is_read_though_there_are_newer_entries(
    publishing: Publisher, target: Target, pool: Pool
) -> None:
    await fill(target, 600)
    await publishing.catch_up()
    async with pool.acquire() as connection:
        tiles = await read_tiles(connection, [Tile(0, 0), Tile(1, 0, 1)])
    assert tiles[Tile(1, 0, 1)] == tile_root(tiles[Tile(0, 0)])


@pytest.mark.parametrize("size", [40, 256, 300, 511])
async def test_a_restored_backup_is_not_signed_shorter_or_regrown(
    publishing: Publisher, target: Target, keystore: KeyStore, size: int
) -> None:
    await fill(target, size)
    await publishing.catch_up()
    await fill(target, 260)
    await publishing.catch_up()
    await superuser(target, *restored(size))
    with pytest.raises(LogSetBack):
        await publishing.catch_up()
    publishing = publisher(publishing._pool, target, keystore)  # a process that was started again
    with pytest.raises(NotProven, match="an older log, such as a restored backup"):
        await publishing.catch_up()
    await fill(target, 500, word="other")
    with pytest.raises(NotProven, match="does not continue the head"):
        await publishing.catch_up()
    async with open_connection(target) as connection:
        assert await connection.fetchval("SELECT max(size) FROM log.checkpoints") == size
    head = keystore.head()
    assert head is not None
    assert head.size == size + 260


async def test_a_backup_that_grew_to_the_same_events_is_the_same_log(
    publishing: Publisher, target: Target, keystore: KeyStore
) -> None:
    await fill(target, 300)
    await publishing.catch_up()
    async with open_connection(target) as connection:
        later = await connection.fetch("SELECT * FROM log.events WHERE position > 200")
    await superuser(target, *restored(200))
    async with open_connection(target) as connection:
        await connection.copy_records_to_table("events", schema_name="log", records=later)
    await publishing.catch_up()
    assert await check(target, keystore) == [300]


EDIT = "UPDATE log.events SET entry = '{}' WHERE position = %d"


@pytest.mark.parametrize(
    "statement",
    [
        EDIT % 300,
        EDIT % 257,
        "UPDATE log.events SET position = CASE position WHEN 299 THEN -1 ELSE 299 END"
        " WHERE position IN (299, 300); UPDATE log.events SET position = 300 WHERE position = -1",
        "UPDATE log.tiles SET root = sha256('x')",
        "UPDATE log.checkpoints SET root = sha256('x')",
        "UPDATE log.checkpoints SET note = replace(note, '300', '299')",
        "DELETE FROM log.events WHERE position = 290",
        "DELETE FROM log.tiles; " + EDIT % 3,
    ],
)
async def test_a_log_that_was_altered_with_force_is_not_signed(
    publishing: Publisher, target: Target, statement: str
) -> None:
    await fill(target, 300)
    await publishing.catch_up()
    await superuser(
        target,
        "ALTER TABLE log.events DROP CONSTRAINT events_position_check",
        *statement.split("; "),
    )
    await fill(target, 1)
    with pytest.raises(NotProven):
        await publishing.catch_up()


async def test_a_lost_head_begins_anew_from_the_last_checkpoint_that_we_signed(
    publishing: Publisher, target: Target, keystore: KeyStore
) -> None:
    await fill(target, 300)
    await publishing.catch_up()
    (keystore.directory / "head").unlink()
    await fill(target, 1)
    await publishing.catch_up()
    assert await check(target, keystore) == [300, 301]
    (keystore.directory / "head").unlink()
    await superuser(target, EDIT % 301)
    await fill(target, 1)
    with pytest.raises(NotProven, match="does not continue"):
        await publishing.catch_up()


async def test_a_head_that_was_put_back_by_a_process_that_was_frozen_is_brought_forward(
    publishing: Publisher, target: Target, keystore: KeyStore
) -> None:
    await fill(target, 300)
    await publishing.catch_up()
    earlier = (keystore.directory / "head").read_bytes()
    await fill(target, 1)
    await publishing.catch_up()
    last = keystore.head()
    (keystore.directory / "head").write_bytes(earlier)
    await publishing.catch_up()
    assert keystore.head() == last


async def test_a_head_that_another_process_signed_with_the_same_keys_is_kept(
    publishing: Publisher, target: Target, pool: Pool, keystore: KeyStore, tmp_path: Path
) -> None:
    other = KeyStore(Path(shutil.copytree(keystore.directory, tmp_path / "other")))
    await fill(target, 3)
    await publishing.catch_up()
    await publisher(pool, target, other).catch_up()
    assert other.head() == keystore.head()
    await superuser(
        target, "DELETE FROM log.checkpoints", "DELETE FROM log.events WHERE position > 2"
    )
    with pytest.raises(NotProven, match="an older log"):
        await publisher(pool, target, other).catch_up()


async def test_the_log_of_other_keys_is_not_signed(
    publishing: Publisher, target: Target, pool: Pool, tmp_path: Path
) -> None:
    await fill(target, 3)
    await publishing.catch_up()
    other = KeyStore(tmp_path / "other")
    other.load_or_create("example.com/log")
    await fill(target, 1)
    with pytest.raises(NotProven, match="not signed by a known key") as refused:
        await publisher(pool, target, other).catch_up()
    assert f"keys that are not in {other.directory}. Copy the files keys and head there" in (
        refused.value.message
    )


async def test_a_log_shorter_than_its_tiles_is_not_signed(
    publishing: Publisher, target: Target, keystore: KeyStore
) -> None:
    await fill(target, 300)
    await publishing.catch_up()
    (keystore.directory / "head").unlink()
    await superuser(
        target, "DELETE FROM log.checkpoints", "DELETE FROM log.events WHERE position > 9"
    )
    publishing = publisher(publishing._pool, target, keystore)  # a process that was started again
    with pytest.raises(NotProven, match="the log has 9 events, and tiles of 256"):
        await publishing.catch_up()


async def test_the_head_of_another_log_is_not_continued(
    publishing: Publisher, target: Target, pool: Pool, keystore: KeyStore, tmp_path: Path
) -> None:
    await fill(target, 3)
    await publishing.catch_up()
    other = KeyStore(tmp_path / "other")
    other.load_or_create("example.com/other")
    (other.directory / "head").write_bytes((keystore.directory / "head").read_bytes())
    await superuser(target, "DELETE FROM log.checkpoints")
    with pytest.raises(NotProven, match="the last head is of the log"):
        await publisher(pool, target, other).catch_up()


async def test_while_keys_overlap_both_sign(
    publishing: Publisher, target: Target, keystore: KeyStore
) -> None:
    for work in (keystore.keys, keystore.rotate, keystore.retire):
        work()
        await fill(target, 2)
        await publishing.catch_up()
    assert await check(target, keystore) == [2, 4, 6]
    async with open_connection(target) as connection:
        notes = await connection.fetch("SELECT note FROM log.checkpoints ORDER BY size")
    assert [row["note"].count("— ") for row in notes] == [1, 2, 1]


async def test_several_publishers_never_sign_two_heads_of_one_size(
    target: Target, pool: Pool, keystore: KeyStore
) -> None:
    others = [publisher(pool, target, keystore) for _ in range(3)]

    async def append() -> None:
        for _ in range(10):
            await fill(target, 60)

    async def publish(one: Publisher) -> None:
        while not writing.done():
            await one.catch_up()
        await one.catch_up()

    writing = asyncio.ensure_future(append())
    await asyncio.gather(writing, *map(publish, others))
    await others[0].catch_up()
    assert (await check(target, keystore))[-1] == 600


async def test_a_checkpoint_follows_an_append_by_itself(target: Target, keystore: KeyStore) -> None:
    async with (
        running_tracker(target, SigningOptions(keystore)) as services,
        asyncio.timeout(within(60)),
    ):
        for number in range(3):
            await services.recorder.append([event(f"export-control/{number}", str(number))])
            while await services.proofs.size() != number + 1:
                await asyncio.sleep(0.01)
        assert services.publisher is not None
        assert services.publisher.trouble is None
    assert (await check(target, keystore))[-1] == 3


async def test_a_refusal_is_reported_and_does_not_stop_the_tracker(
    target: Target, keystore: KeyStore, publishing: Publisher, caplog: pytest.LogCaptureFixture
) -> None:
    await fill(target, 5)
    await publishing.catch_up()
    await superuser(target, *restored(3))
    async with (
        running_tracker(target, SigningOptions(keystore)) as services,
        asyncio.timeout(within(60)),
    ):
        assert services.publisher is not None
        while services.publisher.trouble is None:
            await asyncio.sleep(0.01)
        assert "restored backup" in services.publisher.trouble
        await services.recorder.append([event("export-control/a", "a")])
        assert await services.recorder.head() == 4
    assert "the log is not signed any more" in caplog.text


async def test_before_the_first_checkpoint_there_is_none(target: Target) -> None:
    pool = await create_pool(target)
    with pytest.raises(NotFound, match="no checkpoint"):
        await ProofService(pool).last()
    await pool.close()


@pytest.mark.parametrize("signed", [True, False])
async def test_the_root_of_any_size_is_that_of_the_entries_with_tiles_and_without(
    publishing: Publisher, target: Target, signed: bool
) -> None:
    await fill(target, 700)
    if signed:
        await publishing.catch_up()
    async with open_connection(target) as connection:
        rows = await connection.fetch("SELECT entry FROM log.events ORDER BY position")
        leaves = [sha256(b"\0" + row["entry"]).digest() for row in rows]
    pool = await create_pool(target)
    proofs = ProofService(pool)
    for size in (700, 1, 255, 256, 257, 512, 699):
        assert await proofs.root(size) == root_of(leaves[:size])
    with pytest.raises(NotProven):
        await proofs.root(701)
    await pool.close()


@pytest.fixture
def killer(target: Target, keystore: KeyStore) -> Iterator[subprocess.Popen[str]]:
    """Run a process whose children publish and are killed."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.support.crash_publisher",
            json.dumps(target),
            str(keystore.directory),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    yield process
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    process.wait(within(30))
    process.stdout.close()


def kill_at(killer: subprocess.Popen[str], step: int) -> str:
    """Return the outcome of a publisher that is killed at a step."""
    assert killer.stdin is not None
    assert killer.stdout is not None
    killer.stdin.write(f"{step}\n")
    killer.stdin.flush()
    return killer.stdout.readline().strip()


async def test_killed_at_any_step_it_never_signs_two_heads_and_goes_on(
    target: Target, keystore: KeyStore, killer: subprocess.Popen[str], publishing: Publisher
) -> None:
    await fill(target, 256)
    await publishing.catch_up()
    await fill(target, 256)
    steps = int(kill_at(killer, 0))
    assert steps > 20
    heads = {}
    for step in range(1, steps + 1):
        await fill(target, 256)
        assert kill_at(killer, step) == "killed"
        async with open_connection(target) as connection:
            while (
                await connection.fetchval(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                    " AND usename IS NOT NULL AND pid <> pg_backend_pid()"
                )
                > 2
            ):  # the pool's
                await asyncio.sleep(0.005)
        await check(target, keystore)
        head = keystore.head()
        assert head is not None
        assert heads.setdefault(head.size, head.root) == head.root
    await publishing.catch_up()
    assert (await check(target, keystore))[-1] == 256 * (steps + 2)


async def test_a_publisher_whose_head_is_older_does_not_sign_on_when_a_forced_failover_lost_commits(
    tmp_path: Path,
) -> None:
    """With one key in two places, the newer head is checked locally, and the older one by its note."""
    newer = KeyStore(tmp_path / "newer")
    newer.load_or_create("example.com/log")
    shutil.copytree(newer.directory, tmp_path / "older")
    older = KeyStore(tmp_path / "older")
    with running_pair() as pair:
        target = several_hosts(pair.primary, pair.standby) | {"target_session_attrs": "read-write"}
        await prepare(pair.primary.target)
        await fill(pair.primary.target, 3)
        async with running_tracker(target, SigningOptions(older)) as services:
            async with asyncio.timeout(within(30)):
                while await services.proofs.size() != 3:
                    await asyncio.sleep(0.01)
            await asyncio.to_thread(pair.standby.wait_replayed, pair.primary)
            await asyncio.to_thread(pair.standby.kill)
            kept = older.head()
            await services.recorder.append([event("export-control/a", "a")])
            async with asyncio.timeout(within(30)):
                while (await services.proofs.size()) != 4:
                    await asyncio.sleep(0.01)
            shutil.copy(older.directory / "head", newer.directory / "head")
            await asyncio.to_thread(pair.primary.kill)
            await asyncio.to_thread(pair.standby.start)
            await asyncio.to_thread(pair.standby.promote)
            async with asyncio.timeout(within(30)):
                await services.recorder.durability.noticed.wait()
                while older.set_back() is None:
                    await asyncio.sleep(0.01)
        older._replace(older.directory / "head", str(kept))  # as where the other one signed 4
        await fill(pair.standby.target, 5, word="other")
        for keystore, reason in (
            (newer, "does not continue"),
            (older, "may have signed what it lost"),
        ):
            async with open_pool(pair.standby.target, role=PUBLISHER, size=3) as pool:
                with pytest.raises(NotProven, match=reason):
                    await publisher(pool, pair.standby.target, keystore).catch_up()
        (older.directory / "set-back").unlink()  # a person has decided
        async with open_pool(pair.standby.target, role=PUBLISHER, size=3) as pool:
            await publisher(pool, pair.standby.target, older).catch_up()
        assert (await check(pair.standby.target, older))[-1] == 8
