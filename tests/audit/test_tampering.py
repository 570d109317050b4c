"""Every way to alter a log is rejected, for the right reason and at the first position."""

import asyncio
import dataclasses
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest

from tests.support.cases import each_case
from tests.support.tampered_logs import (
    KEY,
    ORIGIN,
    OTHER,
    TRUST,
    WITNESS,
    ForgedLog,
    bundle,
    changed,
    grown,
    honest,
    signed,
    stamp,
)
from tracker.audit.format.checkpoint import Checkpoint
from tracker.audit.format.layout import BundleFiles
from tracker.audit.format.signed_note import Note
from tracker.audit.verify.log_source import LogSource
from tracker.audit.verify.trust import TrustedCheckpoint, TrustPolicy
from tracker.audit.verify.verifier import Verification
from tracker.errors import InvalidInput, Rejected

SIZE = 600
ENTRIES = honest(SIZE)
KEPT = (1, 100, 256, 300)
Wrong = tuple[str, range | None]


def at(first: int, last: int | None = None) -> range:
    """Return a range of positions up to `last`."""
    return range(first, (last or first) + 1)


async def rejected(
    source: LogSource, trust: TrustPolicy = TRUST, saved: TrustedCheckpoint | None = None
) -> Wrong:
    """Return the code and positions of a rejection."""
    with pytest.raises(Rejected) as caught:
        await (await Verification.begin(source, trust, saved)).run()
    assert caught.value.positions is None or str(caught.value.positions[0]) in str(caught.value)
    return caught.value.code, caught.value.positions


def head(entries: Sequence[bytes], *, trust: TrustPolicy = TRUST) -> TrustedCheckpoint:
    """Return a head that an auditor has saved."""
    return trust.verify_head(signed(entries), "x")


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create a bundle as signed."""
    return asyncio.run(bundle(tmp_path_factory.mktemp("bundle"), ENTRIES, kept=KEPT))


@pytest.fixture
def copy(untouched: Path, tmp_path: Path) -> Path:
    """Copy it for tampering."""
    return Path(shutil.copytree(untouched, tmp_path / "copy"))


async def test_an_honest_bundle_is_verified_to_its_last_event(untouched: Path) -> None:
    verification = await Verification.begin(BundleFiles(untouched), TRUST)
    pages = [page async for page in verification.pages()]
    assert [event.entry for page in pages for event in page.events] == list(ENTRIES)
    assert (
        verification.head.size,
        verification.known_heads.count,
        verification.known_heads.unknown_signers,
    ) == (SIZE, 5, 0)
    assert verification.recorded_at == pages[-1].events[-1].recorded_at


# --- files of a bundle: bytes that are altered, cut off, missing, in another place


def edited(path: str, edit: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    """Return a function that replaces a file's content."""

    def tamper(directory: Path) -> None:
        file = directory / path
        before = file.read_bytes()
        file.write_bytes(edit(before))
        assert file.read_bytes() != before

    return tamper


def flipped(offset: int) -> Callable[[bytes], bytes]:
    """Return content with one flipped bit."""

    def edit(content: bytes) -> bytes:
        place = offset % len(content)
        return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]

    return edit


def listed(*change: Callable[[list[bytes]], object]) -> Callable[[bytes], bytes]:
    """Return a file of entries after changes of their list."""

    def edit(content: bytes) -> bytes:
        entries = []
        while content:
            stop = 2 + int.from_bytes(content[:2], "big")
            entries.append(content[2:stop])
            content = content[stop:]
        for one in change:
            one(entries)
        return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)

    return edit


def swap(entries: list[bytes]) -> None:
    """Swap the third and the fifth entry."""
    entries[2], entries[4] = entries[4], entries[2]


def replace(entries: list[bytes]) -> None:
    """Change the tenth entry, with equal size."""
    entries[9] = entries[9].replace(b"2025", b"2024", 1)


def rerooted(content: bytes) -> bytes:
    """Return a checkpoint with another log's root, under the old signature."""
    note = Note.parse(content)
    size = Checkpoint.parse(note.text).size
    return str(Note(str(Checkpoint(ORIGIN, size, grown(()).root())), note.signatures)).encode()


def resigned(content: bytes) -> bytes:
    """Return a checkpoint with a flipped bit in its signature."""
    note = Note.parse(content)
    [signature] = note.signatures
    flip = dataclasses.replace(signature, signature=flipped(40)(signature.signature))
    return str(Note(note.text, (flip,))).encode()


def offset_of(position: int) -> int:
    """Return the offset of a byte in an entry of the first entry file."""
    return sum(2 + len(entry) for entry in ENTRIES[: position - 1]) + 100


def removed(path: str) -> Callable[[Path], None]:
    """Remove a file."""
    return lambda directory: (directory / path).unlink()


def moved(path: str, other: str) -> Callable[[Path], None]:
    """Replace a file by another."""
    return lambda directory: shutil.copy(directory / path, directory / other) and None


ENTRY_0, ENTRY_1, ENTRY_2 = (f"tile/entries/{name}" for name in ("000", "001", "002.p/88"))
TAMPERED: dict[str, tuple[Callable[[Path], None], str, range | None]] = {
    "a flipped bit in an entry": (edited(ENTRY_0, flipped(offset_of(7))), "ALTERED_ENTRY", at(7)),
    "a flipped bit in the last entry": (edited(ENTRY_2, flipped(-5)), "ALTERED_ENTRY", at(600)),
    "an entry that says something else": (
        edited(ENTRY_0, listed(replace)),
        "ALTERED_ENTRY",
        at(10),
    ),
    "an entry that is no JSON": (
        edited(ENTRY_1, listed(lambda e: e.__setitem__(3, b"{]"))),
        "ALTERED_ENTRY",
        at(260),
    ),
    "swapped entries": (edited(ENTRY_0, listed(swap)), "ALTERED_ENTRY", at(3)),
    "a dropped entry": (edited(ENTRY_0, listed(lambda e: e.pop(41))), "BAD_LENGTH", at(42)),
    "a dropped entry, another at the end": (
        edited(ENTRY_0, listed(lambda e: e.pop(41), lambda e: e.append(b"{}"))),
        "ALTERED_ENTRY",
        at(42),
    ),
    "an inserted entry": (
        edited(ENTRY_1, listed(lambda e: e.insert(4, b"{}"))),
        "BAD_LENGTH",
        at(261),
    ),
    "an inserted entry, the last taken away": (
        edited(ENTRY_1, listed(lambda e: e.insert(4, b"{}"), lambda e: e.pop())),
        "ALTERED_ENTRY",
        at(261),
    ),
    "a truncated file of entries": (
        edited(ENTRY_1, lambda content: content[:-1]),
        "BAD_LENGTH",
        at(512),
    ),
    "an empty file of entries": (edited(ENTRY_1, lambda content: b""), "BAD_LENGTH", at(257)),
    "an entry beyond the checkpoint": (
        edited(ENTRY_2, listed(lambda e: e.append(b"{}"))),
        "BAD_LENGTH",
        at(601),
    ),
    "a garbage length": (
        edited(ENTRY_0, lambda content: b"\xff\xff" + content[2:]),
        "BAD_LENGTH",
        at(1),
    ),
    "a file of entries in the place of another": (
        moved(ENTRY_0, ENTRY_1),
        "ALTERED_ENTRY",
        at(257),
    ),
    "a flipped bit in a tile": (edited("tile/0/000", flipped(32 * 8 + 3)), "ALTERED_TILE", at(9)),
    "a flipped bit in a tile of tiles": (
        edited("tile/1/000.p/2", flipped(40)),
        "ALTERED_TILE",
        at(257, 512),
    ),
    "a tile that is too short": (
        edited("tile/0/000", lambda content: content[:-32]),
        "BAD_LENGTH",
        at(256),
    ),
    "a partial tile that is too short": (
        edited("tile/0/002.p/88", lambda content: content[: 32 * 80 + 7]),
        "BAD_LENGTH",
        at(593),
    ),
    "a partial tile that is too long": (
        edited("tile/0/002.p/88", lambda content: content + content[:32]),
        "BAD_LENGTH",
        at(600),
    ),
    "a missing tile": (removed("tile/0/001"), "MISSING", at(257, 512)),
    "a missing tile of tiles": (removed("tile/1/000.p/2"), "MISSING", at(1, 512)),
    "missing entries": (removed(ENTRY_2), "MISSING", at(513, 600)),
    "another root in the checkpoint": (edited("checkpoint", rerooted), "BAD_SIGNATURE", None),
    "a flipped bit in the signature": (edited("checkpoint", resigned), "BAD_SIGNATURE", None),
    "a checkpoint that says more": (
        edited("checkpoint", lambda c: c.replace(b"\n600\n", b"\n601\n")),
        "BAD_SIGNATURE",
        None,
    ),
    "a checkpoint that is not a note": (
        edited("checkpoint", lambda c: c.replace(b"\n\n", b"\n")),
        "BAD_CHECKPOINT",
        None,
    ),
    "another root in a kept checkpoint": (
        edited("checkpoints/100", rerooted),
        "BAD_SIGNATURE",
        None,
    ),
    "a kept checkpoint under the size of another": (
        moved("checkpoints/100", "checkpoints/200"),
        "BAD_CHECKPOINT",
        None,
    ),
}


@pytest.mark.parametrize("kind", TAMPERED)
async def test_a_bundle_that_was_tampered_with_is_rejected(copy: Path, kind: str) -> None:
    tamper, code, positions = TAMPERED[kind]
    tamper(copy)
    assert await rejected(BundleFiles(copy)) == (code, positions)


async def test_events_above_a_checkpoint_are_not_checked(copy: Path) -> None:
    (copy / "tile/entries/003").write_bytes(b"written when the power went")
    (copy / "tile/0/002.p/90").write_bytes(b"of a checkpoint that never came")
    await (await Verification.begin(BundleFiles(copy), TRUST)).run()


async def test_a_full_tile_stands_in_for_a_partial_one(copy: Path, tmp_path: Path) -> None:
    longer = await bundle(tmp_path / "longer", honest(800))
    for path in ("tile/entries/002", "tile/0/002"):
        shutil.copy(longer / path, copy / path)
        shutil.rmtree(copy / f"{path}.p")
    await (await Verification.begin(BundleFiles(copy), TRUST)).run()
    edited("tile/entries/002", flipped(150))(copy)
    assert await rejected(BundleFiles(copy)) == ("ALTERED_ENTRY", at(513))


async def test_a_directory_without_a_checkpoint_is_not_a_bundle(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "none"):
        with pytest.raises(InvalidInput, match="is not a bundle"):
            await Verification.begin(BundleFiles(place), TRUST)


def forked(position: int, /, **attributes: object) -> list[bytes]:
    """Return the entries with one changed."""
    entries = list(ENTRIES)
    entries[position - 1] = changed(entries[position - 1], **attributes)
    return entries


OTHER_EVENT = forked(280, id="another")


async def test_a_fork_signed_with_another_key_is_rejected() -> None:
    fork = ForgedLog(OTHER_EVENT, signed(OTHER_EVENT, OTHER))
    assert await rejected(fork) == ("UNKNOWN_KEY", None)


async def test_a_fork_under_the_honest_checkpoint_is_rejected() -> None:
    fork = ForgedLog(OTHER_EVENT, signed(ENTRIES))
    assert await rejected(fork) == ("WRONG_ROOT", at(1, SIZE))


async def test_a_fork_is_narrowed_down_by_kept_checkpoints() -> None:
    class Kept(ForgedLog):
        async def checkpoints(self, after: int) -> AsyncIterator[tuple[int, bytes]]:
            for size in (100, 256, 300, 500):
                yield size, signed(ENTRIES[:size])

    assert await rejected(Kept(OTHER_EVENT, signed(ENTRIES))) == ("WRONG_ROOT", at(257, 300))
    assert await rejected(Kept(OTHER_EVENT)) == ("FORKED", at(257, 300))
    disorder = forked(280, id="another")
    disorder[399] = changed(disorder[399], position="7")
    assert await rejected(Kept(disorder)) == ("WRONG_ROOT", at(257, 300))


@each_case("seen", [280, 300, 512, SIZE])
async def test_a_fork_signed_with_the_right_key_is_rejected_by_who_was_there_before(
    seen: int,
) -> None:
    assert await rejected(ForgedLog(OTHER_EVENT), saved=head(ENTRIES[:seen])) == (
        "FORKED",
        at(1, seen),
    )
    await (await Verification.begin(ForgedLog(OTHER_EVENT), TRUST, head(ENTRIES[:279]))).run()


async def test_a_fork_is_found_too_by_who_looks_only_at_what_is_new() -> None:
    for seen in (280, 512):
        verification = await Verification.begin(
            ForgedLog(OTHER_EVENT), TRUST, head(ENTRIES[:seen]), only_new=True
        )
        with pytest.raises(Rejected) as caught:
            await verification.run()
        assert caught.value.code == "FORKED"


async def test_a_stale_checkpoint_is_rejected_by_who_was_there_before() -> None:
    assert await rejected(ForgedLog(ENTRIES[:300]), saved=head(ENTRIES)) == (
        "SHRUNK",
        at(301, SIZE),
    )


async def test_a_backup_that_was_restored_and_has_grown_again_is_rejected() -> None:
    regrown = [*ENTRIES[:300], *OTHER_EVENT[300:400], *honest(900)[400:]]
    regrown[350] = changed(regrown[350], id="after the backup")
    assert await rejected(ForgedLog(regrown), saved=head(ENTRIES)) == ("FORKED", at(1, SIZE))


async def test_a_log_of_another_origin_is_rejected() -> None:
    elsewhere = signed(ENTRIES, origin="elsewhere.org/log")
    assert await rejected(ForgedLog(ENTRIES, elsewhere)) == ("WRONG_ORIGIN", None)
    saved = TrustedCheckpoint(
        b"", Checkpoint("elsewhere.org/log", 1, grown(ENTRIES[:1]).root()), ()
    )
    assert await rejected(ForgedLog(ENTRIES), saved=saved) == ("WRONG_ORIGIN", None)


@each_case(
    ("position", "attributes", "code"),
    [
        (280, {"position": "279"}, "WRONG_POSITION"),
        (280, {"position": "281"}, "WRONG_POSITION"),
        (280, {"time": stamp(3).decode()}, "WRONG_TIME"),
        (280, {"time": "2025-07-01T00:00:00"}, "NOT_AN_EVENT"),
        (280, {"version": 7}, "WRONG_VERSION"),
        (280, {"version": 0}, "WRONG_VERSION"),
        (280, {"version": -1}, "WRONG_VERSION"),
        (280, {"version": 2**40}, "WRONG_VERSION"),
        (280, {"version": "one"}, "NOT_AN_EVENT"),
        (280, {"id": "e1"}, "REPEATED_EVENT_ID"),
        (SIZE, {"version": 7}, "WRONG_VERSION"),  # the last one of all
        (SIZE, {"id": "e1"}, "REPEATED_EVENT_ID"),
    ],
)
async def test_a_signed_log_out_of_order_is_rejected(
    position: int, attributes: dict[str, object], code: str
) -> None:
    entries = forked(position, **attributes)
    entries[0] = changed(entries[0], id="e1")
    assert await rejected(ForgedLog(entries)) == (code, at(position))


async def test_events_that_changed_places_are_rejected() -> None:
    entries = list(ENTRIES)
    entries[10], entries[11] = entries[11], entries[10]
    assert await rejected(ForgedLog(entries)) == ("WRONG_POSITION", at(11))


async def test_an_earlier_fault_of_a_stream_comes_before_a_later_one_of_an_entry() -> None:
    entries = forked(40, version=9)
    entries[399] = changed(entries[399], position="7")
    assert await rejected(ForgedLog(entries)) == ("WRONG_VERSION", at(40))
    entries[29] = changed(entries[29], position="7")
    assert await rejected(ForgedLog(entries)) == ("WRONG_POSITION", at(30))


async def test_an_entry_that_is_signed_but_no_event_is_rejected() -> None:
    for nonsense in (b"", b"{]", b'"\xff"', b"[" * 5000, b'{"position":"5"}'):
        entries = [*ENTRIES[:4], nonsense, *ENTRIES[5:]]
        assert await rejected(ForgedLog(entries)) == ("NOT_AN_EVENT", at(5))


async def test_a_required_witness_must_have_cosigned() -> None:
    trust = TrustPolicy((KEY.verifier,), (WITNESS.verifier,))
    assert await rejected(ForgedLog(ENTRIES), trust) == ("NOT_WITNESSED", None)
    cosigned = signed(ENTRIES, KEY, WITNESS)
    verification = await Verification.begin(ForgedLog(ENTRIES, cosigned), trust)
    await verification.run()
    assert verification.head.signers == (KEY.verifier, WITNESS.verifier)
    other = signed(OTHER_EVENT, KEY, WITNESS).splitlines(keepends=True)
    borrowed = b"".join([*cosigned.splitlines(keepends=True)[:-1], other[-1]])
    assert await rejected(ForgedLog(ENTRIES, borrowed), trust) == ("BAD_SIGNATURE", None)


async def test_during_a_change_of_keys_either_is_enough_and_an_old_head_still_counts() -> None:
    old, new = OTHER, KEY
    both = signed(ENTRIES, old, new)

    class Kept(ForgedLog):
        async def checkpoints(self, after: int) -> AsyncIterator[tuple[int, bytes]]:
            yield 100, signed(ENTRIES[:100], old)

    for key, strangers in ((old, 0), (new, 1)):
        verification = await Verification.begin(Kept(ENTRIES, both), TrustPolicy((key.verifier,)))
        await verification.run()
        assert (verification.known_heads.count, verification.known_heads.unknown_signers) == (
            1,
            strangers,
        )
    assert await rejected(Kept(OTHER_EVENT[99:100] + list(ENTRIES[1:]), both)) == (
        "WRONG_POSITION",
        at(1),
    )


@each_case("seen", [0, 1, 255, 256, 257, 300, 512, 599, 600])
async def test_an_earlier_reader_continues_from_the_last_event_it_read(seen: int) -> None:
    class Counted(ForgedLog):
        read = 0

        async def entries(self, tile):  # type: ignore[no-untyped-def]
            entries = await super().entries(tile)
            self.read += len(entries)
            return entries

    source = Counted(ENTRIES)
    verification = await Verification.begin(source, TRUST, head(ENTRIES[:seen]), only_new=True)
    await verification.run()
    assert source.read == SIZE - max(seen - 1, 0) // 256 * 256
    assert verification.first == max(seen - 1, 0) // 256 * 256 + 1


async def test_an_empty_log_is_verified_too() -> None:
    verification = await Verification.begin(ForgedLog(()), TRUST)
    await verification.run()
    assert (verification.head.size, verification.recorded_at) == (0, None)
    assert await rejected(ForgedLog((), _note(0, ENTRIES))) == ("WRONG_ROOT", None)


def _note(size: int, entries: Sequence[bytes]) -> bytes:
    """Return a head with a size that differs from its root's."""
    text = str(Checkpoint(ORIGIN, size, grown(entries).root()))
    return str(Note(text, (KEY.sign(text),))).encode()
