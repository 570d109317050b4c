"""The process that makes pictures, as this one sees it: started when first needed, again after it died."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import Lock, Timer

from tracker.errors import TrackerError, Unavailable

WORKER = Path(__file__).with_name("vega_worker.py")
REQUEST_TIMEOUT_SECONDS = 15.0
"""A picture takes 10 to 160 ms, the first 0.4 to 0.8 s; on a busy machine several times that."""
MAX_PICTURES = 5_000
"""After so many the process is started anew: it grows by a few bytes with each."""
PASSED_VARIABLES = ("HOME", "LANG", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "SYSTEMROOT")
"""What it gets of the environment: no passwords."""


def is_installed() -> bool:
    """Whether the library that makes pictures is here."""
    return find_spec("vl_convert") is not None


def require_installed() -> None:
    """Raise TrackerError where the library is not here."""
    if not is_installed():
        raise TrackerError(
            "images take vl-convert-python, which is not installed here: the extra `charts` has it",
            code="FORMAT_NOT_INSTALLED",
        )


class PictureProcess:
    """Makes one picture at a time; `make` blocks, so it is called from a thread."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._made = 0
        self._one_at_a_time = Lock()

    def make(self, what: str, text: str) -> bytes:
        """`vega-lite`: the SVG of a specification; `png` and `pdf`: those of an SVG. Raises
        Unavailable when the process fails or takes too long, ValueError for what cannot be drawn."""
        with self._one_at_a_time:
            process = self._running()
            timer = Timer(REQUEST_TIMEOUT_SECONDS, process.kill)
            timer.start()
            try:
                good, answer = _exchange(process, what, text)
            except (OSError, EOFError, ValueError):
                self._stop()
                raise Unavailable("the picture could not be made in time; try again") from None
            finally:
                timer.cancel()
            self._made += 1
            if self._made >= MAX_PICTURES:
                self._stop()
        if not good:
            raise ValueError(answer.decode(errors="replace"))
        return answer

    def close(self) -> None:
        """End the process, after the picture that it makes."""
        with self._one_at_a_time:
            self._stop()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._stop()
            passed = {name: os.environ[name] for name in PASSED_VARIABLES if name in os.environ}
            self._process = subprocess.Popen(
                [sys.executable, "-P", str(WORKER)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=passed,
            )
        return self._process

    def _stop(self) -> None:
        process, self._process, self._made = self._process, None, 0
        if process is not None:
            process.kill()
            with process:  # closes the pipes and waits
                pass


@cache
def shared_process() -> PictureProcess:
    """The one process of this server, which all applications in it share."""
    return PictureProcess()


def _exchange(process: subprocess.Popen[bytes], what: str, text: str) -> tuple[bool, bytes]:
    """Whether it was made, and the picture or what went wrong. Raises EOFError if the process ends."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps([what, text]).encode() + b"\n")
    process.stdin.flush()
    good, length = process.stdout.readline().split()
    answer = process.stdout.read(int(length))
    if len(answer) < int(length):
        raise EOFError
    return json.loads(good), answer
