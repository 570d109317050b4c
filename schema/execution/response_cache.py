"""Cache of encoded responses to queries.

A response depends on the document, its variables, the name of the operation, the rights of the caller, the
progress of the projection and the date (UTC). The last two are the epoch of a cache entry, so nothing has
to be invalidated: a new event and midnight start a new epoch. Errors are not cached.

The response to a query that fixes every moment is valid in all epochs, until a redaction: then the cache is
cleared.

Every field of `Query` is in one of two lists below; a test checks this.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, TypeAlias

import orjson
from graphql import FieldNode
from msgspec import Struct
from strawberry.types.graphql import OperationType

from projections.lru_cache import SizedLruCache
from projections.query.moment import Moment
from projections.runner.progress import Progress
from schema.base.compression import GZIP_LEVEL
from schema.execution.documents import parsed_document
from schema.execution.execute import execute
from schema.execution.fixed_moments import are_pinned, with_defaults
from schema.execution.scenarios import ARGUMENT
from schema.execution.schema import CORE_SCHEMA
from schema.inputs.moment import answer_moments
from schema.services import Access, Services
from schema.telemetry.operation import current_operation
from tracker import clock
from tracker.auth.scopes import Caller, Scope
from tracker.domain.entities.redaction import REDACTED_TYPE as REDACTED
from tracker.postgres.database import CONNECTION_ERRORS

CACHEABLE_FIELDS = frozenset(
    {
        "asOf",
        "changes",
        "commodities",
        "import",
        "imports",
        "node",
        "nodes",
        "over",
        "overKnown",
        "places",
        "shipmentChanges",
    }
)
"""Fields that depend on their arguments, the progress of the projection and the date (UTC) only."""
UNCACHEABLE_FIELDS = frozenset(
    {
        "candidate",
        "candidateCounts",
        "candidateSources",
        "candidates",
        "checkpoint",
        "consistencyProof",
        "endpoint",
        "endpoints",
        "event",
        "events",
        "head",
        "history",
        "inclusionProof",
        "logKeys",
        "preview",
        "redactions",
        "scenario",
        "scenarios",
    }
)
"""Fields that depend on more: on events before they are projected or signed, or on endpoints, candidates
and the caller."""
INTROSPECTION = frozenset({"__schema", "__type", "__typename"})
MAX_CACHE_BYTES = 64 * 1024 * 1024
DATA = b'{"data":'
"""The beginning of a response without errors."""
Key: TypeAlias = tuple[str, bytes, str | None, frozenset[Scope]]
CacheEpoch: TypeAlias = tuple[Progress, date]


class QueryRequest(Struct, frozen=True):
    """A query with the rights of its caller."""

    document: str
    variables: Mapping[str, Any]
    operation: str | None
    caller: Caller
    scenario: str | None = None
    """The key of the scenario in which all fields are read."""

    @property
    def may_name_scenario(self) -> bool:
        """Whether the response may depend on a scenario. Such responses are not cached."""
        return self.scenario is not None or ARGUMENT in self.document


@dataclass(frozen=True)
class Answer:
    """A response without errors. It is immutable if the query fixes every moment."""

    body: bytes
    data_ends: int
    """Length of the body up to the end of its data; `extensions` follow."""
    immutable: bool
    operation: str | None = None
    """Name of the query."""
    position: int | None = None
    """Last position of its moments."""
    moments: tuple[Moment, ...] = ()
    """Its moments, in order."""

    @property
    def data(self) -> bytes:
        """Return its data as JSON."""
        return self.body[len(DATA) : self.data_ends]

    def observed(self) -> Answer:
        """Return it after reporting it to the observer of operations."""
        now = current_operation()
        now.type = "query"
        now.note_name(self.operation)
        if self.position is not None:
            now.note_position(self.position)
        return self

    @cached_property
    def tag(self) -> str:
        """Return the entity tag of the data (RFC 9110, 8.8.3).

        It is weak, because the same data may have a later position in `extensions`.
        """
        return f'W/"{hashlib.blake2b(self.body[: self.data_ends], digest_size=16).hexdigest()}"'

    @cached_property
    def gzipped(self) -> bytes:
        """Return the body as gzip."""
        return gzip.compress(self.body, GZIP_LEVEL, mtime=0)


class ResponseCache:
    """A cache of responses in front of `execute`."""

    def __init__(self, services: Services, access: Access, most_bytes: int = MAX_CACHE_BYTES):
        self._services = services
        self._access = access
        self.kept: SizedLruCache[Key, Answer] = SizedLruCache(most_bytes)
        self._valid_until: Progress | None = None
        """Progress up to which no redaction occurred since immutable responses were cached."""

    async def answer(
        self,
        request: QueryRequest,
        allowed: Iterable[OperationType],
        slot: AbstractAsyncContextManager[None],
    ) -> Answer | dict[str, Any]:
        """Return the response; one with errors, or that of a mutation, as `execute` returns it.

        A cache miss waits for a query slot of the client.
        """
        key, edition = _key(request), self._edition()
        if request.may_name_scenario:
            async with slot:
                return await self._result(request, allowed)
        if (
            key
            and edition
            and (cached := self.kept.get(key, edition))
            and (not cached.immutable or await self._pinned_are_valid(edition[0]))
        ):
            return cached.observed()
        async with slot:
            schema_key = await self._schema_key(request)
            if schema_key and (cached := self.kept.get(schema_key)):
                return cached.observed()
            result = await self._result(request, allowed)
        if "errors" in result:
            return result
        return await self._store(request, schema_key or key, edition, result)

    async def _result(
        self, request: QueryRequest, allowed: Iterable[OperationType]
    ) -> dict[str, Any]:
        return await execute(
            self._services,
            request.document,
            request.variables,
            self._access,
            caller=request.caller,
            operation_name=request.operation,
            allowed=allowed,
            scenario=request.scenario,
        )

    async def _schema_key(self, request: QueryRequest) -> Key | None:
        """Return the key of a query of the schema, which is the same under all names; None for others."""
        parsed = await parsed_document(CORE_SCHEMA, request.document, self._access.introspection)
        operation = parsed.operation(request.operation) if parsed.introspection else None
        if operation is None:
            return None
        current_operation().note_name(operation.name.value if operation.name else None)
        return str(parsed.introspection), b"", None, frozenset()

    def _edition(self) -> CacheEpoch | None:
        """Return the present epoch; None without notifications of new events."""
        reached = self._services.projector.progress.known
        return (reached, clock.today()) if reached else None

    async def _pinned_are_valid(self, reached: Progress) -> bool:
        """Check, once per position, that no redaction invalidated pinned responses; if one did, clear the
        cache."""
        valid = self._valid_until
        if valid is reached:
            return True
        try:
            if valid and not await self._redacted_between(valid, reached):
                self._valid_until = reached
                return True
        except (*CONNECTION_ERRORS, TimeoutError):
            return False  # unknown now; executing the query reports the cause
        self.kept.clear()
        self._valid_until = None
        return False

    async def _redacted_between(self, since: Progress, until: Progress) -> bool:
        """Return whether a redaction occurred between two positions, or all rows were rebuilt, perhaps by
        other code."""
        return (
            since.epoch != until.epoch
            or await self._services.recorder.count(since.position, until.position + 1, [REDACTED])
            > 0
        )

    async def _store(
        self,
        request: QueryRequest,
        key: Key | None,
        edition: CacheEpoch | None,
        result: dict[str, Any],
    ) -> Answer | dict[str, Any]:
        """Cache a response, if the position and the date are still those that it depends on."""
        parsed = await parsed_document(CORE_SCHEMA, request.document, self._access.introspection)
        fields, operation = parsed.query(request.operation), parsed.operation(request.operation)
        if fields is None or operation is None:
            return result
        body, data_ends = _body(result)
        answer = Answer(
            body,
            data_ends,
            are_pinned(fields, with_defaults(operation, request.variables)),
            current_operation().operation if parsed.introspection is None else None,
            current_operation().position,
            answer_moments(),
        )
        shared = parsed.introspection is not None
        if key and (shared or (edition and are_cacheable(fields) and edition == self._edition())):
            self._valid_until = self._valid_until or (edition and edition[0])
            self.kept.put(
                key,
                answer,
                len(answer.body) * 5 // 4 + len(key[0]) + len(key[1]),
                None if answer.immutable or shared else edition,
            )
        return answer


def _key(request: QueryRequest) -> Key | None:
    """Return the cache key of a query; None for variables that are nested too deep for orjson."""
    try:
        variables = orjson.dumps(request.variables, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        return None
    return request.document, variables, request.operation, request.caller.scopes


def _body(result: dict[str, Any]) -> tuple[bytes, int]:
    """Return a response without errors as JSON, and the end of its data."""
    data = DATA + orjson.dumps(result["data"])
    if extensions := result.get("extensions"):
        return b'%s,"extensions":%s}' % (data, orjson.dumps(extensions)), len(data)
    return data + b"}", len(data)


def are_cacheable(fields: Iterable[FieldNode]) -> bool:
    """Return whether a response with these fields can be cached for the same position and date."""
    return all(field.name.value in CACHEABLE_FIELDS | INTROSPECTION for field in fields)
