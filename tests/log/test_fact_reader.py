"""Many entries decoded at once: the facts that decoding them one by one gives."""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter

import pytest

from schema.services import Services
from tracker.errors import InvalidInput
from tracker.log.fact_reader import StreamFacts, group_by_stream


def entry(type: str = "Alliance.Renamed", name: str = '"Quad"') -> bytes:
    """Return an entry with the name of an alliance."""
    return (
        f'{{"specversion":"1.0","position":"7","time":"2025-01-01T00:00:00Z","id":"e",'
        f'"type":"{type}","subject":"alliance/quad","version":2,"data":{{"on":"2025",'
        f'"name":{name},"source":{{"publisher":"us","name":"A","publishedOn":"2025"}}}}}}'
    ).encode()


async def test_the_facts_of_the_corpus_are_those_that_its_events_hold(
    corpus_services: Services,
) -> None:
    events = [event async for event in corpus_services.recorder.read_all(10_000)]
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


@pytest.mark.parametrize(
    ("wrong", "message", "path"),
    [
        (entry("Alliance.Sold"), "'Alliance.Sold' is not an event type: expected", ("type",)),
        (entry(name="7"), "expected a text, got a whole number", ("name",)),
    ],
)
def test_an_entry_that_is_not_a_fact_is_reported_as_if_it_were_alone(
    wrong: bytes, message: str, path: tuple[str, ...]
) -> None:
    with pytest.raises(InvalidInput, match=message) as error:
        group_by_stream([entry(), wrong])
    assert error.value.path == path
