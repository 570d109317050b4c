"""A small disk that can be filled: a tmpfs. Mounting needs root."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DISK_SIZE = "1500m"
"""Room for a new database, and for the gigabyte to which PostgreSQL lets its write-ahead log grow before it
recycles it (`max_wal_size`): a smaller disk is full of that alone, and stays full."""
BLOCK = bytes(1 << 20)


class NoDisk(Exception):
    """Nothing can be mounted here; the message says why."""


class Disk:
    """A disk on which a file can take all the space that is left."""

    def __init__(self, root: Path):
        self.root = root
        self._ballast = root / "ballast"

    def fill(self, spare: int) -> None:
        """Take all space but so many bytes."""
        with self._ballast.open("wb", buffering=0) as file:
            try:
                while written := file.write(BLOCK):
                    assert written
            except OSError:
                file.truncate(max(file.tell() - spare, 0))

    def free(self) -> None:
        """Give the space back."""
        self._ballast.unlink(missing_ok=True)


@contextmanager
def small_disk(root: Path) -> Iterator[Disk]:
    """A small disk, mounted on a directory. Raises NoDisk."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_SIZE},mode=755", "tmpfs", str(root)]
    try:
        subprocess.run(command, capture_output=True, text=True, check=True)
    except OSError as error:
        raise NoDisk(f"mount can't be run: {error}") from error
    except subprocess.CalledProcessError as error:
        raise NoDisk(error.stderr.strip()) from error
    try:
        yield Disk(root)
    finally:
        subprocess.run(["umount", "--lazy", str(root)], check=True)
