"""A tracker on a mirror in its own database: the same answers, whatever the origin does."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, closing
from pathlib import Path

import pytest

from deploy.bootstrap import opened_pool, running_tracker
from deploy.postgres import Postgres
from schema.services import Services
from tests.conftest import copied
from tests.support.api import OPEN, Api
from tests.support.fact_builders import announced
from tests.support.fact_builders import source as source_of
from tests.support.published_log import fill
from tests.support.snapshots import WATCHED, digest, fetched, keep, redact
from tests.support.static_log import served, write_log
from tests.support.tampered_logs import OTHER, TRUST, changed, honest
from tests.support.time_limits import within
from tests.support.waiting import all_projected, all_signed, until
from tests.support.web_server import serving
from tracker.audit.format.layout import BundleFiles, LogFiles
from tracker.audit.mirror import database
from tracker.audit.mirror.companions import MirroredSnapshots, MirroredTexts
from tracker.audit.mirror.database import DatabaseMirror, MirrorOptions
from tracker.audit.mirror.mirror import Mirror
from tracker.audit.mirror.state import MirrorState
from tracker.audit.sign.keystore import KeyStore
from tracker.audit.sign.publisher import SigningOptions
from tracker.audit.verify import http_source
from tracker.audit.verify.http_source import HttpSource
from tracker.audit.verify.trust import TrustPolicy
from tracker.domain.basics.codec import from_builtins
from tracker.domain.basics.values import PartialDate
from tracker.domain.entities.fact import Source
from tracker.errors import ReadOnly, Rejected, Unavailable
from tracker.log.recorder import Recorder
from tracker.postgres.database import Target, create_pool
from tracker.snapshots.store import SnapshotStore

FIXED = '{ asOf(position: "10", validAt: "2026-01-01") { position } }'
AT_ONCE_SECONDS = within(1)


@pytest.fixture(autouse=True)
def no_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let requests to an origin that does not respond fail at once."""
    monkeypatch.setattr(http_source, "RETRY_DELAYS_SECONDS", ())


@pytest.fixture
def other(server: Postgres, empty_template: str) -> Iterator[Target]:
    """Create the empty database of a mirror."""
    yield from copied(server, empty_template)


@pytest.fixture
def third(server: Postgres, empty_template: str) -> Iterator[Target]:
    """Create the empty database of another mirror."""
    yield from copied(server, empty_template)


class Origin:
    """A tracker that signs its log, at an address."""

    def __init__(self, services: Services, target: Target, address: str, keys: KeyStore):
        self.services, self.target, self.address = services, target, address
        self.trust = TrustPolicy(keys.keys().all)

    async def record(self, key: str, note: str = "") -> int:
        """Record an act with a note."""
        fact = announced(note=note or f"of {key}")
        done = await self.services.commands.record(
            f"export-control/{key}", fact, idempotency_key=key
        )
        return done.positions[-1]


@pytest.fixture
async def origin(target: Target, tmp_path: Path) -> AsyncIterator[Origin]:
    """Run a tracker with 600 alliances and two acts, and sign its log."""
    keys = KeyStore(tmp_path / "audit")
    keys.load_or_create("example.org/log")
    await fill(target, 600)
    async with (
        running_tracker(target, SigningOptions(keys)) as services,
        serving(services, OPEN) as (address, *_),
    ):
        place = Origin(services, target, f"http://{address}/log", keys)
        await place.record("a", "Ms Doe said so")
        await place.record("b")
        await all_signed(services)
        yield place


@asynccontextmanager
async def mirroring(
    target: Target, trust: TrustPolicy, directory: Path, *places: str | Path
) -> AsyncIterator[Services]:
    """Run a tracker on a mirror of the log at some addresses or in directories."""
    with ExitStack() as stack:
        logs: list[LogFiles] = [
            BundleFiles(each)
            if isinstance(each, Path)
            else stack.enter_context(closing(HttpSource(each)))
            for each in places
        ]
        options = MirrorOptions(logs, trust, directory)
        async with running_tracker(target, mirror=options) as services:
            yield services


def state_of(services: Services) -> MirrorState:
    """Return the state of a mirror."""
    assert services.mirror
    return services.mirror


async def reached(services: Services, position: int, seconds: float = within(20)) -> None:
    """Wait until a mirror has projected a position, and a checkpoint covers it."""
    async with asyncio.timeout(seconds):
        while (await services.proofs.size() or 0) < position:
            await asyncio.sleep(0.01)
    await services.projector.reach(position)


async def answers(services: Services, positions: Sequence[int]) -> list[object]:
    """Return the digests and roots at positions, and the newest checkpoint."""
    api, found = Api(services), list[object]()
    for position in positions:
        found.append(await api.ask(f'{{ asOf(position: "{position}") {{ digest }} }}'))
        found.append(await services.proofs.root(position))
    return [*found, (await api.request("GET", "/log/checkpoint")).content]


async def assert_same(origin: Services, mirror: Services) -> None:
    """Check that a mirror equals its origin at every position asked."""
    head = await origin.recorder.head()
    await reached(mirror, head)
    await all_projected(origin)
    positions = [*range(1, head, 97), head - 1, head]
    assert await answers(origin, positions) == await answers(mirror, positions)


async def test_a_mirror_of_a_server_answers_as_its_origin_within_a_second(
    origin: Origin, other: Target, tmp_path: Path
) -> None:
    async with mirroring(other, origin.trust, tmp_path, origin.address) as mirror:
        await assert_same(origin.services, mirror)
        for key in ("c", "d"):
            position = await origin.record(key)
            await all_signed(origin.services)
            await reached(mirror, position, AT_ONCE_SECONDS)
        await assert_same(origin.services, mirror)
        api = Api(mirror)
        ready = (await api.request("GET", "/readyz")).json()
        assert (ready["ready"], ready["readOnly"], ready["warnings"]) == (True, True, [])
        assert ready["mirror"] == {
            "origin": "example.org/log",
            "address": origin.address.removesuffix("/log"),
            "position": position,
            "originPosition": position,
            "lagEvents": 0,
            "lagSeconds": 0.0,
            "refused": None,
        }
        metrics = (await api.request("GET", "/metrics")).text
        assert f"tracker_mirror_position {float(position)}" in metrics
        assert "tracker_mirror_lag_seconds 0.0" in metrics
        page = await api.request("GET", "/", headers={"Accept": "text/html"})
        assert f"Mirror of example.org/log ({ready['mirror']['address']}) at position" in page.text
        key = await api.request("GET", "/log/key")
        assert key.text == (await Api(origin.services).request("GET", "/log/key")).text


async def test_the_first_copy_is_readable_when_the_mirror_starts(
    origin: Origin, other: Target, tmp_path: Path
) -> None:
    head = await origin.services.recorder.head()
    async with mirroring(other, origin.trust, tmp_path, origin.address) as mirror:
        await mirror.projector.reach(head, seconds=0)


async def test_a_mirror_refuses_writes_and_receipts_with_the_address_of_its_origin(
    origin: Origin, other: Target, tmp_path: Path
) -> None:
    async with mirroring(other, origin.trust, tmp_path, origin.address) as mirror:
        api, address = Api(mirror), origin.address.removesuffix("/log")
        for document in (
            'mutation { pauseEndpoint(input: {name: "a", reason: "b"}) { endpoint { name } } }',
            "mutation { record(commands: []) { position } }",
        ):
            [error] = (await api.post(document))["errors"]
            assert error["extensions"]["code"] == "READ_ONLY"
            assert error["message"].endswith(f"send this to the origin, {address}")
        with pytest.raises(ReadOnly, match=r"a mirror of example\.org/log"):
            await mirror.commands.record("export-control/refused", announced())
        page = await api.request("GET", "/record", headers={"Accept": "text/html"})
        assert (page.status_code, address in page.text) == (503, True)
        [error] = (await api.post(FIXED, {"Prefer": "receipt"}))["errors"]
        assert error["extensions"]["code"] == "NO_KEY"
        assert address in error["message"]


async def test_a_mirror_of_a_static_copy_of_a_directory_and_of_a_mirror_are_the_log(
    origin: Origin, other: Target, third: Target, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"

    async def update() -> None:
        with closing(HttpSource(origin.address)) as log:
            companions = (MirroredTexts(log, copy), MirroredSnapshots(log, copy))
            await Mirror(log, origin.trust, copy, companions=companions).update()

    await update()
    with served(copy) as (url, _):
        async with (
            mirroring(other, origin.trust, tmp_path, url) as first,
            serving(first, OPEN) as (address, *_),
            mirroring(third, origin.trust, tmp_path, f"http://{address}/log") as second,
        ):
            for mirror in (first, second):
                await assert_same(origin.services, mirror)
            await origin.record("c", "and he denied it")
            await all_signed(origin.services)
            await update()
            for mirror in (first, second):
                await assert_same(origin.services, mirror)
                assert "and he denied it" in await text_of_annexes(mirror)
    async with mirroring(third, origin.trust, tmp_path, copy) as mirror:  # it resumes
        await origin.record("d")
        await all_signed(origin.services)
        await update()
        await assert_same(origin.services, mirror)


async def text_of_annexes(services: Services) -> str:
    """Return the texts that a server gives out."""
    return (await Api(services).request("GET", "/annexes?after=0")).text


async def test_a_text_and_a_snapshot_that_the_origin_redacts_are_redacted_at_the_mirror(
    origin: Origin, other: Target, tmp_path: Path
) -> None:
    page = b"a list"
    await keep(origin.target, page)
    await origin.services.commands.record("source/a", WATCHED)
    await origin.services.commands.record("source/a", fetched(page))
    await all_signed(origin.services)
    async with mirroring(other, origin.trust, tmp_path, origin.address) as mirror:
        await assert_same(origin.services, mirror)
        path = f"/snapshots/{digest(page)}"
        assert (await Api(mirror).request("GET", path)).content == page
        assert "Ms Doe" in await text_of_annexes(mirror)
        law = from_builtins(Source, source_of("court"))
        on = PartialDate("2026-03-01")
        await origin.services.commands.redact("a", "a court said so", on, law, fields=["/note"])
        await redact(origin.target, digest(page))
        await all_signed(origin.services)
        await assert_same(origin.services, mirror)
        assert "Ms Doe" not in await text_of_annexes(mirror)
        assert (await Api(mirror).request("GET", path)).status_code == 410


async def test_another_address_takes_over_from_one_that_fails(
    origin: Origin, other: Target, tmp_path: Path
) -> None:
    fork = write_log(tmp_path / "fork", honest(10))
    nowhere = "http://127.0.0.1:1/log"
    places = (nowhere, fork, origin.address)
    async with mirroring(other, origin.trust, tmp_path, *places) as mirror:
        await assert_same(origin.services, mirror)
        await until(lambda: state_of(mirror).is_current)
        position = await origin.record("c")
        await reached(mirror, position)
        ready = (await Api(mirror).request("GET", "/readyz")).json()
        assert ready["ready"]
        assert {each.partition(": ")[0] for each in ready["warnings"]} == {nowhere, str(fork)}
        assert any("(UNKNOWN_KEY)" in each for each in ready["warnings"])


@asynccontextmanager
async def begun(
    target: Target, log: Path, directory: Path, trust: TrustPolicy = TRUST
) -> AsyncIterator[DatabaseMirror]:
    """Copy a log in a directory into a database once."""
    pool = await create_pool(target)
    try:
        options = MirrorOptions([BundleFiles(log)], trust, directory, with_snapshots=False)
        mirror = DatabaseMirror(options, target, pool, SnapshotStore(pool))
        await mirror.begin()
        yield mirror
    finally:
        await pool.close()


ENTRIES = honest(700)
FORKED = (*ENTRIES[:300], changed(ENTRIES[300], id="other"), *ENTRIES[301:])


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        (ENTRIES[:400], "SHRUNK"),
        (FORKED[:600], "FORKED"),
        (FORKED, "FORKED"),
        (FORKED[:400], "FORKED"),
    ],
)
async def test_a_fork_and_a_shorter_log_are_refused_and_the_last_state_is_served(
    target: Target, tmp_path: Path, entries: tuple[bytes, ...], code: str
) -> None:
    log = write_log(tmp_path / "log", ENTRIES[:600])
    async with mirroring(target, TRUST, tmp_path / "evidence", log) as mirror:
        await reached(mirror, 600)
        before = await answers(mirror, [1, 600])
        write_log(log, entries)
        await until(lambda: state_of(mirror).refusal)
        response = await Api(mirror).request("GET", "/readyz")
        [reason] = response.json()["reasons"]
        assert (response.status_code, f"({code})" in reason) == (503, True)
        assert reason.startswith("the mirror stopped at position 600: ")
        assert "tracker_mirror_refused 1.0" in (await Api(mirror).request("GET", "/metrics")).text
        page = await Api(mirror).request("GET", "/", headers={"Accept": "text/html"})
        assert (page.status_code, "The origin was refused" in page.text) == (200, True)
        assert await answers(mirror, [1, 600]) == before
        assert [*(tmp_path / "evidence").glob("forks/*/checkpoint")] != [] or code == "SHRUNK"
        write_log(log, ENTRIES)  # repaired: only a fork is final
        if code == "SHRUNK":
            await reached(mirror, 700)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("tile/entries/001", "ALTERED_ENTRY"),
        ("tile/0/001", "ALTERED_TILE"),
        ("tile/0/002.p/188", "WRONG_ROOT"),
    ],
)
@pytest.mark.parametrize("known", [1, 300])
async def test_an_altered_file_is_refused_and_nothing_of_it_is_stored(
    target: Target, tmp_path: Path, path: str, code: str, known: int
) -> None:
    log = write_log(tmp_path / "log", ENTRIES[:known])
    async with begun(target, log, tmp_path):
        pass
    write_log(log, ENTRIES)
    right = (log / path).read_bytes()
    (log / path).write_bytes(right[:-1] + bytes([right[-1] ^ 1]))
    async with begun(target, log, tmp_path) as mirror:
        assert [error.code for error in mirror.state.errors.values()] == [code]
        assert mirror.state.position == known
    async with opened_pool(target) as pool:
        stored = await Recorder(pool).read(limit=1000)
    assert [event.entry for event in stored] == list(ENTRIES[:known])
    (log / path).write_bytes(right)
    async with begun(target, log, tmp_path) as mirror:
        assert (mirror.state.position, mirror.state.errors) == (700, {})


async def test_a_stored_beginning_without_a_head_is_compared_with_the_next_head(
    target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BATCH_PAGES", 1)
    log = write_log(tmp_path / "log", ENTRIES)
    last = log / "tile/entries/002.p/188"
    last.rename(tmp_path / "last")
    with pytest.raises(Rejected, match="is missing"):
        async with begun(target, log, tmp_path):
            pass
    with pytest.raises(Rejected, match="the database has other events than the origin") as caught:
        async with begun(target, write_log(tmp_path / "fork", FORKED), tmp_path):
            pass
    assert (caught.value.code, caught.value.positions) == ("FORKED", range(301, 302))
    with pytest.raises(Rejected, match="the mirror has 512 events"):
        async with begun(target, write_log(tmp_path / "less", ENTRIES[:400]), tmp_path):
            pass
    (tmp_path / "last").rename(last)
    async with begun(target, log, tmp_path) as mirror:
        assert mirror.state.position == 700


async def test_a_first_copy_of_a_refused_or_silent_origin_ends_with_its_error(
    target: Target, tmp_path: Path
) -> None:
    log = write_log(tmp_path / "log", ENTRIES[:10])
    with pytest.raises(Rejected, match="signed by none of the keys"):
        async with begun(target, log, tmp_path, TrustPolicy((OTHER.verifier,))):
            pass
    with pytest.raises(Unavailable):
        async with mirroring(target, TRUST, tmp_path, "http://127.0.0.1:1/log"):
            pass


async def test_an_event_of_a_newer_release_stops_the_mirror_before_it(
    target: Target, tmp_path: Path
) -> None:
    newer = changed(ENTRIES[300], type="ExportControl.Sold")
    log = write_log(tmp_path / "log", ENTRIES[:300])
    async with mirroring(target, TRUST, tmp_path, log) as mirror:
        await reached(mirror, 300)
        write_log(log, (*ENTRIES[:300], newer, *ENTRIES[301:310]))
        await until(lambda: state_of(mirror).refusal)
        response = await Api(mirror).request("GET", "/readyz")
        [reason] = response.json()["reasons"]
        assert (response.status_code, await mirror.recorder.head()) == (503, 300)
        assert reason.startswith("the mirror stopped at position 300: Event 301")
        assert reason.endswith("(docs/operating/upgrade.md) (NEWER_RELEASE)")


async def test_a_request_for_the_next_checkpoint_waits_for_it_and_ends_with_the_server(
    origin: Origin,
) -> None:
    api = Api(origin.services)
    head = await origin.services.recorder.head()
    began = time.monotonic()
    answer = await api.request("GET", f"/log/checkpoint?after={head}&wait=1")
    assert (time.monotonic() - began >= 0.9, answer.text.split("\n")[1]) == (True, str(head))
    waiting = asyncio.create_task(api.request("GET", f"/log/checkpoint?after={head}&wait=20"))
    await asyncio.sleep(0.1)
    position = await origin.record("c")
    answer = await asyncio.wait_for(waiting, within(5))
    assert answer.text.split("\n")[1] == str(position)
    waiting = asyncio.create_task(api.request("GET", f"/log/checkpoint?after={position}&wait=20"))
    await asyncio.sleep(0.1)
    api.app.state.end_streams()
    assert (await asyncio.wait_for(waiting, within(5))).status_code == 200
    refused = await api.request("GET", "/log/checkpoint?after=1&wait=21")
    assert (refused.status_code, "from 1 to 20" in refused.text) == (400, True)
