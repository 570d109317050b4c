"""A small disk for tests of a full disk: a tmpfs. Mounting needs root."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DISK_SIZE = "1500m"
"""Size for a new database, and for the gigabyte of write-ahead log before PostgreSQL recycles it
(`max_wal_size`). A smaller disk would be full of that alone."""
BLOCK = bytes(1 << 20)


class NoDisk(Exception):
    """The error if nothing can be mounted here, with the reason."""


class Disk:
    """A disk with a file that can take all free space."""

    def __init__(self, root: Path):
        self.root = root
        self._ballast = root / "ballast"

    def fill(self, spare: int) -> None:
        """Take all space except `spare` bytes."""
        with self._ballast.open("wb", buffering=0) as file:
            try:
                while written := file.write(BLOCK):
                    assert written
            except OSError:
                file.truncate(max(file.tell() - spare, 0))

    def free(self) -> None:
        """Release the space."""
        self._ballast.unlink(missing_ok=True)


@contextmanager
def small_disk(root: Path) -> Iterator[Disk]:
    """Mount a small disk on a directory. Raises NoDisk."""
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
