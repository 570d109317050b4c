"""Two releases with different folds on one database: each ready server responds by its own code alone.

The steps are those of docs/operating/upgrade.md.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from deploy.bootstrap import open_connection
from deploy.cli.process import Exit
from deploy.postgres import Postgres
from tests.conftest import copied
from tests.support.api import control, document
from tests.support.checkout import ROOT
from tests.support.processes import Running
from tests.support.releases import (
    DAY,
    Observer,
    Release,
    Writer,
    codes,
    copy_changed,
    has_commit,
    post,
    readiness,
    unpack_wheel,
)
from tests.support.shared_work import make_once
from tracker.postgres.database import PROJECTOR, Target

BEFORE = "1175ebd5"
"""The commit of the last release that does not compare the fold with its own."""
TITLE = (
    "tracker/domain/controls/export_control.py",
    "title=self.title,",
    'title=f"B: {self.title}",',
)
UNREADY = "another release maintains the rows; restart with it"


@pytest.fixture
def empty(server: Postgres) -> Iterator[Target]:
    """Create a database without tables."""
    yield from copied(server, "template1")


@pytest.fixture
def own(target: Target, tmp_path: Path) -> Release:
    """Return the release of this checkout."""
    return Release(ROOT, target, tmp_path / "keys")


@pytest.fixture
def other(target: Target, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Release:
    """Return a release of the same version whose fold differs in one line."""
    made = make_once(tmp_path_factory, "other-fold", lambda to: copy_changed(to, *TITLE))
    return Release(made, target, tmp_path / "keys")


@pytest.fixture
def older(empty: Target, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Release:
    """Return the release before fold comparison, as its wheel."""
    if not has_commit(BEFORE):
        pytest.skip(f"the history has no commit {BEFORE}, of which a wheel is made")
    made = make_once(tmp_path_factory, "older-wheel", lambda to: unpack_wheel(to, BEFORE))
    return Release(made / "packages", empty, tmp_path / "keys")


@contextmanager
def serving(release: Release) -> Iterator[Running]:
    """Run a server for the duration of a block."""
    server = release.serve()
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.stop()


def wait(observer: Observer, look: Callable[[], bool], rounds: int = 400) -> None:
    """Check repeatedly until a condition is true; the observer records all responses."""
    for _ in range(rounds):
        if look():
            return
    raise AssertionError(f"not within {rounds} looks, failures {observer.failures}")


def stored_rows(target: Target) -> str:
    """Return a hash of all version rows, their fold and their position."""

    async def ask() -> str:
        async with open_connection(target, role=PROJECTOR) as connection:
            rows = await connection.fetch("SELECT versions::text FROM versions ORDER BY 1")
            progress = await connection.fetch("SELECT progress::text FROM progress ORDER BY 1")
        return hashlib.sha256(repr([rows, progress]).encode()).hexdigest()

    return asyncio.run(ask())


def alter_row(target: Target, entity: str) -> None:
    """Change the title in the rows of an entity."""

    async def change() -> None:
        async with open_connection(target, role=PROJECTOR) as connection:
            await connection.execute("UPDATE versions SET title = 'x' WHERE entity = $1", entity)

    asyncio.run(change())


def missing(server: Running, keys: list[str]) -> list[str]:
    """Return the acknowledged entities that a server lacks."""
    text = f'query ($key: String!) {{ asOf(validAt: "{DAY}") {{ exportControl(id: $key) {{ title }} }} }}'
    return [key for key in keys if not answered(server, text, key)["asOf"]["exportControl"]]


def answered(server: Running, text: str, key: str) -> dict[str, Any]:
    """Return the data of a response of a server that may be slow."""
    for _ in range(20):
        answer = post(server, text, key=key)
        if not codes(answer):
            data: dict[str, Any] = answer["data"]
            return data
    raise AssertionError(answer)


@pytest.mark.parametrize("swapped", [False, True], ids=["own-first", "other-first"])
@pytest.mark.timeout(600)
def test_of_two_folds_the_server_that_started_later_answers_and_the_other_is_unready(
    own: Release, other: Release, swapped: bool
) -> None:
    first, second = (other, own) if swapped else (own, other)
    observer, writers = Observer(), ExitStack()
    with serving(first) as before, writers:
        to_first = writers.enter_context(Writer(before, "first"))
        wait(observer, lambda: observer.look(first, before) and len(to_first.acknowledged) > 3)
        with serving(second) as after:
            to_second = writers.enter_context(Writer(after, "second"))
            wait(
                observer,
                lambda: (
                    not observer.look(first, before)
                    and observer.look(second, after)
                    and len(to_second.acknowledged) > 10
                ),
            )
            status, said = readiness(before)
            assert (status, said["ready"]) == (503, False)
            assert said["reasons"][0].startswith(UNREADY)
            refused = post(before, document("announceExportControl"), input=control("refused"))
            assert codes(refused) == {"UNAVAILABLE"}
            for _ in range(10):  # no rebuild while both run
                wait(observer, lambda: observer.look(second, after))
                assert not observer.look(first, before)
            writers.close()
            rows = stored_rows(first.target)
            for arguments in (("query", "{ head }"), ("snapshot",), ("upcoming",)):
                done = first.command(*arguments)
                assert (done.returncode, done.stdout) == (Exit.UNAVAILABLE, ""), done.stderr
                assert "tracker rebuild" in " ".join(done.stderr.split())
            assert first.command("replay").returncode == Exit.OK
            assert stored_rows(first.target) == rows
            assert missing(after, to_first.acknowledged + to_second.acknowledged) == []
            assert missing(after, ["refused"]) == ["refused"]
            before.stop()
            with serving(second) as restarted:
                wait(observer, lambda: observer.look(second, restarted))
    assert observer.differences() == {}
    assert to_first.failures | to_second.failures | observer.failures <= {"UNAVAILABLE"}


@pytest.mark.timeout(600)
def test_a_rolling_upgrade_from_the_release_that_compares_no_folds_mixes_no_rows(
    older: Release,
) -> None:
    own = Release(ROOT, older.target, older.data_dir)
    observer, writers = Observer(), ExitStack()
    with serving(older) as before, writers:
        to_older = writers.enter_context(Writer(before, "older"))
        wait(observer, lambda: observer.look(older, before) and len(to_older.acknowledged) > 3)
        migrated = own.command("migrate")
        assert "applied refuse_older_release" in migrated.stderr, migrated.stderr
        for _ in range(5):
            wait(observer, lambda: observer.look(older, before))  # it continues after the migration
        refused = own.command("query", "{ head }")
        assert refused.returncode == Exit.UNAVAILABLE, refused.stdout
        wait(observer, lambda: observer.look(older, before))  # the command did not rebuild rows
        with serving(own) as after:
            to_own = writers.enter_context(Writer(after, "own"))
            wait(
                observer,
                lambda: (
                    not observer.look(older, before)
                    and observer.look(own, after)
                    and len(to_own.acknowledged) > 10
                ),
            )
            assert readiness(before)[0] == 503
            for _ in range(10):
                wait(observer, lambda: observer.look(own, after))
                assert not observer.look(older, before)
            writers.close()
            rows = stored_rows(own.target)
            for arguments in (("query", "{ head }"), ("serve", "--port", "0"), ("rebuild",)):
                done = older.command(*arguments)
                assert (done.returncode, done.stdout) == (Exit.UNAVAILABLE, ""), done.stderr
                assert "newer version (migration" in done.stderr
            assert stored_rows(own.target) == rows
            before.stop()
            with serving(own) as restarted:
                wait(observer, lambda: observer.look(own, restarted))
                assert missing(restarted, to_older.acknowledged + to_own.acknowledged) == []
            verified = own.command("verify", "--database", "--projections")
            assert verified.returncode == Exit.OK, verified.stderr
            assert "rows: those of " in verified.stderr
            alter_row(own.target, f"export-control/{to_own.acknowledged[0]}")
            verified = own.command("verify", "--database", "--projections")
            assert verified.returncode == Exit.REFUSED, verified.stderr
            assert f"export-control/{to_own.acknowledged[0]}: its rows" in verified.stderr
            assert "(ROWS_DIFFER)" in verified.stderr
    assert observer.differences() == {}
    assert to_older.failures | to_own.failures | observer.failures <= {"UNAVAILABLE"}


def test_a_server_takes_no_rows_from_a_newer_release_but_a_rebuild_does(
    own: Release, target: Target
) -> None:
    async def register(fold: str, release: str) -> None:
        async with open_connection(target, role=PROJECTOR) as connection:
            await connection.execute("UPDATE progress SET fold = $1, release = $2", fold, release)

    asyncio.run(register("f" * 64, "99.1.0rc1"))
    refused = own.command("serve", "--port", "0")
    assert refused.returncode == Exit.UNAVAILABLE
    assert "99.1.0rc1" in refused.stderr
    assert own.command("rebuild").returncode == Exit.OK
    assert own.command("query", "{ head }").returncode == Exit.OK
