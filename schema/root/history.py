"""The history of an entity as a list of versions."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Annotated, TypeAlias

from projections.query.as_of import AsOf
from projections.query.histories import HistoryRow
from projections.query.lists import Days, Key, Keyed, KeyRange
from schema.base.global_ids import decode_opaque, encode_opaque
from schema.inputs.pagination import cursor_error
from schema.inputs.ranges import DayRange
from schema.root.events import is_entity_name
from schema.types.connection import PageSource
from schema.types.event import HistoryVersion, history_version
from tracker.log.resume_token import MAX_POSITION

EntityName: TypeAlias = Annotated[
    str, "The name of the entity in the log, such as `export-control/cn-mofcom-2024-46`."
]
HeldIn: TypeAlias = Annotated[DayRange | None, "Only versions that hold in this period."]


def history_pages(
    as_of: AsOf,
    entity: str,
    valid: Days | None,
    known: tuple[datetime | None, datetime | None],
    types: Sequence[str] | None,
    until: int | None = None,
) -> PageSource[HistoryVersion]:
    """Return the versions of an entity, the oldest knowledge first.

    With `until` they are as known at a position. Raises InvalidInput for an impossible name.
    """
    nameable = is_entity_name(entity)

    async def items(span: KeyRange) -> list[Keyed[HistoryVersion | None]]:
        versions = (
            await as_of.histories.page(
                entity, valid=valid, known=known, types=types, span=_known_by(until, span)
            )
            if nameable
            else []
        )
        return [(_version_key(held), history_version(held, until)) for held in versions]

    async def count() -> int:
        return (
            await as_of.histories.count(entity, valid=valid, known=known, types=types, until=until)
            if nameable
            else 0
        )

    return PageSource(items, count, _encode_cursor, _decode_cursor)


def _known_by(until: int | None, span: KeyRange) -> KeyRange:
    """Return the part of a range that was known by a position."""
    if until is None:
        return span
    end: Key = (until, date.max.isoformat()) if span.closed else (until + 1, date.min.isoformat())
    return replace(span, before=end if span.before is None else min(span.before, end))


def _version_key(row: HistoryRow) -> Key:
    return row.known_from, row.valid_from.isoformat()


def _encode_cursor(key: Key) -> str:
    return encode_opaque("#".join(map(str, key)))


def _decode_cursor(text: str, path: str) -> Key:
    """Return the key of a cursor. Raises InvalidInput for any other text."""
    try:
        position, _, day = decode_opaque(text).partition("#")
        return min(int(position), MAX_POSITION), date.fromisoformat(day).isoformat()
    except ValueError:
        raise cursor_error(path) from None
