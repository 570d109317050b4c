"""What passes between the steps of turning researched facts into corpus lines.

A `Row` is a line of `facts.jsonl` as it was researched; an `Entry` is an event that it becomes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from tracker.domain.entity import TYPES
from tracker.domain.values import Commodity, Fact, FreeText, PartialDate, Place, Source
from tracker.domain.vocabulary import Checked
from tracker.errors import InvalidInput
from tracker.sources.ids import slug
from tracker.sources.readers.corpus_format import format_line

CHECKED = {
    "page": Checked.PAGE,
    "data file": Checked.DATA_FILE,
    "seed": Checked.SEED,
    "memory": Checked.MEMORY,
}

PUBLISHERS = {
    "ARECOMS": "arecoms",
    "British Geological Survey": "bgs",
    "European Commission": "european-commission",
    "EXIM Bank": "exim-bank",
    "Federal Register (BIS)": "bis",
    "Federal Register notice (USTR)": "ustr",
    "Foreign ministries of the four countries": "quad",
    "G7": "g7",
    "Global Trade Alert": "global-trade-alert",
    "Government of Canada": "government-of-canada",
    "Government of Gabon": "government-of-gabon",
    "Government of Indonesia": "government-of-indonesia",
    "IEA": "iea",
    "Innovation, Science and Economic Development Canada": "ised-canada",
    "Joint Statement by the Quad": "quad",
    "Joint Statement of the United States and India": "us-india",
    "Joint statement of the Quad": "quad",
    "MIIT": "miit",
    "MOFCOM": "mofcom",
    "MP Materials": "mp-materials",
    "Ministry of Energy and Mineral Resources of Indonesia": "government-of-indonesia",
    "Ministry of Mines of Zimbabwe": "ministry-of-mines-zimbabwe",
    "NPC Standing Committee": "npc-china",
    "Official Journal of the European Union": "eu-official-journal",
    "President of Indonesia": "government-of-indonesia",
    "Press Information Bureau, India": "pib-india",
    "Prime Minister of Australia": "pm-australia",
    "Prime Minister of Malaysia": "pm-malaysia",
    "Quad": "quad",
    "Sojitz": "sojitz-lynas",
    "Sohu": "sohu",
    "State Council of China": "state-council-china",
    "The New York Times": "new-york-times",
    "US Department of Defense": "us-defense",
    "US Department of State": "us-state",
    "US-India Joint Statement": "us-india",
    "USGS": "usgs",
    "USTR": "ustr",
    "WAM": "wam",
    "WTO": "wto",
    "White House": "white-house",
}
"""Short ids of publishers by how the names of their publications begin."""

PUBLISHED = {"USGS Mineral Commodity Summaries 2026": "2026-02"}
"""Publications of which no day is known, although the facts give one."""


class RowSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a researched fact comes from."""

    name: str
    date: str
    reference: str | None
    url: str | None
    check: str


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A researched fact: `effective_from` and `effective_to` are inclusive; links in `details`."""

    id: str
    family: str
    kind: str
    title: str
    date: str
    effective_from: str | None
    effective_to: str | None
    actors: list[str]
    commodities: list[str]
    details: dict[str, Any]
    source: RowSource
    confidence: str
    note: str | None

    @property
    def on(self) -> PartialDate:
        """The fact's own date."""
        return PartialDate(self.date)

    @property
    def known_commodities(self) -> tuple[Commodity, ...]:
        """What it is about, in the words of the tracker."""
        return tuple(Commodity(id) for id in self.commodities)

    @property
    def acting_places(self) -> tuple[Place, ...]:
        """The actors that are places: alliances have small letters."""
        return tuple(Place(actor) for actor in self.actors if actor.isupper())


@dataclass(frozen=True, slots=True)
class Entry:
    """An event that will stand in the corpus; `day` is the date of what it tells."""

    event_id: str
    entity: str
    fact: Fact
    day: date

    @property
    def type(self) -> str:
        """The pinned event type."""
        return TYPES[type(self.fact)]

    @property
    def order(self) -> tuple[date, date]:
        """Its place among others: by publication, then by the day of what is told."""
        return self.fact.source.published_on.first, self.day

    @property
    def line(self) -> bytes:
        """The line of the corpus."""
        return format_line(self.event_id, self.type, self.fact, self.entity)


def source(row: Row) -> Source:
    """The source of a fact, with its publisher's short id."""
    given = row.source
    return Source(
        publisher=publisher(given.name),
        name=given.name,
        published_on=PartialDate(PUBLISHED.get(given.name, given.date)),
        url=given.url,
        reference=given.reference.removeprefix("raw/") if given.reference else None,
        checked=CHECKED[given.check],
        confidence=row.confidence,
    )


def publisher(name: str) -> str:
    """The short id of who publishes what is called `name`."""
    known = next((id for start, id in PUBLISHERS.items() if name.startswith(start)), None)
    return known or slug(re.split(r"[,;/(]", name)[0])


def day(text: str | None) -> PartialDate | None:
    """A date of a fact, if it has one."""
    return PartialDate(text) if text else None


def number(value: Any) -> Decimal | None:
    """A number of a fact, if it has one; as it is written, not as a float."""
    return None if value is None else Decimal(str(value))


def note(*sentences: FreeText | None) -> str | None:
    """Sentences as running text; None when there are none."""
    told = [
        text if text[-1] in '.?!"' else f"{text}."
        for text in sentences
        if text and isinstance(text, str)
    ]
    return " ".join(told) or None


def in_words(details: Mapping[str, Any], templates: Mapping[str, str]) -> list[str]:
    """The details that have no field of their own, each as a sentence."""
    return [
        template.format(spoken(details[key]))
        for key, template in templates.items()
        if details.get(key)
    ]


def spoken(value: Any) -> Any:
    """A detail as words: lists with commas, ids without underscores; numbers stay."""
    if isinstance(value, str):
        return value.replace("_", " ")
    if isinstance(value, list):
        return ", ".join(map(spoken, value))
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {number:,}" for key, number in value.items())
    return value


def check_details(row: Row, known: Iterable[str]) -> None:
    """Refuse a fact with details that would be lost. Raises InvalidInput."""
    unknown: Sequence[str] = sorted(row.details.keys() - set(known))
    if unknown:
        raise InvalidInput(
            f"{row.id}: expected no details without a place in the corpus, got "
            + ", ".join(unknown),
            path=("details", unknown[0]),
        )
