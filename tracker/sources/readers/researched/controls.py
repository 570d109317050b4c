"""Researched controls as the acts of instruments, from their announcement to their end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from tracker.domain.clause import Clause
from tracker.domain.export_control_acts import (
    Amended,
    Announced,
    Disputed,
    EnteredIntoForce,
    Expired,
    Extended,
    Repealed,
    Suspended,
)
from tracker.domain.units import Unit
from tracker.domain.values import Fact, PartialDate, Place, Quantity
from tracker.domain.vocabulary import Covers, Direction, Measure, Territory
from tracker.errors import InvalidInput
from tracker.sources.readers.researched.figures import basis
from tracker.sources.readers.researched.instruments import (
    BACKGROUND,
    JOINED,
    JOINED_CLAUSES,
    KNOWN_BY_END,
    LINKS,
    MADE_ABROAD,
    PARTS,
    clause_id,
    clauses_meant,
    in_plain,
    instrument,
)
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

STAGES = {"investigation": "an investigation", "negotiation": "a negotiation"}
"""Stages in which there is no measure yet, whatever dates a fact has."""

CLAUSE_WORDS = {
    "graphite_measure": "For graphite: {}",
    "quota_t_year": "The whole year's quota: {:,} t",
    "quota_year": "Quota of {}",
    "cumulative_t": "Total of that year so far: {:,} t",
    "monthly_t": "By month, in t: {}",
    "subject_to_revision": "Open to revision",
    "re_export": "Covers re-export from other countries",
    "applies_in_transit": "Covers goods in transit",
    "until": "Until {}",
    "deadline": "Deadline: {}",
}
"""Details of a clause without a field of their own, as sentences of its note."""

WORDS = {"denied_by": "Denied by {}"}
"""Details of an act without a field of their own, as sentences of its note."""

EXPRESSED = {
    "automatic_return": "the day after suspended_until",
    "clause": "the id of the clause",
    "conflicts_with": "the entity",
    "entity_specific": "entity_count",
    "excludes": "exemptions",
    "extraterritorial": "territory",
    "never_in_force": "the dates: the state has no first_in_force",
    "parts": "clauses",
    "quota_unit": "quota.basis",
    "stage": "the note of the clause, which has no dates then",
    "still_applies": "the note",
    "unit": "quota.basis",
    **dict.fromkeys(LINKS, "the entity"),
}
"""Details that are expressed otherwise than by a field of the same name."""

FIELDS = (
    "issuer",
    "direction",
    "measure_type",
    "instrument",
    "targets",
    "covers",
    "end_use",
    "entities",
    "extraterritorial",
    "de_minimis_percent",
    "exemptions",
    "rate_percent",
    "quota_t",
    "quota_t_batch",
    "official",
    "judged",
)


def acts(row: Row, rows: Mapping[str, Row]) -> Iterator[Entry]:
    """The acts that a fact about controls tells. Of the facts of one announcement, the first does.

    `rows` are all facts by their id.
    """
    check_details(row, (*FIELDS, *CLAUSE_WORDS, *WORDS, *EXPRESSED))
    if row.id not in JOINED_CLAUSES:
        yield from (_entry(row, fact, suffix) for suffix, fact in _facts(row))
    elif row.id == next(iter(JOINED[instrument(row)].clauses)):
        yield _joined([rows[id] for id in JOINED[instrument(row)].clauses])


def entity(row: Row) -> str:
    """The export control that a fact is about."""
    return f"export-control/{instrument(row)}"


def _entry(row: Row, fact: Fact, suffix: str = "") -> Entry:
    return Entry(row.id + suffix, entity(row), fact, row.on.first)


def _facts(row: Row) -> Iterator[tuple[str, Fact]]:
    """What a fact tells, with the suffixes of the event ids."""
    if row.kind == "repealed":
        yield "+quotas", _known_by_its_end(row)
    yield "", _act_of(row)(row)


def _act_of(row: Row) -> Callable[[Row], Fact]:
    act = ACTS.get(row.id) or KINDS.get(_how(row))
    if act is None:
        raise InvalidInput(
            f"{row.id}: expected a known kind of control, got {_how(row)!r}", path=("kind",)
        )
    return act


def _how(row: Row) -> str:
    """The kind of a fact, with `of …` where it follows another one."""
    return f"{row.kind} of" if any(link in row.details for link in LINKS) else row.kind


# --- openings


def _announced(row: Row) -> Announced:
    details = row.details
    return Announced(
        source=source(row),
        on=row.on,
        issuer=Place(details["issuer"]),
        direction=Direction(details["direction"]),
        title=row.title,
        instrument=details["instrument"],
        official=details.get("official", True),
        clauses=_clauses(row),
        note=note(*in_words(details, WORDS), row.note, BACKGROUND.get(row.id)),
    )


def _joined(rows: Sequence[Row]) -> Entry:
    """One announcement of what several facts tell clause by clause."""
    first, id = rows[0], instrument(rows[0])
    told = replace(
        _announced(first),
        title=JOINED[id].title,
        clauses=tuple(_titled(row) for row in rows),
        note=note(
            *(row.note for row in rows), f"From the facts {' and '.join(row.id for row in rows)}"
        ),
    )
    return Entry(id, entity(first), told, first.on.first)


def _known_by_its_end(row: Row) -> Announced:
    """An instrument of which our data have only the end; its beginning stays open."""
    assert row.effective_from is not None
    last = PartialDate(row.effective_from).first - timedelta(days=1)
    clause = replace(
        clause_of(row), in_force_from=None, in_force_until=PartialDate(last.isoformat())
    )
    return replace(
        _announced(row),
        title=KNOWN_BY_END[row.id],
        instrument=None,
        clauses=(clause,),
        note="Known here by its end only: neither its announcement"
        " nor its beginning is in our data.",
    )


# --- later acts


def _entered(row: Row) -> EnteredIntoForce:
    start = PartialDate(row.effective_from or row.date)
    return EnteredIntoForce(**_later(row), in_force_from=start)


def _amended(row: Row) -> Amended:
    """New wording of a clause, which gives the instrument its title, or one more clause."""
    rewords = clause_id(row) == "1"
    return Amended(
        source=source(row),
        on=row.on,
        clauses=(clause_of(row) if rewords else _titled(row),),
        title=row.title if rewords else None,
        instrument=row.details["instrument"],
        effective_from=day(row.effective_from),
        note=row.note,
    )


def _extended(row: Row) -> Extended:
    return Extended(**_later(row), in_force_until=PartialDate(row.effective_to or row.date))


def _expired(row: Row) -> Expired:
    return Expired(**_later(row), in_force_until=PartialDate(row.effective_to or row.date))


def _suspended(row: Row) -> Suspended:
    return Suspended(
        **_later(row),
        suspended_from=PartialDate(row.effective_from or row.date),
        suspended_until=day(row.effective_to),
    )


def _repealed(row: Row) -> Repealed:
    return Repealed(**_later(row), repealed_from=PartialDate(row.effective_from or row.date))


def _disputed(row: Row) -> Disputed:
    """Another account of the instrument, public since its own publication."""
    origin = source(row)
    return Disputed(
        source=origin,
        on=origin.published_on,
        account=row.title,
        commodities=row.known_commodities,
        judged=row.details["judged"],
        note=row.note,
    )


def _later(row: Row) -> dict[str, Any]:
    """What all later acts have: they carry their title in the note."""
    still = row.details.get("still_applies")
    stays = f"Still in force: {', '.join(map(in_plain, still))}" if still else None
    return {
        "source": source(row),
        "on": row.on,
        "clauses": clauses_meant(row),
        "instrument": row.details["instrument"],
        "note": note(row.title, stays, row.note),
    }


KINDS: dict[str, Callable[[Row], Fact]] = {
    "announced": _announced,
    "in_force": _announced,
    "reinstated": _announced,
    "in_force of": _entered,
    "suspended of": _suspended,
    "expired of": _expired,
    "repealed": _repealed,
}
"""What a fact becomes, by its kind and whether it follows another."""

ACTS: dict[str, Callable[[Row], Fact]] = {
    "cd-2025-ext": _extended,
    "cd-2025-004": _extended,
    "cd-2025-q4-ext": _extended,
    "cn-tech-2023-12-21": _announced,
    "cn-tech-2025-07-15": _amended,
    "id-2017-relax": _amended,
    "iea-conflict-2025-10": _disputed,
    "zw-2026-ban": _amended,
}
"""What a fact becomes where its kind does not tell."""


# --- clauses


def _clauses(row: Row) -> tuple[Clause, ...]:
    """The clauses that an announcement states: one, or one a part."""
    if "parts" not in row.details:
        return (clause_of(row),)
    return tuple(
        _part(row, id, part) for id, part in zip(PARTS[row.id], row.details["parts"], strict=True)
    )


def _part(row: Row, id: str, part: dict[str, str]) -> Clause:
    clause = replace(
        clause_of(row),
        id=id,
        in_force_from=day(part["effective_from"]),
        note=note(part["part"][0].upper() + part["part"][1:]),
    )
    if id == MADE_ABROAD:
        return clause
    return replace(clause, territory=Territory.HOME, de_minimis_percent=None)


def _titled(row: Row) -> Clause:
    """The clause of a fact whose title is not the instrument's: the note begins with it."""
    clause = clause_of(row)
    return replace(clause, note=note(row.title, clause.note))


def clause_of(row: Row) -> Clause:
    """The clause that a fact states. While there is no measure, its dates are words only."""
    details, stage = row.details, STAGES.get(row.details.get("stage", ""))
    imports = details["direction"] == Direction.IMPORT
    places = tuple(Place(code) for code in details["targets"] if code != "*")
    return Clause(
        id=clause_id(row),
        measure=Measure(details["measure_type"]),
        commodities=row.known_commodities,
        destinations=() if imports else places,
        origins=places if imports else (),
        in_force_from=None if stage else day(row.effective_from),
        in_force_until=None if stage else day(row.effective_to),
        covers=Covers(details.get("covers", Covers.GOODS)),
        end_use=details.get("end_use"),
        entity_count=details.get("entities"),
        territory=_territory(details),
        de_minimis_percent=number(details.get("de_minimis_percent")),
        exemptions=details.get("exemptions") or details.get("excludes"),
        rate_percent=number(details.get("rate_percent")),
        quota=_quota(details),
        note=note(_no_measure(row, stage), *in_words(details, CLAUSE_WORDS)),
    )


def _territory(details: dict[str, Any]) -> Territory:
    if "extraterritorial" not in details and "re_export" not in details:
        return Territory.HOME
    only = details.get("de_minimis_percent") is not None
    return Territory.ONLY_ABROAD if only else Territory.ALSO_ABROAD


def _no_measure(row: Row, stage: str | None) -> str | None:
    if stage is None:
        return None
    until = f" until {row.effective_to}" if row.effective_to else ""
    return f"No measure yet: {stage} from {row.effective_from}{until}"


def _quota(details: dict[str, Any]) -> Quantity | None:
    """The quota that a clause sets, in tonnes."""
    value = details.get("quota_t") or details.get("quota_t_batch")
    if value is None:
        return None
    weighed = details.get("quota_unit") or details.get("unit")
    return Quantity(unit=Unit("t"), value=number(value), basis=basis(weighed, "t"))
