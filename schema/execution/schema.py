"""The GraphQL schema, put together, and how its operations are executed.

With `@defer` an answer comes in parts, executed by graphql-core in the form of the proposal for
GraphQL's specification: `pending` announces what is to come, `incremental` brings it, `completed` says
that it is all there or why not, and `hasNext` whether there are further parts.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Mapping
from contextlib import aclosing, suppress
from functools import partial
from inspect import isawaitable
from typing import Any, TypeAlias, TypeVar, cast

import graphql
from graphql import (
    ExperimentalIncrementalExecutionResults,
    GraphQLDeferDirective,
    GraphQLError,
    InitialIncrementalExecutionResult,
    SubsequentIncrementalExecutionResult,
    experimental_execute_incrementally,
)
from graphql import OperationType as Kind
from strawberry import Schema
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionResult
from strawberry.types.execution import PreExecutionError
from strawberry.types.graphql import OperationType

from schema.base.context import Context
from schema.base.errors import describe_error, strip_suggestions
from schema.base.scalars import SCALARS
from schema.execution.admission import (
    AdmittedOperation,
    NotAdmitted,
    OperationRequest,
    admit,
    has_commands,
)
from schema.execution.executor import Executor, time_limit
from schema.inputs.moment import start_report
from schema.root.mutation import Mutation
from schema.root.query import Query
from schema.root.subscription import Subscription
from schema.telemetry.operation import current_operation

T = TypeVar("T")
Part: TypeAlias = dict[str, Any]
"""A part of an answer, as it is sent."""
CorePart: TypeAlias = InitialIncrementalExecutionResult | SubsequentIncrementalExecutionResult


async def execute_in_parts(
    arguments: Mapping[str, Any],
) -> graphql.ExecutionResult | ExperimentalIncrementalExecutionResults:
    """The answer to an operation: in one piece, or its parts."""
    found = experimental_execute_incrementally(
        **arguments, is_awaitable=cast(Any, optimized_is_awaitable)
    )
    return await found if isawaitable(found) else found


class SentParts:
    """The parts of one answer that were sent, and what they have announced and not brought yet."""

    def __init__(self, describe: Callable[[list[GraphQLError]], None]):
        self._describe = describe
        self._pending: dict[str, None] = {}
        self.begun = False

    def part(self, of: CorePart, moments: Mapping[str, Any]) -> Part:
        """The next part, with its errors described, and the moments that it rests on."""
        self.begun = True
        for errors in _errors(of):
            self._describe(errors)
        self._pending.update(dict.fromkeys(one.id for one in of.pending or ()))
        for one in getattr(of, "completed", None) or ():
            self._pending.pop(one.id, None)
        extensions = {"extensions": {"moments": {**moments}}} if moments else {}
        return {**of.formatted, **extensions}

    def end(self, error: GraphQLError) -> Part:
        """The last part, where what was announced does not come."""
        self._describe([error])
        completed = [{"id": id, "errors": [error.formatted]} for id in self._pending]
        return {"completed": completed, "hasNext": False}


def _errors(of: CorePart) -> list[list[GraphQLError]]:
    """All errors of a part."""
    within = [*(getattr(of, "incremental", None) or ()), *(getattr(of, "completed", None) or ())]
    return [one.errors for one in (of, *within) if getattr(one, "errors", None)]


async def made_in_background(
    make: Callable[[Callable[[T], None]], Coroutine[Any, Any, None]],
) -> AsyncGenerator[T, None]:
    """What a task makes, as it comes. The task does not wait for whoever takes it, so that a slow
    client holds no turn; it ends with the generator."""
    made: asyncio.Queue[T | None] = asyncio.Queue()

    async def work() -> None:
        try:
            await make(made.put_nowait)
        finally:
            made.put_nowait(None)

    task = asyncio.create_task(work())
    try:
        while (item := await made.get()) is not None:
            yield item
        await task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


class TrackerSchema(Schema):
    """The schema. Every operation is admitted, and then executed by graphql-core, with every error
    described before it leaves.

    Strawberry's own way has hooks for extensions around each step, of which we need none; they take
    a tenth of the time of a small answer.
    """

    def __init__(self, *, extensions: Iterable[Any] = (), **more: Any):
        """Raises TypeError for extensions: they would not run."""
        if given := list(extensions):
            name = getattr(given[0], "__name__", type(given[0]).__name__)
            raise TypeError(
                f"the extension {name} would not run: TrackerSchema.execute has no extensions"
            )
        super().__init__(**more)
        # Of the two directives that Strawberry would switch on this one only: lists come from the
        # database a page at a time, so `@stream` would find nothing to send before the rest.
        self._schema.directives = (*self._schema.directives, GraphQLDeferDirective)

    async def execute(
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: Any = None,
        root_value: Any = None,
        operation_name: str | None = None,
        allowed_operation_types: Iterable[OperationType] | None = None,
        operation_extensions: dict[str, Any] | None = None,
    ) -> ExecutionResult:
        """The answer to a query or mutation; nothing that a client sends makes it raise."""
        request = _request(
            query, variable_values, context_value, operation_name, allowed_operation_types
        )
        try:
            admitted = await admit(self._schema, request)
        except NotAdmitted as refusal:
            return self._refused(request, refusal.errors)
        return await self._execute(request, admitted)

    async def stream(
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: Any = None,
        root_value: Any = None,
        operation_name: str | None = None,
        operation_extensions: dict[str, Any] | None = None,
        allowed_operation_types: Iterable[OperationType] | None = None,
    ) -> AsyncGenerator[Any, None]:
        """The answers to any operation as they come: many to a subscription, one to others."""
        return self._answers(
            _request(query, variable_values, context_value, operation_name, allowed_operation_types)
        )

    def parts(
        self,
        query: str,
        variable_values: dict[str, Any],
        context: Context,
        operation_name: str | None,
        allowed_operation_types: Iterable[OperationType],
        encode: Callable[[ExecutionResult | Part], bytes],
    ) -> AsyncGenerator[bytes, None]:
        """The answer to a query or mutation in parts: what `@defer` puts off comes behind the rest.
        One that puts off nothing has it in one piece. Parts are encoded as they are made."""
        request = _request(query, variable_values, context, operation_name, allowed_operation_types)
        return made_in_background(
            lambda put: self._make_parts(request, lambda part: put(encode(part)))
        )

    async def _make_parts(
        self, request: OperationRequest, put: Callable[[ExecutionResult | Part], None]
    ) -> None:
        """All parts are made in one turn of the client, in the time of an answer."""
        async with request.context.work_slot():
            try:
                admitted = await admit(self._schema, request)
            except NotAdmitted as refusal:
                put(self._refused(request, refusal.errors))
                return
            moments, sent = start_report(), SentParts(partial(_describe, request.context))
            try:
                async with time_limit():
                    result = await execute_in_parts(
                        {**self._arguments(request, admitted), "document": admitted.document}
                    )
                    if isinstance(result, graphql.ExecutionResult):
                        put(self._result(request, result.data, result.errors, moments))
                        return
                    async with aclosing(result.subsequent_results) as later:
                        put(sent.part(result.initial_result, moments))
                        async for part in later:
                            put(sent.part(part, moments))
            except Exception as error:
                failure = _as_graphql_error(error)
                put(sent.end(failure) if sent.begun else self._refused(request, [failure]))

    async def _answers(self, request: OperationRequest) -> AsyncGenerator[ExecutionResult, None]:
        """What has one answer has it in a turn of the client; each answer of a subscription takes
        its own, see `Executor`."""
        async with request.context.work_slot():
            only, admitted = await self._begin(request)
        if only is not None:
            yield only
            return
        assert admitted is not None
        async with aclosing(self._subscribe(request, admitted)) as results:
            async for result in results:
                yield result

    async def _begin(
        self, request: OperationRequest
    ) -> tuple[ExecutionResult | None, AdmittedOperation | None]:
        """The only answer to an operation, or the subscription that it is."""
        try:
            admitted = await admit(self._schema, request)
        except NotAdmitted as refusal:
            return self._refused(request, refusal.errors), None
        if admitted.operation.operation is Kind.SUBSCRIPTION:
            return None, admitted
        return await self._execute(request, admitted), None

    async def _execute(
        self, request: OperationRequest, admitted: AdmittedOperation
    ) -> ExecutionResult:
        """The answer to a query or mutation."""
        moments = start_report()
        try:
            async with time_limit():
                result = await execute_in_parts(self._arguments(request, admitted))
                assert isinstance(result, graphql.ExecutionResult)  # its document defers nothing
        except Exception as error:
            return self._refused(request, [_as_graphql_error(error)])
        return self._result(request, result.data, result.errors, moments)

    async def _subscribe(
        self, request: OperationRequest, admitted: AdmittedOperation
    ) -> AsyncGenerator[ExecutionResult, None]:
        """The answers to a subscription. Its beginning has the time of an answer."""
        moments = start_report()
        try:
            async with time_limit():
                source: Any = graphql.subscribe(**self._arguments(request, admitted))
                source = await source if isawaitable(source) else source
            if isinstance(source, graphql.ExecutionResult):
                yield self._refused(request, source.errors or [])
                return
            async with aclosing(source):
                async for result in source:
                    yield self._result(request, result.data, result.errors, moments)
        except Exception as error:
            yield self._result(request, None, [_as_graphql_error(error)], moments)

    def _arguments(self, request: OperationRequest, admitted: AdmittedOperation) -> dict[str, Any]:
        """What graphql-core executes an operation with."""
        context = request.context
        if context.services.primary and has_commands(admitted):
            context = context.for_commands()
        return {
            "schema": self._schema,
            "document": admitted.whole,
            "context_value": context,
            "variable_values": request.variables,
            "operation_name": request.operation_name,
            "executor_class": self.execution_context_class,
        }

    def _result(
        self,
        request: OperationRequest,
        data: dict[str, Any] | None,
        errors: list[GraphQLError] | None,
        moments: dict[str, Any],
    ) -> ExecutionResult:
        """An answer that tells the moments it rests on."""
        _describe(request.context, errors or [])
        return ExecutionResult(data, errors, {"moments": {**moments}} if moments else {})

    def _refused(self, request: OperationRequest, errors: list[GraphQLError]) -> ExecutionResult:
        """The answer to an operation that is not executed."""
        _describe(request.context, errors)
        return PreExecutionError(None, errors)


def _describe(context: Context, errors: list[GraphQLError]) -> None:
    """Give every error its code, and say which came first."""
    for error in errors:
        if not context.access.introspection:
            strip_suggestions(error)
        describe_error(error)
        current_operation().note_error(error.extensions["code"] if error.extensions else "ERROR")


def _request(
    text: str | None,
    variables: dict[str, Any] | None,
    context: Context,
    name: str | None,
    allowed: Iterable[OperationType] | None,
) -> OperationRequest:
    types = frozenset(kind.value for kind in allowed or OperationType)
    return OperationRequest(text, variables or {}, name, context, types)


def _as_graphql_error(error: Exception) -> GraphQLError:
    return (
        error if isinstance(error, GraphQLError) else GraphQLError(str(error), original_error=error)
    )


SCHEMA = TrackerSchema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    execution_context_class=Executor,
    config=StrawberryConfig(scalar_map=SCALARS),
)
