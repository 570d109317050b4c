"""`tracker follow`: new events of the log."""

import sys
from typing import Annotated

import typer

from deploy.bootstrap import opened_pool
from deploy.cli.common import DataDir, run_with_database
from deploy.output.terminal import escaped_json
from tracker.errors import InvalidInput
from tracker.log.follower import Follower
from tracker.log.recorder import Recorder
from tracker.log.resume_token import parse_resume_token
from tracker.log.resumption import check_in_log
from tracker.postgres.database import Target


def follow(
    after: Annotated[
        str | None,
        typer.Option(
            metavar="POSITION",
            help="Start after this position, or after the event of this resume token; 0 prints "
            "everything (default: only new events).",
        ),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Print new events, one CloudEvents JSON object per line, until Ctrl-C."""
    try:
        token = None if after is None else parse_resume_token(after, "after")
    except InvalidInput as error:
        raise typer.BadParameter(error.message, param_hint="--after") from None

    async def work(target: Target) -> None:
        async with opened_pool(target) as pool:
            recorder = Recorder(pool)
            start = head = await recorder.head()
            if token is not None:
                await check_in_log(recorder, token, head, "after")
                start = token.position
            async with Follower(recorder, target) as follower:
                async for event in follower.follow(start):
                    entry = (
                        event.entry
                    )  # to programs unchanged, to terminals without control characters
                    if sys.stdout.isatty():
                        entry = escaped_json(entry.decode()).encode()
                    sys.stdout.buffer.write(entry + b"\n")
                    sys.stdout.buffer.flush()

    run_with_database(data_dir, work, lasting=True)
