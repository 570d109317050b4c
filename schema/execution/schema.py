"""The GraphQL schema, put together."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from typing import Any, cast

from graphql import DocumentNode, GraphQLError
from graphql import OperationType as Kind
from strawberry import Schema
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext, ExecutionResult
from strawberry.types.graphql import OperationType
from strawberry.utils.await_maybe import await_maybe

from schema.base.context import Context
from schema.base.errors import describe_error, strip_suggestions
from schema.base.scalars import SCALARS
from schema.execution.documents import (
    Documents,
    Timed,
    good_query,
    in_time,
    prepare_aside,
    prepared,
)
from schema.inputs.moment import MomentReport, start_report
from schema.root.mutation import Mutation
from schema.root.query import Query
from schema.root.subscription import Subscription
from schema.telemetry.operation import current_operation

RUN = frozenset({Documents, MomentReport})
"""The extensions whose work `Graph` does itself for queries that are known to be good."""


class Graph(Schema):
    """The schema, with every error described before it leaves."""

    def __init__(self, *, extensions: Iterable[Any] = (), **more: Any):
        """Raises TypeError for an extension that would not run: good queries go without them."""
        for extension in (given := list(extensions)):
            if extension not in RUN:
                name = getattr(extension, "__name__", type(extension).__name__)
                raise TypeError(
                    f"the extension {name} would not run for queries: Graph.execute"
                    " answers them without Strawberry's extensions"
                )
        super().__init__(extensions=given, **more)

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
        """Answer a document. A query that is known to be good goes a shorter way: what Strawberry
        does around it, for extensions, takes as long as a small answer."""
        allowed = list(allowed_operation_types or OperationType)
        document, shown = None, context_value.access.introspection
        await prepare_aside(self._schema, query or "", shown)
        if query and (found := prepared(self._schema, query, shown)).document is None:
            self._described(errors := list(found.errors), context_value)
            return ExecutionResult(data=None, errors=errors)  # it would be parsed once more
        if OperationType.QUERY in allowed:
            document = good_query(self._schema, query or "", variable_values, operation_name, shown)
        if document is None:
            return await super().execute(
                query,
                variable_values,
                context_value,
                root_value,
                operation_name,
                allowed,
                operation_extensions,
            )
        moments = start_report()
        result = await self._answer(document, variable_values, context_value, operation_name)
        result.extensions = {"moments": moments} if moments else {}
        return result

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
        """Answer a document piece by piece. What has one answer has it in a turn of the client;
        each of a subscription takes its own, see `Timed`."""
        results = await super().stream(
            query,
            variable_values,
            context_value,
            root_value,
            operation_name,
            operation_extensions,
            allowed_operation_types,
        )
        return self._in_turn(results, query or "", operation_name, context_value)

    async def _in_turn(
        self, results: AsyncGenerator[Any, None], text: str, name: str | None, context: Context
    ) -> AsyncGenerator[Any, None]:
        first: list[Any] = []
        async with aclosing(results):
            async with context.work_slot():
                shown = context.access.introspection
                await prepare_aside(self._schema, text, shown)
                asked = prepared(self._schema, text, shown).operation(name)
                if asked is None or asked.operation is not Kind.SUBSCRIPTION:
                    first = [result async for result in results]
            for result in first:
                yield result
            async for result in results:
                yield result

    async def _answer(
        self,
        document: DocumentNode,
        variables: dict[str, Any] | None,
        context: Context,
        operation_name: str | None,
    ) -> ExecutionResult:
        """The answer to a good query."""
        try:
            async with in_time():
                executor = self.execution_context_class.build(
                    self._schema,
                    document,
                    None,
                    context,
                    variables,
                    operation_name,
                    is_awaitable=cast(Any, optimized_is_awaitable),
                )
                if isinstance(executor, list):
                    data, errors = None, executor
                else:
                    result = await await_maybe(cast(Any, executor.execute_operation()))
                    data, errors = result.data, result.errors
        except Exception as error:
            data, errors = None, [GraphQLError(str(error), original_error=error)]
        if errors:
            self._described(errors, context)
        return ExecutionResult(data=data, errors=errors)

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Give every error its code, and say which came first."""
        self._described(errors, execution_context.context if execution_context else None)

    def _described(self, errors: list[GraphQLError], context: Context | None) -> None:
        for error in errors:
            if context is not None and not context.access.introspection:
                strip_suggestions(error)
            describe_error(error)
            current_operation().note_error(
                error.extensions["code"] if error.extensions else "ERROR"
            )


GRAPH = Graph(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    extensions=[Documents, MomentReport],
    execution_context_class=Timed,
    config=StrawberryConfig(scalar_map=SCALARS),
)
