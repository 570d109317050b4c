"""Parsing of HTML in a process with limits of memory and CPU time.

For some documents libxml2 needs much of both, and its threads cannot be stopped.
"""

import base64
import pickle
from collections.abc import Callable
from typing import ParamSpec, TypeVar, get_type_hints

import msgspec

from tracker.watch.adapter import NotUnderstood
from tracker.worker_process import WorkerFailed, WorkerProcess

P = ParamSpec("P")
T = TypeVar("T")

MAX_MEMORY_BYTES = 1 << 30
MAX_CPU_SECONDS = 10
"""CPU time for one document; 4 MB of ordinary HTML take less than one second."""
TIMEOUT_SECONDS = 60.0
"""Elapsed time for one document."""
MAX_DOCUMENTS = 1_000
"""Documents after which the process is restarted, because its memory grows."""


def process_with(max_memory_bytes: int, max_cpu_seconds: int) -> WorkerProcess:
    """Return a process with limits; it starts with the first document."""
    return WorkerProcess(
        ["-m", "tracker.watch.html_worker", str(max_memory_bytes), str(max_cpu_seconds)],
        timeout_seconds=TIMEOUT_SECONDS,
        max_requests=MAX_DOCUMENTS,
    )


HTML_PROCESS = process_with(MAX_MEMORY_BYTES, MAX_CPU_SECONDS)
"""The one process that reads HTML; it ends with the present process."""


class Refusal(msgspec.Struct):
    """The reason why a document could not be read."""

    message: str
    code: str


def read_apart(read: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
    """Call a function that reads HTML in the HTML process. It blocks, so call it in a thread.

    The result is passed as JSON: it consists of texts, numbers, dates and dataclasses. Raises NotUnderstood,
    with the code TOO_LARGE for a document that exceeds the limits of the process.
    """
    request = base64.b64encode(pickle.dumps((read, arguments, options)))
    try:
        good, answer = HTML_PROCESS.request(request)
    except WorkerFailed:
        raise NotUnderstood(
            "expected HTML that can be read with little memory in a few seconds", code="TOO_LARGE"
        ) from None
    if not good:
        refusal = msgspec.json.decode(answer, type=Refusal)
        raise NotUnderstood(refusal.message, code=refusal.code)
    result: T = msgspec.json.decode(answer, type=get_type_hints(read)["return"])
    return result
