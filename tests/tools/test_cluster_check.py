"""The cluster check detects broken guarantees."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from tests.faults.load import Broken
from tests.support.cases import each_case
from tools.cluster.check import acknowledgements_hold, stayed
from tools.cluster.checkpoints import Head, NotConsistent, Tree, check_heads, read_head
from tools.cluster.followers import Follower, messages
from tools.cluster.world import Tracker, longest_silence
from tracker.audit.format.checkpoint import Checkpoint
from tracker.audit.format.signed_note import Note, Signer

EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
ENTRIES = [b"", b"\0", b"\x10", b"\x20\x21", b"\x30\x31", b"\x40\x41\x42\x43"]
ROOTS = (
    EMPTY,
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
)
"""Of the reference implementation (certificate-transparency), for its first six test entries."""


def heads(*sizes: int, of: Sequence[bytes] = ENTRIES) -> list[Head]:
    """Return the signed heads of a log at some sizes."""
    return [Head(size, Tree(of).root(size)) for size in sizes]


@each_case("size", range(len(ROOTS)))
def test_roots_are_those_of_the_reference(size: int) -> None:
    assert Tree(ENTRIES).root(size).hex() == ROOTS[size]


def test_checkpoints_of_one_log_are_consistent() -> None:
    check_heads(heads(*range(7)), ENTRIES)


@each_case(
    ("signed", "entries"),
    [
        (heads(6), ENTRIES[:5]),
        (heads(3), [*ENTRIES[:2], b"another", *ENTRIES[3:]]),
        (heads(1, 2, 3, of=[b"another", *ENTRIES[1:]]), ENTRIES),
        (heads(2), [ENTRIES[1], ENTRIES[0], *ENTRIES[2:]]),
    ],
    ids=["lost after it was signed", "another in its place", "forked", "in another order"],
)
def test_a_checkpoint_that_the_log_lacks_is_noticed(
    signed: list[Head], entries: list[bytes]
) -> None:
    with pytest.raises(NotConsistent):
        check_heads(signed, entries)


def test_a_checkpoint_is_read_by_its_key_alone() -> None:
    signer, other = Signer.new("example.org/log"), Signer.new("example.org/log")
    text = str(Checkpoint("example.org/log", 2, Tree(ENTRIES).root(2)))
    note = str(Note(text, (signer.sign(text),)))
    assert read_head(note, str(signer.verifier)) == heads(2)[0]
    for wrong, key in (
        (note, other.verifier),
        (note.replace("\n2\n", "\n3\n"), signer.verifier),
        (str(Note(text, (Signer.new("example.org/other").sign(text),))), signer.verifier),
    ):
        with pytest.raises(NotConsistent):
            read_head(wrong, str(key))


def refused(*codes: str) -> Follower:
    """Return a follower of ten events with consecutive errors."""
    follower = Follower("f", lambda: "")
    for position in range(1, 11):
        follower.got(position, f"e{position}", f"{position}-0")
    for code in codes:
        follower.refused([{"message": "", "extensions": {"code": code}}])
    return follower


def test_a_follower_that_should_only_come_back_was_told_nothing() -> None:
    follower = refused("UNAVAILABLE", "TIMEOUT")
    acknowledgements_hold([follower])
    assert follower.token == "10-0"


@each_case("code", ["POSITION_BEYOND_HEAD", "LOG_DIVERGED", "LOG_SET_BACK", "INTERNAL"])
def test_a_follower_that_was_told_of_another_log_is_noticed(code: str) -> None:
    with pytest.raises(Broken, match=code):
        acknowledgements_hold([refused(code)])


def test_a_follower_looks_for_the_common_part_with_older_tokens() -> None:
    follower = refused("LOG_DIVERGED", "LOG_DIVERGED", "POSITION_BEYOND_HEAD")
    assert follower.token == "3-0"
    assert follower.seen[-1] == (3, "e3")
    follower.refused([{"message": "", "extensions": {"code": "LOG_DIVERGED"}}])
    assert follower.token == "0"


@pytest.mark.parametrize("code", [3, 0, -11])
def test_a_tracker_that_ended_by_itself_is_noticed(tmp_path: Path, code: int) -> None:
    tracker = Tracker("a", tmp_path, {})
    tracker.ends.append((-9, "killed"))
    stayed([tracker])
    tracker.ends.append((code, "The log was set back."))
    with pytest.raises(Broken, match="set back"):
        stayed([tracker])


@each_case(
    ("told", "since", "seconds"),
    [([1, 2, 9, 10], 3, 7), ([9, 1, 10, 2], 3, 7), ([1, 8, 9, 12], 8.5, 3), ([1, 5], 6, 0)],
    ids=["after the fault", "out of order", "before the fault", "never again"],
)
def test_seconds_without_writes_are_those_since_the_fault(
    told: list[float], since: float, seconds: float
) -> None:
    assert longest_silence(told, since) == seconds


async def test_messages_of_a_stream_are_those_with_data() -> None:
    async def lines() -> AsyncIterator[str]:
        for line in (
            "retry: 1000",
            ":",
            "",
            "id: 1-a",
            "data: {}",
            "",
            ":",
            "event: failed",
            "data: x",
            "",
        ):
            await asyncio.sleep(0)
            yield line

    found = [message async for message in messages(lines())]
    assert found == [{"id": "1-a", "data": "{}"}, {"event": "failed", "data": "x"}]
