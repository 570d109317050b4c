"""Entries of older schemas are read in today's words, and their bytes stay as they were."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from deploy.bootstrap import running_tracker
from deploy.export.snapshot_file import replay_bundle
from projections.query.moment import Moment
from schema.routes import json_schemas
from schema.services import Services
from tests.support.api import Api, control, suspension
from tests.support.cases import each_case
from tests.support.fact_builders import source
from tests.support.time_limits import within
from tracker.audit.bundle.export import export
from tracker.audit.format.layout import BundleFiles
from tracker.audit.sign.keystore import KeyStore
from tracker.audit.sign.publisher import SigningOptions
from tracker.audit.verify.database_source import DatabaseSource
from tracker.audit.verify.trust import TrustPolicy
from tracker.audit.verify.verifier import Verification
from tracker.log import upcasting
from tracker.log.entries import NewEvent
from tracker.log.recorder import Recorder
from tracker.log.selection import Selection, read_selected
from tracker.log.upcasting import Upcaster, Upcasters, schema_name
from tracker.postgres.database import Target, create_pool

ANNOUNCED = "ExportControl.Announced"
STREAM = "export-control/old"
OLD_DATA = {
    "on": "2024-12-03",
    "issuer": "CN",
    "direction": "export",
    "title": 'About "dataschema":"urn:critical-minerals-policy-tracker:schema:Alliance.Renamed:2"',
    "clauses": [{"id": "1", "measure": "permit", "goods": ["ga"], "inForceFrom": "2024-12-03"}],
    "source": source(),
}
"""A fact as a version of the tracker wrote it that called the measure «permit», the field «goods»
and the commodity «ga»."""


def rename_field(data: dict[str, Any]) -> dict[str, Any]:
    """Migrate number 2 to 3: `goods` becomes `commodities`."""
    clauses = [{**clause, "commodities": clause["goods"]} for clause in data["clauses"]]
    for clause in clauses:
        del clause["goods"]
    return {**data, "clauses": clauses}


def rename_words(data: dict[str, Any]) -> dict[str, Any]:
    """Migrate number 3 to 4: `permit` becomes `licence`, and `ga` becomes `gallium`."""
    words = {"permit": "licence", "ga": "gallium"}
    clauses = [
        {
            **clause,
            "measure": words.get(clause["measure"], clause["measure"]),
            "commodities": [words.get(c, c) for c in clause["commodities"]],
        }
        for clause in data["clauses"]
    ]
    return {**data, "clauses": clauses}


STEPS = {
    (ANNOUNCED, 2): Upcaster(rename_field),
    (ANNOUNCED, 3): Upcaster(rename_words, {"ga": "gallium"}),
}


def old_event() -> NewEvent:
    """Return an event of the older version, as the log takes it."""
    attributes = {
        "id": "old",
        "source": "urn:critical-minerals-policy-tracker",
        "type": ANNOUNCED,
        "subject": STREAM,
        "version": 1,
        "dataschema": schema_name(ANNOUNCED, 2),
        "actor": "ann",
    }
    text = json.dumps(attributes, separators=(",", ":"))[1:-1]
    return NewEvent("old", STREAM, 1, ANNOUNCED, text, json.dumps(OLD_DATA).encode())


@pytest.fixture
def signing(tmp_path: Path) -> SigningOptions:
    """Return the signing options."""
    return SigningOptions(KeyStore(tmp_path / "audit"), "example.org/log")


@pytest.fixture
async def services(
    target: Target, signing: SigningOptions, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Services]:
    """Run today's tracker on a log that an older version wrote."""
    pool = await create_pool(target)
    await Recorder(pool).append([old_event()])
    await pool.close()
    monkeypatch.setattr(upcasting, "UPCASTERS", Upcasters(STEPS))
    async with running_tracker(target, signing) as services:
        await services.projector.reach(1, seconds=20)
        yield services


async def test_an_old_fact_is_answered_in_the_words_of_today(services: Services) -> None:
    answer = await Api(services).ask("""{ asOf(validAt: "2025-01-01") {
        exportControls(commodity: "gallium") { nodes { key
            clauses { measure commodities { key } } } } } }""")
    assert answer["asOf"]["exportControls"]["nodes"] == [
        {"key": "old", "clauses": [{"measure": "LICENCE", "commodities": [{"key": "gallium"}]}]}
    ]


async def test_the_bytes_of_an_old_entry_are_never_changed(services: Services) -> None:
    [event] = await services.recorder.read()
    assert json.loads(event.entry)["data"] == OLD_DATA
    assert event.data == OLD_DATA
    assert event.fact.clauses[0].commodities == ("gallium",)
    sent = await Api(services).request(
        "GET", "/events?follow=false", headers={"Accept": "application/x-ndjson"}
    )
    assert sent.content.rstrip(b"\n") == event.entry


async def test_commands_decide_on_old_facts_and_record_the_number_of_today(
    services: Services,
) -> None:
    api = Api(services)
    await api.do("suspendExportControl", suspension("old", "1"))
    await api.do("announceExportControl", control("new"))
    _, suspended, announced = await services.recorder.read()
    assert json.loads(suspended.entry)["dataschema"] == schema_name("ExportControl.Suspended", 2)
    assert json.loads(announced.entry)["dataschema"] == schema_name(ANNOUNCED, 4)
    assert announced.fact.clauses[0].commodities == ("gallium",)


async def test_events_about_a_renamed_word_include_those_that_have_its_former_name(
    services: Services,
) -> None:
    wanted = Selection(commodities=["gallium"])
    pages = [page async for page in read_selected(services.recorder, 0, 1, wanted)]
    assert [event.event_id for page in pages for event in page] == ["old"]
    answer = await Api(services).ask('{ events(commodities: ["gallium"]) { totalCount } }')
    assert answer["events"]["totalCount"] == 1


async def test_a_bundle_of_before_verifies_and_replays_to_the_same_digest(
    services: Services, signing: SigningOptions, tmp_path: Path, target: Target
) -> None:
    trust = TrustPolicy(signing.keystore.keys().all)
    pool = await create_pool(target)
    async with asyncio.timeout(within(20)):
        while not await services.proofs.size():
            await asyncio.sleep(0.05)
    await export(DatabaseSource(pool), trust, tmp_path / "bundle", {})
    await pool.close()
    verification = await Verification.begin(BundleFiles(tmp_path / "bundle"), trust)
    await verification.run()
    moment = Moment(date(2025, 1, 1), 1)
    again = await Verification.begin(BundleFiles(tmp_path / "bundle"), trust)
    assert await replay_bundle(again, moment, None, None, Console(quiet=True)) == (
        await services.as_of.digest(moment)
    )


async def test_a_schema_that_facts_do_not_give_any_more_is_served_as_it_was(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / f"{ANNOUNCED}.2.json").write_text('{"$id": "as it was"}')
    monkeypatch.setattr(json_schemas, "RETIRED_DIRECTORY", tmp_path)
    api = Api(services)
    assert (await api.request("GET", f"/schemas/{ANNOUNCED}/2")).json() == {"$id": "as it was"}
    present = (await api.request("GET", f"/schemas/{ANNOUNCED}")).json()
    assert present["$id"] == schema_name(ANNOUNCED, 4)
    assert (await api.request("GET", f"/schemas/{ANNOUNCED}/5")).status_code == 404


def test_every_step_of_this_version_keeps_the_schemas_before_it() -> None:
    wanted = {
        f"{type_}.{n}.json"
        for type_, number in upcasting.UPCASTERS.steps
        for n in range(1, number + 1)
    }
    assert wanted <= {path.name for path in json_schemas.RETIRED_DIRECTORY.glob("*.json")}


@each_case("numbers", [(3,), (1,), (2, 4)])
def test_steps_that_leave_a_number_out_are_refused(numbers: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"expected the next step of .* to read number"):
        Upcasters({(ANNOUNCED, number): Upcaster(dict) for number in numbers})


def test_a_text_that_looks_like_the_name_of_a_schema_makes_no_entry_outdated() -> None:
    entry = json.dumps(
        {
            "dataschema": schema_name("Alliance.Renamed", 3),
            "data": {"title": f'"dataschema":"{schema_name("Alliance.Renamed", 2)}"'},
        },
        separators=(",", ":"),
    ).encode()
    upcasters = Upcasters({("Alliance.Renamed", 2): Upcaster(dict)})
    assert not upcasters.is_outdated(entry)
    assert upcasters.is_outdated(entry.replace(b":3", b":2"))


# --- the steps of this version


@each_case("type_", [ANNOUNCED, "ExportControl.Amended"])
@each_case("number", [1, 2])
def test_former_extraterritorial_clauses_have_a_territory(type_: str, number: int) -> None:
    old = [
        {"id": "1", "extraterritorial": True, "deMinimisPercent": "0.1"},
        {"id": "2", "extraterritorial": True},
        {"id": "3", "extraterritorial": False},
        {"id": "4"},
    ]
    data = json.dumps({"on": "2025-10-09", "clauses": old}).encode()
    name = schema_name(type_, number)
    assert json.loads(upcasting.UPCASTERS.upcast(type_, name, data))["clauses"] == [
        {"id": "1", "territory": "only_abroad", "deMinimisPercent": "0.1"},
        {"id": "2", "territory": "also_abroad"},
        {"id": "3"},
        {"id": "4"},
    ]
    assert upcasting.UPCASTERS.is_outdated(f'"dataschema":"{name}"'.encode())


def test_data_of_today_and_of_types_without_steps_is_read_as_it_is() -> None:
    for type_, number in ((ANNOUNCED, 3), ("Alliance.Founded", 1), ("Alliance.Founded", 2)):
        name = schema_name(type_, number)
        assert upcasting.UPCASTERS.upcast(type_, name, b"not read") == b"not read"
        assert not upcasting.UPCASTERS.is_outdated(f'"dataschema":"{name}"'.encode())
