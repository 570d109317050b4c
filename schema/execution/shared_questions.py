"""Detection of subscriptions with the same responses for several clients."""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson
from graphql import FieldNode, OperationType, VariableNode, get_argument_values
from graphql.execution.values import VariableValues, get_variable_values

from schema.execution.admission import AdmittedOperation, NotAdmitted, OperationRequest, admit
from schema.execution.schema import SCHEMA
from schema.inputs.arguments import parse_day, parse_token
from tracker.errors import InvalidInput
from tracker.log.resume_token import ResumeToken

EVENTS, STATES = "events", "worldChanged"


@dataclass(frozen=True, slots=True)
class SharedQuery:
    """A subscription with the same responses for all clients with the same query and rights."""

    key: Hashable
    """Key of their shared parts: everything except the resume token."""
    field: str
    """Field of `Subscription`."""
    after: ResumeToken | None = None
    """Resume token after which events are sent; None: new events only."""
    valid_at: date | None = None
    """Date of states; None: the present day."""


async def shared_query(request: OperationRequest) -> SharedQuery | None:
    """Return the shared part of a request.

    None if it is no subscription, if it has errors, or if its responses may be specific to the client: it
    is then executed separately.
    """
    try:
        admitted = await admit(SCHEMA._schema, request)
        field = _only_field(admitted)
        arguments = _arguments(admitted, field, request) if field else None
        if field is None or arguments is None:
            return None
        after = parse_token(arguments.get("after"), "after")
        valid_at = parse_day(arguments.get("valid_at"), "validAt")
    except (NotAdmitted, InvalidInput, orjson.JSONEncodeError):
        return None
    if request.context.last_seen is not None:
        after = request.context.last_seen  # a client that reconnects sends the same query
    name = field.name.value
    return SharedQuery(_key(request, field), name, after, valid_at)


def _only_field(admitted: AdmittedOperation) -> FieldNode | None:
    """Return the root field of a subscription without directives."""
    operation = admitted.operation
    if operation.operation is not OperationType.SUBSCRIPTION:
        return None
    if len(operation.selection_set.selections) != 1 or operation.directives:
        return None
    [field] = operation.selection_set.selections
    if not isinstance(field, FieldNode) or field.directives:
        return None
    return field if field.name.value in (EVENTS, STATES) else None


def _arguments(
    admitted: AdmittedOperation, field: FieldNode, request: OperationRequest
) -> dict[str, Any] | None:
    """Return the arguments of the field; None for invalid variables."""
    schema = SCHEMA._schema
    assert schema.subscription_type is not None
    variables = get_variable_values(
        schema, admitted.operation.variable_definitions or (), dict(request.variables)
    )
    if not isinstance(variables, VariableValues):
        return None
    definition = schema.subscription_type.fields[field.name.value]
    return get_argument_values(definition, field, variables)


def _key(request: OperationRequest, field: FieldNode) -> Hashable:
    variables = dict(request.variables)
    for argument in field.arguments or ():
        value = argument.value
        if argument.name.value == "after" and isinstance(value, VariableNode):
            name = value.name.value
            if (
                len(re.findall(rf"\${name}\b", request.text or "")) == 2
            ):  # the variable is defined and used here
                variables.pop(name, None)
    return (
        request.text,
        request.operation_name,
        orjson.dumps(variables, option=orjson.OPT_SORT_KEYS).decode(),  # the bytes would hold 4 KB
        request.context.caller.scopes,
    )
