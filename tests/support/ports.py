"""Ports for servers that need a fixed port before they start, or keep it after a restart."""

import random
import socket

FIRST_PORT, LAST_PORT = 12_000, 31_999
"""Range below the ephemeral ports of Linux and macOS. Those could be taken before the server listens,
or during its restart."""

_given: set[int] = set()
_draw = random.Random()  # not the seed of a test, which other processes may share


def free_port(host: str = "127.0.0.1") -> int:
    """Return a port without a listener, which this process has not returned before."""
    while True:
        port = _draw.randint(FIRST_PORT, LAST_PORT)
        if port in _given or not _is_free(host, port):
            continue
        _given.add(port)
        return port


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as trial:
        try:
            trial.bind((host, port))
        except OSError:
            return False
    return True
