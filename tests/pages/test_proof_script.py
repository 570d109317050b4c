"""The proof in the browser: each change in transit is detected by its check."""

import asyncio
import calendar
import json
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from deploy.bootstrap import running_tracker
from tests.support.api import OPEN, Api, clause, control
from tests.support.fact_builders import source
from tests.support.node import node, npm_packages
from tests.support.published_log import fill
from tests.support.time_limits import within
from tests.support.web_server import serving
from tracker.audit.format.checkpoint import Checkpoint
from tracker.audit.format.signed_note import Note, Signer
from tracker.audit.sign.keystore import KeyStore
from tracker.audit.sign.publisher import SigningOptions
from tracker.domain.basics.codec import from_builtins
from tracker.domain.basics.values import PartialDate
from tracker.domain.entities.fact import Source
from tracker.postgres.database import Target

STATIC = Path(__file__).parents[2] / "schema" / "pages" / "site" / "static"
PROGRAMS = Path(__file__).with_name("programs")
ORIGIN = "example.com/log"
MAX_SIGNING_SECONDS = within(30)

CHECKS = ("head", "seen", "entry", "path", "texts", "page")
ALL_PASS = dict.fromkeys(CHECKS, "passed")
FAILS = {
    "nothing": "",
    "nothing, and the log has grown": "",
    "a byte of the entry": "path page",
    "the entry of another position": "entry path texts page",
    "a hash of the path": "path page",
    "the path of another entry": "path page",
    "a path that is too short": "path page",
    "the root of the head": "head path texts page",
    "the signature of the head": "head",
    "the key": "head",
    "the name of the log": "head",
    "a forged head of another history": "seen path texts page",
    "an older head": "seen",
    "a fork of the same size": "seen",
    "a fork before": "seen",
    "another log than before": "seen",
    "a key that was changed": "",
    "the remark": "texts",
    "the remark is gone": "texts",
    "the remark goes by another event": "texts",
    "a word of the page": "page",
    "a day of the page": "page",
    "the remark of the page": "page",
    "a remark on the page that was redacted": "page",
    "a field that the page leaves out": "page",
    "not signed yet": "",
    "no Ed25519 in the browser": "",
    "nothing comes": "",
}
"""Failing checks by change. A redaction is proven by the same root, so a removed text is not proven
either if the root is wrong, or older than the redaction."""
NOT_CHECKED = {
    "a key that was changed": "seen",
    "an older head": "texts",
    "not signed yet": "path texts page",
    "no Ed25519 in the browser": "head",
    "nothing comes": " ".join(CHECKS),
}


async def checkpoint(api: Api, size: int) -> str:
    """Return the head of the log, once it has a number of events."""
    async with asyncio.timeout(MAX_SIGNING_SECONDS):
        while True:
            note = (await api.request("GET", "/log/checkpoint")).text
            if note.startswith(ORIGIN) and int(note.split("\n")[1]) >= size:
                return note
            await asyncio.sleep(0.05)


def forged(signer: Signer, size: int) -> str:
    """Return a head of another log, signed by this one's key."""
    text = str(Checkpoint(signer.name, size, b"\0" * 32))
    return str(Note(text, (signer.sign(text),)))


def size_of(note: str) -> int:
    """Return the number of events of a head."""
    return int(note.split("\n")[1])


def shown(recorded_at: str) -> list[dict[str, Any]]:
    """Return the marked values of the event in a page."""
    return [
        {"pointer": pointer, "as": form, "text": text}
        for pointer, form, text in (
            ("/id", "text", "the-event"),
            ("/type", "text", "ExportControl.Announced"),
            ("/subject", "text", "export-control/x"),
            ("/version", "number", "1"),
            ("/time", "time", recorded_at),
            ("/actor", "text", "demo"),
            ("/data/on", "day", "3\N{NO-BREAK SPACE}Dec\N{NO-BREAK SPACE}2024"),
            ("/data/issuer", "text", "CN"),
            ("/data/direction", "words", "export"),
            ("/data/title", "text", "Gallium to the US"),
            ("/data/clauses/0/id", "text", "1"),
            ("/data/clauses/0/measure", "words", "ban"),
            ("/data/clauses/0/commodities/0", "words", "gallium"),
            ("/data/clauses/0/inForceFrom", "day", "3 Dec 2024"),
            ("/data/source/publisher", "text", "mofcom"),
            ("/data/source/name", "text", "MOFCOM"),
            ("/data/source/publishedOn", "day", "3 Dec 2024"),
            ("/data/source/checked", "words", "page"),
        )
    ] + [
        {"pointer": "/note", "as": "text", "annex": True, "text": "redacted"},
        {"pointer": "/quotation", "as": "text", "annex": True, "text": " “in her words” "},
    ]


@pytest.fixture
async def found(target: Target, tmp_path: Path) -> AsyncIterator[dict[str, Any]]:
    """Return the results of the checks for one event, by change in transit."""
    keystore = KeyStore(tmp_path / "audit")
    [signer] = keystore.load_or_create(ORIGIN).signers
    signing = SigningOptions(keystore, ORIGIN)
    async with running_tracker(target, signing) as services, serving(services, OPEN) as (site, *_):
        api = Api(services)
        await fill(target, 3)
        before = await checkpoint(api, 3)
        noted = control("x", clause(), note="Ms Doe said so", quotation="“in her words”")
        done = await api.do("announceExportControl", noted, key="the-event")
        older = await checkpoint(api, int(done["position"]))
        law = from_builtins(Source, source("court"))
        ordered_on = PartialDate("2026-03-01")
        await services.commands.redact("the-event", "An order", ordered_on, law, fields=["/note"])
        await fill(target, 300, word="b")
        seen = await checkpoint(api, 304)
        last = await api.do("announceExportControl", control("y"), key="last")
        newest = await checkpoint(api, int(last["position"]))
        key = (await api.request("GET", "/log/key")).text
        entry = json.loads((await api.request("GET", f"/log/entries/{done['position']}")).content)
        [day, clock] = entry["time"].split("T")
        recorded_at = f"{written(day)}, {clock[:8]} UTC"
        told = {
            "site": f"http://{site}",
            "position": done["position"],
            "before": size_of(before),
            "older": size_of(older),
            "seen": {"note": seen, "keys": [key.strip()]},
            "newest": {"note": newest, "keys": [key.strip()]},
            "forged": forged(signer, size_of(newest)),
            "forgedBefore": forged(signer, size_of(newest) - 1),
            "otherKey": f"{Signer.new(ORIGIN).verifier}\n",
            "fields": shown(recorded_at),
        }
        yield await run_program("tamper.js", told)


def written(day: str) -> str:
    """Return a day in the format of pages."""
    year, month, number = day.split("-")
    return f"{int(number)} {calendar.month_abbr[int(month)]} {year}"


async def run_program(name: str, told: Any) -> Any:
    """Return the output of a program in `programs`, with the scripts of pages."""
    with tempfile.TemporaryDirectory(dir=npm_packages()) as directory:
        here = Path(directory)
        shutil.copytree(STATIC, here / "static")
        shutil.copy(PROGRAMS / name, here)
        (here / "told.json").write_text(json.dumps(told))
        return json.loads(await node(here, name, "told.json"))


async def test_each_check_finds_what_it_is_about_and_accuses_nothing_else(
    found: dict[str, Any],
) -> None:
    states = {
        changed: {name: outcome["state"] for name, outcome in of["outcomes"].items()}
        for changed, of in found.items()
    }
    assert states == {
        changed: ALL_PASS
        | dict.fromkeys(failing.split(), "failed")
        | dict.fromkeys(NOT_CHECKED.get(changed, "").split(), "unknown")
        for changed, failing in FAILS.items()
    }
    # A head is stored for the next visit only if it is signed and continues the last one.
    believed = {changed for changed, of in found.items() if of["kept"]}
    assert believed == {
        changed
        for changed, of in states.items()
        if of["head"] == "passed" and of["seen"] != "failed"
    }
    assert found["a word of the page"]["wrong"] == ["/data/title"]
    assert found["a byte of the entry"]["wrong"] == [], "what is not proven accuses no field"
    outcomes = found["nothing"]["outcomes"]
    assert outcomes["texts"]["result"] == "1 of 2 open"
    assert outcomes["page"]["result"] == "20 fields"


async def test_scripts_have_the_types_that_they_say() -> None:
    with tempfile.TemporaryDirectory(dir=npm_packages()) as directory:
        here = Path(directory)
        shutil.copytree(STATIC, here / "static")
        shutil.copy(PROGRAMS / "tsconfig.json", here)
        await node(here, "../node_modules/typescript/bin/tsc", "-p", ".")
