"""Serializers: functions for the plain part of a response, prepared once for a document.

Most of a response consists of attributes of existing objects: no arguments, no waiting. graphql-core still
resolves each of them separately. A plan converts such objects column by column: one field of all objects of
a list is read and converted together, and so are nested lists. Selections without a plan, and values that a
plan refuses (it raises), are left to graphql-core, so errors and nulls are the same.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import Enum
from itertools import chain, count, islice
from operator import attrgetter, methodcaller
from types import NoneType, SimpleNamespace
from typing import Any, NamedTuple, TypeAlias, cast

import graphql
from strawberry.types.field import StrawberryField

from schema.base.decorators import CONTENT, OF_MOMENT, PATHS, RENDERED, WITHOUT_ARGUMENTS

Serializer: TypeAlias = Callable[[Sequence[Any]], Sequence[Any]]
"""A function from values to their parts of the response, in order; it raises for other values."""

Reader: TypeAlias = Callable[[Any], Any]
"""A function that reads the value of a field of an object."""

Collect: TypeAlias = Callable[[graphql.GraphQLObjectType, Any], Iterable[tuple[str, Any]]]
"""A function from a type and a selection to the selected fields, by response name."""

Arguments: TypeAlias = Callable[[graphql.GraphQLField, graphql.FieldNode], Mapping[str, Any]]
"""A function from a field and its node to its arguments."""

Converters: TypeAlias = Mapping[type, Callable[[Any], Any] | None]
"""Converters of scalars of exactly these classes, None: unchanged. graphql-core coerces those of other
classes."""


PLAN_NUMBERS = count()
"""Unique numbers of plans, also after earlier ones were dropped."""


NOT_RENDERED = None, None
"""Cache content of an object without a serialized form."""


class Field(NamedTuple):
    """The way of a field from objects into their parts of the response: reading and serialization."""

    read: Reader
    serialize: Serializer
    of_moment: bool = False
    """Whether it depends on the moment of an object, not only on its content."""
    owner: str = ""
    """Attribute of objects that has the value; empty if they have it themselves."""

    def owners(self, objects: Sequence[Any]) -> Sequence[Any]:
        """Return the owners of the value, for each object."""
        return [*map(attrgetter(self.owner), objects)] if self.owner else objects

    def column(self, owners: Sequence[Any]) -> Sequence[Any]:
        """Return the field's part of the response for each of its owners."""
        return self.serialize([*map(self.read, owners)])


class NotSerializable(Exception):
    """A value that a plan refuses, or a selection without a plan."""


class SerializerBuilder:
    """The builder of the plans of one document."""

    def __init__(self, schema: graphql.GraphQLSchema, collect: Collect, arguments: Arguments):
        self._schema = schema
        self._collect = collect
        self._arguments = arguments
        self._moment_fields = 0
        """Number of planned fields that depend on the moment of an object."""

    def plan(self, type_: graphql.GraphQLOutputType, selected: Sequence[Any]) -> Serializer:
        """Return the plan for values of a type with a selection. Raises NotSerializable."""
        if isinstance(type_, graphql.GraphQLNonNull):
            return self._required(type_.of_type, selected)
        return _nullable(self._required(type_, selected))

    def field_plan(self, type_: graphql.GraphQLObjectType, selected: Sequence[Any]) -> Serializer:
        """Return the plan for a field of objects. Raises NotSerializable."""
        field = self._field(type_, selected)
        return lambda objects: field.column(field.owners(objects))

    def _required(self, type_: Any, selected: Sequence[Any]) -> Serializer:
        """Return the plan for values that are never null; it raises for null."""
        if isinstance(type_, graphql.GraphQLList):
            return _list(self.plan(type_.of_type, selected))
        if isinstance(type_, graphql.GraphQLScalarType):
            return _scalar(type_)
        if isinstance(type_, graphql.GraphQLEnumType):
            return _enum(type_)
        if isinstance(type_, graphql.GraphQLObjectType):
            return self._object(type_, selected)
        return self._abstract(type_, selected)

    def _object(self, type_: graphql.GraphQLObjectType, selected: Sequence[Any]) -> Serializer:
        before = self._moment_fields
        fields = {name: self._field(type_, nodes) for name, nodes in self._collect(type_, selected)}
        serialize = _of_fields(fields)
        if not graphql.is_introspection_type(type_):
            own = {name: field for name, field in fields.items() if field.of_moment}
            serialize = _once(serialize, own, self._moment_fields - before > len(own))
        if type_.is_type_of is None:
            return _of_classes(lambda kinds: NoneType not in kinds, serialize)
        kind = _class_of(type_)
        return _of_classes(lambda kinds: kinds <= {kind}, serialize)

    def _field(self, type_: graphql.GraphQLObjectType, selected: Sequence[Any]) -> Field:
        """Return the field of the response for a selection."""
        name = selected[0].node.name.value
        if name == "__typename":
            return Field(lambda _: type_.name, lambda names: names)
        definition = type_.fields.get(name)
        if definition is None:
            raise NotSerializable
        if graphql.is_introspection_type(type_):
            owner, read = "", self._schema_reader(definition, selected[0].node)
        else:
            owner, read = _reader(
                type_, definition.extensions.get("strawberry-definition"), selected
            )
        of_moment = _of_moment(definition.extensions.get("strawberry-definition"))
        self._moment_fields += of_moment
        return Field(read, self.plan(definition.type, selected), of_moment, owner)

    def _schema_reader(self, definition: graphql.GraphQLField, node: graphql.FieldNode) -> Reader:
        """Return a reader for an introspection field: graphql-core's resolver."""
        resolve: Any = definition.resolve
        info, arguments = SimpleNamespace(schema=self._schema), self._arguments(definition, node)
        if not graphql.is_list_type(graphql.get_nullable_type(definition.type)):
            return lambda value: resolve(value, info, **arguments)

        def read(value: Any) -> list[Any] | None:
            resolved = resolve(value, info, **arguments)
            return None if resolved is None else [*resolved]

        return read

    def _abstract(
        self,
        type_: graphql.GraphQLInterfaceType | graphql.GraphQLUnionType,
        selected: Sequence[Any],
    ) -> Serializer:
        """Return the plan for an abstract type, by the class of a value; each must have a plan."""
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
    """Return the plan for values of the expected classes; it raises for others."""

    def serialize(values: Sequence[Any]) -> Sequence[Any]:
        if not expected(_classes(values)):
            raise NotSerializable
        return plan(values)

    return serialize


def _classes(values: Sequence[Any]) -> set[type]:
    """Return the classes of values. Most lists have one class, which is checked in less than half of the
    time."""
    classes = [*map(type, values)]
    if classes and classes.count(classes[0]) == len(classes):
        return {classes[0]}
    return {*classes}


def _nullable(plan: Serializer) -> Serializer:
    """Return the plan for values that may be null."""

    def serialize(values: Sequence[Any]) -> Sequence[Any]:
        present = [value for value in values if value is not None]
        parts = plan(present) if present else []
        if len(present) == len(values):
            return parts
        following = iter(parts)
        return [None if value is None else next(following) for value in values]

    return serialize


def _list(item: Serializer) -> Serializer:
    """Return the plan for lists, whose items are serialized together."""

    def serialize(values: Sequence[Any]) -> Sequence[Any]:
        parts = iter(item([*chain.from_iterable(values)]))
        return [[*islice(parts, len(value))] for value in values]

    return _of_classes(lambda kinds: kinds <= {list, tuple}, serialize)


def _scalar(type_: graphql.GraphQLScalarType) -> Serializer:
    coerce, converters = type_.coerce_output_value, _converters(type_)
    unconverted = {kind for kind, convert in converters.items() if convert is None}

    def complete(value: Any) -> Any:
        if type(value) in converters:
            convert = converters[type(value)]
            return convert(value) if convert else value
        if value is None or isinstance(value, Exception):
            raise NotSerializable
        coerced = coerce(value)
        if coerced is None or coerced is graphql.Undefined:
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


def _converters(scalar: graphql.GraphQLScalarType) -> Converters:
    """Return the converters of a type; none for types that need checks of graphql-core."""
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
    """Return whether the text of instances of a class is the text itself."""
    return not issubclass(kind, Enum) and kind.__str__ is str.__str__


def _enum(type_: graphql.GraphQLEnumType) -> Serializer:
    members = getattr(type_, "wrapped_cls", [value.value for value in type_.values.values()])
    names = {member: type_.coerce_output_value(member) for member in members}
    return lambda values: [names[value] for value in values]


def _class_of(type_: graphql.GraphQLObjectType) -> type:
    """Return the class whose instances are of a type. Raises NotSerializable if there may be several."""
    definition = type_.extensions.get("strawberry-definition")
    if definition is None or definition.is_type_of or definition.concrete_of:
        raise NotSerializable
    kind: type = definition.origin
    return kind


def _of_fields(fields: Mapping[str, Field]) -> Serializer:
    """Return the plan for objects of these fields."""

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
    """Return the plan with a cache for the content of an object, which many responses and moments share.

    Its own fields that depend on the moment are inserted each time. With such fields at a deeper level,
    nothing is shared with other moments.

    An object caches the result of the last plan only: documents are many, objects more.
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
    type_: graphql.GraphQLObjectType, field: StrawberryField | None, selected: Sequence[Any]
) -> tuple[str, Reader]:
    """Return the reader of a field, and the attribute of the object with its value, if there is one.

    The reader is an attribute, or a synchronous method without arguments. Raises NotSerializable for other
    fields.
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
