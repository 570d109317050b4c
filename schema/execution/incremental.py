"""Answers in parts: what `@defer` puts off comes behind the rest.

graphql-core executes it; the form of parts is that of the proposal for GraphQL's specification:
`pending` announces what is to come, `incremental` brings it, `completed` says that it is all there or
why not, and `hasNext` whether there are further parts.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from contextlib import suppress
from inspect import isawaitable
from typing import Any, TypeAlias, TypeVar, cast

from graphql import (
    ExecutionResult,
    ExperimentalIncrementalExecutionResults,
    GraphQLError,
    InitialIncrementalExecutionResult,
    SubsequentIncrementalExecutionResult,
    experimental_execute_incrementally,
)
from strawberry.execution import optimized_is_awaitable

T = TypeVar("T")
Part: TypeAlias = dict[str, Any]
"""A part of an answer, as it is sent."""
CorePart: TypeAlias = InitialIncrementalExecutionResult | SubsequentIncrementalExecutionResult


async def execute_in_parts(
    arguments: Mapping[str, Any],
) -> ExecutionResult | ExperimentalIncrementalExecutionResults:
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
