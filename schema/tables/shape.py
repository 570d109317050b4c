"""The columns of a table, read from its GraphQL document. Pure.

A document defines a table. Its variables are the parameters. The list aliased `rows` (a connection or a
plain list) has a row for each item. A list aliased `each` inside it gives every item a row for each of its
elements. Fields are columns. An object is written flat, with its name before those of its fields
(`sourcePublisher`); with a single field it is a column by its own name (`issuer`). A list of such objects,
or of scalars, is a column with several values.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import graphql
from msgspec import Struct

ROWS, EACH = "rows", "each"


class Column(Struct, frozen=True):
    """A column: its name, the path of its value in a row or in an element of it, and its scalar."""

    name: str
    path: tuple[str, ...]
    scalar: str
    description: str
    many: bool = False
    of_each: bool = False

    def value(self, row: Mapping[str, Any], element: Mapping[str, Any] | None) -> Any:
        """Return the value in a row: a scalar, a list of scalars (nested lists are joined), or None."""
        value: Any = element if self.of_each else row
        for name in self.path:
            if isinstance(value, list):
                inner = (item[name] for item in value)
                value = list(chain.from_iterable(v if isinstance(v, list) else [v] for v in inner))
            elif value is not None:
                value = value[name]
        return value


class Shape(Struct, frozen=True):
    """The location of the rows of a table in a response, and their columns."""

    path: tuple[str, ...]
    connection: bool
    each: bool
    columns: tuple[Column, ...]

    def rows(self, data: Mapping[str, Any]) -> Iterator[list[Any]]:
        """Yield the values of every row of a page, in the order of the columns."""
        rows = self.page(data)
        for item in rows["nodes"] if self.connection else rows or ():
            for element in item[EACH] if self.each else (None,):
                yield [column.value(item, element) for column in self.columns]

    def end_cursor(self, data: Mapping[str, Any]) -> str | None:
        """Return the cursor of the next page; None for the last one."""
        if not self.connection:
            return None
        page = self.page(data)["pageInfo"]
        return str(page["endCursor"]) if page["hasNextPage"] else None

    def completeness(self, data: Mapping[str, Any]) -> str:
        """Return the completeness of the table in words, found on the path to its rows.

        It is empty for a table that is not about acts.
        """
        holder: Any = data
        for name in self.path:
            holder = holder[name]
            if isinstance(holder, dict) and (completeness := holder.get("completeness")):
                return f"{completeness['level'].lower()}: {completeness['statement']}"
        return ""

    def page(self, data: Mapping[str, Any]) -> Any:
        """Return the list, or connection, of the rows."""
        value: Any = data
        for name in self.path:
            value = value[name]
        return value


def shape_of(schema: graphql.GraphQLSchema, operation: graphql.OperationDefinitionNode) -> Shape:
    """Return the shape of a table. Raises ValueError for a document without one."""
    assert schema.query_type is not None
    path, node, type_ = _find_rows(schema.query_type, operation.selection_set.selections, ())
    connection = not isinstance(graphql.get_nullable_type(type_), graphql.GraphQLList)
    fields = _fields(node)
    item = graphql.get_named_type(type_)
    if connection:
        [nodes] = [field for field in fields if field.name.value == "nodes"]
        item, fields = _object(item), _fields(nodes)
        item = graphql.get_named_type(item.fields["nodes"].type)
    columns = list(_columns(_object(item), fields, (), False))
    each = any(column.of_each for column in columns)
    return Shape(path, connection, each, tuple(columns))


def _find_rows(
    parent: graphql.GraphQLObjectType, selections: Sequence[Any], path: tuple[str, ...]
) -> tuple[tuple[str, ...], graphql.FieldNode, Any]:
    for node in selections:
        assert isinstance(node, graphql.FieldNode)
        type_ = parent.fields[node.name.value].type
        if _key(node) == ROWS:
            return (*path, ROWS), node, type_
        if node.selection_set:
            try:
                return _find_rows(
                    _object(graphql.get_named_type(type_)),
                    node.selection_set.selections,
                    (*path, _key(node)),
                )
            except ValueError:
                continue
    raise ValueError(f"no list is aliased {ROWS}")


def _columns(
    parent: graphql.GraphQLObjectType,
    fields: Sequence[graphql.FieldNode],
    path: tuple[str, ...],
    of_each: bool,
) -> Iterator[Column]:
    for node in fields:
        definition = parent.fields[node.name.value]
        nullable = graphql.get_nullable_type(definition.type)
        many, named = (
            isinstance(nullable, graphql.GraphQLList),
            graphql.get_named_type(definition.type),
        )
        here = (*path, _key(node))
        if _key(node) == EACH:
            yield from _columns(_object(named), _fields(node), (), True)
        elif isinstance(named, graphql.GraphQLScalarType | graphql.GraphQLEnumType):
            scalar = named.name if isinstance(named, graphql.GraphQLScalarType) else "String"
            text = definition.description or ""
            yield Column(_name(here), here, scalar, text, many, of_each)
        else:
            inner = list(_columns(_object(named), _fields(node), here, of_each))
            if many and len(inner) > 1:
                raise ValueError(f"{_name(here)} is a list with several columns: alias it {EACH}")
            for column in inner:
                name = _name(here) if len(inner) == 1 else column.name
                yield Column(
                    name,
                    column.path,
                    column.scalar,
                    definition.description or "" if len(inner) == 1 else column.description,
                    many or column.many,
                    of_each,
                )


def _fields(node: graphql.FieldNode) -> list[graphql.FieldNode]:
    assert node.selection_set is not None
    return [
        field for field in node.selection_set.selections if isinstance(field, graphql.FieldNode)
    ]


def _object(type_: Any) -> graphql.GraphQLObjectType:
    assert isinstance(type_, graphql.GraphQLObjectType), type_
    return type_


def _key(node: graphql.FieldNode) -> str:
    return node.alias.value if node.alias else node.name.value


def _name(path: Sequence[str]) -> str:
    """Return a path as a name: `source`, `publisher` as `sourcePublisher`."""
    return path[0] + "".join(name[:1].upper() + name[1:] for name in path[1:])
