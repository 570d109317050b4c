"""Selections of events by commodities, places or entities.

Most events name their subject only through their entity: a suspension names clauses, not goods. So the
subjects of an event are those that it names, and those of earlier events of its entity. Later events do not
change them, so a follower gets the same events at any time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncGenerator, Hashable, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import NamedTuple

from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.catalogue.commodities import commodities as everything
from tracker.domain.controls.export_control import ExportControl
from tracker.domain.controls.matching import controls_about
from tracker.domain.entities.fact import Fact
from tracker.domain.entities.subjects import actors, commodities, subject_fields
from tracker.domain.events.registry import FACTS
from tracker.domain.figures.figure import Figure
from tracker.log.entries import RecordedEvent
from tracker.log.follower import Follower
from tracker.log.recorder import Recorder, StreamRange

PAGE_EVENTS = 200


@dataclass(frozen=True, slots=True)
class Selection:
    """A selection of events; None selects all.

    `commodities` includes their descendants; controls also match by ancestors, which may cover them. `places`
    are issuers, members, actors, and the places of figures.
    """

    types: Sequence[str] | None = None
    commodities: Sequence[str] | None = None
    places: Sequence[str] | None = None
    entity: str | None = None

    @property
    def key(self) -> Hashable:
        """A key that is the same for equal selections."""
        lists = (self.types, self.commodities, self.places)
        return (self.entity, *(None if words is None else tuple(words) for words in lists))

    @property
    def by_subject(self) -> bool:
        """Whether a match depends on the earlier events of an entity."""
        return self.commodities is not None or self.places is not None


class Subjects(NamedTuple):
    """The subjects of an event, by its fact and the earlier ones of its entity."""

    commodities: frozenset[str]
    places: frozenset[str]
    of_control: bool

    @classmethod
    def of(cls, facts: Iterable[Fact]) -> Subjects:
        """Return the subjects of the facts of one entity, at least one. Pure."""
        facts = list(facts)
        return cls(
            frozenset(id for fact in facts for id in commodities(fact)),
            frozenset(id for fact in facts for id in actors(fact)),
            any(isinstance(fact, CONTROL_FACTS) for fact in facts),
        )

    def are_selected(self, selection: Selection) -> bool:
        """Return whether an event with these subjects is selected. Pure."""
        selected = selection.commodities
        if selected is not None and self.of_control:
            selected = commodities_of_controls(tuple(selected))
        return (selected is None or not self.commodities.isdisjoint(selected)) and (
            selection.places is None or not self.places.isdisjoint(selection.places)
        )


def is_selected(facts: Iterable[Fact], selection: Selection) -> bool:
    """Return whether an event is selected, by its fact and the earlier ones of its entity.

    Pure.
    """
    return Subjects.of(facts).are_selected(selection)


CONTROL_FACTS = tuple(ExportControl.FACTS.values())


@lru_cache(maxsize=1024)
def commodities_of_controls(commodities: tuple[str, ...]) -> Sequence[str]:
    """Return the commodities of controls that may cover some commodities: see `matching.py`."""
    return controls_about(map(Commodity, commodities))


@cache
def types_with_subjects() -> Sequence[str]:
    """Return the event types that name their subjects, except figures, which have them in their names."""
    types = (name for name, fact in FACTS.items() if any(subject_fields(fact)))
    return [name for name in types if name not in Figure.FACTS]


async def streams_selected(
    recorder: Recorder, selection: Selection, before: int
) -> list[StreamRange]:
    """Return the ranges of streams with selected events before a position.

    Figures are selected by their names. Any other entity is selected from the event that completes the
    selected subjects.
    """
    commodities = tuple(selection.commodities or ())
    words = {*commodities, *commodities_of_controls(commodities), *(selection.places or ())}
    named, since = defaultdict[str, list[Fact]](list), dict[str, int]()
    for event in await recorder.events_mentioning(types_with_subjects(), words, before):
        named[event.stream].append(event.fact)
        if is_selected(named[event.stream], selection):
            since.setdefault(event.stream, event.position)
    others = [StreamRange(stream, f"{stream} ", first) for stream, first in since.items()]
    return [*_figures_selected(selection), *others]


def _figures_selected(selection: Selection) -> Iterator[StreamRange]:
    """Yield the streams of selected figures; none if only other event types are selected."""
    if selection.types is not None and Figure.FACTS.keys().isdisjoint(selection.types):
        return
    goods = everything() if selection.commodities is None else selection.commodities
    for commodity in goods:
        begun = f"{Figure.KIND}/{commodity}/"
        names = (
            [begun]
            if selection.places is None
            else [f"{begun}{place}/" for place in set(selection.places)]
        )
        for name in names:
            yield StreamRange(name, f"{name[:-1]}0")  # the character after "/"


async def follow_selected(
    recorder: Recorder, follower: Follower, after: int, selection: Selection
) -> AsyncGenerator[list[RecordedEvent], None]:
    """Yield the selected events after a position in order, in pages, then new ones as they are recorded."""
    if selection.entity is not None:
        head = await recorder.head()
        if past := await read_entity(recorder, selection, after, head):
            yield past
        after = max(after, head)
    async with aclosing(follower.pages(after, types=selection.types)) as pages:
        async for page in pages:
            if selected := await filter_selected(recorder, page, selection):
                yield selected


async def read_selected(
    recorder: Recorder, after: int, until: int, selection: Selection
) -> AsyncGenerator[list[RecordedEvent], None]:
    """Yield the selected events after one position up to another, in order; pages may be empty."""
    if selection.entity is not None:
        yield await read_entity(recorder, selection, after, until)
        return
    while after < until and (
        page := await recorder.read(after, types=selection.types, limit=PAGE_EVENTS)
    ):
        after = page[-1].position
        yield await filter_selected(recorder, [e for e in page if e.position <= until], selection)


async def read_entity(
    recorder: Recorder, selection: Selection, after: int, until: int
) -> list[RecordedEvent]:
    """Return the selected events of the entity in the selection, after one position up to another."""
    entity = selection.entity or ""
    events = (await recorder.read_streams([entity], until))[entity]
    return await filter_selected(recorder, [e for e in events if e.position > after], selection)


async def filter_selected(
    recorder: Recorder, events: Sequence[RecordedEvent], selection: Selection
) -> list[RecordedEvent]:
    """Return the selected ones of some events."""
    [selected] = [matches async for matches in filter_each(recorder, events, [selection])]
    return selected


async def filter_each(
    recorder: Recorder, events: Sequence[RecordedEvent], selections: Iterable[Selection]
) -> AsyncGenerator[list[RecordedEvent], None]:
    """Return the selected ones of some events, for each selection in its order.

    The subjects of entities are read once for all selections. They are read only for events that match in all
    other respects.
    """
    subjects: dict[int, Subjects] = {}
    for selection in selections:
        selected = [
            event
            for event in events
            if (selection.types is None or event.type in selection.types)
            and selection.entity in (None, event.stream)
        ]
        if selection.by_subject:
            unknown = [event for event in selected if event.position not in subjects]
            subjects |= await _read_subjects(recorder, unknown)
            selected = [e for e in selected if subjects[e.position].are_selected(selection)]
        yield selected


async def _read_subjects(
    recorder: Recorder, events: Sequence[RecordedEvent]
) -> dict[int, Subjects]:
    streams = {event.stream for event in events if event.version > 1}
    by_stream = await recorder.read_streams(streams) if streams else {}
    return {
        event.position: Subjects.of(_facts_until(event, by_stream.get(event.stream, [])))
        for event in events
    }


def _facts_until(event: RecordedEvent, events: Sequence[RecordedEvent]) -> list[Fact]:
    """Return the facts of an entity up to an event."""
    return [*(e.fact for e in events if e.position < event.position), event.fact]
