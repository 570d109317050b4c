"""Documented backup commands, executed from the first write to signing after a loss."""

import asyncio
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, chdir
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.bootstrap import open_connection, open_pool, prepare, running_tracker
from deploy.cli.main import app
from deploy.postgres.binaries import find_binaries
from tests.deploy.test_operating import OPERATING, blocks
from tests.support.checkout import ROOT
from tests.support.log_events import gallium
from tests.support.published_log import publish, roots_of
from tests.support.replication import Server, running_primary
from tests.support.time_limits import within
from tracker import clock
from tracker.audit.sign.keystore import KeyStore
from tracker.audit.sign.publisher import SigningOptions
from tracker.log.recorder import Recorder
from tracker.postgres.database import Target

PRELUDE = """
set -euo pipefail
ask() {
  local code
  { printf '%q ' "$@"; echo; } >&"$ASK"
  read -r code <&"$ANSWER" || exit 9
  return "$code"
}
tracker() {
  local code=0
  ask tracker "${TRACKER_DATA_DIR:-}" "$TRACKER_DATABASE_URL" "$@" || code=$?
  cat out
  cat errors >&2
  return "$code"
}
runuser() { shift 3; "$@"; }
step() { ask step "$@"; }
systemctl() { ask systemctl "$@"; }
"""
"""The lines call the test over two pipes for non-shell work. Our commands run there, where they are
imported."""


SIGNED = "SELECT max(size) FROM log.checkpoints"


class Story:
    """The context of the lines: their servers, and concurrent writes."""

    def __init__(self, place: Path, primary: Server, other: Server):
        self.place, self.primary, self.other = place, primary, other
        self.replacement = Server(place / "new", "replacement")
        self.keys = place / "audit"
        self.entries: list[bytes] = []
        self.moment = ""

    def do(self, words: list[str]) -> int:
        """Run a line's request and return the exit code: our command, a systemd unit, or an event
        between lines."""
        if words[0] == "tracker":
            return self._run(*words[1:])
        match words[1:]:
            case ["restart", "postgresql"]:
                self.primary.stop()
                self.primary.start()
            case ["start", "postgresql"]:
                self.replacement.start()
                self._wait_for_promotion()
            case ["start", "tracker"]:
                asyncio.run(self._serve())
            case ["write", count]:
                asyncio.run(self._write(self.primary.target, int(count)))
            case ["moment"]:
                self.primary.sql("SELECT pg_sleep(0.01)")
                self.moment = f"{clock.now():%Y-%m-%d %H:%M:%S.%f+00}"
                (self.place / "moment").write_text(self.moment)
            case ["archive"]:
                last = self.primary.sql("SELECT pg_walfile_name(pg_switch_wal())")
                archived = "SELECT last_archived_wal FROM pg_stat_archiver"
                while self.primary.sql(archived)[:24] < last:
                    pass
            case ["lose"]:
                self.primary.kill()
                shutil.rmtree(self.primary.site.pgdata)
            case _:
                raise AssertionError(words)
        return 0

    def _run(self, data_dir: str, url: str, *arguments: str) -> int:
        """Run a command of ours. On another machine, with data of its own, the settings of this one are not
        there."""
        elsewhere = {"TRACKER_DATA_DIR": data_dir, "TRACKER_DATABASE_URL": None}
        here = {"TRACKER_DATABASE_URL": url, "TRACKER_AUDIT_DIR": str(self.keys)}
        with chdir(self.place):
            result = CliRunner().invoke(app, arguments, env=elsewhere if data_dir else here)
        (self.place / "out").write_text(result.stdout)
        (self.place / "errors").write_text(result.stderr)
        return result.exit_code

    def _wait_for_promotion(self) -> None:
        while self.replacement.sql("SELECT pg_is_in_recovery()") == "t":
            pass

    async def _write(self, target: Target, count: int) -> None:
        """Record some events, and have them signed."""
        async with open_pool(target) as pool:
            for _ in range(count):
                number = len(self.entries) + 1
                await Recorder(pool).append([gallium(f"e{number}", f"export-control/e{number}")])
                self.entries.append(b"")
            rows = await pool.fetch("SELECT entry FROM log.events ORDER BY position")
            self.entries = [row["entry"] for row in rows]
        await publish(target, self.keys)

    async def _serve(self) -> None:
        """Run a tracker like the service: it signs and projects."""
        signing = SigningOptions(KeyStore(self.keys))
        target = self.replacement.target | {"database": "minerals"}
        async with running_tracker(target, signing) as services, open_pool(target) as pool:
            await Recorder(pool).append([gallium("next", "export-control/next")])
            await services.projector.reach(len(self.entries) + 1)
            async with asyncio.timeout(within(20)):
                while await pool.fetchval(SIGNED) <= len(self.entries):
                    await asyncio.sleep(0.05)


@pytest.fixture(name="story")
def running_story() -> Iterator[Story]:
    """Run a server with a signed log, another for restored dumps, with room for a third."""
    place = Path(tempfile.mkdtemp(prefix="tracker-backups-"))
    place.chmod(0o755)
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, place, ignore_errors=True)
        primary = stack.enter_context(running_primary())
        other = stack.enter_context(running_primary("other"))
        (place / "new").mkdir()
        made = Story(place, primary, other)
        made.replacement.site.chown(place / "new")
        stack.callback(made.replacement.kill)
        primary.sql("CREATE DATABASE minerals", database="postgres")
        primary.target["database"] = "minerals"
        asyncio.run(prepare(primary.target))
        KeyStore(made.keys).load_or_create("example.com/log")
        yield made


def section(name: str) -> str:
    """Return the lines of a section of the page."""
    text = (OPERATING / "back-up.md").read_text(encoding="utf-8")
    told = re.split(r"^###? ", text, flags=re.MULTILINE)
    [found] = [each for each in told if each.startswith(f"{name}\n")]
    return "".join(blocks(found))


def places_of(story: Story) -> dict[str, str]:
    """Return the replacements for places and users in the lines."""
    account = story.primary.site.account
    return {
        "/var/backups/postgresql": f"{story.place}/backups",
        "/usr/local/bin/": f"{story.place}/",
        "-o postgres -g postgres": f"-o {account.pw_name} -g {account.pw_gid}" if account else "",
        "chown -R postgres:postgres": f"chown -R {account.pw_name}:" if account else "true",
    }


def typed(story: Story, script: str, places: dict[str, str]) -> str:
    """Run lines and return their output."""
    for theirs, ours in places.items():
        assert theirs in script, theirs
        script = script.replace(theirs, ours)
    ask, answer = os.pipe(), os.pipe()
    old, new = (server.url.rpartition("/")[0] for server in (story.primary, story.other))
    with (story.place / "printed").open("w+") as printed:
        shell = subprocess.Popen(
            ["bash", "-c", PRELUDE + script],
            cwd=story.place,
            stdout=printed,
            stderr=printed,
            pass_fds=(ask[1], answer[0]),
            env={
                **os.environ,
                "PATH": f"{find_binaries(story.primary.site)}:{os.environ['PATH']}",
                "SERVER": old,
                "OLD_SERVER": old,
                "NEW_SERVER": new,
                "REPLACED": f"{story.replacement.url.rpartition('/')[0]}/minerals",
                "PGDATA": str(story.replacement.site.pgdata),
                "ASK": str(ask[1]),
                "ANSWER": str(answer[0]),
                "TRACKER_DATABASE_URL": f"{old}/minerals",
            },
        )
        os.close(ask[1])
        os.close(answer[0])
        with os.fdopen(ask[0]) as asked, os.fdopen(answer[1], "w") as answered:
            for line in asked:
                print(story.do(shlex.split(line)), file=answered, flush=True)
        code = shell.wait(within(60))
        printed.seek(0)
        said = printed.read()
    assert code == 0, said
    return said


def test_a_server_is_lost_and_restored_to_a_moment_and_the_tail_comes_from_a_bundle(
    story: Story,
) -> None:
    (story.place / "deploy").symlink_to(ROOT / "deploy")
    restoring = section("Restore")
    printed = typed(
        story,
        "\n".join(
            [
                "step write 30",
                section("Bundles"),
                section("Try it"),
                section("Dumps"),
                section("To a point in time").replace("OLDEST=", "step write 30; OLDEST="),
                "step write 34; step moment; step archive; step write 26; step archive",
                "tracker verify --database --state seen.checkpoint; tracker export bundle; step lose",
                'MOMENT=$(cat moment); export TRACKER_DATABASE_URL="$REPLACED"',
                restoring,
            ]
        ),
        places_of(story),
    )
    assert printed.count("positions 95 to 120: these events are missing") == 2
    assert "appended: positions 95 to 120 of example.com/log" in printed
    rows = asyncio.run(rows_of(story.replacement.target | {"database": "minerals"}))
    entries, checkpoints = rows
    assert entries[:-1] == story.entries
    assert checkpoints == roots_of(entries, checkpoints)
    assert max(checkpoints) == len(entries) == 121


async def rows_of(target: Target) -> tuple[list[bytes], dict[int, bytes]]:
    """Return the entries of a log, and the signed roots by size."""
    async with open_connection(target) as connection:
        entries = await connection.fetch("SELECT entry FROM log.events ORDER BY position")
        heads = await connection.fetch("SELECT size, root FROM log.checkpoints")
    return [row["entry"] for row in entries], {row["size"]: row["root"] for row in heads}


@pytest.fixture(name="pgbackrest")
def configured_pgbackrest(story: Story, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write the settings of pgBackRest: the example with local places."""
    program = shutil.which("pgbackrest")
    if not program:
        pytest.skip("pgBackRest is not installed")
    wrapper = story.place / "bin" / "pgbackrest"
    server, repository = story.primary, story.place / "repository"
    repository.mkdir()
    server.site.chown(repository)
    example = (ROOT / "deploy" / "manifests" / "database" / "pgbackrest.conf").read_text(
        encoding="utf-8"
    )
    for theirs, ours in (
        ("/var/lib/pgbackrest", str(repository)),
        ("/var/lib/postgresql/17/main", str(server.site.pgdata)),
        ("5432", str(server.port)),
    ):
        assert theirs in example, theirs
        example = example.replace(theirs, ours)
    settings = story.place / "deploy" / "manifests" / "database" / "pgbackrest.conf"
    settings.parent.mkdir(parents=True)
    settings.write_text(example, encoding="utf-8")
    installed = story.place / "pgbackrest" / "pgbackrest.conf"
    variables = {
        "PGBACKREST_CONFIG": installed,
        "PGBACKREST_CMD": wrapper,
        "PGBACKREST_LOCK_PATH": repository / "locks",
        "PGHOST": server.target["host"],
        "PGUSER": server.target["user"],
    }
    exports = "".join(f"export {name}={value}\n" for name, value in variables.items())
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/sh\n{exports}exec {program} "$@"\n', encoding="utf-8")
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{wrapper.parent}:{os.environ['PATH']}")
    return installed


@dataclass(frozen=True)
class PgbackrestLines:
    """The documented lines of pgBackRest, with the places of a test."""

    backup: str
    """Lines that configure the server and back it up."""
    restore: str
    """Lines that restore to `$MOMENT` on the other server, and verify."""
    places: dict[str, str]
    """Replacements for places and users in the lines of the backup."""


def pgbackrest_lines(story: Story, settings: Path) -> PgbackrestLines:
    """Return the lines of the section; pgBackRest is installed, and its settings have a place."""
    account = story.primary.site.account
    by_its_user = f'runuser() {{ shift 3; command runuser -u {account.pw_name} -- "$@"; }}\n'
    prelude = by_its_user if account else ""
    lines = section("With pgBackRest").replace("apt-get install --yes pgbackrest\n", "")
    restore = "runuser -u postgres -- pgbackrest --stanza=minerals --type=time"
    making, restoring = lines.split(restore)
    new = story.replacement
    elsewhere = f"s|^pg1-path=.*|pg1-path={new.site.pgdata}|; s|^pg1-port=.*|pg1-port={new.port}|"
    return PgbackrestLines(
        f"{prelude}{making}",
        f'{prelude}sed --in-place "{elsewhere}" {settings}\n'
        'MOMENT=$(cat moment); export TRACKER_DATABASE_URL="$REPLACED"\n'
        f"{restore}{restoring}",
        {
            "/etc/pgbackrest": str(settings.parent),
            "-g postgres": f"-g {account.pw_gid}" if account else "",
        },
    )


def test_a_server_is_lost_and_restored_to_a_moment_by_pgbackrest(
    story: Story, pgbackrest: Path
) -> None:
    lines = pgbackrest_lines(story, pgbackrest)
    printed = typed(
        story,
        "\n".join(
            [
                f"step write 30\n{lines.backup}",
                "sleep 2",  # pgBackRest compares times of backups by whole seconds
                "step write 64; step moment; step archive; step write 26; step archive",
                "tracker key show > log.key; tracker export bundle; step lose",
                lines.restore.replace("--against bundle", "--against bundle || echo missing"),
                "tracker restore --onto bundle --key log.key; systemctl start tracker",
            ]
        ),
        lines.places,
    )
    assert "positions 95 to 120: these events are missing" in printed
    entries, checkpoints = asyncio.run(rows_of(story.replacement.target | {"database": "minerals"}))
    assert entries[:-1] == story.entries
    assert max(checkpoints) == len(entries) == 121
