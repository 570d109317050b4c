"""Serializers: how the plain part of an answer is made, found out once for a document.

Most of an answer is attributes of objects that are there already: no arguments, nothing to wait
for. graphql-core still goes the whole way for each of them. A plan is a function from such an
object to its part of the answer. What has no plan, and every value that a plan does not take (it
raises), is left to graphql-core, so errors and nulls come out as it says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from enum import Enum
from itertools import count
from operator import attrgetter, methodcaller
from types import NoneType, SimpleNamespace
from typing import Any, NamedTuple, TypeAlias, cast

from graphql import (
    FieldNode,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    Undefined,
    get_nullable_type,
    is_introspection_type,
    is_list_type,
)
from strawberry.types.field import StrawberryField

from schema.base.decorators import CONTENT, OF_MOMENT, PATHS, RENDERED, WITHOUT_ARGUMENTS

Serializer: TypeAlias = Callable[[Any], Any]
"""Makes a part of an answer of a value, or raises."""

Collect: TypeAlias = Callable[[GraphQLObjectType, Any], Iterable[tuple[str, Any]]]
"""The fields that are selected of an object of a type, by the name that they get in the answer."""

Arguments: TypeAlias = Callable[[GraphQLField, FieldNode], Mapping[str, Any]]
"""What a field is asked with."""

Converters: TypeAlias = Mapping[type, Serializer | None]
"""How values of exactly these classes get into an answer, None: as they are. It is what their plan
says too, which those of other classes take."""


PLAN_NUMBERS = count()
"""Tell plans apart, also from those that are forgotten."""


class Field(NamedTuple):
    """How a field gets from an object into an answer: it is read, then converted by its class or planned."""

    read: Serializer
    converters: Converters
    plan: Serializer
    of_moment: bool = False
    """Whether it follows from the moment of an object, not from its content alone."""


class NotSerializable(Exception):
    """A value that a plan does not take, or a selection that has no plan."""


class SerializerBuilder:
    """Makes the plans of one document."""

    def __init__(self, schema: GraphQLSchema, collect: Collect, arguments: Arguments):
        self._schema = schema
        self._collect = collect
        self._arguments = arguments
        self._moment_fields = 0
        """How many fields were planned that follow from the moment of an object."""

    def plan(self, type_: GraphQLOutputType, selected: Sequence[Any]) -> Serializer:
        """The plan for values of a type with what is selected of them. Raises NotSerializable."""
        if isinstance(type_, GraphQLNonNull):
            return self._required(type_.of_type, selected)
        inner = self._required(type_, selected)
        return lambda value: None if value is None else inner(value)

    def field_plan(self, type_: GraphQLObjectType, selected: Sequence[Any]) -> Serializer:
        """The plan for a field of an object, from the object. Raises NotSerializable."""
        read, converters, plan, _ = self._field(type_, selected)

        def complete(value: Any) -> Any:
            part = read(value)
            if (convert := converters.get(type(part), plan)) is None:
                return part
            return convert(part)

        return complete

    def _required(self, type_: Any, selected: Sequence[Any]) -> Serializer:
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

    def _object(self, type_: GraphQLObjectType, selected: Sequence[Any]) -> Serializer:
        before = self._moment_fields
        fields = {name: self._field(type_, nodes) for name, nodes in self._collect(type_, selected)}
        of_any = _of_fields(fields)
        if not is_introspection_type(type_):
            own = [(name, of.read) for name, of in fields.items() if of.of_moment]
            of_any = _once(of_any, own, self._moment_fields - before > len(own))
        if type_.is_type_of is None:
            return _present(of_any)
        kind = _class_of(type_)

        def of_kind(value: Any) -> Any:
            if type(value) is not kind:
                raise NotSerializable
            return of_any(value)

        return of_kind

    def _field(self, type_: GraphQLObjectType, selected: Sequence[Any]) -> Field:
        """How a field gets into the answer."""
        name = selected[0].node.name.value
        if name == "__typename":
            return Field(lambda _: type_.name, {str: None}, _refuse_value)
        definition = type_.fields.get(name)
        if definition is None:
            raise NotSerializable
        if is_introspection_type(type_):
            read = self._schema_reader(definition, selected[0].node)
        else:
            read = _reader(type_, definition.extensions.get("strawberry-definition"), selected)
        of_moment = _of_moment(definition.extensions.get("strawberry-definition"))
        self._moment_fields += of_moment
        plan = self.plan(definition.type, selected)
        return Field(read, _converters(definition.type), plan, of_moment)

    def _schema_reader(self, definition: GraphQLField, node: FieldNode) -> Serializer:
        """How a field of the schema itself is read: by graphql-core's resolver."""
        resolve: Any = definition.resolve
        info, arguments = SimpleNamespace(schema=self._schema), self._arguments(definition, node)
        if not is_list_type(get_nullable_type(definition.type)):
            return lambda value: resolve(value, info, **arguments)

        def read(value: Any) -> list[Any] | None:
            found = resolve(value, info, **arguments)
            return None if found is None else [*found]

        return read

    def _abstract(
        self, type_: GraphQLInterfaceType | GraphQLUnionType, selected: Sequence[Any]
    ) -> Serializer:
        """By the class of a value; each must have a plan."""
        plans = {
            _class_of(possible): self._object(possible, selected)
            for possible in self._schema.get_possible_types(type_)
        }

        def complete(value: Any) -> Any:
            return plans[type(value)](value)

        return complete


def _present(plan: Serializer) -> Serializer:
    def complete(value: Any) -> Any:
        if value is None:
            raise NotSerializable
        return plan(value)

    return complete


def _list(item: Serializer) -> Serializer:
    def complete(value: Any) -> Any:
        if type(value) is not list and type(value) is not tuple:
            raise NotSerializable
        return [item(one) for one in value]

    return complete


def _scalar(type_: GraphQLScalarType) -> Serializer:
    coerce, converters = type_.coerce_output_value, _converters(GraphQLNonNull(type_))

    def complete(value: Any) -> Any:
        if type(value) in converters:
            convert = converters[type(value)]
            return convert(value) if convert else value
        if value is None or isinstance(value, Exception):
            raise NotSerializable
        coerced = coerce(value)
        if coerced is None or coerced is Undefined:
            raise NotSerializable
        return coerced

    return complete


def _converters(type_: GraphQLOutputType) -> Converters:
    """The converters of a type; none but for scalars."""
    if not isinstance(type_, GraphQLNonNull):
        return {**_converters(GraphQLNonNull(type_)), NoneType: None}
    scalar = type_.of_type
    if not isinstance(scalar, GraphQLScalarType):
        return {}
    if scalar.name == "Boolean":
        return {bool: None}
    written = {int: str, Decimal: str} if scalar.coerce_output_value is str else {}
    if written or scalar.name in ("String", "ID"):
        texts: list[type] = [str, *str.__subclasses__()]
        return {**{kind: None for kind in texts if _is_text(kind)}, **written}
    return {}


def _is_text(kind: type) -> bool:
    """Whether what instances of a class say is the text that they are."""
    return not issubclass(kind, Enum) and kind.__str__ is str.__str__


def _enum(type_: GraphQLEnumType) -> Serializer:
    members = getattr(type_, "wrapped_cls", [value.value for value in type_.values.values()])
    names = {member: type_.coerce_output_value(member) for member in members}
    return names.__getitem__


def _class_of(type_: GraphQLObjectType) -> type:
    """The class whose instances are of a type. Raises NotSerializable where several may be."""
    definition = type_.extensions.get("strawberry-definition")
    if definition is None or definition.is_type_of or definition.concrete_of:
        raise NotSerializable
    kind: type = definition.origin
    return kind


def _refuse_value(value: Any) -> Any:
    raise NotSerializable


def _of_fields(fields: Mapping[str, Field]) -> Serializer:
    """The plan for objects of these fields."""
    read = _all([of.read for of in fields.values()])
    parts = [(name, of.converters.get, of.plan) for name, of in fields.items()]

    def complete(value: Any) -> dict[str, Any]:
        return {
            name: part if (convert := converter_of(type(part), plan)) is None else convert(part)
            for (name, converter_of, plan), part in zip(parts, read(value), strict=False)
        }

    return complete


def _once(
    plan: Serializer, own: Sequence[tuple[str, Serializer]], moment_inside: bool
) -> Serializer:
    """The same plan, made once for the content of an object: it is the same in many answers, and at
    many moments. Its own fields that follow from the moment are put in their place each time; where
    there are such fields deeper inside, nothing is shared with other moments.

    An object keeps what the last plan made of it: documents are many, objects more.
    """
    number = next(PLAN_NUMBERS)

    def complete(value: Any) -> dict[str, Any]:
        attributes = value.__dict__
        content = attributes if moment_inside else attributes.get(CONTENT, attributes)
        rendered = content.get(RENDERED)
        if rendered is None or rendered[0] != number:
            rendered = content[RENDERED] = number, plan(value)
        answer: dict[str, Any] = rendered[1]
        return {**answer, **{name: read(value) for name, read in own}} if own else answer

    return complete


def _of_moment(field: StrawberryField | None) -> bool:
    return bool(field and field.metadata.get(OF_MOMENT))


def _all(readers: Sequence[Serializer]) -> Callable[[Any], Iterable[Any]]:
    """Reads all fields of a value: attributes at once."""
    names = [
        name
        for reader in readers
        if isinstance(reader, attrgetter)
        for name in reader.__reduce__()[1]
    ]
    if len(names) == len(readers) > 1:
        return attrgetter(*names)
    return lambda value: [reader(value) for reader in readers]


def _reader(
    type_: GraphQLObjectType, field: StrawberryField | None, selected: Sequence[Any]
) -> Serializer:
    """How a field is read: an attribute of the object or of what it keeps, or a method that needs
    nothing and waits for nothing.

    Raises NotSerializable for any other.
    """
    if field is None or field.extensions:
        raise NotSerializable
    if (method := field.metadata.get(WITHOUT_ARGUMENTS)) and not selected[0].node.arguments:
        return methodcaller(method)
    resolver = field.base_resolver
    if resolver is None:
        definition = type_.extensions.get("strawberry-definition")
        paths = getattr(definition.origin, PATHS, {}) if definition else {}
        return attrgetter(paths.get(field.python_name, field.python_name))
    if (
        resolver.is_async
        or resolver.arguments
        or resolver.info_parameter
        or resolver.parent_parameter
        or not resolver.self_parameter
    ):
        raise NotSerializable
    return cast(Serializer, resolver.wrapped_func)
