"""The command line: `tracker`."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections.abc import Awaitable, Callable
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from starlette.applications import Starlette

from deploy import setting_table, settings
from deploy.bootstrap import migrate_log, opened_pool, running_tracker
from deploy.cli import audit, imports
from deploy.cli.assistants import mcp
from deploy.cli.changes import changes, transitions, upcoming
from deploy.cli.common import (
    DAY_FORM,
    DataDir,
    Form,
    Level,
    day,
    print_whole,
    report_errors,
    run_with_database,
    stderr,
)
from deploy.cli.corpus import corpus
from deploy.cli.demo_banner import print_demo_banner
from deploy.cli.endpoint import endpoints
from deploy.cli.entry import Commands, begin, run_command_line
from deploy.cli.facts import facts
from deploy.cli.key import keys
from deploy.cli.rebuild import rebuild
from deploy.cli.redact import redact
from deploy.cli.relay import relay
from deploy.cli.token import tokens
from deploy.cli.trust import KeyOptions, TrustBundleKey, bundle_at, run_without_database, trust_in
from deploy.demo import ACTOR, check_demo, check_no_demo, is_local
from deploy.imports import load_corpus
from deploy.log_format import LogFormat, LogLevel, json_formatter, log_to_stderr
from deploy.postgres import default_data_dir, demo_data_dir
from deploy.process import Exit, freeze_gc
from deploy.snapshot_file import replay as replayed
from deploy.snapshot_file import replay_bundle, write_snapshot
from deploy.terminal import escaped_json
from deploy.tracing import Traces, tracing
from deploy.web.app import make_app
from deploy.web.connections import Limits
from deploy.web.descriptors import within_descriptors
from deploy.web.server import PortTaken, create_server, listening_socket
from projections.query.as_of import moment_at_position, resolve_moment
from schema.base.scalars import Instant
from schema.inputs.arguments import parse_instant
from schema.services import Access, Services
from tracker.audit.sign.publisher import SigningOptions
from tracker.audit.verify.verifier import Verification
from tracker.auth.scopes import Caller, Scope, expand_scopes
from tracker.errors import InvalidInput
from tracker.log.follower import Follower
from tracker.log.recorder import Recorder
from tracker.log.resume_token import check_in_log, parse_resume_token
from tracker.postgres.database import Target

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""Critical minerals: who allied with whom, what is under export control, who produces how
    much, now or on any past day.

    Every fact is an event with its source, and nothing recorded ever changes. Begin with
    `tracker demo`.

    Exit codes: 0 done, 1 refused (the input breaks a rule), 2 wrong usage, 3 the database can't be
    reached, is not there, has ended or is in use, 70 an error of the tracker itself, 130
    interrupted.""",
)
app.callback()(begin)
Host = Annotated[
    str,
    typer.Option(
        setting_table.HOST.flag,
        envvar=setting_table.HOST.variable,
        help="The address to listen on.",
    ),
]
ValidAt = Annotated[
    date | None,
    typer.Option(parser=day, metavar=DAY_FORM, help="The day of the state (default: today, UTC)."),
]
KnownAt = Annotated[
    str | None,
    typer.Option(
        help="What had been recorded by this moment, YYYY-MM-DDTHH:MM:SSZ; not with --position."
    ),
]
AtPosition = Annotated[
    int | None, typer.Option(min=0, help="The position in the log (default: the last).")
]
Out = Annotated[
    Path | None,
    typer.Option(help="The file for the whole state; it gets this name when it is complete."),
]
CLI_CALLER = Caller("command line", expand_scopes([Scope.ADMIN]))
"""Whoever has the database needs no token."""


@app.command()
def demo(
    port: Annotated[
        int | None,
        typer.Option(
            setting_table.PORT.flag,
            envvar=setting_table.PORT.variable,
            min=0,
            max=65_535,
            show_default=False,
            help="The port to listen on (default: 8000, or a free one when that is taken).",
        ),
    ] = None,
    host: Host = "127.0.0.1",
    data_dir: DataDir = None,
    log_level: Level = LogLevel.WARNING,
    log_format: Form = LogFormat.TEXT,
) -> None:
    """Everything at once: PostgreSQL, the shipped corpus, the API and its page.

    Anyone who can reach the port may write, so that you can try mutations; use `tracker serve` for
    data that matters. It has a data directory of its own, and refuses a log that it did not begin.
    Stop it with Ctrl-C.
    """
    log_to_stderr(log_level, log_format, settings.secrets())
    data_dir = data_dir or demo_data_dir()
    with report_errors():
        access, traces = settings.access(demo=True), tracing()
        trusted = settings.trusted_documents()
        limits, signing = within_descriptors(settings.limits()), signing_of(data_dir)
        delivery, pooled = settings.delivery(), settings.pooled_target()
        listening = listen_somewhere(host, port)

    async def work(target: Target) -> None:
        await check_demo(target)
        observe = traces.work if traces else None
        async with running_tracker(target, signing, observe, delivery, pooled=pooled) as services:
            recorded = await load_corpus(target, services, stderr, actor=ACTOR)

            async def welcome(url: str) -> None:
                await print_demo_banner(
                    services,
                    url,
                    recorded,
                    Console(highlight=False),
                    data_dir=kept_in,
                    open_to=None if is_local(host) or not access.open else url,
                )

            served = make_app(services, access, traces, trusted=trusted)
            await serve_app(services, served, limits, listening, log_level, traces, welcome)

    kept_in = None if settings.database_url() else data_dir
    run_with_database(data_dir, work, make=True)


@app.command()
def serve(
    port: Annotated[
        int,
        typer.Option(
            setting_table.PORT.flag,
            envvar=setting_table.PORT.variable,
            min=0,
            max=65_535,
            help="The port to listen on.",
        ),
    ] = 8000,
    host: Host = "127.0.0.1",
    continue_demo: Annotated[
        bool,
        typer.Option(
            "--continue-demo",
            help="Go on with a log that `tracker demo` began, with all that is in it.",
        ),
    ] = False,
    data_dir: DataDir = None,
    log_level: Level = LogLevel.WARNING,
    log_format: Form = LogFormat.TEXT,
) -> None:
    """Serve the API on kept data: of the embedded PostgreSQL, or of `TRACKER_DATABASE_URL`.

    Mutations need `Authorization: Bearer` with a token of `tracker token create --scope record`;
    reading is open unless `TRACKER_READ` is `token`. The log is signed as it grows (docs/audit.md).
    """
    log_to_stderr(log_level, log_format, settings.secrets())
    with report_errors():
        access, traces = settings.access(), tracing()
        trusted = settings.trusted_documents()
        limits, signing = within_descriptors(settings.limits()), signing_of(data_dir)
        delivery, pooled = settings.delivery(), settings.pooled_target()
        reading = settings.read_target()
        listening = listening_socket(host, port)

    async def work(target: Target) -> None:
        if not continue_demo:
            await check_no_demo(target)
        observe = traces.work if traces else None
        async with running_tracker(
            target, signing, observe, delivery, pooled=pooled, reading=reading
        ) as services:
            served = make_app(services, access, traces, trusted=trusted)
            await serve_app(services, served, limits, listening, log_level, traces)

    run_with_database(data_dir, work, make=True)


def signing_of(data_dir: Path | None) -> SigningOptions | None:
    """With what the log of a data directory, or of the settings, is signed."""
    return settings.signing(data_dir or default_data_dir())


def listen_somewhere(host: str, port: int | None) -> socket.socket:
    """A socket on the port that was asked for; without one, on 8000 or, if taken, a free one."""
    if port is not None:
        return listening_socket(host, port)
    try:
        return listening_socket(host, 8000)
    except PortTaken:
        return listening_socket(host, 0)


async def serve_app(
    services: Services,
    served: Starlette,
    limits: Limits,
    listening: socket.socket,
    log_level: LogLevel,
    traces: Traces | None = None,
    welcome: Callable[[str], Awaitable[None]] | None = None,
) -> None:
    """Serve until a signal says stop; greet once requests can be answered. Raises LogSetBack where
    the log was set back: what this process keeps of it is false."""
    server = create_server(served, log_level, limits)
    freeze_gc()
    host, port = listening.getsockname()[:2]
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.01)
    if welcome is not None and not json_formatter():
        await welcome(url)
    else:
        stderr.print(f"Serving {url}/graphql (Ctrl-C stops)")
    logs = [each.recorder.durability for each in (services, services.writing)]
    noticing = [asyncio.create_task(log.noticed.wait()) for log in logs]
    try:
        await asyncio.wait((serving, *noticing), return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        await serving
        for log in logs:
            log.require_continuity()
    except asyncio.CancelledError:  # the database has ended: answer who still waits, then go
        server.should_exit = True
        await serving
        raise
    finally:
        for each in noticing:
            each.cancel()
        if traces:
            traces.end()


@app.command()
def query(
    document: Annotated[
        str, typer.Argument(metavar="GRAPHQL", help="The GraphQL document; - reads standard input.")
    ],
    variables: Annotated[str, typer.Option(help="Its variables, as a JSON object.")] = "{}",
    data_dir: DataDir = None,
) -> None:
    """Ask a GraphQL question and print the answer as JSON.

    For example: `tracker query '{ asOf(validAt: "2025-11-20") { exportControl(id:
    "cn-mofcom-2024-46") { clauses { key status suspendedUntil } } } }'`
    """
    values = parse_variables(variables)
    text = sys.stdin.read() if document == "-" else document

    async def work(target: Target) -> dict[str, Any]:
        async with running_tracker(target) as services:
            await services.projector.reach(await services.recorder.head(), seconds=600)
            from schema.execution.execute import execute  # late: see deploy/web/app.py

            return await execute(services, text, values, Access(), caller=CLI_CALLER)

    answer = run_with_database(data_dir, work)
    print_whole(map(escaped_json, json.dumps(answer, indent=2, ensure_ascii=False).split("\n")))
    if answer.get("errors"):
        raise typer.Exit(Exit.REFUSED)


def parse_variables(text: str) -> dict[str, Any]:
    """The variables of a query. Leaves with a usage error when they are not a JSON object."""
    try:
        values = json.loads(text)
    except ValueError as error:
        raise typer.BadParameter(
            f"expected a JSON object: {error}", param_hint="--variables"
        ) from None
    if not isinstance(values, dict):
        raise typer.BadParameter("expected a JSON object", param_hint="--variables")
    return values


@app.command()
def follow(
    after: Annotated[
        str | None,
        typer.Option(
            metavar="POSITION",
            help="Begin after this position, or after the event of this resume token; 0 prints everything"
            " (default: only what comes).",
        ),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Print events as they come, one CloudEvents JSON object a line, until Ctrl-C."""
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
                    entry = event.entry  # to programs as it is, to people without what steers
                    if sys.stdout.isatty():
                        entry = escaped_json(entry.decode()).encode()
                    sys.stdout.buffer.write(entry + b"\n")
                    sys.stdout.buffer.flush()

    run_with_database(data_dir, work)


@app.command()
def snapshot(
    valid_at: ValidAt = None,
    known_at: KnownAt = None,
    position: AtPosition = None,
    out: Out = None,
    data_dir: DataDir = None,
) -> None:
    """Write the whole state at a moment to a file, and print its digest.

    One JSON line an entity, in the order of their names: the digest is the SHA-256 of the file, and
    equals `{ asOf(validAt:, position:) { digest } }`. Without --out only the digest is printed.
    """
    known = moment_of(known_at)

    async def work(target: Target) -> str:
        async with running_tracker(target) as services:
            await services.projector.reach(await services.recorder.head(), seconds=600)
            moment = await services.as_of.resolve(valid_at, known, position)
            return await write_snapshot(services, moment, out, stderr)

    print(run_with_database(data_dir, work))


@app.command()
def replay(
    bundle: Annotated[
        Path | None,
        typer.Argument(
            metavar="[DIR]",
            show_default=False,
            help="A bundle, which is verified on the way; no database is needed (default: the log of"
            " the database).",
        ),
    ] = None,
    valid_at: ValidAt = None,
    known_at: KnownAt = None,
    position: AtPosition = None,
    out: Out = None,
    keys: KeyOptions = None,
    trust_bundle_key: TrustBundleKey = False,
    data_dir: DataDir = None,
) -> None:
    """The same as `tracker snapshot` from the log alone, folded in memory.

    If the two differ, the projection does not follow from the log.
    """
    known = moment_of(known_at)

    async def work(target: Target) -> str:
        async with opened_pool(target) as pool:
            recorder = Recorder(pool)
            moment = await resolve_moment(
                recorder, await recorder.head(), valid_at, known, position
            )
            return await replayed(recorder, moment, out, stderr)

    async def alone(directory: Path) -> str:
        log = bundle_at(directory)
        chosen_keys = await trust_in(log, keys, trust_bundle_key=trust_bundle_key)
        # A state has no texts, so that it follows from a bundle without them as well.
        verification = await Verification.begin(log, chosen_keys.trust, allow_missing_texts=True)
        moment = moment_at_position(verification.head.size, valid_at, known, position)
        return await replay_bundle(verification, moment, known, out, stderr)

    if bundle is None:
        print(run_with_database(data_dir, work))
    else:
        print(run_without_database(lambda: alone(bundle)))


def moment_of(known_at: str | None) -> datetime | None:
    """A moment from its text. Leaves when it is none."""
    with report_errors():
        return parse_instant(None if known_at is None else Instant(known_at), "knownAt")


@app.command()
def migrate(data_dir: DataDir = None) -> None:
    """Bring the database to this version: the log's tables, functions and roles.

    Every command that needs it does this by itself where its login may. Run it once with a login
    that owns the database and may create roles; then a login that is a member of `tracker_api`
    and `tracker_projector` is enough for the rest.
    """
    for name in run_with_database(data_dir, migrate_log, make=True):
        stderr.print(f"applied {name}")
    stderr.print("The database is of this version.")


app.add_typer(tokens)
app.add_typer(endpoints)
app.add_typer(keys)
app.add_typer(corpus)
app.command()(redact)
app.command()(rebuild)
app.command()(relay)
app.command()(changes)
app.command()(upcoming)
app.command()(transitions)
app.command()(facts)
app.command()(mcp)
audit.add_to(app)
imports.add_to(app)


def main() -> None:
    """The entry point."""
    run_command_line(app)


if __name__ == "__main__":
    main()
