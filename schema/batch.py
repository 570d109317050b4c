"""Many commands in one transaction: all of them are recorded, or none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from strawberry import field

from schema.acts import INPUTS, TOLD
from schema.described import output
from schema.inputs import check_text, one_of, plain
from schema.recording import in_camel
from schema.request import Info
from schema.scalars import Position
from schema.types.event import Event, event
from tracker.domain.values import Fact
from tracker.errors import InvalidInput, TrackerError
from tracker.log.recorder import Appended

MOST_COMMANDS = 1000
"""How many commands are recorded together."""
COMMAND = one_of(
    "CommandInput", INPUTS, "A fact to be recorded: the input of the mutation that records it,"
    " under the name of that mutation.")


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
        appended = await services.commands.record_all(facts, idempotency_key=key, actor=actor)
    except TrackerError as error:
        match in_camel(error.path):
            case (int() as index, *rest):
                error.path = ("commands", index, asked[index][0], *rest)
        raise
    await services.projector.reach(appended.positions[-1])
    return await batch(info, appended)


def told_at(index: int, name: str, data: dict[str, Any]) -> tuple[str, Fact]:
    """The stream and the fact of a command, with its errors at its place in a batch."""
    try:
        return TOLD[name](data)
    except TrackerError as error:
        raise error.below(index) from None


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
