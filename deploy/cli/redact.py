"""`tracker redact`: redact texts of an event, to comply with a law."""

from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from deploy.bootstrap import running_tracker
from deploy.cli.common import DataDir, report_errors, run_with_database, stderr
from deploy.cli.demo_log import check_no_mirror
from schema.services import Services
from tracker import clock
from tracker.domain.basics.codec import from_builtins
from tracker.domain.basics.values import PartialDate
from tracker.domain.entities.fact import Source
from tracker.log.append import AppendResult
from tracker.postgres.database import Target

ACTOR = "command line"
"""The actor of redactions on the command line."""
DemandSource = Annotated[
    str, typer.Option(metavar="NAME", help="The law, order or request that demands it.")
]
DemandPublisher = Annotated[str, typer.Option(help="The short id of the authority, in lowercase.")]
Yes = Annotated[bool, typer.Option("--yes", help="Skip the confirmation.")]


def redact(
    event: Annotated[str, typer.Argument(help="The id of the event.")],
    reason: Annotated[
        str,
        typer.Option(
            help="The reason. It is public and permanent, so it must not repeat the text."
        ),
    ],
    source: DemandSource,
    field: Annotated[
        list[str] | None,
        typer.Option(
            help="The path of a text, such as /quotation or /clauses/0/note; repeat it for several "
            "(default: all texts of the event).",
            show_default=False,
        ),
    ] = None,
    publisher: DemandPublisher = "tracker",
    yes: Yes = False,
    data_dir: DataDir = None,
) -> None:
    """Redact the note and quotation of an event permanently; the log records the redaction.

    The event and its proofs stay. Copies elsewhere are not affected, such as backups, archived WAL, and
    delayed replicas. docs/redaction.md lists the remaining steps.
    """

    async def record(services: Services, today: PartialDate, because: Source) -> AppendResult:
        return await services.commands.redact(
            event, reason, today, because, fields=field or (), actor=ACTOR
        )

    carry_out_redaction(f"Texts of {event}", publisher, source, yes, data_dir, record)


def carry_out_redaction(
    text_name: str,
    publisher: str,
    source: str,
    yes: bool,
    data_dir: DataDir,
    record: Callable[[Services, PartialDate, Source], Awaitable[AppendResult]],
) -> None:
    """Record a redaction after confirmation, and wait until it is projected.

    A publisher demands it by a source. `record` gets the day and the source.
    """
    today = PartialDate(clock.today().isoformat())
    with report_errors():
        because = from_builtins(
            Source, {"publisher": publisher, "name": source, "publishedOn": today}
        )
    if not yes:
        typer.confirm(f"{text_name} will be deleted permanently. Continue?", abort=True, err=True)

    async def work(target: Target) -> AppendResult:
        await check_no_mirror(target)
        async with running_tracker(target) as services:
            done = await record(services, today, because)
            await services.projector.reach(done.positions[-1], seconds=600)
            return done

    done = run_with_database(data_dir, work)
    stderr.print(f"Redacted, by the event at position {done.positions[-1]}.")
