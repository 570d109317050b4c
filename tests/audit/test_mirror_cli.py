"""`tracker mirror`: its messages, its exit codes, and the use of its directory by others."""

import asyncio
import os
import signal
import tempfile
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli.main import app
from deploy.cli.process import Exit
from tests.support.processes import begin
from tests.support.static_log import note_of, served, write_log
from tests.support.tampered_logs import KEY, OTHER, bundle, honest
from tests.support.time_limits import within
from tracker.audit.verify import http_source


def tracker(*arguments: object) -> tuple[int, str]:
    """Return the exit code of a command, and its output in one line."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return result.exit_code, " ".join(result.output.split())


def test_a_log_on_the_web_becomes_a_directory_that_verifies_offline(tmp_path: Path) -> None:
    log, copy = tmp_path / "log", tmp_path / "mirror"
    key = ("--key", KEY.verifier)
    for size, new in ((300, 300), (600, 300), (600, 0)):
        asyncio.run(bundle(log, honest(size)))
        with served(log) as (url, _):
            code, said = tracker("mirror", url, copy, *key)
        assert (code, f"{size} events of example.org/log, {new} of them new" in said) == (
            Exit.OK,
            True,
        ), said
    code, said = tracker("verify", copy, *key, "--allow-missing-texts")
    assert (code, "verified: 600 events" in said, "kept checkpoints: 2" in said) == (
        Exit.OK,
        True,
        True,
    ), said


def test_a_refusal_has_an_exit_code_and_a_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_source, "RETRY_DELAYS_SECONDS", ())
    log, copy = write_log(tmp_path / "log", honest(300)), tmp_path / "mirror"
    code, said = tracker("mirror", log, copy)
    assert (code, "(NO_KEY)" in said) == (Exit.REFUSED, True)
    code, said = tracker("mirror", log, copy, "--key", OTHER.verifier)
    assert (code, "(UNKNOWN_KEY)" in said) == (Exit.REFUSED, True)
    key = ("--key", KEY.verifier)
    assert tracker("mirror", log, copy, *key)[0] == Exit.OK
    other = [*honest(10), *honest(301)[11:]]
    code, said = tracker("mirror", write_log(tmp_path / "fork", other), copy, *key)
    assert (code, "(FORKED)" in said) == (Exit.REFUSED, True)
    assert str(copy / "forks") in said
    assert tracker("mirror", "http://127.0.0.1:1/log", copy, *key)[0] == Exit.UNAVAILABLE
    assert tracker("mirror", tmp_path / "none", copy, *key)[0] == Exit.USAGE
    assert tracker("mirror", log, copy, *key, "--whole", "--follow")[0] == Exit.USAGE
    assert tracker("mirror", log, log / "checkpoint", *key)[0] == Exit.REFUSED


def test_a_mirror_signs_with_a_key_of_its_own(tmp_path: Path) -> None:
    log, copy, secret = write_log(tmp_path / "log", honest(300)), tmp_path / "copy", tmp_path / "k"
    code, public = tracker("key", "cosigner", "mirror.example/minerals", secret)
    assert (code, public.startswith("mirror.example/minerals+")) == (Exit.OK, True)
    assert secret.stat().st_mode & 0o777 == 0o600
    before = secret.read_bytes()
    assert tracker("key", "cosigner", "mirror.example/minerals", secret)[0] == Exit.REFUSED
    assert tracker("key", "cosigner", "a name", tmp_path / "other")[0] == Exit.REFUSED
    assert secret.read_bytes() == before
    key = ("--key", KEY.verifier)
    assert tracker("mirror", log, copy, *key, "--cosign", secret)[0] == Exit.OK
    required = (*key, "--require-witness", public, "--allow-missing-texts")
    assert tracker("verify", copy, *required)[0] == Exit.OK
    assert "(NOT_WITNESSED)" in tracker("verify", log, *required)[1]
    (tmp_path / "log-key").write_text(KEY.secret)
    code, said = tracker("mirror", log, copy, *key, "--cosign", tmp_path / "log-key")
    assert (code, "key cosigner" in said, KEY.secret in said) == (Exit.REFUSED, True, False)


def test_a_mirror_that_follows_ends_by_a_signal(tmp_path: Path) -> None:
    log, copy = write_log(tmp_path / "log", honest(10)), tmp_path / "mirror"
    with tempfile.TemporaryFile() as printed, tempfile.TemporaryFile() as said:
        following = begin(
            [
                "mirror",
                str(log),
                str(copy),
                "--key",
                str(KEY.verifier),
                "--follow",
                "--every",
                "0.1",
            ],
            output=printed.fileno(),
            errors=said.fileno(),
        )
        try:
            for size in (10, 300):
                write_log(log, honest(size))
                wait_for(copy / "checkpoint", note_of(honest(size)))
        finally:
            os.kill(following.pid, signal.SIGTERM)
            code = following.wait(within(30))
        said.seek(0)
        text = said.read().decode()
    assert code == Exit.INTERRUPTED, text
    assert "Traceback" not in text


def wait_for(path: Path, content: bytes) -> None:
    """Wait until a file has a content."""
    deadline = time.monotonic() + within(60)
    while not path.exists() or path.read_bytes() != content:
        assert time.monotonic() < deadline, f"{path} has not come to it"
        time.sleep(0.05)
