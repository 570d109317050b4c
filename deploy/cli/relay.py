"""`tracker relay`: publish the log to a broker while the command runs."""

from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.bootstrap import open_pool, prepare
from deploy.cli import filter_options
from deploy.cli.common import DataDir, Form, Level, option, report_errors, run_with_database, stderr
from deploy.config import settings
from deploy.config.table import TABLE
from deploy.output.log_format import LogFormat, LogLevel, log_to_stderr
from tracker.delivery.endpoint import EndpointFilter
from tracker.delivery.relay.nats_address import NatsAddress, parse_servers, secrets_in
from tracker.delivery.relay.relay import Relay
from tracker.delivery.relay.sink import Sink
from tracker.delivery.relay.store import RelayStore
from tracker.errors import TrackerError
from tracker.log.durability import Durability
from tracker.log.follower import Follower
from tracker.log.recorder import Recorder
from tracker.postgres.database import DELIVERER, Target
from tracker.postgres.lease import POOL_SETTINGS

SINK_MODULE = "tracker.delivery.relay.jetstream"
POOL_CONNECTIONS = 4
Readable = {"exists": True, "dir_okay": False, "readable": True}


Url = Annotated[
    str,
    typer.Argument(
        envvar=TABLE["RELAY_URL"].variable,
        show_envvar=True,
        metavar="URL",
        help="The address of NATS: nats://host:4222, or tls://host:4222, which requires TLS; separate "
        "several servers of a cluster with commas.",
    ),
]
Name = Annotated[
    str, typer.Option(help="The name of the relay, under which its position in the log is stored.")
]
Stream = Annotated[str, typer.Option(help="The JetStream stream; created if missing.")]
Prefix = Annotated[
    str, typer.Option(help="The prefix of subjects: `minerals.ExportControl.Suspended`.")
]
Credentials = Annotated[
    Path | None,
    option(
        TABLE["RELAY_CREDENTIALS"],
        help="A file with a JWT and an nkey seed (`.creds`), or with a seed alone.",
        **Readable,
    ),
]
CertificateAuthorities = Annotated[
    Path | None,
    typer.Option(
        "--ca",
        help="The certificate authorities of the servers (default: the system's).",
        **Readable,
    ),
]
Certificate = Annotated[
    Path | None,
    typer.Option(
        help="A client certificate with its key, for servers that require one.", **Readable
    ),
]
Replicas = Annotated[
    int, typer.Option(min=1, max=5, help="Replicas of a stream that is created here.")
]
Window = Annotated[
    int, typer.Option(min=1, max=2048, help="Maximum number of unacknowledged messages.")
]


def relay(
    url: Url,
    name: Name = "nats",
    stream: Stream = "MINERALS",
    prefix: Prefix = "minerals",
    after: filter_options.AfterPosition = None,
    types: filter_options.OfTypes = None,
    commodity: filter_options.OfCommodities = None,
    place: filter_options.OfPlaces = None,
    about: filter_options.OfEntity = None,
    credentials: Credentials = None,
    ca: CertificateAuthorities = None,
    certificate: Certificate = None,
    replicas: Replicas = 1,
    window: Window = 512,
    data_dir: DataDir = None,
    log_level: Level = LogLevel.WARNING,
    log_format: Form = LogFormat.TEXT,
) -> None:
    """Publish new events to NATS JetStream, each once and in order, until Ctrl-C.

    It resumes at its position. If a stream has lost acknowledged events, they are published again from
    what it still has. A second relay of the same name waits and takes over.
    """
    log_to_stderr(log_level, log_format, [*settings.secrets(), *secrets_in(url)])
    with report_errors():
        address = NatsAddress(parse_servers(url), credentials, ca, certificate)
        filter = filter_options.requested_filter(types, commodity, place, about)
        sink = jetstream_sink(
            address,
            relay=name,
            stream=stream,
            prefix=prefix,
            replicas=replicas,
            window_messages=window,
        )

    async def work(target: Target) -> None:
        await prepare(target)
        await publish(target, sink, name, filter, after)

    run_with_database(data_dir, work, lasting=True)


def jetstream_sink(address: NatsAddress, **options: Any) -> Sink:
    """Return a JetStream stream. Raises InvalidInput, and TrackerError if its client is missing."""
    try:
        module = import_module(SINK_MODULE)
    except ImportError as error:
        raise TrackerError(
            f"NATS takes nats-py, which is not installed here ({error.name}): the extra `nats` has it",
            code="SINK_NOT_INSTALLED",
        ) from None
    sink: Sink = module.JetStreamSink(address, module.StreamOptions(**options))
    return sink


async def publish(
    target: Target, sink: Sink, name: str, filter: EndpointFilter, after: int | None
) -> None:
    """Publish until cancelled, and print a summary at the end."""
    options = {"role": DELIVERER, "settings": POOL_SETTINGS, "size": POOL_CONNECTIONS}
    durability = Durability()
    async with open_pool(target, **options, check=durability.check) as pool:
        recorder, store = Recorder(pool, durability=durability), RelayStore(pool, name)
        durability.confirm = recorder.confirm
        cursor = await store.begin(sink.name, filter, after, await recorder.head())
        stderr.print(
            f"Relay {name}: {sink.name}, after position {cursor.position} (Ctrl-C stops)",
            markup=False,
        )
        async with Follower(recorder, target) as follower:
            running = Relay(sink, store, recorder, follower, filter.selection)
            try:
                await running.run()
            finally:
                done = running.report
                stderr.print(
                    f"Relay {name}: {done.events} events were acknowledged;"
                    f" lost events were published again {done.refills} times.",
                    style="yellow" if done.refills else None,
                    markup=False,
                )
