"""Client of the process that makes pictures. It is started on first use, and again after a failure."""

import json
from importlib.util import find_spec
from pathlib import Path

from tracker.errors import TrackerError, Unavailable
from tracker.worker_process import WorkerFailed, WorkerProcess

WORKER = Path(__file__).with_name("picture_worker.py")
REQUEST_TIMEOUT_SECONDS = 15.0
"""A picture takes 10 to 160 ms, the first 0.4 to 0.8 s; on a busy machine several times that."""
MAX_PICTURES = 5_000
"""Pictures before the process is restarted, because its memory grows a little with each."""


def is_installed() -> bool:
    """Return whether the library that makes pictures is installed."""
    return find_spec("vl_convert") is not None


def require_installed() -> None:
    """Raise TrackerError if the library is not installed."""
    if not is_installed():
        raise TrackerError(
            "PNG and PDF need vl-convert-python, which is not installed: install the extra `charts`",
            code="FORMAT_NOT_INSTALLED",
        )


class PictureProcess:
    """A process that makes one picture at a time. `make` blocks, so it is called from a thread."""

    def __init__(self) -> None:
        self._worker = WorkerProcess(
            [str(WORKER)], timeout_seconds=REQUEST_TIMEOUT_SECONDS, max_requests=MAX_PICTURES
        )
        self.close, self.kill = self._worker.close, self._worker.kill

    def make(self, format: str, svg: str) -> bytes:
        """Return an SVG as `png` or `pdf`.

        Raises Unavailable if the process fails or takes too long, ValueError if the SVG cannot be drawn.
        """
        try:
            good, answer = self._worker.request(json.dumps([format, svg]).encode())
        except WorkerFailed:
            raise Unavailable("the picture could not be made in time; try again") from None
        if not good:
            raise ValueError(answer.decode(errors="replace"))
        return answer


SHARED_PROCESS = PictureProcess()
"""The process that all applications of this server share; it starts with the first picture."""
