"""The executor of graphql-core, extended by plans for parts of a response, by lists completed in groups,
and by a time limit."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from functools import partial
from inspect import isawaitable
from time import monotonic
from typing import Any
from weakref import WeakKeyDictionary

from graphql import GraphQLObjectType, OperationType, get_nullable_type
from graphql.pyutils import gather_with_cancel

from schema.execution.plans.operation_plans import PlannedExecution
from schema.root.as_of.base import AtMoment
from tracker.errors import Unavailable

ANSWER_TIMEOUT_SECONDS = 20
"""Maximum time of a response in seconds."""
MAX_ITEMS_AT_ONCE = 20
"""Maximum length of a list without a plan that is completed without interruption."""
PART_SECONDS = 0.003
"""Seconds of work on the items of a longer list per iteration of the event loop."""


@asynccontextmanager
async def time_limit() -> AsyncIterator[None]:
    """Cancel a response that takes too long, with its database queries.

    Raises Unavailable.
    """
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT_SECONDS):
            yield
    except TimeoutError:
        raise Unavailable(
            f"No response in {ANSWER_TIMEOUT_SECONDS} seconds: request less data", code="TIMEOUT"
        ) from None


_locks: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()


@asynccontextmanager
async def loop_slot() -> AsyncIterator[None]:
    """Wait for exclusive use of an event loop iteration, and hold it for a block.

    Waiters are served in order.
    """
    lock = _locks.setdefault(asyncio.get_running_loop(), asyncio.Lock())
    async with lock:
        yield
        await asyncio.sleep(0)


class Executor(PlannedExecution):
    """An executor that limits the time of each response, also of a subscription.

    A timeout ends the subscription with an error. A client that reconnects gets the present state.
    """

    def execute_operation(self, serially: bool | None = None) -> Any:
        """Return the response to a query or mutation, or to one event of a subscription."""
        if self.operation.operation is not OperationType.SUBSCRIPTION:
            return super().execute_operation(serially)
        return self._answer_in_time(serially)

    async def _answer_in_time(self, serially: bool | None) -> Any:
        """Return a response, in a query slot of the client.

        Other clients run in between: a stream that catches up with the log always has a page of events
        ready.
        """
        async with self.context_value.work_slot(), time_limit():
            await asyncio.sleep(0)
            result = super().execute_operation(serially)
            return await result if self.is_awaitable(result) else result

    def execute_field(
        self,
        parent_type: GraphQLObjectType,
        source: Any,
        field_details_list: Any,
        path: Any,
        position_context: Any,
    ) -> Any:
        """Return a field's part of the response, possibly as an awaitable."""
        parts = self.field_parts(parent_type, field_details_list, [source])
        if parts is not None:
            return parts[0]
        slots = source.slots if isinstance(source, AtMoment) else None
        execute = partial(
            self._execute_call, parent_type, source, field_details_list, path, position_context
        )
        return _in_slot(slots, execute) if slots else execute()

    def _execute_call(
        self,
        parent_type: GraphQLObjectType,
        source: Any,
        field_details_list: Any,
        path: Any,
        position_context: Any,
    ) -> Any:
        call = self.field_call(parent_type, field_details_list[0].node)
        if call is None:
            return super().execute_field(
                parent_type, source, field_details_list, path, position_context
            )
        info = self.build_resolve_info(
            call.definition, [details.node for details in field_details_list], parent_type, path
        )
        return self.complete_awaitable_value(
            call.definition.type,
            field_details_list,
            info,
            path,
            call.answer(source, info),
            position_context,
        )

    def complete_value(
        self,
        return_type: Any,
        field_details_list: Any,
        info: Any,
        path: Any,
        result: Any,
        position_context: Any,
    ) -> Any:
        """Return a value's part of the response."""
        parts = self.value_parts(return_type, field_details_list, [result])
        if parts is not None:
            return parts[0]
        return super().complete_value(
            return_type, field_details_list, info, path, result, position_context
        )

    def complete_iterable_value(
        self,
        item_type: Any,
        field_details_list: Any,
        info: Any,
        path: Any,
        items: Any,
        position_context: Any,
    ) -> Any:
        """Return the items' parts of the response; those of many moments are computed field by field."""
        if (
            position_context is None
            and isinstance(items, list)
            and items
            and isinstance(items[0], AtMoment)
        ):
            type_ = get_nullable_type(item_type)
            subfields, deferred, _ = self.collect_subfields(type_, field_details_list)
            if not deferred:
                return self._complete_moments(type_, subfields, path, items)
        if (
            position_context is None
            and isinstance(items, list)
            and len(items) > MAX_ITEMS_AT_ONCE
            and not any(map(self.is_awaitable, items))
        ):
            return self._complete_in_parts(item_type, field_details_list, info, path, items)
        return super().complete_iterable_value(
            item_type, field_details_list, info, path, items, position_context
        )

    async def _complete_in_parts(
        self, item_type: Any, field_details_list: Any, info: Any, path: Any, items: Sequence[Any]
    ) -> list[Any]:
        """Return the items' parts of the response, some at a time, so that other work runs in between."""
        completed: list[Any] = []
        waiting: list[int] = []
        try:
            while len(completed) < len(items):
                async with loop_slot():
                    end = monotonic() + PART_SECONDS
                    while len(completed) < len(items) and monotonic() < end:
                        index = len(completed)
                        at = path.add_key(index, None)
                        if self.complete_list_item_value(
                            items[index], completed, item_type, field_details_list, info, at, None
                        ):
                            waiting.append(index)
        except BaseException:
            self.settle_in_background([completed[index] for index in waiting])
            raise
        parts = await gather_with_cancel(*(completed[index] for index in waiting))
        for index, part in zip(waiting, parts, strict=True):
            completed[index] = part
        return completed

    async def _complete_moments(
        self,
        type_: GraphQLObjectType,
        fields: Mapping[str, Any],
        path: Any,
        moments: Sequence[AtMoment],
    ) -> list[dict[str, Any]]:
        columns = await gather_with_cancel(
            *(
                self._column(type_, name, selected, path, moments)
                for name, selected in fields.items()
            )
        )
        return [dict(zip(fields, row, strict=True)) for row in zip(*columns, strict=True)]

    async def _column(
        self,
        type_: GraphQLObjectType,
        name: str,
        selected: Sequence[Any],
        path: Any,
        moments: Sequence[AtMoment],
    ) -> list[Any]:
        """Return a field's parts of the response at many moments.

        If one moment has a result for all of them, the others are not resolved.
        """

        def at(number: int) -> Any:
            return path.add_key(number).add_key(name, type_.name)

        parts: list[Any] = []
        with self.report_failure():
            await self._add_parts(parts, type_, selected, at(0), moments)
        rest = [
            self.execute_field(type_, moments[number], selected, at(number), None)
            for number in range(len(parts), len(moments))
        ]
        waiting = [part for part in rest if self.is_awaitable(part)]
        awaited = iter(await gather_with_cancel(*waiting)) if waiting else iter(())
        return parts + [next(awaited) if self.is_awaitable(part) else part for part in rest]

    async def _add_parts(
        self,
        parts: list[Any],
        type_: GraphQLObjectType,
        selected: Sequence[Any],
        path: Any,
        moments: Sequence[AtMoment],
    ) -> None:
        """Add a field's parts of the response at the first moments: as many as one call and plans give."""
        if (of_fields := self.field_parts(type_, selected, moments)) is not None:
            parts += of_fields
            return
        call = self.field_call(type_, selected[0].node)
        if call is None or not self.has_value_plan(call.definition.type, selected):
            return
        nodes = [details.node for details in selected]
        info = self.build_resolve_info(call.definition, nodes, type_, path)
        first, series = moments[0], moments[0].moment.series
        value = await _in_slot(first.slots, partial(call.answer, first, info))
        of_days = series.days_of(value) if series else None
        if series is None or of_days is None:
            parts += self.value_parts(call.definition.type, selected, [value]) or ()
            return
        for one in moments:
            await series.give_way()
            of_day = [of_days[one.moment.valid_at]]
            part = self.value_parts(call.definition.type, selected, of_day)
            if part is None:
                return
            parts += part


async def _in_slot(slots: asyncio.Semaphore | None, execute: Callable[[], Any]) -> Any:
    """Return the result of a field of one of many moments, with a limit on concurrency.

    Reads for single moments would otherwise take all connections to the database.
    """
    async with slots or nullcontext():
        answer = execute()
        return await answer if isawaitable(answer) else answer
