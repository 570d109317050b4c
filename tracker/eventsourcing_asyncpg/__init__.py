"""Persistence of the eventsourcing library on PostgreSQL through asyncpg.

Selected by `PERSISTENCE_MODULE=tracker.eventsourcing_asyncpg`; see docs/library.md.
"""

from tracker.eventsourcing_asyncpg.factory import AsyncpgFactory
from tracker.eventsourcing_asyncpg.recorders import (
    AsyncpgAggregateRecorder,
    AsyncpgApplicationRecorder,
    AsyncpgProcessRecorder,
    AsyncpgTrackingRecorder,
)

Factory = AsyncpgFactory

__all__ = [
    "AsyncpgAggregateRecorder",
    "AsyncpgApplicationRecorder",
    "AsyncpgFactory",
    "AsyncpgProcessRecorder",
    "AsyncpgTrackingRecorder",
    "Factory",
]
