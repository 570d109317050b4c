"""Mutations: one for every fact of the domain, built in the same way."""

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
    record_redaction,
    record_retraction,
    record_snapshot_redaction,
    recorder_for,
)
from schema.root.endpoints import endpoint_mutations
from schema.root.fact_mutations import INPUTS
from schema.root.review import review_mutations
from tracker.auth.scopes import Scope

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


def retraction_mutation(name: str, input_class: type[Any], description: str) -> Any:
    """Return the mutation that retracts an event; it expects no version of an entity."""

    async def resolve(info: Info, input: Any, idempotency_key: Key = None) -> CommandResult:
        return await execute_command(info, input, idempotency_key, None, record_retraction)

    return _field(name, input_class, description, resolve)


def redaction_mutation(name: str, input_class: type[Any], description: str) -> Any:
    """Return the mutation that redacts texts, for administrators."""

    async def resolve(info: Info, input: Any, idempotency_key: Key = None) -> CommandResult:
        return await execute_command(
            info, input, idempotency_key, None, record_redaction, Scope.ADMIN
        )

    return _field(name, input_class, description, resolve)


def snapshot_redaction_mutation(name: str, input_class: type[Any], description: str) -> Any:
    """Return the mutation that redacts snapshots, for administrators."""

    async def resolve(info: Info, input: Any, idempotency_key: Key = None) -> CommandResult:
        done = await execute_command(
            info, input, idempotency_key, None, record_snapshot_redaction, Scope.ADMIN
        )
        await info.context.services.writing.snapshots.remove_redacted_file(input.sha256)
        return done

    return _field(name, input_class, description, resolve)


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
        retraction_mutation("retractEvent", RETRACTION_INPUT, description_of(RetractionInput)),
        redaction_mutation(
            "redactEvent",
            REDACTION_INPUT,
            f"{description_of(RedactionInput)} Needs a token of scope admin.",
        ),
        snapshot_redaction_mutation(
            "redactSnapshot",
            SNAPSHOT_REDACTION_INPUT,
            f"{description_of(SnapshotRedactionInput)} Needs a token of scope admin.",
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
    ],
    description="Mutations record facts as events. They need a token of scope `record`,"
    " unless writing is open, and return once queries show the result."
    " Mutations of endpoints record nothing in the log and need a token of"
    " scope `endpoint`. Mutations of candidates need one of scope `review`.",
)
