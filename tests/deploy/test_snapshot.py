"""Snapshots: a file whose SHA-256 is the digest of the state, from the database or the log."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

import pytest
from rich.console import Console

from deploy.cli.process import Exit
from deploy.export.snapshot_file import replay, snapshot, write_snapshot
from projections.query.moment import Moment
from schema.services import Services
from tests.support.api import Api
from tests.support.fact_builders import announced
from tests.support.processes import Running, command
from tracker.errors import InvalidInput

QUIET = Console(quiet=True)
LINES = [b'{"entity":"alliance/quad","state":{}}\n', b'{"entity":"alliance/msp","state":{}}\n']


def written(out: Path, lines: Iterable[bytes] = LINES) -> str:
    """Return the digest of lines, after writing them to a file."""
    with snapshot(out) as state:
        for line in lines:
            state.add(line)
    return state.digest


# --- from the database and from the log


async def test_the_file_the_database_and_the_log_say_the_same_to_the_byte(
    corpus_services: Services, tmp_path: Path
) -> None:
    stored, folded = tmp_path / "stored", tmp_path / "folded"
    head = await corpus_services.recorder.head()
    for day, position in (
        ("2024-06-01", head),
        ("2025-11-20", head),
        ("2026-11-28", head - 600),
        ("2025-11-20", 150),
        ("1900-01-01", head),
        ("2025-11-20", 0),
    ):
        moment = Moment(date.fromisoformat(day), position)
        digest = await write_snapshot(corpus_services, moment, stored, QUIET)
        assert digest == await corpus_services.as_of.digest(moment)
        assert digest == await replay(corpus_services.recorder, moment, folded, QUIET)
        assert digest == await write_snapshot(corpus_services, moment, None, QUIET)
        assert stored.read_bytes() == folded.read_bytes()
        assert hashlib.sha256(stored.read_bytes()).hexdigest() == digest


async def test_a_snapshot_has_a_line_for_every_entity_in_the_order_of_their_names(
    corpus_services: Services, tmp_path: Path
) -> None:
    head = await corpus_services.recorder.head()
    await write_snapshot(corpus_services, Moment(date(2025, 11, 20), head), tmp_path / "x", QUIET)
    lines = [json.loads(line) for line in (tmp_path / "x").read_bytes().splitlines()]
    entities = [line["entity"] for line in lines]
    assert entities == sorted(set(entities))
    assert all(line["state"]["id"] == line["entity"].partition("/")[2] for line in lines)
    data = await Api(corpus_services).ask(
        '{ asOf(validAt: "2025-11-20") { counts { alliances announcements exportControls figures firms'
        " tariffLines obligations }"
        " alliances { totalCount } announcements { totalCount } exportControls { totalCount }"
        " figures { totalCount } firms { totalCount } tariffLines { totalCount }"
        " obligations { totalCount } tariffEditions { key } } }"
    )
    counts, editions = data["asOf"].pop("counts"), data["asOf"].pop("tariffEditions")
    assert counts == {kind: list["totalCount"] for kind, list in data["asOf"].items()}
    assert sum(counts.values()) + len(editions) == len(lines) > 4000


async def test_counts_are_those_of_the_moment(services: Services) -> None:
    for number, day in enumerate(("2025-01-01", "2025-02-01"), 1):
        await services.commands.record(f"export-control/{number}", announced(on=day))
    await services.projector.reach(2)
    nothing = {
        "alliance": 0,
        "announcement": 0,
        "figure": 0,
        "firm": 0,
        "preference": 0,
        "import": 0,
        "redaction": 0,
        "source": 0,
        "coverage": 0,
        "flow": 0,
        "tariff-edition": 0,
        "tariff-line": 0,
        "obligation": 0,
        "text": 0,
    }
    for day, position, expected in (
        ("2024-12-31", 2, 0),
        ("2025-01-31", 2, 1),
        ("2025-02-01", 2, 2),
        ("2025-02-01", 1, 1),
    ):
        counts = await services.as_of.counts(Moment(date.fromisoformat(day), position))
        assert counts == {**nothing, "export-control": expected}


# --- a file has its name when it is complete


def test_a_file_takes_the_place_of_an_older_one(tmp_path: Path) -> None:
    out = tmp_path / "state.jsonl"
    out.write_bytes(b"older")
    assert written(out) == hashlib.sha256(b"".join(LINES)).hexdigest()
    assert out.read_bytes() == b"".join(LINES)
    assert [path.name for path in tmp_path.iterdir()] == ["state.jsonl"]


def test_a_failure_midway_leaves_only_the_older_file(tmp_path: Path) -> None:
    def lines() -> Iterator[bytes]:
        yield LINES[0]
        raise ConnectionError("the database went away")

    out = tmp_path / "state.jsonl"
    out.write_bytes(b"older")
    with pytest.raises(ConnectionError):
        written(out, lines())
    assert out.read_bytes() == b"older"
    assert [path.name for path in tmp_path.iterdir()] == ["state.jsonl"]


def test_a_process_killed_midway_leaves_no_file_of_that_name(tmp_path: Path) -> None:
    out = tmp_path / "state.jsonl"
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from deploy.export.snapshot_file import snapshot\n"
        "with snapshot(Path(sys.argv[1])) as state:\n"
        "    for _ in range(10000): state.add(b'x' * 100)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, str(out)], check=False)
    [left] = tmp_path.iterdir()
    assert left.name.startswith(".state.jsonl.")
    assert left.name.endswith(".part")
    written(out)
    assert out.read_bytes() == b"".join(LINES)


def test_a_file_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="none/state: No such file or directory"):
        written(tmp_path / "none" / "state")
    with pytest.raises(InvalidInput, match=r"\.: "):
        written(Path(""))
    (tmp_path / "taken").mkdir()
    with pytest.raises(InvalidInput, match="taken: Is a directory"):
        written(tmp_path / "taken")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_is_said_to_be_full(tmp_path: Path) -> None:
    (tmp_path / f".state.{os.getpid()}.part").symlink_to("/dev/full")
    with pytest.raises(InvalidInput, match="state: No space left on device"):
        written(tmp_path / "state")
    assert list(tmp_path.iterdir()) == []


# --- as commands


@pytest.mark.parametrize(
    "moment",
    [
        ("--valid-at", "2025-11-20", "--position", "4100"),
        ("--valid-at", "2024-06-01"),
        ("--known-at", "2000-01-01"),
    ],
)
def test_the_commands_print_the_digest_of_the_file_that_they_write(
    demo: Running, tmp_path: Path, moment: tuple[str, ...]
) -> None:
    digests = set()
    for name in ("snapshot", "replay"):
        result = command(name, *moment, "--out", str(tmp_path / name), data_dir=demo.data_dir)
        assert result.returncode == Exit.OK, result.stderr
        digests |= {
            result.stdout.strip(),
            hashlib.sha256((tmp_path / name).read_bytes()).hexdigest(),
        }
    assert len(digests) == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--position", "1", "--known-at", "2025-01-01"), "knownAt or position, not both"),
        (("--known-at", "yesterday"), "'yesterday' is not a moment"),
        (("--position", "999999999"), "the last one"),
        (("--out", "/nowhere/state"), "/nowhere/state: No such file"),
    ],
)
def test_a_snapshot_that_can_not_be_is_refused(
    demo: Running, options: tuple[str, ...], said: str
) -> None:
    for name in ("snapshot", "replay"):
        result = command(name, *options, data_dir=demo.data_dir)
        assert (result.returncode, said in result.stderr) == (Exit.REFUSED, True), result.stderr
