"""Bytes of a publisher are taken out by an administrator, by the API or the command line."""

import asyncio
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from deploy.bootstrap import open_connection, open_pool, running_tracker
from deploy.cli.main import app
from deploy.cli.process import Exit
from schema.services import Services
from tests.support import api as fact_builders
from tests.support.api import Api
from tests.support.database_urls import database_url
from tests.support.snapshots import WATCHED, digest, fetched, keep
from tracker.auth.scopes import Scope
from tracker.auth.tokens import create
from tracker.domain.basics.values import PartialDate
from tracker.postgres.database import OWNER, WATCHER, Target
from tracker.snapshots.store import SnapshotStore

PAGE = b"<html>what a court forbids to say</html>"
SHA256 = digest(PAGE)
REDACT = """mutation ($input: RedactSnapshotInput!, $key: String) {
  redactSnapshot(input: $input, idempotencyKey: $key) {
    position entity repeated event { type actor } } }"""


async def record_fetches(services: Services) -> None:
    """Record that two sources sent the same page."""
    for key in ("a", "b"):
        await services.commands.record(f"source/{key}", WATCHED)
        await services.commands.record(f"source/{key}", fetched(PAGE))


def order(sha256: str = SHA256) -> dict[str, Any]:
    """Return a redaction command of a client."""
    return {
        "sha256": sha256,
        "reason": "a court said so",
        "on": "2026-03-01",
        "source": fact_builders.source("court"),
    }


async def headers_of(target: Target, scope: Scope) -> dict[str, str]:
    """Return the header of a caller with a scope."""
    async with open_connection(target, role=OWNER) as connection:
        secret = await create(connection, "dpo", [scope], None, date(2026, 1, 1))
    return {"Authorization": f"Bearer {secret}"}


async def test_an_administrator_redacts_by_the_api(
    target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACKER_SNAPSHOTS", str(tmp_path))
    async with open_pool(target, role=WATCHER, size=1) as pool, running_tracker(target) as services:
        await SnapshotStore(pool, tmp_path).put(PAGE)
        await record_fetches(services)
        api = Api(services)
        recording = await headers_of(target, Scope.RECORD)
        answer = await api.post(REDACT, recording, input=order())
        assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
        headers = await headers_of(target, Scope.ADMIN)
        for repeated in (False, True):
            answer = await api.post(REDACT, headers, input=order(), key="r")
            assert answer["data"]["redactSnapshot"] == {
                "position": "5",
                "entity": "source/a",
                "repeated": repeated,
                "event": {"type": "Source.SnapshotRedacted", "actor": "dpo"},
            }
        assert not (tmp_path / SHA256[:2] / SHA256).exists()
        found = await services.snapshots.describe(SHA256)
        assert found is not None
        assert found.redaction is not None
        assert (found.redaction.position, found.redaction.by) == (5, "dpo")
        assert (await api.request("GET", f"/snapshots/{SHA256}")).status_code == 410
        for input, code, path in (
            (order(), "ALREADY_REDACTED", ["input", "sha256"]),
            (order("0" * 64), "NOT_FOUND", ["input", "sha256"]),
            (order("0" * 63), "INVALID_INPUT", ["input", "sha256"]),
            ({**order(), "reason": " "}, "INVALID_INPUT", ["input", "reason"]),
        ):
            [error] = (await api.post(REDACT, headers, input=input))["errors"]
            assert (error["extensions"]["code"], error["extensions"]["path"]) == (code, path)
        assert await services.recorder.head() == 5


async def test_a_file_that_a_crash_left_goes_when_a_server_starts(
    target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACKER_SNAPSHOTS", str(tmp_path))
    async with running_tracker(target) as services:
        await record_fetches(services)
        async with open_pool(target, role=WATCHER, size=1) as pool:
            await SnapshotStore(pool, tmp_path).put(PAGE)
        given = order()
        await services.commands.redact_snapshot(
            SHA256, given["reason"], PartialDate(given["on"]), WATCHED.source
        )
    assert (tmp_path / SHA256[:2] / SHA256).exists()
    async with running_tracker(target):
        assert not (tmp_path / SHA256[:2] / SHA256).exists()


def test_the_command_line_lists_gives_and_redacts(target: Target, tmp_path: Path) -> None:
    async def prepare() -> None:
        async with running_tracker(target) as services:
            await record_fetches(services)
        await keep(target, PAGE, "text/html\t\x1b[31m")

    asyncio.run(prepare())
    url = database_url(target)

    def tracker(*arguments: str) -> Result:
        environment = {"TRACKER_DATABASE_URL": url, "COLUMNS": "300"}
        return CliRunner().invoke(app, ["fetch", *arguments], env=environment)

    listed = tracker("list").stdout.rstrip("\n").split("\t")
    assert [listed[0], *listed[2:]] == [
        SHA256,
        str(len(PAGE)),
        r"text/html\u0009\u001b[31m",
        "database",
    ]
    assert tracker("list", "--before", SHA256).stdout == ""
    assert tracker("get", SHA256).stdout_bytes == PAGE
    file = tmp_path / "page.html"
    assert tracker("get", SHA256, "--out", str(file)).exit_code == Exit.OK
    assert file.read_bytes() == PAGE
    for wrong in ("0" * 64, "0"):
        refused = tracker("get", wrong)
        assert (refused.exit_code, refused.stdout) == (Exit.REFUSED, "")

    redacting = ("redact", SHA256, "--reason", "asked for", "--source", "GDPR Art. 17")
    assert tracker(*redacting).exit_code == 1
    done = tracker(*redacting, "--yes")
    assert (done.exit_code, "at position 5" in done.stderr) == (Exit.OK, True), done.output
    assert "redacted at position 5: asked for" in tracker("list").stdout
    gone = tracker("get", SHA256)
    assert (gone.exit_code, "REDACTED" in gone.stderr) == (Exit.REFUSED, True)
