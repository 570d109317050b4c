"""Cache of entities for decisions."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import NamedTuple
from weakref import WeakValueDictionary

from tracker.domain.entities.entity import Entity
from tracker.domain.events.registry import entity_type
from tracker.log.entries import RecordedEvent, to_aggregate_event
from tracker.log.recorder import Recorder

MAX_CACHE_BYTES = 64 * 1024 * 1024
"""Approximate memory limit of the cached entities."""
MEMORY_BYTES_PER_ENTRY_BYTE = 4
"""Bytes in memory per byte of an entry."""
MIN_CACHED_EVENTS = 16
"""Minimum number of events of a cached entity: smaller ones are read just as fast."""

Events = Sequence[RecordedEvent]


class _CachedEntity(NamedTuple):
    """An entity as recorded, its version, and its size in memory."""

    entity: Entity
    version: int
    size: int


class EntityCache:
    """Loads entities. Those with many events are cached, so that only new events are read.

    The cache has only recorded events, never mere decisions. It does not affect results: a new process reads
    whole streams once, or only recent events for kinds whose rules need no others.
    """

    def __init__(self, recorder: Recorder, max_bytes: int = MAX_CACHE_BYTES):
        self._recorder = recorder
        self._max_bytes = max_bytes
        self._cached: OrderedDict[str, _CachedEntity] = OrderedDict()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self.bytes = 0
        """Total size of the cached entities."""

    @asynccontextmanager
    async def load(self, streams: Collection[str]) -> AsyncIterator[dict[str, Entity]]:
        """Load some entities as recorded, at version 0 if there are none, and lock them meanwhile.

        Decisions on them are removed at the end: they are read again after they are recorded.
        """
        for stream in streams:
            entity_type(stream)
        read = await self._read(streams)
        async with self._locked(streams):
            entities = {stream: self._advance(stream, *read[stream]) for stream in streams}
            versions = [(entity, entity.version) for entity in entities.values()]
            try:
                yield entities
            finally:
                for entity, version in versions:
                    entity.forget_after(version)

    @asynccontextmanager
    async def _locked(self, streams: Collection[str]) -> AsyncIterator[None]:
        """Wait for other decisions on these entities. Nothing waits for the database meanwhile."""
        locks = [self._locks.setdefault(stream, asyncio.Lock()) for stream in sorted({*streams})]
        async with AsyncExitStack() as stack:
            for lock in locks:  # in one order for all, which prevents deadlocks
                await stack.enter_async_context(lock)
            yield

    async def _read(
        self, streams: Collection[str]
    ) -> dict[str, tuple[_CachedEntity | None, Events]]:
        """Return cached entities with the following events of each; all relevant events on a cache miss."""
        cached = {stream: one for stream in streams if (one := self._cached.get(stream))}
        # The last known event is read again. A log that was set back, for example by a restored backup, may
        # have another event in its place, or none.
        events: dict[str, Events] = {
            **await self._recorder.read_streams_after(
                {
                    stream: cached[stream].version - 1 if stream in cached else 0
                    for stream in streams
                    if stream in cached or entity_type(stream).RECENT_EVENTS is None
                }
            )
        }
        for stream in {*streams}:
            if stream in cached and not _follows(cached[stream], events[stream]):
                self._forget(stream)
                del cached[stream], events[stream]
            if stream not in events:
                events[stream] = await self._read_all(stream)
        return {stream: (cached.get(stream), events[stream]) for stream in streams}

    async def _read_all(self, stream: str) -> Events:
        """Read the events of an entity that are relevant to decisions."""
        kind = entity_type(stream)
        if kind.RECENT_EVENTS is None:
            return (await self._recorder.read_streams([stream]))[stream]
        return await self._recorder.read_recent(
            stream, kind.RECENT_EVENTS, kind.EARLIER_TYPES, kind.LAST_TYPES
        )

    def _advance(self, stream: str, known: _CachedEntity | None, events: Events) -> Entity:
        """Return the entity after further events; it is cached if there are many."""
        latest = self._cached.get(stream)  # others may have read more meanwhile
        if latest and _follows(latest, events):
            known = latest
        entity = known.entity if known else entity_type(stream).empty(stream)
        new = [event for event in events if event.version > entity.version]
        for event in new:
            if entity.RECENT_EVENTS is not None:
                entity.version = event.version - 1  # the events in between are not relevant
            to_aggregate_event(event).mutate(entity)
        added = MEMORY_BYTES_PER_ENTRY_BYTE * sum(len(event.entry) for event in new)
        self._put(entity, (known.size if known else 0) + added)
        return entity

    def _put(self, entity: Entity, size: int) -> None:
        self._forget(entity.id)
        if entity.version < MIN_CACHED_EVENTS or size > self._max_bytes or _outgrown(entity):
            return
        self._cached[entity.id] = _CachedEntity(entity, entity.version, size)
        self.bytes += size
        while self.bytes > self._max_bytes:
            self._forget(next(iter(self._cached)))

    def _forget(self, stream: str) -> None:
        if cached := self._cached.pop(stream, None):
            self.bytes -= cached.size


def _follows(known: _CachedEntity, events: Events) -> bool:
    """Return whether the first of some events is the last known one of an entity, so that the others
    follow."""
    if not events or events[0].version > known.version:
        return False
    last = known.entity.at_version(events[0].version)
    first = events[0].event_id, events[0].position
    return last is not None and (last.event_id, last.position) == first


def _outgrown(entity: Entity) -> bool:
    """Return whether an entity has many more events than are relevant: it is then read again next time."""
    return entity.RECENT_EVENTS is not None and len(entity.known) > 2 * entity.RECENT_EVENTS
