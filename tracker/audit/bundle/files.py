"""Errors of the system about files of a bundle."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tracker.errors import InvalidInput


@contextmanager
def report_path(path: Path) -> Iterator[Path]:
    """Name the file in an error of the system. Raises InvalidInput."""
    try:
        yield path
    except OSError as error:
        raise InvalidInput(f"{path}: {error.strerror}") from error
