"""Serializers: how the plain part of an answer is made, found out once for a document.

Most of an answer is attributes of objects that are there already: no arguments, nothing to wait
for. graphql-core still goes the whole way for each of them. A plan is a function from such objects
to their parts of the answer, column by column: one field of all objects of a list is read and
converted together, and so are the lists in all of them. What has no plan, and every value that a
plan does not take (it raises), is left to graphql-core, so errors and nulls come out as it says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import Enum
from itertools import chain, count, islice
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

Serializer: TypeAlias = Callable[[Sequence[Any]], Sequence[Any]]
"""Makes the parts of an answer of values, in their order, or raises."""

Reader: TypeAlias = Callable[[Any], Any]
"""Reads the value of a field of an object."""

Collect: TypeAlias = Callable[[GraphQLObjectType, Any], Iterable[tuple[str, Any]]]
"""The fields that are selected of an object of a type, by the name that they get in the answer."""

Arguments: TypeAlias = Callable[[GraphQLField, FieldNode], Mapping[str, Any]]
"""What a field is asked with."""

Converters: TypeAlias = Mapping[type, Callable[[Any], Any] | None]
"""How scalars of exactly these classes get into an answer, None: as they are. Those of other classes
are coerced as graphql-core does."""


PLAN_NUMBERS = count()
"""Tell plans apart, also from those that are forgotten."""


NOT_RENDERED = None, None
"""What is there of an object that no plan has made anything of."""


class Field(NamedTuple):
    """How a field gets from objects into their parts of the answer: it is read, and serialized."""

    read: Reader
    serialize: Serializer
    of_moment: bool = False
    """Whether it follows from the moment of an object, not from its content alone."""
    owner: str = ""
    """The attribute of objects that has what it is read from; none if they have it themselves."""

    def owners(self, objects: Sequence[Any]) -> Sequence[Any]:
        """What it is read from, for each object."""
        return [*map(attrgetter(self.owner), objects)] if self.owner else objects

    def column(self, owners: Sequence[Any]) -> Sequence[Any]:
        """The field's part of the answer for each of its owners."""
        return self.serialize([*map(self.read, owners)])


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
        return _nullable(self._required(type_, selected))

    def field_plan(self, type_: GraphQLObjectType, selected: Sequence[Any]) -> Serializer:
        """The plan for a field of objects, from the objects. Raises NotSerializable."""
        field = self._field(type_, selected)
        return lambda objects: field.column(field.owners(objects))

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
        serialize = _of_fields(fields)
        if not is_introspection_type(type_):
            own = {name: field for name, field in fields.items() if field.of_moment}
            serialize = _once(serialize, own, self._moment_fields - before > len(own))
        if type_.is_type_of is None:
            return _of_classes(lambda kinds: NoneType not in kinds, serialize)
        kind = _class_of(type_)
        return _of_classes(lambda kinds: kinds <= {kind}, serialize)

    def _field(self, type_: GraphQLObjectType, selected: Sequence[Any]) -> Field:
        """How a field gets into the answer."""
        name = selected[0].node.name.value
        if name == "__typename":
            return Field(lambda _: type_.name, lambda names: names)
        definition = type_.fields.get(name)
        if definition is None:
            raise NotSerializable
        if is_introspection_type(type_):
            owner, read = "", self._schema_reader(definition, selected[0].node)
        else:
            owner, read = _reader(
                type_, definition.extensions.get("strawberry-definition"), selected
            )
        of_moment = _of_moment(definition.extensions.get("strawberry-definition"))
        self._moment_fields += of_moment
        return Field(read, self.plan(definition.type, selected), of_moment, owner)

    def _schema_reader(self, definition: GraphQLField, node: FieldNode) -> Reader:
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

        def serialize(values: Sequence[Any]) -> Sequence[Any]:
            parts = {
                kind: iter(plans[kind]([value for value in values if type(value) is kind]))
                for kind in {*map(type, values)}
            }
            return [next(parts[type(value)]) for value in values]

        return serialize


def _of_classes(expected: Callable[[set[type]], bool], plan: Serializer) -> Serializer:
    """The plan for values of the expected classes; it raises for others."""

    def serialize(values: Sequence[Any]) -> Sequence[Any]:
        if not expected(_classes(values)):
            raise NotSerializable
        return plan(values)

    return serialize


def _classes(values: Sequence[Any]) -> set[type]:
    """The classes of values; they are mostly all of one, which takes less than half to find out."""
    classes = [*map(type, values)]
    if classes and classes.count(classes[0]) == len(classes):
        return {classes[0]}
    return {*classes}


def _nullable(plan: Serializer) -> Serializer:
    """The plan for values that may be null."""

    def serialize(values: Sequence[Any]) -> Sequence[Any]:
        present = [value for value in values if value is not None]
        parts = plan(present) if present else []
        if len(present) == len(values):
            return parts
        following = iter(parts)
        return [None if value is None else next(following) for value in values]

    return serialize


def _list(item: Serializer) -> Serializer:
    """The plan for lists, whose items are serialized together."""

    def serialize(values: Sequence[Any]) -> Sequence[Any]:
        parts = iter(item([*chain.from_iterable(values)]))
        return [[*islice(parts, len(value))] for value in values]

    return _of_classes(lambda kinds: kinds <= {list, tuple}, serialize)


def _scalar(type_: GraphQLScalarType) -> Serializer:
    coerce, converters = type_.coerce_output_value, _converters(type_)
    unconverted = {kind for kind, convert in converters.items() if convert is None}

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

    def serialize(values: Sequence[Any]) -> Sequence[Any]:
        kinds = _classes(values)
        if kinds <= unconverted:
            return values
        if len(kinds) == 1 and (convert := converters.get(*kinds)):
            return [*map(convert, values)]
        return [*map(complete, values)]

    return serialize


def _converters(scalar: GraphQLScalarType) -> Converters:
    """The converters of a type; none but for those that need none of graphql-core's checks."""
    if scalar.name == "Boolean":
        return {bool: None}
    written: Converters = (
        {int: str, Decimal: str, date: str} if scalar.coerce_output_value is str else {}
    )
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
    return lambda values: [names[value] for value in values]


def _class_of(type_: GraphQLObjectType) -> type:
    """The class whose instances are of a type. Raises NotSerializable where several may be."""
    definition = type_.extensions.get("strawberry-definition")
    if definition is None or definition.is_type_of or definition.concrete_of:
        raise NotSerializable
    kind: type = definition.origin
    return kind


def _of_fields(fields: Mapping[str, Field]) -> Serializer:
    """The plan for objects of these fields."""

    without_values = dict.fromkeys(fields)

    def serialize(values: Sequence[Any]) -> Sequence[Any]:
        parts: list[dict[str, Any]] = [without_values.copy() for _ in values]
        owners: dict[str, Sequence[Any]] = {}
        for name, field in fields.items():
            if field.owner not in owners:
                owners[field.owner] = field.owners(values)
            for part, value in zip(parts, field.column(owners[field.owner]), strict=True):
                part[name] = value
        return parts

    return serialize


def _once(plan: Serializer, own: Mapping[str, Field], moment_inside: bool) -> Serializer:
    """The same plan, made once for the content of an object: it is the same in many answers, and at
    many moments. Its own fields that follow from the moment are put in their place each time; where
    there are such fields deeper inside, nothing is shared with other moments.

    An object keeps what the last plan made of it: documents are many, objects more.
    """
    number, of_own_fields = next(PLAN_NUMBERS), _of_fields(own)

    def serialize(values: Sequence[Any]) -> Sequence[Any]:
        contents = values if moment_inside else [getattr(of, CONTENT, None) or of for of in values]
        rendered: list[tuple[int | None, Any]] = [
            getattr(content, RENDERED, NOT_RENDERED) for content in contents
        ]
        missing = [place for place, (by, _) in enumerate(rendered) if by != number]
        if missing:
            made = plan([values[place] for place in missing])
            for place, part in zip(missing, made, strict=True):
                rendered[place] = number, part
                setattr(contents[place], RENDERED, rendered[place])
        parts = [part for _, part in rendered]
        if not own:
            return parts
        of_moment = of_own_fields(values)
        return [{**part, **instead} for part, instead in zip(parts, of_moment, strict=True)]

    return serialize


def _of_moment(field: StrawberryField | None) -> bool:
    return bool(field and field.metadata.get(OF_MOMENT))


def _reader(
    type_: GraphQLObjectType, field: StrawberryField | None, selected: Sequence[Any]
) -> tuple[str, Reader]:
    """How a field is read, behind the attribute of the object that it is read from, if there is one: an
    attribute, or a method that needs nothing and waits for nothing.

    Raises NotSerializable for any other.
    """
    if field is None or field.extensions:
        raise NotSerializable
    if (method := field.metadata.get(WITHOUT_ARGUMENTS)) and not selected[0].node.arguments:
        return "", methodcaller(method)
    resolver = field.base_resolver
    if resolver is None:
        definition = type_.extensions.get("strawberry-definition")
        paths = getattr(definition.origin, PATHS, {}) if definition else {}
        owner, dot, path = paths.get(field.python_name, field.python_name).partition(".")
        return (owner, attrgetter(path)) if dot else ("", attrgetter(owner))
    if (
        resolver.is_async
        or resolver.arguments
        or resolver.info_parameter
        or resolver.parent_parameter
        or not resolver.self_parameter
    ):
        raise NotSerializable
    return "", cast(Reader, resolver.wrapped_func)
