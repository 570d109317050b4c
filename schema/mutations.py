"""Mutations: one for every fact of the domain, all made in the same way.

A mutation records one fact of one entity and returns when the projection has come to it, so that
the client reads its own write. `ACTS` lists them; what they check is the domain's business.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, TypeAlias

import strawberry
from strawberry import argument, field
from strawberry.tools import create_type

from schema.context import Services
from schema.described import description_of, output
from schema.inputs import camel, check_text, described, input_type, one_of, plain
from schema.orders import (
    Order,
    Record,
    Redacting,
    Retraction,
    record_redaction,
    record_retraction,
)
from schema.request import Info
from schema.scalars import Position
from schema.seen import seen, step
from schema.types.event import Event, event
from tracker.access import Scope
from tracker.commands import Commands
from tracker.domain import alliance, announcement, export_control, figure, preference
from tracker.domain.codec import convert
from tracker.domain.entity import Entity
from tracker.domain.values import Fact
from tracker.errors import InvalidInput, Path, TrackerError
from tracker.log.recorder import Appended

MOST_COMMANDS = 1000
"""How many commands are recorded together."""
BESIDE_INPUT = frozenset({"idempotencyKey", "expectedVersion"})
"""Arguments that stand beside the input, not in it."""

Key: TypeAlias = Annotated[str | None, argument(
    description="A text of your own by which this mutation counts once: sent again, it gives the"
    " first result again. It becomes the id of the event.")]
Version: TypeAlias = Annotated[int | None, argument(
    description="The version of the entity that you saw; 0: it must not exist. Left out, the"
    " mutation is decided on whatever the entity has become.")]


@output
class Recording:
    """What became of a mutation."""

    positions: list[Position] = field(description="The positions of the events it recorded.")
    position: Position = field(description="The last of them: ask asOf(position:) to see it.")
    event_id: str = field(description="The id of the event, for retractions.")
    entity: str = field(description="The entity, such as `alliance/quad`.")
    repeated: bool = field(
        description="Whether the same idempotency key had recorded it before; then nothing was"
        " recorded now, and the positions are those of then.")

    version: int = field(
        description="The version of the entity with it, to be expected by the next mutation.")
    event: Event = field(description="The event, as it is in the log.")


@output
class Batch:
    """What became of commands that were recorded together."""

    positions: list[Position] = field(
        description="The positions of their events, in the order of the commands.")
    position: Position = field(description="The last of them: ask asOf(position:) to see them.")
    events: list[Event] = field(description="Their events, as they are in the log.")
    repeated: bool = field(
        description="Whether the same idempotency key had recorded them before; then nothing was"
        " recorded now, and the positions are those of then.")


@dataclass(frozen=True, slots=True)
class Act:
    """A mutation that records one kind of fact."""

    name: str
    fact: type[Fact]
    of: type[Entity]
    description: str

    @property
    def names_entity(self) -> bool:
        """Whether the fact names its entity, so that no id is asked for."""
        return self.fact.stream is not Fact.stream

    def told(self, data: dict[str, Any]) -> tuple[str, Fact]:
        """The stream and the fact that an input tells: the fact names its entity, or its id does.
        """
        fact = convert(self.fact, {name: of for name, of in data.items() if name != "id"})
        return fact.stream or f"{self.of.KIND}/{data['id']}", fact


CONTROL, ALLIANCE = export_control.ExportControl, alliance.Alliance
ANNOUNCEMENT, FIGURE = announcement.Announcement, figure.Figure
PREFERENCE = preference.Preference
ACTS = (
    Act("announceExportControl", export_control.Announced, CONTROL,
        "An instrument is announced, with its clauses."),
    Act("enterIntoForce", export_control.EnteredIntoForce, CONTROL,
        "Clauses of an instrument are in force, from a day."),
    Act("amendExportControl", export_control.Amended, CONTROL,
        "Clauses of an instrument are worded anew, or joined by others."),
    Act("extendExportControl", export_control.Extended, CONTROL,
        "Clauses of an instrument hold longer than they said."),
    Act("suspendExportControl", export_control.Suspended, CONTROL,
        "Clauses of an instrument do not apply from a day on, until another; then they are back."),
    Act("extendSuspension", export_control.SuspensionExtended, CONTROL,
        "The suspension of clauses lasts longer."),
    Act("reinstateExportControl", export_control.Reinstated, CONTROL,
        "The suspension of clauses is over."),
    Act("expireExportControl", export_control.Expired, CONTROL,
        "Clauses of an instrument have ended."),
    Act("repealExportControl", export_control.Repealed, CONTROL,
        "Clauses of an instrument are withdrawn."),
    Act("disputeExportControl", export_control.Disputed, CONTROL,
        "Another source tells it otherwise: kept beside, not merged."),
    Act("recordAnnouncement", announcement.Made, ANNOUNCEMENT,
        "An announcement is made."),
    Act("supersedeAnnouncement", announcement.Superseded, ANNOUNCEMENT,
        "A later announcement takes the place of one."),
    Act("foundAlliance", alliance.Founded, ALLIANCE,
        "An alliance is founded, or an initiative launched as part of one."),
    Act("renameAlliance", alliance.Renamed, ALLIANCE,
        "An alliance goes by another name."),
    Act("succeedAlliance", alliance.Succeeded, ALLIANCE,
        "Another alliance takes the place of one."),
    Act("dissolveAlliance", alliance.Dissolved, ALLIANCE,
        "An alliance ends."),
    Act("recordFigure", figure.Claimed, FIGURE,
        "A publisher claims a number for a series, in one edition."),
    Act("preferPublisher", figure.Preferred, FIGURE,
        "A judgement: of the claims side by side on a figure, use this publisher's."),
    Act("orderPublishers", preference.Ordered, PREFERENCE,
        "In which order to trust publishers where figures have several claims."),
)


@strawberry.enum(description="How a membership changes.")
class MembershipChange(Enum):
    """How a membership changes."""

    JOINED = "joined"
    LEFT = "left"


def membership(data: dict[str, Any]) -> tuple[str, Fact]:
    """The stream and the fact that a change of membership tells."""
    joined = data["change"] == MembershipChange.JOINED.value
    act = Act("", alliance.MemberJoined if joined else alliance.MemberLeft, ALLIANCE, "")
    return act.told({name: of for name, of in data.items() if name != "change"})


TOLD = {**{act.name: act.told for act in ACTS}, "recordMembership": membership}
"""How the input of each mutation that records a fact is read."""


def records(name: str) -> Record:
    """How the mutation of a name is recorded."""

    async def record(commands: Commands, order: Order) -> Appended:
        stream, fact = TOLD[name](order.data)
        return await commands.record(stream, fact, idempotency_key=order.key,
                                     expected_version=order.expected, actor=order.actor)

    return record


async def record_correction(commands: Commands, order: Order) -> Appended:
    """Record that an event was wrong and what is right, both or neither."""
    [(name, right)] = order.data["replacement"].items()
    data = {name: of for name, of in order.data.items() if name != "replacement"}
    retraction = convert(Retraction, data)
    try:
        stream, fact = replaced(name, right)
        return await commands.correct(
            retraction.event_id, stream, fact, retraction.reason, retraction.source,
            idempotency_key=order.key, expected_version=order.expected, actor=order.actor)
    except TrackerError as error:
        if error.path[:1] == ("replacement",):
            error.path = ("replacement", name, *error.path[1:])
        raise


def replaced(name: str, data: dict[str, Any]) -> tuple[str, Fact]:
    """The stream and the fact of a replacement, with its errors where `Commands` has them."""
    try:
        return TOLD[name](data)
    except TrackerError as error:
        raise error.below("replacement") from None


async def carried_out(
    info: Info, input: Any, key: str | None, expected: int | None, record: Record,
    scope: Scope = Scope.RECORD,
) -> Recording:
    """Record what was ordered, by a caller of that scope, and wait until it can be read."""
    services, actor = info.context.services, info.context.writer(scope)
    try:
        check_text(key or "", "idempotencyKey")
        order = Order(plain(input), actor, key, expected)
        with step("append"):
            appended = await record(services.commands, order)
    except TrackerError as error:
        error.path = in_camel(error.path)
        raise error if set(error.path[:1]) & BESIDE_INPUT else error.below("input") from None
    await readable(services, appended)
    return await recording(info, appended)


async def carried_out_together(info: Info, commands: Sequence[Any], key: str | None) -> Batch:
    """Record commands, all or none, and wait until they can be read."""
    services, actor = info.context.services, info.context.writer()
    check_text(key or "", "idempotencyKey")
    if not 1 <= len(commands) <= MOST_COMMANDS:
        raise InvalidInput(f"expected 1 to {MOST_COMMANDS} commands", code="INVALID_BATCH_SIZE",
                           path=("commands",))
    asked = [next(iter(plain(command, "commands", index).items()))
             for index, command in enumerate(commands)]
    try:
        facts = [told_at(index, *command) for index, command in enumerate(asked)]
        with step("append"):
            appended = await services.commands.record_all(facts, idempotency_key=key, actor=actor)
    except TrackerError as error:
        match in_camel(error.path):
            case (int() as index, *rest):
                error.path = ("commands", index, asked[index][0], *rest)
        raise
    await readable(services, appended)
    return await batch(info, appended)


async def readable(services: Services, appended: Appended) -> None:
    """Wait until what was recorded can be read."""
    seen().reached(appended.positions[-1])
    with step("projection"):
        await services.projector.reach(appended.positions[-1])


def told_at(index: int, name: str, data: dict[str, Any]) -> tuple[str, Fact]:
    """The stream and the fact of a command, with its errors at its place in a batch."""
    try:
        return TOLD[name](data)
    except TrackerError as error:
        raise error.below(index) from None


def in_camel(path: Path) -> Path:
    """A path in the names that clients know."""
    return tuple(camel(step) if isinstance(step, str) else step for step in path)


async def batch(info: Info, appended: Appended) -> Batch:
    """What became of commands that were recorded together, read back from the log."""
    positions = appended.positions
    events = await info.context.services.recorder.read(positions[0] - 1, limit=len(positions))
    return Batch(
        positions=[Position(str(position)) for position in positions],
        position=Position(str(positions[-1])),
        events=[event(recorded) for recorded in events],
        repeated=appended.repeated,
    )


async def recording(info: Info, appended: Appended) -> Recording:
    """What became of a mutation, read back from the log."""
    last = appended.positions[-1]
    [recorded] = await info.context.services.recorder.read(last - 1, limit=1)
    return Recording(
        positions=[Position(str(position)) for position in appended.positions],
        position=Position(str(last)),
        event_id=recorded.event_id,
        entity=recorded.stream,
        repeated=appended.repeated,
        version=recorded.version,
        event=event(recorded),
    )


def mutation(name: str, input_class: type[Any], description: str, record: Record) -> Any:
    """A mutation with an expected version."""

    async def resolve(
        info: Info, input: Any, idempotency_key: Key = None, expected_version: Version = None
    ) -> Recording:
        return await carried_out(info, input, idempotency_key, expected_version, record)

    return _field(name, input_class, description, resolve)


def retraction(name: str, input_class: type[Any], description: str) -> Any:
    """The mutation that retracts: of an event, not of a version of an entity."""

    async def resolve(info: Info, input: Any, idempotency_key: Key = None) -> Recording:
        return await carried_out(info, input, idempotency_key, None, record_retraction)

    return _field(name, input_class, description, resolve)


def redaction(name: str, input_class: type[Any], description: str) -> Any:
    """The mutation that redacts: for administrators."""

    async def resolve(info: Info, input: Any, idempotency_key: Key = None) -> Recording:
        return await carried_out(info, input, idempotency_key, None, record_redaction, Scope.ADMIN)

    return _field(name, input_class, description, resolve)


def _field(name: str, input_class: type[Any], description: str, resolve: Any) -> Any:
    resolve.__name__ = name
    resolve.__annotations__["input"] = Annotated[
        input_class, argument(description="What is to be recorded.")]  # known only at run time
    return strawberry.mutation(resolver=resolve, name=name, description=description)


def input_of(act: Act) -> type[Any]:
    """The input type of an act: the fact, with the id of the entity unless the fact names it."""
    id = {} if act.names_entity else {"id": str}
    return input_type(f"{act.name[0].upper()}{act.name[1:]}Input", act.fact, act.description, id)


MEMBERSHIP = input_type(
    "RecordMembershipInput", alliance.MemberJoined,
    "A place becomes a member of an alliance, or is none any more.",
    {"id": str, "change": MembershipChange})
REDACTION = input_type("RedactEventInput", Redacting, description_of(Redacting))
RETRACTION = input_type("RetractEventInput", Retraction, description_of(Retraction))
INPUTS = {**{act.name: input_of(act) for act in ACTS}, "recordMembership": MEMBERSHIP}
"""The inputs of all mutations that record a fact."""
COMMAND = one_of(
    "CommandInput", INPUTS, "A fact to be recorded: the input of the mutation that records it,"
    " under the name of that mutation.")
CORRECTION = input_type(
    "CorrectEventInput", Retraction, "An event was wrong, and what is right: both are recorded, or"
    " neither.", {"replacement": COMMAND})

def together() -> Any:
    """The mutation that records many facts at once."""

    async def resolve(info: Info, commands: Any, idempotency_key: Key = None) -> Batch:
        return await carried_out_together(info, commands, idempotency_key)

    resolve.__name__ = "record"
    resolve.__annotations__["commands"] = Annotated[
        list[COMMAND], argument(  # type: ignore[valid-type]  # known at run time only
            description=f"What is to be recorded: 1 to {MOST_COMMANDS} facts, in their order.")]
    return strawberry.mutation(
        resolver=resolve, name="record", description="Records many facts in one transaction: all,"
        " or none. Each is decided on what those before it made. The path of an error leads to the"
        " command that is refused.")


Mutation = create_type("Mutation", [
    *(mutation(name, kind, described(kind), records(name))
      for name, kind in INPUTS.items()),
    retraction("retractEvent", RETRACTION, description_of(Retraction)),
    redaction("redactEvent", REDACTION,
              f"{description_of(Redacting)} Needs a token of scope admin."),
    mutation("correctEvent", CORRECTION, "An event was wrong, and what is right: retracts the one"
             " and records the other in its place, both or neither. The id of the result is that"
             " of the new event.", record_correction),
    together(),
], description="What can be recorded. Every mutation needs the token for writing, unless writing is"
   " open, and returns when it can be read.")
