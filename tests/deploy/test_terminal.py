"""Foreign texts control neither a terminal nor a spreadsheet; a dry run shows them."""

import csv
import json
import os
import pty
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import IO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.cli.changes import describe, out, print_line
from deploy.cli.import_report import all_refused, describe_outcome, report_writer
from deploy.cli.process import Exit
from deploy.output.terminal import Terminal, escaped, escaped_json, in_one_line
from schema.tables.cells import escape_formula
from tests.support.fact_builders import announced
from tests.support.importer import ImportFixture, cell, counts
from tests.support.importer import line as corpus_line
from tests.support.processes import TRACKER
from tests.support.time_limits import within
from tracker.postgres.database import Target
from tracker.sources.reader import RefusedItem, SourceLocation

NASTY = "a\x1b[2J\x9b1m\u202egpj.\u2066b\r\x07\u200bc"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("T\u00fcrkiye \u9550 \u0645\u06cc\u200c\u0634\u0648\u062f", None),
        ("two\nlines", None),
        ("\x1b[2J", "\\u001b[2J"),
        ("\u202ea", "\\u202ea"),
        ("a\rb", "a\\u000db"),
        ("\x9b", "\\u009b"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_a_character_that_steers_is_shown_by_its_number(text: str, shown: str | None) -> None:
    assert escaped(text) == (shown or text)


def test_a_name_stays_in_its_line() -> None:
    assert in_one_line("a\nOK: 5 recorded\tb") == "a\\u000aOK: 5 recorded\\u0009b"


@given(st.text())
def test_json_means_the_same_when_it_is_escaped(text: str) -> None:
    written = escaped_json(json.dumps({"a": text}, ensure_ascii=False))
    assert json.loads(written) == {"a": text}
    assert escaped(in_one_line(written)) == written


@pytest.mark.parametrize(
    "text", ["=HYPERLINK(1)", "+1", "-50", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1"]
)
def test_a_cell_of_a_report_is_not_a_formula(tmp_path: Path, text: str) -> None:
    report = tmp_path / "report.csv"
    with report_writer(report) as listen:
        assert listen is not None
        listen("refused", SourceLocation(2, text), "INVALID_TEXT", text, text)
    with report.open(newline="", encoding="utf-8") as content:
        [_, row] = csv.reader(content)
    assert row == ["refused", "2", f"'{text}", "INVALID_TEXT", f"'{text}", f"'{text}"]
    assert escape_formula("gallium = 5") == "gallium = 5"


def test_changes_and_what_is_to_come_show_no_control_characters(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    node = {
        "after": {"title": NASTY},
        "before": None,
        "summary": NASTY,
        "fields": [{"path": ["title", NASTY], "before": NASTY, "after": [NASTY]}],
    }
    source = {"name": NASTY, "publishedOn": "2025"}
    because = {"position": 1, "type": "A", "summary": NASTY, "source": source}
    with out.capture() as shown:
        describe("announcement/a", node, NASTY, [because])
    print_line(node)
    written = shown.get() + capsys.readouterr().out
    assert "\\u001b[2J\\u009b1m\\u202egpj" in written
    assert all(escaped(text) == text for text in written.split("\n"))


def test_errors_show_no_control_characters() -> None:
    console = Terminal(highlight=False, soft_wrap=True)
    with console.capture() as shown:
        console.print(f"{NASTY!s}: expected", markup=False)
    assert "\x1b" not in shown.get()
    assert "\u202e" not in shown.get()


async def test_a_dry_run_shows_the_texts_that_would_be_recorded(importer: ImportFixture) -> None:
    outcome = await importer.take(
        corpus_line("a", announced(title="\u951f\u65a4\u62f7", note="n" * 300)), dry_run=True
    )
    shown = list(describe_outcome(outcome, dry_run=True))
    assert shown[:3] == [
        "facts.jsonl: new: export-control/gallium (line 1)",
        "facts.jsonl:   title: \u951f\u65a4\u62f7",
        f"facts.jsonl:   note: {'n' * 100}\u2026",
    ]


async def test_a_file_of_which_all_was_refused_is_not_a_success(importer: ImportFixture) -> None:
    outcome = await importer.read(
        RefusedItem(SourceLocation(1), "unknown"), RefusedItem(SourceLocation(2), "unknown")
    )
    assert all_refused(outcome.receipt.counts)
    assert list(describe_outcome(outcome, dry_run=False))[-1] == (
        "table.csv: test: nothing recorded: all 2 were refused"
    )
    partly = await importer.read(cell(5), RefusedItem(SourceLocation(3), "unknown"), content="y")
    again = await importer.read(cell(5), RefusedItem(SourceLocation(3), "unknown"), content="y")
    assert (counts(partly), counts(again)) == (
        {"new": 1, "refused": 1},
        {"unchanged": 1, "refused": 1},
    )
    assert not all_refused(partly.receipt.counts)
    assert not all_refused(again.receipt.counts)
    empty = await importer.read(content="z")
    assert not all_refused(empty.receipt.counts)


QUESTION = '{ asOf(validAt: "\u6c5f \u00e9 \U0001f600") { position } }'
"""Its refusal repeats characters that few encodings have."""


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_terminal_of_any_encoding_shows_the_answer_as_json(target: Target, encoding: str) -> None:
    own, theirs = pty.openpty()
    with os.fdopen(own, "rb", buffering=0) as terminal:
        process = begin_query(target, theirs, PYTHONIOENCODING=encoding)
        os.close(theirs)
        printed = read_terminal(terminal)
        assert process.wait(within(30)) == Exit.REFUSED, process.stderr and process.stderr.read()
    [error] = json.loads(printed.decode(encoding))["errors"]
    assert "\u6c5f \u00e9 \U0001f600" in error["message"]


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_a_pipe_gets_utf_8_whatever_encoding_the_terminal_has(
    target: Target, encoding: str
) -> None:
    process = begin_query(target, subprocess.PIPE, PYTHONIOENCODING=encoding)
    printed, errors = process.communicate(timeout=within(60))
    assert process.returncode == Exit.REFUSED, errors
    [error] = json.loads(printed.decode("utf-8"))["errors"]
    assert "\u6c5f \u00e9 \U0001f600" in error["message"]


def begin_query(target: Target, output: int, **environment: str) -> subprocess.Popen[bytes]:
    """Start a query that is refused."""
    url = f"postgresql://{target['user']}@/{target['database']}?host={target['host']}"
    return subprocess.Popen(
        [*TRACKER, "query", QUESTION],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.PIPE,
        env=os.environ | {"TRACKER_DATABASE_URL": url} | environment,
    )


def read_terminal(terminal: IO[bytes]) -> bytes:
    """Return all output of a terminal until it is closed."""
    printed = b""
    with suppress(OSError):  # EIO: the other end is closed
        while more := terminal.read(1000):
            printed += more
    return printed
