"""A mirror is the log, whatever breaks on the way; a log that contradicts it leaves the proof."""

import asyncio
import os
import shutil
import signal
import time
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.static_log import (
    Site,
    leaves_of,
    log_files,
    note_of,
    served,
    tree_hash,
    write_log,
)
from tests.support.tampered_logs import KEY, OTHER, TRUST, WITNESS
from tests.support.time_limits import within
from tracker.audit.format.checkpoint import Checkpoint
from tracker.audit.format.layout import BundleFiles
from tracker.audit.format.signed_note import COSIGNATURE, Note, Signer
from tracker.audit.mirror.cosigner import Cosigner
from tracker.audit.mirror.follow import follow
from tracker.audit.mirror.mirror import Mirror, MirrorUpdate
from tracker.audit.verify import http_source
from tracker.audit.verify.http_source import HttpSource
from tracker.audit.verify.trust import TrustPolicy
from tracker.errors import InvalidInput, Rejected, TrackerError, Unavailable


def entries(count: int, word: bytes = b"a", since: int = 0) -> list[bytes]:
    """Return entries of an unknown kind; those from a number on have another word."""
    return [b"%d %b" % (i, word if i >= since else b"a") for i in range(count)]


def mirror(log: Path, directory: Path, trust: TrustPolicy = TRUST, **options: Any) -> Mirror:
    """Open a mirror of a log in a directory."""
    return Mirror(BundleFiles(log), trust, directory, **options)


def update(log: Path, directory: Path, trust: TrustPolicy = TRUST, **options: Any) -> MirrorUpdate:
    """Update a mirror from a log in a directory."""
    return asyncio.run(mirror(log, directory, trust, **options).update())


def rejected(log: Path, directory: Path, trust: TrustPolicy = TRUST) -> str:
    """Return the code of a mirror's rejection."""
    with pytest.raises(Rejected) as caught:
        update(log, directory, trust)
    return caught.value.code


def files_in(directory: Path) -> dict[str, bytes]:
    """Return all files below a directory."""
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file()
    }


def assert_is_log(directory: Path, log: list[bytes]) -> None:
    """Check that a directory has all files of a log of these entries by its specification."""
    found = files_in(directory)
    wanted = log_files(log) | {"checkpoint": note_of(log)}
    assert {path: found.get(path) for path in wanted} == wanted


# --- it is the log


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 1100), min_size=1, max_size=5).map(sorted))
def test_a_mirror_of_any_beginnings_is_the_log(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int]
) -> None:
    place = tmp_path_factory.mktemp("any")
    for size in sizes:
        update(write_log(place / "log", entries(size)), place / "mirror")
        assert_is_log(place / "mirror", entries(size))
    for size in sizes:  # readers of an older checkpoint find its entries
        whole = log_files(entries(sizes[-1]))
        for path, content in log_files(entries(size)).items():
            full = path.partition(".p/")[0]
            assert (place / "mirror" / path).is_file() or whole[full].startswith(content)


def test_a_log_of_three_levels_is_copied(tmp_path: Path) -> None:
    log = entries(65_800)
    assert update(write_log(tmp_path / "log", log), tmp_path / "mirror").new == 65_800
    assert_is_log(tmp_path / "mirror", log)


def test_entries_of_any_bytes_and_lengths_are_copied(tmp_path: Path) -> None:
    log = [b"", b"\xff" * 65_535, *entries(300), b"\n"]
    update(write_log(tmp_path / "log", log), tmp_path / "mirror")
    assert_is_log(tmp_path / "mirror", log)


async def test_only_what_is_new_is_asked_for(tmp_path: Path) -> None:
    write_log(tmp_path / "log", entries(700))
    with served(tmp_path / "log") as (url, site), closing(HttpSource(url)) as source:
        copy = Mirror(source, TRUST, tmp_path / "mirror")
        await copy.update()
        site.requests.clear()
        assert (await copy.update()).new == 0
        assert site.requests == ["/checkpoint"]
        write_log(tmp_path / "log", entries(710))
        site.requests.clear()
        assert (await copy.update()).new == 10
        assert sorted(site.requests) == [
            "/checkpoint",
            "/tile/0/002.p/198",
            "/tile/1/000.p/2",
            "/tile/entries/002.p/198",
        ]
    assert_is_log(tmp_path / "mirror", entries(710))


async def test_a_mirror_that_is_served_is_mirrored_in_its_turn(tmp_path: Path) -> None:
    log = entries(600)
    await mirror(write_log(tmp_path / "log", log), tmp_path / "first").update()
    with served(tmp_path / "first") as (url, _), closing(HttpSource(url)) as source:
        await Mirror(source, TRUST, tmp_path / "second").update()
    assert_is_log(tmp_path / "second", log)


def test_witnesses_who_sign_later_are_in_the_checkpoint(tmp_path: Path) -> None:
    log, copy = entries(300), tmp_path / "mirror"
    update(write_log(tmp_path / "log", log), copy)
    later = note_of(log, KEY, WITNESS)
    update(write_log(tmp_path / "log", log, later), copy)
    assert (copy / "checkpoint").read_bytes() == (copy / "checkpoints/300").read_bytes() == later
    update(write_log(tmp_path / "log", log), copy)  # another server of the log knows of none yet
    assert (copy / "checkpoint").read_bytes() == later


# --- refused


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("tile/entries/001", "ALTERED_ENTRY"),
        ("tile/0/001", "ALTERED_TILE"),
        ("tile/0/002.p/188", "WRONG_ROOT"),
        ("tile/1/000.p/2", "WRONG_ROOT"),
        ("tile/entries/002.p/188", "ALTERED_ENTRY"),
    ],
)
@pytest.mark.parametrize("known", [0, 300])
def test_content_altered_in_transit_is_refused_and_the_mirror_stays(
    tmp_path: Path, path: str, code: str, known: int
) -> None:
    log, copy = tmp_path / "log", tmp_path / "mirror"
    if known:
        update(write_log(log, entries(known)), copy)
    before = files_in(copy) if known else {}
    write_log(log, entries(700))
    content = (log / path).read_bytes()
    (log / path).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert rejected(log, copy) == code
    after = files_in(copy)
    assert {path: after[path] for path in before} == before
    assert after.get("checkpoint") == before.get("checkpoint")
    right = log_files(entries(700))
    new = {path: content for path, content in after.items() if path not in before}
    assert new == {path: right[path] for path in new}  # nothing that is not proven was written


@pytest.mark.parametrize("cut", [1, 32, 5000])
@pytest.mark.parametrize("path", ["tile/entries/001", "tile/0/001"])
def test_a_tile_that_is_cut_off_is_refused(tmp_path: Path, path: str, cut: int) -> None:
    log = write_log(tmp_path / "log", entries(700))
    (log / path).write_bytes((log / path).read_bytes()[:-cut])
    assert rejected(log, tmp_path / "mirror") == "BAD_LENGTH"
    assert not (tmp_path / "mirror/checkpoint").exists()


def test_a_log_of_another_key_or_name_is_refused(tmp_path: Path) -> None:
    log, copy = write_log(tmp_path / "log", entries(300)), tmp_path / "mirror"
    assert rejected(log, copy, TrustPolicy((OTHER.verifier,))) == "UNKNOWN_KEY"
    assert rejected(log, copy, TrustPolicy((KEY.verifier,), (WITNESS.verifier,))) == "NOT_WITNESSED"
    update(log, copy)
    stranger = Signer.new("other.example/log")
    write_log(log, entries(400), note_of(entries(400), stranger, origin=stranger.name))
    assert rejected(log, copy, TrustPolicy((stranger.verifier,))) == "WRONG_ORIGIN"
    assert_is_log(copy, entries(300))


@pytest.mark.parametrize(
    ("size", "since"), [(900, 299), (900, 0), (700, 699), (400, 10), (700, 650)]
)
def test_a_fork_is_refused_and_its_proof_is_kept(tmp_path: Path, size: int, since: int) -> None:
    ours, theirs, copy = entries(700), entries(size, b"b", since), tmp_path / "mirror"
    update(write_log(tmp_path / "log", ours), copy)
    before = files_in(copy)
    fork = write_log(tmp_path / "fork", theirs)
    for _ in range(2):
        assert rejected(fork, copy) == "FORKED"
    [evidence] = (copy / "forks").iterdir()
    after = files_in(copy)
    assert {
        path: content for path, content in after.items() if not path.startswith("forks")
    } == before
    assert (evidence / "checkpoint").read_bytes() == note_of(theirs)
    assert (evidence / "mirrored").read_bytes() == note_of(ours)
    larger, smaller = (theirs, ours) if size > 700 else (ours, theirs)
    shown = leaves_from_tiles(evidence, len(smaller))
    assert shown == tree_hash(leaves_of(larger[: len(smaller)])) != tree_hash(leaves_of(smaller))


def leaves_from_tiles(evidence: Path, size: int) -> bytes:
    """Return the root at a size below 65,536, from the two tiles at its edge."""
    whole = size // 256
    [above] = [*evidence.glob("tile/1/000.p/*")]
    roots = [above.read_bytes()[i : i + 32] for i in range(0, 32 * whole, 32)]
    [edge] = [*evidence.glob(f"tile/0/{whole:03}"), *evidence.glob(f"tile/0/{whole:03}.p/*")]
    leaves = [edge.read_bytes()[i : i + 32] for i in range(0, 32 * (size % 256), 32)]
    return joined(roots, tree_hash(leaves))


def joined(roots: list[bytes], edge: bytes) -> bytes:
    """Return the root over full subtrees of 256 entries and fewer than 256 further entries."""
    width = 1
    while width * 2 <= len(roots):
        width *= 2
    if not roots:
        return edge
    right = joined(roots[width:], edge)
    return sha256(b"\x01" + tree_hash(roots[:width]) + right).digest()


def test_a_log_that_was_set_back_is_not_a_fork(tmp_path: Path) -> None:
    log, copy = write_log(tmp_path / "log", entries(700)), tmp_path / "mirror"
    update(log, copy)
    for size in (0, 300, 512, 699):
        assert rejected(write_log(tmp_path / "log", entries(size)), copy) == "SHRUNK"
    assert not (copy / "forks").exists()
    assert_is_log(copy, entries(700))
    assert update(write_log(tmp_path / "log", entries(800)), copy).new == 100


def test_links_and_other_things_in_the_way_are_not_followed(tmp_path: Path) -> None:
    log, copy = write_log(tmp_path / "log", entries(300)), tmp_path / "mirror"
    (tmp_path / "outside").mkdir()
    copy.mkdir()
    (copy / "tile").symlink_to(tmp_path / "outside")
    assert rejected(log, copy) == "NOT_A_FILE"
    assert not any((tmp_path / "outside").iterdir())


# --- interrupted


def steps_of(work: Callable[[], object], last: int) -> bool:
    """Run work in a separate process that is killed before one of its file changes, and return whether
    it got there."""
    child = os.fork()
    if not child:
        count = 0

        def counting(real: Callable[..., Any]) -> Callable[..., Any]:
            def change(*arguments: Any, **options: Any) -> Any:
                nonlocal count
                count += 1
                if count == last:
                    os.kill(os.getpid(), signal.SIGKILL)
                return real(*arguments, **options)

            return change

        try:
            for name in ("write_bytes", "replace", "mkdir"):
                setattr(Path, name, counting(getattr(Path, name)))
            for name in ("sync", "unlink", "rmdir"):
                setattr(os, name, counting(getattr(os, name)))
            work()
            os._exit(0)
        except BaseException:
            os._exit(1)
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def test_a_mirror_that_is_killed_at_any_change_is_whole_and_goes_on(tmp_path: Path) -> None:
    old, new = entries(300), entries(520)
    log = write_log(tmp_path / "log", old)
    update(log, tmp_path / "start")
    write_log(log, new)
    step, was_killed = 0, True
    while was_killed:
        step += 1
        copy = tmp_path / f"mirror-{step}"
        shutil.copytree(tmp_path / "start", copy)
        was_killed = steps_of(lambda: update(log, copy), step)  # noqa: B023
        size = int((copy / "checkpoint").read_text().splitlines()[1])
        assert size in (300, 520)
        assert_is_log(copy, entries(size))
        update(log, copy)
        assert_is_log(copy, new)
        shutil.rmtree(copy)
    assert step > 20


async def test_files_copied_before_an_interruption_are_not_fetched_again(
    tmp_path: Path, impatient: None
) -> None:
    log, copy = write_log(tmp_path / "log", entries(2000)), tmp_path / "mirror"
    with served(log) as (url, site), closing(HttpSource(url)) as source:
        site.answers["/tile/entries/005"] = lambda request: request.send_error(500)
        with pytest.raises(Unavailable, match="tile/entries/005"):
            await Mirror(source, TRUST, copy).update()
        assert not (copy / "checkpoint").exists()
        torn = copy / "tile/entries/001"
        torn.write_bytes(torn.read_bytes()[:100])
        site.answers.clear()
        site.requests.clear()
        await Mirror(source, TRUST, copy).update()
    asked = {path for path in site.requests if path.startswith("/tile/entries/")}
    assert "/tile/entries/000" not in asked
    assert {"/tile/entries/001", "/tile/entries/005"} <= asked
    assert_is_log(copy, entries(2000))


def test_damaged_files_are_fetched_again_on_request(tmp_path: Path) -> None:
    log, copy = write_log(tmp_path / "log", entries(700)), tmp_path / "mirror"
    update(log, copy)
    (copy / "tile/entries/000").write_bytes(b"rotten")
    (copy / "tile/0/001").unlink()
    (copy / "tile/1/000.p/2").write_bytes(b"")
    assert update(log, copy).new == 0
    assert asyncio.run(mirror(log, copy).update(whole=True)).new == 0
    assert_is_log(copy, entries(700))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Create a client without retries."""
    monkeypatch.setattr(http_source, "RETRY_DELAYS_SECONDS", ())


def trickle(site: Site) -> None:
    """Send a byte now and then, of many."""
    site.send_response(200)
    site.send_header("Content-Length", "8192")
    site.end_headers()
    for _ in range(60):
        try:
            site.wfile.write(b"x")
            site.wfile.flush()
        except OSError:
            break
        time.sleep(0.1)
    site.close_connection = True


def silent(_: Site) -> None:
    """Send nothing for a while."""
    time.sleep(3)


@pytest.mark.parametrize("answer", [trickle, silent])
async def test_a_server_without_end_is_given_up_and_the_mirror_goes_on_later(
    tmp_path: Path, impatient: None, monkeypatch: pytest.MonkeyPatch, answer: Callable[[Site], None]
) -> None:
    log = write_log(tmp_path / "log", entries(700))
    with served(log) as (url, site), closing(HttpSource(url)) as source:
        site.answers["/tile/0/001"] = answer
        copy = Mirror(source, TRUST, tmp_path / "mirror")
        with monkeypatch.context() as short:
            short.setattr(http_source, "READ_TIMEOUT_SECONDS", 1)
            short.setattr(http_source, "ANSWER_TIMEOUT_SECONDS", 2)
            with pytest.raises(Unavailable, match="tile/"):
                await copy.update()
        assert not (tmp_path / "mirror/checkpoint").exists()
        site.answers.clear()
        await copy.update()
    assert_is_log(tmp_path / "mirror", entries(700))


# --- followed


async def test_a_mirror_follows_through_failures_and_ends_at_a_fork(
    tmp_path: Path, impatient: None
) -> None:
    log = write_log(tmp_path / "log", entries(10))
    updates, failures = list[tuple[int, int]](), list[str]()
    with served(log) as (url, site), closing(HttpSource(url)) as source:
        copy = Mirror(source, TRUST, tmp_path / "mirror")

        def on_failure(error: TrackerError) -> None:
            failures.append(error.code)
            site.answers.clear()
            write_log(log, entries(600))

        def on_update(update: MirrorUpdate) -> None:
            updates.append((update.head.size, update.new))
            if update.head.size == 10:
                write_log(log, entries(300))
                site.answers["/checkpoint"] = lambda request: request.send_error(503)
            elif len(failures) == 1:
                write_log(log, entries(20))
            else:
                write_log(log, entries(700, b"b", 599))

        with pytest.raises(Rejected) as caught:
            await asyncio.wait_for(follow(copy, 0.01, on_update, on_failure), within(30))
    assert (caught.value.code, failures) == ("FORKED", ["UNAVAILABLE", "SHRUNK"])
    assert updates == [(10, 10), (600, 590), (600, 0)]
    assert (tmp_path / "mirror/forks").is_dir()


async def test_one_mirror_at_a_time_writes_into_a_directory(tmp_path: Path) -> None:
    log, copy = write_log(tmp_path / "log", entries(300)), tmp_path / "mirror"

    class Slow(BundleFiles):
        async def head(self) -> bytes:
            with pytest.raises(InvalidInput) as caught:
                await mirror(log, copy).update()
            assert caught.value.code == "IN_USE"
            return await super().head()

    await Mirror(Slow(log), TRUST, copy).update()


# --- cosigned


def test_a_mirror_signs_what_it_has_once_for_each_head(tmp_path: Path) -> None:
    signer = Signer.new("mirror.example/log", COSIGNATURE)
    log, copy = write_log(tmp_path / "log", entries(300)), tmp_path / "mirror"
    both = TrustPolicy((KEY.verifier,), (signer.verifier,))
    update(log, copy, cosigner=Cosigner(signer))
    first = (copy / "checkpoint").read_bytes()
    assert both.verify_head(first, "x").checkpoint == Checkpoint.parse(
        Note.parse(note_of(entries(300))).text
    )
    update(log, copy, cosigner=Cosigner(signer))
    assert (copy / "checkpoint").read_bytes() == first
    update(write_log(log, entries(301)), copy, cosigner=Cosigner(signer))
    second = (copy / "checkpoint").read_bytes()
    assert both.verify_head(second, "x").size == 301
    assert Note.parse(second).signatures[0] == Note.parse(note_of(entries(301))).signatures[0]
    update(write_log(tmp_path / "log", entries(301), second), copy, cosigner=Cosigner(signer))
    assert len(Note.parse((copy / "checkpoint").read_bytes()).signatures) == 2


def test_a_key_of_a_log_signs_no_mirror(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="tracker key cosigner"):
        Cosigner.parse(KEY.secret)
    assert Cosigner.parse(WITNESS.secret + "\n").signer.verifier == WITNESS.verifier
