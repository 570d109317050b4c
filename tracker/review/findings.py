"""Conversion of findings to candidates: new findings enter the queue, and supersede earlier ones.

A finding is identified by its source, its item and its content, so a repeated poll adds nothing. A waiting
candidate is superseded when the publisher changes the same part of an item. Candidates with a decision are
not changed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import asyncpg

from tracker.domain.basics.codec import encode
from tracker.domain.basics.text_rules import usable_address
from tracker.domain.entities.commitments import commitments_in, with_texts_restored, without_texts
from tracker.domain.entities.entity import TYPES, check_stream
from tracker.domain.entities.fact import Fact
from tracker.domain.entities.recordable import check_recordable
from tracker.domain.entities.subjects import actors, commodities
from tracker.errors import InvalidInput
from tracker.log.annexes import read_texts
from tracker.log.entries import recorded
from tracker.postgres.database import Connection, Pool, named_queries
from tracker.review.finding import FactProposal, Finding, ImportProposal, Lead, LeadCode
from tracker.review.search_words import search_words
from tracker.sources.importing.reconcile import equal_ignoring_place
from tracker.sources.reader import check_storable

SQL = named_queries(Path(__file__).with_name("findings.sql"))

ACTOR = "tracker"
"""The actor of decisions by rules."""
LANGUAGE_TAG = re.compile(r"[a-z]{2,8}(-[a-z0-9]{1,8}){0,7}", re.IGNORECASE)
"""A language tag (BCP 47) as publishers write it, in any case."""
MAX_ITEM_CHARACTERS = 200
MAX_TITLE_CHARACTERS = 500
MAX_URL_CHARACTERS = 2_000
MAX_REASON_CHARACTERS = 2_000
MAX_DATA_BYTES = 60_000
"""Maximum bytes of a proposed fact, as for an event."""
NOT_READ = f"lead:{LeadCode.NOT_READ.value}"
"""The part of a lead that is superseded by any other finding of its item."""
CHANGES_BY_CONTENT = (LeadCode.CHANGED, LeadCode.ANOTHER_BODY)
"""Leads about changed content: another snapshot is another lead."""

Row = dict[str, Any]


async def propose(
    target: Connection | Pool, source: str, findings: Sequence[Finding], issuers: Sequence[str] = ()
) -> int:
    """Add findings of a watched source to the queue, and return the number of new tasks for people.

    `issuers` are those of the source, used for findings that name none. Repeated findings add nothing. A fact
    that the log has with the same content under its reader's id is skipped. All or nothing; raises
    InvalidInput for an invalid finding.
    """
    storable_findings = [storable(one) for one in findings]
    rows = {
        (row["item"], row["part"]): row
        for row in (row_of(one, issuers) for one in storable_findings)
    }
    facts = {
        one.event.event_id: one.event.fact
        for one in storable_findings
        if isinstance(one, FactProposal)
    }
    if isinstance(target, asyncpg.Pool):
        async with target.acquire() as connection:
            return await _propose(connection, source, list(rows.values()), facts)
    return await _propose(target, source, list(rows.values()), facts)


async def _propose(
    connection: Connection, source: str, rows: Sequence[Row], facts: Mapping[str, Fact]
) -> int:
    if not rows:
        return 0
    async with connection.transaction():
        await connection.execute(SQL.take_turn, source)
        known = await _known_ids(connection, facts)
        imported = await _find_imported(connection, rows)
        proposals = [
            row
            for row in rows
            if row["event_id"] not in known and (row["reader"], row["snapshot"]) not in imported
        ]
        encoded, existing = (encode(some).decode() for some in (proposals, rows))
        added = await connection.fetch(SQL.add, source, encoded)
        revived = await connection.fetch(SQL.revive, source, encoded, ACTOR)
        await connection.execute(SQL.supersede, source, existing, ACTOR, NOT_READ)
    return len(added) + len(revived)


async def _known_ids(connection: Connection, facts: Mapping[str, Fact]) -> set[str]:
    """Return the ids under which the log has the same facts."""
    rows = await connection.fetch(SQL.known, list(facts)) if facts else []
    known = {row["event_id"]: recorded(row["entry"]).fact for row in rows}
    texts = await read_texts(connection, known.values())
    return {
        id for id, fact in known.items() if is_same(with_texts_restored(fact, texts), facts[id])
    }


def is_same(recorded: Fact, other: Fact) -> bool:
    """Return whether a recorded fact has the content of another one, regardless of its place in the
    source.

    Redacted texts can no longer be compared and count as equal.
    """
    gone = commitments_in(recorded)
    return type(recorded) is type(other) and equal_ignoring_place(
        without_texts(recorded, gone), without_texts(other, gone)
    )


async def _find_imported(connection: Connection, rows: Sequence[Row]) -> set[tuple[str, str]]:
    """Return the imported files with their readers."""
    files = [(row["reader"], row["snapshot"]) for row in rows if row["kind"] == "import"]
    if not files:
        return set()
    readers, hashes = zip(*files, strict=True)
    return {
        (row["reader"], row["sha256"])
        for row in await connection.fetch(SQL.imported, list(readers), list(hashes))
    }


def storable(finding: Finding) -> Finding:
    """Return a finding or, for a fact that no event could hold, a lead with the error."""
    if not isinstance(finding, FactProposal):
        return finding
    try:
        check_stream(finding.event.stream, "stream")
        check_recordable(finding.event.fact)
        fact_columns(finding.event.stream, finding.event.fact)
        check_storable(encode(finding.event.fact))
    except InvalidInput as error:
        where = ".".join(map(str, error.path))
        reason = f"The content cannot be recorded: {f'{where}: ' if where else ''}{error.message}"
        return Lead(finding.origin, reason, LeadCode.NOT_READ)
    return finding


def row_of(finding: Finding, issuers: Sequence[str] = ()) -> Row:
    """Return a finding as a row of review.candidates. Raises InvalidInput."""
    origin = finding.origin
    _check_origin(finding)
    row: Row = {
        "item": origin.item,
        "title": _line(origin.title)[:MAX_TITLE_CHARACTERS],
        "language": origin.language if LANGUAGE_TAG.fullmatch(origin.language or "") else None,
        "url": _address(origin.url),
        "place": _line(origin.place),
        "snapshot": origin.sha256,
        "published_on": origin.published_on,
        "number": None if origin.number is None else _line(origin.number),
        "reason": finding.reason[:MAX_REASON_CHARACTERS],
        "commodities": [],
        "issuers": list(issuers),
        "event_id": None,
        "reader": None,
        **_proposal(finding),
    }
    row["issuers"] = row["issuers"] or list(issuers)
    row["words"] = search_words(
        (row["title"], row["number"], origin.item, row.get("stream"), row["reason"]),
        row["commodities"],
        row["issuers"],
    )
    check_storable(encode(row))
    return row


def _proposal(finding: Finding) -> Row:
    """Return the proposal of a finding, with the key and hash that identify it."""
    match finding:
        case FactProposal(event=event):
            proposal: Row = fact_columns(event.stream, event.fact)
            known_by = "fact", event.stream, proposal["type"], event.fact
            return proposal | {
                "part": f"fact:{event.event_id}",
                "content": _hash(known_by),
                "event_id": event.event_id,
            }
        case ImportProposal():
            settings = dict(finding.settings)
            return {
                "kind": "import",
                "part": f"import:{finding.reader}",
                "content": _hash(
                    ("import", finding.reader, finding.origin.sha256, sorted(settings.items()))
                ),
                "reader": finding.reader,
                "file_name": finding.file_name,
                "settings": settings,
            }
        case Lead(code=code, origin=origin):
            body = origin.sha256 if code in CHANGES_BY_CONTENT else None
            return {
                "kind": "lead",
                "part": f"lead:{code.value}",
                "content": _hash(("lead", code, origin.title, finding.reason, body)),
                "lead": code.value,
            }


def fact_columns(stream: str, fact: Fact) -> Row:
    """Return a fact as columns of a candidate. Raises TooLarge if it exceeds an event."""
    data = encode(fact)
    if len(data) > MAX_DATA_BYTES:
        raise InvalidInput(
            f"expected a fact of at most {MAX_DATA_BYTES:,} bytes, got {len(data):,}",
            code="TOO_LARGE",
        )
    return {
        "kind": "fact",
        "stream": stream,
        "type": TYPES[type(fact)],
        "data": fact,
        "commodities": sorted(set(commodities(fact))),
        "issuers": sorted(set(actors(fact))),
    }


def _check_origin(finding: Finding) -> None:
    """Raise InvalidInput for an invalid origin."""
    origin = finding.origin
    if not (0 < len(origin.item) <= MAX_ITEM_CHARACTERS and origin.item.isprintable()):
        raise InvalidInput(
            f"expected an item of 1 to {MAX_ITEM_CHARACTERS} printable characters", path=("item",)
        )
    if isinstance(finding, ImportProposal) and origin.sha256 is None:
        raise InvalidInput("expected the snapshot that is to be imported", path=("sha256",))


def _address(url: str) -> str:
    """Return the address of a finding, which clients may use as a link. Raises InvalidInput."""
    address = usable_address(url)
    if address is None or len(address) > MAX_URL_CHARACTERS:
        raise InvalidInput(
            "expected an address that begins with https:// or http://, of at most"
            f" {MAX_URL_CHARACTERS:,} characters",
            path=("url",),
        )
    return address


def _line(text: str) -> str:
    """Return a text in one line, without unprintable characters."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def _hash(known_by: object) -> str:
    return hashlib.sha256(encode(known_by)).hexdigest()
