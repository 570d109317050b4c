"""Files of a bundle, and of commands about it, as the system lets them be written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tracker.errors import InvalidInput


@contextmanager
def report_path(path: Path) -> Iterator[Path]:
    """Say which file it is that the system refuses. Raises InvalidInput."""
    try:
        yield path
    except OSError as error:
        raise InvalidInput(f"{path}: {error.strerror}") from error
