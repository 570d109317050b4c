"""The commands that serve: `tracker demo` and `tracker serve`."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import Struct, structs
from rich.console import Console

from deploy.bootstrap import running_tracker, take_over_rows
from deploy.cli.common import (
    DataDir,
    Form,
    KeyOptions,
    Level,
    WithoutSnapshots,
    WitnessOptions,
    option,
    report_errors,
    run_with_database,
    stderr,
)
from deploy.cli.demo_banner import print_demo_banner
from deploy.cli.demo_log import (
    ACTOR,
    check_demo,
    check_mirror,
    check_no_demo,
    check_no_mirror,
    is_local,
)
from deploy.cli.import_progress import copy_log, load_corpus
from deploy.cli.process import freeze_gc
from deploy.config import settings
from deploy.config.access import access, trusted_documents
from deploy.config.mail import mail
from deploy.config.table import TABLE
from deploy.config.timestamps import timestamp_authority
from deploy.output.log_format import LogFormat, LogLevel, json_formatter, log_to_stderr
from deploy.output.tracing import Traces, tracing
from deploy.postgres import default_data_dir, demo_data_dir
from deploy.web.app import import_app, import_app_meanwhile
from deploy.web.connections import Limits
from deploy.web.descriptors import within_descriptors
from deploy.web.server import PortTaken, create_server, listening_socket
from projections.runner.folds import AnotherRelease
from schema.execution.persisted_documents import TrustedDocuments
from schema.receipts.timestamps import TimestampAuthority
from schema.services import Access, Services
from tracker.alerts.options import MailOptions
from tracker.audit.sign.publisher import SigningOptions
from tracker.delivery.deliverer import DeliveryOptions
from tracker.postgres.database import CONNECTION_ERRORS, Target
from tracker.watch.watcher import WatchOptions

if TYPE_CHECKING:
    from tracker.audit.mirror.database import MirrorOptions

Host = Annotated[str, option(TABLE["HOST"], help="The address to listen on.")]
Port = Annotated[int, option(TABLE["PORT"], min=0, max=65_535, help="The port to listen on.")]
DemoPort = Annotated[
    int | None,
    option(
        TABLE["PORT"],
        min=0,
        max=65_535,
        show_default=False,
        help="The port to listen on (default: 8000, or a free one if that is taken).",
    ),
]
ContinueDemo = Annotated[
    bool,
    typer.Option(
        "--continue-demo", help="Use a log that `tracker demo` began, with all of its events."
    ),
]
MirrorOf = Annotated[
    list[str] | None,
    typer.Option(
        "--mirror",
        metavar="URL",
        show_default=False,
        help="Mirror the log at this address, such as https://example.org/log, or in a directory, and serve"
        " it read-only; several are alternatives. Needs --key.",
    ),
]
Takeover = Annotated[
    bool,
    typer.Option(
        help="Rebuild rows of an older release and take them over. Without it, or if the rows are of a"
        " newer release, the server is unready until the rows are of its own release."
    ),
]


logger = logging.getLogger(__name__)


class ServerOptions(Struct, frozen=True):
    """The options of a server, from the settings and the flags."""

    access: Access
    documents: TrustedDocuments
    authority: TimestampAuthority | None
    traces: Traces | None
    limits: Limits
    signing: SigningOptions | None
    delivery: DeliveryOptions | None
    watch: WatchOptions | None
    mail: MailOptions | None
    pooled: Target | None
    reading: Target | None
    listening: socket.socket
    log_level: LogLevel
    mirror: "MirrorOptions | None" = None


def read_options(
    data_dir: Path, log_level: LogLevel, listen: Callable[[], socket.socket], *, demo: bool = False
) -> ServerOptions:
    """Read the settings of a server, and listen. Exits with a message on a wrong setting."""
    with report_errors():
        return ServerOptions(
            access=access(demo=demo),
            documents=trusted_documents(),
            authority=timestamp_authority(),
            traces=tracing(),
            limits=within_descriptors(settings.limits()),
            signing=settings.signing(data_dir),
            delivery=settings.delivery(),
            watch=settings.watch_options(),
            mail=None if demo else mail(),
            pooled=settings.pooled_target(),
            reading=None if demo else settings.read_target(),
            listening=listen(),
            log_level=log_level,
        )


def demo(
    port: DemoPort = None,
    host: Host = "127.0.0.1",
    data_dir: DataDir = None,
    log_level: Level = LogLevel.WARNING,
    log_format: Form = LogFormat.TEXT,
) -> None:
    """Start everything: PostgreSQL, the shipped corpus, the API and its pages.

    Anyone who can reach the port may write, so that you can try mutations. Use `tracker serve` for
    production data. The demo has its own data directory, and rejects a log that it did not begin. Stop
    it with Ctrl-C.
    """
    log_to_stderr(log_level, log_format, settings.secrets())
    directory = data_dir or demo_data_dir()
    options = read_options(directory, log_level, lambda: listen_somewhere(host, port), demo=True)

    async def work(target: Target) -> None:
        await check_demo(target)
        copied = await copy_log(target, stderr)
        async with running_server(target, options) as services:
            await take_over_rows(target)
            recorded = await load_corpus(target, services, stderr, copied=copied, actor=ACTOR)
            await asyncio.to_thread(import_app)  # still running, if the corpus was recorded before

            async def welcome(url: str) -> None:
                await print_demo_banner(
                    services,
                    url,
                    recorded,
                    Console(highlight=False),
                    data_dir=None if settings.database_url() else directory,
                    open_to=None if is_local(host) or not options.access.open else url,
                )

            await serve_app(services, options, welcome)

    import_app_meanwhile()
    run_with_database(directory, work, make=True, lasting=True, migrates=True)


def serve(
    port: Port = 8000,
    host: Host = "127.0.0.1",
    continue_demo: ContinueDemo = False,
    takeover: Takeover = True,
    mirrors: MirrorOf = None,
    keys: KeyOptions = None,
    witnesses: WitnessOptions = None,
    without_snapshots: WithoutSnapshots = False,
    data_dir: DataDir = None,
    log_level: Level = LogLevel.WARNING,
    log_format: Form = LogFormat.TEXT,
) -> None:
    """Serve the API on stored data: of the embedded PostgreSQL, or of `TRACKER_DATABASE_URL`.

    Mutations need `Authorization: Bearer` with a token of `tracker token create --scope record`.
    Reading needs no token unless `TRACKER_READ` is `token`. The log is signed as it grows
    (docs/audit.md). With --mirror the server copies another log, verifies it by --key, and serves it
    read-only (docs/operating/mirror.md).
    """
    log_to_stderr(log_level, log_format, settings.secrets())
    directory = data_dir or default_data_dir()
    options = read_options(directory, log_level, lambda: listening_socket(host, port))
    with ExitStack() as stack:
        if mirrors:
            # Here, as it would delay every other start.
            from deploy.cli.mirror import open_origins

            mirror = stack.enter_context(
                open_origins(mirrors, keys, witnesses, directory / "mirror", not without_snapshots)
            )
            options = structs.replace(
                options, signing=None, delivery=None, watch=None, mail=None, mirror=mirror
            )
        elif keys or witnesses:
            raise typer.BadParameter("expected --mirror beside it", param_hint="--key")
        _serve(options, data_dir, continue_demo=continue_demo, takeover=takeover)


def _serve(
    options: ServerOptions, data_dir: Path | None, *, continue_demo: bool, takeover: bool
) -> None:
    async def work(target: Target) -> None:
        if options.mirror:
            await check_mirror(target)
        else:
            await check_no_mirror(target)
            if not continue_demo:
                await check_no_demo(target)
        import_app()  # before background tasks start: see deploy/web/app.py
        async with running_server(target, options) as services:
            await serve_app(services, options, take_over=takeover)

    import_app_meanwhile()
    run_with_database(data_dir, work, make=True, lasting=True, migrates=True)


@asynccontextmanager
async def running_server(target: Target, options: ServerOptions) -> AsyncIterator[Services]:
    """Run the tracker of a server for the duration of a block."""
    async with running_tracker(
        target,
        options.signing,
        options.traces.work if options.traces else None,
        options.delivery,
        options.watch,
        mail=options.mail,
        pooled=options.pooled,
        reading=options.reading,
        serves=True,
        mirror=options.mirror,
    ) as services:
        yield services


def listen_somewhere(host: str, port: int | None) -> socket.socket:
    """Listen on a port; by default on 8000 or, if that is taken, on a free one."""
    if port is not None:
        return listening_socket(host, port)
    try:
        return listening_socket(host, 8000)
    except PortTaken:
        return listening_socket(host, 0)


async def serve_app(
    services: Services,
    options: ServerOptions,
    welcome: Callable[[str], Awaitable[None]] | None = None,
    *,
    take_over: bool = False,
) -> None:
    """Serve until a stop signal; call `welcome` with the URL once requests are accepted.

    Then, if it may `take_over`, rebuild rows of an older release: until then that release answers. Raises
    LogSetBack if the log was reset, because the caches of this process are wrong then.
    """
    create_app, traces, listening = import_app(), options.traces, options.listening
    app = create_app(
        services, options.access, traces, trusted=options.documents, authority=options.authority
    )
    server = create_server(app, options.log_level, options.limits)
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
    taking = asyncio.create_task(take_over_at_last(services, take_over))
    try:
        await asyncio.wait((serving, taking, *noticing), return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        await serving
        if taking.done():
            taking.result()
        for log in logs:
            log.require_continuity()
    except asyncio.CancelledError:  # the database has stopped: answer pending requests, then exit
        server.should_exit = True
        await serving
        raise
    finally:
        for each in (taking, *noticing):
            each.cancel()
        await asyncio.wait([taking])
        if traces:
            traces.end()


async def take_over_at_last(services: Services, allowed: bool) -> None:
    """Take over rows of an older release, as the last step of a start. It ends only with an error."""
    while allowed and not services.replica:
        try:
            await take_over_rows(services.writing.follower.target)
            break
        except AnotherRelease:
            break  # the projectors have logged it
        except CONNECTION_ERRORS as error:
            logger.warning("the rows could not be rebuilt; retrying: %s", error)
            await asyncio.sleep(1)
    await asyncio.Event().wait()
