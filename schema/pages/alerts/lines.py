"""Lines of digests, from the data of two moments. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, TypeAlias

from msgspec import Struct

from schema.pages.alerts.texts import Category, Line, Point
from schema.pages.site.address import Address, entity_path, href
from schema.pages.site.words import doubt
from tracker.domain.basics.values import PartialDate
from tracker.domain.events.registry import RETRACTION_TYPES
from tracker.domain.wording.phrases import with_capital

Data = Mapping[str, Any]
CONTRADICTED = "CONTRADICTED"
UPCOMING_DAYS = 30
REMARKS = {
    "BY_TERMS": "Not confirmed: it follows from the dates of an act.",
    CONTRADICTED: "A recorded statement contradicts this.",
}
"""Remarks on statuses, by confirmation."""
STATUS_CHANGES = frozenset(
    {"IN_FORCE", "SUSPENDED", "RETURNS", "EXPIRES", "REPEALED", "DISCONTINUED"}
    | {"MEMBER_JOINS", "MEMBER_LEAVES"}
)
"""Transitions that change the status of a clause or a membership."""
Clause: TypeAlias = tuple[str, str]
"""A clause: its entity and its key."""


class Selection(Struct, frozen=True):
    """Kinds and entities of a page, beyond the filters of its queries; empty or None selects all."""

    kinds: Collection[str] = ()
    entities: Collection[str] | None = None

    def has(self, one: Data) -> bool:
        """Return whether a transition or a control belongs to the page."""
        return (not self.kinds or one.get("kind") in (*self.kinds, None)) and (
            self.entities is None or one["entity"] in self.entities
        )


def page_lines(
    events: Iterable[Data],
    transitions: Iterable[Data],
    controls: Iterable[Data],
    since: Point,
    until: Point,
    selection: Selection,
) -> list[Line]:
    """Return the lines of a page: for each new event, each other transition and each contradicted clause.

    `controls` are those that differ, with the confirmations of their clauses at both moments. The last
    transition of a clause that is contradicted now is the line of the contradiction.
    """
    contradicted = contradictions(filter(selection.has, controls), until)
    lines = [*event_lines(events, since, until)]
    selected = [one for one in transitions if selection.has(one)]
    for one in sorted(selected, key=lambda one: str(one["day"]), reverse=True):
        line = transition_line(one, since, until)
        if line is None:
            continue
        if line.category is not Category.UPCOMING:
            found = contradicted.pop((one["entity"], one["clause"] or ""), None)
            if found:
                line = replace(line, category=Category.CONTRADICTED, remark=found.remark)
        lines.append(line)
    return [*lines, *contradicted.values()]


def event_lines(events: Iterable[Data], since: Point, until: Point) -> Iterator[Line]:
    """Yield a line for each event that was recorded after the first moment."""
    for event in events:
        source = event["source"]
        remark = f"Source: {source['name']}, {source['publishedOn']}{doubt(source)}."
        if event["retractedBy"]:
            remark += f" Retracted at position {event['retractedBy']['position']}."
        yield Line(
            event_category(event, since),
            f"event/{event['position']}",
            event_date(event),
            event["summary"],
            pinned(f"/events/{event['position']}", until),
            remark,
        )


def event_category(event: Data, since: Point) -> Category:
    """Return the category of an event that was recorded after the first moment."""
    if event["correctionOf"] or event["type"] in RETRACTION_TYPES:
        return Category.CORRECTED
    day = event_date(event)
    past = day and PartialDate(day).last < since.day
    return (
        Category.LATE
        if past and not _takes_effect_after(event["data"], since.day)
        else Category.NEW
    )


def _takes_effect_after(data: Data, day: date) -> bool:
    """Return whether a fact, or one of its clauses, has a first day after a day: `inForceFrom` and others."""
    parts = [data, *(one for one in data.get("clauses") or () if isinstance(one, Mapping))]
    starts = [
        text for part in parts for name, text in part.items() if text and name.endswith("From")
    ]
    return any(PartialDate(text).last > day for text in starts)


def event_date(event: Data) -> str:
    """Return the date of an event as it is recorded: a day, month or year; empty without one."""
    public = event["publicOn"] or ""
    recorded = event["data"].get("on") or event["source"]["publishedOn"]
    return recorded if public.startswith(str(recorded)) else public


def transition_line(one: Data, since: Point, until: Point) -> Line | None:
    """Return the line of a transition after the first day.

    None for one until the second day that repeats an event with a line: in this digest by an event that was
    recorded after the first moment, else in an earlier one by an act of the same day without a new status.
    """
    upcoming = date.fromisoformat(one["day"]) > until.day
    recorded_later = int(one["because"]["position"]) > since.position
    repeats_act = one["basis"] == "ACT" and one["transition"] not in STATUS_CHANGES
    if not upcoming and (recorded_later or repeats_act):
        return None
    contradicted = not upcoming and one["confirmation"] == CONTRADICTED
    category = Category.CONTRADICTED if contradicted else Category.STATUS
    part = one["clause"] or one["member"] or ""
    return Line(
        Category.UPCOMING if upcoming else category,
        f"transition/{one['entity']}/{part}/{one['transition']}/{one['day']}",
        one["day"],
        one["summary"],
        pinned(page_of(one["entity"], one["because"]["position"]), until),
        REMARKS.get(one["confirmation"] or "", ""),
    )


def limited_clauses(controls: Iterable[Data], place: str, field: str) -> set[Clause]:
    """Return the clauses that others limit to some `destinations` or `origins`, the place among them."""
    return {
        (f"export-control/{control['key']}", one["key"])
        for control in controls
        if control["issuer"]["code"] != place
        for one in control["clauses"]
        if one[field]
    }


def lines_on_clauses(
    events: Iterable[Data],
    transitions: Iterable[Data],
    controls: Iterable[Data],
    since: Point,
    until: Point,
    clauses: Collection[Clause],
) -> list[Line]:
    """Return the lines of all controls, as `page_lines`, that are about some clauses."""
    return page_lines(
        (one for one in events if touched_clauses(one, clauses)),
        (one for one in transitions if (one["entity"], one["clause"]) in clauses),
        (_with_clauses(one, clauses) for one in controls),
        since,
        until,
        Selection(),
    )


def _with_clauses(control: Data, clauses: Collection[Clause]) -> Data:
    """Return a control that differs, with some of its clauses after the difference."""
    after = control["after"]
    kept = [
        one
        for one in (after or {}).get("clauses", ())
        if (control["entity"], one["key"]) in clauses
    ]
    return {**control, "after": after and {**after, "clauses": kept}}


def contradictions(controls: Iterable[Data], until: Point) -> dict[tuple[str, str], Line]:
    """Return a line for each clause whose status is contradicted at the second moment only."""
    lines = {}
    for control in controls:
        entity, after = control["entity"], control["after"] or {}
        before = {
            one["key"]: one["confirmation"] for one in (control["before"] or {}).get("clauses", ())
        }
        for clause in after.get("clauses", ()):
            key = clause["key"]
            if clause["confirmation"] != CONTRADICTED or before.get(key) == CONTRADICTED:
                continue
            lines[entity, key] = Line(
                Category.CONTRADICTED,
                f"contradiction/{entity}/{key}",
                "",
                f"{after['title']}, clause {key}: {REMARKS[CONTRADICTED]}",
                pinned(page_of(entity, None), until),
                with_capital(clause["statusStatement"]),
            )
    return lines


def shipment_lines(
    data: Data,
    events: Sequence[Data],
    transitions: Iterable[Data],
    address: Address,
    since: Point,
    until: Point,
) -> Iterator[Line]:
    """Yield a line for each rule that differs, by later records and by date, and for each other new act.

    `events` were recorded after the first moment. One about a clause of the shipment is the act behind the
    difference of its rule, or has a line of its own. `transitions` are those between the days, by day: a rule
    that differs by an older act changes its status.
    """
    path = str(address.pin(until.day.isoformat(), str(until.position)))
    clauses = clauses_of_shipment(data)
    acts = [(event, touched) for event in events if (touched := touched_clauses(event, clauses))]
    behind = {(one["entity"], one["clause"]): one["because"]["position"] for one in transitions}
    older = {clause for clause, position in behind.items() if int(position) <= since.position}
    cited: list[Data] = []
    different: set[Clause | None] = set()
    for part in ("recorded", "passed"):
        for index, change in enumerate(data[part]["changes"]):
            clause = rule_clause(change["after"] or change["before"])
            if clause is None and not (change["before"] and change["after"]):
                continue  # the line of a rule says it
            by_date = part == "passed"
            act = next((event for event, touched in reversed(acts) if clause in touched), None)
            if by_date and clause in older:
                act = None
            category = rule_category(change, act, since, by_date=by_date)
            text, remark = rule_sentence(change), rule_remark(change, act)
            different.add(clause)
            cited += [act] if act else []
            yield Line(category, f"{part}/{index}/{text}", "", text, path, remark)
    yield from event_lines(
        (event for event, touched in acts if event not in cited or touched - different),
        since,
        until,
    )
    for one in data["passed"]["after"]["upcoming"]:
        line, ahead = transition_line(one, since, until), date.fromisoformat(one["day"]) - until.day
        if line and 0 < ahead.days <= UPCOMING_DAYS:
            yield line


def clauses_of_shipment(data: Data) -> set[Clause]:
    """Return the clauses that apply to a shipment at one of the moments, or will."""
    passed = data["passed"]
    clauses: set[Clause | None] = {
        (one["entity"], one["clause"]) for one in passed["after"]["upcoming"] if one["clause"]
    }
    for check in (data["recorded"]["before"], passed["before"], passed["after"]):
        for verdict in check["verdicts"]:
            clauses |= {rule_clause(verdict), *map(clause_key, verdict["legalBases"])}
        clauses |= {*map(clause_key, check["notInForce"])}
    return {one for one in clauses if one}


def touched_clauses(event: Data, clauses: Iterable[Clause]) -> set[Clause]:
    """Return the clauses that an event is about, of the given ones: all of its entity if it names none."""
    named = {one if isinstance(one, str) else one["id"] for one in event["data"].get("clauses", ())}
    return {
        (entity, key)
        for entity, key in clauses
        if entity == event["entity"] and (not named or key in named)
    }


def rule_clause(rule: Data) -> Clause | None:
    """Return the clause of a rule; None for a leg without one."""
    return clause_key(rule["clause"]) if rule["clause"] else None


def clause_key(one: Data) -> Clause:
    """Return a clause as its entity and its key."""
    return f"export-control/{one['control']['key']}", one["clause"]["key"]


def rule_category(change: Data, act: Data | None, since: Point, *, by_date: bool) -> Category:
    """Return the category of a rule that differs; `act` is the newest new record about its clause."""
    was, now = (_confirmation(change[side]) for side in ("before", "after"))
    if now == CONTRADICTED != was:
        return Category.CONTRADICTED
    if act:
        return event_category(act, since)
    if by_date:
        return Category.STATUS
    return Category.CORRECTED if change["before"] else Category.LATE


def rule_sentence(change: Data) -> str:
    """Return the sentence of a rule that differs."""
    before, after = change["before"], change["after"]
    if before and after:
        return f"A rule differs. Before: {described(before)} Now: {described(after)}"
    if not after:
        return f"By the records, a rule no longer applies: {described(before)}"
    return f"By the records, a rule applies: {described(after)}"


def rule_remark(change: Data, act: Data | None) -> str:
    """Return the remark on a rule that differs: its confirmation, and the newest new record about it."""
    remarks = [REMARKS.get(_confirmation(change["after"]) or "", "")]
    if act:
        remarks.append(f"New record: {act['summary']}")
    return " ".join(filter(None, remarks))


def described(rule: Data) -> str:
    """Return a rule in a sentence: whether it applies certainly, and its obligation, which cites its act."""
    match = "possibly: " if rule["match"] == "POSSIBLE" else ""
    return f"{match}{rule['obligation'].rstrip('.')}."


def _confirmation(rule: Data | None) -> str | None:
    return ((rule or {}).get("clause") or {}).get("confirmation")


def page_of(entity: str, position: str | None) -> str:
    """Return the page of an entity, or that of an event about it."""
    return entity_path(entity) or (f"/events/{position}" if position else "/changes")


def pinned(path: str, until: Point) -> str:
    """Return the permanent address of a page at the second moment."""
    return href(path, {"valid": until.day.isoformat(), "position": until.position})
