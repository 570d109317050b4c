"""Endpoint management: checks, and records with actor and reason."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from deploy.bootstrap import open_connection
from tests.support.fact_builders import announced, clause
from tests.support.time_limits import within
from tracker.commands.commands import PlannedEvent
from tracker.commands.decisions import decide, rehydrate
from tracker.delivery.endpoint import EndpointFilter, EndpointState, Manager, NewEndpoint
from tracker.delivery.endpoints import MAX_OWNED_ENDPOINTS, Endpoints
from tracker.delivery.signatures import Algorithm
from tracker.errors import InvalidInput, NotFound, TooLarge, TrackerError
from tracker.log.entries import NewEvent
from tracker.log.recorder import Recorder
from tracker.postgres.database import DELIVERER, Target, create_pool
from tracker.web.networks import Networks

URL = "https://receiver.example/events?key=secret"
NEW = NewEndpoint(URL)
ADMIN = Manager("ann")
MINE, OTHERS = Manager("bob", "bob"), Manager("eve", "eve")


def control(stream: str, commodity: str) -> NewEvent:
    """Return the announcement of an export control on one commodity."""
    fact = announced(clause(commodities=[commodity]))
    return decide(rehydrate(stream, []), PlannedEvent(stream, fact, stream), ())


@pytest.fixture
async def endpoints(target: Target, recorder: Recorder) -> AsyncIterator[Endpoints]:
    """Create the endpoints of a log with three events, the first of which is about gallium."""
    for stream, commodity in (("a", "gallium"), ("b", "graphite"), ("c", "lithium")):
        await recorder.append([control(f"export-control/{stream}", commodity)])
    pool = await create_pool(target, size=3)
    yield Endpoints(pool, recorder, Networks())
    await pool.close()


async def deliver_up_to(target: Target, position: int) -> None:
    """Write like the deliverer after acceptance up to a position."""
    async with open_connection(target, role=DELIVERER) as connection:
        await connection.execute(
            "UPDATE delivery.endpoints SET position = $1, previous_position = $1", position
        )


async def test_a_new_endpoint_begins_after_the_last_event_or_where_it_is_told_to(
    endpoints: Endpoints,
) -> None:
    newest, _ = await endpoints.add(NEW, ADMIN)
    oldest, _ = await endpoints.add(replace(NEW, name="all", after=0), ADMIN)
    assert (newest.name, newest.position, newest.started_after) == ("receiver.example", 3, 3)
    assert (oldest.name, oldest.position, oldest.previous_position) == ("all", 0, 0)
    assert oldest.state is EndpointState.ACTIVE
    assert [each.name for each in await endpoints.all(ADMIN)] == ["all", "receiver.example"]


async def test_the_filter_is_kept_as_it_was_asked_for_and_widened_when_it_is_used(
    endpoints: Endpoints,
) -> None:
    wanted = EndpointFilter(("ExportControl.Announced",), ("rare_earths",), ("CN", "US"))
    added, _ = await endpoints.add(replace(NEW, filter=wanted), ADMIN)
    assert added.filter == wanted
    assert {"rare_earths", "dysprosium"} <= set(added.filter.selection.commodities or ())
    assert added.filter.selection.places == ("CN", "US")


async def test_the_secret_is_shown_once_and_the_public_key_always(endpoints: Endpoints) -> None:
    plain, none = await endpoints.add(NEW, ADMIN)
    added, secret = await endpoints.add(replace(NEW, name="hmac", with_hmac=True), ADMIN)
    assert none is None
    assert secret is not None
    assert secret.startswith("whsec_")
    assert (plain.with_hmac, added.with_hmac) == (False, True)
    assert [key.algorithm for key in added.keys] == [Algorithm.ED25519, Algorithm.HMAC]
    assert str(added.keys[0].public_key).startswith("whpk_")
    assert added.keys[1].public_key is None
    assert secret not in repr(await endpoints.get("hmac", ADMIN))


@pytest.mark.parametrize(
    ("change", "path", "code"),
    [
        ({"url": "ftp://receiver.example"}, ("url",), "INVALID_INPUT"),
        ({"url": "https://10.0.0.1/"}, ("url",), "ADDRESS_REFUSED"),
        ({"url": "http://receiver.example"}, ("url",), "ADDRESS_REFUSED"),
        ({"name": "Two words"}, ("name",), "INVALID_INPUT"),
        ({"name": "a" * 61}, ("name",), "INVALID_INPUT"),
        ({"name": "-a"}, ("name",), "INVALID_INPUT"),
        ({"after": 4}, ("after",), "INVALID_INPUT"),
        ({"after": -1}, ("after",), "INVALID_INPUT"),
        ({"max_batch_events": 0}, ("maxBatchEvents",), "INVALID_INPUT"),
        ({"max_batch_events": 1001}, ("maxBatchEvents",), "INVALID_INPUT"),
        ({"filter": EndpointFilter(types=())}, ("types",), "INVALID_INPUT"),
        ({"filter": EndpointFilter(places=("CN",) * 201)}, ("places",), "TOO_LARGE"),
    ],
)
async def test_errors_of_a_new_endpoint_name_the_field(
    endpoints: Endpoints, change: dict[str, object], path: tuple[str, ...], code: str
) -> None:
    with pytest.raises(TrackerError) as caught:
        await endpoints.add(replace(NEW, **change), ADMIN)  # type: ignore[arg-type]
    assert (caught.value.path, caught.value.code) == (path, code)
    assert await endpoints.all(ADMIN) == []


async def test_a_name_is_taken_once(endpoints: Endpoints) -> None:
    await endpoints.add(NEW, ADMIN)
    with pytest.raises(InvalidInput, match="another name") as caught:
        await endpoints.add(replace(NEW, owner="bob"), MINE)
    assert caught.value.code == "NAME_TAKEN"


async def test_an_owner_sees_and_manages_only_its_own(endpoints: Endpoints) -> None:
    await endpoints.add(replace(NEW, owner="bob"), MINE)
    await endpoints.add(replace(NEW, name="b"), ADMIN)
    assert [each.name for each in await endpoints.all(MINE)] == ["receiver.example"]
    assert await endpoints.all(OTHERS) == []
    for attempt in (
        endpoints.get("receiver.example", OTHERS),
        endpoints.pause("receiver.example", OTHERS),
        endpoints.remove("receiver.example", OTHERS),
        endpoints.rotate("receiver.example", OTHERS),
        endpoints.replay("receiver.example", OTHERS, 1, None),
        endpoints.park("b", MINE, 3, "poison"),
        endpoints.attempts("b", MINE, 10),
    ):
        with pytest.raises(NotFound):
            await attempt
    assert (await endpoints.pause("receiver.example", ADMIN)).state is EndpointState.PAUSED


async def test_an_owner_has_so_many_endpoints_and_no_more_also_at_once(
    endpoints: Endpoints,
) -> None:
    wanted = [replace(NEW, name=f"e{n}", owner="bob") for n in range(MAX_OWNED_ENDPOINTS + 5)]
    outcomes = await asyncio.gather(
        *(endpoints.add(new, MINE) for new in wanted), return_exceptions=True
    )
    assert sum(isinstance(outcome, TooLarge) for outcome in outcomes) == 5
    assert len(await endpoints.all(MINE)) == MAX_OWNED_ENDPOINTS


async def test_actions_are_recorded_with_actor_and_reason_also_after_removal(
    endpoints: Endpoints, target: Target
) -> None:
    await endpoints.add(NEW, ADMIN, "for the desk")
    await endpoints.pause("receiver.example", ADMIN, "maintenance")
    await endpoints.resume("receiver.example", ADMIN)
    done = await endpoints.changes("receiver.example", ADMIN, 10)
    assert [(each.action, each.actor, each.reason) for each in reversed(done)] == [
        ("added", "ann", "for the desk"),
        ("paused", "ann", "maintenance"),
        ("resumed", "ann", None),
    ]
    assert "secret" not in repr(done)
    await endpoints.remove("receiver.example", ADMIN, "moved")
    async with open_connection(target) as admin:
        rows = await admin.fetch("SELECT action, reason FROM delivery.changes ORDER BY id")
    assert tuple(rows[-1]) == ("removed", "moved")
    with pytest.raises(NotFound):
        await endpoints.get("receiver.example", ADMIN)


async def test_only_what_is_active_can_be_paused_or_retried(endpoints: Endpoints) -> None:
    await endpoints.add(NEW, ADMIN)
    await endpoints.pause("receiver.example", ADMIN)
    for attempt in (
        endpoints.pause("receiver.example", ADMIN),
        endpoints.retry("receiver.example", ADMIN),
    ):
        with pytest.raises(InvalidInput) as caught:
            await attempt
        assert caught.value.code == "NOT_ACTIVE"


async def test_a_replay_sends_positions_before_the_cursor_and_counts_them(
    endpoints: Endpoints, target: Target
) -> None:
    await endpoints.add(
        replace(NEW, after=0, filter=EndpointFilter(commodities=("gallium",))), ADMIN
    )
    with pytest.raises(InvalidInput) as caught:
        await endpoints.replay("receiver.example", ADMIN, 1, None)
    assert caught.value.path == ("from",)
    await deliver_up_to(target, 3)
    for first, last, path in ((4, None, "from"), (0, None, "from"), (2, 1, "to"), (2, 4, "to")):
        with pytest.raises(InvalidInput) as caught:
            await endpoints.replay("receiver.example", ADMIN, first, last)
        assert caught.value.path == (path,)
    replayed = await endpoints.replay("receiver.example", ADMIN, 1, None, "lost a disk")
    assert replayed.position == 3
    assert replayed.replay is not None
    assert (replayed.replay.first_position, replayed.replay.last_position) == (1, 3)
    assert (replayed.replay.position, replayed.replay.events) == (0, 1)
    again = await endpoints.replay("receiver.example", ADMIN, 2, 3)
    assert again.replay is not None
    assert (again.replay.first_position, again.replay.events) == (2, 0)
    assert (await endpoints.end_replay("receiver.example", ADMIN)).replay is None
    with pytest.raises(NotFound):
        await endpoints.end_replay("receiver.example", ADMIN)


async def test_only_an_event_of_the_filter_that_is_still_to_come_is_parked(
    endpoints: Endpoints, target: Target
) -> None:
    only = EndpointFilter(entity="export-control/c")
    await endpoints.add(replace(NEW, after=0, filter=only), ADMIN)
    for position, reason, path in (
        (2, "poison", "position"),
        (4, "poison", "position"),
        (0, "poison", "position"),
        (3, " ", "reason"),
    ):
        with pytest.raises(InvalidInput) as caught:
            await endpoints.park("receiver.example", ADMIN, position, reason)
        assert caught.value.path == (path,)
    assert (await endpoints.park("receiver.example", ADMIN, 3, "poison")).parked == 1
    [parked] = await endpoints.parked("receiver.example", ADMIN)
    assert (parked.position, parked.parked_by, parked.reason) == (3, "ann", "poison")
    assert parked.retry_at is None
    await endpoints.retry("receiver.example", ADMIN, 3)
    [parked] = await endpoints.parked("receiver.example", ADMIN)
    assert parked.retry_at is not None
    with pytest.raises(NotFound):
        await endpoints.retry("receiver.example", ADMIN, 2)


async def test_nothing_that_was_delivered_is_parked(endpoints: Endpoints, target: Target) -> None:
    await endpoints.add(replace(NEW, after=0), ADMIN)
    await deliver_up_to(target, 2)
    with pytest.raises(InvalidInput, match="was delivered"):
        await endpoints.park("receiver.example", ADMIN, 2, "poison")


async def test_two_keys_sign_while_one_takes_over_from_the_other(endpoints: Endpoints) -> None:
    before, old = await endpoints.add(replace(NEW, with_hmac=True), ADMIN)
    after, new = await endpoints.rotate("receiver.example", ADMIN, 24, "every year")
    assert old != new
    assert len(after.keys) == 4
    assert after.keys[0].public_key == before.keys[0].public_key
    assert [key.retires_at is not None for key in after.keys] == [True, True, False, False]
    with pytest.raises(InvalidInput) as caught:
        await endpoints.rotate("receiver.example", ADMIN, 24)
    assert caught.value.code == "ROTATION_NOT_DONE"
    leaked, _ = await endpoints.rotate("receiver.example", ADMIN, 0, "it was in a log")
    assert [key.retires_at for key in leaked.keys] == [None, None]
    assert leaked.keys[0].public_key not in {key.public_key for key in after.keys}


@pytest.mark.parametrize("hours", [-1, 721])
async def test_keys_overlap_for_a_time_that_can_be(endpoints: Endpoints, hours: int) -> None:
    await endpoints.add(NEW, ADMIN)
    with pytest.raises(InvalidInput) as caught:
        await endpoints.rotate("receiver.example", ADMIN, hours)
    assert caught.value.path == ("overlapHours",)


async def test_the_deliverer_is_notified_of_a_change(endpoints: Endpoints, target: Target) -> None:
    told = asyncio.Queue[str]()
    async with open_connection(target, role=DELIVERER) as connection:
        await connection.add_listener("delivery", lambda *heard: told.put_nowait(heard[-1]))
        added, _ = await endpoints.add(NEW, ADMIN)
        assert await asyncio.wait_for(told.get(), within(10)) == str(added.id)


async def test_a_reason_is_a_line_or_two_of_text(endpoints: Endpoints) -> None:
    await endpoints.add(NEW, ADMIN)
    for reason in ("a" * 501, "bell\a"):
        with pytest.raises(InvalidInput) as caught:
            await endpoints.pause("receiver.example", ADMIN, reason)
        assert caught.value.path == ("reason",)
    assert (await endpoints.get("receiver.example", ADMIN)).state is EndpointState.ACTIVE
