"""Execution of one document: the same for HTTP, the command line and tests."""

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import aclosing
from typing import Any

from graphql import GraphQLError
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from schema.base.context import Context
from schema.execution.schema import SCHEMA
from schema.services import Access, Services
from schema.telemetry.operation import current_operation
from tracker.auth.scopes import Caller
from tracker.errors import (
    Forbidden,
    InvalidInput,
    ReadOnly,
    TrackerError,
    Unauthenticated,
    Unavailable,
)

QUERIES = frozenset({OperationType.QUERY})
QUERIES_AND_MUTATIONS = frozenset({OperationType.QUERY, OperationType.MUTATION})
QUERIES_AND_SUBSCRIPTIONS = frozenset({OperationType.QUERY, OperationType.SUBSCRIPTION})
ALL = frozenset(OperationType)
ERRORS: dict[str, type[TrackerError]] = {
    ReadOnly.code: ReadOnly,
    "UNAVAILABLE": Unavailable,
    "TIMEOUT": Unavailable,
    "FORBIDDEN": Forbidden,
    "UNAUTHENTICATED": Unauthenticated,
}


async def execute(
    services: Services,
    document: str,
    variables: Mapping[str, Any] | None,
    access: Access,
    *,
    caller: Caller | None = None,
    operation_name: str | None = None,
    allowed: Iterable[OperationType] = QUERIES_AND_MUTATIONS,
    scenario: str | None = None,
) -> dict[str, Any]:
    """Return the response to a query or mutation, ready for JSON: `data`, and `errors` if there are any.

    Without a caller it is executed with the rights that `access` gives to everyone. There is no `data` if
    the document could not be executed at all. With a scenario, all fields are read in it. Never raises for
    anything that a client sends. A query during which another release replaced the rows is refused: it may
    have read rows of both.
    """
    folds = services.projector.progress.folds
    changed = folds.changed
    result = await SCHEMA.execute(
        document,
        variable_values=dict(variables or {}),
        context_value=Context(services, access, caller or access.anyone(), scenario=scenario),
        operation_name=operation_name,
        allowed_operation_types=allowed,
    )
    error = folds.error if changed.is_set() else None
    if error and not result.errors and current_operation().type != "mutation":
        result.data = None
        result.errors = [GraphQLError(error.message, extensions={"code": error.code})]
    return _answer(result)


async def stream(
    context: Context,
    document: str,
    variables: Mapping[str, Any] | None = None,
    *,
    operation_name: str | None = None,
    allowed: Iterable[OperationType] = ALL,
) -> AsyncGenerator[dict[str, Any], None]:
    """Yield the responses to any operation in the form of `execute`: many for a subscription, one for
    others."""
    results = await SCHEMA.stream(
        document,
        dict(variables or {}),
        context,
        operation_name=operation_name,
        allowed_operation_types=allowed,
    )
    async with aclosing(results):
        async for result in results:
            assert isinstance(result, ExecutionResult)  # only `parts` defers
            yield _answer(result)


def parts(
    context: Context,
    document: str,
    variables: Mapping[str, Any] | None,
    operation_name: str | None,
    allowed: Iterable[OperationType],
    encode: Callable[[dict[str, Any]], bytes],
) -> AsyncGenerator[bytes, None]:
    """Yield the response to a query or mutation in parts, by `@defer`.

    The first part is like that of `execute`; later parts complete it. Each is encoded at once, because it
    may wait until its client takes it.
    """
    return SCHEMA.parts(
        document,
        dict(variables or {}),
        context,
        operation_name,
        allowed,
        lambda part: encode(_answer(part) if isinstance(part, ExecutionResult) else part),
    )


def _answer(result: ExecutionResult) -> dict[str, Any]:
    errors = [error.formatted for error in result.errors or ()]
    extensions = {"extensions": result.extensions} if result.extensions else {}
    if not errors:
        return {"data": result.data, **extensions}
    executed = result.data is not None or any("path" in error for error in errors)
    return {"errors": errors, "data": result.data, **extensions} if executed else {"errors": errors}


def refusal(error: Mapping[str, Any]) -> TrackerError:
    """Return an error of a response as an exception of this project, at the argument that it names.

    It is for routes that query on behalf of their clients.
    """
    extensions = error.get("extensions", {})
    code, path = extensions.get("code", "INTERNAL"), extensions.get("path", ())
    if code in ERRORS:
        return ERRORS[code](error["message"])
    kind = TrackerError if code == "INTERNAL" else InvalidInput
    suggestion = extensions.get("suggestion", "")
    return kind(error["message"], code=code, path=path, suggestion=suggestion)
