"""Auditor requests over HTTP and GraphQL, verified by our code and by Go's."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from deploy.bootstrap import open_connection, running_tracker
from schema.services import Access, Services
from tests.support.api import Api, control
from tests.support.merkle_proofs import all_tiles, check_inclusion
from tests.support.published_log import fill, publish, restored, roots_of, superuser
from tests.support.static_log import write_file
from tests.support.sumdb import sumdb, verified
from tests.support.time_limits import within
from tracker.audit.format.checkpoint import Checkpoint, ConsistencyProof, InclusionProof
from tracker.audit.format.merkle import check_consistency
from tracker.audit.format.signed_note import Note, Verifier, from_base64
from tracker.audit.sign.keystore import KeyStore
from tracker.audit.sign.publisher import SigningOptions
from tracker.log.entry_hash import leaf_hash
from tracker.postgres.database import Target

SIZES = (1, 200, 256, 700)


@pytest.fixture
async def log(target: Target, keystore: KeyStore) -> AsyncIterator[Api]:
    """Run the API of a log of 700 events with four checkpoints, and three events without one."""
    size = 0
    for more in SIZES:
        await fill(target, more - size, bytes=more)
        await publish(target, keystore.directory)
        size = more
    await fill(target, 3)
    async with running_tracker(target) as services:
        yield Api(services)


async def text(api: Api, path: str) -> str:
    """Return a text response."""
    response = await api.request("GET", f"/log/{path}")
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache"
    return response.text


async def refused(api: Api, path: str) -> tuple[int, str]:
    """Return the status and code of an error, which must not be cached."""
    response = await api.request("GET", f"/log/{path}")
    assert response.headers["cache-control"] == "no-store"
    return response.status_code, response.json()["errors"][0]["extensions"]["code"]


async def entries(target: Target) -> list[bytes]:
    """Return the entries of the log."""
    async with open_connection(target) as connection:
        return [
            row["entry"]
            for row in await connection.fetch("SELECT entry FROM log.events ORDER BY position")
        ]


def opened(note: str, keystore: KeyStore) -> Checkpoint:
    """Return a checkpoint signed by our key."""
    parsed = Note.parse(note.encode())
    parsed.check(keystore.keys().verifiers)
    return Checkpoint.parse(parsed.text)


async def test_every_checkpoint_is_kept_and_served(
    log: Api, keystore: KeyStore, target: Target
) -> None:
    roots = roots_of(await entries(target), SIZES)
    for size in SIZES:
        note = await text(log, f"checkpoint/{size}")
        assert opened(note, keystore) == Checkpoint("example.com/log", size, roots[size])
    assert await text(log, "checkpoint") == note


async def test_all_tiles_of_every_checkpoint_are_served_for_ever(log: Api, target: Target) -> None:
    leaves = [leaf_hash(entry) for entry in await entries(target)]
    for tile in {tile for size in SIZES for tile in all_tiles(size)}:
        response = await log.request("GET", f"/log/tile/{tile.path}")
        assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert response.headers["content-type"] == "application/octet-stream"
        assert len(response.content) == 32 * tile.width
        if tile.level == 0:
            first = tile.number * 256
            assert response.content == b"".join(leaves[first : first + tile.width])


async def test_entries_are_served_as_they_are_stored(log: Api, target: Target) -> None:
    stored = await entries(target)
    for place, first, last, accepted in (
        ("000", 0, 256, "gzip"),
        ("002.p/188", 512, 700, "gzip"),
        ("000", 0, 256, "identity"),
    ):
        response = await log.request(
            "GET", f"/log/tile/entries/{place}", headers={"Accept-Encoding": accepted}
        )
        assert response.headers.get("content-encoding", "identity") == accepted
        assert response.content == b"".join(
            len(entry).to_bytes(2, "big") + entry for entry in stored[first:last]
        )
    events = await log.request(
        "GET", "/events?after=0&follow=false", headers={"Accept": "application/x-ndjson"}
    )
    assert events.content.split(b"\n")[:-1] == stored


async def test_every_proof_verifies(log: Api, target: Target, keystore: KeyStore) -> None:
    stored = await entries(target)
    for size in SIZES:
        for position in {1, size // 2 + 1, size}:
            proof = InclusionProof.parse(await text(log, f"proof/{position}?size={size}"))
            head = opened(proof.checkpoint, keystore)
            assert (proof.index, head.size) == (position - 1, size)
            check_inclusion(
                leaf_hash(stored[position - 1]), proof.index, size, list(proof.hashes), head.root
            )
        for old in (0, 1, size // 2, size):
            grown = ConsistencyProof.parse(await text(log, f"consistency/{old}?size={size}"))
            head = opened(grown.checkpoint, keystore)
            check_consistency(old, size, grown.hashes, roots_of(stored, [old])[old], head.root)
    newest = await text(log, "proof/5")
    assert newest == await text(log, f"proof/5?size={SIZES[-1]}")


MISSING = [
    ("checkpoint/2", 404, "NOT_FOUND"),
    ("checkpoint/x", 400, "INVALID_POSITION"),
    ("checkpoint/9223372036854775807", 404, "NOT_FOUND"),
    ("tile/0/002.p/191", 404, "NOT_FOUND"),
    ("tile/0/002", 404, "NOT_FOUND"),
    ("tile/1/000.p/3", 404, "NOT_FOUND"),
    ("tile/2/000.p/1", 404, "NOT_FOUND"),
    ("tile/0/0", 404, "NOT_FOUND"),
    ("tile/64/000", 404, "NOT_FOUND"),
    ("tile/63/999.p/255", 404, "NOT_FOUND"),
    ("tile/entries/002", 404, "NOT_FOUND"),
    ("tile/0/" + "x999/" * 300 + "999", 404, "NOT_FOUND"),
    ("tile/", 404, "NOT_FOUND"),
    ("proof/0", 404, "NOT_FOUND"),
    ("proof/701", 404, "NOT_FOUND"),
    ("proof/x", 400, "INVALID_POSITION"),
    ("proof/1?size=2", 404, "NOT_FOUND"),
    ("proof/1?sise=2", 400, "BAD_REQUEST"),
    ("proof/201?size=200", 404, "NOT_FOUND"),
    ("consistency/701", 400, "INVALID_INPUT"),
    ("consistency/-1", 400, "INVALID_POSITION"),
    ("consistency/9223372036854775808", 400, "INVALID_POSITION"),
]


async def test_a_missing_publication_is_a_clear_error(log: Api) -> None:
    for path, status, code in MISSING:
        assert await refused(log, path) == (status, code), path


async def test_go_verifies_what_is_served(log: Api, keystore: KeyStore, tmp_path: Path) -> None:
    program, here = sumdb(tmp_path), tmp_path / "log"
    paths = ["checkpoint"]
    for tile in all_tiles(SIZES[-1]):
        paths += [f"tile/{tile.path}"] + [f"tile/{tile.entries_path}"] * (tile.level == 0)
    for path in paths:
        write_file(here / path, (await log.request("GET", f"/log/{path}")).content)
    for position in (1, 256, 257, 700):
        write_file(here / f"{position}.tlog-proof", (await text(log, f"proof/{position}")).encode())
    for old in (1, 200, 256, 699):
        write_file(here / f"{old}.add-checkpoint", (await text(log, f"consistency/{old}")).encode())
    [key] = keystore.keys().verifiers
    assert verified(program, str(here), str(key)) == (
        "700 entries, 4 inclusion proofs, 4 consistency proofs\n"
    )


async def test_an_entry_changed_with_force_has_no_proof_that_verifies(
    log: Api, target: Target, keystore: KeyStore
) -> None:
    await superuser(target, "UPDATE log.events SET entry = '{}' WHERE position IN (3, 699)")
    stored = await entries(target)
    for position in (3, 699):
        proof = InclusionProof.parse(await text(log, f"proof/{position}"))
        head = opened(proof.checkpoint, keystore)
        with pytest.raises(Exception, match="does not lead"):
            check_inclusion(
                leaf_hash(stored[position - 1]),
                proof.index,
                head.size,
                list(proof.hashes),
                head.root,
            )


async def test_a_log_with_holes_is_not_an_internal_error(log: Api, target: Target) -> None:
    await superuser(target, "DELETE FROM log.events WHERE position = 699", "DELETE FROM log.tiles")
    assert await refused(log, "proof/5") == (503, "NOT_PROVEN")
    assert (await log.refused('{ inclusionProof(position: "5") { text } }'))[0] == "NOT_PROVEN"


async def test_where_reading_takes_a_token_auditing_does_too(log: Api, services: Services) -> None:
    closed = Api(log.services, Access(token="auditor", read_open=False))
    assert await refused(closed, "checkpoint") == (401, "UNAUTHENTICATED")
    assert await refused(closed, "tile/0/000") == (401, "UNAUTHENTICATED")
    response = await closed.request(
        "GET", "/log/tile/0/000", headers={"Authorization": "Bearer auditor"}
    )
    assert response.status_code == 200
    assert response.headers["cache-control"].startswith("private")


PROOF = "position leafHash hashes text checkpoint { size root note signedAt }"


async def test_graphql_gives_the_same(log: Api, target: Target, keystore: KeyStore) -> None:
    found = await log.ask(f"""{{
        newest: checkpoint {{ size root note signedAt }}
        older: checkpoint(size: "200") {{ size note }}
        inclusionProof(position: "5", size: "256") {{ {PROOF} }}
        consistencyProof(from: "200", to: "256") {{ from hashes text checkpoint {{ size }} }}
        grown: consistencyProof(from: "256") {{ text }}
    }}""")
    assert found["newest"]["note"] == await text(log, "checkpoint")
    assert found["newest"]["size"] == "700"
    assert found["older"]["note"] == await text(log, "checkpoint/200")
    assert found["inclusionProof"]["text"] == await text(log, "proof/5?size=256")
    assert found["consistencyProof"]["text"] == await text(log, "consistency/200?size=256")
    assert found["grown"]["text"] == await text(log, "consistency/256")
    check_proof(found["inclusionProof"], (await entries(target))[4], keystore)


def check_proof(proof: dict[str, Any], entry: bytes, keystore: KeyStore) -> None:
    """Check an inclusion proof as GraphQL gives it."""
    head = opened(proof["checkpoint"]["note"], keystore)
    assert (str(head.size), head.root) == (
        proof["checkpoint"]["size"],
        from_base64(proof["checkpoint"]["root"]),
    )
    assert from_base64(proof["leafHash"]) == leaf_hash(entry)
    check_inclusion(
        leaf_hash(entry),
        int(proof["position"]) - 1,
        head.size,
        list(map(from_base64, proof["hashes"])),
        head.root,
    )


NOT_THERE = [
    ('checkpoint(size: "2") { size }', "NOT_FOUND"),
    ('inclusionProof(position: "701") { text }', "NOT_FOUND"),
    ('inclusionProof(position: "x") { text }', "INVALID_POSITION"),
    ('consistencyProof(from: "300", to: "200") { text }', "INVALID_INPUT"),
    ('consistencyProof(from: "300", to: "300") { text }', "NOT_FOUND"),
]


async def test_graphql_refuses_what_is_not_there(log: Api) -> None:
    for question, code in NOT_THERE:
        assert (await log.refused(f"{{ {question} }}"))[0] == code, question


async def test_events_have_their_proof_once_a_checkpoint_covers_them(
    target: Target, keystore: KeyStore
) -> None:
    async with running_tracker(target) as services:
        api = Api(services)
        await api.do("announceExportControl", control("a"))
        await api.do("announceExportControl", control("b"))
        asked = f"{{ events {{ nodes {{ proof {{ {PROOF} }} }} }} }}"
        assert [node["proof"] for node in (await api.ask(asked))["events"]["nodes"]] == [None] * 2
        await publish(target, keystore.directory)
        await api.do("announceExportControl", control("c"))
        one, two, three = (await api.ask(asked))["events"]["nodes"]
        for node, entry in zip((one, two), await entries(target), strict=False):
            check_proof(node["proof"], entry, keystore)
        assert three["proof"] is None


async def test_operators_see_how_far_the_log_is_signed_and_why_not(
    log: Api, target: Target, keystore: KeyStore
) -> None:
    metrics = (await log.request("GET", "/metrics")).text
    assert "tracker_checkpoint_size 700.0" in metrics
    assert "tracker_signing_refused 0.0" in metrics
    assert float(metrics.split("\ntracker_checkpoint_lag_seconds ")[1].split()[0]) > 0
    ready = (await log.request("GET", "/readyz")).json()
    assert (ready["checkpoint"], ready["warnings"]) == (700, [])
    await superuser(target, *restored(690))
    async with running_tracker(target, SigningOptions(keystore)) as services:
        api = Api(services)
        async with asyncio.timeout(within(60)):
            while services.publisher and services.publisher.trouble is None:
                await asyncio.sleep(0.01)
        ready = (await api.request("GET", "/readyz")).json()
        assert "the log is not signed: the log has 690 events" in ready["warnings"][0]
        assert "tracker_signing_refused 1.0" in (await api.request("GET", "/metrics")).text


async def test_the_queries_of_the_documentation_are_answered(log: Api) -> None:
    page = (Path(__file__).parents[2] / "docs" / "audit.md").read_text(encoding="utf-8")
    queries = re.findall(r"```graphql\n(.*?)```", page, re.DOTALL)
    assert queries
    for query in queries:
        assert await log.ask(query)


async def test_the_keys_of_the_log_are_reported_by_who_signs_it(
    log: Api, target: Target, keystore: KeyStore
) -> None:
    assert await refused(log, "key") == (404, "NOT_FOUND")
    assert (await log.refused("{ logKeys { key } }"))[0] == "NOT_FOUND"
    [old] = keystore.keys().verifiers
    async with running_tracker(target, SigningOptions(keystore)) as services:
        api = Api(services)
        assert await text(api, "key") == f"{old}\n"
        note = Note.parse((await text(api, "checkpoint")).encode())
        note.check([Verifier.parse(line) for line in (await text(api, "key")).splitlines()])
        keystore.rotate()
        new = keystore.retire().verifiers[0]
        assert await text(api, "key") == f"{old}\n{new}\n"
        assert "PRIVATE" not in await text(api, "key")
        found = await api.ask("{ logKeys { key name keyId signs } }")
    assert found["logKeys"] == [
        {"key": str(key), "name": "example.com/log", "keyId": f"{key.id:08x}", "signs": signs}
        for key, signs in ((old, False), (new, True))
    ]
