"""Calls: what fields are asked with, found out once for a document.

A field whose arguments all stand in the document has the same ones whenever the document is
executed. graphql-core and Strawberry would read them again each time, those that are not given
included; what they make of them is kept. With variables they are those of one request: kept for its
moments.
"""

from __future__ import annotations

from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from typing import Any

import strawberry
from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLObjectType,
    ListValueNode,
    ObjectValueNode,
    ValueNode,
    VariableNode,
)
from graphql.execution.values import get_argument_values
from strawberry.types.arguments import convert_arguments
from strawberry.types.field import StrawberryField


@dataclass(frozen=True, slots=True)
class FieldCall:
    """A field whose answer is waited for, with its arguments."""

    definition: GraphQLField
    field: StrawberryField
    informed: bool
    """Whether its method wants to know of the request."""
    arguments: dict[str, Any]

    def answer(self, source: Any, info: Any) -> Coroutine[Any, Any, Any]:
        """What is to be waited for."""
        resolver: Any = self.field.base_resolver  # what its method gives is known at run time only
        if self.informed:
            request_info = strawberry.Info(_raw_info=info, _field=self.field)
            return resolver.wrapped_func(source, info=request_info, **self.arguments)  # type: ignore[no-any-return]
        return resolver.wrapped_func(source, **self.arguments)  # type: ignore[no-any-return]


def plan_call(
    schema: Any, parent: GraphQLObjectType, node: FieldNode, variables: Any
) -> FieldCall | None:
    """The call of a field; None where it waits for nothing, or is no plain method.

    Raises what is wrong with the arguments.
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
    """Whether a field is a method that is waited for and needs itself, the request and arguments."""
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


def has_variables(node: FieldNode) -> bool:
    """Whether the arguments of a field are more than what stands in the document."""
    return any(_is_variable(argument.value) for argument in node.arguments or ())


def _is_variable(value: ValueNode) -> bool:
    return isinstance(value, VariableNode) or any(map(_is_variable, _parts(value)))


def _parts(value: ValueNode) -> Iterator[ValueNode]:
    if isinstance(value, ListValueNode):
        yield from value.values
    elif isinstance(value, ObjectValueNode):
        yield from (field.value for field in value.fields)
