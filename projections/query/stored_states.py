"""States as they are stored in rows, decoded.

Rows that can't be decoded are not of this code: another release has replaced the tables while a query is
answered. That is not the client's fault, as errors of decoding are elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from tracker.domain import codec
from tracker.errors import InvalidInput, Unavailable

T = TypeVar("T")


def decode(kind: type[T], text: str) -> T:
    """The state of a row. Raises Unavailable where it is not of this code."""
    with _blaming_rows():
        return codec.decode(kind, text)


def decode_all(kind: type[T], texts: Sequence[str]) -> list[T]:
    """The states of rows, or parts of them; raises as `decode` does."""
    with _blaming_rows():
        return codec.decode_all(kind, texts)


@contextmanager
def _blaming_rows() -> Iterator[None]:
    try:
        yield
    except InvalidInput as error:
        raise Unavailable(f"The rows are not of this release: {error}") from error
