"""A mirror of a tracker: texts and snapshots without redacted ones, and recovery of the tail."""

from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.bootstrap import running_tracker
from deploy.cli.export import export_database, export_from
from deploy.cli.export import texts_of as texts_of_log
from deploy.cli.restore import append_to
from schema.services import Services
from tests.audit.test_restore import rows_in
from tests.support.api import OPEN
from tests.support.fact_builders import announced, clause
from tests.support.fact_builders import source as source_of
from tests.support.published_log import publish
from tests.support.snapshots import WATCHED, digest, fetched, keep, redact
from tests.support.static_log import served
from tests.support.tampered_logs import TRUST, bundle, honest, texts_of
from tests.support.web_server import serving
from tracker.audit.bundle.restore import restore
from tracker.audit.bundle.snapshots import SnapshotExporter, from_log
from tracker.audit.format.layout import BundleFiles, LogFiles
from tracker.audit.mirror.companions import MirroredSnapshots, MirroredTexts
from tracker.audit.mirror.mirror import Mirror, MirrorUpdate
from tracker.audit.sign.keystore import KeyStore
from tracker.audit.verify import http_source
from tracker.audit.verify.http_source import HttpSource
from tracker.audit.verify.trust import TrustPolicy
from tracker.audit.verify.verifier import Verification
from tracker.domain.basics.codec import from_builtins
from tracker.domain.basics.values import PartialDate
from tracker.domain.entities.fact import Source
from tracker.errors import Rejected
from tracker.postgres.database import Target, connect

PAGES = (b"a list", b"another list")
ON = PartialDate("2026-03-01")


@dataclass(frozen=True, slots=True)
class Tracker:
    """A tracker at an address, and its mirror."""

    services: Services
    target: Target
    address: str
    audit: Path
    directory: Path

    @property
    def trust(self) -> TrustPolicy:
        """Return its keys."""
        return TrustPolicy(KeyStore(self.audit).keys().all)

    async def note(self, key: str, note: str) -> None:
        """Record an act with a note of its own, and one in a clause."""
        fact = announced(clause(note=f"of a clause of {key}"), note=note)
        await self.services.commands.record(f"export-control/{key}", fact, idempotency_key=key)

    async def update(self) -> MirrorUpdate:
        """Sign the log, and update the mirror."""
        await publish(self.target, self.audit)
        with closing(HttpSource(f"{self.address}/log")) as log:
            return await mirror(log, self.directory, self.trust).update()


def mirror(log: HttpSource | BundleFiles, directory: Path, trust: TrustPolicy) -> Mirror:
    """Create a mirror with texts and snapshots."""
    companions = (MirroredTexts(log, directory), MirroredSnapshots(log, directory))
    return Mirror(log, trust, directory, companions=companions)


@pytest.fixture
async def tracker(target: Target, tmp_path: Path) -> AsyncIterator[Tracker]:
    """Run a tracker with two acts and two snapshots."""
    KeyStore(tmp_path / "audit").load_or_create("example.org/log")
    async with running_tracker(target) as services, serving(services, OPEN) as (address, *_):
        place = Tracker(
            services, target, f"http://{address}", tmp_path / "audit", tmp_path / "mirror"
        )
        await services.commands.record("source/a", WATCHED)
        for page in PAGES:
            await keep(target, page)
            await services.commands.record("source/a", fetched(page))
        await place.note("a", "Ms Doe said so")
        await place.note("b", "and he denied it")
        yield place


async def verified(directory: Path, trust: TrustPolicy) -> tuple[int, int, int, int]:
    """Verify a mirror as a complete bundle, and return the numbers of its texts and snapshots, intact
    and redacted."""
    verification = await Verification.begin(BundleFiles(directory), trust)
    await verification.run()
    assert verification.texts
    assert verification.snapshots
    texts, snapshots = verification.texts, verification.snapshots
    return texts.opened, texts.redacted, snapshots.intact, snapshots.redacted


async def test_texts_and_snapshots_come_along_and_go_when_they_are_redacted(
    tracker: Tracker,
) -> None:
    await tracker.update()
    assert await verified(tracker.directory, tracker.trust) == (4, 0, 2, 0)
    await tracker.note("c", "nothing more was heard")
    law = from_builtins(Source, source_of("court"))
    await tracker.services.commands.redact("a", "a court said so", ON, law, fields=["/note"])
    await redact(tracker.target, digest(PAGES[0]))
    assert (await tracker.update()).new == 3
    assert await verified(tracker.directory, tracker.trust) == (5, 1, 1, 1)
    content = (tracker.directory / "annexes").read_bytes()
    assert b"Ms Doe" not in content
    assert b"of a clause of a" in content
    assert (await tracker.update()).new == 0
    await tracker.note("d", "")
    await tracker.update()
    assert (await verified(tracker.directory, tracker.trust))[:2] == (7, 1)


async def test_a_mirror_without_texts_gets_them_later(
    tracker: Tracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_source, "TEXTS_POSITIONS", 2)
    await publish(tracker.target, tracker.audit)
    with closing(HttpSource(f"{tracker.address}/log")) as log:
        await Mirror(log, tracker.trust, tracker.directory).update()
    assert not (tracker.directory / "annexes").exists()
    assert (await tracker.update()).new == 0
    assert await verified(tracker.directory, tracker.trust) == (4, 0, 2, 0)


async def copied(log: LogFiles, directory: Path, trust: TrustPolicy) -> None:
    """Copy a log as `tracker export --from` does."""
    snapshots = SnapshotExporter(directory, from_log(log))
    await export_from(log, trust, directory, texts_of_log(log, directory), snapshots)


async def copy(tracker: Tracker, directory: Path) -> None:
    """Sign the log, and copy it."""
    await publish(tracker.target, tracker.audit)
    with closing(HttpSource(f"{tracker.address}/log")) as log:
        await copied(log, directory, tracker.trust)


async def test_a_copy_of_an_address_has_the_texts_and_loses_those_that_are_redacted(
    tracker: Tracker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await copy(tracker, tmp_path / "copy")
    assert await verified(tmp_path / "copy", tracker.trust) == (4, 0, 2, 0)
    assert "texts" not in capsys.readouterr().err
    for number in range(300):  # so that there is a full tile, and another begins
        await tracker.services.commands.record("source/a", fetched(PAGES[number % 2]))
    await tracker.note("c", "nothing more was heard")
    law = from_builtins(Source, source_of("court"))
    await tracker.services.commands.redact("a", "a court said so", ON, law, fields=["/note"])
    await copy(tracker, tmp_path / "copy")
    assert (await verified(tmp_path / "copy", tracker.trust))[:2] == (5, 1)
    assert b"Ms Doe" not in (tmp_path / "copy/annexes").read_bytes()
    (tmp_path / "copy/annexes").unlink()  # as in a copy that was made without them
    await copy(tracker, tmp_path / "copy")
    assert (await verified(tmp_path / "copy", tracker.trust))[:2] == (5, 1)


async def test_an_export_says_which_texts_went_by_what_is_not_signed_yet(
    tracker: Tracker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = [str(key) for key in tracker.trust.keys]
    await publish(tracker.target, tracker.audit)
    law = from_builtins(Source, source_of("court"))
    await tracker.services.commands.redact("a", "a court said so", ON, law, fields=["/note"])
    await export_database(tracker.target, tmp_path / "bundle", key, None, with_snapshots=True)
    assert "1 of the texts were redacted by events that are not signed in this bundle" in " ".join(
        capsys.readouterr().err.split()
    )
    await publish(tracker.target, tracker.audit)
    await export_database(tracker.target, tmp_path / "bundle", key, None, with_snapshots=True)
    assert "not signed in" not in capsys.readouterr().err
    assert (await verified(tmp_path / "bundle", tracker.trust))[:2] == (3, 1)


async def test_a_copy_of_what_has_no_texts_or_lacks_some_says_so(
    tracker: Tracker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await copy(tracker, tmp_path / "first")
    file = tmp_path / "first/annexes"
    whole = file.read_bytes()
    with served(tmp_path / "first") as (url, _), closing(HttpSource(url)) as log:
        file.write_bytes(whole.replace(b"Ms Doe", b"Mr Doe"))
        with pytest.raises(Rejected) as caught:
            await copied(log, tmp_path / "altered", tracker.trust)
        assert caught.value.code == "ALTERED_ANNEX"
        assert not (tmp_path / "altered/checkpoint").exists()
        file.write_bytes(whole.split(b"\n", 1)[1])
        await copied(log, tmp_path / "lacking", tracker.trust)
        assert "1 of the texts that entries commit to" in capsys.readouterr().err
        file.unlink()
        await copied(log, tmp_path / "without", tracker.trust)
        assert "The texts that entries commit to" in capsys.readouterr().err


async def test_a_mirror_that_is_served_gives_all_of_it_to_another(
    tracker: Tracker, tmp_path: Path
) -> None:
    await tracker.update()
    for below in ("", "/log"):
        place = tmp_path / f"served{below}"
        place.parent.mkdir(exist_ok=True)
        place.symlink_to(tracker.directory)
        with served(tmp_path / "served") as (url, _), closing(HttpSource(url + below)) as log:
            await mirror(log, tmp_path / f"second{below}", tracker.trust).update()
        assert await verified(tmp_path / f"second{below}", tracker.trust) == (4, 0, 2, 0)
        place.unlink()


async def test_a_text_that_is_not_what_its_entry_commits_to_is_refused(
    tracker: Tracker, tmp_path: Path
) -> None:
    await tracker.update()
    file = tracker.directory / "annexes"
    file.write_bytes(file.read_bytes().replace(b"Ms Doe", b"Mr Doe"))
    with pytest.raises(Rejected) as caught:
        await mirror(BundleFiles(tracker.directory), tmp_path / "second", tracker.trust).update()
    assert caught.value.code == "ALTERED_ANNEX"
    assert not (tmp_path / "second/checkpoint").exists()


async def test_rows_written_before_a_crash_are_not_duplicated(
    tracker: Tracker, tmp_path: Path
) -> None:
    await tracker.update()
    before = (tracker.directory / "checkpoint").read_bytes()
    await tracker.note("c", "nothing more was heard")
    await tracker.update()
    (tracker.directory / "checkpoint").write_bytes(before)  # all but this was on the disk
    await tracker.update()
    assert (await verified(tracker.directory, tracker.trust))[:2] == (6, 0)


async def test_a_database_gets_its_tail_with_texts_from_the_address_of_a_mirror(
    target: Target, tmp_path: Path
) -> None:
    log = await bundle(tmp_path / "log", honest(600))
    older = await bundle(tmp_path / "older", honest(300))
    copy = tmp_path / "mirror"
    await mirror(BundleFiles(log), copy, TRUST).update()
    connection = await connect(target)
    try:
        await restore(connection, await Verification.begin(BundleFiles(older), TRUST))
    finally:
        await connection.close()
    with served(copy) as (url, _), closing(HttpSource(url)) as source:
        await append_to(target, source, TRUST, None)
    rows = await rows_in(target)
    assert rows["events"] == 600
    assert rows["annexes"] == sum(b'"text"' in line for line in texts_of(600))
