"""Messages contain the entry, and the data to prove completeness."""

import json
import re
from datetime import UTC, datetime

from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from hypothesis import given
from hypothesis import strategies as st

from tracker.delivery.message import batch_message, event_message, message_id
from tracker.log.entries import RecordedEvent, recorded

APPENDED = re.compile(rb',"previousposition":"\d+"(,"proof":"(\\.|[^"\\])*")?}$')
PROOF = 'c2sp.org/tlog-proof@v1\nextra "quoted" \\\nindex 3\n\nexample.com/log\n4\n\n— example.com/log a=\n'

texts = st.text(st.characters(exclude_categories=["Cs"]))
event_ids = st.one_of(
    st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=200),
    st.text(st.sampled_from(" .~%-,é1"), min_size=1, max_size=8),
)
data = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), texts),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(texts, st.just("previousposition")), inner, max_size=3),
    ),
    max_leaves=6,
)
positions = st.integers(1, 2**63 - 1)
proofs = st.one_of(st.none(), st.just(PROOF), texts)


def entry(position: int, event_id: str, content: object) -> bytes:
    """Return an entry as PostgreSQL writes it."""
    return json.dumps(
        {
            "specversion": "1.0",
            "position": str(position),
            "time": datetime(2026, 1, 1, tzinfo=UTC).isoformat(),
            "id": event_id,
            "source": "urn:critical-minerals-policy-tracker",
            "type": "ExportControl.Suspended",
            "subject": "export-control/cn-mofcom-2024-46",
            "version": 1,
            "dataschema": "urn:critical-minerals-policy-tracker:schema:ExportControl.Suspended:2",
            "data": content,
        },
        ensure_ascii=False,
        separators=(",", ":"),
    ).encode()


events = st.builds(
    lambda *parts: recorded(entry(*parts)),
    positions,
    event_ids,
    st.dictionaries(texts, data, max_size=3),
)


@given(events, positions, proofs)
def test_without_what_was_appended_a_body_is_the_entry_again(
    event: RecordedEvent, previous: int, proof: str | None
) -> None:
    message = event_message(event, previous, proof)
    assert APPENDED.sub(b"}", message.body) == event.entry
    assert (message.first_position, message.last_position) == (event.position, event.position)


@given(events, positions, proofs)
def test_the_cloudevents_library_reads_every_body(
    event: RecordedEvent, previous: int, proof: str | None
) -> None:
    message = event_message(event, previous, proof)
    read = from_http_event(HTTPMessage({"content-type": message.media_type}, message.body))
    assert read.get_id() == event.event_id
    assert read.get_extension("position") == str(event.position)
    assert read.get_extension("previousposition") == str(previous)
    assert read.get_extension("proof") == proof
    assert read.get_data() == event.data


@given(st.lists(st.tuples(events, positions), min_size=1, max_size=4), st.booleans())
def test_a_batch_has_the_same_events_one_after_the_other(
    items: list[tuple[RecordedEvent, int]], proven: bool
) -> None:
    known = {event.position: PROOF for event, _ in items} if proven else {}
    message = batch_message(items, known)
    alone = [
        event_message(event, previous, known.get(event.position)).body for event, previous in items
    ]
    assert message.body == b"[" + b",".join(alone) + b"]"
    assert len(json.loads(message.body)) == len(items)
    assert message.media_type == "application/cloudevents-batch+json"
    assert message.id.endswith(f"~{items[-1][0].position}")
    assert message.first_position == items[0][0].position
    assert message.last_position == items[-1][0].position


@given(event_ids, event_ids)
def test_an_id_goes_through_a_header_and_is_not_that_of_another(one: str, other: str) -> None:
    sent = message_id(one)
    assert re.fullmatch(r"[!-~]+", sent)
    assert not {".", "~"} & set(sent)
    assert (sent == message_id(other)) == (one == other)


@given(events, event_ids)
def test_no_event_can_be_taken_for_a_batch(event: RecordedEvent, event_id: str) -> None:
    batch = batch_message([(event, 0)])
    assert batch.id == f"{message_id(event.event_id)}~{event.position}"
    assert batch.id != message_id(event_id)


def test_usual_ids_are_sent_as_they_are() -> None:
    for usual in ("0b8f3c1e-5a52-4a37-9d53-0e2f1c2b7a10", "corpus:cn-mofcom-2024-46#3", "order/7"):
        assert message_id(usual) == usual
