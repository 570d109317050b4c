"""Responses to subscriptions, executed and encoded once for clients with the same query and rights.

Responses that a client missed before it connected, or while it was slow, are executed for it alone.
Responses from before the query are never sent, because a text may have been redacted since.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Hashable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property, partial
from typing import Any

import orjson
from graphql import FieldNode, OperationType, VariableNode, get_argument_values
from graphql.execution.values import VariableValues, get_variable_values
from msgspec import Struct

from schema.base.context import Context
from schema.execution.admission import AdmittedOperation, NotAdmitted, OperationRequest, admit
from schema.execution.execute import ALL, stream
from schema.execution.schema import CORE_SCHEMA
from schema.http.authentication import AccessControl, Client
from schema.http.broadcast import Broadcast, Broadcasts, Ended, Offset, Part
from schema.http.limits import PushPriority
from schema.inputs.arguments import parse_day, parse_token
from schema.services import Services
from schema.telemetry.operation import current_operation
from tracker.auth.scopes import Caller
from tracker.errors import InvalidInput, LogSetBack, Unavailable
from tracker.log.resume_token import ResumeToken
from tracker.log.resumption import is_in_log
from tracker.postgres.database import CONNECTION_ERRORS

EVENTS, STATES = "events", "worldChanged"
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


class SubscriptionRequest(Struct, frozen=True):
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


class SharedQuery(Struct, frozen=True):
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

    None if it is not a subscription, if it has errors, or if its responses may be specific to the client: it
    is then executed separately.
    """
    try:
        admitted = await admit(CORE_SCHEMA, request)
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
    schema = CORE_SCHEMA
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
