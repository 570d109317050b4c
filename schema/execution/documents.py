"""Limits, so that no request can take the tracker down.

A document is parsed, measured and validated once, and what came of it is kept for the next time.
The measuring goes first: it takes time linear in the document, whatever its fragments, while
validation does not.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    parse,
    specified_rules,
    validate,
)
from strawberry.extensions import SchemaExtension

from projections.lru_cache import SizedLruCache
from schema.base.errors import error_extensions
from schema.execution.admission import may_not_write, too_long_lists, too_many_commands
from schema.execution.cacheability import Roots, root_fields, roots
from schema.execution.executor import Executor
from schema.execution.introspection import ROOTS
from schema.execution.query_cost import MAX_COST, cost, has_variable_cost
from schema.telemetry.operation import current_operation
from tracker.auth.scopes import Caller, Scope
from tracker.errors import Unavailable

MAX_BODY_BYTES = 16 * 1024 * 1024
"""The largest body of a request, or message over a WebSocket."""
MAX_READER_BODY_BYTES = 512 * 1024
"""The same of those who may not write: questions are short, and reading JSON makes others wait."""
ANSWER_TIMEOUT_SECONDS = 20
"""After this long an answer is given up."""
MAX_TOKENS = 4000
MAX_FIELDS = 2000
MAX_FRAGMENTS = 50
MAX_ALIASES = 50
MAX_DEPTH = 12
MAX_INTROSPECTION_DEPTH = 16
"""Levels below `__schema` and `__type`: what clients usually ask goes nine types down."""
MAX_DOCUMENT_CHARACTERS = 100_000
"""The longest document; longer texts belong in variables, which are not parsed letter by letter."""
MAX_ERRORS = 20
MAX_COMPARISONS = 10_000
"""Pairs of fields with one name in one place, which validation compares with each other."""
MAX_CHARACTERS_ON_LOOP = 1000
"""The longest document that is prepared in place; for longer ones others do not wait."""
MAX_CACHE_BYTES = 16 * 1024 * 1024
"""Memory for documents that are kept for the next time."""
BYTES_PER_TOKEN = 1000
"""Memory that a document takes, about, for each of its words and signs."""


def most_bytes(caller: Caller) -> int:
    """The largest body or message that a caller may send."""
    return MAX_BODY_BYTES if Scope.RECORD in caller.scopes else MAX_READER_BODY_BYTES


@dataclass(frozen=True, slots=True)
class Prepared:
    """A parsed document, and what is wrong with it; no document where it can't be parsed."""

    document: DocumentNode | None
    errors: list[GraphQLError]
    paged: bool = False
    """Whether variables say how large pages are; then the cost is not known yet."""
    roots: Roots = field(default_factory=dict)
    """What its queries begin with, where nothing is wrong with it."""

    def query(self, name: str | None) -> tuple[FieldNode, ...] | None:
        """What the query that is asked for begins with; None where that is no valid query."""
        if name:
            return self.roots.get(name)
        return next(iter(self.roots.values()), None) if len(self.operations) == 1 else None

    @property
    def operations(self) -> list[OperationDefinitionNode]:
        """The operations that the document has."""
        definitions = self.document.definitions if self.document else ()
        return [d for d in definitions if isinstance(d, OperationDefinitionNode)]

    def operation(self, name: str | None) -> OperationDefinitionNode | None:
        """The operation of a name, or the only one; None where there is no such one."""
        found = [
            asked
            for asked in self.operations
            if name is None or (asked.name and asked.name.value) == name
        ]
        return found[0] if len(found) == 1 else None


class Documents(SchemaExtension):
    """Prepares documents within the limits."""

    def on_operation(self) -> Iterator[None]:
        """Tell the parser when to give up."""
        self.execution_context.parse_options["max_tokens"] = MAX_TOKENS
        yield

    def on_parse(self) -> Iterator[None]:
        """Take a prepared document; one that can't be parsed is left to the parser's own error."""
        text = self.execution_context.query or ""
        schema = self.execution_context.schema._schema
        shown = self.execution_context.context.access.introspection
        self._prepared = prepared(schema, text, shown)
        self.execution_context.graphql_document = self._prepared.document
        if asked := self._prepared.operation(self.execution_context._provided_operation_name):
            _noted(asked)
        yield

    def on_validate(self) -> Iterator[None]:
        """What is wrong with the document."""
        context = self.execution_context
        context.pre_execution_errors = list(self._prepared.errors)
        if context._provided_operation_name is None and len(self._prepared.operations) > 1:
            message = "the document has several operations: expected the name of one"
            context.pre_execution_errors.append(_error("BAD_REQUEST", message, "operationName"))
        context.pre_execution_errors = context.pre_execution_errors or self._not_admitted()
        yield

    def _not_admitted(self) -> list[GraphQLError]:
        """Why a document without errors is not executed for this caller with these variables."""
        context, document = self.execution_context, self._prepared.document
        asked = self._prepared.operation(context._provided_operation_name)
        variables = context.variables or {}
        if document is None or asked is None:
            return []
        if asked.operation is OperationType.MUTATION:
            fields = root_fields(document, asked)
            if errors := (
                may_not_write(fields, context.context.caller)
                or too_many_commands(fields, variables)
            ):
                return errors
        return too_long_lists(variables) or (
            over_cost(context.schema._schema, document, variables) if self._prepared.paged else []
        )

    async def on_execute(self) -> AsyncIterator[None]:
        """Give up an answer that takes too long. Of a subscription this is its beginning; answers
        come when they come, and each has the same time: see `Timed`."""
        async with in_time():
            yield


@asynccontextmanager
async def in_time() -> AsyncIterator[None]:
    """Give up what takes too long, and with it the queries that it waits for."""
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT_SECONDS):
            yield
    except TimeoutError:
        raise Unavailable(
            f"No answer in {ANSWER_TIMEOUT_SECONDS} seconds: ask for less at once", code="TIMEOUT"
        ) from None


class Timed(Executor):
    """Executes operations, every answer of a subscription in the time that an answer has.

    One that takes longer ends the subscription with an error: what it would have told may not be
    told again, while whoever comes back is told what is so then.
    """

    def execute_operation(self, serially: bool | None = None) -> Any:
        """The answer to a query or mutation, or to one event of a subscription."""
        if self.operation.operation is not OperationType.SUBSCRIPTION:
            return super().execute_operation(serially)
        return self._answer_in_time(serially)

    async def _answer_in_time(self, serially: bool | None) -> Any:
        """An answer, in a turn of the client. Others get theirs in between: a stream that catches
        up with the log has a page of events at hand, and nothing to wait for."""
        async with self.context_value.work_slot(), in_time():
            await asyncio.sleep(0)
            result = super().execute_operation(serially)
            return await result if self.is_awaitable(result) else result


def good_query(
    schema: GraphQLSchema,
    text: str,
    variables: Mapping[str, Any] | None,
    name: str | None,
    introspection: bool,
) -> DocumentNode | None:
    """A document, ready to be executed, if a query is asked for and nothing is wrong with it."""
    found = prepared(schema, text, introspection)
    asked = found.operation(name)
    if (
        found.document is None
        or found.errors
        or asked is None
        or asked.operation is not OperationType.QUERY
    ):
        return None
    if too_long_lists(variables or {}):
        return None
    if found.paged and over_cost(schema, found.document, variables or {}):
        return None
    _noted(asked)
    return found.document


def _noted(asked: OperationDefinitionNode) -> None:
    current_operation().type = asked.operation.value
    current_operation().note_name(asked.name.value if asked.name else None)


def prepare(schema: GraphQLSchema, text: str, introspection: bool = True) -> Prepared:
    """Parse, measure and validate a document."""
    if len(text) > MAX_DOCUMENT_CHARACTERS:
        message = f"expected a document of at most {MAX_DOCUMENT_CHARACTERS} letters: use variables"
        return Prepared(parse("{ __typename }"), [_error("TOO_LARGE", message)])
    try:
        document = without_cycles(parse(text, max_tokens=MAX_TOKENS))
    except GraphQLError as error:
        return Prepared(None, [error])
    errors = over_limit(document) or valid(schema, document, introspection)
    paged = not errors and has_variable_cost(document)
    if not errors and not paged:
        errors = over_cost(schema, document, {})
    return Prepared(document, errors, paged, {} if errors else roots(document))


def valid(schema: GraphQLSchema, document: DocumentNode, introspection: bool) -> list[GraphQLError]:
    """What is wrong with a document."""
    if introspection:
        return validate(schema, document, max_errors=MAX_ERRORS)
    rules = (*specified_rules, NoSchemaIntrospectionCustomRule)
    return validate(schema, document, rules, max_errors=MAX_ERRORS)


kept: SizedLruCache[tuple[str, bool], Prepared] = SizedLruCache(MAX_CACHE_BYTES)


def prepared(schema: GraphQLSchema, text: str, introspection: bool) -> Prepared:
    """What is kept of a document, or came of it now."""
    found = kept.get((text, introspection), schema)
    if found is None:
        found = prepare(schema, text, introspection)
        _keep(schema, text, introspection, found)
    return found


_PREPARING = ThreadPoolExecutor(1, "documents")
"""Prepares one long document after the other: each may take a tenth of a second."""


async def prepare_aside(schema: GraphQLSchema, text: str, introspection: bool) -> None:
    """Have a long document prepared beside the loop, so that it is at hand; a short one is left to
    `prepared`."""
    if len(text) > MAX_CHARACTERS_ON_LOOP and kept.get((text, introspection), schema) is None:
        found = await asyncio.get_running_loop().run_in_executor(
            _PREPARING, prepare, schema, text, introspection
        )
        _keep(schema, text, introspection, found)


def _keep(schema: GraphQLSchema, text: str, introspection: bool, found: Prepared) -> None:
    kept.put((text, introspection), found, len(text) * 4 + size_of(found.document), schema)


def size_of(document: DocumentNode | None) -> int:
    """About how many bytes a document takes in memory."""
    return BYTES_PER_TOKEN * (document.token_count or 0) if document else 0


def without_cycles(document: DocumentNode) -> DocumentNode:
    """The same, without references from its words back to those before: it goes as soon as it is
    forgotten, and the garbage collector has no part in it."""
    token = document.loc.start_token if document.loc else None
    while token:
        token.prev, token = None, token.next
    return document


def over_cost(
    schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]
) -> list[GraphQLError]:
    """The error of a valid document that may have too large an answer."""
    got = cost(schema, document, variables)
    message = (
        f"expected an answer of at most {MAX_COST} fields, it may have {got}: ask for"
        " smaller pages, or for less at once"
    )
    return [_error("TOO_COSTLY", message)] if got > MAX_COST else []


def over_limit(document: DocumentNode) -> list[GraphQLError]:
    """The limits that a document is over."""
    fragments = {
        d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)
    }
    if len(fragments) > MAX_FRAGMENTS:
        return [_error("TOO_MANY_FRAGMENTS", f"expected at most {MAX_FRAGMENTS} fragments")]
    sizes = _Sizes(fragments)
    found = [
        sizes.of(d.selection_set)
        for d in document.definitions
        if isinstance(d, OperationDefinitionNode)
    ]
    return [
        _error(code, f"expected at most {most} {what}, got {got}")
        for code, what, most, got in (
            ("TOO_DEEP", "levels of fields", MAX_DEPTH, max((s.depth for s in found), default=0)),
            (
                "TOO_DEEP",
                "levels of introspection",
                MAX_INTROSPECTION_DEPTH,
                max((s.introspection_depth for s in found), default=0),
            ),
            ("TOO_MANY_ALIASES", "aliases", MAX_ALIASES, sum(s.aliases for s in found)),
            ("TOO_MANY_FIELDS", "fields", MAX_FIELDS, sum(s.fields for s in found)),
        )
        if got > most
    ] or _repeated(document, fragments)


def _repeated(
    document: DocumentNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> list[GraphQLError]:
    """The error of a document that asks for fields under one name too often in one place."""
    places = Counter(_places(document, fragments))
    if sum(number * (number - 1) // 2 for number in places.values()) <= MAX_COMPARISONS:
        return []
    return [_error("TOO_MANY_FIELDS", "expected fields not to be repeated so often under one name")]


def _places(
    document: DocumentNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> Iterator[tuple[Any, ...]]:
    """Where the fields of a document come to stand in its answers. There are no more of them than a
    document may have; circles of fragments, which validation will report, are cut off."""
    stack: list[tuple[tuple[Any, ...], Any]] = [
        ((number,), definition)
        for number, definition in enumerate(document.definitions)
        if isinstance(definition, OperationDefinitionNode)
    ]
    for _ in range(2 * MAX_FIELDS + MAX_TOKENS):
        if not stack:
            return
        place, node = stack.pop()
        if isinstance(node, FragmentSpreadNode):
            node = fragments.get(node.name.value)
        elif isinstance(node, FieldNode):
            place = (*place, (node.alias or node.name).value)
            yield place
        inner = getattr(node, "selection_set", None)
        stack += [(place, of) for of in (inner.selections if inner else ())]


@dataclass(frozen=True, slots=True)
class Size:
    """How deep and how wide a selection is, its fragments included."""

    depth: int = 0
    aliases: int = 0
    fields: int = 0
    introspection_depth: int = 0

    def beside(self, other: Size) -> Size:
        """Both together."""
        return Size(
            max(self.depth, other.depth),
            self.aliases + other.aliases,
            self.fields + other.fields,
            max(self.introspection_depth, other.introspection_depth),
        )

    def below(self, field: FieldNode) -> Size:
        """A field with this selection."""
        aliases, fields = self.aliases + bool(field.alias), self.fields + 1
        if field.name.value in ROOTS:
            return Size(1, aliases, fields, self.depth)
        return Size(self.depth + 1, aliases, fields, self.introspection_depth)


class _Sizes:
    """Measures selections; a fragment is measured once, however often it is spread."""

    def __init__(self, fragments: dict[str, FragmentDefinitionNode]):
        self._fragments = fragments
        self._known: dict[str, Size] = {}

    def of(self, selections: SelectionSetNode | None) -> Size:
        """The size of a set of selections."""
        total = Size()
        for node in selections.selections if selections else ():
            if isinstance(node, FieldNode):
                size = self.of(node.selection_set).below(node)
            elif isinstance(node, FragmentSpreadNode):
                size = self._fragment(node.name.value)
            else:
                size = self.of(getattr(node, "selection_set", None))
            total = total.beside(size)
        return total

    def _fragment(self, name: str) -> Size:
        if name not in self._known:
            self._known[name] = Size()  # ends a circle, which validation will report
            fragment = self._fragments.get(name)
            self._known[name] = self.of(fragment.selection_set) if fragment else Size()
        return self._known[name]


def _error(code: str, message: str, *path: str) -> GraphQLError:
    return GraphQLError(message, extensions=error_extensions(code, path))
