"""Redaction: a text is removed permanently, the log has the reason, and nothing else has changed."""

import asyncio
import os
import re
import subprocess
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest

from deploy.bootstrap import open_connection
from projections.fold.replay import ReplayState
from projections.query.moment import Moment
from projections.runner.rebuild import rebuild
from projections.versions.projection import Versions
from schema.services import Access, Services
from tests.support import api as fact_builders
from tests.support.api import Api
from tests.support.cases import each_case
from tests.support.database_urls import database_url
from tests.support.fact_builders import announced, claimed, clause, source, suspended
from tests.support.importer import GALLIUM, ImportFixture, cell, counts, line
from tests.support.processes import TRACKER
from tracker import clock
from tracker.audit.verify.annex_check import AnnexStatus, check_event, redacts
from tracker.auth.scopes import Scope
from tracker.auth.tokens import create
from tracker.commands.commands import RecordFact
from tracker.commands.handler import Commands
from tracker.domain.basics.codec import encode, from_builtins
from tracker.domain.basics.values import PartialDate, TextCommitment
from tracker.domain.entities.commitments import commitments_in
from tracker.domain.entities.entity import Entity
from tracker.domain.entities.fact import Source
from tracker.domain.entities.redaction import Redacted
from tracker.errors import IdempotencyConflict, InvalidInput, NotFound
from tracker.log.annexes import AnnexLine
from tracker.log.annexes import export_line as exported
from tracker.log.entries import NewEvent, new_event
from tracker.log.recorder import Recorder
from tracker.postgres.database import API, OWNER, PROJECTOR, Target
from tracker.sources.importing.importer import import_file
from tracker.sources.readers import corpus_format

CONTROL = "export-control/a"
NOTED = announced(clause(note="of a clause"), note="Ms Doe said so", quotation="“in her words”")
FIELDS = ("/clauses/0/note", "/note", "/quotation")
ON = PartialDate("2026-03-01")
LAW = from_builtins(Source, source("court"))
TODAY = date(2026, 6, 1)


@pytest.fixture
def commands(recorder: Recorder) -> Commands:
    """Create commands on a separate log."""
    return Commands(recorder)


async def redact(commands: Commands, event_id: str = "k", *fields: str, **more: Any) -> int:
    """Redact texts of an event, and return the position of the redaction."""
    done = await commands.redact(event_id, "a court said so", ON, LAW, fields=fields, **more)
    [position] = done.positions
    return position


async def kept(recorder: Recorder) -> dict[str, str | None]:
    """Return the texts in annexes, by field."""
    return {of.field: of.text async for page in recorder.annexes.pages(0, 2**62) for of in page}


async def annexes(recorder: Recorder) -> list[AnnexLine]:
    """Return all annexes."""
    return [of async for page in recorder.annexes.pages(0, 2**62) for of in page]


async def test_free_texts_are_kept_beside_the_entry_which_commits_to_them(
    commands: Commands, recorder: Recorder
) -> None:
    await commands.record(CONTROL, NOTED)
    [event] = await recorder.read()
    for text in (b"Doe", b"of a clause", b"her words"):
        assert text not in event.entry
    [page] = [page async for page in recorder.annexes.pages(0, 1)]
    assert [(of.position, of.field) for of in page] == [(1, field) for field in FIELDS]
    assert {of.field: of.commitment for of in page} == commitments_in(event.fact)


async def test_a_repeated_command_is_recognised_though_its_salts_are_others(
    commands: Commands, recorder: Recorder
) -> None:
    done = [await commands.record(CONTROL, NOTED, idempotency_key="k") for _ in range(2)]
    assert [(list(d.positions), d.repeated) for d in done] == [([1], False), ([1], True)]
    other = msgspec.structs.replace(NOTED, note="Ms Roe said so")
    with pytest.raises(IdempotencyConflict):
        await commands.record(CONTROL, other, idempotency_key="k")
    assert len(await kept(recorder)) == 3


async def test_commands_that_come_at_the_same_moment_are_recognised_too(
    commands: Commands, recorder: Recorder
) -> None:
    same = [
        RecordFact("figure/rare_earths/CN/production/mine/2023", with_note(1)),
        RecordFact(CONTROL, NOTED),
    ]
    done = await asyncio.gather(*(commands.record_all(same, idempotency_key="k") for _ in range(5)))
    assert all(list(d.positions) == [1, 2] for d in done)
    assert sum(not d.repeated for d in done) == 1
    assert await recorder.head() == 2
    other = [*same[:1], RecordFact(CONTROL, msgspec.structs.replace(NOTED, note="else"))]
    with pytest.raises(IdempotencyConflict):
        await commands.record_all(other, idempotency_key="k")


def with_note(value: int, note: str = "a footnote", **more: Any) -> Any:
    """Return a claim with a note."""
    return msgspec.structs.replace(claimed(value, **more), note=note)


@pytest.mark.parametrize(
    ("stream", "redacts"),
    [("redaction/1", "b"), ("redaction/2", "a"), ("redaction/1", "c"), ("redaction/3", "a")],
)
async def test_a_redaction_in_the_stream_of_another_event_takes_no_text(
    commands: Commands, recorder: Recorder, stream: str, redacts: str
) -> None:
    for name in "ab":
        await commands.record(f"export-control/{name}", NOTED, idempotency_key=name)
    before = await annexes(recorder)
    assert len(before) == 6
    fact = Redacted(redacts=redacts, fields=("/note",), on=ON, reason="x", source=LAW)
    await recorder.append([new_event(Entity.Event(stream, 1, clock.now(), "r", fact), None)])
    assert await annexes(recorder) == before


async def test_a_command_that_is_refused_leaves_no_annex(
    commands: Commands, recorder: Recorder
) -> None:
    await commands.record(CONTROL, NOTED)
    with pytest.raises(InvalidInput):
        await commands.record_all(
            [RecordFact("export-control/b", NOTED), RecordFact(CONTROL, NOTED)]
        )
    assert len(await kept(recorder)) == 3


async def test_annexes_stand_beside_the_right_events_whatever_travels_together(
    commands: Commands, recorder: Recorder
) -> None:
    """Conflicting commands are handled separately, between others that succeed."""

    def noted(n: int, version: int = 1) -> NewEvent:
        return event_of(f"export-control/n{n}", f"e{n}-{version}", f"note {n}", version)

    good = [[noted(n), noted(n, 2)] for n in range(0, 6, 2)]
    bad = [[noted(n, 2)] for n in range(1, 6, 2)]
    mixed = [command for pair in zip(good, bad, strict=True) for command in pair]
    await asyncio.gather(*(recorder.append(command) for command in mixed), return_exceptions=True)
    found = {of.position: of.text async for page in recorder.annexes.pages(0, 99) for of in page}
    events = await recorder.read()
    assert found == {
        e.position: f"note {e.stream.removeprefix('export-control/n')}" for e in events
    }
    assert len(found) == 6


def event_of(stream: str, id: str, note: str, version: int = 1) -> NewEvent:
    """Return an event with a note, as the log takes it."""
    return new_event(Entity.Event(stream, version, clock.now(), id, announced(note=note)), None)


# --- redacted


async def test_redacted_texts_are_gone_and_others_stay(
    commands: Commands, recorder: Recorder, target: Target
) -> None:
    await commands.record(CONTROL, NOTED, idempotency_key="k")
    [before] = await recorder.read()
    assert await redact(commands, "k", "/note", actor="dpo") == 2
    assert await kept(recorder) == {
        "/clauses/0/note": "of a clause",
        "/note": None,
        "/quotation": "“in her words”",
    }
    first, redaction = await recorder.read()
    assert first.entry == before.entry
    assert (redaction.type, redaction.stream, redaction.actor) == (
        "Redaction.Redacted",
        "redaction/1",
        "dpo",
    )
    said = redaction.fact
    assert isinstance(said, Redacted)
    assert (said.redacts, said.fields, said.reason, said.by, said.on, said.source) == (
        "k",
        ("/note",),
        "a court said so",
        "dpo",
        "2026-03-01",
        LAW,
    )
    async with open_connection(target) as connection:
        assert (
            await connection.fetchval(
                "SELECT count(*) FROM log.annexes WHERE salt IS NULL AND redaction = 2"
            )
            == 1
        )


async def test_without_fields_all_texts_go(commands: Commands, recorder: Recorder) -> None:
    await commands.record(CONTROL, NOTED, idempotency_key="k")
    await redact(commands)
    assert await kept(recorder) == dict.fromkeys(FIELDS)


async def test_a_text_goes_once(commands: Commands, recorder: Recorder) -> None:
    await commands.record(CONTROL, NOTED, idempotency_key="k")
    positions = [await redact(commands, "k", "/note", idempotency_key="r") for _ in range(2)]
    assert positions == [2, 2]
    with pytest.raises(InvalidInput, match="redacted already") as caught:
        await redact(commands, "k", "/quotation", "/note")
    assert (caught.value.code, caught.value.path) == ("ALREADY_REDACTED", ("fields", 1))
    assert (await kept(recorder))["/quotation"]
    with pytest.raises(IdempotencyConflict):
        await redact(commands, "k", "/quotation", idempotency_key="r")
    assert await redact(commands, "k", "/quotation") == 3


async def test_of_two_who_redact_at_the_same_moment_one_does(
    commands: Commands, recorder: Recorder
) -> None:
    await commands.record(CONTROL, NOTED, idempotency_key="k")
    outcomes = await asyncio.gather(*(redact(commands) for _ in range(3)), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == [
        "InvalidInput",
        "InvalidInput",
        "int",
    ]
    assert await recorder.head() == 2


async def test_a_redaction_of_other_fields_is_refused(
    commands: Commands, recorder: Recorder
) -> None:
    await commands.record(CONTROL, announced(), idempotency_key="none")
    await commands.record("export-control/b", announced(note="n"), idempotency_key="k")
    await recorder.append([inline("export-control/old", "old")])
    for event_id, fields, error, code, path in (
        ("no such", (), NotFound, "NOT_FOUND", ("eventId",)),
        ("none", (), InvalidInput, "NOTHING_TO_REDACT", ("eventId",)),
        ("k", ("/note", "/title"), InvalidInput, "NOTHING_TO_REDACT", ("fields", 1)),
        ("k", ("/quotation",), InvalidInput, "NOTHING_TO_REDACT", ("fields", 0)),
        ("old", (), InvalidInput, "NOT_REDACTABLE", ("eventId",)),
    ):
        with pytest.raises(error) as caught:
            await redact(commands, event_id, *fields)
        assert (caught.value.code, caught.value.path) == (code, path)  # type: ignore[attr-defined]
    assert await recorder.head() == 3


def inline(stream: str, id: str) -> NewEvent:
    """Return an event from before annexes, with its note in the entry."""
    return NewEvent(
        id,
        stream,
        1,
        "ExportControl.Announced",
        f'"id":"{id}","type":"ExportControl.Announced","subject":"{stream}","version":1',
        encode(announced(clause(note="old clause"), note="old note")),
    )


async def test_a_redaction_can_not_be_retracted(commands: Commands) -> None:
    await commands.record(CONTROL, NOTED, idempotency_key="k")
    await redact(commands, idempotency_key="r")
    with pytest.raises(InvalidInput) as caught:
        await commands.retract("r", "by mistake", LAW)
    assert caught.value.code == "REDACTION_STAYS"


async def test_the_text_of_a_retracted_event_can_be_redacted(
    commands: Commands, recorder: Recorder
) -> None:
    await commands.record(CONTROL, NOTED, idempotency_key="k")
    await commands.retract("k", "misread", LAW)
    await redact(commands)
    assert await kept(recorder) == dict.fromkeys(FIELDS)


async def test_a_repeated_command_is_recognised_when_its_texts_are_gone(
    commands: Commands, recorder: Recorder
) -> None:
    await commands.record(CONTROL, NOTED, idempotency_key="k")
    await redact(commands, "k", "/note")
    assert (await commands.record(CONTROL, NOTED, idempotency_key="k")).repeated
    other = msgspec.structs.replace(NOTED, quotation="else")
    with pytest.raises(IdempotencyConflict):
        await commands.record(CONTROL, other, idempotency_key="k")
    assert await recorder.head() == 2


async def test_a_crash_before_the_commit_leaves_the_text_and_no_redaction(
    commands: Commands, recorder: Recorder, target: Target
) -> None:
    await commands.record(CONTROL, NOTED, idempotency_key="k")
    async with open_connection(target) as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(
            "INSERT INTO log.events VALUES (2, 'r', 'redaction/1', 1, 'Redaction.Redacted', now(),"
            """ '{"data":{"redacts":"k","fields":["/note"]}}')"""
        )
        gone = await connection.fetchval("SELECT text FROM log.annexes WHERE field = '/note'")
        assert gone is None  # every writer of the event writes the text too
        connection.terminate()
    assert (await kept(recorder))["/note"] == "Ms Doe said so"
    assert await recorder.head() == 1


@each_case(
    "statement",
    [
        "DELETE FROM log.annexes",
        "TRUNCATE log.annexes",
        "UPDATE log.annexes SET text = 'x'",
        "UPDATE log.annexes SET text = NULL, salt = NULL, redaction = 2",
        "UPDATE log.annexes SET text = NULL, salt = NULL, redaction = 1",
        "UPDATE log.annexes SET redaction = 2 WHERE field = '/note'",
        "UPDATE log.annexes SET commitment = decode(repeat('00', 32), 'hex') WHERE field = '/note'",
        "UPDATE log.annexes SET position = 2 WHERE field = '/note'",
    ],
)
@each_case("role", [OWNER, API, PROJECTOR, None, "replica"])
async def test_no_role_takes_a_text_out_that_the_log_does_not_name(
    commands: Commands, recorder: Recorder, target: Target, role: str | None, statement: str
) -> None:
    if not await recorder.head():
        await commands.record(CONTROL, NOTED, idempotency_key="k")
        await redact(commands, "k", "/note")
    before = await kept(recorder)
    replica = role == "replica"
    async with open_connection(target, role=None if replica else role) as connection:
        if replica:
            await connection.execute("SET session_replication_role = replica")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    assert await kept(recorder) == before


@each_case(
    "statement",
    [
        "INSERT INTO log.annexes VALUES (decode(repeat('00', 32), 'hex'), 9, '/note', NULL, NULL, 1)",
        "SELECT log.keep(0, 1, 1, '{1}', '{/note}', '{}', '{a}')",
        "SELECT log.redact()",
        "ALTER TABLE log.annexes DISABLE TRIGGER ALL",
        "ALTER TABLE log.events DISABLE TRIGGER ALL",
    ],
)
async def test_the_api_can_only_redact_by_an_event(target: Target, statement: str) -> None:
    async with open_connection(target) as admin:
        await admin.execute("SET SESSION AUTHORIZATION tracker_api")
        with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.FeatureNotSupportedError)):
            await admin.execute(statement)


async def test_the_projector_sees_no_texts(target: Target) -> None:
    async with open_connection(target, role=PROJECTOR) as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch("SELECT text FROM log.annexes")


async def test_callers_of_before_there_were_annexes_may_still_append(
    recorder: Recorder, target: Target
) -> None:
    of = inline(CONTROL, "e")
    async with open_connection(target, role=API) as connection:
        row = await connection.fetchrow(
            "SELECT * FROM log.append('{1}', $1, $2, '{1}', $3, $4, $5)",
            [of.event_id],
            [of.stream],
            [of.type],
            [of.attributes],
            [of.data],
        )
    assert row is not None
    assert row["outcome"] == "appended"


async def test_no_digest_of_the_past_changes_and_replay_needs_no_annex(
    services: Services, target: Target
) -> None:
    await services.commands.record(CONTROL, NOTED, idempotency_key="k")
    await services.commands.record(CONTROL, suspended())
    await services.commands.record(
        "figure/rare_earths/CN/production/mine/2023", with_note(1), idempotency_key="c"
    )
    await services.recorder.append([inline("export-control/old", "old")])
    head = await services.recorder.head()
    await services.projector.reach(head)
    before = [await services.as_of.digest(Moment(TODAY, p)) for p in range(head + 1)]
    for event_id in ("k", "c"):
        await redact(services.commands, event_id)
    await services.projector.reach(head + 2)
    assert before == [await services.as_of.digest(Moment(TODAY, p)) for p in range(head + 1)]
    world = ReplayState()
    async for event in services.recorder.read_all(head + 2):
        world.add(event)
    digests = [await services.as_of.digest(Moment(TODAY, p)) for p in range(head + 3)]
    assert digests == [world.digest(TODAY, p) for p in range(head + 3)]
    await rebuild(target, Versions())
    assert digests == [await services.as_of.digest(Moment(TODAY, p)) for p in range(head + 3)]
    async with open_connection(target) as connection:
        states = await connection.fetchval("""
            SELECT string_agg(text, '') FROM (
                SELECT state AS text FROM projection.versions
                UNION ALL SELECT text FROM projection.elements) AS texts""")
    assert "Doe" not in states
    assert "old note" not in states  # notes of acts are in no state
    assert "old clause" in states  # of before there were annexes


async def test_every_text_of_the_log_can_be_verified(
    commands: Commands, recorder: Recorder
) -> None:
    await commands.record(CONTROL, NOTED, idempotency_key="k")
    await redact(commands, "k", "/quotation")
    lines = [
        msgspec.json.decode(exported(of), type=AnnexLine)
        async for page in recorder.annexes.pages(0, 9)
        for of in page
    ]
    first, second = await recorder.read()
    assert redacts(second) == (1, ("/quotation",))
    findings = check_event(first, lines, ("/quotation",))
    assert {finding.field: finding.status for finding in findings} == {
        "/note": AnnexStatus.OPENED,
        "/clauses/0/note": AnnexStatus.OPENED,
        "/quotation": AnnexStatus.REDACTED,
    }
    assert check_event(second, [], ()) == []


# --- imports


async def test_an_import_keeps_its_texts_in_annexes_and_says_the_same_the_second_time(
    importer: ImportFixture,
) -> None:
    lines = (line("a", NOTED), line("c", with_note(1), None, "Figure.Claimed"))
    assert counts(await importer.take(*lines)) == {"new": 2}
    texts = [of.text async for page in importer.recorder.annexes.pages(0, 9) for of in page]
    assert texts == ["of a clause", "Ms Doe said so", "“in her words”", "a footnote"]
    assert counts(await importer.take(*lines)) == {"unchanged": 2}
    assert counts(await importer.take(*lines, *lines)) == {"unchanged": 2, "repeated": 2}
    other = line("a", msgspec.structs.replace(NOTED, note="otherwise"))
    assert (await importer.take(other)).refused


async def test_a_row_told_again_after_its_entities_were_forgotten_is_still_the_same(
    importer: ImportFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracker.sources.importing.staging.MAX_CACHED_ENTITIES", 0)
    monkeypatch.setattr("tracker.sources.importing.importer.BATCH_FACTS", 1)
    lines = (line("a", NOTED), line("s", suspended(), GALLIUM, "ExportControl.Suspended"))
    assert counts(await importer.take(*lines, *lines)) == {"new": 2, "repeated": 2}


async def test_a_note_that_reads_otherwise_is_a_correction(importer: ImportFixture) -> None:
    for note, came in (
        ("one", "new"),
        ("one", "unchanged"),
        ("two", "corrected"),
        ("two", "unchanged"),
    ):
        outcome = await importer.read(row(1, note), content=note)
        assert counts(outcome) == {came: 1}


def row(value: int, note: str) -> Any:
    """Return a row of a table with a note."""
    item = cell(value)
    fact = msgspec.structs.replace(item.planned.fact, note=note)
    return replace(item, planned=replace(item.planned, fact=fact))


async def test_an_import_does_not_bring_back_what_was_redacted(importer: ImportFixture) -> None:
    commands = Commands(importer.recorder)
    await importer.read(row(1, "Ms Doe"))
    await redact(commands, "row")
    assert counts(await importer.read(row(1, "Ms Doe"))) == {"unchanged": 1}
    # the same row with another number is a correction, but not of the text
    assert counts(await importer.read(row(2, "Ms Doe"), content="y")) == {"corrected": 1}
    assert counts(await importer.read(row(2, "Ms Doe"), content="z")) == {"unchanged": 1}
    facts = await importer.facts()
    assert isinstance(facts["row"].note, TextCommitment)
    assert facts["row~2"].note is None
    assert "Ms Doe" not in (await kept(importer.recorder)).values()


@each_case(
    ("old", "new", "path"),
    [
        (b'"note":"a note"', b'"note":{"commitment":"salted-sha256-v1:%s"}' % (b"0" * 64), "note"),
        (b'"note":"a note"', b'"note":{"commitment":"md5:1"}', "data.note.commitment"),
        (b'"type":"ExportControl.Announced"', b'"type":"Redaction.Redacted"', "type"),
    ],
)
async def test_columns_that_only_the_log_writes_are_refused(
    importer: ImportFixture, old: bytes, new: bytes, path: str
) -> None:
    outcome = await importer.take(line("a", announced(note="a note")).replace(old, new))
    [remark] = outcome.receipt.refused
    assert remark.column == path
    assert await importer.recorder.head() == 0


async def test_the_corpus_again_is_unchanged_with_all_its_notes(corpus_target: Target) -> None:
    outcome = await import_file(corpus_target, corpus_format.READER, corpus_format.SHIPPED_CORPUS)
    assert counts(outcome).keys() == {"unchanged"}
    async with open_connection(corpus_target) as connection:
        noted = await connection.fetchval(
            "SELECT count(*) FROM log.events"
            " WHERE convert_from(entry, 'UTF8')::jsonb -> 'data' -> 'note' ? 'commitment'"
        )
        assert noted == await connection.fetchval(
            "SELECT count(*) FROM log.annexes WHERE field = '/note'"
        )
        assert noted > 1000


# --- the API


@pytest.fixture
async def api(services: Services) -> Api:
    """Run the API with open writes; a redaction needs a token."""
    return Api(services)


async def admin(target: Target, *scopes: Scope) -> dict[str, str]:
    """Return the header of a caller with scopes."""
    async with open_connection(target, role=OWNER) as connection:
        secret = await create(connection, "dpo", scopes, None, date(2026, 1, 1))
    return {"Authorization": f"Bearer {secret}"}


REDACT = """mutation ($input: RedactEventInput!, $key: String) {
  redactEvent(input: $input, idempotencyKey: $key) {
    position entity repeated event { type actor } } }"""


def order(event_id: str = "k", *fields: str) -> dict[str, Any]:
    """Return a redaction command of a client."""
    return {
        "eventId": event_id,
        "reason": "a court said so",
        "on": "2026-03-01",
        "source": fact_builders.source("court"),
        **({"fields": list(fields)} if fields else {}),
    }


async def test_a_redaction_by_the_api_needs_the_scope_admin(api: Api, target: Target) -> None:
    await api.do("announceExportControl", fact_builders.control(note="n"), key="k")
    recording = await admin(target, Scope.RECORD)
    for headers, code in ((None, "FORBIDDEN"), (recording, "FORBIDDEN")):
        answer = await api.post(REDACT, headers, input=order())
        assert answer["errors"][0]["extensions"]["code"] == code
    closed = Api(api.services, Access())
    assert (await closed.post(REDACT, input=order()))["errors"][0]["extensions"]["code"] == (
        "UNAUTHENTICATED"
    )
    headers = await admin(target, Scope.ADMIN)
    for repeated in (False, True):
        answer = await api.post(REDACT, headers, input=order(), key="r")
        assert answer["data"]["redactEvent"] == {
            "position": "2",
            "entity": "redaction/1",
            "repeated": repeated,
            "event": {"type": "Redaction.Redacted", "actor": "dpo"},
        }
    for input, code, path in (
        (order(), "ALREADY_REDACTED", ["input", "fields", 0]),
        (order("none"), "NOT_FOUND", ["input", "eventId"]),
        (order("k", "/title"), "NOTHING_TO_REDACT", ["input", "fields", 0]),
        ({**order(), "reason": " "}, "INVALID_INPUT", ["input", "reason"]),
    ):
        answer = await api.post(REDACT, headers, input=input)
        [error] = answer["errors"]
        assert (error["extensions"]["code"], error["extensions"]["path"]) == (code, path)


SHOWN = """{
  asOf(validAt: "2026-06-01") {
    figure(id: "rare_earths/CN/production/mine/2023") {
      claims { note quotation redactions { ...why } } }
    announcement(id: "n") { note quotation redactions { ...why } }
    exportControl(id: "x") {
      clauses { note redactions { ...why } }
      because { annexes { field text salt redaction { ...why } } } }
  }
  redactions { totalCount nodes { key eventId texts { ...why } } }
  events(first: 1) { nodes { data annexes { field text commitment redaction { ...why } } } }
}
fragment why on RedactedText { field on reason by position source { publisher } }"""


async def test_everybody_sees_the_texts_and_then_why_they_are_gone(
    api: Api, target: Target
) -> None:
    texts = {"note": "Ms Doe", "quotation": "“her words”"}
    figure = {**fact_builders.claim(), **texts}
    made = {
        "id": "n",
        "on": "2025-07-01",
        "kind": "STATEMENT",
        "title": "A",
        **texts,
        "source": fact_builders.source(),
    }
    for key, mutation, input in (
        ("c", "recordFigure", figure),
        ("n", "recordAnnouncement", made),
        (
            "x",
            "announceExportControl",
            fact_builders.control("x", fact_builders.clause(note="of a clause"), **texts),
        ),
    ):
        await api.do(mutation, input, key=key)
    before = await api.ask(SHOWN)
    at = before["asOf"]
    assert at["figure"]["claims"] == [{**texts, "redactions": []}]
    assert at["announcement"] == {**texts, "redactions": []}
    assert at["exportControl"]["clauses"] == [{"note": "of a clause", "redactions": []}]
    assert [a["text"] for b in at["exportControl"]["because"] for a in b["annexes"]] == [
        "of a clause",
        "Ms Doe",
        "“her words”",
    ]
    assert before["redactions"] == {"totalCount": 0, "nodes": []}
    [event] = before["events"]["nodes"]
    assert event["data"]["note"] == {"commitment": event["annexes"][0]["commitment"]}

    headers = await admin(target, Scope.ADMIN)
    for key in ("c", "n", "x"):
        await api.post(REDACT, headers, input=order(key))
    after = await api.ask(SHOWN)
    at = after["asOf"]
    why = {
        "on": "2026-03-01",
        "reason": "a court said so",
        "by": "dpo",
        "source": {"publisher": "court"},
    }
    gone = [{**why, "field": field, "position": "4"} for field in ("/note", "/quotation")]
    assert at["figure"]["claims"] == [{"note": None, "quotation": None, "redactions": gone}]
    assert at["announcement"]["note"] is None
    assert [of["position"] for of in at["announcement"]["redactions"]] == ["5", "5"]
    assert at["exportControl"]["clauses"] == [
        {"note": None, "redactions": [{**why, "field": "/clauses/0/note", "position": "6"}]}
    ]
    assert all(
        a["text"] is a["salt"] is None and a["redaction"]
        for b in at["exportControl"]["because"]
        for a in b["annexes"]
    )
    assert [(of["key"], of["eventId"]) for of in after["redactions"]["nodes"]] == [
        ("1", "c"),
        ("2", "n"),
        ("3", "x"),
    ]
    assert after["redactions"]["nodes"][0]["texts"] == gone
    assert after["events"]["nodes"][0]["data"] == event["data"]
    assert "Doe" not in str(after)


async def test_texts_of_before_there_were_annexes_are_shown_as_ever(api: Api) -> None:
    await api.services.recorder.append([inline("export-control/old", "old")])
    await api.services.projector.reach(1)
    data = await api.ask("""{
      asOf(validAt: "2026-06-01") {
        exportControl(id: "old") { clauses { note redactions { on } } } }
      events { nodes { data annexes { text } } } }""")
    assert data["asOf"]["exportControl"]["clauses"] == [{"note": "old clause", "redactions": []}]
    assert data["events"]["nodes"][0]["data"]["note"] == "old note"
    assert data["events"]["nodes"][0]["annexes"] == []


async def test_a_page_of_notes_takes_one_query(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in ("CN", "AU", "US", "MM"):
        fact = with_note(1, place, place=place)
        await services.commands.record(fact.stream, fact)
    await services.projector.reach(4)
    asked: list[int] = []
    of = type(services.recorder.annexes).by_commitment

    async def counting(self: Any, commitments: Any) -> Any:
        asked.append(len(commitments))
        return await of(self, commitments)

    monkeypatch.setattr(type(services.recorder.annexes), "by_commitment", counting)
    data = await Api(services).ask(
        "{ asOf { figures { nodes { claims { note quotation redactions { on } } } } } }"
    )
    assert [node["claims"][0]["note"] for node in data["asOf"]["figures"]["nodes"]] == [
        "AU",
        "CN",
        "MM",
        "US",
    ]
    assert asked == [4]


CHANGED = """query ($to: Position) { changes(from: {position: "1"}, to: {position: $to}) {
  nodes { fields { path before after } } } }"""


async def test_changes_show_texts_and_no_difference_where_these_are_the_same(api: Api) -> None:
    await api.do(
        "announceExportControl",
        fact_builders.control("x", fact_builders.clause(note="one")),
        key="k",
    )
    for note in ("one", "two"):
        await api.do(
            "amendExportControl",
            {
                "id": "x",
                "on": "2025-01-01",
                "source": fact_builders.source(),
                "clauses": [fact_builders.clause(note=note)],
            },
        )
    [same] = (await api.ask(CHANGED, to="2"))["changes"]["nodes"]
    assert same["fields"] == []
    [change] = (await api.ask(CHANGED, to="3"))["changes"]["nodes"]
    assert change["fields"] == [
        {"path": ["clauses", "1", "clause", "note"], "before": "one", "after": "two"}
    ]


async def test_annexes_are_served_beside_events(api: Api, target: Target) -> None:
    await api.do(
        "announceExportControl", fact_builders.control("x", note="one", quotation="two"), key="k"
    )
    await api.do("announceExportControl", fact_builders.control("y", note="three"))
    await api.post(REDACT, await admin(target, Scope.ADMIN), input=order("k", "/note"))
    response = await api.request("GET", "/annexes")
    assert response.headers["content-type"].startswith("application/x-ndjson")
    rows = [msgspec.json.decode(row) for row in response.content.splitlines()]
    assert [(r["position"], r["field"], r.get("text"), r.get("redaction")) for r in rows] == [
        ("1", "/note", None, "3"),
        ("1", "/quotation", "two", None),
        ("2", "/note", "three", None),
    ]
    some = await api.request("GET", "/annexes?after=1&until=2")
    assert some.content.splitlines() == response.content.splitlines()[2:]
    for query, code in (("after=x", "INVALID_POSITION"), ("types=a", "BAD_REQUEST")):
        wrong = await api.request("GET", f"/annexes?{query}")
        assert wrong.status_code == 400
        assert wrong.json()["errors"][0]["extensions"]["code"] == code
    closed = await Api(api.services, Access(read_open=False)).request("GET", "/annexes")
    assert closed.status_code == 401


async def test_a_log_without_annexes_learns_of_its_redactions_from_its_events(
    commands: Commands, recorder: Recorder, target: Target
) -> None:
    """This happens after a restore from a copy that was made after the redaction."""
    await commands.record(CONTROL, NOTED, idempotency_key="k")
    await redact(commands, "k", "/note")
    async with open_connection(target) as connection:
        rows = await connection.fetch("SELECT * FROM log.events ORDER BY position")
        await connection.execute(
            "ALTER TABLE log.annexes DISABLE TRIGGER annexes_stay;"
            "ALTER TABLE log.events DISABLE TRIGGER events_never_change;"
            "DELETE FROM log.annexes; DELETE FROM log.events"
        )
        for row in rows:
            await connection.execute(
                "INSERT INTO log.events VALUES ($1, $2, $3, $4, $5, $6, $7)", *row
            )
    assert await kept(recorder) == {"/note": None}
    [page] = [page async for page in recorder.annexes.pages(0, 9)]
    assert page[0].redacted_text is not None
    assert page[0].redacted_text.reason == "a court said so"


async def test_the_command_line_redacts_and_asks_first(
    commands: Commands, recorder: Recorder, target: Target
) -> None:
    await commands.record(CONTROL, NOTED, idempotency_key="k")
    url = database_url(target)

    async def tracker(answer: str, *more: str) -> subprocess.CompletedProcess[str]:
        return await asyncio.to_thread(
            subprocess.run,
            [
                *TRACKER,
                "redact",
                "k",
                "--field",
                "/note",
                "--reason",
                "asked for",
                "--source",
                "GDPR Art. 17",
                *more,
            ],
            input=answer,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "TRACKER_DATABASE_URL": url},
        )

    refused = await tracker("n\n")
    assert (refused.returncode, "permanently" in refused.stderr) == (1, True)
    assert (await kept(recorder))["/note"] == "Ms Doe said so"
    done = await tracker("", "--yes")
    assert (done.returncode, "at position 2" in done.stderr) == (0, True), done.stderr
    assert (await kept(recorder))["/note"] is None


async def test_the_example_of_the_documentation_works_unchanged(
    corpus_services: Services, corpus_target: Target
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "redaction.md").read_text(encoding="utf-8")
    api, headers = Api(corpus_services), await admin(corpus_target, Scope.ADMIN)
    documents = re.findall(r"```graphql\n(.*?)```", page, re.DOTALL)
    answers = [await api.post(document, headers) for document in documents]
    assert len(answers) == 2
    assert not any("errors" in answer for answer in answers), answers
    assert answers[0]["data"]["redactEvent"]["event"]["actor"] == "dpo"
    assert answers[1]["data"]["redactions"]["nodes"][0]["eventId"] == "sohu-friction-defence"
