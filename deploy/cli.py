"""The command line: `tracker`."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import sys
import time
from datetime import UTC, date, datetime
from typing import Annotated, Any

import typer
from rich.console import Console

from deploy import settings, sources
from deploy.bootstrap import opened, prepare, running
from deploy.console import DataDir, errors_for_people, note, on_database
from deploy.importing import load_corpus, progress_bar
from deploy.process import Exit
from deploy.server import PortTaken, create_server, listen
from deploy.welcome import greet
from projections.rebuild import rebuild as rebuild_projection
from projections.world import World
from schema.app import create_app
from schema.context import Access, Services
from schema.execute import execute
from tracker.errors import InvalidInput
from tracker.log.database import Target
from tracker.log.follow import Follower
from tracker.log.recorder import Recorder

app = typer.Typer(
    no_args_is_help=True, add_completion=False, rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""Critical minerals: who allied with whom, what is under export control, who produces how
    much, now or on any past day.

    Every fact is an event with its source, and nothing recorded ever changes. Begin with
    `tracker demo`.

    Exit codes: 0 done, 1 refused (the input breaks a rule), 2 wrong usage, 3 the database can't be
    reached or is in use, 130 interrupted.""",
)
Host = Annotated[str, typer.Option(
    settings.HOST.flag, envvar=settings.HOST.variable, help="The address to listen on.")]
LogLevel = Annotated[str, typer.Option(
    settings.LOG_LEVEL.flag, envvar=settings.LOG_LEVEL.variable,
    help="How much is logged: debug, info, warning or error.")]


@app.command()
def demo(
    port: Annotated[int | None, typer.Option(
        settings.PORT.flag, envvar=settings.PORT.variable, show_default=False,
        help="The port to listen on (default: 8000, or a free one when that is taken).")] = None,
    host: Host = "127.0.0.1",
    data_dir: DataDir = None,
    log_level: LogLevel = "warning",
) -> None:
    """Everything at once: PostgreSQL, the shipped corpus, the API and its page.

    Anyone who can reach the port may write, so that you can try mutations; use `tracker serve` for
    data that matters. Stop it with Ctrl-C.
    """
    token = settings.write_token()
    with errors_for_people():
        listening = listen_somewhere(host, port)

    async def work(target: Target) -> None:
        async with running(target) as services:
            recorded = await load_corpus(target, services, note)
            access = Access(token, open=token is None)
            await serve_app(services, access, listening, log_level, welcome=recorded)

    on_database(data_dir, work)


@app.command()
def serve(
    port: Annotated[int, typer.Option(
        settings.PORT.flag, envvar=settings.PORT.variable, help="The port to listen on.")] = 8000,
    host: Host = "127.0.0.1",
    data_dir: DataDir = None,
    log_level: LogLevel = "warning",
) -> None:
    """Serve the API on kept data: of the embedded PostgreSQL, or of `TRACKER_DATABASE_URL`.

    Reading is open; mutations need `Authorization: Bearer` with the token of
    `TRACKER_WRITE_TOKEN`, and nobody may write while none is set.
    """
    with errors_for_people():
        listening = listen(host, port)

    async def work(target: Target) -> None:
        async with running(target) as services:
            await serve_app(services, Access(settings.write_token()), listening, log_level)

    on_database(data_dir, work)


def listen_somewhere(host: str, port: int | None) -> socket.socket:
    """A socket on the port that was asked for; without one, on 8000 or, if taken, a free one."""
    if port is not None:
        return listen(host, port)
    try:
        return listen(host, 8000)
    except PortTaken:
        return listen(host, 0)


async def serve_app(
    services: Services, access: Access, listening: socket.socket, log_level: str,
    welcome: int | None = None,
) -> None:
    """Serve until a signal says stop; greet once requests can be answered."""
    logging.basicConfig(level=log_level.upper(), format="%(levelname)s %(name)s: %(message)s")
    server = create_server(create_app(services, access), log_level)
    host, port = listening.getsockname()[:2]
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.01)
    if welcome is not None:
        await greet(services, url, welcome, Console(highlight=False))
    else:
        note.print(f"Serving {url}/graphql (Ctrl-C stops)")
    await serving


@app.command()
def query(
    document: Annotated[str, typer.Argument(
        metavar="GRAPHQL", help="The GraphQL document; - reads standard input.")],
    variables: Annotated[str, typer.Option(help="Its variables, as a JSON object.")] = "{}",
    data_dir: DataDir = None,
) -> None:
    """Ask a GraphQL question and print the answer as JSON.

    For example: `tracker query '{ asOf(validAt: "2025-11-20") { exportControl(id:
    "cn-mofcom-2024-46") { clauses { id status suspendedUntil } } } }'`
    """
    values = parse_variables(variables)
    text = sys.stdin.read() if document == "-" else document

    async def work(target: Target) -> dict[str, Any]:
        async with running(target) as services:
            await services.projector.reach(await services.recorder.head(), seconds=600)
            return await execute(services, text, values, Access(open=True))

    answer = on_database(data_dir, work)
    print(json.dumps(answer, indent=2, ensure_ascii=False))
    if answer.get("errors"):
        raise typer.Exit(Exit.REFUSED)


def parse_variables(text: str) -> dict[str, Any]:
    """The variables of a query. Leaves with a usage error when they are not a JSON object."""
    try:
        values = json.loads(text)
    except ValueError as error:
        raise typer.BadParameter(f"expected a JSON object: {error}",
                                 param_hint="--variables") from None
    if not isinstance(values, dict):
        raise typer.BadParameter("expected a JSON object", param_hint="--variables")
    return values


@app.command()
def follow(
    after: Annotated[int | None, typer.Option(
        min=0, help="Begin after this position; 0 prints everything (default: only what comes)."
    )] = None,
    data_dir: DataDir = None,
) -> None:
    """Print events as they come, one CloudEvents JSON object a line, until Ctrl-C."""

    async def work(target: Target) -> None:
        async with opened(target) as pool:
            recorder = Recorder(pool)
            start = await recorder.head() if after is None else after
            async with Follower(recorder, target) as follower:
                async for event in follower.follow(start):
                    sys.stdout.buffer.write(event.entry + b"\n")
                    sys.stdout.buffer.flush()

    on_database(data_dir, work)


@app.command()
def replay(
    valid_at: Annotated[datetime | None, typer.Option(
        formats=["%Y-%m-%d"], help="The day of the state (default: today, UTC).")] = None,
    position: Annotated[int | None, typer.Option(
        min=0, help="The position in the log (default: the last).")] = None,
    data_dir: DataDir = None,
) -> None:
    """Fold the log in memory and print the digest of the state.

    The same as `{ asOf(validAt:, position:) { digest } }`, which is computed in the database: if
    the two differ, the projection does not follow from the log.
    """
    day = valid_at.date() if valid_at else datetime.now(UTC).date()

    async def work(target: Target) -> str:
        async with opened(target) as pool:
            return await replay_digest(Recorder(pool), day, position)

    print(on_database(data_dir, work))


async def replay_digest(recorder: Recorder, day: date, position: int | None) -> str:
    """The digest of the state on a day, from the events up to a position."""
    head = await recorder.head()
    until = head if position is None else position
    if until > head:
        raise InvalidInput(f"expected a position from 0 to {head}, the last one",
                           code="POSITION_AHEAD", path=("position",))
    world = World()
    with progress_bar(note) as progress:
        task = progress.add_task("replaying", total=until)
        async for event in recorder.read_all(until):
            world.add(event)
            progress.advance(task)
    note.print(f"position {until}, valid at {day}:")
    return world.digest(day, until)


@app.command()
def rebuild(data_dir: DataDir = None) -> None:
    """Make the projections anew from the log, and put them in place when they are complete."""

    async def work(target: Target) -> tuple[int, float]:
        await prepare(target)
        started = time.monotonic()
        with progress_bar(note) as progress:
            async with opened(target) as pool:
                task = progress.add_task("rebuilding", total=await Recorder(pool).head())
            position = await rebuild_projection(
                target, lambda reached: progress.update(task, completed=reached))
        return position, time.monotonic() - started

    position, seconds = on_database(data_dir, work)
    note.print(f"{position} events in {seconds:.1f} s, {position / seconds:,.0f} a second")


sources.add_to(app)


def main() -> None:
    """The entry point."""
    app()


if __name__ == "__main__":
    main()
