"""Researched statements, commitments, projects, disputes and answers as announcements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from tracker.domain.announcement import Amount, Made, Superseded
from tracker.domain.units import Unit
from tracker.domain.values import Actor, PartialDate, Quantity
from tracker.domain.vocabulary import AnnouncementKind, Qualifier
from tracker.sources.readers.researched.rows import (
    Entry,
    Row,
    check_details,
    day,
    in_words,
    note,
    number,
    source,
)

KINDS = {
    "announced": AnnouncementKind.STATEMENT,
    "assessment": AnnouncementKind.ASSESSMENT,
    "commitment": AnnouncementKind.COMMITMENT,
    "dispute": AnnouncementKind.DISPUTE,
    "formation": AnnouncementKind.STATEMENT,
    "project": AnnouncementKind.PROJECT,
    "response": AnnouncementKind.RESPONSE,
    "summit_statement": AnnouncementKind.STATEMENT,
}


@dataclass(frozen=True, slots=True)
class Measured:
    """What a number in the details counts."""

    label: str
    unit: str
    qualifier: Qualifier | None = None


AMOUNTS = {
    "aud": Measured("amount", "AUD"),
    "australia_equity_usd_max": Measured("Australian equity, at most", "USD"),
    "combined_usd_min": Measured("both sides together", "USD", Qualifier.AT_LEAST),
    "companies": Measured("companies", "count"),
    "count": Measured("projects", "count"),
    "count_stated": Measured("frameworks signed, as stated", "count"),
    "deadline_days": Measured("days to the deadline", "count"),
    "each_side_usd_min": Measured("each side", "USD", Qualifier.AT_LEAST),
    "earlier_frameworks": Measured("earlier frameworks", "count"),
    "equity_usd": Measured("equity", "USD"),
    "eu_us_mou_deadline_days": Measured("days to the EU-US memorandum", "count"),
    "extraction_percent": Measured("benchmark for 2030: extraction", "percent"),
    "loan_usd": Measured("loan, at most", "USD"),
    "max_from_one_third_country_percent": Measured(
        "benchmark for 2030: from one third country, at most", "percent"
    ),
    "negotiations_concluded_with": Measured("partners with negotiations concluded", "count"),
    "percent_gdp": Measured("share of GDP", "percent"),
    "period_months": Measured("period in months", "count"),
    "pipeline_usd": Measured("pipeline of projects", "USD"),
    "price_floor_usd_per_kg": Measured("price floor", "USD/kg"),
    "private_capital_usd_about": Measured("private capital", "USD", Qualifier.ABOUT),
    "processing_percent": Measured("benchmark for 2030: processing", "percent"),
    "rate_percent": Measured("tariff rate", "percent"),
    "recycling_percent": Measured("benchmark for 2030: recycling", "percent"),
    "share_of_world_supply_percent": Measured("share of world supply", "percent"),
    "share_of_world_supply_percent_max": Measured("share of world supply, at most", "percent"),
    "value_min": Measured("years to reduce dependence", "years", Qualifier.AT_LEAST),
}
"""Every number in the details of announcements."""

TOPICS = ("topic", "response_type", "type", "claim")
"""The details that say what an announcement is about, in one word."""

WORDS = {
    "level": "Level: {}",
    "disputes": "WTO disputes {}",
    "stage": "Stage: {}",
    "instrument": "Instrument: {}",
    "uses": "Uses: {}",
    "framed_by": "Framed so by {}",
    "about": "About {}",
    "example": "Example: {}",
    "claim_by": "Claimed by {}",
    "not_mentioned_by": "Not mentioned by {}",
}
"""Details without a field of their own, as sentences of the note."""

EXPRESSED = {
    "alliance": "an actor, or about",
    "benchmarks_2030": "amounts",
    "comments_due": "until",
    "direction": "the export controls in about",
    "focus": "the purpose of the initiative in about",
    "initiative": "about",
    "issuer": "an actor",
    "measure_type": "the export controls in about",
    "members": "actors",
    "partners_named": "actors",
    "probably_refers_to": "about",
    "qualifier": "the qualifier of an amount",
    "same_as": "about",
    "targets": "the export controls in about",
    "unit": "the unit of an amount",
}
"""Details that are expressed otherwise than by a field of the same name."""

FIELDS = ("conflicts_with", "supersedes")


def announcement(row: Row, entities: Mapping[str, str]) -> Iterator[Entry]:
    """The announcement that a fact is, and what it takes the place of.

    `entities` names the entity of every fact by its id, for the links between them.
    """
    check_details(row, (*AMOUNTS, *TOPICS, *WORDS, *EXPRESSED, *FIELDS))
    fact = made(row, entities)
    entity = f"announcement/{row.id}"
    yield Entry(row.id, entity, fact, row.on.first)
    for old in fact.supersedes:
        yield Entry(
            f"{row.id}+supersedes",
            old,
            Superseded(source=fact.source, on=fact.on, by=entity),
            row.on.first,
        )


def launch(row: Row, entity: str) -> Entry:
    """The statement that launches an initiative, beside its founding."""
    fact = replace(made(row, {}), about=(entity,))
    return Entry(f"{row.id}+statement", f"announcement/{row.id}", fact, row.on.first)


def made(row: Row, entities: Mapping[str, str]) -> Made:
    """What a fact announces. What an article reports is said on the day of the article."""
    details = row.details
    return Made(
        source=source(row),
        on=_said_on(row),
        kind=KINDS[row.kind],
        title=row.title,
        actors=tuple(Actor(actor) for actor in row.actors),
        commodities=row.known_commodities,
        topic=next((details[key] for key in TOPICS if key in details), None),
        about=tuple(_about(row, entities)),
        amounts=tuple(_amounts(details)),
        until=day(row.effective_to or details.get("comments_due")),
        conflicts_with=tuple(entities[id] for id in details.get("conflicts_with", ())),
        supersedes=tuple(entities[id] for id in [details.get("supersedes")] if id),
        note=note(*in_words(details, WORDS), *_days(row), row.note),
    )


def _said_on(row: Row) -> PartialDate:
    return PartialDate(row.source.date if row.source.check == "seed" else row.date)


def _about(row: Row, entities: Mapping[str, str]) -> Iterator[str]:
    """The entities that a fact is about: the alliance, unless it acts itself, and what it names."""
    details = row.details
    alliance = details.get("alliance")
    if alliance and alliance not in row.actors:
        yield f"alliance/{alliance}"
    for id in (details.get("same_as"), *details.get("probably_refers_to", ())):
        if id in entities:
            yield entities[id]


def _amounts(details: Mapping[str, Any]) -> Iterator[Amount]:
    for key, value in details.items():
        if isinstance(value, Mapping):
            yield from _amounts(value)
        elif measured := AMOUNTS.get(key):
            yield Amount(
                label=measured.label,
                quantity=Quantity(
                    unit=Unit(measured.unit), value=number(value), qualifier=measured.qualifier
                ),
            )


def _days(row: Row) -> Iterator[str]:
    """The days of a fact that are not the day of its announcement."""
    if row.date != _said_on(row):
        yield f"What it reports happened on {row.date}"
    if row.effective_from and row.effective_from != row.date:
        yield f"Effective from {row.effective_from}"
