"""`tracker review`: output and decisions on the command line, as in docs/review.md."""

import asyncio
import json
import re
import shlex
from datetime import timedelta
from pathlib import Path

import pytest

from deploy.bootstrap import open_connection, open_pool
from deploy.cli.process import Exit
from tests.support.command_line import GroupCommands
from tests.support.fact_builders import claimed, suspended
from tests.support.findings import figures, lead, proposal
from tests.support.importer import line as corpus_line
from tracker import clock
from tracker.postgres.database import WATCHER, Target
from tracker.review.finding import Finding
from tracker.review.findings import propose
from tracker.snapshots.store import SnapshotStore

GUIDE = Path(__file__).parents[2] / "docs" / "review.md"
DAY = re.compile(r"\b\d{4}-\d\d-\d\d\b")
NEXT_WEEK = (clock.today() + timedelta(days=7)).isoformat()
"""A replacement for days in the guide, which will be past."""
FILE = corpus_line("a", claimed(1), None, "Figure.Claimed")


class ReviewCommands(GroupCommands):
    """The commands about candidates, on a database with some."""

    GROUP = "review"

    def propose(self, *findings: Finding) -> None:
        """Put findings into the queue, like the watcher."""

        async def put() -> None:
            async with open_connection(self.target, role=WATCHER) as connection:
                await propose(connection, "cn-mofcom", findings, ["CN"])

        asyncio.run(put())

    def keep(self, content: bytes) -> str:
        """Store a snapshot like the watcher, and return its SHA-256."""

        async def put() -> str:
            async with open_pool(self.target, role=WATCHER, size=1) as pool:
                return await SnapshotStore(pool).put(content)

        return asyncio.run(put())


@pytest.fixture
def line(target: Target) -> ReviewCommands:
    return ReviewCommands(target)


def test_every_command_of_the_guide_works_in_its_order(
    line: ReviewCommands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    line.propose(
        *(proposal(str(number), title=f"Export controls {number}") for number in (1, 2, 3)),
        lead("4"),
    )
    [block] = re.findall(r"```sh\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    outputs = []
    for command in block.splitlines():
        written, _, file = command.partition(" > ")
        _, group, *arguments = shlex.split(DAY.sub(NEXT_WEEK, written))
        assert group == "review"
        result = line.run(*arguments)
        assert result.exit_code == Exit.OK, (command, result.output)
        outputs.append(result.stdout)
        if file:
            Path(file).write_text(result.stdout)
    assert [row.split("\t")[:2] for row in outputs[-1].splitlines()] == [
        ["1", "accepted"],
        ["2", "accepted"],
        ["3", "accepted"],
        ["4", "postponed"],
    ]
    assert len(outputs[0].splitlines()) == 4
    assert len(outputs[1].splitlines()) == 3


def test_all_about_a_candidate_is_shown_a_value_a_line(line: ReviewCommands) -> None:
    line.propose(proposal())
    line.run("accept", 1, "--as", "ann", "--reason", "It is so")
    told = {name: values for name, *values in line.rows("show", 1)}
    assert told["state"] == ["accepted"]
    assert told["accepted by"] == ["ann"]
    assert told["position"] == ["1"]
    assert told["snapshot"] == ["ab" * 32]
    [accepted] = [row for row in line.rows("show", 1) if row[0] == "decision" and row[2] == "ann"]
    assert accepted[3:5] == ["accepted", "It is so"]


def test_lists_are_narrowed(line: ReviewCommands) -> None:
    line.propose(proposal("1"), lead("2"), figures("3"))
    for narrowed, ids in (
        (["--kind", "lead"], ["2"]),
        (["--issuer", "CN", "--commodity", "gallium"], ["1"]),
        (["--source", "nobody"], []),
        (["--assigned-to", ""], ["1", "2", "3"]),
        (["--search", "notice 2"], ["2"]),
        (["--limit", "1"], ["1"]),
        (["--state", "accepted"], []),
    ):
        assert [row[0] for row in line.rows("list", *narrowed)] == ids, narrowed
    assert "UNKNOWN_COMMODITY" in line.refused("list", "--commodity", "unobtainium")


def test_an_accepted_file_is_imported_by_the_command(line: ReviewCommands) -> None:
    line.propose(figures(reader="corpus", sha256=line.keep(FILE)))
    assert line.rows("accept", 1, "--as", "ann") == [["1", "accepted", "2"]]


def test_refusals_are_reported_for_each_item_and_the_others_are_done(line: ReviewCommands) -> None:
    line.propose(
        proposal("1"), lead("2"), proposal("3", suspended("1"), "export-control/nobody-knows")
    )
    result = line.run("accept", 1, 2, 3, 9)
    assert result.exit_code == Exit.REFUSED
    assert result.stdout == "1\taccepted\t1\n"
    for said in ("2: candidate 2 proposes no fact", "(NOT_FOUND)", "9: There is no candidate 9"):
        assert said in " ".join(result.stderr.split())


def test_two_persons_need_two_names(line: ReviewCommands) -> None:
    line.propose(proposal())
    two = {"TRACKER_REVIEWERS": "2"}
    assert line.rows("accept", 1, "--as", "ann", **two) == [["1", "pending", ""]]
    again = line.run("accept", 1, "--as", "ann", **two)
    assert "(SAME_REVIEWER)" in again.stderr
    assert line.rows("accept", 1, "--as", "bob", **two) == [["1", "accepted", "1"]]
    wrong = line.run("list", TRACKER_REVIEWERS="3")
    assert wrong.exit_code == Exit.USAGE
    assert "(RESERVED_NAME)" in line.refused("reopen", 1, "--as", "tracker")


def test_a_fact_is_edited_as_json(line: ReviewCommands, tmp_path: Path) -> None:
    line.propose(proposal())
    fact = json.loads(line.run("show", 1, "--fact").stdout)
    fact["data"]["title"] = "As edited"
    file = tmp_path / "fact.json"
    file.write_text(json.dumps(fact))
    assert line.rows("edit", 1, file) == [["1", "pending", ""]]
    assert json.loads(line.run("show", 1, "--fact").stdout) == fact
    for wrong, said in (
        ("{", "INVALID_JSON"),
        ("{}", "FIELD_REQUIRED"),
        (json.dumps({**fact, "type": "Rumour"}), "UNKNOWN_TYPE"),
        (json.dumps({**fact, "entity": "x y"}), "INVALID_ID"),
    ):
        file.write_text(wrong)
        assert said in line.refused("edit", 1, file)


def test_a_lead_has_no_fact_to_print(line: ReviewCommands) -> None:
    line.propose(lead())
    assert "(NO_FACT)" in line.refused("show", 1, "--fact")
