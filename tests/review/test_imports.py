"""Files that people accept are imported in the background, once, under their names."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from deploy.bootstrap import open_connection, open_pool
from tests.support.fact_builders import claimed
from tests.support.findings import figures
from tests.support.importer import ImportFixture, line
from tracker.log.recorder import Recorder
from tracker.postgres.database import WATCHER, Pool, Target
from tracker.review import imports
from tracker.review.candidate import Candidate, CandidateState
from tracker.review.findings import propose
from tracker.review.imports import AcceptedImports
from tracker.review.review import Review, Reviewer
from tracker.snapshots.store import SnapshotStore
from tracker.sources.importing.importer import import_file
from tracker.sources.reader import File
from tracker.sources.readers import corpus_format

ANN = Reviewer("ann")
FILE = line("a", claimed(1), None, "Figure.Claimed") + line(
    "b", claimed(2, year=2022), None, "Figure.Claimed"
)
Offer = Callable[[bytes], Awaitable[None]]


@pytest.fixture
def work(target: Target, pool: Pool, review: Review) -> AcceptedImports:
    """Create the imports of accepted candidates."""
    return AcceptedImports(target, review, SnapshotStore(pool))


@pytest.fixture
def offered(target: Target) -> Offer:
    """Return a function that stores and queues a file, like the watcher."""

    async def offer(content: bytes) -> None:
        async with open_pool(target, role=WATCHER, size=1) as pool:
            sha256 = await SnapshotStore(pool).put(content, "application/jsonl")
            await propose(pool, "a", [figures(reader="corpus", sha256=sha256)])

    return offer


async def accepted(review: Review, id: int = 1) -> Candidate:
    """Accept a file, which then waits for its import."""
    found = await review.accept(id, ANN)
    assert found.state is CandidateState.ACCEPTING
    return found


async def test_a_file_is_imported_under_the_name_of_who_accepted_it(
    review: Review, work: AcceptedImports, offered: Offer, recorder: Recorder
) -> None:
    await offered(FILE)
    await accepted(review)
    await work.work_off()
    done = await review.candidates.get(1)
    assert (done.state, done.position) == (CandidateState.ACCEPTED, 3)
    *claims, receipt = await recorder.read()
    assert [event.event_id for event in claims] == ["a", "b"]
    for event in claims:
        assert (event.actor, event.fact.source.reviewed_by) == ("ann", ("ann",))
        assert event.fact.source.snapshot == hashlib.sha256(FILE).hexdigest()
    assert (receipt.type, receipt.actor) == ("Import.Recorded", "ann")
    assert receipt.data["file"] == "mcs2025.csv"


async def test_a_later_import_corrects_what_a_person_accepted_before(
    review: Review,
    work: AcceptedImports,
    offered: Offer,
    importer: ImportFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reader = replace(corpus_format.READER, strict=False, corrects=True)
    monkeypatch.setattr("tracker.sources.registry.reader_named", lambda _: reader)
    await offered(FILE)
    await accepted(review)
    await work.work_off()
    mended = importer.directory / "mended.jsonl"
    mended.write_bytes(FILE.replace(b'"value":"2"', b'"value":"3"'))
    outcome = await import_file(importer.target, reader, File.at(mended))
    counts = outcome.receipt.counts
    assert (counts.corrected, counts.unchanged, counts.refused) == (1, 1, 0)


async def test_a_file_that_a_strict_format_refuses_waits_again_with_the_reasons(
    review: Review, work: AcceptedImports, offered: Offer, recorder: Recorder
) -> None:
    await offered(FILE + b'{"type": "Figure.Claimed"}\n')
    await accepted(review)
    await work.work_off()
    waiting = await review.candidates.get(1)
    assert (waiting.state, waiting.accepted_by) == (CandidateState.PENDING, ())
    assert waiting.refusal is not None
    assert waiting.refusal.startswith("the file has places that are refused; 1 times: ")
    assert await recorder.head() == 0


async def test_a_crash_after_the_import_is_found_by_its_receipt(
    review: Review,
    work: AcceptedImports,
    offered: Offer,
    recorder: Recorder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await offered(FILE)
    await accepted(review)

    async def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Review, "finish", crash)
        with pytest.raises(KeyboardInterrupt):
            await work.work_off()
    assert await recorder.head() == 3
    await work.work_off()
    done = await review.candidates.get(1)
    assert (done.state, done.position) == (CandidateState.ACCEPTED, 3)
    assert await recorder.head() == 3


async def test_a_snapshot_that_is_gone_has_the_file_wait_again(
    review: Review, work: AcceptedImports, target: Target
) -> None:
    async with open_connection(target, role=WATCHER) as connection:
        await propose(connection, "a", [figures(reader="corpus")])
    await accepted(review)
    await work.work_off()
    waiting = await review.candidates.get(1)
    assert waiting.refusal == "the snapshot is not here any more"


async def test_of_several_processes_one_imports(
    review: Review, work: AcceptedImports, offered: Offer, target: Target, recorder: Recorder
) -> None:
    await offered(FILE)
    await accepted(review)
    async with open_connection(target) as other:
        assert await other.fetchval(imports.SQL.take_turn)
        await work.work_off()
        assert await recorder.head() == 0
    await work.work_off()
    assert await recorder.head() == 3


async def test_an_acceptance_wakes_the_imports(
    review: Review, work: AcceptedImports, offered: Offer
) -> None:
    await offered(FILE)
    async with work, asyncio.timeout(imports.POLL_INTERVAL_SECONDS * 4):
        await accepted(review)
        while (await review.candidates.get(1)).state is not CandidateState.ACCEPTED:
            await asyncio.sleep(0.02)
