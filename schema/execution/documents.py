"""Documents: parsed, measured and validated once, and cached."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from graphql import (
    REMOVE,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    GraphQLDeferDirective,
    GraphQLError,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    OperationType,
    Visitor,
    parse,
    specified_rules,
    validate,
    visit,
)

from projections.lru_cache import SizedLruCache
from schema.base.errors import error_with_code
from schema.execution.document_cost import cost_errors, has_variable_cost
from schema.execution.document_size import MAX_TOKENS, size_errors
from schema.execution.fixed_moments import root_fields

Roots: TypeAlias = Mapping[str, tuple[FieldNode, ...]]
"""Root fields of the queries of a document, by the name of the query ('' without)."""

MAX_DOCUMENT_CHARACTERS = 100_000
"""Maximum length of a document; longer texts belong in variables, which are parsed faster."""
MAX_ERRORS = 20
MAX_CHARACTERS_ON_LOOP = 1000
"""Maximum length of a document that is parsed in the event loop; longer ones are parsed in a thread."""
MAX_CACHE_BYTES = 16 * 1024 * 1024
"""Memory for cached documents."""
BYTES_PER_TOKEN = 1000
"""Approximate memory of a document per token."""


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """A document with its errors; without a document if it cannot be parsed."""

    document: DocumentNode | None
    errors: list[GraphQLError]
    has_variable_cost: bool = False
    """Whether variables determine page sizes, so that the cost depends on them."""
    roots: Roots = field(default_factory=dict)
    """Root fields of its queries, if it is valid."""
    whole: DocumentNode | None = None
    """The document without `@defer`, for complete responses; the same object if it has none."""

    def query(self, name: str | None) -> tuple[FieldNode, ...] | None:
        """Return the root fields of the selected query; None if there is no valid one."""
        if name:
            return self.roots.get(name)
        return next(iter(self.roots.values()), None) if len(self.operations) == 1 else None

    @property
    def operations(self) -> list[OperationDefinitionNode]:
        """Return the operations of the document."""
        definitions = self.document.definitions if self.document else ()
        return [d for d in definitions if isinstance(d, OperationDefinitionNode)]

    def operation(self, name: str | None) -> OperationDefinitionNode | None:
        """Return the operation of a name, or the only one; None without one."""
        operations = [
            operation
            for operation in self.operations
            if name is None or (operation.name and operation.name.value) == name
        ]
        return operations[0] if len(operations) == 1 else None


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
    """Return the validation errors of a document by the rules of GraphQL."""
    if introspection:
        return validate(schema, document, max_errors=MAX_ERRORS)
    rules = (*specified_rules, NoSchemaIntrospectionCustomRule)
    return validate(schema, document, rules, max_errors=MAX_ERRORS)


cache: SizedLruCache[tuple[str, bool], ParsedDocument] = SizedLruCache(MAX_CACHE_BYTES)

_PARSER = ThreadPoolExecutor(1, "documents")
"""Executor that parses one long document at a time; each may take a tenth of a second."""


async def parsed_document(schema: GraphQLSchema, text: str, introspection: bool) -> ParsedDocument:
    """Return a document from the cache, or parse it; a long one in a thread."""
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
    """Return the approximate memory of a document in bytes."""
    return BYTES_PER_TOKEN * (document.token_count or 0) if document else 0


class _DeferRemover(Visitor):
    """A visitor that removes the directive `@defer`."""

    def enter_directive(self, node: DirectiveNode, *_: Any) -> Any:
        return REMOVE if node.name.value == GraphQLDeferDirective.name else None


def without_defer(document: DocumentNode) -> DocumentNode:
    """Return a document without `@defer`, which is optional for responses; the same object if it has
    none."""
    return visit(document, _DeferRemover())  # type: ignore[no-any-return]  # what it was given


def without_cycles(document: DocumentNode) -> DocumentNode:
    """Return a document without references from its tokens to earlier ones.

    So it is freed without the garbage collector.
    """
    token = document.loc.start_token if document.loc else None
    while token:
        token.prev, token = None, token.next
    return document


def roots(document: DocumentNode) -> Roots:
    """Return the root fields of the queries of a valid document."""
    return {
        operation.name.value if operation.name else "": root_fields(document, operation)
        for operation in document.definitions
        if isinstance(operation, OperationDefinitionNode)
        and operation.operation is OperationType.QUERY
    }
