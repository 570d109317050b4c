"""Documents: parsed, measured and validated once, and kept for the next time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from graphql import (
    REMOVE,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLDeferDirective,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    Visitor,
    parse,
    specified_rules,
    validate,
    visit,
)

from projections.lru_cache import SizedLruCache
from schema.base.errors import error_with_code
from schema.execution.limits import (
    MAX_TOKENS,
    cost_errors,
    fragments_of,
    has_variable_cost,
    size_errors,
)

Roots: TypeAlias = Mapping[str, tuple[FieldNode, ...]]
"""The fields that the queries of a document begin with, by the name of the query ('' without)."""

MAX_DOCUMENT_CHARACTERS = 100_000
"""The longest document; longer texts belong in variables, which are not parsed letter by letter."""
MAX_ERRORS = 20
MAX_CHARACTERS_ON_LOOP = 1000
"""The longest document that is parsed in place; for longer ones others do not wait."""
MAX_CACHE_BYTES = 16 * 1024 * 1024
"""Memory for documents that are kept for the next time."""
BYTES_PER_TOKEN = 1000
"""Memory that a document takes, about, for each of its words and signs."""


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """A document, and what is wrong with it; no document where it can't be parsed."""

    document: DocumentNode | None
    errors: list[GraphQLError]
    has_variable_cost: bool = False
    """Whether variables say how large pages are; then the cost is not known yet."""
    roots: Roots = field(default_factory=dict)
    """What its queries begin with, where nothing is wrong with it."""
    whole: DocumentNode | None = None
    """The same without `@defer`, for answers in one piece; itself where it has none."""

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
            operation
            for operation in self.operations
            if name is None or (operation.name and operation.name.value) == name
        ]
        return found[0] if len(found) == 1 else None


def parse_document(schema: GraphQLSchema, text: str, introspection: bool = True) -> ParsedDocument:
    """Parse, measure and validate a document."""
    if len(text) > MAX_DOCUMENT_CHARACTERS:
        message = f"expected a document of at most {MAX_DOCUMENT_CHARACTERS} letters: use variables"
        return ParsedDocument(None, [error_with_code("TOO_LARGE", message)])
    try:
        document = without_cycles(parse(text, max_tokens=MAX_TOKENS))
    except GraphQLError as error:
        return ParsedDocument(None, [error])
    errors = size_errors(document) or validation_errors(schema, document, introspection)
    variable_cost = not errors and has_variable_cost(document)
    if not errors and not variable_cost:
        errors = cost_errors(schema, document, {})
    whole = without_defer(document) if GraphQLDeferDirective.name in text else document
    return ParsedDocument(document, errors, variable_cost, {} if errors else roots(document), whole)


def validation_errors(
    schema: GraphQLSchema, document: DocumentNode, introspection: bool
) -> list[GraphQLError]:
    """What is wrong with a document by the rules of GraphQL."""
    if introspection:
        return validate(schema, document, max_errors=MAX_ERRORS)
    rules = (*specified_rules, NoSchemaIntrospectionCustomRule)
    return validate(schema, document, rules, max_errors=MAX_ERRORS)


cache: SizedLruCache[tuple[str, bool], ParsedDocument] = SizedLruCache(MAX_CACHE_BYTES)

_PARSER = ThreadPoolExecutor(1, "documents")
"""Parses one long document after the other: each may take a tenth of a second."""


async def parsed_document(schema: GraphQLSchema, text: str, introspection: bool) -> ParsedDocument:
    """A document from the cache, or parsed now; a long one beside the loop."""
    if cached := cache.get((text, introspection), schema):
        return cached
    if len(text) <= MAX_CHARACTERS_ON_LOOP:
        parsed = parse_document(schema, text, introspection)
    else:
        parsed = await asyncio.get_running_loop().run_in_executor(
            _PARSER, parse_document, schema, text, introspection
        )
    size = len(text) * 4 + memory_size(parsed.document)
    if parsed.whole is not parsed.document:
        size += memory_size(parsed.document)
    cache.put((text, introspection), parsed, size, schema)
    return parsed


def memory_size(document: DocumentNode | None) -> int:
    """About how many bytes a document takes in memory."""
    return BYTES_PER_TOKEN * (document.token_count or 0) if document else 0


class _DeferRemover(Visitor):
    """Takes the directive `@defer` out."""

    def enter_directive(self, node: DirectiveNode, *_: Any) -> Any:
        return REMOVE if node.name.value == GraphQLDeferDirective.name else None


def without_defer(document: DocumentNode) -> DocumentNode:
    """A document without `@defer`, which an answer need not heed; itself where it has none."""
    return visit(document, _DeferRemover())  # type: ignore[no-any-return]  # what it was given


def without_cycles(document: DocumentNode) -> DocumentNode:
    """The same, without references from its words back to those before: it goes as soon as it is
    forgotten, and the garbage collector has no part in it."""
    token = document.loc.start_token if document.loc else None
    while token:
        token.prev, token = None, token.next
    return document


def roots(document: DocumentNode) -> Roots:
    """Return the fields that the queries of a valid document begin with."""
    return {
        operation.name.value if operation.name else "": root_fields(document, operation)
        for operation in document.definitions
        if isinstance(operation, OperationDefinitionNode)
        and operation.operation is OperationType.QUERY
    }


def root_fields(
    document: DocumentNode, operation: OperationDefinitionNode
) -> tuple[FieldNode, ...]:
    """Return the fields that an operation of a valid document begins with."""
    return tuple(_fields(operation.selection_set, fragments_of(document)))


def _fields(
    selections: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> Iterator[FieldNode]:
    for node in selections.selections:
        if isinstance(node, FieldNode):
            yield node
        elif isinstance(node, InlineFragmentNode):
            yield from _fields(node.selection_set, fragments)
        elif isinstance(node, FragmentSpreadNode):
            yield from _fields(fragments[node.name.value].selection_set, fragments)
