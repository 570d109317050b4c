"""Docstrings as descriptions: what is written for readers of the code, clients read too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, TypeVar, cast

import strawberry
from strawberry.types.lazy_type import LazyType
from typing_extensions import dataclass_transform

LAZY_FIELDS = "_later"
"""The attribute of an object with the functions that compute its lazy fields."""
PATHS = "_paths"
"""The attribute of a type with the paths at which its objects have the values of fields."""
MADE = "_made"
"""The attribute of a type with the functions that make the values of fields of its objects."""
CONTENT = "_content"
"""The attribute of an object at a moment with the object that it is a copy of; None of others."""
RENDERED = "_rendered"
"""The attribute with what the last document made of an object: the number of its plan, and the part of
the answer."""
WITHOUT_ARGUMENTS = "without_arguments"
"""In the metadata of a field: the method that answers it where it is asked without arguments."""
OF_MOMENT = "of_moment"
"""In the metadata of a field: it follows from the moment of its object. Another field that needs
nothing of the request has to follow from the content of the object alone."""

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


@dataclass_transform(kw_only_default=True, field_specifiers=(strawberry.field,))
def object_type(kind: type[T]) -> type[T]:
    """An output type, described by its docstring."""
    return _with_lazy_fields(strawberry.type(kind, description=description_of(kind)))


@dataclass_transform(kw_only_default=True, field_specifiers=(strawberry.field,))
def interface_type(kind: type[T]) -> type[T]:
    """An interface, described by its docstring."""
    return _with_lazy_fields(strawberry.interface(kind, description=description_of(kind)))


def read_from(
    paths: Mapping[str, str], made: Mapping[str, Callable[[Any], Any]]
) -> Callable[[type[T]], type[T]]:
    """A decorator of an output type of which an answer has many objects: the values of its fields
    are read at paths below what an object keeps, or made of the object, when they are asked for.
    """

    def decorate(kind: type[T]) -> type[T]:
        setattr(kind, PATHS, paths)
        setattr(kind, MADE, {**made, **{name: attrgetter(path) for name, path in paths.items()}})
        return kind

    return decorate


def lazy_object(kind: type[T], later: Mapping[str, Callable[[], Any]], **values: Any) -> T:
    """An object of an output type of which the fields in `later` are computed when they are read."""
    self = kind.__new__(kind)
    self.__dict__.update(values)
    self.__dict__[LAZY_FIELDS] = later
    return self


def _with_lazy_fields(kind: type[T]) -> type[T]:
    """The same, with fields that are made when they are asked for (see `lazy_object`, `read_from`)."""

    def made(self: Any, name: str) -> Any:
        own = self.__dict__.get(LAZY_FIELDS)
        if own and name in own:
            value = own[name]()
        elif name in (of_type := getattr(type(self), MADE, {})):
            content = self.__dict__.get(CONTENT)  # it keeps what is made, for all moments
            value = of_type[name](self) if content is None else getattr(content, name)
        else:
            raise AttributeError(f"{type(self).__name__} has no {name}")
        self.__dict__[name] = value
        return value

    kind.__getattr__ = made  # type: ignore[attr-defined]
    setattr(kind, CONTENT, None)
    setattr(kind, RENDERED, (None, None))
    return kind


def resolver_field(method: F) -> F:
    """A field that a method answers, described by its docstring."""
    return cast(F, strawberry.field(resolver=method, description=description_of(method)))


def moment_field(method: F) -> F:
    """A field that a method answers from the moment of its object, described by its docstring."""
    return cast(
        F,
        strawberry.field(
            resolver=method, description=description_of(method), metadata={OF_MOMENT: True}
        ),
    )


def resolver_field_without_arguments(method_name: str) -> Callable[[F], F]:
    """A field that a method answers; without arguments, that other method of the object would, which
    needs nothing and waits for nothing."""

    def described(method: F) -> F:
        return cast(
            F,
            strawberry.field(
                resolver=method,
                description=description_of(method),
                metadata={WITHOUT_ARGUMENTS: method_name},
            ),
        )

    return described


def named_resolver_field(name: str) -> Callable[[F], F]:
    """The same, under a name that a method can't have."""

    def named(method: F) -> F:
        return cast(
            F, strawberry.field(resolver=method, name=name, description=description_of(method))
        )

    return named


def linked_field(module: str, type_name: str) -> Callable[[F], F]:
    """Return a decorator of a method that answers a field of a type whose module imports this one."""
    kind = LazyType(type_name, module) | None

    def linked(method: F) -> F:
        described = description_of(method)
        return cast(F, strawberry.field(resolver=method, graphql_type=kind, description=described))

    return linked


def subscription_field(method: F) -> F:
    """A subscription that a method answers, described by its docstring."""
    return cast(F, strawberry.subscription(resolver=method, description=description_of(method)))


def description_of(item: Any) -> str:
    """The docstring in one paragraph."""
    return " ".join(str(item.__doc__).split())
