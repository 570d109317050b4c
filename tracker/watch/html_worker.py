"""The HTML process: run as a module, it answers requests until its input ends."""

import base64
import logging
import pickle
import resource
import signal
import sys
from contextlib import suppress

import msgspec

from tracker.errors import TrackerError
from tracker.watch.html_process import Refusal

MAX_ANSWER_BYTES = 16 * 2**20
"""Maximum size of a result: a list repeats its own address with each entry."""

logger = logging.getLogger(__name__)


def answer(request: bytes) -> tuple[bool, bytes]:
    """Return the result for a document, or the reason why it could not be read, as JSON."""
    function, arguments, options = pickle.loads(
        base64.b64decode(request)
    )  # from the parent process
    try:
        content = msgspec.json.encode(function(*arguments, **options))
        if len(content) <= MAX_ANSWER_BYTES:
            return True, content
        refusal = Refusal(f"expected at most {MAX_ANSWER_BYTES:,} bytes in a page", "TOO_LARGE")
    except TrackerError as error:
        refusal = Refusal(error.message, error.code)
    except MemoryError:
        refusal = Refusal("expected HTML that can be read with little memory", "TOO_LARGE")
    except Exception as error:
        logger.exception("an adapter failed for an unknown reason")
        refusal = Refusal(f"the adapter failed: {type(error).__name__}: {error}", "LAYOUT_CHANGED")
    return False, msgspec.json.encode(refusal)


def limit_memory(max_bytes: int) -> None:
    """Limit the memory of this process, if the system supports it, and disable core dumps."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (max_bytes, max_bytes))


def limit_cpu_time(max_seconds: int) -> None:
    """End this process after some more seconds of CPU time."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    end = int(usage.ru_utime + usage.ru_stime) + max_seconds
    resource.setrlimit(resource.RLIMIT_CPU, (end, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def main() -> None:
    """Answer requests until the input ends, within the limits in the arguments."""
    max_memory_bytes, max_cpu_seconds = map(int, sys.argv[1:])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server ends this process, not the terminal
    limit_memory(max_memory_bytes)
    for request in sys.stdin.buffer:
        limit_cpu_time(max_cpu_seconds)
        good, content = answer(request)
        sys.stdout.buffer.write(f"{str(good).lower()} {len(content)}\n".encode() + content)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
