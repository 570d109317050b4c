"""Plans: how the plain part of an answer is made, found out once for a document.

Most of an answer is attributes of objects that are there already: no arguments, nothing to wait
for. graphql-core still goes the whole way for each of them. A plan is a function from such an
object to its part of the answer. What has no plan, and every value that a plan does not take (it
raises), is left to graphql-core, so errors and nulls come out as it says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any, TypeAlias, cast

from graphql import (
    GraphQLEnumType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    Undefined,
)
from strawberry.types.field import StrawberryField

Plan: TypeAlias = Callable[[Any], Any]
"""Makes a part of an answer of a value, or raises."""

Collect: TypeAlias = Callable[[GraphQLObjectType, Any], Iterable[tuple[str, Any]]]
"""The fields that are selected of an object of a type, by the name that they get in the answer."""

UNCHANGED: dict[str, type] = {"String": str, "ID": str, "Boolean": bool}
"""Values of exactly these types stand in an answer as they are."""


class NotPlain(Exception):
    """A value that a plan does not take, or a selection that has no plan."""


class Planner:
    """Makes the plans of one document."""

    def __init__(self, schema: GraphQLSchema, collect: Collect):
        self._schema = schema
        self._collect = collect

    def plan(self, type_: GraphQLOutputType, selected: Sequence[Any]) -> Plan:
        """The plan for values of a type with what is selected of them. Raises NotPlain."""
        if isinstance(type_, GraphQLNonNull):
            return self._required(type_.of_type, selected)
        inner = self._required(type_, selected)
        return lambda value: None if value is None else inner(value)

    def _required(self, type_: Any, selected: Sequence[Any]) -> Plan:
        """The plan for values that are never null; it raises for null."""
        if isinstance(type_, GraphQLList):
            return _list(self.plan(type_.of_type, selected))
        if isinstance(type_, GraphQLScalarType):
            return _scalar(type_)
        if isinstance(type_, GraphQLEnumType):
            return _enum(type_)
        if isinstance(type_, GraphQLObjectType):
            return self._object(type_, selected)
        return self._abstract(type_, selected)

    def _object(self, type_: GraphQLObjectType, selected: Sequence[Any]) -> Plan:
        fields = tuple((name, *self._field(type_, nodes))
                       for name, nodes in self._collect(type_, selected))

        def of_any(value: Any) -> Any:
            return {name: plan(get(value)) for name, get, plan in fields}

        if type_.is_type_of is None:
            return _present(of_any)
        kind = _class_of(type_)

        def of_kind(value: Any) -> Any:
            if type(value) is not kind:
                raise NotPlain
            return {name: plan(get(value)) for name, get, plan in fields}

        return of_kind

    def _field(self, type_: GraphQLObjectType, selected: Sequence[Any]) -> tuple[Plan, Plan]:
        """How a field is read, and the plan for what is read."""
        name = selected[0].node.name.value
        if name == "__typename":
            return (lambda _: type_.name), (lambda value: value)
        definition = type_.fields.get(name)
        if definition is None:
            raise NotPlain
        return _reader(definition.extensions.get("strawberry-definition")), self.plan(
            definition.type, selected)

    def _abstract(
        self, type_: GraphQLInterfaceType | GraphQLUnionType, selected: Sequence[Any]
    ) -> Plan:
        """By the class of a value; each must have a plan."""
        plans = {_class_of(possible): self._object(possible, selected)
                 for possible in self._schema.get_possible_types(type_)}

        def complete(value: Any) -> Any:
            return plans[type(value)](value)

        return complete


def _present(plan: Plan) -> Plan:
    def complete(value: Any) -> Any:
        if value is None:
            raise NotPlain
        return plan(value)

    return complete


def _list(item: Plan) -> Plan:
    def complete(value: Any) -> Any:
        if type(value) is not list and type(value) is not tuple:
            raise NotPlain
        return [item(one) for one in value]

    return complete


def _scalar(type_: GraphQLScalarType) -> Plan:
    coerce = type_.coerce_output_value
    unchanged = str if coerce is str else UNCHANGED.get(type_.name)

    def complete(value: Any) -> Any:
        if type(value) is unchanged:
            return value
        if value is None or isinstance(value, Exception):
            raise NotPlain
        coerced = coerce(value)
        if coerced is None or coerced is Undefined:
            raise NotPlain
        return coerced

    return complete


def _enum(type_: GraphQLEnumType) -> Plan:
    members = getattr(type_, "wrapped_cls", ())
    names = {member: type_.coerce_output_value(member) for member in members}
    return names.__getitem__


def _class_of(type_: GraphQLObjectType) -> type:
    """The class whose instances are of a type. Raises NotPlain where several may be."""
    definition = type_.extensions.get("strawberry-definition")
    if definition is None or definition.is_type_of or definition.concrete_of:
        raise NotPlain
    kind: type = definition.origin
    return kind


def _reader(field: StrawberryField | None) -> Plan:
    """How a field is read: an attribute, or a method that needs nothing and waits for nothing.

    Raises NotPlain for any other.
    """
    if field is None or field.extensions:
        raise NotPlain
    resolver = field.base_resolver
    if resolver is None:
        return attrgetter(field.python_name)
    if (resolver.is_async or resolver.arguments or resolver.info_parameter
            or resolver.parent_parameter or not resolver.self_parameter):
        raise NotPlain
    return cast(Plan, resolver.wrapped_func)
