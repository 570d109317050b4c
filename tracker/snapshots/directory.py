"""Snapshots as files: each in a directory named after the first two digits of its SHA-256.

A file gets its name when it is complete and on the disk. A crash leaves a part file, which is removed at a
start when it is an hour old. The database, not the directory, determines which files should exist.
"""

import hashlib
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tracker.errors import Unavailable

PART_PREFIX = ".part-"
PART_SECONDS = 3600
"""Age in seconds from which a part file is abandoned."""
CHUNK_BYTES = 1 << 16
"""Number of bytes of a snapshot read at a time."""


def relative_path(sha256: str) -> str:
    """Return the path of a snapshot's file in its directory."""
    return f"{sha256[:2]}/{sha256}"


class SnapshotDirectory:
    """Files of snapshots. Several processes may use one directory, also over a network.

    All methods raise Unavailable if the system refuses.
    """

    def __init__(self, path: Path):
        self.path = path

    def holds(self, sha256: str) -> bool:
        """Return whether the file of a snapshot exists with its bytes."""
        hashed = hashlib.sha256()
        try:
            for chunk in self.chunks(sha256):
                hashed.update(chunk)
        except Unavailable:
            return False
        return hashed.hexdigest() == sha256

    def write(self, sha256: str, content: bytes) -> None:
        """Write a file, replacing an older one. It is on the disk when this returns."""
        file = self._file(sha256)
        part = self.path / f"{PART_PREFIX}{uuid.uuid4().hex}"
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            try:
                with part.open("xb") as opened:
                    opened.write(content)
                    opened.flush()
                    os.fsync(opened.fileno())
                part.replace(file)
            finally:
                part.unlink(missing_ok=True)
            # the second directory may be newly created in the first
            for directory in (file.parent, self.path):
                _sync_directory(directory)
        except OSError as error:
            raise _file_error(error, file) from None

    def chunks(self, sha256: str) -> Iterator[bytes]:
        """Yield the bytes of a file, in pieces. Raises Unavailable also if there is none."""
        try:
            descriptor = os.open(self._file(sha256), os.O_RDONLY | os.O_NOFOLLOW)
            with open(descriptor, "rb", buffering=0) as file:
                while chunk := file.read(CHUNK_BYTES):
                    yield chunk
        except OSError as error:
            raise _file_error(error, self._file(sha256)) from None

    def remove(self, sha256: str) -> bool:
        """Remove a file; return whether it existed."""
        file = self._file(sha256)
        try:
            file.unlink()
            _sync_directory(file.parent)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise _file_error(error, file) from None
        return True

    def remove_old_parts(self) -> None:
        """Remove part files left by crashes."""
        for part in self.path.glob(f"{PART_PREFIX}*"):
            with suppress(OSError):  # another process may do the same
                if part.lstat().st_mtime < time.time() - PART_SECONDS:
                    part.unlink()

    def _file(self, sha256: str) -> Path:
        return self.path / relative_path(sha256)


def _sync_directory(path: Path) -> None:
    """Flush the names in a directory to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _file_error(error: OSError, file: Path) -> Unavailable:
    return Unavailable(f"{file}: {error.strerror}", code="SNAPSHOT_FILE")
