"""Decorators of output types and fields, with docstrings as GraphQL descriptions."""

import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING
from inspect import Parameter, get_annotations, signature
from operator import attrgetter
from typing import Annotated, Any, TypeVar, cast, get_args

import strawberry
from strawberry import argument
from strawberry.types.field import StrawberryField
from strawberry.types.lazy_type import LazyType
from strawberry.types.private import is_private
from typing_extensions import dataclass_transform

from schema.base.argument_group import spread
from schema.base.descriptions import docstring_of

LAZY_FIELDS = "_later"
"""Attribute of an object with the functions that compute its lazy fields."""
PATHS = "_paths"
"""Attribute of a type with the paths to the values of its fields."""
MADE = "_made"
"""Attribute of a type with the functions that compute the values of its fields."""
CONTENT = "_content"
"""Attribute of an object at a moment with the object that it copies; None for other objects."""
RENDERED = "_rendered"
"""Attribute with the serialized form in the last document: the number of its plan, and the text."""
WITHOUT_ARGUMENTS = "without_arguments"
"""Metadata of a field: the method that resolves it without arguments."""
OF_MOMENT = "of_moment"
"""Metadata of a field: it depends on the moment of its object. Other fields without a request depend on the
content of the object only."""

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


@dataclass_transform(kw_only_default=True, field_specifiers=(strawberry.field,))
def object_type(kind: type[T]) -> type[T]:
    """Return an output type, described by its docstring."""
    _describe_fields(kind)
    return _with_lazy_fields(strawberry.type(kind, description=description_of(kind)))


@dataclass_transform(kw_only_default=True, field_specifiers=(strawberry.field,))
def interface_type(kind: type[T]) -> type[T]:
    """Return an interface, described by its docstring."""
    _describe_fields(kind)
    return _with_lazy_fields(strawberry.interface(kind, description=description_of(kind)))


@dataclass_transform(kw_only_default=True, field_specifiers=(strawberry.field,))
def input_object(kind: type[T]) -> type[T]:
    """Return an input type, described by its docstring."""
    _describe_fields(kind)
    return strawberry.input(kind, description=description_of(kind))


def is_hidden(hint: Any) -> bool:
    """Return whether GraphQL does not show attributes with a type hint."""
    return hint.startswith("strawberry.Private") if isinstance(hint, str) else is_private(hint)


def _describe_fields(kind: type) -> None:
    """Describe the fields of a type by their docstrings."""
    for name, hint in get_annotations(kind).items():
        field, described = vars(kind).get(name, MISSING), docstring_of(kind, name)
        if isinstance(field, StrawberryField):
            field.description = field.description or described
        elif described and not is_hidden(hint) and "ClassVar" not in str(hint):
            setattr(kind, name, strawberry.field(default=field, description=described))


def read_from(
    paths: Mapping[str, str], made: Mapping[str, Callable[[Any], Any]]
) -> Callable[[type[T]], type[T]]:
    """Return a decorator for an output type with many objects in a response.

    The values of its fields are read on access: at paths below an attribute, or computed from the object.
    """

    def decorate(kind: type[T]) -> type[T]:
        setattr(kind, PATHS, paths)
        setattr(kind, MADE, {**made, **{name: attrgetter(path) for name, path in paths.items()}})
        return kind

    return decorate


def lazy_object(kind: type[T], later: Mapping[str, Callable[[], Any]], **values: Any) -> T:
    """Return an object of an output type whose fields in `later` are computed on access."""
    self = kind.__new__(kind)
    self.__dict__.update(values)
    self.__dict__[LAZY_FIELDS] = later
    return self


def _with_lazy_fields(kind: type[T]) -> type[T]:
    """Return the type with fields that are computed on access (see `lazy_object`, `read_from`)."""

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


def resolver_field(method: F, **options: Any) -> F:
    """Return a field that a method resolves, described by its docstring."""
    resolver, description = _described(method)
    return cast(F, strawberry.field(resolver=resolver, description=description, **options))


def moment_field(method: F) -> F:
    """Return a field that a method resolves from the moment of its object, described by its docstring."""
    return resolver_field(method, metadata={OF_MOMENT: True})


def resolver_field_without_arguments(method_name: str) -> Callable[[F], F]:
    """Return a decorator for a resolver method with a shortcut for calls without arguments.

    The shortcut is another method of the object, which needs no request and does not wait.
    """
    return lambda method: resolver_field(method, metadata={WITHOUT_ARGUMENTS: method_name})


def named_resolver_field(name: str) -> Callable[[F], F]:
    """Return a decorator for a resolver field with a name that a method cannot have."""
    return lambda method: resolver_field(method, name=name)


def linked_field(module: str, type_name: str) -> Callable[[F], F]:
    """Return a decorator for a resolver method whose type is in a module that imports this one."""
    kind = LazyType(type_name, module) | None
    return lambda method: resolver_field(method, graphql_type=kind)


def subscription_field(method: F) -> F:
    """Return a subscription that a method resolves, described by its docstring."""
    resolver, description = _described(method)
    return cast(F, strawberry.subscription(resolver=resolver, description=description))


def _described(method: Callable[..., Any]) -> tuple[Callable[..., Any], str]:
    """Return the resolver of a method, and the description of its field.

    A list `- name: text` at the end of the docstring has the descriptions of arguments, and so has a text in
    `Annotated`.
    """
    about, *listed = re.split(r"^ *- (?=\w+: )", str(method.__doc__), flags=re.MULTILINE)
    texts = dict(" ".join(each.split()).split(": ", 1) for each in listed)
    resolver = spread(method)
    hints = getattr(resolver, "__annotations__", {}).values()
    if texts or hasattr(resolver, "__signature__") or any(map(_text_of, hints)):
        before = signature(resolver)
        for name, parameter in before.parameters.items():
            if text := _text_of(parameter.annotation):
                texts[name] = text
        after = {name: _with_text(before.parameters[name], text) for name, text in texts.items()}
        parameters = [*{**before.parameters, **after}.values()]
        resolver.__signature__ = before.replace(parameters=parameters)  # type: ignore[attr-defined]
    return resolver, " ".join(about.split())


def _with_text(parameter: Parameter, text: str) -> Parameter:
    kind, described = parameter.annotation, argument(description=text)
    kind = get_args(kind)[0] if _text_of(kind) else kind
    return parameter.replace(annotation=Annotated[kind, described])


def _text_of(hint: Any) -> str | None:
    """Return the text of a hint `Annotated[kind, text]`."""
    texts = (one for one in getattr(hint, "__metadata__", ()) if isinstance(one, str))
    return next(texts, None)


def description_of(item: Any) -> str:
    """Return the docstring in one paragraph."""
    return " ".join(str(item.__doc__).split())
