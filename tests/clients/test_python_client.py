"""The Python client against a running server."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import pytest_asyncio

from deploy.bootstrap import running_tracker
from schema.services import Access, Services
from tests.support.documents import block
from tests.support.fact_builders import announced
from tests.support.ports import free_port
from tests.support.waiting import all_signed, until
from tests.support.web_server import serving
from tracker.audit.sign.keystore import KeyStore
from tracker.audit.sign.publisher import SigningOptions
from tracker.postgres.database import Target

DAY = "2025-11-20"


@pytest_asyncio.fixture(loop_scope="session")
async def tracker(read_services: Services, minerals_tracker: ModuleType) -> AsyncIterator[Any]:
    """Return the client of a server with the shipped data."""
    async with serving(read_services, Access()) as (address, *_):
        yield minerals_tracker.Tracker(f"http://{address}")


def read_all(day: Any) -> dict[str, int]:
    """Return the number of results of each method."""
    filters = {"commodity": "gallium"}
    lists = {
        "export_controls": day.export_controls(**filters, status="SUSPENDED"),
        "alliances": day.alliances(),
        "announcements": day.announcements(),
        "claims": day.claims(**filters),
        "upcoming": day.upcoming(),
    }
    found = {name: list(nodes) for name, nodes in lists.items()}
    assert day.alliance(found["alliances"][0]["key"])["name"] == found["alliances"][0]["name"]
    first = found["announcements"][0]
    assert day.announcement(first["key"])["title"] == first["title"]
    assert day.figure(found["claims"][0]["figure"])["claims"]
    assert day.export_control("no-such-act") is None
    keys = [each["key"] for each in found["announcements"]]
    assert len(keys) == len({*keys}) == day.select("announcements", "totalCount")["totalCount"]
    return {name: len(nodes) for name, nodes in found.items()}


@pytest.mark.asyncio(loop_scope="session")
async def test_every_method_answers_as_of_one_position(tracker: Any) -> None:
    day = tracker.as_of(DAY)
    numbers = await asyncio.to_thread(read_all, day)
    assert min(numbers.values()) > 0
    assert numbers["announcements"] > 200  # several pages
    control = await asyncio.to_thread(day.export_control, "cn-mofcom-2024-46")
    assert {clause["status"] for clause in control["clauses"]} == {"IN_FORCE", "SUSPENDED"}
    shipment = partial(day.shipment, commodity="gallium", origin="CN", destination="US")
    check = await asyncio.to_thread(shipment)
    assert check["verdicts"]
    assert check["summary"]


@pytest.mark.asyncio(loop_scope="session")
async def test_a_table_has_numbers_in_columns_and_texts_in_rows(tracker: Any) -> None:
    day = tracker.as_of(DAY)
    table = await asyncio.to_thread(partial(day.table, "claims", commodity="gallium"))
    place = next(number for number, row in enumerate(table.rows) if row["value"])
    text, number = table.rows[place]["value"], table.columns()["value"][place]
    assert (type(text), number) == (str, float(text))
    assert table.about["valid_at"] == DAY
    assert len(table.columns()["figure"]) == len(table.rows) > 10


@pytest.mark.asyncio(loop_scope="session")
async def test_refusals_are_errors_with_a_code(tracker: Any, minerals_tracker: ModuleType) -> None:
    with pytest.raises(minerals_tracker.TrackerError, match="Cannot query field") as refused:
        await asyncio.to_thread(tracker.query, "{ hea }")
    assert refused.value.code == "GRAPHQL_VALIDATION_FAILED"
    day = tracker.as_of(DAY)
    with pytest.raises(TypeError, match="no argument isuer: expected one of search, issuer"):
        await asyncio.to_thread(lambda: list(day.export_controls(isuer="CN")))


async def record(services: Services, first: int, last: int) -> None:
    """Record acts with these numbers."""
    for number in range(first, last + 1):
        await services.commands.record(
            f"export-control/a{number}", announced(), idempotency_key=str(number)
        )


async def test_events_come_once_and_in_order_across_an_interruption(
    services: Services, minerals_tracker: ModuleType
) -> None:
    await record(services, 1, 3)
    port, seen = free_port(), list[Any]()
    events = minerals_tracker.Tracker(f"http://127.0.0.1:{port}", retries=20).events(0)

    def follow() -> None:
        for event in events:
            seen.append(event)
            if len(seen) == 6:
                return

    async with serving(services, Access(), port=port):
        following = asyncio.create_task(asyncio.to_thread(follow))
        await until(lambda: len(seen) == 3)
    await record(services, 4, 6)
    async with serving(services, Access(), port=port):
        await following
    assert [event.position for event in seen] == [1, 2, 3, 4, 5, 6]
    assert seen[5].entity == "export-control/a6"
    assert seen[5].token.startswith("6-")


def ask(tracker: Any, times: int) -> int:
    """Send a query several times, and return the number of answers."""
    return len([tracker.query("{ head }") for _ in range(times)])


async def test_a_request_over_the_rate_is_sent_again(
    services: Services, minerals_tracker: ModuleType
) -> None:
    async with serving(services, Access(rate=1)) as (address, *_):
        patient = minerals_tracker.Tracker(f"http://{address}")
        assert await asyncio.to_thread(ask, patient, 3) == 3
        hasty = minerals_tracker.Tracker(f"http://{address}", retries=0)
        with pytest.raises(minerals_tracker.TrackerError) as refused:
            await asyncio.to_thread(ask, hasty, 20)
        assert refused.value.code == "RATE_LIMITED"


async def test_a_receipt_is_checked_by_the_keys_of_the_log(
    target: Target,
    keystore: KeyStore,
    minerals_tracker: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with running_tracker(target, SigningOptions(keystore)) as services:
        await record(services, 1, 2)
        await services.projector.reach(2)
        await all_signed(services)
        monkeypatch.chdir(tmp_path)
        Path("log.key").write_text(f"{keystore.keys().verifiers[0]}\n")
        program = block("docs/clients.md", "python", "verify_receipt")
        async with serving(services, Access()) as (address, *_):
            text = program.replace("127.0.0.1:8000", address)
            await asyncio.to_thread(exec, text, {})
            day = minerals_tracker.Tracker(f"http://{address}").as_of(DAY)
            receipt = await asyncio.to_thread(day.receipt, "exportControls", "totalCount")
    assert "'position': '2'" in capsys.readouterr().out
    assert Path("china.receipt.json").exists()
    keys = [str(key) for key in keystore.keys().verifiers]
    file = receipt.file()
    assert minerals_tracker.verify_receipt(file, keys)["moments"][0]["position"] == "2"
    assert receipt.data == {"asOf": {"exportControls": {"totalCount": 2}}}
    for old, new in (
        (b'"totalCount":2', b'"totalCount":3'),
        (b'\\"position\\":\\"2', b'\\"position\\":\\"1'),
    ):
        assert old in file
        with pytest.raises(minerals_tracker.BadReceipt):
            minerals_tracker.verify_receipt(file.replace(old, new), keys)
