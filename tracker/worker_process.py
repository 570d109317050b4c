"""A second Python process for risky work: it answers one request at a time.

A request is one line of input. The response is a line `true|false LENGTH` and that number of bytes: the
result, or the reason of the failure. The process ends at the end of its input.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from threading import Lock, Timer

PASSED_VARIABLES = ("HOME", "LANG", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "SYSTEMROOT")
"""The environment variables of the process: no passwords."""


class WorkerFailed(Exception):
    """The process ended, or did not respond in time."""


class WorkerProcess:
    """Runs Python with some arguments: started on first use, and again after it has ended."""

    def __init__(self, arguments: Sequence[str], *, timeout_seconds: float, max_requests: int):
        """Set the limits: a request may take `timeout_seconds`; the process is replaced after
        `max_requests`."""
        self._command = [sys.executable, "-P", *arguments]
        self._timeout_seconds = timeout_seconds
        self._max_requests = max_requests
        self._requests = self._kills = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._one_at_a_time = Lock()

    def request(self, request: bytes) -> tuple[bool, bytes]:
        """Return whether a request, without line feeds, succeeded, and its result.

        It blocks: call it in a thread. Raises WorkerFailed.
        """
        kills = self._kills
        with self._one_at_a_time:
            if kills != self._kills:
                raise WorkerFailed
            process = self._running()
            timer = Timer(self._timeout_seconds, process.kill)
            timer.start()
            try:
                good, answer = _exchange(process, request)
            except (OSError, EOFError, ValueError):
                self._stop()
                raise WorkerFailed from None
            finally:
                timer.cancel()
            self._requests += 1
            if self._requests >= self._max_requests:
                self._stop()
        return good, answer

    def close(self) -> None:
        """End the process after its present request."""
        with self._one_at_a_time:
            self._stop()

    def kill(self) -> None:
        """End the process immediately: the present request and waiting ones fail."""
        self._kills += 1
        process = self._process
        if process is not None:
            process.kill()
            process.wait()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._stop()
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={name: os.environ[name] for name in PASSED_VARIABLES if name in os.environ},
            )
        return self._process

    def _stop(self) -> None:
        process, self._process, self._requests = self._process, None, 0
        if process is not None:
            process.kill()
            with process:  # closes the pipes and waits
                pass


def _exchange(process: subprocess.Popen[bytes], request: bytes) -> tuple[bool, bytes]:
    """Return whether a request succeeded, and its result. Raises EOFError if the process ends."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(request + b"\n")
    process.stdin.flush()
    good, length = process.stdout.readline().split()
    answer = process.stdout.read(int(length))
    if len(answer) < int(length):
        raise EOFError
    return json.loads(good), answer
