"""A plain, slow implementation of the legal rules, for comparison with the fold.

It processes recorded facts as plain data and shares no code with the fold. A clause is evaluated day by
day, and the calendar is searched for its return.
"""

from calendar import monthrange
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, NamedTuple

ONE_DAY = timedelta(days=1)
ALWAYS, NEVER = date.min, date.max
HORIZON = date(2026, 1, 1)
"""Nothing in these histories happens after it."""


class Event(NamedTuple):
    """A recorded fact as plain data."""

    position: int
    id: str
    type: str
    data: dict[str, Any]

    @property
    def name(self) -> str:
        """Return the event type without the kind of entity."""
        return self.type.partition(".")[2]


Reading = dict[str, Any] | None
"""A state in plain words; None without an entity on the day."""


def first(text: str) -> date:
    """Return the first possible day of a date: `2025`, `2025-03` or `2025-03-09`."""
    year, month, day = [*map(int, text.split("-")), 1, 1][:3]
    return date(year, month, day)


def last(text: str) -> date:
    """Return the last possible day of a date."""
    year, month, day = [*map(int, text.split("-")), 0, 0][:3]
    month = month or 12
    return date(year, month, day or monthrange(year, month)[1])


def stands(event: Event, known: list[Event]) -> bool:
    """Whether no effective retraction retracts the event."""
    return not any(
        other.name == "Retracted" and other.data["retracts"] == event.id and stands(other, known)
        for other in known
        if other.position > event.position
    )


def told_at(event: Event, known: list[Event]) -> int:
    """Return the order of an event within its day: its position, or that of the event it replaces."""
    before = [other for other in known if other.position < event.position]
    for other in reversed(before):
        if other.name == "Retracted" and other.data.get("replacement") == event.id:
            corrected = next(one for one in before if one.id == other.data["retracts"])
            return told_at(corrected, known)
    return event.position


OPENINGS = {"Announced", "Founded", "Made", "Claimed", "Ordered"}


def public_on(event: Event) -> date:
    """Return the effective day of an event: for a claim that of its edition."""
    if event.name == "Claimed":
        return first(event.data["source"]["publishedOn"])
    return first(event.data["on"])


def public(known: list[Event], day: date) -> list[Event]:
    """Return the effective facts public by a day, in order of effect."""
    there = [
        event
        for event in known
        if event.name != "Retracted" and stands(event, known) and public_on(event) <= day
    ]
    return sorted(
        there,
        key=lambda event: (public_on(event), event.name not in OPENINGS, told_at(event, known)),
    )


def since(opening: str, events: list[Event]) -> list[Event]:
    """Return the events from the first opening on."""
    while events and events[0].name != opening:
        events = events[1:]
    return events


def reasons(events: list[Event]) -> list[str]:
    """Return the ids of events in log order."""
    return [event.id for event in sorted(events, key=lambda event: event.position)]


# --- clauses


class Rest:
    """A time in which a clause does not apply; the last day is inclusive. `firms`: to whom alone."""

    def __init__(self, start: str, end: str | None, length: str | None = None):
        self.start, self.length = start, length
        self.end = str(counted(first(start), length)) if length else end
        self.ends = last(self.end) if self.end else NEVER
        self.firms: list[str] = []

    def covers(self, day: date) -> bool:
        """Whether a day lies in it."""
        return first(self.start) <= day <= self.ends


def counted(start: date, length: str) -> date:
    """Return the last day of a period from a day on, by the calendar."""
    number, unit = int(length[1:-1]), length[-1]
    if unit == "D":
        return start + ONE_DAY * (number - 1)
    months = start.year * 12 + start.month + number
    days = calendar(start, start + ONE_DAY * 31 * (number + 1))
    same = (day for day in days if day.year * 12 + day.month == months and day.day == start.day)
    return next(same) - ONE_DAY


class Law:
    """The state of one clause, updated act by act."""

    def __init__(self, text: dict[str, Any]):
        self.texts: list[tuple[date, dict[str, Any]]] = [(ALWAYS, dict(text))]
        self.rests: list[Rest] = []
        self.rests_of_firms: list[Rest] = []
        self.over: tuple[str, str, str | None] | None = None
        """Day of its end, the status, and its continuation."""

    def text(self, day: date) -> dict[str, Any]:
        """Return its wording on a day."""
        return [text for start, text in self.texts if start <= day][-1]

    def reword(self, day: date, text: dict[str, Any]) -> None:
        """Set its wording from a day on, replacing later ones."""
        self.texts = [(start, old) for start, old in self.texts if start < day]
        self.texts.append((day, dict(text)))

    def date_anew(self, day: date, field: str, value: str) -> None:
        """Set one of its dates in all wordings from a day on."""
        begun = max(start for start, _ in self.texts if start <= day)
        self.texts = [
            (start, {**text, field: value} if start >= begun else text)
            for start, text in self.texts
        ]

    def not_over(self, day: date) -> list[Rest]:
        """Return the suspensions that have not ended on a day, in order."""
        return [rest for rest in self.rests if rest.ends >= day]

    def status(self, day: date) -> str:
        """Return its status on a day."""
        text = self.text(day)
        if self.over and first(self.over[0]) <= day:
            return self.over[1]
        if text.get("legalStage", "adopted") != "adopted":
            return str(text["legalStage"])
        until = text.get("inForceUntil") or text.get("period")
        if until and last(until) < day:
            return "expired"
        if any(rest.covers(day) for rest in self.rests):
            return "suspended"
        begin = text.get("inForceFrom") or text.get("period")
        if begin and first(begin) <= day:
            return "in_force"
        return "announced"

    def in_force(self, start: date, end: date) -> date | None:
        """Return the first day in force in a range, both included."""
        return next((day for day in calendar(start, end) if self.status(day) == "in_force"), None)


def calendar(start: date, end: date) -> Iterator[date]:
    """Yield the days of a range, both included."""
    while start <= end:
        yield start
        start += ONE_DAY


def act(laws: dict[str, Law], event: Event) -> None:
    """Apply an act to the clauses."""
    data, day = event.data, public_on(event)
    if event.name == "Announced":
        laws.update({text["id"]: Law(text) for text in data["clauses"]})
    elif event.name == "Amended" and laws:  # nothing is amended before it is announced
        counts_from = first(data.get("effectiveFrom") or data["on"])
        for text in data["clauses"]:
            if text["id"] in laws:
                laws[text["id"]].reword(counts_from, text)
            else:
                laws[text["id"]] = Law(text)
    elif event.name not in ("Amended", "Disputed"):
        for id in data.get("clauses") or not_ended(laws, data, day) or list(laws):
            if id in laws:
                act_on(laws[id], event.name, data, day)


ENDS = {"Repealed": "repealedFrom", "Merged": "mergedFrom", "Discontinued": "discontinuedFrom"}
ENDED = ("expired", "repealed", "withdrawn", "lapsed", "concluded")


def not_ended(laws: dict[str, Law], data: dict[str, Any], day: date) -> list[str]:
    """Return the clauses that have not ended on the day of an act, or of their end by it."""
    begun = min([day, *(first(data[name]) for name in ENDS.values() if name in data)])
    return [id for id, law in laws.items() if law.status(begun) not in ENDED]


def end(law: Law, data: dict[str, Any], name: str, day: date) -> None:
    """End a clause by an act, unless an earlier end is in effect."""
    start = data[ENDS[name]]
    if law.over and first(law.over[0]) < first(start) and first(law.over[0]) <= day:
        return
    law.over = start, data.get("outcome", "repealed"), data.get("into")


def act_on(law: Law, name: str, data: dict[str, Any], day: date) -> None:
    """Apply an act to one clause."""
    if name == "EnteredIntoForce":
        law.date_anew(day, "inForceFrom", data["inForceFrom"])
        law.date_anew(day, "legalStage", "adopted")
    elif name == "Expired":
        law.date_anew(day, "inForceUntil", data["inForceUntil"])
    elif name == "Extended":  # which shortens nothing that is to be said later
        longer = [
            (start, text)
            for start, text in law.texts
            if start > day
            and (until := text.get("inForceUntil") or text.get("period"))
            and last(until) > last(data["inForceUntil"])
        ]
        law.date_anew(day, "inForceUntil", data["inForceUntil"])
        law.texts = sorted(dict(law.texts + longer).items())
    elif name in ENDS:
        end(law, data, name, day)
    elif name == "Suspended":
        rest = Rest(data["suspendedFrom"], data.get("suspendedUntil"), data.get("suspendedFor"))
        rest.firms = data.get("entities", [])
        (law.rests_of_firms if rest.firms else law.rests).append(rest)
    elif name == "SuspensionExtended":
        if law.not_over(day):  # of several, the newest one
            meant = law.not_over(day)[-1]
            law.rests[law.rests.index(meant)] = Rest(meant.start, data.get("suspendedUntil"))
    elif name == "SuspensionStated":
        pass  # a statement leaves the status as it is
    elif name == "Reinstated":
        back = first(data["reinstatedFrom"])
        law.rests = [rest for rest in law.rests if first(rest.start) < back]
        for rest in law.not_over(back):
            rest.ends = back - ONE_DAY
        law.rests_of_firms = [rest for rest in law.rests_of_firms if first(rest.start) < back]
        for rest in law.rests_of_firms:
            if rest.ends >= back:
                rest.ends, rest.end = back - ONE_DAY, str(back - ONE_DAY)
    else:
        raise AssertionError(name)


def clause_on(law: Law, day: date, begin: date) -> dict[str, Any]:
    """Return a clause on a day."""
    now = [rest for rest in law.rests if rest.covers(day)]
    coming = sorted(
        [rest for rest in law.rests if first(rest.start) > day], key=lambda rest: first(rest.start)
    )
    rest = (now + coming or [None])[0]
    status = law.status(day)
    returns = law.in_force(day + ONE_DAY, HORIZON) if status == "suspended" else None
    in_force_since = law.in_force(begin, day)
    return {
        "clause": {
            field: law.text(day).get(field)
            for field in ("id", "commodities", "inForceFrom", "inForceUntil")
        },
        "status": status,
        "suspendedFrom": rest.start if rest else None,
        "suspendedUntil": rest.end if rest else None,
        "suspendedFor": rest.length if rest else None,
        "returnsOn": str(returns) if returns else None,
        "repealedFrom": law.over[0] if law.over and law.over[1] == "repealed" else None,
        "continuedIn": law.over[2] if law.over else None,
        "discontinuedFrom": law.over[0] if law.over and law.over[1] != "repealed" else None,
        "partialSuspensions": [
            {"entities": rest.firms, "suspendedFrom": rest.start, "suspendedUntil": rest.end}
            for rest in law.rests_of_firms
            if rest.ends >= day
        ],
        "firstInForce": str(in_force_since) if in_force_since else None,
    }


# --- entities


def control(events: list[Event], day: date) -> Reading:
    """Return an instrument on a day."""
    announced = [event for event in events if event.name == "Announced"]
    if not announced:
        return None
    laws: dict[str, Law] = {}
    for event in events:
        act(laws, event)
    titles = [
        event.data["title"]
        for event in events
        if event.name == "Amended" and event.data.get("title")
        if events.index(event) > events.index(announced[0])
    ]
    return {
        "title": [announced[0].data["title"], *titles][-1],
        "announcedOn": announced[0].data["on"],
        "clauses": [clause_on(law, day, date(2024, 1, 1)) for law in laws.values()],
        "disputes": [event.data["account"] for event in events if event.name == "Disputed"],
        "because": reasons(events),
    }


def alliance(events: list[Event], day: date) -> Reading:
    """Return an alliance on a day."""
    events = since("Founded", events)
    if not events:
        return None
    members: dict[str, str] = {}
    roles: dict[str, str] = {}
    for event in events:
        data = event.data
        joined_now = event.name == "MemberJoined" and data["member"] not in members
        if joined_now or (event.name == "RoleChanged" and data["member"] in members):
            roles[data["member"]] = data.get("role", "member")
        if event.name == "Founded":
            for place in data.get("members", []):
                members.setdefault(place, data["on"])
        elif event.name == "MemberJoined":
            members.setdefault(data["member"], data.get("since") or data["on"])
        elif event.name == "MembersListed" and data.get("members"):
            full = {p: d for p, d in members.items() if roles.get(p) in (None, "member", "chair")}
            guests = {place: day for place, day in members.items() if place not in full}
            listed = {place: full.get(place, data["on"]) for place in data["members"]}
            roles = {place: role for place, role in roles.items() if place in {**full, **guests}}
            roles |= dict.fromkeys(set(listed) - set(full), "member")
            members = guests | listed
        elif event.name == "MemberLeft":
            members.pop(data["member"], None)
            roles.pop(data["member"], None)
    names = [event.data["name"] for event in events[1:] if event.name == "Renamed"]
    names = [events[0].data["name"], *names]
    ends = [event for event in events if event.name in ("Succeeded", "Dissolved")]
    return {
        "name": names[-1],
        "formerNames": names[:-1],
        "status": ends[0].name.lower() if ends else "active",
        "endedOn": ends[0].data["on"] if ends else None,
        "foundedOn": events[0].data["on"],
        "members": [{"place": place, "since": joined} for place, joined in members.items()],
        "because": reasons(events),
    }


def announcement(events: list[Event], day: date) -> Reading:
    """Return an announcement on a day."""
    events = since("Made", events)
    if not events:
        return None
    later = [event.data["by"] for event in events if event.name == "Superseded"]
    return {
        "title": events[0].data["title"],
        "date": events[0].data["on"],
        "supersededBy": later[-1] if later else None,
        "because": reasons(events),
    }


def figure(events: list[Event], day: date) -> Reading:
    """Return all claims on a day, and the effective judgement."""
    claims = [event for event in events if event.name == "Claimed"]
    if not claims:
        return None
    publisher = {event.id: event.data["source"]["publisher"] for event in claims}
    prefers = None
    for event in events:
        meant = [
            claim.id
            for claim in claims
            if event.name == "Preferred"
            and publisher[claim.id] == event.data["publisher"]
            and all(
                event.data.get(field) in (None, claim.data.get(field))
                for field in ("edition", "editionVersion")
            )
        ]
        prefers = meant[-1] if meant else prefers
    return {
        "claims": [
            {
                "eventId": claim.id,
                "value": claim.data["quantity"]["value"],
                "latest": publisher[claim.id] not in [publisher[c.id] for c in claims[number:]],
            }
            for number, claim in enumerate(claims, 1)
        ],
        "prefers": prefers,
        "judged": reasons([event for event in events if event.name == "Preferred"]),
    }


def preference(events: list[Event], day: date) -> Reading:
    """Return the publisher order on a day."""
    if not events:
        return None
    return {"publishers": events[-1].data["publishers"], "because": reasons(events)}


READINGS = {
    "export-control": control,
    "alliance": alliance,
    "announcement": announcement,
    "figure": figure,
    "preference": preference,
}


def read(kind: str, log: list[Event], day: date, position: int) -> Reading:
    """Return the state of an entity on a day, as recorded at a position."""
    known = [event for event in log if event.position <= position]
    return READINGS[kind](public(known, day), day)
