"""Short builders of facts, and random histories with reordered versions."""

import json
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any, TypeVar

from msgspec import structs

from projections.fold.entity_rows import Version
from projections.fold.timeline import timeline
from tracker.commands.commands import PlannedEvent
from tracker.commands.decisions import decide, rehydrate
from tracker.domain.basics.codec import from_builtins
from tracker.domain.basics.values import DAY
from tracker.domain.controls.export_control_acts import Amended, Announced, Suspended
from tracker.domain.entities.entity import (
    INITIAL_FACTS,
    Entity,
    RecordedFact,
    Retracted,
    effective_facts,
)
from tracker.domain.entities.fact import Fact
from tracker.domain.figures.figure_facts import Claimed
from tracker.domain.figures.preference import Ordered, PreferenceState
from tracker.domain.figures.trade_flow import FlowClaimed
from tracker.errors import TrackerError

F = TypeVar("F", bound=Fact)


def source(publisher: str = "mofcom", published_on: str = "2024-12-03") -> dict[str, Any]:
    """Return the source of a fact."""
    return {
        "publisher": publisher,
        "name": publisher.upper(),
        "publishedOn": published_on,
        "checked": "page",
    }


def fact(kind: type[F], on: str, /, **fields: Any) -> F:
    """Return a fact of any kind, public on a day, with fields named as in JSON."""
    return from_builtins(kind, {"on": on, "source": source(published_on=on), **fields})


def clause(id: str = "1", **more: Any) -> dict[str, Any]:
    """Return a ban of gallium exports, in force from 3 December 2024."""
    return {
        "id": id,
        "measure": "ban",
        "commodities": ["gallium"],
        "inForceFrom": "2024-12-03",
        **more,
    }


def announced(*clauses: dict[str, Any], on: str = "2024-12-03", **more: Any) -> Announced:
    """Return an export control of China."""
    return fact(
        Announced,
        on,
        **{
            "issuer": "CN",
            "direction": "export",
            "title": "Gallium to the US",
            "clauses": list(clauses) or [clause()],
            **more,
        },
    )


def suspended(
    *clauses: str, start: str = "2025-11-09", end: str | None = "2026-11-27", on: str | None = None
) -> Suspended:
    """Return a suspension, by default public on its first day."""
    return fact(Suspended, on or start, clauses=clauses, suspendedFrom=start, suspendedUntil=end)


def claimed(
    value: Decimal | int,
    *,
    year: int = 2023,
    publisher: str = "usgs",
    edition: str = "MCS 2024",
    published_on: str = "2024-01-31",
    place: str = "CN",
    commodity: str = "rare_earths",
    version: str | None = None,
    **quantity: Any,
) -> Claimed:
    """Return a claim on mine output, in tonnes."""
    return from_builtins(
        Claimed,
        {
            "series": {
                "commodity": commodity,
                "place": place,
                "statistic": "production",
                "stage": "mine",
                "period": year,
            },
            "edition": edition,
            "editionVersion": version,
            "quantity": {"value": str(value), "unit": "t", "basis": "REO", **quantity},
            "source": source(publisher, published_on),
        },
    )


def flow_claimed(
    parts: dict[str, tuple[str, str | None]] | None = None,
    *,
    code: str = "811292",
    importer: str = "DE",
    year: int = 2024,
    edition: str = "BACI 202601",
    published_on: str = "2026-01",
    publisher: str = "cepii",
    **more: Any,
) -> FlowClaimed:
    """Return a claim on a trade flow: for each origin its value in dollars and its weight in tonnes."""
    parts = {"CN": ("9000", "60"), "CA": ("1000", "40")} if parts is None else parts
    values = [Decimal(value) for value, _ in parts.values()]
    weights = [weight for _, weight in parts.values() if weight is not None]
    whole = str(sum(map(Decimal, weights))) if len(weights) == len(parts) else None
    missing = {"unit": "t", "qualifier": "not_available"}
    return from_builtins(
        FlowClaimed,
        {
            "hsEdition": "hs17",
            "hsCode": code,
            "importer": importer,
            "year": year,
            "edition": edition,
            "value": {"value": str(sum(values)), "unit": "USD"},
            "quantity": {"value": whole, "unit": "t"} if whole else missing,
            "origins": {
                "parts": [
                    {
                        "place": place,
                        "value": {"value": value, "unit": "USD"},
                        "quantity": {"value": weight, "unit": "t"} if weight else None,
                    }
                    for place, (value, weight) in parts.items()
                ]
            },
            "source": source(publisher, published_on),
            **more,
        },
    )


def ordered(
    *publishers: str, on: str = "2025-06-01", reason: str = "they state their methods", **scope: str
) -> Ordered:
    """Return a publisher order."""
    return fact(Ordered, on, publishers=publishers, reason=reason, **scope)


def order(*publishers: str, **more: Any) -> PreferenceState:
    """Return the state of a publisher order."""
    fact = ordered(*publishers, **more)
    found: PreferenceState = state(decided_facts(fact.stream, fact), fact.stream, "2030-01-01")
    return found


def retracted(event_id: str) -> Retracted:
    """Return the retraction of an event."""
    return from_builtins(Retracted, {"retracts": event_id, "reason": "misread", "source": source()})


def corrected(event_id: str, replacement: str) -> Retracted:
    """Return a retraction in favour of a replacement."""
    return from_builtins(
        Retracted,
        {"retracts": event_id, "reason": "misread", "source": source(), "replacement": replacement},
    )


def decided_facts(stream: str, *facts: Fact) -> list[RecordedFact]:
    """Return these facts, decided in order, as the events e1, e2, … at positions 1, 2, …"""
    entity = rehydrate(stream, [])
    for number, item in enumerate(facts, 1):
        entity.record(item, f"e{number}")
    return [structs.replace(known, position=number) for number, known in enumerate(entity.known, 1)]


def refused(stream: str, *facts: Fact) -> TrackerError:
    """Return the error of the last fact; those before it must be accepted."""
    decided_facts(stream, *facts[:-1])
    try:
        decided_facts(stream, *facts)
    except TrackerError as error:
        return error
    raise AssertionError(f"{facts[-1]!r} was not refused")


def state(known: Sequence[RecordedFact], stream: str, day: str) -> Any:
    """Return the state of an entity on a day, or None."""
    moment = date.fromisoformat(day)
    return next((v.state for v in timeline(stream, known) if v.holds(moment)), None)


DAYS = [date(2025, 1, 1) + DAY * n for n in range(60)]
"""Days of histories: few, so that facts interact."""

CONTROLS = ("export-control/gallium", "export-control/graphite", "export-control/antimony")
MAX_DRAWS = 2
"""Random candidates per fact of a history: the rules refuse more than half of them."""
STREAMS = (
    *CONTROLS,
    "alliance/quad",
    "announcement/a",
    "figure/rare_earths/CN/production/mine/2023",
    "preference/rare_earths",
)
"""Entities of all kinds."""


def history(chance: Random, length: int, streams: Sequence[str] = STREAMS) -> list[PlannedEvent]:
    """Return up to `length` allowed commands in order, some of them retractions.

    Their days have any order: many are recorded long after the day, or for a day long before. Some
    retractions name the next event as a replacement.
    """
    entities = {stream: rehydrate(stream, []) for stream in streams}
    orders: list[PlannedEvent] = []
    for _ in range(length * MAX_DRAWS):
        with suppress(TrackerError):
            stream = chance.choice(streams)
            drawn = any_fact(chance, entities[stream])
            if isinstance(drawn, Retracted) and chance.random() < 0.5:
                drawn = structs.replace(drawn, replacement=f"e{len(orders) + 2}")
            order = PlannedEvent(stream, drawn, f"e{len(orders) + 1}")
            decide(entities[stream], order, entities)
            orders.append(order)
        if len(orders) == length:
            break
    return orders


def any_fact(chance: Random, entity: Entity) -> Fact:
    """Return a fact that may be allowed or not. Raises InvalidInput for invalid content."""
    if entity.known and chance.random() < 0.1:
        return retracted(chance.choice(entity.known).event_id)
    kinds = [kind for kind in entity.FACTS.values() if kind is not Retracted]
    kind = chance.choice(kinds) if entity.exists else entity.INITIAL_FACT
    return any_fact_of(chance, kind, entity.id)


def any_fact_of(chance: Random, kind: type[Fact], stream: str) -> Fact:
    """Return a fact of a kind. Raises InvalidInput for invalid content."""
    fields = {
        f.encode_name: any_value(chance, kind, f.encode_name, stream)
        for f in structs.fields(kind)
        if f.required or chance.random() < 0.6
    }
    return from_builtins(kind, {name: value for name, value in fields.items() if value is not None})


def any_value(chance: Random, kind: type[Fact], field: str, stream: str) -> Any:
    """Return a value for a field of a fact, or None to omit it."""
    ids = chance.sample("12", chance.randint(kind in (Announced, Amended), 2))
    day = any_day(chance, late=field.endswith("Until"))
    if field == "series":
        _, commodity, place, statistic, stage, period = stream.split("/")
        return {
            "commodity": commodity,
            "place": place,
            "statistic": statistic,
            "stage": stage,
            "period": int(period),
        }
    if field == "clauses":
        return [any_clause(chance, id) for id in ids] if kind in (Announced, Amended) else ids
    return {
        **dict.fromkeys(
            (
                "on",
                "since",
                "until",
                "inForceFrom",
                "inForceUntil",
                "suspendedFrom",
                "suspendedUntil",
                "reinstatedFrom",
                "repealedFrom",
                "discontinuedFrom",
                "mergedFrom",
                "effectiveFrom",
            ),
            day,
        ),
        **dict.fromkeys(
            ("name", "title", "edition", "editionVersion", "account", "reason"), f"text {day[-1]}"
        ),
        "source": source(chance.choice(("usgs", "mofcom")), day),
        "moreSources": chance.choice(((), [source("gvw", day) | {"checked": "memory"}])),
        "member": chance.choice(("US", "JP", "AU")),
        "members": chance.sample(("US", "JP", "AU", "IN"), 3),
        "by": "alliance/forge",
        "publisher": chance.choice(("usgs", "mofcom")),
        "publishers": chance.sample(("usgs", "mofcom", "bgs"), 2),
        "commodity": "rare_earths",
        "quantity": {"unit": "t", "value": chance.randint(0, 9), "basis": "REO"},
        "issuer": "CN",
        "direction": "export",
        "suspendedFor": chance.choice(("P5D", "P1M")),
        "entities": chance.choice(([], [], [], ["Acme"])),
        "outcome": chance.choice(("withdrawn", "lapsed", "concluded")),
        "into": "cn-mofcom-2024-51",
        "kind": "statement",
        "actors": ["US"],
        "commodities": ["gallium"],
    }.get(field)


def any_day(chance: Random, *, late: bool) -> str:
    """Return a random day, sometimes only its month; late days mostly follow others."""
    return chance.choice(DAYS[20:] if late else DAYS[:40]).isoformat()[: chance.choice((7, 10, 10))]


def any_clause(chance: Random, id: str) -> dict[str, Any]:
    """Return a random clause, with or without a start, an end, a period, or a stage before law."""
    stage = chance.choice(("adopted",) * 5 + ("proposed", "recommended", "negotiated"))
    return {
        "id": id,
        "measure": "licence",
        "commodities": [chance.choice(("gallium", "graphite"))],
        "inForceFrom": chance.choice((None, any_day(chance, late=False))),
        "inForceUntil": chance.choice((None, None, any_day(chance, late=True))),
        "period": chance.choice((None, None, None, any_day(chance, late=False)[:7])),
        "legalStage": stage,
    }


def rearranged(chance: Random, known: Sequence[RecordedFact]) -> list[RecordedFact]:
    """Return the effective facts of an entity in another order, as if nothing had been wrong.

    The order of facts of one day has a meaning, and stays: of openings (the first claim), and of acts
    (the last name). Between an opening and an act it has none.
    """
    waiting = defaultdict(list)
    for item in effective_facts(known):
        waiting[item.fact.public_on, type(item.fact) in INITIAL_FACTS].append(item)
    turns = [key for key, items in waiting.items() for _ in items]
    chance.shuffle(turns)
    return [
        structs.replace(waiting[key].pop(0), position=position)
        for position, key in enumerate(turns, 1)
    ]


def in_the_world(versions: Sequence[Version]) -> list[tuple[date, date | None, Any]]:
    """Return the valid-time content of versions, without recording data."""
    return [(v.start, v.end, without_positions(json.loads(v.text))) for v in versions]


def without_positions(value: Any) -> Any:
    """Return JSON data without positions, and with reasons sorted by id."""
    if isinstance(value, list):
        return [without_positions(item) for item in value]
    if not isinstance(value, dict):
        return value
    plain = {name: without_positions(item) for name, item in value.items() if name != "position"}
    for name in {"because", "judged"} & plain.keys():
        plain[name].sort(key=lambda reason: reason["eventId"])
    return plain
