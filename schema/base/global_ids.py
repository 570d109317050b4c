"""Opaque texts of the API: cursors of lists, and unique ids of objects."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import date

from msgspec import Struct

from projections.query.moment import Moment
from tracker.domain.entities.fact import ENTITY_PATH
from tracker.domain.events.registry import KINDS
from tracker.errors import InvalidInput

MAX_OPAQUE_CHARACTERS = 2000
MAX_ID_CHARACTERS = 500
MAX_POSITION_DIGITS = 18
SEPARATOR = "@"
"""Separator of an entity, a date and a position; no name of an entity contains it."""
PAST = "past"
PLANNED = "planned-"
"""Prefix of the token of a preview."""


def encode_opaque(key: str) -> str:
    """Encode a key as opaque text."""
    return urlsafe_b64encode(key.encode()).decode().rstrip("=")


def decode_opaque(text: str) -> str:
    """Decode opaque text. Raises ValueError for text that `encode_opaque` did not produce."""
    if len(text) > MAX_OPAQUE_CHARACTERS:
        raise ValueError("too long for a sealed key")
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except binascii.Error as error:
        raise ValueError(str(error)) from None


class NodeId(Struct, frozen=True):
    """The content of an id: an entity at a moment, or a version of its history that begins at one.

    So client caches keep objects of different moments apart. Without a moment it is the entity at any
    moment; clients may build such ids, but responses never contain them.
    """

    entity: str
    moment: Moment | None = None
    past: bool = False
    """Whether it is a version of a history: in these the preferred claim is unknown."""
    planned: bool = False
    """Whether it is a planned state, which cannot be loaded again."""

    def encode(self) -> str:
        """Return the opaque text of the id."""
        if self.moment is None:
            return encode_opaque(self.entity)
        text = self.entity + _moment_text(self.moment)
        if self.moment.preview:
            return encode_opaque(f"{text}{SEPARATOR}{PLANNED}{self.moment.preview.token}")
        return encode_opaque(f"{text}{SEPARATOR}{PAST}" if self.past else text)

    @classmethod
    def decode(cls, text: str) -> NodeId:
        """Decode an id. Raises ValueError for text that `encode` did not produce."""
        entity, *moment = decode_opaque(text).split(SEPARATOR)
        kind, _, key = entity.partition("/")
        if kind not in KINDS or entity_path(kind, key) is None:
            raise ValueError("not an entity")
        if not moment:
            return cls(entity)
        day, position, *past = moment
        planned = len(past) == 1 and past[0].startswith(PLANNED)
        if not planned and past not in ([], [PAST]):
            raise ValueError("neither a state nor a version")
        at = Moment(date.fromisoformat(day), parse_number(position))
        return cls(entity, at, past == [PAST], planned)


def encode_moment(moment: Moment) -> str:
    """Return the id of a moment itself; no entity has it."""
    return encode_opaque(_moment_text(moment))


def _moment_text(moment: Moment) -> str:
    return f"{SEPARATOR}{moment.valid_at.isoformat()}{SEPARATOR}{moment.position}"


def parse_number(text: str) -> int:
    """Parse a position in an id. Raises ValueError."""
    if not (text.isascii() and text.isdecimal() and len(text) <= MAX_POSITION_DIGITS):
        raise ValueError("not a position")
    return int(text)


def parse_node_id(text: str, *path: str | int) -> NodeId:
    """Parse an id. Raises InvalidInput for any other text."""
    try:
        return NodeId.decode(text)
    except ValueError:
        raise InvalidInput(
            "this is not an id of an entity: expected one that a field `id` gave",
            code="INVALID_ID",
            path=path,
        ) from None


def key_of(kind: str, text: str) -> str | None:
    """Return the key of an entity of a kind, from its key or id; None for other texts."""
    try:
        prefix, _, key = NodeId.decode(text).entity.partition("/")
        if prefix == kind:
            return key
    except ValueError:
        pass  # the text is a key
    return entity_path(kind, text)


def entity_path(kind: str, id: str) -> str | None:
    """Return the path of an entity of a kind if the id is possible; else None."""
    return id if len(id) <= MAX_ID_CHARACTERS and ENTITY_PATH.fullmatch(f"{kind}/{id}") else None
