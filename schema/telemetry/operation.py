"""Information about the present GraphQL operation, collected while it is executed.

It is a context variable of the task, so that resolvers and caches can add to it without passing it on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from typing import Protocol

from msgspec import Struct

NAME = re.compile(r"[_A-Za-z]\w*", re.ASCII)
MAX_NAME_CHARACTERS = 100
"""Maximum length of a stored name."""


class OperationInfo(Struct):
    """Information about an operation, collected while it is executed."""

    request: str
    """Id of the request; for an operation on a WebSocket that of the connection and a number."""
    transport: str
    client: str = ""
    """Key of the client's limits."""
    actor: str | None = None
    type: str | None = None
    """query, mutation or subscription; None if the document does not determine it."""
    operation: str | None = None
    """Its name in the document."""
    position: int | None = None
    """Last position of the log that the response depends on."""
    outcome: str | None = None
    """`ok`, or the code of the first error; None if not yet known."""
    status: int | None = None
    """HTTP status."""
    trace: str | None = None
    """Id of the trace of its span."""
    tracing: Tracing | None = None

    def note_position(self, position: int) -> None:
        """Note that the response depends on the log up to a position."""
        self.position = max(position, self.position or 0)

    def note_error(self, code: str) -> None:
        """Note an error code; the first one is the outcome."""
        self.outcome = self.outcome or code

    def note_name(self, operation: str | None) -> None:
        """Note the name of the selected operation; an invalid name counts as none."""
        if operation is not None and NAME.fullmatch(operation):
            self.operation = operation[:MAX_NAME_CHARACTERS]


class Tracing(Protocol):
    """Factory of spans; deploy/output/tracing.py implements it."""

    def operation(
        self, seen: OperationInfo, headers: Mapping[str, str]
    ) -> AbstractContextManager[None]:
        """Return the span of an operation, below or linked to the trace in the headers of a client."""

    def step(self, name: str) -> AbstractContextManager[None]:
        """Return the span of a part of the operation."""


CURRENT_OPERATION: ContextVar[OperationInfo | None] = ContextVar("seen", default=None)
"""Present operation of this task."""


def current_operation() -> OperationInfo:
    """Return the present operation; an unobserved one without any, as on the command line."""
    return CURRENT_OPERATION.get() or OperationInfo("", "")


def step(name: str) -> AbstractContextManager[None]:
    """Return a span for a part of the present operation."""
    tracing = current_operation().tracing
    return tracing.step(name) if tracing else nullcontext()
