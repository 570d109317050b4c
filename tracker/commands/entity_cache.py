"""Entities as the log knows them, to decide on."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Sequence
from typing import NamedTuple

from tracker.domain.entity import Entity
from tracker.domain.registry import kind_of
from tracker.log.entries import Recorded, replayed
from tracker.log.recorder import Recorder

MAX_CACHE_BYTES = 64 * 1024 * 1024
"""How much memory the entities that are kept may take, about."""
MEMORY_BYTES_PER_ENTRY_BYTE = 4
"""Bytes in memory for one of an entry."""
MIN_CACHED_EVENTS = 16
"""Events of an entity, at least, for it to be kept: those with fewer are read as fast."""


class _Kept(NamedTuple):
    """An entity, and how large it is in memory."""

    entity: Entity
    size: int


class Entities:
    """Loads entities. Those with many events are kept in memory, so that only what is new of them
    is read, whoever recorded it.

    What is kept is what the log held, never what was only decided. Nothing depends on it: a new
    process reads whole streams once.
    """

    def __init__(self, recorder: Recorder, most_bytes: int = MAX_CACHE_BYTES):
        self._recorder = recorder
        self._most = most_bytes
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self.bytes = 0
        """How large the kept entities are together."""

    async def load(self, streams: Collection[str]) -> dict[str, Entity]:
        """Some entities as the log knows them, the caller's own; at version 0 where it does not."""
        for stream in streams:
            kind_of(stream)
        kept = {stream: self._kept.get(stream) for stream in streams}
        # The last event that is known of is read once more: a log that is put back to an older
        # state, such as a backup, may have another in its place, or none.
        found = await self._recorder.read_streams_after(
            {stream: one.entity.version - 1 if one else 0 for stream, one in kept.items()}
        )
        entities: dict[str, Entity] = {}
        for stream, one in kept.items():
            if one and not _follows(one.entity, found[stream]):
                one, found[stream] = None, (await self._recorder.read_streams([stream]))[stream]
            entities[stream] = self._keep(stream, one, found[stream])
        return entities

    def _keep(self, stream: str, kept: _Kept | None, events: Sequence[Recorded]) -> Entity:
        """The entity after events; it is kept if there are many."""
        entity = kept.entity if kept else kind_of(stream).blank(stream)
        new = [event for event in events if event.version > entity.version]
        for event in new:
            replayed(event).mutate(entity)
        self._forget(stream)
        if entity.version < MIN_CACHED_EVENTS:
            return entity
        added = MEMORY_BYTES_PER_ENTRY_BYTE * sum(len(event.entry) for event in new)
        size = (kept.size if kept else 0) + added
        if size <= self._most:
            self._kept[stream] = _Kept(entity, size)
            self.bytes += size
        while self.bytes > self._most:
            self._forget(next(iter(self._kept)))
        return entity.copy()

    def _forget(self, stream: str) -> None:
        if kept := self._kept.pop(stream, None):
            self.bytes -= kept.size


def _follows(entity: Entity, events: Sequence[Recorded]) -> bool:
    """Whether the first of some events is known to an entity, so that the others come next."""
    if not events or events[0].version > entity.version:
        return False
    known = entity.known[events[0].version - 1]
    return (known.event_id, known.position) == (events[0].event_id, events[0].position)
