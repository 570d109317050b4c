"""Instruments and their clauses on a day, from public acts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from tests.truth.oracle.events import DAY, CountingEvent, first_day, last_day

NEVER = date.max
KIND = "ExportControl."
ENDS = ("repealedFrom", "mergedFrom", "discontinuedFrom")
ENDED = ("expired", "repealed", "withdrawn", "lapsed", "concluded")
NOT_ADOPTED = ("proposed", "recommended", "negotiated")


@dataclass
class Suspension:
    """Days on which a clause is suspended; `last` is the day on which it really ends."""

    start: str
    end: str | None
    length: str | None
    last: date

    @property
    def first(self) -> date:
        """Return its first day."""
        return first_day(self.start)


@dataclass
class Ending:
    """The end of a clause, from a day on."""

    start: str
    status: str
    into: str | None = None


@dataclass
class Wording:
    """A wording from a day on, and whether that day was past when it was announced."""

    start: date
    data: dict[str, Any]
    retroactive: bool

    @property
    def first(self) -> date | None:
        """Return its first day."""
        told = self.data.get("inForceFrom") or self.data.get("period")
        return first_day(told) if told else None

    @property
    def last(self) -> date | None:
        """Return its last day."""
        names = ("inForceUntil", "carryOverUntil", "period")
        told = next((self.data[name] for name in names if self.data.get(name)), None)
        return last_day(told) if told else None


@dataclass
class Clause:
    """The public acts on a clause, for any day."""

    wordings: list[Wording]
    suspensions: list[Suspension] = field(default_factory=list)
    partial: list[tuple[Suspension, list[str]]] = field(default_factory=list)
    ending: Ending | None = None
    acts: list[int] = field(default_factory=list)
    """Positions of the acts on it."""
    stated: dict[str, Any] | None = None
    """The last statement without an instrument that its suspension continues; a later act overrides it."""

    def wording(self, day: date) -> Wording:
        """Return its wording on a day."""
        return [one for one in self.wordings if one.start <= day][-1]

    def status(self, day: date) -> str:
        """Return the first matching status in the table of docs/domain.md."""
        wording = self.wording(day)
        stage = wording.data.get("legalStage") or "adopted"
        if self.ending and day >= first_day(self.ending.start):
            return self.ending.status
        if stage in NOT_ADOPTED:
            return str(stage)
        if wording.last and day > wording.last:
            return "expired"
        if self.suspension(day):
            return "suspended"
        if wording.first and day >= wording.first:
            return "in_force"
        return "announced"

    def suspension(self, day: date) -> Suspension | None:
        """Return the suspension on a day: of several, the one ordered first."""
        return next((one for one in self.suspensions if one.first <= day <= one.last), None)

    def turns(self) -> list[date]:
        """Return all days on which its status may change, or a suspension for single firms ends."""
        found = {date.min}
        for wording in self.wordings:
            found |= {wording.start, *filter(None, (wording.first, _after(wording.last)))}
        for suspension in self.suspensions:
            found |= {suspension.first, *filter(None, [_after(suspension.last)])}
        found |= {day for one, _ in self.partial if (day := _after(one.last))}
        if self.ending:
            found.add(first_day(self.ending.start))
        if self.stated:
            found |= {*filter(None, [_after(last_day(self.stated["suspendedUntil"]))])}
        return sorted(found)

    def first_in_force(self) -> date | None:
        """Return the first day in force."""
        return next((day for day in self.turns() if self.status(day) == "in_force"), None)

    def returns_on(self, day: date) -> date | None:
        """Return the day on which it is in force again without a further act."""
        if self.status(day) != "suspended":
            return None
        later = [turn for turn in self.turns() if turn > day]
        return next((turn for turn in later if self.status(turn) == "in_force"), None)


def _after(last: date | None) -> date | None:
    return last + DAY if last and last < NEVER else None


@dataclass
class Instrument:
    """The public facts of an instrument."""

    opening: CountingEvent
    events: list[CountingEvent]
    """Public events, including the opening."""
    clauses: dict[str, Clause]

    @property
    def key(self) -> str:
        """Return its key."""
        return self.opening.entity.removeprefix("export-control/")


def instruments(known: list[CountingEvent], day: date) -> dict[str, Instrument]:
    """Return the public instruments on a day, by key."""
    found: dict[str, list[CountingEvent]] = {}
    for event in known:
        if event.type.startswith(KIND) and event.day <= day:
            found.setdefault(event.entity, []).append(event)
    read = [_instrument(events) for events in found.values()]
    return {one.key: one for one in read if one}


def _instrument(public: list[CountingEvent]) -> Instrument | None:
    opening = next((e for e in public if e.type == f"{KIND}Announced"), None)
    if opening is None:
        return None
    clauses: dict[str, Clause] = {}
    _take(clauses, opening)
    for act in public:
        if act is not opening and act.day >= opening.day:  # an earlier act is no longer effective
            _take(clauses, act)
    return Instrument(opening, public, clauses)


def _take(clauses: dict[str, Clause], act: CountingEvent) -> None:
    told = act.data
    match act.type.removeprefix(KIND):
        case "Announced":
            for data in told["clauses"]:
                clauses[data["id"]] = _new(data, act)
        case "Amended":
            start = first_day(told.get("effectiveFrom") or told["on"])
            for data in told["clauses"]:
                if data["id"] in clauses:
                    _reword(clauses[data["id"]], data, start, act)
                else:
                    clauses[data["id"]] = _new(data, act)
        case "Disputed" | "Related":
            pass  # neither changes a clause
        case kind:
            for key in told.get("clauses") or _not_ended(clauses, act) or list(clauses):
                if key in clauses:
                    clauses[key].acts.append(act.position)
                    _act(clauses[key], kind, told, act.day)


def _not_ended(clauses: dict[str, Clause], act: CountingEvent) -> list[str]:
    """Return the clauses that have not ended when an act is public, or that end by it."""
    began = [first_day(told) for name in ENDS if (told := act.data.get(name))]
    day = min([act.day, *began])
    return [key for key, clause in clauses.items() if clause.status(day) not in ENDED]


def _new(data: dict[str, Any], act: CountingEvent) -> Clause:
    wording = Wording(date.min, data, False)
    wording.retroactive = wording.first is not None and wording.first < act.day
    return Clause([wording], acts=[act.position])


def _reword(clause: Clause, data: dict[str, Any], start: date, act: CountingEvent) -> None:
    clause.acts.append(act.position)
    clause.stated = None
    before = [one for one in clause.wordings if one.start < start]
    last = (before or clause.wordings)[-1]
    wording = Wording(start, data, False)
    late = wording.first is not None and wording.first < act.day
    wording.retroactive = last.retroactive if wording.first == last.first else late
    clause.wordings = [*before, wording]


def _act(clause: Clause, kind: str, told: dict[str, Any], public: date) -> None:
    clause.stated = told if kind == "SuspensionStated" else None
    match kind:
        case "EnteredIntoForce":
            start = first_day(told["inForceFrom"])
            current = clause.wording(public)
            again = (
                current.first == start and current.data.get("legalStage", "adopted") == "adopted"
            )
            for wording in _from_now(clause, public):
                wording.data |= {"inForceFrom": told["inForceFrom"], "legalStage": "adopted"}
                wording.retroactive = wording.retroactive if again else start < public
        case "Extended" | "Expired":
            for wording in _from_now(clause, public):
                is_later = wording.start > public and kind == "Extended"
                if is_later and wording.last and wording.last > last_day(told["inForceUntil"]):
                    continue  # an extension does not shorten
                wording.data |= {"inForceUntil": told["inForceUntil"]}
                wording.data |= {"end": None, "endCondition": None}
        case "Suspended":
            suspension = _suspension(told)
            if told.get("entities"):
                clause.partial.append((suspension, told["entities"]))
            else:
                clause.suspensions.append(suspension)
        case "SuspensionExtended":
            running = [one for one in clause.suspensions if one.last >= public]
            for one in running[-1:]:
                until = told.get("suspendedUntil")
                one.end, one.length = until, None
                one.last = last_day(until) if until else NEVER
        case "SuspensionStated":
            pass  # a statement without an instrument changes no status
        case "Reinstated":
            _reinstate(clause, first_day(told["reinstatedFrom"]))
        case "Repealed":
            _end(clause, public, Ending(told["repealedFrom"], "repealed"))
        case "Merged":
            _end(clause, public, Ending(told["mergedFrom"], "repealed", told["into"]))
        case "Discontinued":
            _end(clause, public, Ending(told["discontinuedFrom"], told["outcome"]))
        case _:
            raise ValueError(kind)


def _end(clause: Clause, public: date, ending: Ending) -> None:
    """Apply an end; an end in effect is not moved to a later day."""
    over = first_day(clause.ending.start) if clause.ending else NEVER
    if over > public or over >= first_day(ending.start):
        clause.ending = ending


def _from_now(clause: Clause, day: date) -> Iterable[Wording]:
    """Return the wording of a day and later ones, to be changed."""
    current = clause.wording(day)
    for wording in clause.wordings:
        if wording.start >= current.start:
            wording.data = dict(wording.data)
            yield wording


def _suspension(told: dict[str, Any]) -> Suspension:
    first = first_day(told["suspendedFrom"])
    length, until = told.get("suspendedFor"), told.get("suspendedUntil")
    if length:
        until = (_after_length(first, length)).isoformat()
    return Suspension(told["suspendedFrom"], until, length, last_day(until) if until else NEVER)


def _after_length(first: date, length: str) -> date:
    """Return the last day of a period whose first day counts."""
    number, unit = int(length[1:-1]), length[-1]
    if unit in "DW":
        return first + timedelta(days=number * (7 if unit == "W" else 1) - 1)
    months = number * (12 if unit == "Y" else 1)
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    last = last_day(f"{year:04}-{month + 1:02}")
    return last if first.day > last.day else last.replace(day=first.day) - DAY


def _reinstate(clause: Clause, day: date) -> None:
    """End every suspension before a day, and cancel later ones."""
    for one in clause.suspensions:
        one.last = min(one.last, day - DAY)
    clause.suspensions = [one for one in clause.suspensions if one.first <= one.last]
    kept = []
    for one, entities in clause.partial:
        if one.last >= day:
            one = Suspension(one.start, (day - DAY).isoformat(), None, day - DAY)
        if one.first <= one.last:
            kept.append((one, entities))
    clause.partial = kept


def state_of(clause: Clause, day: date) -> dict[str, Any]:
    """Return the expected state of a clause on a day."""
    data, status = clause.wording(day).data, clause.status(day)
    coming = sorted((s for s in clause.suspensions if s.first > day), key=lambda s: s.first)
    suspension = clause.suspension(day) or next(iter(coming), None)
    first, ending = clause.first_in_force(), clause.ending
    repealed = ending is not None and ending.status == "repealed"
    return {
        "measure": data["measure"].upper(),
        "status": status.upper(),
        "commodities": sorted(data["commodities"]),
        **{name: sorted(data.get(name) or []) for name in ("destinations", "origins")},
        "forms": sorted(form.upper() for form in data.get("forms") or []),
        **{
            name: data.get(name)
            for name in (
                *("inForceFrom", "inForceUntil", "period", "carryOverUntil", "decisionDue"),
                *("ratePercent", "rateUpToPercent", "rateText", "exemptions", "endUse"),
                *("entityCount", "endCondition"),
            )
        },
        "entities": data.get("entities") or [],
        "quota": _quota(data.get("quota")),
        **{
            name: (data.get(name) or other).upper() or None
            for name, other in (
                *(("quotaPart", ""), ("legalStage", "adopted"), ("covers", "goods")),
                *(("territory", "home"), ("end", "")),
            )
        },
        "suspendedFrom": suspension and suspension.start,
        "suspendedUntil": suspension and suspension.end,
        "suspendedFor": suspension and suspension.length,
        "partialSuspensions": [
            {
                "entities": entities,
                "suspendedFrom": one.start,
                "suspendedUntil": one.end,
                "suspendedFor": one.length,
            }
            for one, entities in clause.partial
            if one.last >= day
        ],
        "returnsOn": _text(clause.returns_on(day)),
        "repealedFrom": ending.start if ending and repealed else None,
        "discontinuedFrom": ending.start if ending and not repealed else None,
        "continuedIn": ending.into if ending else None,
        "firstInForce": _text(first if first and first <= day else None),
        "retroactive": clause.wording(day).retroactive,
    }


def _text(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _quota(quota: dict[str, Any] | None) -> dict[str, Any] | None:
    if quota is None:
        return None
    qualifier = quota.get("qualifier")
    return {
        "value": quota.get("value"),
        "upper": quota.get("upper"),
        "unit": quota["unit"],
        "basis": quota.get("basis"),
        "qualifier": qualifier.upper() if qualifier else None,
    }
