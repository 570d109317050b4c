"""The shipped log: each release is the beginning of the next one, and of every new installation.

The releases of these tests have the first lines of the corpus, whatever they are.
"""

import asyncio
import json
import lzma
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import pytest
from msgspec import structs

from deploy.bootstrap import open_connection, open_pool, running_tracker
from deploy.cli import demo_log
from deploy.cli.query import CLI_CALLER
from deploy.postgres import Postgres
from schema.receipts.query import issue_receipt
from schema.services import Access, Services
from tests.conftest import copied
from tests.deploy.test_verify_receipts import fault, verified, write_bundle
from tests.support.api import Api
from tests.support.corpus_lines import shipped_lines
from tests.support.importer import CLAIM, SUSPENSION
from tests.support.waiting import all_projected, all_signed
from tracker.audit.bundle.packed import ANNEXES_FILE, ENTRIES_FILE, PackedLog
from tracker.audit.format.signed_note import Signer
from tracker.audit.sign.keystore import KeyStore, LogKeys
from tracker.audit.sign.publisher import SigningOptions
from tracker.audit.verify.verifier import Verification
from tracker.corpus.copying import copy_shipped_log
from tracker.corpus.release import ORIGIN, Release, append_release, has_corpus
from tracker.corpus.shipped import SHIPPED_LOG, shipped_size
from tracker.domain.entities.entity import TYPES
from tracker.errors import InvalidInput, Rejected
from tracker.log.entries import recorded
from tracker.log.recorder import Recorder
from tracker.postgres.database import Target
from tracker.sources.importing.importer import import_file
from tracker.sources.reader import File
from tracker.sources.readers import corpus_format
from tracker.sources.readers.corpus_format import format_line, parse_line

LINES = shipped_lines()[:600]
DAY, LATER = date(2026, 12, 1), date(2027, 1, 15)
KEYS = LogKeys((Signer.new(ORIGIN),))
FILES = (ENTRIES_FILE, ANNEXES_FILE)
COMMITMENT = re.compile(rb"salted-sha256-v1:[0-9a-f]{64}")


def corpus_of(directory: Path, lines: list[bytes]) -> File:
    """Write lines as the corpus beside a log."""
    path = directory.with_suffix(".jsonl")
    path.write_bytes(b"".join(lines))
    return File(path, "corpus.jsonl")


MakeRelease = Callable[..., Awaitable["Release | None"]]


@pytest.fixture(scope="module")
def release(server: Postgres, empty_template: str) -> MakeRelease:
    """Return a function that appends lines to the log in a directory."""

    async def append(
        directory: Path, lines: list[bytes], day: date = DAY, keys: LogKeys = KEYS
    ) -> Release | None:
        databases = copied(server, empty_template)
        scratch = await asyncio.to_thread(next, databases)
        made = await append_release(scratch, directory, corpus_of(directory, lines), keys, day)
        await asyncio.to_thread(next, databases, None)
        return made

    return append


@dataclass(frozen=True)
class Releases:
    """A log after its first release, and after its second one."""

    first: PackedLog
    second: PackedLog


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory, release: MakeRelease) -> Releases:
    """Make two releases."""
    directory = tmp_path_factory.mktemp("releases")

    async def make() -> None:
        assert await release(directory / "second", LINES[:300])
        shutil.copytree(directory / "second", directory / "first")
        assert await release(directory / "second", LINES, LATER)

    asyncio.run(make())
    return Releases(PackedLog(directory / "first"), PackedLog(directory / "second"))


@pytest.fixture
def other_target(server: Postgres, empty_template: str) -> Iterator[Target]:
    """Create another empty database."""
    yield from copied(server, empty_template)


async def copy(target: Target, log: PackedLog) -> int:
    """Copy a shipped log to a database."""
    async with open_pool(target) as pool, open_connection(target) as connection:
        return await copy_shipped_log(connection, pool, log)


async def size_in(target: Target, log: PackedLog) -> int:
    """Return the number of events of a shipped log in a database."""
    async with open_connection(target) as connection:
        return await shipped_size(connection, log.directory)


async def test_a_release_appends_to_the_files_of_the_one_before(releases: Releases) -> None:
    first, second = releases.first, releases.second
    for name in FILES:
        assert second.packed(name).startswith(first.packed(name))
        assert len(second.packed(name)) > len(first.packed(name))
    old, new = await first.all_entries(), await second.all_entries()
    assert (len(old), len(new)) == (301, 602)  # each with its receipt
    assert new[:301] == old
    verification = await Verification.begin(second, await second.trust())
    await verification.run()
    assert verification.known_heads.count == 2


async def test_equal_input_gives_equal_files_with_any_signer(
    release: MakeRelease, releases: Releases, tmp_path: Path
) -> None:
    assert await release(tmp_path / "log", LINES[:300], keys=LogKeys((Signer.new(ORIGIN),)))
    log = PackedLog(tmp_path / "log")
    for name in FILES:
        assert log.packed(name) == releases.first.packed(name)
    assert (await log.head()).splitlines()[:3] == (await releases.first.head()).splitlines()[:3]


async def test_a_released_corpus_is_not_released_again(
    release: MakeRelease, releases: Releases, tmp_path: Path
) -> None:
    shutil.copytree(releases.first.directory, tmp_path / "log")
    assert await release(tmp_path / "log", LINES[:300], LATER) is None
    for lines, is_released in ((LINES[:300], True), (LINES, False)):
        assert await has_corpus(releases.first, corpus_of(tmp_path / "x", lines)) is is_released
    assert PackedLog(tmp_path / "log").packed(ENTRIES_FILE) == releases.first.packed(ENTRIES_FILE)


async def test_a_changed_fact_is_corrected_and_its_earlier_form_stays(
    release: MakeRelease, tmp_path: Path
) -> None:
    at, planned = next(
        (at, planned)
        for at, planned in enumerate(map(parse_line, LINES[:300]))
        if TYPES[type(planned.fact)].startswith("ExportControl.")
    )
    fact = structs.replace(planned.fact, note="Another account.")
    changed = format_line(planned.event_id, TYPES[type(fact)], fact, planned.stream)
    await release(tmp_path / "log", LINES[:300])
    made = await release(tmp_path / "log", [*LINES[:at], changed, *LINES[at + 1 : 300]], LATER)
    assert made
    assert (made.before, made.head.size) == (301, 304)
    events = [recorded(one) for one in (await PackedLog(tmp_path / "log").all_entries())[301:]]
    assert [one.type.partition(".")[2] for one in events[::2]] == ["Retracted", "Recorded"]
    assert events[1].event_id == f"{planned.event_id}~2"


async def test_a_fact_that_breaks_a_rule_is_named_and_nothing_is_written(
    release: MakeRelease, tmp_path: Path
) -> None:
    with pytest.raises(InvalidInput, match=r"corpus.jsonl, line 2: .*") as caught:
        await release(tmp_path / "log", [CLAIM, SUSPENSION])
    assert caught.value.code == "REFUSED_FACT"
    assert not (tmp_path / "log").exists()


async def test_entries_are_those_of_an_import_apart_from_time_salts_and_receipt(
    releases: Releases, target: Target, recorder: Recorder, tmp_path: Path
) -> None:
    await import_file(target, corpus_format.READER, corpus_of(tmp_path / "log", LINES[:300]))
    written = [event.entry for event in await recorder.read(limit=300)]
    shipped = (await releases.first.all_entries())[:300]
    assert list(map(without_time, shipped)) == list(map(without_time, written))


def without_time(entry: bytes) -> bytes:
    """Return an entry without its time and the commitments to its texts."""
    return COMMITMENT.sub(b"", re.sub(rb'"time":"[^"]{27}"', b"", entry, count=1))


async def test_all_events_of_a_release_have_the_beginning_of_its_day_as_their_time(
    releases: Releases, target: Target, recorder: Recorder
) -> None:
    await copy(target, releases.second)
    times = [event.recorded_at for event in await recorder.read(limit=602)]
    assert {times[0], times[300]} == {datetime(2026, 12, 1, tzinfo=UTC)}
    assert {times[301], times[601]} == {datetime(2027, 1, 15, tzinfo=UTC)}
    assert await recorder.position_at(datetime(2026, 11, 30, 23, tzinfo=UTC)) == 0
    assert await recorder.position_at(datetime(2026, 12, 31, tzinfo=UTC)) == 301
    assert await recorder.position_at(datetime(2027, 1, 15, tzinfo=UTC)) == 602


async def test_two_releases_of_a_day_have_different_times(
    release: MakeRelease, tmp_path: Path
) -> None:
    await release(tmp_path / "log", LINES[:10])
    await release(tmp_path / "log", LINES[:20])
    entries = await PackedLog(tmp_path / "log").all_entries()
    before, after = (recorded(entries[at]).recorded_at for at in (0, -1))
    assert before < after


@asynccontextmanager
async def installation(
    target: Target, log: PackedLog, keystore: KeyStore
) -> AsyncIterator[Services]:
    """Run a new installation of a shipped log."""
    await copy(target, log)
    async with running_tracker(target, SigningOptions(keystore)) as services:
        await all_signed(services)
        await all_projected(services)
        yield services


DIGEST = (
    'query ($at: Position) { asOf(validAt: "2020-01-01", position: $at)'
    " { digest exportControls(first: 0) { totalCount } } }"
)


async def test_two_installations_have_one_log_under_two_names(
    releases: Releases, target: Target, other_target: Target, tmp_path: Path
) -> None:
    stores = [KeyStore(tmp_path / name) for name in ("one", "other")]
    for name, store in zip(("example.com/one", "example.org/other"), stores, strict=True):
        store.load_or_create(name)
    async with (
        installation(target, releases.second, stores[0]) as one,
        installation(other_target, releases.second, stores[1]) as other,
    ):
        own, its = await one.proofs.last(), await other.proofs.last()
        assert (own.size, own.root) == (its.size, its.root)
        assert own.size == 602
        assert own.note.split("\n")[0] != its.note.split("\n")[0]
        entries = [[event.entry for event in await each.recorder.read()] for each in (one, other)]
        assert entries[0] == entries[1]
        for position in (1, 301, 602):
            states = [await Api(each).ask(DIGEST, at=str(position)) for each in (one, other)]
            assert states[0] == states[1]
        receipt = tmp_path / "a.receipt.json"
        query = DIGEST.replace("$at: Position", "").replace("()", "").replace("$at", '"602"')
        content = await issue_receipt(one, Access(), CLI_CALLER, query, {})
        receipt.write_text(content, encoding="utf-8")
        bundle = await write_bundle(other_target, stores[1], tmp_path / "bundle")
    keys = [f"--key={store.keys().verifiers[0]}" for store in stores]
    made = await verified(receipt, bundle, *keys)
    assert made["result"] == "verified"
    assert made["receipts"][0]["origin"] == "example.com/one"
    assert await fault(receipt, bundle, keys[1]) == "UNKNOWN_KEY"


async def test_a_database_with_the_release_before_gets_the_new_events(
    releases: Releases, target: Target, recorder: Recorder
) -> None:
    assert await copy(target, releases.first) == 301
    assert await size_in(target, releases.second) == 301
    assert await copy(target, releases.second) == 301
    assert await size_in(target, releases.second) == 602
    assert [event.entry for event in await recorder.read()] == await releases.second.all_entries()
    assert await copy(target, releases.second) == 0


async def test_a_database_with_events_of_its_own_gets_none(
    releases: Releases, target: Target, recorder: Recorder, tmp_path: Path
) -> None:
    await copy(target, releases.first)
    await import_file(target, corpus_format.READER, corpus_of(tmp_path / "own", [CLAIM]))
    assert await copy(target, releases.second) == 0
    assert await recorder.head() == 303
    assert await size_in(target, releases.second) == 301


async def test_a_demo_marks_its_log_before_it_has_events(
    releases: Releases, target: Target, other_target: Target
) -> None:
    assert await demo_log.began_as_demo(target) is None
    await demo_log.check_demo(target)
    await copy(target, releases.first)
    await demo_log.check_demo(target)
    with pytest.raises(InvalidInput) as caught:
        await demo_log.check_no_demo(target)
    assert caught.value.code == "DEMO_LOG"
    await copy(other_target, releases.first)
    await demo_log.check_no_demo(other_target)
    with pytest.raises(InvalidInput) as caught:
        await demo_log.check_demo(other_target)
    assert caught.value.code == "NOT_A_DEMO"


async def test_a_page_says_which_positions_are_shipped(
    releases: Releases, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    sentence = "Positions up to 301 are those of the"
    await copy(target, releases.first)
    async with running_tracker(target) as services:
        await all_projected(services)
        assert sentence not in (await Api(services).request("GET", "/about")).text
    log = releases.second.directory
    monkeypatch.setattr("deploy.bootstrap.shipped_size", partial(shipped_size, log=log))
    async with running_tracker(target) as services:
        assert sentence in (await Api(services).request("GET", "/about")).text


def another_byte(directory: Path) -> None:
    """Alter a byte of the last entry."""
    path = directory / ENTRIES_FILE
    content = lzma.decompress(path.read_bytes())
    path.write_bytes(lzma.compress(content[:-20] + b"~" + content[-19:]))


def another_text(directory: Path) -> None:
    """Alter the last text."""
    path = directory / ANNEXES_FILE
    *lines, last = lzma.decompress(path.read_bytes()).splitlines(keepends=True)
    altered = json.dumps(json.loads(last) | {"text": "Another text."}).encode()
    path.write_bytes(lzma.compress(b"".join([*lines, altered])))


def cut(directory: Path) -> None:
    """Cut off the last bytes."""
    path = directory / ENTRIES_FILE
    path.write_bytes(path.read_bytes()[:-100])


@pytest.mark.parametrize(
    ("tamper", "codes"),
    [
        (another_byte, {"WRONG_ROOT", "NOT_AN_EVENT"}),
        (another_text, {"ALTERED_ANNEX"}),
        (cut, {"BAD_LENGTH"}),
    ],
)
async def test_an_altered_log_is_refused_before_anything_is_stored(
    release: MakeRelease,
    releases: Releases,
    target: Target,
    recorder: Recorder,
    tmp_path: Path,
    tamper: Callable[[Path], None],
    codes: set[str],
) -> None:
    shutil.copytree(releases.second.directory, tmp_path / "log")
    tamper(tmp_path / "log")
    with pytest.raises(Rejected) as caught:
        await copy(target, PackedLog(tmp_path / "log"))
    assert caught.value.code in codes
    assert await recorder.head() == 0
    with pytest.raises(Rejected):
        await release(tmp_path / "log", LINES[:10], LATER)


async def test_the_log_of_this_checkout_is_intact_and_its_facts_are_in_the_corpus() -> None:
    log = PackedLog(SHIPPED_LOG)
    verification = await Verification.begin(log, await log.trust())
    await verification.run()
    assert verification.head.checkpoint.origin == ORIGIN
