"""Output types, derived from the structs of their objects, like input types.

`@output_type()` gives a class with `of: strawberry.Private[FirmState]` the fields of `FirmState`. A value is
read from this attribute, and converted, when a query needs it. `@output_type(state=FirmState)` reads from
the attribute `state`.

- The type of a field follows from its type in the struct (`shown_type`), its description from
`schema.base.descriptions`.

- A `struct_field` is a field or property of the struct with another type, name or description.

- A `made_field` is computed by a method, once for an object; a `resolver_field` for each request.

- A struct without an output type of its own gets one with all its fields where it is needed.
"""

import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from itertools import chain
from operator import attrgetter
from types import NoneType, SimpleNamespace, UnionType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import msgspec
import strawberry
from strawberry.types.field import StrawberryField
from typing_extensions import dataclass_transform

import schema.base.enums  # noqa: F401 - enums are known before output types are made of them
from schema.base.decorators import (
    MADE,
    PATHS,
    description_of,
    interface_type,
    is_hidden,
    object_type,
)
from schema.base.descriptions import describe, docstring_of
from schema.base.scalars import Day, Instant
from tracker.domain.basics.values import PartialDate

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])
Convert = Callable[[Any, Any], Any]
"""A function that converts a value for display, given the object that has it."""

SHOWN_AS: dict[Any, Any] = {date: Day, datetime: Instant}
"""GraphQL types of classes whose values are shown as something else."""
CONVERTERS: dict[Any, Convert] = {}
"""Conversions of the values of structs, by output type."""
MAKER = "maker"
"""Metadata of a field: the method that computes its value; None: it is read from a struct."""
PATH = "path"
"""Metadata of a field: the fields of the struct that lead to its value."""


def shows(kind: Any, *, given: str = "") -> Callable[[F], F]:
    """Register the function that converts values of a class to the output type that it returns.

    `given` are further attributes of the object with the value, which are passed too.
    """

    def register(convert: F) -> F:
        shown, names = get_type_hints(convert)["return"], given.split()
        SHOWN_AS[kind] = shown
        CONVERTERS[shown] = lambda of, owner: convert(of, *(getattr(owner, name) for name in names))
        return convert

    return register


def made_field(method: Callable[[Any], T]) -> T:
    """Return a field that a method computes once for an object, described by its docstring."""
    described = description_of(method)
    return cast(T, strawberry.field(description=described, metadata={MAKER: method}))


def struct_field(
    path: str = "",
    *,
    description: str | None = None,
    name: str | None = None,
    init: Literal[False] = False,
) -> Any:
    """Return a field whose value is read from a struct, with its own type, name or description.

    `path` is the field of the struct, or fields with dots, if it has another name there. Without a
    description it has that of the struct. `init` tells type checkers that objects are made without it.
    """
    return strawberry.field(description=description, name=name, metadata={MAKER: None, PATH: path})


@dataclass_transform(kw_only_default=True, field_specifiers=(strawberry.field, struct_field))
def output_type(
    *,
    first: str = "",
    hidden: str = "",
    described_by: Iterable[type] = (),
    only_spelled: bool = False,
    interface: bool = False,
    **structs: type,
) -> Callable[[type[T]], type[T]]:
    """Return a decorator of output types. Each keyword is an attribute of its objects, with a struct; without
    any it is `of`.

    Fields are in the order of `first`, then in that of the class and its structs. `hidden` fields of
    structs are left out, or with `only_spelled` all fields that neither `first` nor the class names.
    `described_by` has the facts that describe fields without a docstring in the struct. A nested object
    gets its other private attributes from the outer one.
    """

    def decorate(kind: type[T]) -> type[T]:
        private = _private_attributes(kind)
        read_from = structs or {"of": get_args(private["of"])[0]}
        type_ = _Type(kind, read_from, described_by)
        names = dict.fromkeys([*first.split(), *type_.annotations])
        if not only_spelled:
            names |= dict.fromkeys(type_.names_of_structs({*hidden.split()}))
        kind.__annotations__ = {name: type_.add(name) for name in names}
        shown = interface_type(kind) if interface else object_type(kind)
        setattr(shown, PATHS, type_.paths)
        setattr(shown, MADE, type_.made)
        if [*read_from] == ["of"]:
            given = [*filter("of".__ne__, private)]
            SHOWN_AS.setdefault(read_from["of"], shown)
            CONVERTERS[shown] = lambda of, owner: cast(Any, shown)(
                of=of, **{name: getattr(owner, name) for name in given}
            )
        return shown

    return decorate


def _private_attributes(kind: type) -> dict[str, Any]:
    """Return the types of the attributes of a class that GraphQL does not show."""
    private = {
        name: hint for name, hint in inspect.get_annotations(kind).items() if is_hidden(hint)
    }
    holder = SimpleNamespace(__annotations__=private)
    return get_type_hints(holder, vars(sys.modules[kind.__module__]), include_extras=True)


class _Type:
    """An output type under construction, with the sources of the values of its fields."""

    def __init__(self, kind: type, structs: Mapping[str, type], described_by: Iterable[type]):
        self._kind, self._structs, self._facts = kind, structs, described_by
        self.paths: dict[str, str] = {**getattr(kind, PATHS, {})}
        self.made: dict[str, Callable[[Any], Any]] = {**getattr(kind, MADE, {})}
        self.annotations: dict[str, Any] = {**inspect.get_annotations(kind)}
        for name, field in vars(kind).items():
            if isinstance(field, StrawberryField) and (maker := field.metadata.get(MAKER)):
                self.made[name] = maker
                self.annotations[name] = maker.__annotations__["return"]

    def names_of_structs(self, hidden: set[str]) -> Iterator[str]:
        """Iterate over the names of the fields of structs, without hidden fields and fields of the
        class."""
        bases = (
            getattr(base, "__strawberry_definition__", None) for base in self._kind.__mro__[1:]
        )
        inherited = {field.python_name for of in bases if of for field in of.fields}
        for name in chain.from_iterable(map(_field_names, self._structs.values())):
            if name not in hidden | inherited | vars(self._kind).keys():
                yield name

    def add(self, name: str) -> Any:
        """Add a field, and return its annotation."""
        field = vars(self._kind).get(name)
        if field is None and name not in self.annotations:
            field = struct_field()
            setattr(self._kind, name, field)
        if isinstance(field, StrawberryField) and MAKER in field.metadata:
            field.init = field.repr = field.compare = False
            path = field.metadata.get(PATH) or name
            if field.metadata[MAKER] is None and (attribute := self._attribute_with(path)):
                self._read(name, attribute, path, field)
            if name not in self.made:
                raise LookupError(f"{self._kind.__name__} has no struct with a field {path}")
        return self.annotations[name]

    def _attribute_with(self, path: str) -> str | None:
        """Return the attribute whose struct has a field or property; None for an inherited field."""
        name = path.partition(".")[0]
        for attribute, struct in self._structs.items():
            if name in _field_names(struct) or isinstance(getattr(struct, name, None), property):
                return attribute
        return None

    def _read(self, name: str, attribute: str, path: str, field: StrawberryField) -> None:
        """Define a field that is read from the struct in an attribute."""
        struct = self._structs[attribute]
        if not (field.description or docstring_of(self._kind, name)):
            field.description = describe(path, struct, *self._facts)
        if name not in self.annotations:
            self.annotations[name] = shown_type(_type_in(struct, name))
        holder = SimpleNamespace(__annotations__={name: self.annotations[name]})
        shown = get_type_hints(holder, vars(sys.modules[self._kind.__module__]))[name]
        convert, read = _conversion(shown), attrgetter(f"{attribute}.{path}")
        if convert is None:
            self.paths[name], self.made[name] = f"{attribute}.{path}", read
        else:
            self.made[name] = lambda of: convert(read(of), of)


def _field_names(struct: Any) -> Iterable[str]:
    if is_dataclass(struct):
        return [field.name for field in fields(struct)]
    names: tuple[str, ...] = getattr(struct, "__struct_fields__", None) or struct._fields
    return names


def _type_in(struct: type, name: str) -> Any:
    """Return the type of a field or property of a struct."""
    member = getattr(struct, name, None)
    if isinstance(member, property):
        return get_type_hints(member.fget)["return"]
    return _hints(struct)[name]


@cache
def _hints(struct: type) -> dict[str, Any]:
    return get_type_hints(struct)


def shown_type(hint: Any) -> Any:
    """Return the GraphQL type of values of a type."""
    arguments = get_args(hint)
    if get_origin(hint) in (Union, UnionType):
        return Union[tuple(of if of is NoneType else shown_type(of) for of in arguments)]  # noqa: UP007 - made from a tuple
    if get_origin(hint) in (tuple, list):
        return list[shown_type(arguments[0])]  # type: ignore[misc]  # known at run time only
    if hint in SHOWN_AS:
        return SHOWN_AS[hint]
    if issubclass(hint, msgspec.Struct):
        about = str(hint.__doc__).split("\n\n")[0]
        own = type(hint.__name__, (), {"__doc__": about, "__module__": __name__})
        own.__annotations__ = {"of": strawberry.Private[hint]}  # type: ignore[misc]  # likewise
        return output_type()(own)
    return hint if issubclass(hint, Enum | PartialDate | Decimal | bool | int | float) else str


def _conversion(shown: Any) -> Convert | None:
    """Return the conversion of values of a type; None for values that are shown unchanged."""
    arguments = get_args(shown)
    if get_origin(shown) in (Union, UnionType):
        [convert] = {_conversion(of) for of in arguments if of is not NoneType}
        return convert and (lambda of, owner: None if of is None else convert(of, owner))
    if get_origin(shown) is list:
        item = _conversion(arguments[0])
        return item and (lambda of, owner: [item(each, owner) for each in of])
    return CONVERTERS.get(shown)
