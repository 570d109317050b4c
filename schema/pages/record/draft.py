"""A command as it stands in a form: what was filled in, what is wrong with it, what it would do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from graphql import GraphQLInputObjectType

from schema.pages.record.fields import State, commands, form_fields
from schema.pages.record.form import place_of
from tracker.errors import TrackerError

RETRACT, CORRECT = "retractEvent", "correctEvent"


@dataclass(slots=True)
class Draft:
    """A form of a command, as it was sent or is to be shown."""

    command: str
    state: dict[str, State]
    key: str = field(default_factory=lambda: str(uuid4()))
    version: int | None = None
    """The version of the entity before the command, as a preview counted on it."""
    errors: dict[str, list[str]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    """What is wrong and of no field."""
    preview: Mapping[str, Any] | None = None
    event: Mapping[str, Any] | None = None
    """The event that it retracts or corrects, where it has just been opened."""

    @property
    def kind(self) -> GraphQLInputObjectType:
        """The input that it makes."""
        return commands()[self.command]

    def ordered(self, data: dict[str, Any]) -> dict[str, Any]:
        """The command, with the version that is expected where it was previewed."""
        if self.version is None or self.command == RETRACT:
            return {self.command: data}
        return {"ifVersion": {"version": self.version, "command": {self.command: data}}}

    def note(self, error: TrackerError) -> None:
        """Put an error at its field, or above all."""
        path = [*(error.path or ())]
        inner = path[path.index(self.command) + 1 :] if self.command in path else []
        names = [
            each.name for one in form_fields(self.kind, self.state, {}) for each in one.below()
        ]
        if place := place_of(inner, names):
            self.errors.setdefault(place, []).append(error.message)
        else:
            self.problems.append(error.message)
