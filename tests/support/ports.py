"""Ports for servers that must be told theirs before they begin, or that keep it when they begin again."""

from __future__ import annotations

import random
import socket

FIRST_PORT, LAST_PORT = 12_000, 31_999
"""Below those that Linux and macOS give to connections and to whoever asks for any port: one of these may be
taken before the server for which it was found free listens, or while that server is restarted."""

_given: set[int] = set()
_draw = random.Random()  # not that of a test, which other processes may have begun alike


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody listens on, and that nobody else of this process was given."""
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
