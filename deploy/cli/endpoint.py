"""`tracker endpoint`: addresses that events are sent to, and what is done with them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from deploy.bootstrap import opened_pool
from deploy.cli.common import DataDir, report_errors, run_with_database, stderr
from deploy.cli.filter_options import (
    AfterPosition,
    OfCommodities,
    OfEntity,
    OfPlaces,
    OfTypes,
    filter_asked_for,
)
from deploy.cli.rows import Row, print_rows
from deploy.config import settings
from tracker import clock
from tracker.delivery.endpoint import Endpoint, Manager, NewEndpoint
from tracker.delivery.endpoints import DEFAULT_OVERLAP_HOURS, Endpoints
from tracker.delivery.lag import Lag, read_lag
from tracker.log.recorder import Recorder
from tracker.postgres.database import Target

T = TypeVar("T")
MANAGER = Manager("command line")
"""Whoever has the database manages the endpoints of all."""

endpoints = typer.Typer(
    name="endpoint",
    no_args_is_help=True,
    help="Have events sent to addresses, one after the other. An endpoint is a place in the log:"
    " whatever happens, deliveries go on from there.",
)
Name = Annotated[str, typer.Argument(help="Its name, from `tracker endpoint list`.")]
Reason = Annotated[str, typer.Option(help="Why. It stays on record.")]
Limit = Annotated[int, typer.Option(min=1, max=1000, help="At most so many, the newest.")]


@endpoints.command()
def add(
    url: Annotated[str, typer.Argument(help="The address, with https.")],
    name: Annotated[
        str | None, typer.Option(help="A name of your choice (default: the host of the address).")
    ] = None,
    after: AfterPosition = None,
    types: OfTypes = None,
    commodity: OfCommodities = None,
    place: OfPlaces = None,
    about: OfEntity = None,
    batch: Annotated[
        int, typer.Option(min=1, help="The most events in a request; 1: each comes alone.")
    ] = 1,
    proof: Annotated[
        bool, typer.Option("--proof", help="Send an inclusion proof with each event.")
    ] = False,
    hmac: Annotated[
        bool,
        typer.Option(
            "--hmac",
            help="Sign with a shared secret as well, for libraries that do not know Ed25519.",
        ),
    ] = False,
    owner: Annotated[
        str | None,
        typer.Option(
            help="The name of the token whose holder may manage it (default: administrators only)."
        ),
    ] = None,
    reason: Annotated[str | None, typer.Option(help="What it is for. It stays on record.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Have events sent to an address, and print how they are signed. A secret is shown once."""
    with report_errors():
        new = NewEndpoint(
            url=url,
            name=name,
            after=after,
            filter=filter_asked_for(types, commodity, place, about),
            max_batch_events=batch,
            with_proof=proof,
            with_hmac=hmac,
            owner=owner,
        )
    print_keys(*manage(data_dir, lambda of: of.add(new, MANAGER, reason)))


@endpoints.command(name="list")
def list_(data_dir: DataDir = None) -> None:
    """List all endpoints: name, state, position, failures in a row, last acceptance, owner,
    address."""
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
    """Show where an endpoint is, what waits, what is wrong, and by which keys it is verified."""

    async def work(target: Target) -> tuple[Endpoint, Lag]:
        async with opened_pool(target) as pool:
            recorder = Recorder(pool)
            found = await Endpoints(pool, recorder, settings.delivery_networks()).get(name, MANAGER)
            return found, await read_lag(recorder, found.filter.selection, found.position)

    found, lag = run_with_database(data_dir, work)
    print_rows([*describe(found), *describe_lag(lag), *describe_keys(found)])


@endpoints.command()
def pause(name: Name, reason: Reason, data_dir: DataDir = None) -> None:
    """Stop the deliveries to an endpoint. It keeps its place for as long as it takes."""
    manage(data_dir, lambda of: of.pause(name, MANAGER, reason))
    stderr.print(f"{name} is paused.", markup=False)


@endpoints.command()
def resume(name: Name, reason: Reason, data_dir: DataDir = None) -> None:
    """Go on with an endpoint that was paused or disabled, from its place."""
    manage(data_dir, lambda of: of.resume(name, MANAGER, reason))
    stderr.print(f"{name} goes on.", markup=False)


@endpoints.command()
def replay(
    name: Name,
    reason: Reason,
    first: Annotated[
        int | None, typer.Option("--from", min=1, help="The first position.", show_default=False)
    ] = None,
    last: Annotated[
        int | None,
        typer.Option("--to", min=1, help="The last position (default: up to where it is)."),
    ] = None,
    end: Annotated[
        bool, typer.Option("--end", help="Give up a replay that is not done instead.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Send events once more, before new ones, with the ids that they had. Its place stays."""
    if end is not (first is None) or (end and last is not None):
        raise typer.BadParameter("expected either --from (and --to), or --end")
    if first is None:
        manage(data_dir, lambda of: of.end_replay(name, MANAGER, reason))
        stderr.print(f"The replay of {name} is given up.", markup=False)
        return
    found = manage(data_dir, lambda of: of.replay(name, MANAGER, first, last, reason)).replay
    if found is not None:
        span = f"{found.first_position} to {found.last_position}"
        stderr.print(f"{name} gets {span} once more: {found.events} events.", markup=False)


@endpoints.command()
def park(
    name: Name,
    position: Annotated[int, typer.Argument(min=1, help="The position of the event.")],
    reason: Reason,
    data_dir: DataDir = None,
) -> None:
    """Set one event aside, so that those after it go on. `retry` with its position sends it."""
    manage(data_dir, lambda of: of.park(name, MANAGER, position, reason))
    stderr.print(f"Position {position} of {name} is parked.", markup=False)


@endpoints.command()
def parked(name: Name, data_dir: DataDir = None) -> None:
    """List the events that were set aside: position, when, by whom, why, the last error."""
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
            help="That of a parked event (default: the delivery that fails).",
            show_default=False,
        ),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Try a delivery again now: the one that fails, or a parked one."""
    manage(data_dir, lambda of: of.retry(name, MANAGER, position, reason))
    what = "The delivery" if position is None else f"Position {position}"
    stderr.print(f"{what} of {name} is tried again.", markup=False)


@endpoints.command()
def rotate(
    name: Name,
    reason: Reason,
    overlap_hours: Annotated[
        int, typer.Option(min=0, help="For how many hours the old keys sign beside the new ones.")
    ] = DEFAULT_OVERLAP_HOURS,
    data_dir: DataDir = None,
) -> None:
    """Replace the keys of an endpoint, and print the new ones. A secret is shown once."""
    print_keys(*manage(data_dir, lambda of: of.rotate(name, MANAGER, overlap_hours, reason)))


@endpoints.command()
def remove(
    name: Name,
    reason: Reason,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether you are sure.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Remove an endpoint with its place and its keys. To stop deliveries for a time, `pause` it."""
    if not yes:
        typer.confirm(
            f"The place and the keys of {name} will be gone. Go on?", abort=True, err=True
        )
    manage(data_dir, lambda of: of.remove(name, MANAGER, reason))
    stderr.print(f"{name} is removed.", markup=False)


@endpoints.command()
def deliveries(
    name: Name,
    limit: Limit = 20,
    failed: Annotated[bool, typer.Option("--failed", help="Only those that failed.")] = False,
    data_dir: DataDir = None,
) -> None:
    """List the last requests, the newest first: when, first and last position, which try, accepted
    or failed, status of HTTP, seconds, error."""
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
    """List what was done with an endpoint, the newest first: when, who, what, why, with what."""
    print_rows(
        (of.changed_at, of.actor, of.action, of.reason, of.detail)
        for of in manage(data_dir, lambda of: of.changes(name, MANAGER, limit))
    )


def manage(data_dir: Path | None, do: Callable[[Endpoints], Awaitable[T]]) -> T:
    """Do something with the endpoints of the database that the settings name."""

    async def work(target: Target) -> T:
        networks = settings.delivery_networks()
        async with opened_pool(target) as pool:
            return await do(Endpoints(pool, Recorder(pool), networks))

    return run_with_database(data_dir, work)


def describe(of: Endpoint) -> list[Row]:
    """Where an endpoint is and what is wrong."""
    wanted, replay = of.filter, of.replay
    return [
        ("name", of.name),
        ("url", of.shown_url),
        ("owner", of.owner),
        ("state", of.state.value),
        ("types", wanted.types),
        ("commodities", wanted.commodities),
        ("places", wanted.places),
        ("about", wanted.entity),
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
    """How far an endpoint is behind the log."""
    return [
        ("head", of.head),
        ("events that wait", of.events),
        ("waiting seconds", f"{of.seconds(clock.now()):.0f}"),
    ]


def describe_keys(of: Endpoint) -> list[Row]:
    """By which keys deliveries are verified."""
    return [("key", key.public_key, key.retires_at) for key in of.keys if key.public_key]


def print_keys(of: Endpoint, secret: str | None) -> None:
    """Print an endpoint's name and how its deliveries are signed."""
    rows: list[Row] = [("name", of.name), *describe_keys(of)]
    if secret is not None:
        rows.append(("secret", secret))
        stderr.print("The secret is shown once; the receiver needs it:")
    print_rows(rows)
