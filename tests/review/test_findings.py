"""Findings become candidates once; candidates that the publisher changes are superseded."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from msgspec.structs import replace

from deploy.bootstrap import open_connection
from tests.support.fact_builders import announced, clause
from tests.support.findings import SHA256, figures, lead, proposal
from tests.support.importer import ImportFixture, line
from tracker.commands.handler import Commands
from tracker.errors import InvalidInput
from tracker.log.recorder import Recorder
from tracker.postgres.database import WATCHER, Connection, Target
from tracker.review.finding import FactProposal, LeadCode
from tracker.review.findings import propose

KEY = "cn-mofcom"


@pytest.fixture
async def watcher(target: Target) -> AsyncIterator[Connection]:
    """Open a connection like the watcher's."""
    async with open_connection(target, role=WATCHER) as connection:
        yield connection


async def states(connection: Connection) -> list[tuple[str, str]]:
    """Return the items of all candidates with their states, oldest first."""
    rows = await connection.fetch("SELECT part, state FROM review.candidates ORDER BY id")
    return [(row["part"], row["state"]) for row in rows]


async def test_findings_wait_as_candidates_with_what_they_are_found_by(watcher: Connection) -> None:
    assert await propose(watcher, KEY, [proposal(), figures(), lead()], ["CN"]) == 3
    fact, file, hint = await watcher.fetch("SELECT * FROM review.candidates ORDER BY id")
    assert (fact["kind"], fact["state"], fact["revision"]) == ("fact", "pending", 1)
    assert (fact["type"], fact["stream"]) == ("ExportControl.Announced", "export-control/cn-2024-1")
    assert (fact["commodities"], fact["issuers"]) == (["gallium"], ["CN"])
    assert "China" in fact["words"]
    assert fact["snapshot"].hex() == SHA256
    assert (file["kind"], file["reader"], file["file_name"]) == ("import", "usgs", "mcs2025.csv")
    assert (hint["kind"], hint["lead"], hint["issuers"]) == ("lead", "gap", ["CN"])


async def test_the_same_findings_again_add_nothing(watcher: Connection) -> None:
    found = [proposal(), figures(), lead()]
    assert await propose(watcher, KEY, found) == 3
    assert await propose(watcher, KEY, found) == 0
    assert await propose(watcher, KEY, [*found, lead("2024-2")]) == 1
    assert await propose(watcher, "another-source", [lead()]) == 1


async def test_a_fact_from_a_list_that_was_fetched_again_is_the_same(watcher: Connection) -> None:
    assert await propose(watcher, KEY, [proposal()]) == 1
    moved = proposal(sha256="cd" * 32, place="results[9]")
    assert await propose(watcher, KEY, [moved]) == 0


async def test_a_newer_account_replaces_a_waiting_candidate(watcher: Connection) -> None:
    first = proposal(fact=announced(clause(inForceFrom="2024-12-03")))
    second = proposal(fact=announced(clause(inForceFrom="2024-12-13")))
    await propose(watcher, KEY, [first, lead()])
    assert await propose(watcher, KEY, [second]) == 1
    part = "fact:cn-mofcom-2024-1"
    assert await states(watcher) == [
        (part, "superseded"),
        ("lead:gap", "pending"),
        (part, "pending"),
    ]
    [row] = await watcher.fetch("SELECT * FROM review.decisions")
    assert (row["action"], row["actor"], row["detail"]) == ("superseded", "tracker", "3")


async def test_a_repeated_account_waits_again(watcher: Connection) -> None:
    first, second = proposal(), proposal(fact=announced(title="Another title"))
    for each in (first, second):
        await propose(watcher, KEY, [each])
    assert await propose(watcher, KEY, [first]) == 1
    assert [state for _, state in await states(watcher)] == ["pending", "superseded"]


async def test_decided_candidates_are_not_put_aside(watcher: Connection, target: Target) -> None:
    await propose(watcher, KEY, [proposal()])
    async with open_connection(target) as admin:
        await admin.execute("UPDATE review.candidates SET state = 'rejected', closed_at = now()")
    assert await propose(watcher, KEY, [proposal()]) == 0
    assert await propose(watcher, KEY, [proposal(fact=announced(title="Another"))]) == 1
    assert [state for _, state in await states(watcher)] == ["rejected", "pending"]


async def test_an_act_that_could_not_be_read_is_not_a_lead_once_it_was(watcher: Connection) -> None:
    await propose(watcher, KEY, [lead(code=LeadCode.NOT_READ), lead("2024-2", LeadCode.NOT_READ)])
    await propose(watcher, KEY, [proposal()])
    assert [state for _, state in await states(watcher)] == ["superseded", "pending", "pending"]


async def test_another_body_of_a_page_is_another_lead(watcher: Connection) -> None:
    for sha256, new in (("aa" * 32, 1), ("aa" * 32, 0), ("bb" * 32, 1)):
        change = lead(code=LeadCode.CHANGED, sha256=sha256)
        assert await propose(watcher, KEY, [change]) == new


async def test_facts_in_the_log_under_the_id_of_the_reader_are_not_proposed(
    watcher: Connection, recorder: Recorder
) -> None:
    found = proposal(fact=announced(note="In the words of the notice"))
    await Commands(recorder).record(
        found.event.stream, found.event.fact, idempotency_key=found.event.event_id
    )
    assert await propose(watcher, KEY, [found]) == 0
    other = proposal(fact=announced(note="In other words"))
    assert await propose(watcher, KEY, [other]) == 1
    # The publisher repeats known data: nothing is pending.
    assert await propose(watcher, KEY, [found]) == 0
    assert [state for _, state in await states(watcher)] == ["superseded"]


async def test_where_in_its_source_a_fact_stands_makes_no_other_fact(
    watcher: Connection, recorder: Recorder
) -> None:
    found = proposal()
    await Commands(recorder).record(
        found.event.stream, found.event.fact, idempotency_key=found.event.event_id
    )
    source = replace(found.event.fact.source, reference="line 7")
    moved = proposal(fact=replace(found.event.fact, source=source))
    assert await propose(watcher, KEY, [moved]) == 0


async def test_a_file_that_was_imported_is_not_proposed(
    watcher: Connection, importer: ImportFixture
) -> None:
    outcome = await importer.take(line())
    done = figures(reader="corpus", sha256=outcome.receipt.sha256)
    assert await propose(watcher, KEY, [done, figures(sha256="cd" * 32)]) == 1


async def test_a_fact_that_no_event_can_hold_is_a_lead_that_says_why(watcher: Connection) -> None:
    bad = announced(title="Gallium\x07")
    assert await propose(watcher, KEY, [proposal(fact=bad), proposal("2024-2")]) == 2
    hint, _ = await watcher.fetch("SELECT * FROM review.candidates ORDER BY id")
    assert (hint["kind"], hint["lead"]) == ("lead", "not_read")
    assert hint["reason"].startswith("The content cannot be recorded: title: ")


@pytest.mark.parametrize(
    ("bad", "path"),
    [
        (lead("x" * 201), "item"),
        (lead(url=""), "url"),
        (lead(url="javascript:alert(1)"), "url"),
        (lead(url="https://x.example:99999/"), "url"),
        (lead(url="https://x.example/" + " " * 1000), "url"),
        (figures(sha256=None), "sha256"),
    ],
)
async def test_values_that_cannot_be_stored_are_refused_with_their_field(
    watcher: Connection, bad: FactProposal, path: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        await propose(watcher, KEY, [lead(), bad])
    assert refused.value.path == (path,)
    assert await states(watcher) == []


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://x.example/a?b=c#d", "https://x.example/a?b=c#d"),
        ("https://x.example/公告", "https://x.example/公告"),
        ("https://u:p@x.example/a", "https://x.example/a"),
        ('https://x.example/"><script>', "https://x.example/%22%3E%3Cscript%3E"),
        ("https://x.example/a b", "https://x.example/a%20b"),
        ("https://x.example/\x1b", "https://x.example/%1B"),
    ],
)
async def test_addresses_of_strangers_are_kept_as_addresses_without_a_user(
    watcher: Connection, url: str, kept: str
) -> None:
    await propose(watcher, KEY, [lead(url=url)])
    assert await watcher.fetchval("SELECT url FROM review.candidates") == kept


@pytest.mark.parametrize(
    ("language", "kept"),
    [("zh-Hans", "zh-Hans"), ("en-us", "en-us"), ('"><script>', None), ("en_US", None), ("", None)],
)
async def test_languages_of_strangers_are_kept_as_language_tags(
    watcher: Connection, language: str, kept: str | None
) -> None:
    await propose(watcher, KEY, [lead(language=language)])
    assert await watcher.fetchval("SELECT language FROM review.candidates") == kept


async def test_titles_of_strangers_stand_in_one_line(watcher: Connection) -> None:
    await propose(watcher, KEY, [lead(title="A\x00 notice\n of  today" + "x" * 900)])
    title = await watcher.fetchval("SELECT title FROM review.candidates")
    assert title.startswith("A notice of today")
    assert len(title) == 500


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM review.candidates",
        "UPDATE review.candidates SET title = 'x'",
        "UPDATE review.candidates SET state = 'accepted', position = 1, closed_at = now()",
        "UPDATE review.decisions SET actor = 'x'",
        "DELETE FROM review.decisions",
    ],
)
async def test_the_watcher_can_neither_accept_nor_change_what_was_found(
    watcher: Connection, statement: str
) -> None:
    await propose(watcher, KEY, [lead()])
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await watcher.execute(statement)
