"""What is refused before anything of an operation is read or executed: mutations of those who may
not write, and lists that are too long.

Reading the values of a request takes time on the one thread that all clients share.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from graphql import FieldNode, GraphQLError, VariableNode

from schema.root.batch import MAX_COMMANDS, command_count_error
from tracker.auth.scopes import Caller, Scope
from tracker.errors import TooLarge, TrackerError

MAX_LIST_ITEMS = 1000
"""How many items a list in a variable may have."""
SCOPES = {"redactEvent": Scope.ADMIN}
"""What mutations need; all others need to record."""
BATCHES = {"record": "commands"}
"""The mutations that carry out many commands, with the argument that has them."""


def may_not_write(fields: Iterable[FieldNode], caller: Caller) -> list[GraphQLError]:
    """The error of the first field of a mutation that a caller may not ask for."""
    for field in fields:
        if field.name.value.startswith("__"):
            continue
        try:
            caller.require(SCOPES.get(field.name.value, Scope.RECORD))
        except TrackerError as error:
            return [_at(field, error)]
    return []


def too_many_commands(
    fields: Iterable[FieldNode], variables: Mapping[str, Any]
) -> list[GraphQLError]:
    """The error of the first field of a mutation whose variable has too many commands."""
    for field in fields:
        batch = BATCHES.get(field.name.value)
        for argument in field.arguments or ():
            if argument.name.value == batch and isinstance(argument.value, VariableNode):
                commands = variables.get(argument.value.name.value)
                if isinstance(commands, list) and len(commands) > MAX_COMMANDS:
                    return [_at(field, command_count_error())]
    return []


def too_long_lists(variables: Mapping[str, Any]) -> list[GraphQLError]:
    """The error of the first variable that is too long a list."""
    for name, value in variables.items():
        if isinstance(value, list) and len(value) > MAX_LIST_ITEMS:
            error = TooLarge(
                f"expected at most {MAX_LIST_ITEMS} items, got {len(value)}", path=(name,)
            )
            return [GraphQLError(error.message, original_error=error)]
    return []


def _at(field: FieldNode, error: TrackerError) -> GraphQLError:
    """An error as the field would have it, were it executed."""
    key = (field.alias or field.name).value
    return GraphQLError(error.message, nodes=[field], path=[key], original_error=error)
