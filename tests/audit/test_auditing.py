"""The auditors' commands: their exit codes, and every command of the guide, in its order."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from deploy.cli.main import app
from deploy.cli.process import Exit
from tests.support.database_urls import database_url
from tests.support.processes import Running
from tests.support.tampered_logs import KEY, OTHER, WITNESS, bundle, honest, signed
from tests.support.time_limits import within
from tracker.audit.verify import http_source
from tracker.audit.verify.report import printable
from tracker.postgres.database import Target

GUIDE = (Path(__file__).parents[2] / "docs" / "auditing.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL)


def tracker(*arguments: object) -> tuple[int, str]:
    """Return the exit code of a command, and its output."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return result.exit_code, result.output


def answered(*arguments: object) -> tuple[int, dict[str, Any]]:
    """Return the exit code of a command with --json, and its output."""
    result = CliRunner().invoke(app, [*(str(argument) for argument in arguments), "--json"])
    return result.exit_code, json.loads(result.stdout)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Create a bundle."""
    return asyncio.run(bundle(tmp_path / "log", honest(300)))


def test_a_bundle_is_verified_with_the_key_that_one_has(log: Path, tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f"{OTHER.verifier}\tretired\n{KEY.verifier}\tsigns\n")
    for key in (KEY.verifier, file):
        code, said = tracker("verify", log, "--key", key)
        assert (code, "verified: 300 events of example.org/log" in said) == (Exit.OK, True), said
    code, said = tracker("verify", log, "--key", OTHER.verifier)
    assert (code, "(UNKNOWN_KEY)" in said) == (Exit.REFUSED, True)
    for nothing in ("nonsense+key", "no-such-file"):
        assert tracker("verify", log, "--key", nothing)[0] == Exit.REFUSED
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "empty").write_bytes(b"\n")
    for nothing in ("binary", "empty"):
        assert tracker("verify", log, "--key", tmp_path / nothing)[0] == Exit.REFUSED


def test_errors_name_their_position(log: Path, tmp_path: Path) -> None:
    entries = log / "tile/entries/000"
    entries.write_bytes(entries.read_bytes().replace(b"Alliance", b"alliance", 1))
    for arguments in (
        ("verify", log),
        ("replay", log, "--out", tmp_path / "state"),
        ("export", tmp_path / "copy", "--from", log),
    ):
        code, said = tracker(*arguments, "--key", KEY.verifier)
        assert code == Exit.REFUSED
        assert re.search(
            r"position \d+: the entry is not the one that was signed"
            r" \(ALTERED_ENTRY\)",
            said,
        ), said
    assert not (tmp_path / "state").exists()
    assert not (tmp_path / "copy/checkpoint").exists()


def test_the_checkpoint_of_the_last_visit_is_kept_and_must_be_continued(
    log: Path, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    visit = ("--key", KEY.verifier, "--state", state)
    assert tracker("verify", log, *visit)[0] == Exit.OK
    assert state.read_bytes() == signed(honest(300))
    longer = asyncio.run(bundle(tmp_path / "longer", honest(600)))
    code, said = tracker("verify", longer, *visit, "--only-new")
    assert (code, "continues: your checkpoint of 300" in said) == (Exit.OK, True)
    assert "read: from position 257 on" in said
    code, said = tracker("verify", log, *visit)
    assert (code, "positions 301 to 600:" in said) == (Exit.REFUSED, True)
    assert state.read_bytes() == signed(honest(600))
    code, said = tracker("verify", log, *visit, "--require-witness", WITNESS.verifier)
    assert (code, "NOT_WITNESSED" in said) == (Exit.REFUSED, True)


def test_an_address_that_does_not_answer_accuses_no_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_source, "RETRY_DELAYS_SECONDS", ())
    code, said = tracker("verify", "http://127.0.0.1:1/log", "--key", KEY.verifier)
    assert (code, "127.0.0.1:1/log/checkpoint" in said) == (Exit.UNAVAILABLE, True), said
    code, said = tracker("verify", "http://127.0.0.1:1/log")
    assert (code, "NO_KEY" in said) == (Exit.REFUSED, True)
    assert tracker("verify", "ftp://x/log", "--key", KEY.verifier)[0] == Exit.REFUSED
    assert tracker("verify", tmp_path, "--key", KEY.verifier)[0] == Exit.REFUSED


@pytest.mark.parametrize(
    "arguments",
    [
        ("verify",),
        ("verify", "x", "--database"),
        ("verify", "x", "--only-new"),
        ("verify", "x", "--against", "y"),
        ("verify", "--database", "--against", "x", "--state", "y"),
        ("restore", "https://example.org/log"),
    ],
)
def test_wrong_usage_is_said(arguments: tuple[str, ...]) -> None:
    assert tracker(*arguments)[0] == Exit.USAGE


def test_a_position_beyond_a_bundle_is_refused(log: Path) -> None:
    for options in (("--position", "301"), ("--position", "1", "--known-at", "2025-01-01")):
        assert tracker("replay", log, *options, "--trust-bundle-key")[0] == Exit.REFUSED
    said = tracker("replay", log, "--position", "0", "--trust-bundle-key")[1]
    assert said.splitlines()[-1] == (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )


@pytest.fixture
def directory() -> Iterator[Path]:
    """Create an auditor's directory, accessible to PostgreSQL's own account."""
    directory = Path(tempfile.mkdtemp(prefix="tracker-auditor-"))
    os.chmod(directory, 0o755)
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


def test_every_command_of_the_guide_does_what_it_says(demo: Running, directory: Path) -> None:
    wait_for_checkpoint(f"{demo.url}/log/checkpoint")
    script = "".join(BLOCKS).replace("http://127.0.0.1:8000", demo.url)
    assert script.count("tracker ") >= 9
    tracker = f'tracker() {{ "{sys.executable}" -m deploy.cli.main "$@"; }}\n'
    result = subprocess.run(
        ["bash", "-ec", tracker + script],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
        env={
            **os.environ,
            "TRACKER_DATA_DIR": str(demo.data_dir),
            "PYTHONPATH": str(Path(__file__).parents[2]),
        },
        timeout=within(100),
    )
    assert result.returncode == 0, result.stdout + result.stderr
    digest = demo.ask('{ asOf(validAt: "2025-11-20") { digest } }')["data"]["asOf"]["digest"]
    assert f"{digest}  state.jsonl" in result.stdout
    assert result.stdout.count(digest) == 3
    assert result.stdout.count("verified: ") == 4


def wait_for_checkpoint(url: str) -> None:
    """Wait until the log has been signed."""
    for _ in range(300):
        try:
            urllib.request.urlopen(url, timeout=within(20)).close()
            return
        except urllib.error.HTTPError:
            time.sleep(0.1)
    raise AssertionError("the log is not signed")


def test_every_code_is_in_the_guide() -> None:
    root = Path(__file__).parents[2] / "tracker" / "audit"
    codes = {
        code
        for path in root.rglob("*.py")
        for code in re.findall(r'Rejected\(\s*"([A-Z_]+)"', path.read_text(encoding="utf-8"))
    }
    assert len(codes) >= 14
    assert [code for code in codes if f"`{code}`" not in GUIDE] == []


def test_without_a_key_from_elsewhere_nothing_counts_as_proven(log: Path, tmp_path: Path) -> None:
    """A forged bundle is as consistent as an honest one."""
    for arguments in (
        ("verify", log),
        ("replay", log),
        ("restore", log),
        ("export", tmp_path / "copy", "--from", log),
    ):
        code, said = tracker(*arguments, "--data-dir", tmp_path / "new")
        assert (code, "--trust-bundle-key" in said, "(NO_KEY)" in said) == (
            Exit.REFUSED,
            True,
            True,
        ), said
    assert not (tmp_path / "copy").exists()
    assert not (tmp_path / "new").exists()
    code, said = tracker("verify", log, "--trust-bundle-key")
    words = " ".join(said.split())
    assert (code, "consistent: 300 events of example.org/log" in words) == (Exit.OK, True)
    assert "does not prove the origin of the log" in words
    assert "verified" not in words


def test_the_result_is_there_for_programs(log: Path) -> None:
    _, said = answered("verify", log, "--key", KEY.verifier)
    assert (said["result"], said["exitCode"], said["size"], said["origin"]) == (
        "verified",
        0,
        "300",
        "example.org/log",
    )
    assert (said["keySource"], said["trustedKeys"]) == ("given", [str(KEY.verifier)])
    assert said["checkpoint"] == signed(honest(300)).decode()
    assert said["root"] == said["checkpoint"].splitlines()[2]
    assert said["texts"]["missing"] == 0 < said["texts"]["opened"]
    assert said["tool"].startswith("critical-minerals-policy-tracker ")
    assert said["startedAt"] <= said["finishedAt"]
    entries = log / "tile/entries/000"
    entries.write_bytes(entries.read_bytes().replace(b"Alliance", b"alliance", 1))
    code, said = answered("verify", log, "--key", KEY.verifier)
    assert (code, said["result"], said["code"]) == (Exit.REFUSED, "rejected", "ALTERED_ENTRY")
    assert said["firstBadPosition"] == said["lastBadPosition"] in said["sentence"]


def test_the_result_names_a_gap_between_a_log_and_its_proof(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_source, "RETRY_DELAYS_SECONDS", ())
    _, own = answered("verify", log, "--trust-bundle-key")
    assert (own["result"], own["keySource"]) == ("consistent", "bundle")
    assert "nothing is proven about the origin of the log" in own["sentence"]
    (log / "annexes").unlink()
    code, lost = answered("verify", log, "--key", KEY.verifier, "--allow-missing-texts")
    assert (code, lost["result"], lost["texts"]["opened"]) == (Exit.OK, "verified", 0)
    assert f"{lost['texts']['missing']} texts that they commit to are missing" in lost["sentence"]
    assert "the texts that are missing" in lost["notChecked"]
    code, silent = answered("verify", "http://127.0.0.1:1/log", "--key", KEY.verifier)
    assert (code, silent["result"], silent["code"]) == (
        Exit.UNAVAILABLE,
        "not_verified",
        "UNAVAILABLE",
    )


def test_a_report_says_what_was_checked_with_what_and_what_was_not(
    log: Path, tmp_path: Path
) -> None:
    report, state = tmp_path / "report.md", tmp_path / "state"
    visit = ("--key", KEY.verifier, "--report", report, "--state", state)
    assert tracker("verify", log, *visit)[0] == Exit.OK
    page = report.read_text(encoding="utf-8")
    root = signed(honest(300)).decode().splitlines()[2]
    for words in (
        "All 300 events of example.org/log are those that were signed with a trusted key",
        f"| Subject of the check | `{log}` |",
        "| Number of events | `300` |",
        f"| Root | `{root}` |",
        f"| Trusted key | `{KEY.verifier}` |",
        "| Verified with | `critical-minerals-policy-tracker ",
        "| Ended | `20",
        "the absence of a second, different log",
        "the truth of the recorded facts",
    ):
        assert words in page
    tracker("verify", log, *visit)
    page = report.read_text(encoding="utf-8")
    assert "| Continues your checkpoint of size | `300` |" in page
    assert "the absence of a second, different log" not in page
    (log / "tile/0/000").write_bytes(b"")
    assert tracker("verify", log, *visit)[0] == Exit.REFUSED
    page = report.read_text(encoding="utf-8")
    assert "The log is rejected: position 1: tile/0/000 has 0 bytes" in page
    assert "| Code | `BAD_LENGTH` |" in page
    code, said = tracker("verify", log, "--key", KEY.verifier, "--report", tmp_path / "no/report")
    assert (code, "no such directory" in " ".join(said.split())) == (Exit.USAGE, True)


def test_text_of_others_cannot_break_a_report() -> None:
    assert printable("a\x1b[2J\n|b`\u202e") == "a�[2J�\\|b��"


def test_a_restore_without_texts_is_refused_and_taken_only_when_told_to(
    log: Path, target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACKER_DATABASE_URL", database_url(target))
    (log / "annexes").unlink()
    restoring = ("restore", log, "--key", KEY.verifier)
    code, said = tracker(*restoring)
    assert (code, "(MISSING_ANNEX)" in said) == (Exit.REFUSED, True)
    assert "--allow-missing-texts" in said
    assert json.loads(CliRunner().invoke(app, ["query", "{ head }"]).stdout) == {
        "data": {"head": "0"}
    }
    code, said = tracker(*restoring, "--allow-missing-texts")
    assert (code, "restored: 300 events of example.org/log" in said) == (Exit.OK, True)
    assert re.search(r"texts: 0 open their commitments, 0 are redacted, \d+ are missing", said)


@pytest.mark.parametrize("name", ["verify", "restore", "replay"])
def test_a_path_that_is_wrong_is_wrong_usage_and_accuses_no_one(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    for path, words in (
        ("none", "there is no such directory"),
        ("file", "is a file"),
        ("file/below", "Not a directory"),
        ("x" * 300, "name too long"),
    ):
        code, said = tracker(
            name, tmp_path / path, "--key", KEY.verifier, "--data-dir", tmp_path / "new"
        )
        assert (code, "Traceback" in said) == (Exit.USAGE, False)
        assert words in " ".join(said.replace("│", " ").split())
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "address",
    ["http://", "http://[::1/log", "https://example.org:99999/log", "file:///etc", "x://y"],
)
def test_an_address_that_is_none_is_refused(address: str) -> None:
    code, said = tracker("verify", address, "--key", KEY.verifier)
    assert (code, "expected an http or https address" in " ".join(said.split())) == (
        Exit.REFUSED,
        True,
    )
