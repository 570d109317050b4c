"""Applications of the eventsourcing library on PostgreSQL through asyncpg.

Chosen by `PERSISTENCE_MODULE=tracker.log.library`; see docs/library.md.
"""

from tracker.log.library.factory import AsyncpgFactory
from tracker.log.library.recorders import (
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
