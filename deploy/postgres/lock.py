"""The lock on a data directory: its owner, and the address of its server."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deploy.postgres.connection import Connection, InUse


class Lock:
    """The flock on a data directory, and the record in the locked file."""

    def __init__(self, descriptor: int):
        self._descriptor: int | None = descriptor
        self.predecessor = read_record(descriptor)
        self.write({"owner": os.getpid()})

    @classmethod
    def take(cls, path: Path) -> Lock:
        # Python opens files without inheritance by children: the server must not keep the lock.
        descriptor = open_private(str(path), os.O_RDWR | os.O_CREAT)
        # `running` takes the lock briefly as a test: that is not another owner.
        if wait_until(lambda: _try_lock(descriptor, fcntl.LOCK_EX), time.monotonic() + 1):
            return cls(descriptor)
        owner = read_record(descriptor).get("owner", "unknown")
        os.close(descriptor)
        raise InUse(
            f"{path.parent} is in use by another process ({owner}). "
            "Stop that one first, or choose another data directory."
        )

    @property
    def held(self) -> bool:
        return self._descriptor is not None

    def write(self, record: dict[str, Any]) -> None:
        assert self._descriptor is not None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, json.dumps(record).encode(), 0)

    def release(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.ftruncate(descriptor, 0)
            os.close(descriptor)


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def read_record(descriptor: int) -> dict[str, Any]:
    try:
        record = json.loads(os.pread(descriptor, 4096, 0))
    except ValueError:  # new, or read during a write
        return {}
    return record if isinstance(record, dict) else {}


def read_if_locked(path: Path) -> dict[str, Any] | None:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        return None if _try_lock(descriptor, fcntl.LOCK_SH) else read_record(descriptor)
    finally:
        os.close(descriptor)


def answers(connection: Connection) -> bool:
    """Whether a PostgreSQL server listens: it responds to a TLS request with one letter."""
    path = f"{connection.host}/.s.PGSQL.{connection.port}"
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5)
            client.connect(path)
            client.sendall(struct.pack("!ii", 8, 80877103))
            return client.recv(1) in (b"N", b"S")
    except OSError:
        return False


def open_private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)


def wait_until(condition: Callable[[], bool], deadline: float) -> bool:
    while not (met := condition()) and time.monotonic() < deadline:
        time.sleep(0.005)
    return met
