"""The auditors' commands: their exit codes, and every command of the guide, in its order."""

from __future__ import annotations

import asyncio
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

import pytest
from typer.testing import CliRunner

from deploy.cli import app
from deploy.process import Exit
from tests.forge import KEY, OTHER, WITNESS, bundle, honest, signed
from tests.processes import Running
from tests.test_cli import demo  # noqa: F401
from tracker.audit import website

GUIDE = (Path(__file__).parents[1] / "docs" / "auditing.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL)


def tracker(*arguments: object) -> tuple[int, str]:
    """The exit code of a command, and what it says."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return result.exit_code, result.output


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A bundle."""
    return asyncio.run(bundle(tmp_path / "log", honest(300)))


def test_a_bundle_is_verified_with_the_key_that_one_has(log: Path, tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f"{OTHER.verifier}\tretired\n{KEY.verifier}\tsigns\n")
    for key in (KEY.verifier, file):
        code, said = tracker("verify", log, "--key", key)
        assert (code, "verified: 300 events of example.org/log" in said) == (Exit.OK, True), said
    code, said = tracker("verify", log)
    assert (code, "not whose it is" in " ".join(said.split())) == (Exit.OK, True)
    code, said = tracker("verify", log, "--key", OTHER.verifier)
    assert (code, "(UNKNOWN_KEY)" in said) == (Exit.REFUSED, True)
    for nothing in ("nonsense+key", "no-such-file"):
        assert tracker("verify", log, "--key", nothing)[0] == Exit.REFUSED


def test_what_is_wrong_is_said_with_its_position(log: Path, tmp_path: Path) -> None:
    entries = log / "tile/entries/000"
    entries.write_bytes(entries.read_bytes().replace(b"Alliance", b"alliance", 1))
    for arguments in (("verify", log), ("replay", log, "--out", tmp_path / "state"),
                      ("export", tmp_path / "copy", "--from", log)):
        code, said = tracker(*arguments, "--key", KEY.verifier)
        assert code == Exit.REFUSED
        assert re.search(r"position \d+: the entry is not the one that was signed"
                         r" \(ALTERED_ENTRY\)", said), said
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


def test_an_address_that_does_not_answer_accuses_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(website, "PAUSES", ())
    code, said = tracker("verify", "http://127.0.0.1:1/log", "--key", KEY.verifier)
    assert (code, "127.0.0.1:1/log/checkpoint" in said) == (Exit.UNAVAILABLE, True), said
    code, said = tracker("verify", "http://127.0.0.1:1/log")
    assert (code, "NO_KEY" in said) == (Exit.REFUSED, True)
    assert tracker("verify", "ftp://x/log", "--key", KEY.verifier)[0] == Exit.REFUSED
    assert tracker("verify", tmp_path, "--key", KEY.verifier)[0] == Exit.REFUSED


@pytest.mark.parametrize("arguments", [
    ("verify",), ("verify", "x", "--database"), ("verify", "x", "--only-new")])
def test_wrong_usage_is_said(arguments: tuple[str, ...]) -> None:
    assert tracker(*arguments)[0] == Exit.USAGE


def test_a_position_beyond_a_bundle_is_refused(log: Path) -> None:
    for options in (("--position", "301"), ("--position", "1", "--known-at", "2025-01-01")):
        assert tracker("replay", log, *options)[0] == Exit.REFUSED
    assert tracker("replay", log, "--position", "0")[1].splitlines()[-1] == (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")


@pytest.fixture
def desk() -> Iterator[Path]:
    """An auditor's directory, which PostgreSQL's own account can reach."""
    directory = Path(tempfile.mkdtemp(prefix="tracker-auditor-"))
    os.chmod(directory, 0o755)
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


def test_every_command_of_the_guide_does_what_it_says(
    demo: Running, desk: Path  # noqa: F811
) -> None:
    wait_for_checkpoint(f"{demo.url}/log/checkpoint")
    script = "".join(BLOCKS).replace("http://127.0.0.1:8000", demo.url)
    assert script.count("tracker ") >= 9
    tracker = f'tracker() {{ "{sys.executable}" -m deploy.cli "$@"; }}\n'
    result = subprocess.run(
        ["bash", "-ec", tracker + script], cwd=desk, capture_output=True, text=True, check=False,
        env={**os.environ, "TRACKER_DATA_DIR": str(demo.data_dir),
             "PYTHONPATH": str(Path(__file__).parents[1])}, timeout=150)
    assert result.returncode == 0, result.stdout + result.stderr
    digest = demo.ask('{ asOf(validAt: "2025-11-20") { digest } }')["data"]["asOf"]["digest"]
    assert f"{digest}  state.jsonl" in result.stdout
    assert result.stdout.count(digest) == 3
    assert result.stdout.count("verified: ") == 4


def wait_for_checkpoint(url: str) -> None:
    """Wait until the log has been signed."""
    for _ in range(300):
        try:
            urllib.request.urlopen(url, timeout=20).close()
            return
        except urllib.error.HTTPError:
            time.sleep(0.1)
    raise AssertionError("the log is not signed")


def test_every_code_is_in_the_guide() -> None:
    root = Path(__file__).parents[1] / "tracker" / "audit"
    codes = {code for path in root.glob("*.py")
             for code in re.findall(r'Rejected\(\s*"([A-Z_]+)"', path.read_text(encoding="utf-8"))}
    assert len(codes) >= 14
    assert [code for code in codes if f"`{code}`" not in GUIDE] == []
