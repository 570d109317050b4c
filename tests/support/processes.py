"""Real processes to test with: the commands of `tracker`, and the PostgreSQL servers they run."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

TRACKER = (sys.executable, "-m", "deploy.cli.main")


def command(
    *arguments: str, data_dir: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [*TRACKER, *arguments, "--data-dir", str(data_dir)],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=120,
        check=False,
    )


class Running:
    """A `tracker demo` or `tracker serve` in a process of its own."""

    def __init__(
        self, *arguments: str, data_dir: Path, descriptors: int | None = None, **environment: str
    ):
        self.data_dir = data_dir
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [*TRACKER, *arguments, "--port", "0", "--data-dir", str(data_dir)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **environment},
            preexec_fn=partial(limit_descriptors, descriptors) if descriptors else None,
        )
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
        """Keep what it prints: a pipe that nobody empties would stop it."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._grown:
                self.output += line
                self._grown.notify_all()
        with self._grown:
            self._silent = True
            self._grown.notify_all()

    def _wait_for(self, pattern: str) -> str:
        """What it prints in the place of the pattern's group, now or later."""

        def found() -> re.Match[str] | None:
            return re.search(pattern, self.output)

        with self._grown:
            self._grown.wait_for(lambda: found() or self._silent, 60)
            match = found()
        assert match, self.output
        return match[1]

    def seconds_since_start(self) -> float:
        """How long ago the command was given."""
        return time.monotonic() - self.started

    def rest(self, until: str) -> str:
        """What it prints up to a line that has these words."""
        self._wait_for(f"({until})")
        return self.output

    def ask(self, document: str, token: str | None = None) -> Any:
        """The answer to a GraphQL document over HTTP."""
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        request = urllib.request.Request(
            f"{self.url}/graphql", json.dumps({"query": document}).encode(), headers
        )
        with urllib.request.urlopen(request, timeout=20) as response:
            return json.load(response)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait; the exit code."""
        self.process.send_signal(number)
        return self.ended()

    def ended(self, seconds: float = 30) -> int:
        """Wait for its end; the exit code."""
        code = self.process.wait(seconds)
        self._reader.join(seconds)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


def limit_descriptors(most: int) -> None:
    """Let this process have so many files and sockets, and no more."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def postmasters(under: Path) -> list[psutil.Process]:
    """The PostgreSQL servers that run on a data directory at or below `under`."""
    found: dict[int, psutil.Process] = {}
    parents: dict[int, int] = {}
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            command = [*process.cmdline(), "", "", ""]
            if command[0].endswith("/postgres") and f"{under}/" in " ".join(command[1:3]):
                parents[process.pid] = process.ppid()
                found[process.pid] = process
    # A backend just forked is still called what its parent is called.
    return [process for pid, process in found.items() if parents[pid] not in found]
