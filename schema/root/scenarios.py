"""Queries and mutations of scenarios."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, cast
from uuid import uuid4

import msgspec
import strawberry
from strawberry import argument, field
from strawberry.scalars import JSON

from schema.base.context import Context, Info
from schema.base.decorators import input_object, object_type, resolver_field
from schema.base.output_types import made_field, output_type, struct_field
from schema.base.scalars import Instant, Position
from schema.inputs.arguments import parse_position
from schema.inputs.input_types import check_text, to_plain_json
from schema.root.batch import COMMAND_INPUT, parse_plain_command, read_batch
from schema.root.commands import input_errors, scoped_mutations
from schema.types.event import Event
from tracker.auth.scopes import Scope
from tracker.commands.commands import Command
from tracker.errors import ReadOnly
from tracker.scenarios import scenarios as stored
from tracker.scenarios.scenarios import MAX_COMMANDS, MAX_TITLE_CHARACTERS, NewScenario, Scenarios

if TYPE_CHECKING:  # its imports would delay every start
    from projections.query.branch import Branch, Branches

NEEDS_SCOPE = "Needs a token of scope `scenario`."
KEY = "Its key, as in `scenarios`."
ScenarioKey: TypeAlias = Annotated[
    str | None,
    argument(
        name="scenario",
        description="The key of a scenario: the response follows from the record and the hypothetical"
        " commands of the scenario. They are not recorded. All fields of the request must have the same.",
    ),
]


@output_type(only_spelled=True, first="key title owner private")
class Scenario:
    """A scenario: hypothetical commands on the record. They are never recorded."""

    of: strawberry.Private[stored.Scenario]

    base: Position | None = struct_field()
    revision: int = struct_field()
    created_at: Instant = struct_field()
    changed_at: Instant = struct_field()

    @made_field
    def commands(self) -> JSON:
        """The commands in the order of execution, each as an object with one field, as for `record`."""
        return cast(JSON, list(self.of.commands))

    @resolver_field
    async def recorded(self, info: Info) -> list[Event]:
        """The recorded events, up to the base, that equal commands. These commands are left out of
        responses."""
        async with use_branch(info.context, self.of.key) as (_, branch):
            return [Event(of=event) for event in branch.recorded.values()]


@object_type
class ScenarioQueries:
    """Queries of scenarios."""

    @resolver_field
    async def scenarios(self, info: Info) -> list[Scenario]:
        """The scenarios that the caller can read, by key: all public ones, and its own private ones."""
        caller = info.context.caller
        caller.require(Scope.READ)
        return [Scenario(of=of) for of in await scenarios_of(info.context).all(caller.name)]

    @resolver_field
    async def scenario(
        self, info: Info, key: Annotated[str, argument(description=KEY)]
    ) -> Scenario:
        """One scenario. Fails with `NOT_FOUND` for one that the caller cannot read."""
        caller = info.context.caller
        caller.require(Scope.READ)
        return Scenario(of=await scenarios_of(info.context).get(key, caller.name))


@input_object
class ScenarioInput:
    """The content of a scenario."""

    title: str = field(
        description=f"Its title, of at most {MAX_TITLE_CHARACTERS} characters. It must not state its"
        " content as a fact."
    )
    commands: list[COMMAND_INPUT] = field(  # type: ignore[valid-type]  # known at run time only
        description=f"The commands, 1 to {MAX_COMMANDS}, as for `record`."
    )
    position: Position | None = None
    """The position of the log that it continues. If left out, it follows the log."""
    private: bool = field(description="Whether only its owner can read it.", default=False)


INPUT: TypeAlias = Annotated[ScenarioInput, argument(description="The scenario.")]
OWN_KEY: TypeAlias = Annotated[str, argument(description=KEY)]


async def create_scenario(info: Info, input: INPUT) -> Scenario:
    """Creates a scenario. Its commands are decided as for `record`, and never recorded."""
    return await _save(info, input, None)


async def edit_scenario(info: Info, key: OWN_KEY, input: INPUT) -> Scenario:
    """Replaces the content of a scenario of the caller."""
    return await _save(info, input, key)


async def _save(info: Info, input: ScenarioInput, key: str | None) -> Scenario:
    owner = info.context.require_actor(Scope.SCENARIO)
    with input_errors():
        new = _content(input)
        await _check(info.context, new, owner)
        return Scenario(of=await scenarios_of(info.context).save(new, owner, key))


async def delete_scenario(info: Info, key: OWN_KEY) -> Scenario:
    """Deletes a scenario of the caller for good, and returns it."""
    owner = info.context.require_actor(Scope.SCENARIO)
    deleted = await scenarios_of(info.context).delete(key, owner)
    await _branches(info.context).close(_name(key))
    return Scenario(of=deleted)


SCENARIO_MUTATIONS: dict[str, Callable[..., Any]] = {
    "createScenario": create_scenario,
    "editScenario": edit_scenario,
    "deleteScenario": delete_scenario,
}


def scenario_mutations() -> list[Any]:
    """Return the mutations of scenarios."""
    return scoped_mutations(SCENARIO_MUTATIONS, NEEDS_SCOPE)


def scenarios_of(context: Context) -> Scenarios:
    """Return the scenarios. Raises ReadOnly on a server without a primary."""
    if context.services.writing.scenarios is None:
        raise ReadOnly(context.services.read_only)
    return context.services.writing.scenarios


@asynccontextmanager
async def use_branch(context: Context, key: str) -> AsyncIterator[tuple[stored.Scenario, Branch]]:
    """Open the branch of a scenario that the caller can read, for a block.

    Raises NotFound, and InvalidInput for a command that the log would refuse now.
    """
    caller = context.caller
    caller.require(Scope.READ)
    scenario = await scenarios_of(context).get(key, caller.name)
    async with _branch(context, scenario, key, scenario.revision, scenario.owner) as branch:
        yield scenario, branch


def _branch(
    context: Context, new: NewScenario, name: str, revision: int, owner: str
) -> AbstractAsyncContextManager[Branch]:
    commands = partial(_commands, new)
    return _branches(context).use(_name(name), revision, new.base, commands, owner)


def _branches(context: Context) -> Branches:
    if context.services.writing.branches is None:
        raise ReadOnly(context.services.read_only)
    return context.services.writing.branches


def _name(key: str) -> str:
    return f"scenario-{key}"


async def _check(context: Context, new: NewScenario, owner: str) -> None:
    """Check that the log would record the commands of a scenario."""
    key = f"check-{uuid4()}"
    async with _branch(context, new, key, 0, owner):
        await _branches(context).close(_name(key))


def _content(input: ScenarioInput) -> NewScenario:
    check_text(input.title, "title")
    commands = tuple(
        to_plain_json(command, "commands", index) for index, command in enumerate(input.commands)
    )
    base = parse_position(input.position, "position")
    return NewScenario(input.title, commands, base, input.private)


def _commands(new: NewScenario) -> AbstractContextManager[list[Command]]:
    """Return the commands of a scenario, for a block. Its errors have paths in the scenario."""
    plain = msgspec.json.decode(new.text)
    return read_batch([parse_plain_command(command) for command in plain])
