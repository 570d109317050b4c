"""Limits of the size of a document. It is measured in linear time, also with fragments, before validation,
which takes longer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import reduce
from typing import Any

import graphql
from msgspec import Struct

from schema.base.errors import error_with_code

WHOLE_SCHEMA, ONE_TYPE = "__schema", "__type"
ROOTS = {WHOLE_SCHEMA: graphql.SchemaMetaFieldDef, ONE_TYPE: graphql.TypeMetaFieldDef}
"""Introspection fields that return the schema."""
MAX_TOKENS = 4000
MAX_FIELDS = 2000
MAX_FRAGMENTS = 50
MAX_ALIASES = 50
MAX_DEPTH = 12
MAX_INTROSPECTION_DEPTH = 16
"""Maximum depth below `__schema` and `__type`; usual client queries have nine levels."""
MAX_COMPARISONS = 10_000
"""Maximum number of pairs of fields with the same response name, which validation compares."""


def fragments_of(document: graphql.DocumentNode) -> dict[str, graphql.FragmentDefinitionNode]:
    """Return the fragments of a document by name."""
    return {
        definition.name.value: definition
        for definition in document.definitions
        if isinstance(definition, graphql.FragmentDefinitionNode)
    }


def size_errors(document: graphql.DocumentNode) -> list[graphql.GraphQLError]:
    """Return an error for each limit that a document exceeds."""
    fragments = fragments_of(document)
    if len(fragments) > MAX_FRAGMENTS:
        return [
            error_with_code("TOO_MANY_FRAGMENTS", f"expected at most {MAX_FRAGMENTS} fragments")
        ]
    sizes = _Sizes(fragments)
    size = reduce(
        Size.beside,
        (
            sizes.of(definition.selection_set)
            for definition in document.definitions
            if isinstance(definition, graphql.OperationDefinitionNode)
        ),
        Size(),
    )
    depth, introspection_depth = size.depth, size.introspection_depth
    return [
        error_with_code(code, f"expected at most {most} {name}, got {got}")
        for code, name, most, got in (
            ("TOO_DEEP", "levels of fields", MAX_DEPTH, depth),
            ("TOO_DEEP", "levels of introspection", MAX_INTROSPECTION_DEPTH, introspection_depth),
            ("TOO_MANY_ALIASES", "aliases", MAX_ALIASES, size.aliases),
            ("TOO_MANY_FIELDS", "fields", MAX_FIELDS, size.fields),
        )
        if got > most
    ] or _repeated(document, fragments)


def _repeated(
    document: graphql.DocumentNode, fragments: Mapping[str, graphql.FragmentDefinitionNode]
) -> list[graphql.GraphQLError]:
    """Return the error of a document with too many fields of the same response name in one place."""
    places = Counter(_places(document, fragments))
    if sum(number * (number - 1) // 2 for number in places.values()) <= MAX_COMPARISONS:
        return []
    return [
        error_with_code("TOO_MANY_FIELDS", "expected fewer repetitions of fields under one name")
    ]


def _places(
    document: graphql.DocumentNode, fragments: Mapping[str, graphql.FragmentDefinitionNode]
) -> Iterator[tuple[Any, ...]]:
    """Yield the locations of the fields of a document in its responses.

    Their number is limited like that of fields. Cycles of fragments are cut; validation reports them.
    """
    stack: list[tuple[tuple[Any, ...], Any]] = [
        ((number,), definition)
        for number, definition in enumerate(document.definitions)
        if isinstance(definition, graphql.OperationDefinitionNode)
    ]
    for _ in range(2 * MAX_FIELDS + MAX_TOKENS):
        if not stack:
            return
        place, node = stack.pop()
        if isinstance(node, graphql.FragmentSpreadNode):
            node = fragments.get(node.name.value)
        elif isinstance(node, graphql.FieldNode):
            place = (*place, (node.alias or node.name).value)
            yield place
        inner = getattr(node, "selection_set", None)
        stack += [(place, of) for of in (inner.selections if inner else ())]


class Size(Struct, frozen=True):
    """Measure the depth and width of a selection, its fragments included."""

    depth: int = 0
    aliases: int = 0
    fields: int = 0
    introspection_depth: int = 0

    def beside(self, other: Size) -> Size:
        """Return the sum of two sizes."""
        return Size(
            max(self.depth, other.depth),
            self.aliases + other.aliases,
            self.fields + other.fields,
            max(self.introspection_depth, other.introspection_depth),
        )

    def below(self, field: graphql.FieldNode) -> Size:
        """Return the size of a field with this selection."""
        aliases, fields = self.aliases + bool(field.alias), self.fields + 1
        if field.name.value in ROOTS:
            return Size(1, aliases, fields, self.depth)
        return Size(self.depth + 1, aliases, fields, self.introspection_depth)


class _Sizes:
    """Measurement of selections; a fragment is measured once."""

    def __init__(self, fragments: dict[str, graphql.FragmentDefinitionNode]):
        self._fragments = fragments
        self._measured: dict[str, Size] = {}

    def of(self, selections: graphql.SelectionSetNode | None) -> Size:
        """Return the size of a set of selections."""
        total = Size()
        for node in selections.selections if selections else ():
            if isinstance(node, graphql.FieldNode):
                size = self.of(node.selection_set).below(node)
            elif isinstance(node, graphql.FragmentSpreadNode):
                size = self._fragment(node.name.value)
            else:
                size = self.of(getattr(node, "selection_set", None))
            total = total.beside(size)
        return total

    def _fragment(self, name: str) -> Size:
        if name not in self._measured:
            self._measured[name] = Size()  # ends a cycle, which validation reports
            fragment = self._fragments.get(name)
            self._measured[name] = self.of(fragment.selection_set) if fragment else Size()
        return self._measured[name]
