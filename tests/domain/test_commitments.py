"""Commitments: opening, and the distinction of redaction from tampering."""

from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.cases import each_case
from tests.support.fact_builders import announced, clause, fact
from tracker.audit.verify.annex_check import AnnexFinding, check_event, redacts
from tracker.audit.verify.annex_file import AnnexChecker
from tracker.commands.commands import PlannedEvent
from tracker.commands.decisions import decide, rehydrate
from tracker.domain.basics.codec import decode, encode
from tracker.domain.basics.values import TextCommitment
from tracker.domain.controls.export_control_acts import Announced
from tracker.domain.entities.commitments import (
    SALT_BYTES,
    Annex,
    commit,
    commitment,
    commitments_in,
    equal_ignoring_redacted,
    free_texts,
    with_texts,
    with_texts_restored,
    without_texts,
)
from tracker.domain.entities.fact import Fact
from tracker.domain.entities.redaction import Redacted
from tracker.errors import InvalidInput, Rejected
from tracker.log.annexes import AnnexLine, StoredAnnex, export_line
from tracker.log.entries import RecordedEvent, recorded

ROOT = Path(__file__).parents[2]
STREAM = "export-control/a"
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=100)
texts = st.none() | text


@st.composite
def announcements(draw: st.DrawFn) -> Announced:
    """Return an announcement with free texts of any content, or without."""
    clauses = [clause(str(n), note=draw(texts)) for n in range(draw(st.integers(1, 3)))]
    return announced(*clauses, note=draw(texts), quotation=draw(texts))


def texts_by_commitment(annexes: tuple[Annex, ...]) -> dict[str, str]:
    """Return the texts of annexes by commitment."""
    return {annex.commitment: annex.text for annex in annexes}


@given(announcements())
def test_a_commitment_opens_to_its_text(of: Announced) -> None:
    sealed, annexes = commit(of)
    again = decode(Announced, encode(sealed))
    assert again == sealed
    assert {annex.field: annex.commitment for annex in annexes} == commitments_in(again)
    assert with_texts_restored(again, texts_by_commitment(annexes)) == of
    assert all(isinstance(text, TextCommitment) for text in free_texts(sealed).values())
    assert without_texts(sealed, commitments_in(sealed)) == without_texts(of, free_texts(of))


@given(announcements(), announcements())
def test_facts_are_compared_by_what_they_open_to(one: Announced, other: Announced) -> None:
    sealed, annexes = commit(one)
    assert equal_ignoring_redacted(
        with_texts_restored(sealed, texts_by_commitment(annexes)), other
    ) == (one == other)


@given(announcements(), st.sets(st.sampled_from(["/note", "/quotation", "/clauses/0/note"])))
def test_a_redacted_text_matches_its_commitment_and_nothing_else_does(
    of: Announced, gone: set[str]
) -> None:
    sealed, annexes = commit(of)
    left = with_texts_restored(
        sealed, {a.commitment: a.text for a in annexes if a.field not in gone}
    )
    assert equal_ignoring_redacted(left, of)
    assert equal_ignoring_redacted(left, without_texts(of, gone & commitments_in(sealed).keys()))
    assert not equal_ignoring_redacted(left, with_texts(of, {"/clauses/0/note": "x" * 200})) or (
        "/clauses/0/note" in gone and "/clauses/0/note" in commitments_in(sealed)
    )


@given(text, text, st.binary(min_size=SALT_BYTES, max_size=SALT_BYTES))
def test_another_text_has_another_commitment(one: str, other: str, salt: bytes) -> None:
    assert (commitment(salt, one) == commitment(salt, other)) == (one == other)


def test_the_format_is_that_of_the_documentation() -> None:
    given = commitment(bytes(range(32)), "Gallium")
    assert given == (
        "salted-sha256-v1:c57ed048870a807a53f91896842e228184c8309267d9c70a8b7286dc94bb9089"
    )
    assert given in (ROOT / "docs" / "redaction.md").read_text(encoding="utf-8")


def test_every_event_has_a_salt_of_its_own() -> None:
    _, (one,) = commit(announced(note="n"))
    _, (other,) = commit(announced(note="n"))
    assert one.salt != other.salt
    assert len(one.salt) == SALT_BYTES


def test_commitments_that_nobody_here_has_made_are_not_input() -> None:
    sealed, _ = commit(announced(clause(note="a")))
    with pytest.raises(InvalidInput, match="expected text") as caught:
        decide(rehydrate(STREAM, []), PlannedEvent(STREAM, sealed, "e"), ())
    assert caught.value.path == ("clauses", 0, "note")


# --- checked against entries


def entry(of: Fact, position: int = 7, stream: str = STREAM, id: str = "e") -> RecordedEvent:
    """Return an event of the log."""
    type_ = "ExportControl.Announced" if stream == STREAM else "Redaction.Redacted"
    return recorded(
        encode(
            {
                "position": str(position),
                "time": datetime(2026, 1, 1, tzinfo=UTC),
                "id": id,
                "type": type_,
                "subject": stream,
                "version": 1,
                "data": msgspec.Raw(encode(of)),
            }
        )
    )


def exported(annexes: tuple[Annex, ...], position: int = 7) -> list[AnnexLine]:
    """Return annexes as exported."""
    return [
        msgspec.json.decode(
            export_line(StoredAnnex(a.commitment, position, a.field, a.salt, a.text)),
            type=AnnexLine,
        )
        for a in annexes
    ]


SEALED, ANNEXES = commit(announced(clause(note="first"), note="a note", quotation="“words”"))
EVENT, LINES = entry(SEALED), exported(ANNEXES)
OTHER = msgspec.structs.replace


def found(lines: list[AnnexLine], redacted: tuple[str, ...] = ()) -> dict[str, str]:
    """Return the result for each field."""
    findings = check_event(EVENT, lines, redacted)
    assert all(isinstance(finding, AnnexFinding) and finding.position == 7 for finding in findings)
    return {finding.field: finding.status for finding in findings}


NOTE = "/note"
FINE = {"/clauses/0/note": "opened", "/note": "opened", "/quotation": "opened"}


@each_case(
    ("lines", "redacted", "difference"),
    [
        (LINES, (), {}),
        (LINES[1:], (NOTE,), {NOTE: "redacted"}),
        (
            [OTHER(LINES[0], text=None, salt=None, redaction="9"), *LINES[1:]],
            (NOTE,),
            {NOTE: "redacted"},
        ),
        (LINES, (NOTE,), {NOTE: "not_removed"}),
        (LINES[1:], (), {NOTE: "missing"}),
        # a claimed redaction counts only if the log records it
        ([OTHER(LINES[0], text=None, salt=None, redaction="9"), *LINES[1:]], (), {NOTE: "missing"}),
        ([OTHER(LINES[0], text="another"), *LINES[1:]], (), {NOTE: "mismatched"}),
        ([OTHER(LINES[0], salt="00" * 32), *LINES[1:]], (), {NOTE: "mismatched"}),
        ([OTHER(LINES[0], salt="no hex"), *LINES[1:]], (), {NOTE: "mismatched"}),
        ([OTHER(LINES[0], salt=None), *LINES[1:]], (), {NOTE: "mismatched"}),
        ([OTHER(LINES[0], text="another"), *LINES[1:]], (NOTE,), {NOTE: "mismatched"}),
        ([LINES[0], LINES[0], *LINES[1:]], (), {NOTE: "uncommitted"}),
        (
            [*LINES, OTHER(LINES[0], field="/clauses/1/note")],
            (),
            {"/clauses/1/note": "uncommitted"},
        ),
        (
            [OTHER(LINES[0], field="/quotation"), *LINES[1:2]],
            (),
            {NOTE: "missing", "/quotation": "uncommitted", "/clauses/0/note": "missing"},
        ),
    ],
)
def test_every_way_to_lose_a_text_is_distinguished(
    lines: list[AnnexLine], redacted: tuple[str, ...], difference: dict[str, str]
) -> None:
    assert found(lines, redacted) == {**FINE, **difference}


def test_texts_that_stand_in_the_entry_need_no_annex() -> None:
    assert check_event(entry(announced(note="inline")), [], ()) == []


def test_a_redaction_says_of_which_event_it_is_about() -> None:
    gone = fact(Redacted, "2026-01-01", redacts="e", fields=["/note"], reason="asked for")
    assert redacts(entry(gone, 9, "redaction/7", "r")) == (7, ("/note",))
    assert redacts(EVENT) is None


# --- the file of a bundle, while its entries go by


REDACTION = entry(
    fact(Redacted, "2026-01-01", redacts="e", fields=[NOTE], reason="asked for"),
    9,
    "redaction/7",
    "r",
)
PLAIN = entry(announced(note="inline"), 8, id="p")


def gone_through(lines: list[AnnexLine], *events: RecordedEvent, first: int = 1) -> tuple[int, int]:
    """Return the numbers of opened and redacted texts after all events."""
    texts = AnnexChecker(map(encode, lines), first, events[-1].position)
    for event in events:
        texts.check([event])
    texts.end()
    return texts.opened, texts.redacted


def test_a_bundle_has_every_text_or_an_event_that_redacts_it() -> None:
    assert gone_through(LINES, EVENT, PLAIN) == (3, 0)
    assert gone_through(LINES[1:], EVENT, PLAIN, REDACTION) == (2, 1)
    assert gone_through(LINES, PLAIN, first=8) == (0, 0)  # saved on an earlier visit
    beyond = OTHER(LINES[0], position="9")  # an export was interrupted before its checkpoint
    assert gone_through([*LINES, beyond], EVENT, PLAIN) == (3, 0)


def test_texts_may_be_missing_where_that_is_allowed_and_altered_nowhere() -> None:
    texts = AnnexChecker(map(encode, LINES[1:]), 1, 7, allow_missing=True)
    texts.check([EVENT])
    texts.end()
    assert (texts.opened, texts.redacted, texts.missing) == (2, 0, 1)
    texts = AnnexChecker(map(encode, [OTHER(LINES[0], text="another")]), 1, 7, allow_missing=True)
    with pytest.raises(Rejected, match="is not what the entry commits to"):
        texts.check([EVENT])


def test_lines_of_one_event_without_end_are_rejected() -> None:
    lines = (encode(OTHER(LINES[0], text=None, salt=None, field=f"/{n}")) for n in count())
    with pytest.raises(Rejected, match="in annexes is not what the entry commits to"):
        AnnexChecker(lines, 1, 7).check([EVENT])


@each_case(
    ("lines", "events", "code", "position"),
    [
        (LINES[1:], [EVENT], "MISSING_ANNEX", 7),
        (LINES[:2], [EVENT, PLAIN, REDACTION], "MISSING_ANNEX", 7),
        ([OTHER(LINES[0], text="another"), *LINES[1:]], [EVENT], "ALTERED_ANNEX", 7),
        ([*LINES, OTHER(LINES[0], position="8")], [EVENT, PLAIN], "ALTERED_ANNEX", 8),
        ([OTHER(LINES[0], text=None, salt=None), *LINES], [EVENT], "ALTERED_ANNEX", 7),
        ([OTHER(LINES[0], position="6"), *LINES], [EVENT], "ALTERED_ANNEX", 6),
    ],
)
def test_a_text_that_was_changed_or_taken_away_is_named(
    lines: list[AnnexLine], events: list[RecordedEvent], code: str, position: int
) -> None:
    with pytest.raises(Rejected) as caught:
        gone_through(lines, *events)
    assert (caught.value.code, caught.value.positions) == (code, range(position, position + 1))


@each_case("text", [b"{]", b"{}", b'{"position":"x","field":"/","commitment":""}'])
def test_a_line_that_is_not_text_is_rejected(text: bytes) -> None:
    with pytest.raises(Rejected, match="line 1 of annexes is not a text"):
        AnnexChecker([text], 1, 9)
