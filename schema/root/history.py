"""The history of an entity as a list of versions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from projections.query.as_of import AsOf, HistoryRow
from projections.query.lists import Days, Found, Key, Span
from schema.base.global_ids import sealed, unsealed
from schema.inputs.arguments import LAST_POSITION
from schema.inputs.pagination import not_a_cursor
from schema.root.events import known_entity
from schema.types.connection import Listing
from schema.types.event import HistoryVersion, history_version


def history_of(
    as_of: AsOf,
    entity: str,
    valid: Days | None,
    known: tuple[datetime | None, datetime | None],
    types: Sequence[str] | None,
) -> Listing[HistoryVersion]:
    """The versions of an entity, the oldest knowledge first. Raises InvalidInput for a name that
    none can have."""
    nameable = known_entity(entity)

    async def items(span: Span) -> list[Found[HistoryVersion | None]]:
        found = (
            await as_of.history(entity, valid=valid, known=known, types=types, span=span)
            if nameable
            else []
        )
        return [(_key(held), history_version(held)) for held in found]

    async def count() -> int:
        return (
            await as_of.count_history(entity, valid=valid, known=known, types=types)
            if nameable
            else 0
        )

    return Listing(items, count, _sealed, _opened)


def _key(row: HistoryRow) -> Key:
    return row.known_from, row.valid_from.isoformat()


def _sealed(key: Key) -> str:
    return sealed("#".join(map(str, key)))


def _opened(given: str, path: str) -> Key:
    """The key that a cursor stands for. Raises InvalidInput for any other text."""
    try:
        position, _, day = unsealed(given).partition("#")
        return min(int(position), LAST_POSITION), date.fromisoformat(day).isoformat()
    except ValueError:
        raise not_a_cursor(path) from None
