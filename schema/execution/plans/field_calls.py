"""Field calls: resolver arguments, prepared once for a document.

A field whose arguments are all literals has the same ones on every execution. graphql-core and Strawberry
would convert them again each time, with all defaults; here they are cached. Arguments with variables are
cached for the moments of one request.
"""

from collections.abc import Coroutine, Iterator
from typing import Any

import graphql
import strawberry
from graphql.execution.values import get_argument_values
from msgspec import Struct
from strawberry.types.arguments import convert_arguments
from strawberry.types.field import StrawberryField


class FieldCall(Struct, frozen=True):
    """An asynchronous field with its arguments."""

    definition: graphql.GraphQLField
    field: StrawberryField
    informed: bool
    """Whether its method takes the request (`info`)."""
    arguments: dict[str, Any]

    def answer(self, source: Any, info: Any) -> Coroutine[Any, Any, Any]:
        """Return the awaitable of the field."""
        resolver: Any = (
            self.field.base_resolver
        )  # the return type of the method is known at run time only
        if self.informed:
            request_info = strawberry.Info(_raw_info=info, _field=self.field)
            return resolver.wrapped_func(source, info=request_info, **self.arguments)  # type: ignore[no-any-return]
        return resolver.wrapped_func(source, **self.arguments)  # type: ignore[no-any-return]


def plan_call(
    schema: Any, parent: graphql.GraphQLObjectType, node: graphql.FieldNode, variables: Any
) -> FieldCall | None:
    """Return the call of a field; None if it is synchronous, or no plain method.

    Raises the errors of its arguments.
    """
    definition = parent.fields.get(node.name.value)
    field = definition and definition.extensions.get("strawberry-definition")
    if definition is None or not _plain(field):
        return None
    served = schema._strawberry_schema
    return FieldCall(
        definition,
        field,
        field.base_resolver.info_parameter is not None,
        convert_arguments(
            get_argument_values(definition, node, variables),
            field.arguments,
            served.schema_converter.scalar_registry,
            served.config,
        ),
    )


def _plain(field: StrawberryField | None) -> bool:
    """Return whether a field is an asynchronous method with no parameters but the request and arguments."""
    resolver = field and field.base_resolver
    return bool(
        field
        and resolver
        and not field.extensions
        and resolver.is_async
        and resolver.self_parameter
        and not resolver.parent_parameter
        and (resolver.info_parameter is None or resolver.info_parameter.name == "info")
    )


def has_variables(node: graphql.FieldNode) -> bool:
    """Return whether the arguments of a field contain variables."""
    return any(_is_variable(argument.value) for argument in node.arguments or ())


def _is_variable(value: graphql.ValueNode) -> bool:
    return isinstance(value, graphql.VariableNode) or any(map(_is_variable, _parts(value)))


def _parts(value: graphql.ValueNode) -> Iterator[graphql.ValueNode]:
    if isinstance(value, graphql.ListValueNode):
        yield from value.values
    elif isinstance(value, graphql.ObjectValueNode):
        yield from (field.value for field in value.fields)
