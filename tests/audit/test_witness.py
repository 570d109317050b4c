"""Witnesses sign continuations of their log; a policy sets the quorum."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError

import pytest

from deploy.bootstrap import open_connection, running_tracker
from deploy.config.settings import signing
from tests.support.cases import each_case
from tests.support.published_log import check, fill, publisher, restored, superuser
from tests.support.time_limits import within
from tests.support.witness import TestWitness
from tracker.audit.format.checkpoint import Checkpoint, ConsistencyProof
from tracker.audit.format.merkle import EMPTY_ROOT
from tracker.audit.format.signed_note import COSIGNATURE, Note, Signer, Verifier
from tracker.audit.serve.proofs import ProofService
from tracker.audit.sign.keystore import KeyStore
from tracker.audit.sign.publisher import SigningOptions
from tracker.audit.sign.witness import Policy, add_checkpoint
from tracker.errors import InvalidInput, NotProven
from tracker.postgres.database import Pool, Target

KEY = str(Verifier("w.example/a", bytes(32), COSIGNATURE))
OF_A_LOG = str(Verifier("example.com/log", bytes(32)))


@pytest.fixture
def witnesses(keystore: KeyStore) -> Iterator[list[TestWitness]]:
    """Run three witnesses: a, b and c."""
    [key] = keystore.keys().verifiers
    with (
        TestWitness("w.example/a", key) as a,
        TestWitness("w.example/b", key) as b,
        TestWitness("w.example/c", key) as c,
    ):
        yield [a, b, c]


def policy(witnesses: list[TestWitness], *lines: str) -> Policy:
    """Return the policy of some witnesses with more lines."""
    return Policy.parse("\n".join([*(witness.policy for witness in witnesses), *lines]))


async def signers(pool: Pool, keystore: KeyStore, witnesses: list[TestWitness]) -> set[str]:
    """Return the signers of the newest checkpoint besides the log."""
    note = Note.parse((await ProofService(pool).last()).note.encode())
    keys = [witness.signer.verifier for witness in witnesses]
    note.check(keystore.keys().verifiers)
    return {key.name for key in note.verified_by(keys)}


async def test_a_checkpoint_that_needs_witnesses_waits_for_them(
    target: Target, pool: Pool, keystore: KeyStore, witnesses: list[TestWitness]
) -> None:
    a, b, c = witnesses
    publishing = publisher(
        pool, target, keystore, policy(witnesses, "group two 2 a b c", "quorum two")
    )
    await fill(target, 300)
    await publishing.catch_up()
    assert await signers(pool, keystore, witnesses) == {"w.example/a", "w.example/b", "w.example/c"}
    a.broken = True
    await fill(target, 300)
    await publishing.catch_up()
    assert await signers(pool, keystore, witnesses) == {"w.example/b", "w.example/c"}
    b.broken = True
    await fill(target, 300)
    with pytest.raises(NotProven, match="1 of the 3 witnesses signed the checkpoint of 900"):
        await publishing.catch_up()
    assert (await ProofService(pool).last()).size == 600
    a.broken = False
    await fill(target, 5)
    await publishing.catch_up()
    assert await signers(pool, keystore, witnesses) == {"w.example/a", "w.example/c"}
    assert await check(target, keystore) == [300, 600, 905]
    assert a.asked == [0, 300]
    assert c.asked == [0, 300, 600, 900]


async def test_a_new_publisher_learns_how_far_the_witnesses_are(
    target: Target, pool: Pool, keystore: KeyStore, witnesses: list[TestWitness]
) -> None:
    needed = policy(witnesses[:1], "quorum a")
    for _ in range(2):
        await fill(target, 10)
        await publisher(pool, target, keystore, needed).catch_up()
    assert witnesses[0].asked == [0, 0, 10]
    assert await check(target, keystore) == [10, 20]


@pytest.mark.parametrize("error", [(409, "text/plain", "5\n"), (400, "text/x.tlog.size", "5\n")])
def test_a_witness_says_its_size_by_nothing_but_a_conflict_of_that_type(
    keystore: KeyStore, witnesses: list[TestWitness], error: tuple[int, str, str]
) -> None:
    witnesses[0].broken, witnesses[0].error = True, error
    [witness] = policy(witnesses[:1], "quorum a").witnesses
    note = keystore.keys().sign(Checkpoint("example.com/log", 9, EMPTY_ROOT))
    with pytest.raises(HTTPError):
        add_checkpoint(witness, note, ConsistencyProof(5, (), str(note)))


async def test_published_checkpoints_are_cosigned_afterwards(
    target: Target, pool: Pool, keystore: KeyStore, witnesses: list[TestWitness]
) -> None:
    witnesses[1].broken = True
    publishing = publisher(pool, target, keystore, policy(witnesses[:2], "quorum none"))
    await fill(target, 300)
    await publishing.catch_up()
    assert await signers(pool, keystore, witnesses) == set()
    for _ in range(2):
        await publishing.cosign_newest()
    assert await signers(pool, keystore, witnesses) == {"w.example/a"}
    witnesses[1].broken = False
    await publishing.cosign_newest()
    assert await signers(pool, keystore, witnesses) == {"w.example/a", "w.example/b"}
    assert witnesses[0].asked == [0]


async def test_a_running_tracker_collects_cosignatures(
    target: Target, pool: Pool, keystore: KeyStore, witnesses: list[TestWitness]
) -> None:
    await fill(target, 3)
    async with running_tracker(
        target, SigningOptions(keystore, policy=policy(witnesses, "quorum none"))
    ) as services:
        published = services.proofs
        async with asyncio.timeout(within(60)):
            while not await published.size() or (await published.last()).note.count("— ") < 4:
                await asyncio.sleep(0.01)
    assert len(await signers(pool, keystore, witnesses)) == 3


async def test_a_log_that_lost_what_a_witness_has_seen_is_not_signed(
    target: Target, pool: Pool, keystore: KeyStore, witnesses: list[TestWitness]
) -> None:
    needed = policy(witnesses[:1], "quorum a")
    await fill(target, 300)
    await publisher(pool, target, keystore, needed).catch_up()
    await superuser(target, *restored(100))
    (keystore.directory / "head").unlink()  # the keystore is of the backup, too
    with pytest.raises(NotProven, match="has seen 300 entries of this log, which has 100"):
        await publisher(pool, target, keystore, needed).catch_up()
    await fill(target, 300, word="other")
    with pytest.raises(NotProven, match="0 of the 1 witnesses"):
        await publisher(pool, target, keystore, needed).catch_up()
    async with open_connection(target) as connection:
        assert await connection.fetchval("SELECT count(*) FROM log.checkpoints") == 0


async def test_a_signature_of_another_key_does_not_count(
    target: Target, pool: Pool, keystore: KeyStore, witnesses: list[TestWitness]
) -> None:
    a = witnesses[0]
    needed = policy([a], "quorum a")
    a.signer = Signer.new(a.signer.name, COSIGNATURE)
    await fill(target, 3)
    with pytest.raises(NotProven, match="0 of the 1 witnesses"):
        await publisher(pool, target, keystore, needed).catch_up()


def test_groups_of_groups_stand_when_enough_of_them_do() -> None:
    keys = {name: Signer.new(name, COSIGNATURE).verifier for name in "abcd"}
    found = Policy.parse(
        "\n".join(
            [
                "# a comment",
                "log whatever",
                "",
                *(f"witness {name} {key} https://{name}.example/w" for name, key in keys.items()),
                "group left any a b",
                "group right all c d",
                "group both 2 left right",
                "quorum both",
            ]
        )
    )
    assert found.required
    for names, stands in (("", False), ("a", False), ("cd", False), ("bcd", True), ("abc", False)):
        assert found.satisfied([keys[name] for name in names]) == stands
    assert Policy.parse("quorum none").satisfied([])


@each_case(
    ("text", "about"),
    [
        ("", "no quorum"),
        ("quorum a", "witness or group of a line above"),
        ("quorum none\nquorum none", "line 2"),
        (f"witness a {KEY}\nquorum a", "witness NAME KEY URL"),
        (f"witness none {KEY} http://w\nquorum none", "not taken"),
        (f"witness a {KEY} ftp://w\nquorum a", "http or https"),
        ("witness a b http://w\nquorum a", "verifier key"),
        (f"witness a {KEY} http://w\ngroup g 2 a\nquorum g", "up to 1"),
        (f"witness a {KEY} http://w\ngroup g 0 a\nquorum g", "up to 1"),
        (f"witness a {KEY} http://w\ngroup g any a\ngroup h any a\nquorum h", "member already"),
        (f"witness a {OF_A_LOG} http://w\nquorum a", "one of a witness"),
    ],
)
def test_a_policy_that_is_none_is_refused_with_its_line(text: str, about: str) -> None:
    with pytest.raises(InvalidInput, match=about):
        Policy.parse(text)


def test_the_policy_is_a_file_that_a_setting_names(tmp_path: Path) -> None:
    given = tmp_path / "policy"
    given.write_text(f"witness a {KEY} http://w\nquorum a\n")
    found = signing(tmp_path, {"TRACKER_WITNESSES": str(given), "TRACKER_LOG_ORIGIN": "o"})
    assert found is not None
    assert (found.origin, found.policy.quorum) == ("o", "a")
    assert found.keystore.directory == tmp_path / "audit"
    for text in ("nonsense\n", None):
        given.write_text(text) if text else given.unlink()
        with pytest.raises(InvalidInput, match="TRACKER_WITNESSES"):
            signing(tmp_path, {"TRACKER_WITNESSES": str(given)})
    assert signing(tmp_path, {"TRACKER_DATABASE_URL": "postgresql://db"}) is None
