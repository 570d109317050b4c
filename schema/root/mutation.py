"""Mutations: one for every fact of the domain, built in the same way."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import strawberry
from strawberry import argument
from strawberry.tools import create_type

from schema.base.context import Info
from schema.base.decorators import description_of
from schema.inputs.input_types import description_of_kind, input_type
from schema.root.batch import (
    COMMAND_INPUT,
    CORRECTION_INPUT,
    MAX_COMMANDS,
    RETRACTION_INPUT,
    BatchResult,
    execute_batch,
)
from schema.root.commands import (
    CommandResult,
    Key,
    Record,
    RedactionInput,
    RetractionInput,
    SnapshotRedactionInput,
    Version,
    execute_command,
    record_correction,
    recorder_for,
    recorder_of,
)
from schema.root.endpoints import endpoint_mutations
from schema.root.fact_mutations import INPUTS
from schema.root.review import review_mutations
from schema.root.scenarios import scenario_mutations
from tracker.auth.scopes import Scope
from tracker.commands.handler import Commands

REDACTION_INPUT = input_type("RedactEventInput", RedactionInput, description_of(RedactionInput))

SNAPSHOT_REDACTION_INPUT = input_type(
    "RedactSnapshotInput", SnapshotRedactionInput, description_of(SnapshotRedactionInput)
)


def versioned_mutation(name: str, input_class: type[Any], description: str, record: Record) -> Any:
    """Return a mutation with an expected version."""

    async def resolve(
        info: Info, input: Any, idempotency_key: Key = None, expected_version: Version = None
    ) -> CommandResult:
        return await execute_command(info, input, idempotency_key, expected_version, record)

    return _field(name, input_class, description, resolve)


def unversioned_mutation(
    name: str,
    input_class: type[Any],
    description: str,
    record: Record,
    after: Callable[[Info, Any], Awaitable[None]] | None = None,
) -> Any:
    """Return a mutation that expects no version of an entity. All but retractions are for administrators."""
    scope = Scope.RECORD if name == "retractEvent" else Scope.ADMIN
    needed = "" if scope is Scope.RECORD else f" Needs a token of scope {scope.value}."

    async def resolve(info: Info, input: Any, idempotency_key: Key = None) -> CommandResult:
        done = await execute_command(info, input, idempotency_key, None, record, scope)
        if after:
            await after(info, input)
        return done

    return _field(name, input_class, description + needed, resolve)


async def remove_redacted_file(info: Info, input: Any) -> None:
    """Remove the file of a redacted snapshot."""
    await info.context.services.writing.snapshots.remove_redacted_file(input.sha256)


def _field(name: str, input_class: type[Any], description: str, resolve: Any) -> Any:
    resolve.__name__ = name
    resolve.__annotations__["input"] = Annotated[
        input_class, argument(description="The fact to record.")
    ]  # known only at run time
    return strawberry.mutation(resolver=resolve, name=name, description=description)


def record_mutation() -> Any:
    """Return the mutation that executes a batch of commands."""

    async def resolve(info: Info, commands: Any, idempotency_key: Key = None) -> BatchResult:
        return await execute_batch(info, commands, idempotency_key)

    resolve.__name__ = "record"
    resolve.__annotations__["commands"] = Annotated[
        list[COMMAND_INPUT],  # type: ignore[valid-type]  # known at run time only
        argument(description=f"The commands, 1 to {MAX_COMMANDS}, in the order of execution."),
    ]
    return strawberry.mutation(
        resolver=resolve,
        name="record",
        description="Executes several commands in one transaction, all or none. Each command sees the"
        " results of those before it. The path of an error names the refused command.",
    )


Mutation = create_type(
    "Mutation",
    [
        *(
            versioned_mutation(name, kind, description_of_kind(kind), recorder_for(name))
            for name, kind in INPUTS.items()
        ),
        unversioned_mutation(
            "retractEvent",
            RETRACTION_INPUT,
            description_of(RetractionInput),
            recorder_of(RetractionInput, Commands.retract),
        ),
        unversioned_mutation(
            "redactEvent",
            REDACTION_INPUT,
            description_of(RedactionInput),
            recorder_of(RedactionInput, Commands.redact),
        ),
        unversioned_mutation(
            "redactSnapshot",
            SNAPSHOT_REDACTION_INPUT,
            description_of(SnapshotRedactionInput),
            recorder_of(SnapshotRedactionInput, Commands.redact_snapshot),
            remove_redacted_file,
        ),
        versioned_mutation(
            "correctEvent",
            CORRECTION_INPUT,
            "Retracts a wrong event and records the right fact in its place, both or"
            " neither. The `eventId` of the result is that of the new event.",
            record_correction,
        ),
        record_mutation(),
        *endpoint_mutations(),
        *review_mutations(),
        *scenario_mutations(),
    ],
    description="Mutations record facts as events. They need a token of scope `record`,"
    " unless writing is open, and return once queries show the result."
    " Mutations of endpoints record nothing in the log and need a token of"
    " scope `endpoint`. Mutations of candidates need one of scope `review`,"
    " those of scenarios one of scope `scenario`.",
)
