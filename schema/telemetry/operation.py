"""Information about the present GraphQL operation, collected while it is executed.

It stands beside the task that answers, so that a resolver or a cache can say what it knows without
everything in between handing it on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol

NAME = re.compile(r"[_A-Za-z]\w*", re.ASCII)
MAX_NAME_CHARACTERS = 100
"""So much of a name is worth keeping."""


@dataclass(slots=True)
class OperationInfo:
    """Information about an operation, collected while it is executed."""

    request: str
    """The id of the request; of an operation on a WebSocket that of the connection and a number."""
    transport: str
    actor: str | None = None
    type: str | None = None
    """query, mutation or subscription; None where the document does not tell."""
    operation: str | None = None
    """Its name in the document."""
    position: int | None = None
    """The last position of the log that the answer tells of."""
    outcome: str | None = None
    """`ok`, or the code of the first error; None while nobody knows."""
    status: int | None = None
    """Of HTTP."""
    trace: str | None = None
    """The id of the trace that its span is in."""
    tracing: Tracing | None = None

    def note_position(self, position: int) -> None:
        """Note that the answer depends on the log up to a position."""
        self.position = max(position, self.position or 0)

    def note_error(self, code: str) -> None:
        """Note an error code; the first one is the outcome."""
        self.outcome = self.outcome or code

    def note_name(self, operation: str | None) -> None:
        """The client says which operation it means; what is no name means none."""
        if operation is not None and NAME.fullmatch(operation):
            self.operation = operation[:MAX_NAME_CHARACTERS]


class Tracing(Protocol):
    """Makes spans; deploy/output/tracing.py does."""

    def operation(
        self, seen: OperationInfo, headers: Mapping[str, str]
    ) -> AbstractContextManager[None]:
        """The span of an operation, below or beside the trace that a client's headers name."""

    def step(self, name: str) -> AbstractContextManager[None]:
        """The span of a part of the operation."""


CURRENT_OPERATION: ContextVar[OperationInfo | None] = ContextVar("seen", default=None)
"""The operation under way in this task."""


def current_operation() -> OperationInfo:
    """The present operation; an unobserved one where there is none, as at the command line."""
    return CURRENT_OPERATION.get() or OperationInfo("", "")


def step(name: str) -> AbstractContextManager[None]:
    """A part of the operation under way that takes time of its own."""
    tracing = current_operation().tracing
    return tracing.step(name) if tracing else nullcontext()
