"""Admission of operations: all limits are checked here, before execution.

Reading the values of a request blocks the thread that all clients share. So commands without the right to
write, and lists that are too long, are refused before they are read.
"""

from collections.abc import Collection, Iterable, Mapping
from functools import partial
from typing import Any

import graphql
from msgspec import Struct

from schema.base.context import Context
from schema.base.errors import error_with_code
from schema.execution.document_cost import cost_errors
from schema.execution.documents import ParsedDocument, in_thread, parsed_document, turn
from schema.execution.fixed_moments import root_fields
from schema.root.batch import MAX_COMMANDS, command_count_error
from schema.root.endpoints import ENDPOINT_MUTATIONS
from schema.root.review import REVIEW_MUTATIONS
from schema.root.scenarios import SCENARIO_MUTATIONS
from schema.services import Services
from schema.telemetry.operation import MAX_NAME_CHARACTERS, current_operation
from tracker.auth.scopes import Caller, Scope
from tracker.errors import ReadOnly, TooLarge, TrackerError

MAX_BODY_BYTES = 16 * 1024 * 1024
"""Maximum size of the body of a request, or of a message over a WebSocket."""
MAX_READER_BODY_BYTES = 512 * 1024
"""Maximum size for callers without the right to write. Queries are short, and parsing JSON delays
others."""
MAX_TOKENS_ON_LOOP = 300
"""Maximum size of a cached document whose cost is computed in the event loop."""
MAX_LIST_ITEMS = 1000
"""Maximum number of items of a list in a variable."""
SCOPES = (
    dict.fromkeys(("redactEvent", "redactSnapshot"), Scope.ADMIN)
    | dict.fromkeys(ENDPOINT_MUTATIONS, Scope.ENDPOINT)
    | dict.fromkeys(REVIEW_MUTATIONS, Scope.REVIEW)
    | dict.fromkeys(SCENARIO_MUTATIONS, Scope.SCENARIO)
)
"""Required scopes of mutations; all others need the scope for recording."""
DRY_RUNS = frozenset({"preview"})
"""Queries with commands; the caller needs the same scope as for mutations."""
BATCHES = {"record": "commands", "preview": "commands"}
"""Fields with many commands, with the name of that argument."""
NOT_ALLOWED = {
    graphql.OperationType.QUERY: "queries are not supported here",
    graphql.OperationType.MUTATION: "mutations need POST",
    graphql.OperationType.SUBSCRIPTION: (
        "subscriptions need a WebSocket (graphql-transport-ws), or with Accept"
        " text/event-stream or multipart/mixed;subscriptionSpec=1.0"
    ),
}
"""Messages for operations over an unsupported transport."""


class NotAdmitted(Exception):
    """A refused operation, with its errors."""

    def __init__(self, *errors: graphql.GraphQLError):
        super().__init__(*errors)
        self.errors = list(errors)


class OperationRequest(Struct, frozen=True):
    """The request to execute an operation."""

    text: str | None
    """Text of the document."""
    variables: Mapping[str, Any]
    operation_name: str | None
    context: Context
    allowed: Collection[str]
    """Types of operations that this transport supports."""


class AdmittedOperation(Struct, frozen=True):
    """An admitted operation with its document: as given, and without `@defer`."""

    document: graphql.DocumentNode
    whole: graphql.DocumentNode
    operation: graphql.OperationDefinitionNode


async def admit(schema: graphql.GraphQLSchema, request: OperationRequest) -> AdmittedOperation:
    """Return the operation of a request after all checks. Raises NotAdmitted."""
    if not request.text:
        raise _bad_request("expected a GraphQL document", "query")
    parsed = await parsed_document(schema, request.text, request.context.access.introspection)
    if parsed.document is None:
        raise NotAdmitted(*parsed.errors)
    operation = _operation(parsed, request.operation_name)
    current_operation().type = operation.operation.value
    current_operation().note_name(operation.name.value if operation.name else None)
    if operation.operation.value not in request.allowed:
        raise NotAdmitted(
            error_with_code("OPERATION_NOT_ALLOWED", NOT_ALLOWED[operation.operation])
        )
    admitted = AdmittedOperation(parsed.document, parsed.whole or parsed.document, operation)
    errors = parsed.errors or _errors(admitted, request)
    if not errors and parsed.has_variable_cost:
        work = partial(cost_errors, schema, parsed.document, request.variables)
        if (parsed.document.token_count or 0) <= MAX_TOKENS_ON_LOOP:
            errors = work()
        else:
            async with turn():
                errors = await in_thread(work)
    if errors:
        raise NotAdmitted(*errors)
    return admitted


def _operation(parsed: ParsedDocument, name: str | None) -> graphql.OperationDefinitionNode:
    """Return the selected operation. Raises NotAdmitted without one, or if it is ambiguous."""
    if operation := parsed.operation(name):
        return operation
    if name is not None:
        message = f"the document has not one operation of the name {name[:MAX_NAME_CHARACTERS]!r}"
    elif parsed.operations:
        message = "the document has several operations: expected the name of one"
    else:
        message = "the document has no operation"
    raise _bad_request(message, "operationName")


def _bad_request(message: str, *path: str) -> NotAdmitted:
    return NotAdmitted(error_with_code("BAD_REQUEST", message, *path))


def _errors(admitted: AdmittedOperation, request: OperationRequest) -> list[graphql.GraphQLError]:
    """Return the errors of a valid operation for this caller, apart from its cost."""
    operation, variables = admitted.operation, request.variables
    if operation.operation is not graphql.OperationType.SUBSCRIPTION:
        fields = _commands(admitted)
        if errors := (
            read_only(fields, request.context.services)
            or may_not_write(fields, request.context.caller)
            or too_many_commands(fields, variables)
        ):
            return errors
    return too_long_lists(variables)


def has_commands(admitted: AdmittedOperation) -> bool:
    """Return whether an operation executes commands, or previews them."""
    operation = admitted.operation.operation
    return operation is graphql.OperationType.MUTATION or (
        operation is graphql.OperationType.QUERY and bool(_commands(admitted))
    )


def _commands(admitted: AdmittedOperation) -> list[graphql.FieldNode]:
    """Return the fields of an operation that take commands."""
    is_mutation = admitted.operation.operation is graphql.OperationType.MUTATION
    return [
        field
        for field in root_fields(admitted.document, admitted.operation)
        if is_mutation or field.name.value in DRY_RUNS
    ]


def max_body_bytes(caller: Caller) -> int:
    """Return the maximum size of a body or message of a caller."""
    return MAX_BODY_BYTES if Scope.RECORD in caller.scopes else MAX_READER_BODY_BYTES


def may_not_write(
    fields: Iterable[graphql.FieldNode], caller: Caller
) -> list[graphql.GraphQLError]:
    """Return the error of the first field with commands that a caller may not use."""
    for field in fields:
        if field.name.value.startswith("__"):
            continue
        try:
            caller.require(SCOPES.get(field.name.value, Scope.RECORD))
        except TrackerError as error:
            return [_at(field, error)]
    return []


def too_many_commands(
    fields: Iterable[graphql.FieldNode], variables: Mapping[str, Any]
) -> list[graphql.GraphQLError]:
    """Return the error of the first field whose variable has too many commands."""
    for field in fields:
        batch = BATCHES.get(field.name.value)
        for argument in field.arguments or ():
            if argument.name.value == batch and isinstance(argument.value, graphql.VariableNode):
                commands = variables.get(argument.value.name.value)
                if isinstance(commands, list) and len(commands) > MAX_COMMANDS:
                    return [_at(field, command_count_error())]
    return []


def read_only(
    fields: Iterable[graphql.FieldNode], services: Services
) -> list[graphql.GraphQLError]:
    """Return the error of the first field with commands at a server that records nothing."""
    if not services.read_only:
        return []
    return [
        _at(field, ReadOnly(services.read_only))
        for field in fields
        if not field.name.value.startswith("__")
    ][:1]


def too_long_lists(variables: Mapping[str, Any]) -> list[graphql.GraphQLError]:
    """Return the error of the first variable that is too long a list."""
    for name, value in variables.items():
        if isinstance(value, list) and len(value) > MAX_LIST_ITEMS:
            error = TooLarge(
                f"expected at most {MAX_LIST_ITEMS} items, got {len(value)}", path=(name,)
            )
            return [graphql.GraphQLError(error.message, original_error=error)]
    return []


def _at(field: graphql.FieldNode, error: TrackerError) -> graphql.GraphQLError:
    """Return an error in the form that it has when the field is executed."""
    key = (field.alias or field.name).value
    return graphql.GraphQLError(error.message, nodes=[field], path=[key], original_error=error)
