"""Decoding of states stored in rows.

Rows that cannot be decoded belong to another release, which replaced the tables during a query. So the
error is Unavailable instead of InvalidInput.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from tracker.domain.basics import codec
from tracker.errors import InvalidInput, Unavailable

T = TypeVar("T")


def decode(kind: type[T], text: str) -> T:
    """Decode the state of a row. Raises Unavailable for rows of another release."""
    with _blaming_rows():
        return codec.decode(kind, text)


def decode_all(kind: type[T], texts: Sequence[str]) -> list[T]:
    """Decode the states of rows, or parts of them; raises as `decode` does."""
    with _blaming_rows():
        return codec.decode_all(kind, texts)


@contextmanager
def _blaming_rows() -> Iterator[None]:
    try:
        yield
    except InvalidInput as error:
        raise Unavailable(f"The rows are not of this release: {error}") from error
