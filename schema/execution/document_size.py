"""How large a document is: its depth, aliases, fields and fragments, each within a limit.

Measuring takes time linear in the document, whatever its fragments, and goes before validation,
which does not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    OperationDefinitionNode,
    SelectionSetNode,
)

from schema.base.errors import error_with_code
from schema.execution.introspection import ROOTS

MAX_TOKENS = 4000
MAX_FIELDS = 2000
MAX_FRAGMENTS = 50
MAX_ALIASES = 50
MAX_DEPTH = 12
MAX_INTROSPECTION_DEPTH = 16
"""Levels below `__schema` and `__type`: what clients usually ask goes nine types down."""
MAX_COMPARISONS = 10_000
"""Pairs of fields with one name in one place, which validation compares with each other."""


def size_errors(document: DocumentNode) -> list[GraphQLError]:
    """An error for each limit that a document exceeds."""
    fragments = {
        d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)
    }
    if len(fragments) > MAX_FRAGMENTS:
        return [
            error_with_code("TOO_MANY_FRAGMENTS", f"expected at most {MAX_FRAGMENTS} fragments")
        ]
    sizes = _Sizes(fragments)
    found = [
        sizes.of(d.selection_set)
        for d in document.definitions
        if isinstance(d, OperationDefinitionNode)
    ]
    return [
        error_with_code(code, f"expected at most {most} {what}, got {got}")
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
    return [
        error_with_code(
            "TOO_MANY_FIELDS", "expected fields not to be repeated so often under one name"
        )
    ]


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
