"""Answers as bytes, kept in memory for whoever asks the same again.

An answer to a query follows from the document, its variables, the name of the operation, what the
caller may do, how far the projection has come and the day (UTC). The last two are the edition that
a kept answer belongs to, so nothing has to be invalidated: with the next event, or at midnight,
questions are asked in another. Errors are not kept.

The answer of a question that pins every moment is that of all editions, unless a redaction has
forced out a text: then everything is forgotten.

Every field of `Query` stands in one of two lists below; a test sees to it that none is missing.
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
from graphql import FieldNode, NullValueNode, ObjectValueNode, ValueNode, VariableNode
from strawberry.types.graphql import OperationType

from projections.lru_cache import SizedLruCache
from projections.runner.progress import Progress
from schema.base.compression import GZIP_LEVEL
from schema.execution.documents import parsed_document
from schema.execution.execute import execute
from schema.execution.schema import SCHEMA
from schema.services import Access, Services
from schema.telemetry.operation import current_operation
from tracker import clock
from tracker.auth.scopes import Caller, Scope
from tracker.domain.redaction import REDACTED_TYPE as REDACTED
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
    }
)
"""Their answers follow from their arguments, how far the projection has come, and the day (UTC)."""
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
    }
)
"""Their answers follow from more: from what is in the log before it is projected, or is signed; and
those about endpoints and candidates from what is beside the log, and from who asks."""
INTROSPECTION = frozenset({"__schema", "__type", "__typename"})
CONSTANT = frozenset({"commodities", "places", "__typename"})
AXES = frozenset({"validAt", "position"})
SERIES = frozenset({"from", "to", "position"})
"""The arguments of `over` that pin all of its moments."""
MOMENTS = {"asOf": (), "changes": ("from", "to")}
"""The fields where a moment is chosen, and which of their arguments have it; none: they are it."""
MAX_CACHE_BYTES = 64 * 1024 * 1024
Key: TypeAlias = tuple[str, bytes, str | None, frozenset[Scope]]
CacheEpoch: TypeAlias = tuple[Progress, date]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and by whom."""

    document: str
    variables: Mapping[str, Any]
    operation: str | None
    caller: Caller


@dataclass(frozen=True)
class Answer:
    """An answer without errors. An immutable one is that of a question which pins every moment."""

    body: bytes
    data_ends: int
    """The part of the body before this is its data; behind it are `extensions`."""
    immutable: bool
    operation: str | None = None
    """The name of the query."""
    position: int | None = None
    """The last position that it tells of."""

    def observed(self) -> Answer:
        """The same, with what whoever watches operations would have seen."""
        now = current_operation()
        now.type = "query"
        now.note_name(self.operation)
        if self.position is not None:
            now.note_position(self.position)
        return self

    @cached_property
    def tag(self) -> str:
        """What stands for the data, as HTTP has it (RFC 9110, 8.8.3): weak, since the same data
        may rest on a later position, which `extensions` tell."""
        return f'W/"{hashlib.blake2b(self.body[: self.data_ends], digest_size=16).hexdigest()}"'

    @cached_property
    def gzipped(self) -> bytes:
        """The same as gzip."""
        return gzip.compress(self.body, GZIP_LEVEL, mtime=0)


class ResponseCache:
    """Answers questions, from memory where it can."""

    def __init__(self, services: Services, access: Access, most_bytes: int = MAX_CACHE_BYTES):
        self._services = services
        self._access = access
        self.kept: SizedLruCache[Key, Answer] = SizedLruCache(most_bytes)
        self._valid_until: Progress | None = None
        """Up to where no redaction came since immutable answers were kept."""

    async def answer(
        self,
        question: Question,
        allowed: Iterable[OperationType],
        turn: AbstractAsyncContextManager[None],
    ) -> Answer | dict[str, Any]:
        """The answer; one with errors, or that of a mutation, as it comes from `execute`. What is
        not at hand waits for a turn of the client."""
        key, edition = _key(question), self._edition()
        if (
            key
            and edition
            and (kept := self.kept.get(key, edition))
            and (not kept.immutable or await self._pinned_are_valid(edition[0]))
        ):
            return kept.observed()
        async with turn:
            found = await execute(
                self._services,
                question.document,
                question.variables,
                self._access,
                caller=question.caller,
                operation_name=question.operation,
                allowed=allowed,
            )
        if "errors" in found:
            return found
        return await self._keep(question, key, edition, found)

    def _edition(self) -> CacheEpoch | None:
        """The edition in which questions are asked; None while we are not told of new events."""
        reached = self._services.projector.progress.known
        return (reached, clock.today()) if reached else None

    async def _pinned_are_valid(self, reached: Progress) -> bool:
        """Check, once per position, that no redaction invalidated pinned answers; if one did, clear
        the cache.
        """
        valid = self._valid_until
        if valid is reached:
            return True
        try:
            if valid and not await self._redacted_between(valid, reached):
                self._valid_until = reached
                return True
        except (*CONNECTION_ERRORS, TimeoutError):
            return False  # nobody can say now; making the answer will find out why
        self.kept.clear()
        self._valid_until = None
        return False

    async def _redacted_between(self, since: Progress, until: Progress) -> bool:
        """Whether a redaction came meanwhile, or all rows were made anew, by other code perhaps."""
        return (
            since.epoch != until.epoch
            or await self._services.recorder.count(since.position, until.position + 1, [REDACTED])
            > 0
        )

    async def _keep(
        self, question: Question, key: Key | None, edition: CacheEpoch | None, found: dict[str, Any]
    ) -> Answer | dict[str, Any]:
        """Keep an answer, if the position and the day are still those that it rests on."""
        parsed = await parsed_document(
            SCHEMA._schema, question.document, self._access.introspection
        )
        fields = parsed.query(question.operation)
        if fields is None:
            return found
        body, data_ends = _body(found)
        answer = Answer(
            body,
            data_ends,
            are_pinned(fields, question.variables),
            current_operation().operation,
            current_operation().position,
        )
        if key and edition and are_cacheable(fields) and edition == self._edition():
            self._valid_until = self._valid_until or edition[0]
            self.kept.put(
                key,
                answer,
                len(answer.body) * 5 // 4 + len(key[0]) + len(key[1]),
                None if answer.immutable else edition,
            )
        return answer


def _key(question: Question) -> Key | None:
    """Under what an answer is kept; None for variables that are deeper than orjson writes."""
    try:
        variables = orjson.dumps(question.variables, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        return None
    return question.document, variables, question.operation, question.caller.scopes


def _body(found: dict[str, Any]) -> tuple[bytes, int]:
    """An answer without errors as JSON, and where its data ends in it."""
    data = b'{"data":' + orjson.dumps(found["data"])
    if extensions := found.get("extensions"):
        return b'%s,"extensions":%s}' % (data, orjson.dumps(extensions)), len(data)
    return data + b"}", len(data)


def are_cacheable(fields: Iterable[FieldNode]) -> bool:
    """Whether an answer to these fields can be kept for as long as position and day are the same."""
    return all(field.name.value in CACHEABLE_FIELDS | INTROSPECTION for field in fields)


def are_pinned(fields: Iterable[FieldNode], variables: Mapping[str, Any]) -> bool:
    """Whether they choose every moment on both axes, so that their answer stays."""
    return all(_pinned(field, variables) for field in fields)


def _pinned(field: FieldNode, variables: Mapping[str, Any]) -> bool:
    name = field.name.value
    if name in CONSTANT:
        return True
    given = {argument.name.value: argument.value for argument in field.arguments or ()}
    if name == "over":
        return _all_given(SERIES, given, variables)
    if name not in MOMENTS:
        return False
    if not MOMENTS[name]:
        return _all_given(AXES, given, variables)
    return all(_both_in(given.get(argument), variables) for argument in MOMENTS[name])


def _both_in(value: ValueNode | None, variables: Mapping[str, Any]) -> bool:
    """Whether a moment that is one value says both."""
    if isinstance(value, VariableNode):
        moment = variables.get(value.name.value)
        return isinstance(moment, Mapping) and all(moment.get(axis) is not None for axis in AXES)
    if isinstance(value, ObjectValueNode):
        given = {part.name.value: part.value for part in value.fields}
        return _all_given(AXES, given, variables)
    return False


def _all_given(
    names: Iterable[str], given: Mapping[str, ValueNode], variables: Mapping[str, Any]
) -> bool:
    """Whether values of these names are given, and not null."""
    return all(_is_given(given.get(name), variables) for name in names)


def _is_given(value: ValueNode | None, variables: Mapping[str, Any]) -> bool:
    if isinstance(value, VariableNode):
        return variables.get(value.name.value) is not None
    return value is not None and not isinstance(value, NullValueNode)
