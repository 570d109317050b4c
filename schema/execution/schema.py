"""The GraphQL schema, and the execution of its operations.

With `@defer` a response has parts, executed by graphql-core in the format of the proposal for GraphQL's
specification. `pending` announces a part, `incremental` contains it, `completed` marks its end or error,
and `hasNext` states whether there are further parts.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext, suppress
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
from schema.base.errors import describe_error
from schema.base.scalars import SCALARS
from schema.execution.admission import (
    AdmittedOperation,
    NotAdmitted,
    OperationRequest,
    admit,
    has_commands,
)
from schema.execution.executor import Executor, time_limit
from schema.execution.scenarios import ARGUMENT, in_scenario, with_marks
from schema.inputs.moment import start_report
from schema.root.mutation import Mutation
from schema.root.query import Query
from schema.root.subscription import Subscription
from schema.telemetry.operation import current_operation

T = TypeVar("T")
Part: TypeAlias = dict[str, Any]
"""A part of a response."""
CorePart: TypeAlias = InitialIncrementalExecutionResult | SubsequentIncrementalExecutionResult


async def execute_in_parts(
    arguments: Mapping[str, Any],
) -> graphql.ExecutionResult | ExperimentalIncrementalExecutionResults:
    """Return the response to an operation: complete, or in parts."""
    result = experimental_execute_incrementally(
        **arguments, is_awaitable=cast(Any, optimized_is_awaitable)
    )
    return await result if isawaitable(result) else result


class SentParts:
    """The sent parts of one response, with announced parts that are still pending."""

    def __init__(self, describe: Callable[[list[GraphQLError]], None]):
        self._describe = describe
        self._pending: dict[str, None] = {}
        self.begun = False

    def part(self, of: CorePart, moments: Mapping[str, Any]) -> Part:
        """Return the next part, with its described errors and its moments."""
        self.begun = True
        for errors in _errors(of):
            self._describe(errors)
        self._pending.update(dict.fromkeys(one.id for one in of.pending or ()))
        for one in getattr(of, "completed", None) or ():
            self._pending.pop(one.id, None)
        extensions = {"extensions": {"moments": {**moments}}} if moments else {}
        return {**of.formatted, **extensions}

    def end(self, error: GraphQLError) -> Part:
        """Return the last part if announced parts are cancelled."""
        self._describe([error])
        completed = [{"id": id, "errors": [error.formatted]} for id in self._pending]
        return {"completed": completed, "hasNext": False}


def _errors(of: CorePart) -> list[list[GraphQLError]]:
    within = [*(getattr(of, "incremental", None) or ()), *(getattr(of, "completed", None) or ())]
    return [one.errors for one in (of, *within) if getattr(one, "errors", None)]


async def made_in_background(
    make: Callable[[Callable[[T], None]], Coroutine[Any, Any, None]],
) -> AsyncGenerator[T, None]:
    """Yield the items that a background task makes.

    The task does not wait for the consumer, so that a slow client holds no query slot. It ends with the
    generator.
    """
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
    """The schema. Every operation is admitted and executed by graphql-core, and every error is described.

    Strawberry's own execution has extension hooks around each step, which are not used here. They take a
    tenth of the time of a small response.
    """

    def __init__(self, *, extensions: Iterable[Any] = (), **more: Any):
        """Raise TypeError for extensions, which would not run."""
        if requested := list(extensions):
            name = getattr(requested[0], "__name__", type(requested[0]).__name__)
            raise TypeError(
                f"the extension {name} would not run: TrackerSchema.execute has no extensions"
            )
        super().__init__(**more)
        # Only one of the two directives that Strawberry would enable. Lists are read a page at a time, so
        # `@stream` would have nothing to send early.
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
        """Return the response to a query or mutation; nothing that a client sends makes it raise."""
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
        """Yield the responses to any operation as they come: many for a subscription, one for others."""
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
        """Yield the response to a query or mutation in encoded parts; fields with `@defer` come later.

        Without deferred fields it has one part.
        """
        request = _request(query, variable_values, context, operation_name, allowed_operation_types)
        return made_in_background(
            lambda put: self._make_parts(request, lambda part: put(encode(part)))
        )

    async def _make_parts(
        self, request: OperationRequest, put: Callable[[ExecutionResult | Part], None]
    ) -> None:
        """Make all parts in one query slot of the client, within the time limit of a response."""
        async with request.context.work_slot():
            try:
                admitted = await admit(self._schema, request)
            except NotAdmitted as refusal:
                put(self._refused(request, refusal.errors))
                return
            moments, sent = start_report(), SentParts(partial(_describe, request.context))
            try:
                async with time_limit(), self._context(request, admitted) as context:
                    arguments = self._arguments(request, admitted, context)
                    if context.branch is None:  # its response has one part, with its mark
                        arguments["document"] = admitted.document
                    result = await execute_in_parts(arguments)
                    if isinstance(result, graphql.ExecutionResult):
                        put(self._result(request, result.data, result.errors, moments, context))
                        return
                    async with aclosing(result.subsequent_results) as later:
                        put(sent.part(result.initial_result, moments))
                        async for part in later:
                            put(sent.part(part, moments))
            except Exception as error:
                failure = _as_graphql_error(error)
                put(sent.end(failure) if sent.begun else self._refused(request, [failure]))

    async def _answers(self, request: OperationRequest) -> AsyncGenerator[ExecutionResult, None]:
        """Yield the responses. A single response takes a query slot of the client; each response of a
        subscription takes its own, see `Executor`."""
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
        """Return the only response to an operation, or its subscription."""
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
        """Return the response to a query or mutation."""
        moments = start_report()
        try:
            async with time_limit(), self._context(request, admitted) as context:
                result = await execute_in_parts(self._arguments(request, admitted, context))
                assert isinstance(result, graphql.ExecutionResult)  # its document defers nothing
        except Exception as error:
            return self._refused(request, [_as_graphql_error(error)])
        return self._result(request, result.data, result.errors, moments, context)

    async def _subscribe(
        self, request: OperationRequest, admitted: AdmittedOperation
    ) -> AsyncGenerator[ExecutionResult, None]:
        """Yield the responses to a subscription. Its start has the time limit of a response."""
        moments = start_report()
        try:
            async with time_limit():
                source: Any = graphql.subscribe(
                    **self._arguments(request, admitted, request.context)
                )
                source = await source if isawaitable(source) else source
            if isinstance(source, graphql.ExecutionResult):
                yield self._refused(request, source.errors or [])
                return
            async with aclosing(source):
                async for result in source:
                    yield self._result(request, result.data, result.errors, moments)
        except Exception as error:
            yield self._result(request, None, [_as_graphql_error(error)], moments)

    def _context(
        self, request: OperationRequest, admitted: AdmittedOperation
    ) -> AbstractAsyncContextManager[Context]:
        """Return the context of a query or mutation, which may be that of a scenario."""
        context = request.context
        if context.scenario is None and ARGUMENT not in (request.text or ""):
            return nullcontext(context)
        return in_scenario(context, admitted, request.variables)

    def _arguments(
        self, request: OperationRequest, admitted: AdmittedOperation, context: Context
    ) -> dict[str, Any]:
        """Return the arguments of graphql-core for an operation."""
        if context.services.primary and has_commands(admitted):
            context = context.for_commands()
        return {
            "schema": self._schema,
            "document": admitted.whole,
            "context_value": context,
            "variable_values": request.variables,
            "operation_name": request.operation_name,
            "executor_class": self.execution_context_class,
            "hide_suggestions": not context.access.introspection,
        }

    def _result(
        self,
        request: OperationRequest,
        data: dict[str, Any] | None,
        errors: list[GraphQLError] | None,
        moments: dict[str, Any],
        context: Context | None = None,
    ) -> ExecutionResult:
        """Return a response with the moments that it depends on, and the mark of its scenario."""
        _describe(request.context, errors or [])
        extensions: dict[str, Any] = {"moments": {**moments}} if moments else {}
        if context and context.branch:
            extensions["scenario"] = context.branch.mark
            data = with_marks(data, context.branch.sentences)
        return ExecutionResult(data, errors, extensions)

    def _refused(self, request: OperationRequest, errors: list[GraphQLError]) -> ExecutionResult:
        """Return the response to a refused operation."""
        _describe(request.context, errors)
        return PreExecutionError(None, errors)


def _describe(context: Context, errors: list[GraphQLError]) -> None:
    """Give every error its code, and report the first code."""
    for error in errors:
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
CORE_SCHEMA = SCHEMA._schema
"""The schema in the types of graphql-core, for which strawberry has no public name."""
