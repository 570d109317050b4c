"""Files of an untrusted directory: opened only if they have the expected kind.

A bundle may come from anyone. A file may be a link to the outside, a silent pipe, an endless device, or
larger than memory. So every name in a path is checked before it is opened, no link is followed, and the
number of bytes read is limited.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from tracker.errors import Rejected, Unavailable

KINDS = {
    stat.S_IFREG: "a file",
    stat.S_IFDIR: "a directory",
    stat.S_IFLNK: "a link",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
MAX_DIRECTORY_ENTRIES = 4_000_000
"""Maximum number of names read in a directory."""


def read_file(root: Path, path: str, max_bytes: int) -> bytes | None:
    """Return the content of a file below a directory; None if there is none.

    Raises Rejected: NOT_A_FILE, and BAD_LENGTH for more than `max_bytes`; and Unavailable.
    """
    file = open_file(root, path)
    if file is None:
        return None
    try:
        with file:
            size = os.fstat(file.fileno()).st_size
            content = file.read(max_bytes + 1) if size <= max_bytes else b""
    except OSError as error:
        raise _unreadable(root / path, error) from None
    if size > max_bytes or len(content) > max_bytes:
        raise Rejected(
            "BAD_LENGTH",
            f"{path} has {max(size, len(content)):,} bytes: expected at most {max_bytes:,}",
        )
    return content


def open_file(root: Path, path: str) -> BinaryIO | None:
    """Open a file below a directory for reading; None if there is none. Raises like `read_file`."""
    if not _is_there(root, path, stat.S_IFREG):
        return None
    try:
        file = open(root / path, "rb", opener=_open_unfollowed)  # noqa: SIM115 - the caller closes it
    except OSError as error:
        raise _unreadable(root / path, error) from None
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise Rejected("NOT_A_FILE", f"{root / path} has become something else")
    return file


def read_chunks(file: BinaryIO, max_bytes: int, chunk_bytes: int) -> Iterator[bytes]:
    """Yield the content of an open file in pieces, up to a number of bytes; close it. Raises Unavailable."""
    try:
        with file:
            while max_bytes > 0 and (chunk := file.read(min(chunk_bytes, max_bytes))):
                yield chunk
                max_bytes -= len(chunk)
    except OSError as error:
        raise _unreadable(Path(file.name), error) from None


def names_in(root: Path, path: str) -> Iterator[str]:
    """Return the names in a directory below a directory; empty if it does not exist.

    Raises Rejected: NOT_A_FILE, and TOO_MANY_FILES; and Unavailable.
    """
    if not _is_there(root, path, stat.S_IFDIR):
        return
    try:
        with os.scandir(root / path) as entries:
            for count, entry in enumerate(entries, 1):
                if count > MAX_DIRECTORY_ENTRIES:
                    raise Rejected(
                        "TOO_MANY_FILES", f"{path} has more than {MAX_DIRECTORY_ENTRIES:,} files"
                    )
                yield entry.name
    except OSError as error:
        raise _unreadable(root / path, error) from None


def check_writable(root: Path, path: str) -> None:
    """Check that a file can be written below a directory, at this path.

    Raises Rejected (NOT_A_FILE) if a link, a pipe or a device is in the path.
    """
    _is_there(root, path, stat.S_IFREG)


def _open_unfollowed(path: str, flags: int) -> int:
    """Open without blocking or following a link: the file may have changed since the check."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _is_there(root: Path, path: str, kind: int) -> bool:
    """Return whether an object of this kind exists, below directories that are not links."""
    parts = path.split("/")
    for count in range(1, len(parts) + 1):
        place = "/".join(parts[:count])
        try:
            file_type = stat.S_IFMT(os.lstat(root / place).st_mode)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            raise _unreadable(root / place, error) from None
        expected = kind if count == len(parts) else stat.S_IFDIR
        if file_type != expected:
            raise Rejected(
                "NOT_A_FILE",
                f"{root / place} is {KINDS.get(file_type, 'no file')}: expected {KINDS[expected]}",
            )
    return True


def _unreadable(path: Path, error: OSError) -> Unavailable:
    return Unavailable(f"{path}: {error.strerror}")
