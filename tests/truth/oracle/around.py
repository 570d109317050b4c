"""Events around a commodity, a place, a firm or an alliance, in the order of days."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from tests.truth.oracle.alliances import FULL, Alliance, alliances
from tests.truth.oracle.causes import turns_of
from tests.truth.oracle.declared import is_below
from tests.truth.oracle.events import DAY, CountingEvent
from tests.truth.oracle.goods import ANY, DUAL_USE, are_related, in_common
from tests.truth.oracle.law import KIND, Instrument, instruments
from tests.truth.oracle.law_answers import by_instrument, days_of, known_by

FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2150, 1, 1)


@dataclass(frozen=True)
class Entry:
    """An event of a day, with its subjects."""

    day: date
    entity: str
    part: str | None
    transition: str
    commodities: frozenset[str] = frozenset()
    places: frozenset[str] = frozenset()
    firms: frozenset[str] = frozenset()
    alliances: frozenset[str] = frozenset()
    is_made: bool = False
    """Whether it is a new announcement."""

    @property
    def expected(self) -> tuple[str, str, str | None, str]:
        """Return it in the form of a result."""
        return str(self.day), self.entity, self.part, self.transition


def spelled(name: str) -> str:
    """Return a name for comparison, without case and repeated spaces."""
    return " ".join(name.split()).casefold()


def firms(known: list[CountingEvent], day: date) -> dict[str, list[str]]:
    """Return the names of the firms identified by a day, by key, the last name last."""
    found: dict[str, list[str]] = {}
    for event in known:
        key = event.entity.partition("/")[2]
        if not event.type.startswith("Firm.") or event.day > day:
            continue
        if event.type == "Firm.Identified" or key in found:
            names = found.setdefault(key, [])
            names += [*event.data.get("also", []), event.data["name"]]
    return found


def spellings(known: list[CountingEvent], day: date, asked: str) -> set[str]:
    """Return all spellings of the firms that a name or a key may mean on a day."""
    found = {spelled(asked)}
    for key, names in firms(known, day).items():
        spelt = {spelled(name) for name in names}
        if f"firm/{key}" in (asked, f"firm/{asked}") or spelled(asked) in spelt:
            found |= spelt
    return found


def entries(known: list[CountingEvent], day: date) -> list[Entry]:
    """Return all events known on a day, except those of figures."""
    found: list[Entry] = []
    for events in by_instrument(known_by(known, day)):
        read = {
            "export-control": _of_control,
            "alliance": _of_alliance,
            "announcement": _of_announcement,
            "firm": _of_firm,
        }.get(events[0].entity.partition("/")[0])
        found += read(events) if read else []
    return found


def _of_control(events: list[CountingEvent]) -> Iterator[Entry]:
    entity, days = events[0].entity, days_of(events, FIRST_DAY, LAST_DAY)
    own = {(turn.day, turn.clause): turn.transition for turn in turns_of(events, days)}
    for day in days:
        eve, now = _instrument(events, day - DAY), _instrument(events, day)
        if eve and now and _said_of(eve) != _said_of(now):
            own[day, None] = "CHANGES"
    for (day, clause), transition in own.items():
        goods, named, issuer = set[str](), set[str](), ""
        for on in (day - DAY, day):
            of = _instrument(events, on)
            issuer = of.opening.data["issuer"] if of else issuer
            for name, each in of.clauses.items() if of else ():
                if clause in (None, name):
                    words = each.wording(on).data
                    goods |= {*words["commodities"]}
                    named |= {*(words.get("entities") or []), *(words.get("exporters") or [])}
                    named |= {n for one, names in each.partial if one.last >= on for n in names}
        yield Entry(
            *(day, entity, clause, transition, frozenset(goods), frozenset({issuer})),
            firms=frozenset(map(spelled, named)),
        )


def _instrument(events: list[CountingEvent], day: date) -> Instrument | None:
    return next(iter(instruments(events, day).values()), None)


def _said_of(of: Instrument) -> tuple[Any, ...]:
    """Return the data of an instrument besides its clauses: titles, other accounts, relations of duties."""
    title, original = of.opening.data["title"], of.opening.data.get("originalTitle")
    disputes, relations = 0, list[Any]()
    for event in of.events:
        if event.type == f"{KIND}Disputed":
            disputes += 1
        if event.type == f"{KIND}Related":
            relations.append(event.data["relation"])
        new = event.data.get("title"), event.data.get("originalTitle")
        if event.type == f"{KIND}Amended" and any(new) and event.day >= of.opening.day:
            title, original = new[0] or title, new[1]
    return title, original, disputes, relations


def _of_alliance(events: list[CountingEvent]) -> Iterator[Entry]:
    entity, key = events[0].entity, events[0].entity.partition("/")[2]
    for day in sorted({event.day for event in events}):
        eve, now = (alliances(events, on).get(key) for on in (day - DAY, day))
        if now is None:
            continue
        full = {place for of in (eve, now) if of for place in of.full_members()}
        about = {"places": frozenset(full), "alliances": frozenset({key})}
        if eve is None:
            yield Entry(day, entity, None, "APPEARS", **about)
            continue
        for place in eve.members.keys() | now.members.keys():
            was, becomes = eve.members.get(place), now.members.get(place)
            if was != becomes:
                member, joined = (bool(one and one[1] in FULL) for one in (was, becomes))
                turned = "MEMBER_JOINS" if joined else "MEMBER_LEAVES"
                yield Entry(day, entity, place, turned if member != joined else "CHANGES", **about)
        if of_itself(eve) != of_itself(now):
            yield Entry(day, entity, None, "CHANGES", **about)


def of_itself(of: Alliance) -> tuple[Any, ...]:
    """Return the data of an alliance besides its members, whose order is ignored."""
    return of.names, of.members_known, of.end and of.end.position


def _of_announcement(events: list[CountingEvent]) -> Iterator[Entry]:
    made = next((event for event in events if event.type == "Announcement.Made"), None)
    if made is None:
        return
    told = made.data
    about = {
        "commodities": frozenset(told.get("commodities", [])),
        "places": frozenset(told.get("actors", [])),
        "firms": frozenset(map(spelled, told.get("firms", []))),
        "alliances": frozenset(
            [*told.get("actors", [])]
            + [one.removeprefix("alliance/") for one in told.get("about", []) if "alliance/" in one]
        ),
    }
    yield Entry(made.day, made.entity, None, "APPEARS", is_made=True, **about)
    later = [event for event in events if event.type.endswith("Superseded")]
    if later and later[0].day > made.day:
        yield Entry(later[0].day, made.entity, None, "CHANGES", **about)


def _of_firm(events: list[CountingEvent]) -> Iterator[Entry]:
    opening = next((event for event in events if event.type == "Firm.Identified"), None)
    if opening is None:
        return
    place = opening.data.get("place")
    names = set[str]()
    for day in sorted({event.day for event in events if event.day >= opening.day}):
        of_day = [event for event in events if event.day == day]
        for event in of_day:
            names |= {spelled(one) for one in [event.data["name"], *event.data.get("also", [])]}
        yield Entry(
            *(day, opening.entity, None, "APPEARS" if day == opening.day else "CHANGES"),
            places=frozenset({place} if place else ()),
            firms=frozenset(names),
        )


def is_about(entry: Entry, asked: dict[str, Any], names: set[str]) -> bool:
    """Whether an entry matches all filters; `names` are the spellings of a firm."""
    goods, place = asked.get("commodity"), asked.get("place")
    control = entry.entity.startswith("export-control/")
    return (
        (goods is None or any(_is_of(one, goods, control) for one in entry.commodities))
        and (place is None or place in entry.places)
        and ("firm" not in asked or not names.isdisjoint(entry.firms))
        and (asked.get("alliance") is None or asked["alliance"] in entry.alliances)
    )


def _is_of(named: str, asked: str, of_control: bool) -> bool:
    if of_control:
        return (
            are_related(named, asked) or named in (DUAL_USE, ANY) or bool(in_common([named], asked))
        )
    return is_below(named, asked)


def publications(known: list[CountingEvent], day: date, asked: dict[str, Any]) -> dict[str, int]:
    """Return the publications of matching figures, with the numbers of their claims."""
    found: dict[str, int] = {}
    if "firm" in asked or "alliance" in asked:
        return found
    for event in known:
        if event.type == "Figure.Claimed" and event.day <= day:
            told, series = event.data, event.data["series"]
            goods, place = asked.get("commodity"), asked.get("place")
            if (goods is None or is_below(series["commodity"], goods)) and place in (
                None,
                series["place"],
            ):
                version = told.get("editionVersion") or ""
                of = (told["source"]["publisher"], told["edition"], version, told["source"]["name"])
                name = f"{event.day} {'/'.join(of)}"
                found[name] = found.get(name, 0) + 1
    return found
