"""Documents: parsed, measured and validated once, and cached.

Documents that are not cached are processed in a thread, one document at a time. Each client has at most one
in its queue, so clients take turns.
"""

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeAlias, TypeVar
from weakref import WeakKeyDictionary

import graphql

from projections.lru_cache import SizedLruCache
from schema.base.errors import error_with_code
from schema.execution.document_cost import cost_errors, has_variable_cost
from schema.execution.document_size import MAX_TOKENS, ROOTS, size_errors
from schema.execution.fixed_moments import root_fields
from schema.execution.work_slots import WorkSlots
from schema.telemetry.operation import current_operation

T = TypeVar("T")
Roots: TypeAlias = Mapping[str, tuple[graphql.FieldNode, ...]]
"""Root fields of the queries of a document, by the name of the query ('' without)."""

MAX_DOCUMENT_CHARACTERS = 100_000
"""Maximum length of a document; longer texts belong in variables, which are parsed faster."""
MAX_ERRORS = 20
MAX_SUGGESTED_ERRORS = 3
"""Maximum number of errors with suggestions, because finding similar names takes most of the time."""
MAX_CACHE_BYTES = 16 * 1024 * 1024
"""Memory for cached documents without errors."""
MAX_REFUSED_BYTES = 2 * 1024 * 1024
"""Memory for cached documents with errors, which cannot evict the others."""
MAX_SELECTION_BYTES = 1024 * 1024
"""Memory for digests of valid selections."""
BYTES_PER_TOKEN = 1000
"""Approximate memory of a document per token."""


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """A document with its errors; without a document if it cannot be parsed."""

    document: graphql.DocumentNode | None
    errors: list[graphql.GraphQLError]
    has_variable_cost: bool = False
    """Whether variables determine page sizes, so that the cost depends on them."""
    roots: Roots = field(default_factory=dict)
    """Root fields of its queries, if it is valid."""
    whole: graphql.DocumentNode | None = None
    """The document without `@defer`, for complete responses; the same object if it has none."""
    introspection: str | None = None
    """The digest of its selection, if it is a valid query of the schema alone without variables."""

    def query(self, name: str | None) -> tuple[graphql.FieldNode, ...] | None:
        """Return the root fields of the selected query; None if there is no valid one."""
        if name:
            return self.roots.get(name)
        return next(iter(self.roots.values()), None) if len(self.operations) == 1 else None

    @property
    def operations(self) -> list[graphql.OperationDefinitionNode]:
        """Return the operations of the document."""
        definitions = self.document.definitions if self.document else ()
        return [d for d in definitions if isinstance(d, graphql.OperationDefinitionNode)]

    def operation(self, name: str | None) -> graphql.OperationDefinitionNode | None:
        """Return the operation of a name, or the only one; None without one."""
        operations = [
            operation
            for operation in self.operations
            if name is None or (operation.name and operation.name.value) == name
        ]
        return operations[0] if len(operations) == 1 else None


def parse_document(
    schema: graphql.GraphQLSchema, text: str, introspection: bool = True
) -> ParsedDocument:
    """Parse, measure and validate a document."""
    if len(text) > MAX_DOCUMENT_CHARACTERS:
        message = f"expected a document of at most {MAX_DOCUMENT_CHARACTERS} letters: use variables"
        return ParsedDocument(None, [error_with_code("TOO_LARGE", message)])
    try:
        document = without_cycles(graphql.parse(text, max_tokens=MAX_TOKENS))
    except graphql.GraphQLError as error:
        return ParsedDocument(None, [error])
    errors: list[graphql.GraphQLError] = []
    selection = selection_digest(document)
    variable_cost = valid_selections.get((selection, introspection), schema)
    if variable_cost is None:
        errors = size_errors(document) or validation_errors(schema, document, introspection)
        variable_cost = not errors and has_variable_cost(document)
        if not errors and not variable_cost:
            errors = cost_errors(schema, document, {})
        if not errors:
            valid_selections.put((selection, introspection), variable_cost, len(selection), schema)
    whole = without_defer(document) if graphql.GraphQLDeferDirective.name in text else document
    if errors:
        return ParsedDocument(document, errors, variable_cost, {}, whole)
    parsed = ParsedDocument(document, [], variable_cost, roots(document), whole)
    fields = parsed.query(None) or ()
    if fields and all(field.name.value in ROOTS for field in fields):
        [operation] = parsed.operations
        if not operation.variable_definitions:
            return replace(parsed, introspection=selection)
    return parsed


def validation_errors(
    schema: graphql.GraphQLSchema, document: graphql.DocumentNode, introspection: bool
) -> list[graphql.GraphQLError]:
    """Return the validation errors of a document by the rules of GraphQL.

    Errors have no suggestions if there are many of them, or without introspection.
    """
    if not introspection and (
        errors := graphql.validate(
            schema, document, [graphql.NoSchemaIntrospectionCustomRule], MAX_ERRORS
        )
    ):
        return errors
    errors = graphql.validate(schema, document, None, MAX_ERRORS, hide_suggestions=True)
    if introspection and 0 < len(errors) <= MAX_SUGGESTED_ERRORS:
        return graphql.validate(schema, document)
    return errors


def selection_digest(document: graphql.DocumentNode) -> str:
    """Return a digest of a document without its layout, comments, and the name of its only operation."""
    operations = [
        of for of in document.definitions if isinstance(of, graphql.OperationDefinitionNode)
    ]
    only = operations[0] if len(operations) == 1 else None
    name = only.name.loc if only and only.name else None
    digest = hashlib.blake2b(digest_size=16)
    token = document.loc.start_token if document.loc else None
    while token:
        if token.kind is not graphql.TokenKind.COMMENT and not (name and token.start == name.start):
            value = token.value or ""
            part = f"{token.kind.value} {len(value)} {value}"
            digest.update(part.encode(errors="surrogatepass"))
        token = token.next
    return digest.hexdigest()


Documents: TypeAlias = SizedLruCache[tuple[str, bool], ParsedDocument]
cache: Documents = SizedLruCache(MAX_CACHE_BYTES)
refused: Documents = SizedLruCache(MAX_REFUSED_BYTES)
valid_selections: SizedLruCache[tuple[str, bool], bool] = SizedLruCache(MAX_SELECTION_BYTES)
"""Digests of valid selections, and whether variables determine their cost."""
_thread = ThreadPoolExecutor(1, "documents")
_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, WorkSlots] = WeakKeyDictionary()


def turn() -> AbstractAsyncContextManager[None]:
    """Return the turn of the present client in the thread for documents."""
    turns = _turns.setdefault(asyncio.get_running_loop(), WorkSlots(1))
    return turns.hold(current_operation().client)


async def in_thread(work: Callable[[], T]) -> T:
    """Return the result of some work on a document, in the thread for it. The client has its turn."""
    return await asyncio.get_running_loop().run_in_executor(_thread, work)


async def parsed_document(
    schema: graphql.GraphQLSchema, text: str, introspection: bool
) -> ParsedDocument:
    """Return a document from the cache, or parse it in the turn of the client."""
    key = text, introspection
    if cached := _cached(key, schema):
        return cached
    async with turn():
        if cached := _cached(key, schema):
            return cached
        parsed = await in_thread(partial(parse_document, schema, text, introspection))
    size = len(text) * 4 + memory_size(parsed.document)
    if parsed.whole is not parsed.document:
        size += memory_size(parsed.document)
    (refused if parsed.errors else cache).put(key, parsed, size, schema)
    return parsed


def _cached(key: tuple[str, bool], schema: graphql.GraphQLSchema) -> ParsedDocument | None:
    return cache.get(key, schema) or refused.get(key, schema)


def memory_size(document: graphql.DocumentNode | None) -> int:
    """Return the approximate memory of a document in bytes."""
    return BYTES_PER_TOKEN * (document.token_count or 0) if document else 0


class _DeferRemover(graphql.Visitor):
    """A visitor that removes the directive `@defer`."""

    def enter_directive(self, node: graphql.DirectiveNode, *_: Any) -> Any:
        return graphql.REMOVE if node.name.value == graphql.GraphQLDeferDirective.name else None


def without_defer(document: graphql.DocumentNode) -> graphql.DocumentNode:
    """Return a document without `@defer`, which is optional for responses; the same object if it has
    none."""
    return graphql.visit(document, _DeferRemover())  # type: ignore[no-any-return]  # what it was given


def without_cycles(document: graphql.DocumentNode) -> graphql.DocumentNode:
    """Return a document without references from its tokens to earlier ones.

    So it is freed without the garbage collector.
    """
    token = document.loc.start_token if document.loc else None
    while token:
        token.prev, token = None, token.next
    return document


def roots(document: graphql.DocumentNode) -> Roots:
    """Return the root fields of the queries of a valid document."""
    return {
        operation.name.value if operation.name else "": root_fields(document, operation)
        for operation in document.definitions
        if isinstance(operation, graphql.OperationDefinitionNode)
        and operation.operation is graphql.OperationType.QUERY
    }
