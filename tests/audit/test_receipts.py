"""The format of receipts: every altered byte is rejected by its name, and signatures are not exchangeable."""

import dataclasses
import json
from collections.abc import Callable
from typing import Any, ClassVar

import msgspec
import orjson
import pytest
import rfc8785
from hypothesis import assume, example, given
from hypothesis import strategies as st

from deploy.cli.verify_receipts import check_reaches, check_root
from tests.audit.test_receipt_vectors import DIRECTORY, FILE
from tests.support.receipt_vectors import ANSWER, LOG, WITNESS, checkpoint, files, receipt
from tests.support.tampered_logs import KEY, TRUST, ForgedLog, changed, honest, signed
from tracker.audit.format.checkpoint import Checkpoint
from tracker.audit.format.signed_note import Note, Signer, Verifier
from tracker.audit.receipts.canonical import canonical_answer, canonical_json
from tracker.audit.receipts.receipt import Receipt, sign
from tracker.audit.receipts.report import ReceiptFindings
from tracker.audit.receipts.statement import VERSIONS, Operation, Statement, StatementV1
from tracker.audit.verify.trust import TrustedCheckpoint, TrustPolicy
from tracker.audit.verify.verifier import Verification
from tracker.errors import InvalidInput, Rejected

LOG_TRUST = TrustPolicy((LOG.verifier,), (WITNESS.verifier,))
STRUCTURE = {"BAD_RECEIPT", "BAD_SIGNATURE", "UNKNOWN_KEY"}
NAMES = st.from_regex(r"[_A-Za-z][_0-9A-Za-z]{0,5}", fullmatch=True)
"""Member names of GraphQL responses."""
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(NAMES, children, max_size=4),
    max_leaves=20,
)


def fault(data: bytes, trust: TrustPolicy = LOG_TRUST) -> str | None:
    """Return the code of the fault of a file; None without one."""
    try:
        Receipt.parse(data).verify(trust)
    except Rejected as error:
        return error.code
    return None


def test_the_tracker_writes_the_vectors_byte_for_byte() -> None:
    assert {path.name: path.read_bytes() for path in DIRECTORY.glob("*.*")} == files()


def test_the_vector_is_accepted() -> None:
    assert fault(FILE) is None
    assert Receipt.parse(FILE) == receipt()


@given(VALUES)
@example({"b": 1.0, "a": [1e21, 1e-7, -0.0, 123456789.125], "c": "\x7f\u2028\ud7ff𝔊"})
def test_answers_are_written_as_the_library_of_rfc_8785_writes_them(value: Any) -> None:
    data = orjson.dumps(value)
    assert canonical_answer(data) == canonical_json(json.loads(data))


@given(st.text(), st.dictionaries(st.text(), VALUES))
@example("\x7f\u2028\U0001d50a", {"\ufb33": 1, "\U0001d50a": 2.5})
def test_statements_are_written_as_the_library_of_rfc_8785_writes_them(
    document: str, variables: dict[str, Any]
) -> None:
    operation = Operation(document, None, variables)
    statement = msgspec.structs.replace(receipt().statement, operation=operation)
    line = statement.text.split("\n", 1)[1].encode()
    assert line == rfc8785.dumps(msgspec.to_builtins(statement)) + b"\n"


@given(st.integers(0, len(FILE) - 2), st.integers(0, 255))
@example(2, 0x80)  # a name that is no UTF-8: older versions of msgspec raise UnicodeDecodeError
def test_every_altered_byte_is_rejected(place: int, byte: int) -> None:
    assume(FILE[place] != byte)
    code = fault(FILE[:place] + bytes([byte]) + FILE[place + 1 :])
    in_answer = place < FILE.index(b',"receipt":')
    assert code in ({"WRONG_ANSWER_TEXT", "BAD_RECEIPT"} if in_answer else STRUCTURE), code


@given(st.integers(0, len(FILE) - 2))
def test_every_missing_and_every_repeated_byte_is_rejected(place: int) -> None:
    expected = {*STRUCTURE, "WRONG_ANSWER_TEXT"}
    assert fault(FILE[:place] + FILE[place + 1 :]) in expected
    assert fault(FILE[: place + 1] + FILE[place:]) in expected


def test_each_value_of_the_answer_is_covered() -> None:
    for name in ("large", "none", "ok"):
        answer = json.loads(json.dumps(ANSWER))
        answer["asOf"][name] = 1
        lie = dataclasses.replace(receipt(), answer=answer)
        assert fault(str(lie).encode()) == "WRONG_ANSWER_TEXT"


def test_other_keys_and_missing_witnesses_are_named() -> None:
    stranger = Signer.new(LOG.name)
    assert fault(FILE, TrustPolicy((stranger.verifier,))) == "UNKNOWN_KEY"
    assert fault(FILE, TrustPolicy((stranger.verifier, LOG.verifier))) is None
    absent = Signer.new("absent.example", 4).verifier
    assert fault(FILE, TrustPolicy((LOG.verifier,), (absent,))) == "NOT_WITNESSED"


def resigned(signers: tuple[Signer, ...] = (LOG,), **changes: Any) -> bytes:
    """Return the file with another statement, signed."""
    statement = msgspec.structs.replace(receipt().statement, **changes)
    return str(Receipt(sign(statement, signers), statement, ANSWER)).encode()


def test_a_statement_that_contradicts_itself_is_rejected() -> None:
    assert fault(resigned()) is None
    assert fault(resigned(origin="example.com/other")) == "WRONG_ORIGIN"
    assert fault(resigned(answer_omitted=True)) == "BAD_RECEIPT"  # and the file has an answer
    [moment] = receipt().statement.moments
    later = msgspec.structs.replace(moment, position="6")
    assert fault(resigned(moments=(later,))) == "BAD_RECEIPT"  # the checkpoint has five events
    assert fault(resigned(moments=())) == "BAD_RECEIPT"
    assert fault(resigned(moments=(moment,) * 11)) == "BAD_RECEIPT"


def test_a_file_in_another_form_is_rejected() -> None:
    content = json.loads(FILE)
    assert fault(json.dumps(content).encode()) == "BAD_RECEIPT"
    more = canonical_json({**content, "more": 1})
    assert fault(more) == "BAD_RECEIPT"
    assert fault(FILE.removesuffix(b"\n")) is None
    assert fault(b"[" * 100_000) == "BAD_RECEIPT"
    assert fault(b"") == "BAD_RECEIPT"


def test_during_a_rotation_both_keys_sign() -> None:
    new = Signer.new(LOG.name)
    head = str(checkpoint())
    text = checkpoint().text
    both = str(Note(text, (LOG.sign(text), new.sign(text))))
    assert head != both
    file = resigned((LOG, new), checkpoint=both)
    assert fault(file, TrustPolicy((LOG.verifier, new.verifier))) is None
    lines = Receipt.parse(file).note.signatures
    assert [line.id for line in lines] == sorted(line.id for line in lines)
    # A signature that cannot be checked could be changed unnoticed.
    for known in (LOG, new):
        assert fault(file, TrustPolicy((known.verifier,))) == "UNKNOWN_KEY"
    swapped = Receipt(Note(Receipt.parse(file).note.text, lines[::-1]), receipt().statement, ANSWER)
    assert fault(str(swapped).encode(), TrustPolicy((LOG.verifier, new.verifier))) == "BAD_RECEIPT"


def test_a_trusted_key_of_another_log_does_not_sign_for_this_one() -> None:
    other = Signer.new("example.com/other")
    assert fault(resigned((other,)), TrustPolicy((LOG.verifier, other.verifier))) == "WRONG_ORIGIN"
    both = TrustPolicy((LOG.verifier, other.verifier))
    assert fault(resigned((LOG, other)), both) == "WRONG_ORIGIN"


OLD = DIRECTORY / "v1" / "example.receipt.json"


def test_receipts_of_earlier_versions_are_read_as_they_were_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    old = Receipt.parse(OLD.read_bytes())
    assert (type(old.statement), old.statement.header) == (StatementV1, "tracker-receipt/v1")
    assert str(old).encode() == OLD.read_bytes()
    assert fault(OLD.read_bytes()) is None

    class Later(Statement, frozen=True, kw_only=True):
        """A later version with an optional member."""

        header: ClassVar[str] = "tracker-receipt/v3"
        licence: str | None = None

    monkeypatch.setitem(VERSIONS, Later.header, Later)
    assert fault(OLD.read_bytes()) is None
    assert fault(FILE) is None
    values = {name: getattr(receipt().statement, name) for name in Statement.__struct_fields__}
    later = Later(**values, licence="CC-BY-4.0")
    file = str(Receipt(sign(later, [LOG]), later, ANSWER)).encode()
    assert fault(file) is None
    assert isinstance(Receipt.parse(file).statement, Later)
    under_old_name = file.replace(b"receipt/v3", b"receipt/v2")
    assert fault(under_old_name) == "BAD_RECEIPT"  # `licence` is not a member of version 2


def test_a_checkpoint_is_not_a_receipt_and_a_receipt_is_not_a_checkpoint() -> None:
    as_receipt = {"answer": None, "receipt": str(checkpoint())}
    assert fault(canonical_json(as_receipt)) == "BAD_RECEIPT"
    with pytest.raises(Rejected, match="fewer than three"):
        LOG_TRUST.verify_head(str(receipt().note).encode(), "x")


def exchanged(text: str, made: Signer, claimed: Verifier) -> Note:
    """Return a note with the signature of one type under the key id of another type."""
    signature = made.sign(text)
    return Note(text, (dataclasses.replace(signature, id=claimed.id),))


def test_signatures_of_one_type_do_not_pass_as_the_other() -> None:
    key, own = LOG.verifier, LOG.verifier.for_receipts
    assert key.id != own.id
    trust = TrustPolicy((key,))

    text = str(Checkpoint(LOG.name, 5, bytes(32)))
    signed_as_receipt = Note(text, (LOG.for_receipts.sign(text),))
    with pytest.raises(Rejected, match="signed by none"):
        trust.verify_head(str(signed_as_receipt).encode(), "x")
    with pytest.raises(Rejected, match="does not fit"):
        trust.verify_head(str(exchanged(text, LOG.for_receipts, key)).encode(), "x")

    text = receipt().note.text
    for note, code in (
        (Note(text, (LOG.sign(text),)), "UNKNOWN_KEY"),
        (exchanged(text, LOG, own), "BAD_SIGNATURE"),
    ):
        file = canonical_json({"answer": ANSWER, "receipt": str(note)})
        assert fault(file) == code


def test_a_key_for_receipts_is_not_parsed_as_a_key_of_the_log() -> None:
    with pytest.raises(InvalidInput):
        Verifier.parse(str(LOG.verifier.for_receipts))


EVENTS = 300
ENTRIES = list(honest(EVENTS))


def claim(size: int) -> ReceiptFindings:
    """Return a receipt whose checkpoint is the honest log at a size."""
    head = TRUST.verify_head(signed(ENTRIES[:size]), "x")
    return ReceiptFindings("x", None, head)


async def fault_of_log(entries: list[bytes], one: ReceiptFindings) -> str | None:
    """Return the code of the fault of a log, signed again by the holder of the key, for a receipt."""
    assert one.checkpoint is not None
    try:
        verification = await Verification.begin(ForgedLog(entries), TRUST, claims=[one.checkpoint])
        check_reaches(verification.head, one)
        await verification.run()
        check_root(verification, one)
    except Rejected as error:
        return error.code
    return None


Tampering = Callable[[list[bytes], int], list[bytes]]


def renumbered(entries: list[bytes]) -> list[bytes]:
    """Return entries with consecutive positions, as a forger writes them."""
    return [changed(entry, position=str(at)) for at, entry in enumerate(entries, 1)]


def dropped(entries: list[bytes], at: int) -> list[bytes]:
    """Drop an event."""
    return renumbered(entries[:at] + entries[at + 1 :])


def added(entries: list[bytes], at: int) -> list[bytes]:
    """Add an event."""
    new = changed(entries[at], id="added", subject="alliance/added", version=1)
    return renumbered([*entries[:at], new, *entries[at:]])


def swapped(entries: list[bytes], at: int) -> list[bytes]:
    """Swap two events."""
    first, second = entries[at : at + 2]
    return renumbered([*entries[:at], second, first, *entries[at + 2 :]])


def altered(entries: list[bytes], at: int) -> list[bytes]:
    """Alter one byte of an event."""
    entry = entries[at]
    return [*entries[:at], entry.replace(b"2", b"3", 1), *entries[at + 1 :]]


ORDER = {"WRONG_TIME", "WRONG_VERSION", "WRONG_POSITION", "REPEATED_EVENT_ID", "NOT_AN_EVENT"}


@given(
    st.sampled_from([dropped, added, swapped, altered]),
    st.integers(0, EVENTS - 20),
    st.integers(0, 10),
)
async def test_a_log_with_other_events_before_the_position_fails(
    tamper: Tampering, at: int, more: int
) -> None:
    one = claim(min(EVENTS - 5, at + 2 + more))
    assert await fault_of_log(tamper(ENTRIES, at), one) in {"FORKED", *ORDER}


async def test_an_honest_log_is_accepted_and_a_shorter_one_is_named() -> None:
    for size in (1, 256, EVENTS - 1, EVENTS):
        assert await fault_of_log(ENTRIES, claim(size)) is None
    assert await fault_of_log(ENTRIES[:250], claim(251)) == "SHRUNK"
    assert await fault_of_log(dropped(ENTRIES, 299), claim(EVENTS)) == "SHRUNK"


async def test_a_receipt_of_a_forked_log_fails() -> None:
    last = changed(ENTRIES[-1], id="another")
    assert await fault_of_log([*ENTRIES[:-1], last], claim(EVENTS)) == "FORKED"
    other_origin = dataclasses.replace(KEY, name="example.org/other")
    note = signed(ENTRIES, other_origin, origin=other_origin.name)
    trust = TrustPolicy((KEY.verifier, other_origin.verifier))
    of_other: TrustedCheckpoint = trust.verify_head(note, "x")
    assert await fault_of_log(ENTRIES, ReceiptFindings("x", None, of_other)) is None
    forked = [*ENTRIES[:-1], last]
    assert await fault_of_log(forked, ReceiptFindings("x", None, of_other)) == "WRONG_ORIGIN"
