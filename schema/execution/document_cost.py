"""Limit of the cost of a document: the number of fields of its response if every page is full.

No field costs less than 1, whatever page size it has and whether or not it is included. Introspection costs
the fields of its response, counted in the schema.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from math import prod
from types import SimpleNamespace
from typing import Any

import graphql
from msgspec import Struct

from projections.lru_cache import SizedLruCache
from schema.base.errors import error_with_code
from schema.execution.document_size import ONE_TYPE, ROOTS, fragments_of
from schema.execution.fixed_moments import with_defaults
from schema.inputs.pagination import DEFAULT_PAGE_SIZE
from schema.inputs.series import number_of_steps
from tracker.domain.actors.announcement import MAX_REFERENCES
from tracker.domain.basics.toml_files import read_toml

PAGE_ARGUMENTS = ("first", "last")
"""Arguments with the size of a page."""
IDS = "ids"
"""Argument with the ids of single items."""
LISTED = {"productions": ("commodities", "years"), "exposures": ("destinations",)}
"""Fields with an item for each value of these arguments; a range of years counts each year."""
USUAL_LENGTHS: dict[str, int] = read_toml(__file__)
"""Typical lengths of lists without pages, because clients cannot limit them."""
LINKS = frozenset({"aboutEntities", "conflictsWithEntities", "supersedesAnnouncements"})
"""Lists of the entities in an announcement, up to `MAX_REFERENCES` in each."""
STEP = "step"
"""Argument with the distance of the moments of a field."""
ENDS = ("from", "to")
"""Arguments with the start and end of the moments of a field."""
MOMENTS_PER_ONE = 4
"""Number of moments of one field that cost as much as one, because they are read together and share
results."""
MAX_COUNTED_ITEMS = 1_000_000
"""Maximum counted page size; larger pages are refused anyway."""
JSON_COST = 10
"""Cost of a JSON field: about the number of values in it."""
DEFER_COST = 20
"""Cost of a fragment with `@defer`: it is executed and sent separately."""
MAX_COST = 50_000
"""Maximum number of fields of a response with full pages."""
MAX_LEVEL_BYTES = 8 * 1024 * 1024
LEVEL_VALUE_BYTES = 200
"""Approximate memory of a value of a level."""


def cost_errors(
    schema: graphql.GraphQLSchema, document: graphql.DocumentNode, variables: Mapping[str, Any]
) -> list[graphql.GraphQLError]:
    """Return the error of a valid document whose response may be too large."""
    got = cost(schema, document, variables)
    message = (
        f"expected a response of at most {MAX_COST} fields, it may have {got}: request"
        " smaller pages, or less data"
    )
    return [error_with_code("TOO_COSTLY", message)] if got > MAX_COST else []


def cost(
    schema: graphql.GraphQLSchema, document: graphql.DocumentNode, variables: Mapping[str, Any]
) -> int:
    """Return the highest cost of the operations of a valid document, with usual lengths of lists."""
    costs = _Costs(schema, document, variables)
    return max(
        (
            costs.operation(operation)
            for operation in document.definitions
            if isinstance(operation, graphql.OperationDefinitionNode)
        ),
        default=0,
    )


def has_variable_cost(document: graphql.DocumentNode) -> bool:
    """Return whether variables determine page sizes, the number of ids, or the introspected type."""
    text = graphql.print_ast(document)
    return (
        any(f"{name}: $" in text for name in (*PAGE_ARGUMENTS, IDS, STEP, *ENDS))
        or (any(f"{name}(" in text for name in LISTED) and "$" in text)
        or f"{ONE_TYPE}(name: $" in text
    )


class _Costs:
    """Sum of costs; a fragment is counted once."""

    def __init__(
        self,
        schema: graphql.GraphQLSchema,
        document: graphql.DocumentNode,
        variables: Mapping[str, Any],
    ):
        self._schema = schema
        self._variables = variables
        self._fragments = fragments_of(document)
        self._introspection = IntrospectionCost(schema, self._fragments, MAX_COST)
        self._counted: dict[str, int] = {}

    def operation(self, operation: graphql.OperationDefinitionNode) -> int:
        """Return the cost of an operation."""
        self._values = {**with_defaults(operation, self._variables)}
        self._counted.clear()
        return self._of(operation.selection_set, self._schema.get_root_type(operation.operation))

    def _of(self, selections: graphql.SelectionSetNode | None, parent: Any) -> int:
        total = 0
        for node in selections.selections if selections else ():
            if isinstance(node, graphql.FieldNode):
                total += self._field(node, parent)
            elif isinstance(node, graphql.FragmentSpreadNode):
                total += _defer_cost(node) + self._fragment(node.name.value)
            else:
                assert isinstance(node, graphql.InlineFragmentNode)
                total += _defer_cost(node)
                total += self._of(node.selection_set, self._narrowed(node.type_condition, parent))
        return total

    def _field(self, node: graphql.FieldNode, parent: Any) -> int:
        if node.name.value in ROOTS:
            return self._introspection.of(node, self._values)
        definition = getattr(parent, "fields", {}).get(node.name.value)
        if definition is None or not graphql.is_composite_type(
            graphql.get_named_type(definition.type)
        ):
            return (
                JSON_COST
                if definition and graphql.get_named_type(definition.type).name == "JSON"
                else 1
            )
        inside = self._of(node.selection_set, graphql.get_named_type(definition.type))
        usual = USUAL_LENGTHS.get(f"{parent.name}.{node.name.value}", 1)
        return 1 + usual * self._page(node, definition) * inside

    def _page(self, node: graphql.FieldNode, definition: graphql.GraphQLField) -> int:
        """Return the number of items on a page of a field; a field without pages counts once."""
        if IDS in definition.args:
            ids = self._argument(node, IDS)
            return max(1, len(ids)) if isinstance(ids, list) else 1
        if STEP in definition.args:
            return self._moments(node, definition)
        if listed := LISTED.get(node.name.value):
            return prod(_length(self._argument(node, name)) for name in listed)
        if node.name.value in LINKS:
            return MAX_REFERENCES
        if PAGE_ARGUMENTS[0] not in definition.args:
            return 1
        sizes = (self._argument(node, name) for name in PAGE_ARGUMENTS)
        return max(
            (_size(of) for of in sizes if isinstance(of, int | float)), default=DEFAULT_PAGE_SIZE
        )

    def _moments(self, node: graphql.FieldNode, definition: graphql.GraphQLField) -> int:
        """Return the number of moments of a field: by its step, else the expected number."""
        most = self._argument(node, PAGE_ARGUMENTS[0])
        if not isinstance(most, int | float):
            most = definition.args[PAGE_ARGUMENTS[0]].default_value
        start, end, step = (self._argument(node, name) for name in (*ENDS, STEP))
        if step is not None:
            most = min(most, number_of_steps(start, end, step))
        return -(-_size(most) // MOMENTS_PER_ONE)

    def _argument(self, node: graphql.FieldNode, name: str) -> Any:
        """Return the value of an argument as plain data; None if it is left out."""
        values = (of.value for of in node.arguments or () if of.name.value == name)
        value = next(values, None)
        return None if value is None else graphql.value_from_ast_untyped(value, self._values)

    def _fragment(self, name: str) -> int:
        if name not in self._counted:
            fragment = self._fragments[name]
            self._counted[name] = self._of(
                fragment.selection_set, self._narrowed(fragment.type_condition, None)
            )
        return self._counted[name]

    def _narrowed(self, condition: graphql.NamedTypeNode | None, parent: Any) -> Any:
        return self._schema.get_type(condition.name.value) if condition else parent


def _defer_cost(node: graphql.FragmentSpreadNode | graphql.InlineFragmentNode) -> int:
    """Return the cost of a fragment beside its fields."""
    names = (directive.name.value for directive in node.directives or ())
    return DEFER_COST if graphql.GraphQLDeferDirective.name in names else 0


def _length(value: Any) -> int:
    """Return the number of items of an argument, at least 1; a range of years counts each year."""
    if isinstance(value, dict):
        first, last = value.get("from"), value.get("to")
        return _size(last - first + 1) if isinstance(first, int) and isinstance(last, int) else 1
    return _size(len(value)) if isinstance(value, list) else 1


def _size(number: float) -> int:
    """Return the number of items that count for a requested page size, at least 1."""
    return int(min(number, MAX_COUNTED_ITEMS)) if number > 1 else 1


class Level(Struct, frozen=True):
    """The values of an introspection field at one place of a response, null excluded."""

    type: Any
    """Its type without wrappers."""
    values: Sequence[tuple[Any, int]] = ()
    """Each value with its number; none for scalars, which have no fields."""
    count: int = 0


_levels: SizedLruCache[tuple[str, ...], Level] = SizedLruCache(MAX_LEVEL_BYTES)
"""Levels by the names of the fields above them, computed once."""


class IntrospectionCost:
    """Count of introspection fields, up to a limit for the whole document. A new level takes time
    proportional to the count above it, so counting stops above the limit."""

    def __init__(
        self,
        schema: graphql.GraphQLSchema,
        fragments: Mapping[str, graphql.FragmentDefinitionNode],
        most: int,
    ):
        self._schema = schema
        self._info: Any = SimpleNamespace(schema=schema)
        self._fragments = fragments
        self._most = self._left = most

    def of(self, node: graphql.FieldNode, variables: Mapping[str, Any]) -> int:
        """Return the number of fields of the response to `__schema` or `__type`, itself included.

        It exceeds the limit once the document does.
        """
        before, name = self._left, node.name.value
        source: Any = self._schema
        root = name
        if name == ONE_TYPE:
            [argument] = node.arguments or ()
            root = str(graphql.value_from_ast_untyped(argument.value, dict(variables)))
            source = self._schema.get_type(root)
        found = () if source is None else ((source, 1),)
        self._left -= 1
        self._count(
            node, (name, root), Level(graphql.get_named_type(ROOTS[name].type), found, len(found))
        )
        return before - self._left if self._left >= 0 else self._most + 1

    def _count(self, node: graphql.FieldNode, path: tuple[str, ...], level: Level) -> None:
        for field in self._fields(node.selection_set):
            if self._left < 0:
                return
            self._left -= level.count
            if level.values and self._left >= 0 and field.selection_set:
                at = (*path, field.name.value)
                self._count(field, at, self._below(level, at))

    def _below(self, level: Level, path: tuple[str, ...]) -> Level:
        """Return the level of the last field of a path."""
        if cached := _levels.get(path, self._schema):
            return cached
        definition = level.type.fields[path[-1]]
        several = graphql.is_list_type(graphql.get_nullable_type(definition.type))
        deprecated = dict.fromkeys(definition.args, True)  # these are counted in any case
        values: dict[Any, Any] = {}
        counts: Counter[Any] = Counter()
        for source, count in level.values:
            value = definition.resolve(source, self._info, **deprecated)
            for one in (value or ()) if several else (value,):
                if one is not None:
                    counts[key := _identity(one)] += count
                    values[key] = one
        below = Level(
            graphql.get_named_type(definition.type),
            [(values[key], count) for key, count in counts.items()],
            counts.total(),
        )
        _levels.put(path, below, LEVEL_VALUE_BYTES * len(values), self._schema)
        return below

    def _fields(self, selections: graphql.SelectionSetNode | None) -> Iterator[graphql.FieldNode]:
        for node in selections.selections if selections else ():
            if isinstance(node, graphql.FieldNode):
                yield node
            elif isinstance(node, graphql.FragmentSpreadNode):
                yield from self._fields(self._fragments[node.name.value].selection_set)
            else:
                yield from self._fields(getattr(node, "selection_set", None))


def _identity(value: Any) -> Any:
    """Return a key that is the same for the same part of the schema, such as two types `String!`."""
    if graphql.is_wrapping_type(value):
        return str(value)
    return tuple(map(id, value)) if isinstance(value, tuple) else id(value)
