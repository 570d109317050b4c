"""`tracker endpoint`: manage addresses that receive events."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from deploy.bootstrap import opened_pool
from deploy.cli import filter_options
from deploy.cli.common import DataDir, report_errors, run_with_database, stderr
from deploy.cli.rows import Row, print_rows
from deploy.config import settings
from tracker import clock
from tracker.delivery.endpoint import Endpoint, EndpointFormat, Manager, NewEndpoint
from tracker.delivery.endpoints import DEFAULT_OVERLAP_HOURS, Endpoints
from tracker.delivery.lag import Lag, read_lag
from tracker.log.recorder import Recorder
from tracker.postgres.database import Target

T = TypeVar("T")
MANAGER = Manager("command line")
"""The manager of all endpoints: access to the database is enough."""

endpoints = typer.Typer(
    name="endpoint",
    no_args_is_help=True,
    help="Manage endpoints: addresses that receive events in order. An endpoint has a position in the "
    "log, from which deliveries resume.",
)
Name = Annotated[str, typer.Argument(help="The name, from `tracker endpoint list`.")]
Reason = Annotated[str, typer.Option(help="The reason. It stays on record.")]
Limit = Annotated[
    int, typer.Option(min=1, max=1000, help="Maximum number of entries, newest first.")
]


@endpoints.command()
def add(
    url: Annotated[str, typer.Argument(help="The https address.")],
    name: Annotated[
        str | None, typer.Option(help="A name of your choice (default: the host of the address).")
    ] = None,
    after: filter_options.AfterPosition = None,
    types: filter_options.OfTypes = None,
    commodity: filter_options.OfCommodities = None,
    place: filter_options.OfPlaces = None,
    about: filter_options.OfEntity = None,
    format: Annotated[
        EndpointFormat,
        typer.Option(help="The format: the events, or messages for a chat in Slack or Teams."),
    ] = EndpointFormat.EVENTS,
    batch: Annotated[
        int,
        typer.Option(min=1, help="Maximum number of events per request; 1 sends each separately."),
    ] = 1,
    proof: Annotated[
        bool, typer.Option("--proof", help="Send an inclusion proof with each event.")
    ] = False,
    hmac: Annotated[
        bool,
        typer.Option(
            "--hmac", help="Also sign with a shared secret, for libraries without Ed25519."
        ),
    ] = False,
    owner: Annotated[
        str | None,
        typer.Option(
            help="The name of the token that may manage it (default: administrators only)."
        ),
    ] = None,
    reason: Annotated[str | None, typer.Option(help="The purpose. It stays on record.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Add an endpoint, and print its signing keys. A secret is shown once."""
    with report_errors():
        new = NewEndpoint(
            url=url,
            name=name,
            after=after,
            filter=filter_options.requested_filter(types, commodity, place, about),
            format=format,
            max_batch_events=batch,
            with_proof=proof,
            with_hmac=hmac,
            owner=owner,
        )
    print_keys(*manage(data_dir, lambda of: of.add(new, MANAGER, reason)))


@endpoints.command(name="list")
def list_(data_dir: DataDir = None) -> None:
    """List all endpoints: name, state, position, consecutive failures, last acceptance, owner, address."""
    print_rows(
        (
            of.name,
            of.state.value,
            of.position,
            of.failures,
            of.last_accepted_at,
            of.owner,
            of.shown_url,
        )
        for of in manage(data_dir, lambda of: of.all(MANAGER))
    )


@endpoints.command()
def show(name: Name, data_dir: DataDir = None) -> None:
    """Show an endpoint: position, pending events, errors, and the keys that verify it."""

    async def work(target: Target) -> tuple[Endpoint, Lag]:
        async with opened_pool(target) as pool:
            recorder = Recorder(pool)
            endpoint = await Endpoints(pool, recorder, settings.delivery_networks()).get(
                name, MANAGER
            )
            return endpoint, await read_lag(recorder, endpoint.filter.selection, endpoint.position)

    endpoint, lag = run_with_database(data_dir, work)
    print_rows([*describe(endpoint), *describe_lag(lag), *describe_keys(endpoint)])


@endpoints.command()
def pause(name: Name, reason: Reason, data_dir: DataDir = None) -> None:
    """Pause the deliveries to an endpoint. Its position is kept without a time limit."""
    manage(data_dir, lambda of: of.pause(name, MANAGER, reason))
    stderr.print(f"{name} is paused.", markup=False)


@endpoints.command()
def resume(name: Name, reason: Reason, data_dir: DataDir = None) -> None:
    """Resume a paused or disabled endpoint at its position."""
    manage(data_dir, lambda of: of.resume(name, MANAGER, reason))
    stderr.print(f"{name} is resumed.", markup=False)


@endpoints.command()
def replay(
    name: Name,
    reason: Reason,
    first: Annotated[
        int | None, typer.Option("--from", min=1, help="The first position.", show_default=False)
    ] = None,
    last: Annotated[
        int | None,
        typer.Option("--to", min=1, help="The last position (default: the endpoint's position)."),
    ] = None,
    end: Annotated[
        bool, typer.Option("--end", help="Cancel an unfinished replay instead.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Send events again, before new ones, with their original ids. The position does not change."""
    if end is not (first is None) or (end and last is not None):
        raise typer.BadParameter("expected either --from (and --to), or --end")
    if first is None:
        manage(data_dir, lambda of: of.end_replay(name, MANAGER, reason))
        stderr.print(f"The replay of {name} is cancelled.", markup=False)
        return
    replay_state = manage(data_dir, lambda of: of.replay(name, MANAGER, first, last, reason)).replay
    if replay_state is not None:
        span = f"{replay_state.first_position} to {replay_state.last_position}"
        stderr.print(f"{name} gets {span} again: {replay_state.events} events.", markup=False)


@endpoints.command()
def park(
    name: Name,
    position: Annotated[int, typer.Argument(min=1, help="The position of the event.")],
    reason: Reason,
    data_dir: DataDir = None,
) -> None:
    """Park one event so that later ones are sent. `retry` with its position sends it."""
    manage(data_dir, lambda of: of.park(name, MANAGER, position, reason))
    stderr.print(f"Position {position} of {name} is parked.", markup=False)


@endpoints.command()
def parked(name: Name, data_dir: DataDir = None) -> None:
    """List parked events: position, time, actor, reason, last error."""
    print_rows(
        (of.position, of.parked_at, of.parked_by, of.reason, of.last_error)
        for of in manage(data_dir, lambda of: of.parked(name, MANAGER))
    )


@endpoints.command()
def retry(
    name: Name,
    reason: Reason,
    position: Annotated[
        int | None,
        typer.Argument(
            min=1,
            help="The position of a parked event (default: the failing delivery).",
            show_default=False,
        ),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Retry a delivery now: the failing one, or a parked one."""
    manage(data_dir, lambda of: of.retry(name, MANAGER, position, reason))
    subject = "The delivery" if position is None else f"Position {position}"
    stderr.print(f"{subject} of {name} is retried.", markup=False)


@endpoints.command()
def rotate(
    name: Name,
    reason: Reason,
    overlap_hours: Annotated[
        int, typer.Option(min=0, help="Hours for which the old keys sign along with the new ones.")
    ] = DEFAULT_OVERLAP_HOURS,
    data_dir: DataDir = None,
) -> None:
    """Replace the keys of an endpoint, and print the new ones. A secret is shown once."""
    print_keys(*manage(data_dir, lambda of: of.rotate(name, MANAGER, overlap_hours, reason)))


@endpoints.command()
def remove(
    name: Name,
    reason: Reason,
    yes: Annotated[bool, typer.Option("--yes", help="Skip the confirmation.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Remove an endpoint with its position and keys. To stop deliveries for a time, `pause` it."""
    if not yes:
        typer.confirm(
            f"The position and the keys of {name} will be deleted. Continue?", abort=True, err=True
        )
    manage(data_dir, lambda of: of.remove(name, MANAGER, reason))
    stderr.print(f"{name} is removed.", markup=False)


@endpoints.command()
def deliveries(
    name: Name,
    limit: Limit = 20,
    failed: Annotated[bool, typer.Option("--failed", help="Only failed requests.")] = False,
    data_dir: DataDir = None,
) -> None:
    """List the last requests, newest first: time, first and last position, attempt, accepted or failed,
    HTTP status, seconds, error."""
    print_rows(
        (
            of.attempted_at,
            of.first_position,
            of.last_position,
            of.attempt,
            "accepted" if of.error is None else "failed",
            of.status,
            f"{of.duration_seconds:.3f}",
            of.error,
        )
        for of in manage(data_dir, lambda of: of.attempts(name, MANAGER, limit, failed=failed))
    )


@endpoints.command()
def changes(name: Name, limit: Limit = 20, data_dir: DataDir = None) -> None:
    """List the changes of an endpoint, newest first: time, actor, action, reason, parameters."""
    print_rows(
        (of.changed_at, of.actor, of.action, of.reason, of.detail)
        for of in manage(data_dir, lambda of: of.changes(name, MANAGER, limit))
    )


def manage(data_dir: Path | None, do: Callable[[Endpoints], Awaitable[T]]) -> T:
    """Run an operation on the endpoints of the database of the settings."""

    async def work(target: Target) -> T:
        networks = settings.delivery_networks()
        async with opened_pool(target) as pool:
            return await do(Endpoints(pool, Recorder(pool), networks))

    return run_with_database(data_dir, work)


def describe(of: Endpoint) -> list[Row]:
    """Return the state and errors of an endpoint as rows."""
    filter, replay = of.filter, of.replay
    return [
        ("name", of.name),
        ("url", of.shown_url),
        ("owner", of.owner),
        ("state", of.state.value),
        ("types", filter.types),
        ("commodities", filter.commodities),
        ("places", filter.places),
        ("about", filter.entity),
        ("format", of.format.value),
        ("batch", of.max_batch_events),
        ("proof", of.with_proof),
        ("created", of.created_at),
        ("started after", of.started_after),
        ("position", of.position),
        ("previous position", of.previous_position),
        ("last accepted", of.last_accepted_at),
        ("failures", of.failures),
        ("failing since", of.failing_since),
        ("next attempt", of.next_attempt_at),
        ("last error", of.last_error),
        ("last status", of.last_status),
        ("parked", of.parked),
        ("requests a minute", of.requests_a_minute),
        *(
            [("replay", replay.first_position, replay.last_position, replay.position)]
            if replay
            else []
        ),
    ]


def describe_lag(of: Lag) -> list[Row]:
    """Return the lag of an endpoint behind the log."""
    return [
        ("head", of.head),
        ("events that wait", of.events),
        ("waiting seconds", f"{of.seconds(clock.now()):.0f}"),
    ]


def describe_keys(of: Endpoint) -> list[Row]:
    """Return the keys that verify deliveries."""
    return [("key", key.public_key, key.retires_at) for key in of.keys if key.public_key]


def print_keys(of: Endpoint, secret: str | None) -> None:
    """Print an endpoint's name and its signing keys."""
    rows: list[Row] = [("name", of.name), *describe_keys(of)]
    if secret is not None:
        rows.append(("secret", secret))
        stderr.print("The secret is shown once; the receiver needs it:")
    print_rows(rows)
