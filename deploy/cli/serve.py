"""The commands that serve: `tracker demo` and `tracker serve`."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from starlette.applications import Starlette

from deploy.bootstrap import running_tracker
from deploy.cli.common import DataDir, Form, Level, report_errors, run_with_database, stderr
from deploy.cli.demo_banner import print_demo_banner
from deploy.cli.demo_log import ACTOR, check_demo, check_no_demo, is_local
from deploy.cli.import_progress import load_corpus
from deploy.cli.process import freeze_gc
from deploy.config import access_settings, setting_table, settings
from deploy.config.watching import watch_options
from deploy.output.log_format import LogFormat, LogLevel, json_formatter, log_to_stderr
from deploy.output.tracing import Traces, tracing
from deploy.postgres import default_data_dir, demo_data_dir
from deploy.web.app import import_app
from deploy.web.connections import Limits
from deploy.web.descriptors import within_descriptors
from deploy.web.server import PortTaken, create_server, listening_socket
from schema.services import Services
from tracker.audit.sign.publisher import SigningOptions
from tracker.postgres.database import Target

Host = Annotated[
    str,
    typer.Option(
        setting_table.HOST.flag,
        envvar=setting_table.HOST.variable,
        help="The address to listen on.",
    ),
]


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
        access, traces = access_settings.access(demo=True), tracing()
        trusted = access_settings.trusted_documents()
        limits, signing = within_descriptors(settings.limits()), signing_of(data_dir)
        delivery, pooled = settings.delivery(), settings.pooled_target()
        watched = watch_options()
        listening = listen_somewhere(host, port)

    async def work(target: Target) -> None:
        await check_demo(target)
        create_app = import_app()
        observe = traces.work if traces else None
        async with running_tracker(
            target, signing, observe, delivery, watched, pooled=pooled, serves=True
        ) as services:
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

            served = create_app(services, access, traces, trusted=trusted)
            await serve_app(services, served, limits, listening, log_level, traces, welcome)

    kept_in = None if settings.database_url() else data_dir
    run_with_database(data_dir, work, make=True, lasting=True, migrates=True)


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
        access, traces = access_settings.access(), tracing()
        trusted = access_settings.trusted_documents()
        limits, signing = within_descriptors(settings.limits()), signing_of(data_dir)
        delivery, pooled = settings.delivery(), settings.pooled_target()
        watched = watch_options()
        reading = settings.read_target()
        listening = listening_socket(host, port)

    async def work(target: Target) -> None:
        if not continue_demo:
            await check_no_demo(target)
        create_app = import_app()
        observe = traces.work if traces else None
        async with running_tracker(
            target, signing, observe, delivery, watched, pooled=pooled, reading=reading, serves=True
        ) as services:
            served = create_app(services, access, traces, trusted=trusted)
            await serve_app(services, served, limits, listening, log_level, traces)

    run_with_database(data_dir, work, make=True, lasting=True, migrates=True)


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
