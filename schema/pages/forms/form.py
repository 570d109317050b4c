"""Forms of GraphQL inputs: of a command that records a fact, and of an action that is one mutation.

They convert typed text to an input. Errors of the API are shown at the fields that they name.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, cast

from graphql import GraphQLInputObjectType, get_nullable_type

from schema.execution.schema import CORE_SCHEMA
from schema.http.messages import STATUS
from schema.pages.forms.fields import Field, FieldBuilder, label_of
from schema.pages.forms.state import (
    Errors,
    Pair,
    State,
    edit_lists,
    make_input,
    read_state,
    without_empty,
)
from tracker.errors import Forbidden, InvalidInput, TrackerError, Unauthenticated, VersionConflict

COMMANDS = "CommandInput"
WRAPPERS = frozenset({"ifVersion"})
"""Commands that only contain another one."""
RETRACT, CORRECT = "retractEvent", "correctEvent"
DO = "do"
"""Name of the button that was pressed."""
CONFIRMED = "confirmed"
"""Field in which a name is typed to confirm a removal."""
CHANGED = "The data have changed since this page was loaded. Check it and send the form again."


@cache
def commands() -> Mapping[str, GraphQLInputObjectType]:
    """Return the inputs of all commands by name."""
    kind = cast(GraphQLInputObjectType, CORE_SCHEMA.type_map[COMMANDS])
    return {
        name: cast(GraphQLInputObjectType, get_nullable_type(field.type))
        for name, field in kind.fields.items()
        if name not in WRAPPERS
    }


def fact_choices() -> list[tuple[str, str]]:
    """Return the commands that record a new fact, with their labels."""
    return [(name, label_of(name)) for name in commands() if name not in (RETRACT, CORRECT)]


def mutation_input(mutation: str) -> GraphQLInputObjectType:
    """Return the input of a mutation."""
    root = CORE_SCHEMA.mutation_type
    assert root
    kind = get_nullable_type(root.fields[mutation].args["input"].type)
    return cast(GraphQLInputObjectType, kind)


@dataclass(slots=True)
class Form:
    """An input with the text and the errors of its fields."""

    kind: GraphQLInputObjectType
    within: Collection[str]
    """Names in the path of an error before the path in this input."""
    state: dict[str, State]
    errors: Errors = field(init=False, default_factory=dict)
    problems: list[str] = field(init=False, default_factory=list)
    """Errors that belong to no field."""

    @property
    def refused(self) -> bool:
        """Return whether it has errors."""
        return bool(self.errors or self.problems)

    @property
    def fields(self) -> list[Field]:
        """Return its fields."""
        return FieldBuilder("field", self.errors).object_fields(self.kind, self.state)

    @property
    def all_fields(self) -> list[Field]:
        """Return its fields, and the fields in them."""
        return [each for field in self.fields for each in field.below()]

    @property
    def wrong(self) -> list[Field]:
        """Return the fields with errors."""
        return [each for each in self.all_fields if each.errors] if self.errors else []

    def input(self, **fixed: str) -> dict[str, Any]:
        """Return the input with values that the page sets. Note its errors."""
        self.state = cast("dict[str, State]", without_empty(self.state))
        errors: Errors = {}
        made = make_input(self.kind, {**self.state, **fixed}, errors)
        self._place({tuple(name.split(".")): messages for name, messages in errors.items()})
        return made

    def note(self, error: TrackerError) -> None:
        """Note an error of the API. Raises the error if no other input avoids it."""
        if isinstance(error, Unauthenticated | Forbidden) or STATUS.get(error.code, 400) >= 500:
            raise error
        path = [str(part) for part in error.path or ()]
        while any(name in self.within for name in path):
            del path[0]
        self._place({(*path,): [CHANGED if error.code == VersionConflict.code else error.message]})

    def _place(self, errors: Mapping[tuple[str, ...], list[str]]) -> None:
        """Put errors at the nearest field of their paths, or else among the problems."""
        names = {each.name for each in self.all_fields} if errors else set()
        for path, messages in errors.items():
            prefixes = (".".join(path[:end]) for end in range(len(path), 0, -1))
            if name := next(filter(names.__contains__, prefixes), None):
                self.errors.setdefault(name, []).extend(messages)
            else:
                where = ".".join(part for part in path if part != "input")
                before = f"{where}: " if "." in where or where in self.kind.fields else ""
                self.problems += [before + message for message in messages]


class FactForm(Form):
    """The form of a command that records a fact."""

    def __init__(self, command: str, state: dict[str, State]):
        super().__init__(commands()[command], (command,), state)
        self.command = command

    @classmethod
    def read(cls, command: str, pairs: Sequence[Pair], controls: Mapping[str, str]) -> FactForm:
        """Read a form that was sent, with the list button that was pressed. Raises InvalidInput."""
        return cls(command, read_state(commands()[command], edit_lists(pairs, controls)))


@dataclass(frozen=True, slots=True)
class Action:
    """A mutation that a short form carries out."""

    do: str
    mutation: str
    label: str
    about: str
    done: str
    """Notice after success."""
    answer: str
    """Fields of the result that the page needs."""
    omitted: frozenset[str]
    """Fields of the input that the page sets."""
    key: str = ""
    """Suffix that distinguishes actions of one kind on a page."""
    letter: str = ""
    """Keyboard shortcut."""
    confirmation: str = ""
    """Label of the field that confirms it; empty if none is needed."""

    @property
    def id(self) -> str:
        """Return the prefix of the ids of its fields."""
        return f"{self.do}-{self.key}" if self.key else self.do

    def form(self, sent: ActionForm | None = None, **values: str) -> ActionForm:
        """Return its form as sent; else with the defaults of the input and values for its fields."""
        if sent and sent.action.id == self.id:
            return sent
        fields = mutation_input(self.mutation).fields
        numbers = {
            name: str(field.default_value)
            for name, field in fields.items()
            if type(field.default_value) is int
        }
        return ActionForm(
            self, {**numbers, **{name: values[name] for name in values if name in fields}}
        )

    def filled(self, values: Mapping[str, str]) -> ActionForm:
        """Return its form as sent."""
        names = {*mutation_input(self.mutation).fields, CONFIRMED}
        return ActionForm(self, {name: values[name] for name in names & values.keys()})


class ActionForm(Form):
    """The short form of an action."""

    def __init__(self, action: Action, state: dict[str, State]):
        super().__init__(mutation_input(action.mutation), ("input", "proposal"), state)
        self.action = action

    @property
    def fields(self) -> list[Field]:
        """Return its fields, a confirmation first."""
        action = self.action
        builder = FieldBuilder(action.id, self.errors, short=True, omitted=action.omitted)
        made = builder.object_fields(self.kind, self.state)
        if action.confirmation:
            text = str(self.state.get(CONFIRMED, ""))
            made.insert(0, builder.confirmation(CONFIRMED, action.confirmation, text))
        return made


def read_fields(pairs: Sequence[Pair]) -> dict[str, str]:
    """Return the fields of a short form without spaces around them. Raises InvalidInput for a field
    that is sent twice."""
    fields: dict[str, str] = {}
    for name, value in pairs:
        if name in fields:
            raise InvalidInput("expected each field once", code="BAD_REQUEST", path=(name[:50],))
        fields[name] = value.strip()
    return fields


def chosen_action(actions: Mapping[str, Action], fields: Mapping[str, str]) -> Action:
    """Return the action of the button that was pressed. Raises InvalidInput."""
    action = actions.get(fields.get(DO, ""))
    if action is None:
        raise InvalidInput(f"expected one of {', '.join(actions)}", code="BAD_REQUEST", path=(DO,))
    return action
