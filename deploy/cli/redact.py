"""`tracker redact`: texts of an event go, since a law says so."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from deploy.bootstrap import running_tracker
from deploy.cli.common import DataDir, report_errors, run_with_database, stderr
from schema.services import Services
from tracker import clock
from tracker.domain.codec import from_builtins
from tracker.domain.values import PartialDate, Source
from tracker.log.append import AppendResult
from tracker.postgres.database import Target

ACTOR = "command line"
"""The actor of what is redacted by a command."""
DemandSource = Annotated[
    str, typer.Option(metavar="NAME", help="The law, the order or the request that demands it.")
]
DemandPublisher = Annotated[
    str, typer.Option(help="The short id of who demands it, in small letters.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask whether you are sure.")]


def redact(
    event: Annotated[str, typer.Argument(help="The id of the event whose texts are redacted.")],
    reason: Annotated[
        str,
        typer.Option(
            help="Why they are redacted. It is public and permanent, so it must not repeat them."
        ),
    ],
    source: DemandSource,
    field: Annotated[
        list[str] | None,
        typer.Option(
            help="Which text, such as /quotation or /clauses/0/note; give several by repeating this"
            " (default: all of the event).",
            show_default=False,
        ),
    ] = None,
    publisher: DemandPublisher = "tracker",
    yes: Yes = False,
    data_dir: DataDir = None,
) -> None:
    """Take the note and the quotation out of an event for ever; the log says that it was done.

    The event stays, and every proof about it. Copies elsewhere are not reached: backups, archived
    WAL, replicas that lag, whoever has read it. docs/redaction.md says what is left to do.
    """

    async def record(services: Services, today: PartialDate, because: Source) -> AppendResult:
        return await services.commands.redact(
            event, reason, today, because, fields=field or (), actor=ACTOR
        )

    carry_out_redaction(f"Texts of {event}", publisher, source, yes, data_dir, record)


def carry_out_redaction(
    what: str,
    publisher: str,
    source: str,
    yes: bool,
    data_dir: DataDir,
    record: Callable[[Services, PartialDate, Source], Awaitable[AppendResult]],
) -> None:
    """Have a redaction recorded that a publisher demands by a source, once a person is sure, and wait
    until it is projected. `record` gets its day and its source."""
    today = PartialDate(clock.today().isoformat())
    with report_errors():
        because = from_builtins(
            Source, {"publisher": publisher, "name": source, "publishedOn": today}
        )
    if not yes:
        typer.confirm(f"{what} will be gone for ever. Go on?", abort=True, err=True)

    async def work(target: Target) -> AppendResult:
        async with running_tracker(target) as services:
            done = await record(services, today, because)
            await services.projector.reach(done.positions[-1], seconds=600)
            return done

    done = run_with_database(data_dir, work)
    stderr.print(f"Redacted, by the event at position {done.positions[-1]}.")
