"""`tracker serve --mirror`: its commands, its refusals, and its data after crashes."""

import shlex
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from deploy.cli.process import Exit
from tests.support.documents import block
from tests.support.processes import Running, begin, command
from tests.support.static_log import write_log
from tests.support.tampered_logs import KEY, OTHER, honest

ANSWER = '{ head asOf(position: "%d", validAt: "2025-11-20") { digest } }'


def checkpoint(running: Running) -> str:
    """Return the newest checkpoint of a server."""
    with urllib.request.urlopen(f"{running.url}/log/checkpoint") as response:
        text: str = response.read().decode()
    return text


def assert_equal(origin: Running, mirror: Running) -> None:
    """Check that a mirror has the checkpoint and the states of its origin."""
    assert checkpoint(origin) == checkpoint(mirror)
    head = int(origin.ask("{ head }")["data"]["head"])
    for position in (1, head // 3, head):
        assert origin.ask(ANSWER % position) == mirror.ask(ANSWER % position)


def test_the_commands_of_the_page_start_a_mirror_of_the_demo(
    demo: Running, start: Callable[..., Running], data_dir: Path, tmp_path: Path
) -> None:
    text = block("docs/operating/mirror.md", "sh", "--mirror")
    fetch, serve = text.replace("http://127.0.0.1:8000", demo.url).strip().splitlines()
    subprocess.run(fetch, shell=True, cwd=tmp_path, check=True)
    words = shlex.split(serve.replace("origin.key", str(tmp_path / "origin.key")))
    assert (words[:2], words[-4:]) == (
        ["tracker", "serve"],
        ["--port", "8001", "--data-dir", "/tmp/minerals-mirror"],
    )
    mirror = start(*words[1:-4], data_dir=data_dir)
    assert_equal(demo, mirror)
    assert mirror.stop() == Exit.OK


def test_a_mirror_that_is_killed_while_it_copies_continues_without_a_gap(
    demo: Running, start: Callable[..., Running], data_dir: Path, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    with urllib.request.urlopen(f"{demo.url}/log/key") as response:
        key.write_bytes(response.read())
    options = ("serve", "--mirror", f"{demo.url}/log", "--key", str(key), "--log-level", "info")
    for events in (1, 8192, 16384):
        with (tmp_path / "output").open("wb") as output:
            process = begin(
                [*options, "--port", "0", "--data-dir", str(data_dir)],
                output=output.fileno(),
                errors=output.fileno(),
            )
            while not copied(tmp_path / "output", events) and process.poll() is None:
                time.sleep(0.005)
            process.send_signal(signal.SIGKILL)
            process.wait(30)
    assert_equal(demo, start(*options, data_dir=data_dir))


def copied(output: Path, events: int) -> bool:
    """Return whether a mirror has begun, or has logged that it stored a number of events."""
    text = output.read_text()
    return "new database" in text if events == 1 else f"mirrored {events} of" in text


def test_wrong_uses_of_a_mirror_are_refused_by_name(
    start: Callable[..., Running], data_dir: Path, tmp_path: Path
) -> None:
    log = str(write_log(tmp_path / "log", honest(10)))
    key = ("--key", str(KEY.verifier))
    serve = ("serve", "--port", "0")
    for options, code, message in (
        (("--mirror", log), Exit.REFUSED, "(NO_KEY)"),
        (key, Exit.USAGE, "expected --mirror beside it"),
        (("--mirror", str(tmp_path / "none"), *key), Exit.USAGE, "directory of a bundle"),
        (("--mirror", log, "--key", str(OTHER.verifier)), Exit.REFUSED, "(UNKNOWN_KEY)"),
    ):
        refused = command(*serve, *options, data_dir=data_dir)
        assert (refused.returncode, message in refused.stderr) == (code, True), refused.stderr
    mirror = start("serve", "--mirror", log, *key, data_dir=data_dir)
    assert mirror.ask("{ head }")["data"] == {"head": "10"}
    assert mirror.stop() == Exit.OK
    facts = tmp_path / "facts.jsonl"
    facts.touch()
    for arguments in (
        serve,
        (*serve, "--continue-demo"),
        ("import", str(facts)),
        ("redact", "a", "--reason", "a court said so", "--source", "a law", "--yes"),
        ("corpus", "load"),
        ("restore", log, *key, "--onto"),
        ("watch", "--once"),
    ):
        refused = command(*arguments, data_dir=data_dir)
        assert (refused.returncode, "(MIRROR_LOG)" in refused.stderr) == (Exit.REFUSED, True)
    assert command("query", "{ head }", data_dir=data_dir).returncode == Exit.OK


def test_a_log_with_events_of_its_own_does_not_become_a_mirror(
    demo: Running, tmp_path: Path
) -> None:
    log = str(write_log(tmp_path / "log", honest(10)))
    options = ("serve", "--port", "0", "--mirror", log, "--key", str(KEY.verifier))
    refused = command(*options, data_dir=demo.data_dir)
    assert (refused.returncode, "(NOT_A_MIRROR)" in refused.stderr) == (Exit.REFUSED, True)
