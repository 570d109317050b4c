"""Pagination arguments and cursors of lists.

A cursor contains the key of its item in the order of the list, not a number of items to skip. So pages
neither repeat nor miss items when events are recorded between them. A cursor is always valid, also at other
moments and if its item no longer exists.
"""

from typing import Annotated, TypeAlias

import msgspec
from msgspec import Struct

from projections.query.lists import Key
from schema.base.global_ids import decode_opaque, encode_opaque, entity_path
from tracker.domain.basics.codec import decode, encode
from tracker.domain.events.registry import KINDS
from tracker.errors import InvalidInput
from tracker.log.resume_token import MAX_POSITION

MAX_PAGE_SIZE = 200
DEFAULT_PAGE_SIZE = 20
"""The default number of items in a page."""

First: TypeAlias = Annotated[
    int | None,
    (
        f"Return at most this many items from the beginning of the list, 0 to"
        f" {MAX_PAGE_SIZE}; {DEFAULT_PAGE_SIZE} if neither this nor `last` is given."
    ),
]
After: TypeAlias = Annotated[
    str | None,
    "Return items after this cursor, such as the `endCursor` of a page of the same list and order.",
]
Last: TypeAlias = Annotated[
    int | None,
    (
        f"Return at most this many items from the end of the list, 0 to {MAX_PAGE_SIZE}, in"
        " the order of the list. Not together with `first`."
    ),
]
Before: TypeAlias = Annotated[
    str | None,
    "Return items before this cursor, such as the `startCursor` of a page of the same list and order.",
]


class PageRequest(Struct, frozen=True):
    """A requested page: `size` items between two cursors, from the beginning or from the end."""

    size: int
    from_end: bool = False
    after: str | None = None
    before: str | None = None


def parse_page(
    first: int | None, after: str | None = None, last: int | None = None, before: str | None = None
) -> PageRequest:
    """Parse the pagination arguments. Raises InvalidInput."""
    if first is not None and last is not None:
        raise InvalidInput(
            "expected first or last, not both", code="INVALID_PAGE_SIZE", path=("last",)
        )
    size = DEFAULT_PAGE_SIZE if first is None and last is None else first if last is None else last
    if size is None or not 0 <= size <= MAX_PAGE_SIZE:
        raise InvalidInput(
            f"expected a number from 0 to {MAX_PAGE_SIZE}",
            code="INVALID_PAGE_SIZE",
            path=("first" if last is None else "last",),
        )
    return PageRequest(size, last is not None, after, before)


class Cursors(Struct, frozen=True):
    """Cursors of a list of entities, of one kind or of any, by name or in another order, with the position
    of a claim."""

    kind: str | None = None
    order: str | None = None
    positioned: bool = False

    def encode(self, key: Key) -> str:
        """Encode the key of an item as a cursor."""
        if self.order is None:
            return encode_opaque("#".join(map(str, key)))
        by, *names = key
        text = msgspec.json.encode([self.order, by, "#".join(map(str, names))])
        return encode_opaque(text.decode())

    def decode(self, text: str, path: str) -> Key:
        """Decode a cursor of this list to its key. Raises InvalidInput for any other text."""
        try:
            order, key = _decode(decode_opaque(text))
            self._check(order, key)
        except (ValueError, msgspec.DecodeError):
            raise cursor_error(path) from None
        if order != self.order:
            raise InvalidInput(
                f"this is a cursor of the list ordered {_order_name(order)}: expected one of the list"
                f" ordered {_order_name(self.order)}, which begins with its first page",
                code="INVALID_CURSOR",
                path=(path,),
            )
        return key

    def _check(self, order: str | None, key: Key) -> None:
        """Raise ValueError for a key that is impossible in this list."""
        names = key if order is None else key[1:]
        kind, _, id = str(names[0]).partition("/")
        known = kind in KINDS if self.kind is None else kind == self.kind
        if not known or entity_path(kind, id) is None or len(names) != 1 + self.positioned:
            raise ValueError


class WordCursors(Struct, frozen=True):
    """Cursors of a list with text keys, such as a date and a name, in a named order."""

    order: str

    def encode(self, key: Key) -> str:
        """Encode the key of an item as a cursor."""
        return encode_opaque(encode([self.order, *key]).decode())

    def decode(self, text: str, path: str) -> Key:
        """Decode a cursor of this list to its key. Raises InvalidInput for any other text."""
        try:
            order, *key = decode(list[str], decode_opaque(text))
        except (ValueError, InvalidInput):
            raise cursor_error(path) from None
        if order != self.order:
            raise cursor_error(path)
        return tuple(key)


def cursor_error(path: str) -> InvalidInput:
    """Return the error for a text that is not a cursor of this list."""
    return InvalidInput(
        "this is not a cursor of this list: expected a startCursor or endCursor that it gave",
        code="INVALID_CURSOR",
        path=(path,),
    )


def _decode(text: str) -> tuple[str | None, Key]:
    """Decode a cursor into its order (None for the order by name) and its key."""
    if text.startswith("["):
        order, *by, name = msgspec.json.decode(text, type=list[str])
        if len(by) != 1 or "\0" in by[0]:
            raise ValueError
        return order, (*by, *_names(name))
    return None, _names(text)


def _names(text: str) -> Key:
    """Return the name of an item, and the position of a claim."""
    entity, mark, position = text.partition("#")
    return (entity, min(int(position), MAX_POSITION)) if mark else (entity,)


def _order_name(order: str | None) -> str:
    return "by key" if order is None else f"by {order}"
