"""Responses to subscriptions, executed and encoded once for clients with the same query and rights.

Responses that a client missed before it connected, or while it was slow, are executed for it alone.
Responses from before the query are never sent, because a text may have been redacted since.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext, suppress
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import orjson

from schema.base.context import Context
from schema.execution.admission import OperationRequest
from schema.execution.execute import ALL, stream
from schema.execution.shared_questions import EVENTS, SharedQuery, shared_query
from schema.http.authentication import AccessControl, Client
from schema.http.broadcast import Broadcast, Broadcasts, Ended, Offset, Part
from schema.http.push_priority import PushPriority
from schema.services import Services
from schema.telemetry.operation import current_operation
from tracker.auth.scopes import Caller
from tracker.errors import LogSetBack, Unavailable
from tracker.log.resume_token import ResumeToken
from tracker.log.resumption import is_in_log
from tracker.postgres.database import CONNECTION_ERRORS

BEGINNING: Offset = (-1, 0)
END: Offset = (2**63, 0)
"""Offset of a response that ends a subscription for all listeners."""


@dataclass(frozen=True)
class EncodedAnswer:
    """A response as JSON."""

    json: bytes
    position: int | None = None
    """Position of its event, if there is one."""
    offset: Offset = BEGINNING
    resume_token: ResumeToken | None = None
    """Resume token after it."""
    codes: tuple[str, ...] = ()
    """Codes of its errors."""
    frames: dict[object, bytes] = field(default_factory=dict)
    """Encoded forms by protocol, cached after first use."""

    @cached_property
    def text(self) -> str:
        """Return it as text."""
        return self.json.decode()

    @property
    def part(self) -> Part[EncodedAnswer]:
        """Return it as a part of a broadcast."""
        return Part(self.offset, self, len(self.json))

    def observed(self) -> EncodedAnswer:
        """Return it after reporting it to the observer of operations."""
        operation = current_operation()
        if self.position is not None:
            operation.note_position(self.position)
        for code in self.codes:
            operation.note_error(code)
        return self


@dataclass(frozen=True, slots=True)
class SubscriptionRequest:
    """A subscription of a client."""

    context: Context
    client: Client
    document: str
    variables: Mapping[str, Any] | None
    operation_name: str | None
    query: SharedQuery


class BrokenOff(Exception):
    """An error occurred before the last position of a range."""


class SharedSubscriptions:
    """Executor of shared subscriptions."""

    def __init__(self, services: Services, access_control: AccessControl, pacing: PushPriority):
        self.pacing = pacing
        self._services = services
        self._access_control = access_control
        self._events = Broadcasts[EncodedAnswer](services.follower, pacing)
        self._states = Broadcasts[EncodedAnswer](services.follower, pacing, latest_only=True)

    async def request(
        self,
        context: Context,
        client: Client,
        document: str,
        variables: Mapping[str, Any] | None,
        operation_name: str | None,
    ) -> SubscriptionRequest | None:
        """Return the subscription of a client; None if it cannot be shared."""
        types = frozenset(kind.value for kind in ALL)
        request = OperationRequest(document, variables or {}, operation_name, context, types)
        async with context.work_slot():
            query = await shared_query(request)
        if query is None:
            return None
        return SubscriptionRequest(context, client, document, variables, operation_name, query)

    async def answers(
        self, request: SubscriptionRequest
    ) -> AsyncGenerator[Sequence[EncodedAnswer], None]:
        """Yield the responses as they come; those available at a time are grouped."""
        is_of_events = request.query.field == EVENTS
        following = self._follow_events if is_of_events else self._follow_states
        async with aclosing(following(request)) as stream:
            async for answers in stream:
                yield [answer.observed() for answer in answers]

    async def _follow_events(
        self, request: SubscriptionRequest
    ) -> AsyncGenerator[Sequence[EncodedAnswer], None]:
        token, recorder = request.query.after, self._services.recorder
        after = token.position if token else None
        try:
            end = await recorder.head()
            if token is not None and (
                token.position > end or not await is_in_log(recorder, token)
            ):  # the client gets its own error
                async with aclosing(self._alone(request, last_seen=token)) as refused:
                    async for answer in refused:
                        yield (answer,)
                return
            after = end if after is None else after
            following = self._events.follow(
                request.query.key,
                after,
                request.client,
                partial(self._source, request),
                head=recorder.head,
                read=partial(self._read, request),
            )
            async with aclosing(following) as events:
                async for answers in events:
                    if answers[-1].offset != END:
                        after = answers[-1].offset[0]
                    yield answers
        except BrokenOff:
            return
        except (
            *CONNECTION_ERRORS,
            LogSetBack,
        ):  # a single client gets the error, if it still occurs
            async with aclosing(
                self._alone(request, last_seen=None if after is None else ResumeToken(after))
            ) as events_alone:
                async for answer in events_alone:
                    yield (answer,)

    async def _read(
        self, request: SubscriptionRequest, after: int, until: int
    ) -> AsyncGenerator[EncodedAnswer, None]:
        """Yield the responses between two positions. Raises BrokenOff after one with an error."""
        context = self._context(request, last_seen=ResumeToken(after), until=until)
        async with aclosing(self._execute(request, context)) as answers:
            async for answer in answers:
                yield answer
        if not context.complete:
            raise BrokenOff

    async def _follow_states(
        self, request: SubscriptionRequest
    ) -> AsyncGenerator[Sequence[EncodedAnswer], None]:
        query = request.query
        try:
            moment = await self._services.as_of.resolve(query.valid_at)
        except (*CONNECTION_ERRORS, TimeoutError, Unavailable):
            async with aclosing(self._alone(request)) as answers:
                async for answer in answers:
                    yield (answer,)
            return
        present = moment.position, moment.valid_at.toordinal()
        broadcast = self._states.of(query.key, BEGINNING, partial(self._source, request))
        latest = broadcast.latest
        is_late = broadcast.started and (latest is None or latest.offset < present)
        with self._states.listen(query.key, broadcast, BEGINNING, request.client) as listener:
            if is_late:
                first = await self._present(request, broadcast, present)
                listener.after = first.offset
                yield (first,)
                if first.offset == END:
                    return
            with suppress(Ended):
                while True:
                    yield [part.content for part in await listener.next()]

    async def _present(
        self, request: SubscriptionRequest, broadcast: Broadcast[EncodedAnswer], present: Offset
    ) -> EncodedAnswer:
        """Return the present response, executed once for clients that arrive at the same time."""
        async with request.context.work_slot():
            if broadcast.joined and broadcast.joined.offset >= present:
                return broadcast.joined.content
            context = self._context(request, work_slot=nullcontext)
            async with aclosing(self._execute(request, context)) as answers:
                answer = await anext(answers)
            if answer.offset != END:
                broadcast.joined = answer.part
            return answer

    async def _source(
        self, request: SubscriptionRequest, broadcast: Broadcast[EncodedAnswer]
    ) -> AsyncGenerator[Part[EncodedAnswer], None]:
        """Yield the responses for all listeners, in query slots of the client with the lowest load."""

        def work_slot() -> AbstractAsyncContextManager[None]:
            clients = (listener.client for listener in broadcast.listeners)
            return self._access_control.shared_work_slot(clients)

        is_of_events = request.query.field == EVENTS
        context = self._context(
            request,
            caller=Caller(None, request.context.caller.scopes),
            last_seen=ResumeToken(broadcast.after[0]) if is_of_events else None,
            work_slot=work_slot,
        )
        async with aclosing(self._execute(request, context)) as answers:
            async for answer in answers:
                yield answer.part

    async def _alone(
        self, request: SubscriptionRequest, **more: Any
    ) -> AsyncGenerator[EncodedAnswer, None]:
        """Yield the responses for one client, to their end."""
        async with aclosing(self._execute(request, self._context(request, **more))) as answers:
            async for answer in answers:
                yield answer

    async def _execute(
        self, request: SubscriptionRequest, context: Context
    ) -> AsyncGenerator[EncodedAnswer, None]:
        answers = stream(
            context, request.document, request.variables, operation_name=request.operation_name
        )
        offset = context.offset
        async with aclosing(answers):
            async for answer in answers:
                yield encode(answer, context, END if context.offset == offset else context.offset)
                offset = context.offset

    def _context(self, request: SubscriptionRequest, **more: Any) -> Context:
        of = request.context
        return Context(
            **{
                "services": self._services,
                "access": of.access,
                "caller": of.caller,
                "work_slot": of.work_slot,
                **more,
            }
        )


def encode(answer: dict[str, Any], context: Context, offset: Offset) -> EncodedAnswer:
    """Encode a response."""
    codes = [error.get("extensions", {}).get("code", "ERROR") for error in answer.get("errors", ())]
    return EncodedAnswer(
        orjson.dumps(answer), context.position, offset, context.resume_token, tuple(codes)
    )
