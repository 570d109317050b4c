"""The context of a request, as resolvers get it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeAlias

import strawberry

from schema.base.loaders import Loaders
from schema.services import Access, Services
from tracker.auth.scopes import Caller, Scope
from tracker.log.resume_token import ResumeToken


@dataclass
class Context:
    """The parts of the tracker, and who asks."""

    services: Services
    access: Access
    caller: Caller
    connection_params: dict[str, Any] = field(default_factory=dict)
    """The parameters of a WebSocket client's `connection_init`; browsers cannot send headers there.
    """
    last_seen: ResumeToken | None = None
    """What a client saw last before it was cut off, where its headers say so."""
    position: int | None = None
    """The position of what a subscription gave last, where it has one."""
    resume_token: ResumeToken | None = None
    """The same with the hash of the entry: from where a client goes on."""
    offset: tuple[int, int] = (0, 0)
    """The place of what a subscription gave last among all that it gives: its position, and for
    states the day."""
    until: int | None = None
    """The position at which a subscription to events ends; None: it goes on."""
    complete: bool = False
    """Whether it has come to that end."""
    work_slot: Callable[[], AbstractAsyncContextManager[None]] = nullcontext
    """The time in which an answer of a stream is worked on; whoever waits for it holds nothing."""

    reading: Services | None = None
    """The parts that later questions are answered with, where they are not those of this operation."""

    @cached_property
    def loaders(self) -> Loaders:
        """What collects what an answer asks for; many answers ask for nothing of it."""
        return Loaders(
            self.services.recorder,
            self.services.as_of,
            self.services.review,
            self.services.snapshots,
        )

    def for_commands(self) -> Context:
        """The same for an operation with commands: what they do is answered by who carries them out."""
        return replace(self, services=self.services.writing, reading=self.services)

    def require_actor(self, scope: Scope = Scope.RECORD) -> str:
        """Require a scope and return the caller's name as the actor of events. Raises
        Unauthenticated or Forbidden.
        """
        self.caller.require(scope)
        return str(self.caller.name)


Info: TypeAlias = strawberry.Info[Context, None]
