"""Many entries decoded at once: the facts that decoding them one by one gives."""

from itertools import groupby
from operator import attrgetter

import pytest

from schema.services import Services
from tests.support.cases import each_case
from tracker.errors import NewerRelease
from tracker.log.fact_reader import StreamFacts, group_by_stream


def entry(type: str = "Alliance.Renamed", name: str = '"Quad"') -> bytes:
    """Return an entry with the name of an alliance."""
    return (
        f'{{"specversion":"1.0","position":"7","time":"2025-01-01T00:00:00Z","id":"e",'
        f'"type":"{type}","subject":"alliance/quad","version":2,"data":{{"on":"2025",'
        f'"name":{name},"source":{{"publisher":"us","name":"A","publishedOn":"2025"}}}}}}'
    ).encode()


async def test_the_facts_of_the_corpus_are_those_that_its_events_hold(
    read_services: Services,
) -> None:
    events = [event async for event in read_services.recorder.read_all(10_000)]
    found = group_by_stream([event.entry for event in events])
    assert list(found) == list(dict.fromkeys(event.stream for event in events))
    events.sort(key=attrgetter("stream"))
    assert found == {
        stream: StreamFacts(
            1, [event.known for event in its], sum(len(event.entry) for event in its)
        )
        for stream, its in (
            (stream, [*its]) for stream, its in groupby(events, attrgetter("stream"))
        )
    }


@each_case(
    ("wrong", "message"),
    [
        (entry("Alliance.Sold"), r"Event 7 \(Alliance.Sold\) .*does not know its type\. A newer"),
        (entry(name="7"), "expected a text, got a whole number"),
    ],
)
def test_an_entry_that_this_release_cannot_read_is_the_fault_of_no_client(
    wrong: bytes, message: str
) -> None:
    with pytest.raises(NewerRelease, match=message) as error:
        group_by_stream([entry(), wrong])
    assert error.value.code == "NEWER_RELEASE"
