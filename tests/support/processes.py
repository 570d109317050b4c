"""Real processes: the commands of `tracker`, and their PostgreSQL servers."""

import json
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO, Any

import psutil  # type: ignore[import-untyped]

from tests.support.loaded_tracker import Forked
from tests.support.time_limits import in_suite, within

TRACKER = (sys.executable, "-m", "deploy.cli.main")


def begin(
    arguments: Sequence[str],
    *,
    output: int,
    errors: int,
    descriptors: int | None = None,
    env: dict[str, str] | None = None,
) -> subprocess.Popen[bytes] | Forked:
    """Start a command with these streams.

    In the suite it is forked from a process with imports, unless the environment configures Python.
    """
    of_python = any(name.startswith("PYTHON") for name in env or {})
    env = dict(os.environ) | (env or {})
    if in_suite() and not of_python:
        with open(os.devnull, "rb") as nothing:
            return Forked([*arguments], nothing.fileno(), output, errors, env, descriptors)
    return subprocess.Popen(
        [*TRACKER, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=errors,
        env=env,
        preexec_fn=partial(limit_descriptors, descriptors) if descriptors else None,
    )


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        process = begin(arguments, output=output.fileno(), errors=errors.fileno(), env=environment)
        try:
            code = process.wait(within(120))
        except BaseException:
            process.kill()
            process.wait()
            raise
        said = [read_text(file) for file in (output, errors)]
    return subprocess.CompletedProcess([*TRACKER, *arguments], code, *said)


def read_text(file: IO[bytes]) -> str:
    """Return all text in a file."""
    file.seek(0)
    return file.read().decode()


def command(
    *arguments: str, data_dir: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command on a data directory to its end."""
    return run(*arguments, "--data-dir", str(data_dir), **environment)


class Running:
    """A `tracker demo` or `tracker serve` in a separate process."""

    def __init__(
        self, *arguments: str, data_dir: Path, descriptors: int | None = None, **environment: str
    ):
        self.data_dir = data_dir
        self.started = time.monotonic()
        reading, writing = os.pipe()
        try:
            self.process = begin(
                [*arguments, "--port", "0", "--data-dir", str(data_dir)],
                output=writing,
                errors=writing,
                descriptors=descriptors,
                env=environment,
            )
        finally:
            os.close(writing)
        self._stdout = os.fdopen(reading)
        self.output = ""
        self._silent = False
        self._grown = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self.url = self._wait_for(r"(http://[\d.]+:\d+)/graphql")
        except AssertionError:
            self.process.kill()
            self.ended()
            raise

    def _read(self) -> None:
        """Read its output, because a full pipe would block it."""
        for line in self._stdout:
            with self._grown:
                self.output += line
                self._grown.notify_all()
        with self._grown:
            self._silent = True
            self._grown.notify_all()

    def _wait_for(self, pattern: str) -> str:
        """Return the group of a pattern in its output, now or later."""

        def found() -> re.Match[str] | None:
            return re.search(pattern, self.output)

        with self._grown:
            self._grown.wait_for(lambda: found() or self._silent, within(60))
            match = found()
        assert match, self.output
        return match[1]

    def seconds_since_start(self) -> float:
        """Return the seconds since the start of the command."""
        return time.monotonic() - self.started

    def rest(self, until: str) -> str:
        """Return its output up to a line with these words."""
        self._wait_for(f"({until})")
        return self.output

    def ask(self, document: str, token: str | None = None) -> Any:
        """Return the response to a GraphQL document over HTTP."""
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        request = urllib.request.Request(
            f"{self.url}/graphql", json.dumps({"query": document}).encode(), headers
        )
        with urllib.request.urlopen(request, timeout=within(20)) as response:
            return json.load(response)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal, wait, and return the exit code."""
        self.process.send_signal(number)
        return self.ended()

    def ended(self, seconds: float = within(30)) -> int:
        """Wait for its end, and return the exit code."""
        code = self.process.wait(seconds)
        self._reader.join(seconds)
        self._stdout.close()
        return code


def limit_descriptors(most: int) -> None:
    """Limit the files and sockets of this process."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def postmasters(under: Path) -> list[psutil.Process]:
    """Return the PostgreSQL servers of data directories at or below `under`."""
    found: dict[int, psutil.Process] = {}
    parents: dict[int, int] = {}
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            command = [*process.cmdline(), "", "", ""]
            if command[0].endswith("/postgres") and f"{under}/" in " ".join(command[1:3]):
                parents[process.pid] = process.ppid()
                found[process.pid] = process
    # A new backend still has the name of its parent.
    return [process for pid, process in found.items() if parents[pid] not in found]
