"""Context of a request for resolvers."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import strawberry
from msgspec import Struct

from schema.base.loaders import Loaders
from schema.services import Access, Services
from tracker.auth.scopes import Caller, Scope
from tracker.log.resume_token import MAX_POSITION, ResumeToken

if TYPE_CHECKING:  # their imports would delay every start
    from projections.query.branch import Branch
    from tracker.scenarios.scenarios import Scenario


class ScenarioContext(Struct, frozen=True):
    """A scenario, and the record continued by it."""

    scenario: Scenario
    branch: Branch
    sentences: frozenset[str]
    """The names of sentences in the response."""

    @property
    def mark(self) -> dict[str, str]:
        """The mark of each response in the scenario."""
        title, key = self.scenario.title, self.scenario.key
        base, head = str(self.branch.run.position), str(self.branch.head)
        note = f"Scenario: {title}. Not recorded."
        return {"key": key, "title": title, "base": base, "position": head, "note": note}


@dataclass
class Context:
    """The parts of the tracker, and the caller."""

    services: Services
    access: Access
    caller: Caller
    connection_params: dict[str, Any] = field(default_factory=dict)
    """The parameters of a WebSocket client's `connection_init`, because browsers cannot send headers
    there."""
    last_seen: ResumeToken | None = None
    """The last resume token that a client received before its connection broke, according to its
    headers."""
    position: int | None = None
    """The position of the last item of a subscription."""
    resume_token: ResumeToken | None = None
    """The resume token of the last item of a subscription."""
    offset: tuple[int, int] = (0, 0)
    """The offset of the last item of a subscription: its position, and for states the date."""
    until: int | None = None
    """The position at which a subscription to events ends; None: no end."""
    complete: bool = False
    """Whether it has reached that end."""
    work_slot: Callable[[], AbstractAsyncContextManager[None]] = nullcontext
    """The query slot in which a response of a stream is computed."""

    scenario: str | None = None
    """The key of the scenario that the request names for all fields, or None."""
    branch: ScenarioContext | None = None
    """The scenario of this operation, with its branch; None for the record."""
    reading: Services | None = None
    """The parts for later queries, if they differ from those of this operation."""

    @property
    def last_recorded(self) -> int:
        """Return the position after which events are those of a scenario."""
        return self.branch.branch.run.position if self.branch else MAX_POSITION

    @cached_property
    def loaders(self) -> Loaders:
        """Return the data loaders of the response, created on first access."""
        return Loaders(
            self.services.recorder,
            self.services.as_of,
            self.services.review,
            self.services.snapshots,
        )

    def for_commands(self) -> Context:
        """Return the context for an operation with commands: the process that executes them also reads the
        results."""
        return replace(self, services=self.services.writing, reading=self.services)

    def require_actor(self, scope: Scope = Scope.RECORD) -> str:
        """Require a scope and return the caller's name as the actor of events. Raises
        Unauthenticated or Forbidden.
        """
        self.caller.require(scope)
        return str(self.caller.name)


Info: TypeAlias = strawberry.Info[Context, None]
