"""Answers in JSON of strangers: of a declared shape, in their declared encoding, such as can be kept."""

from __future__ import annotations

from typing import TypeVar

from tracker.domain.codec import decode
from tracker.errors import InvalidInput
from tracker.sources.reader import check_storable
from tracker.watch.adapter import NotUnderstood, Response

T = TypeVar("T")


def read_json(response: Response, kind: type[T]) -> T:
    """What a response says, as a type; the error names the place that is not as it should be.

    Raises NotUnderstood, also for text that no database keeps: NUL characters, halves of letters.
    """
    if response.media_type is not None and not response.media_type.endswith("json"):
        raise not_as_expected(response, f"expected JSON, got {response.media_type}")
    text = response.text()
    try:
        check_storable(text.encode())
        return decode(kind, text)
    except InvalidInput as error:
        raise not_as_expected(response, error.message, *error.path) from None


def not_as_expected(response: Response, what: str, *path: str | int) -> NotUnderstood:
    """The error of an answer, which says where in it the fault is."""
    address = response.url.partition("?")[0]
    where = f"{'.'.join(map(str, path))}: " if path else ""
    return NotUnderstood(f"{address}: {where}{what}")
