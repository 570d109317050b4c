"""Parser of untrusted JSON responses: checks shape, encoding and storable characters."""

from typing import TypeVar

from tracker.domain.basics.codec import decode
from tracker.errors import InvalidInput
from tracker.sources.reader import check_storable
from tracker.watch.adapter import NotUnderstood, Response

T = TypeVar("T")


def read_json(response: Response, kind: type[T]) -> T:
    """Parse a response as a type; the error names the invalid place.

    Raises NotUnderstood, also for text that a database cannot store: NUL characters, lone surrogates.
    """
    if response.media_type is not None and not response.media_type.endswith("json"):
        raise not_as_expected(response, f"expected JSON, got {response.media_type}")
    text = response.text()
    try:
        check_storable(text.encode())
        return decode(kind, text)
    except InvalidInput as error:
        raise not_as_expected(response, error.message, *error.path) from None


def not_as_expected(response: Response, problem: str, *path: str | int) -> NotUnderstood:
    """Return the error for a response, with the place of the fault."""
    address = response.url.partition("?")[0]
    where = f"{'.'.join(map(str, path))}: " if path else ""
    return NotUnderstood(f"{address}: {where}{problem}")
