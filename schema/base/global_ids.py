"""Opaque text that clients hand back: cursors of lists, and ids of entities that no two share."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode

from tracker.domain.registry import KINDS
from tracker.domain.values import ENTITY_PATH
from tracker.errors import InvalidInput

MAX_OPAQUE_CHARACTERS = 2000
MAX_ID_CHARACTERS = 500


def encode_opaque(key: str) -> str:
    """Opaque text for a key."""
    return urlsafe_b64encode(key.encode()).decode().rstrip("=")


def decode_opaque(given: str) -> str:
    """The key in opaque text. Raises ValueError for text that `encode_opaque` never gave."""
    if len(given) > MAX_OPAQUE_CHARACTERS:
        raise ValueError("too long for a sealed key")
    try:
        return urlsafe_b64decode(given + "=" * (-len(given) % 4)).decode()
    except binascii.Error as error:
        raise ValueError(str(error)) from None


def global_id(entity: str) -> str:
    """The id by which clients keep an entity, whatever its kind."""
    return encode_opaque(entity)


def entity_of_global_id(given: str, *path: str | int) -> str:
    """The entity that a global id stands for. Raises InvalidInput for any other text."""
    try:
        entity = decode_opaque(given)
        kind, _, key = entity.partition("/")
        if kind in KINDS and entity_path(kind, key) is not None:
            return entity
    except ValueError:
        pass  # said below
    raise InvalidInput(
        "this is not an id of an entity: expected one that a field `id` gave",
        code="INVALID_ID",
        path=path,
    )


def key_of(kind: str, given: str) -> str | None:
    """The key of an entity of a kind, by its key or its global id; None for text that is neither."""
    try:
        found, _, key = decode_opaque(given).partition("/")
        if found == kind:
            return entity_path(kind, key)
    except ValueError:
        pass  # a key, then
    return entity_path(kind, given)


def entity_path(kind: str, id: str) -> str | None:
    """The id of an entity of a kind if it can be one; None for text that can't."""
    return id if len(id) <= MAX_ID_CHARACTERS and ENTITY_PATH.fullmatch(f"{kind}/{id}") else None
