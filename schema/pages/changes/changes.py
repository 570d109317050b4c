"""`/changes`: differences between two moments, on either axis, with their events. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import Any

from msgspec import Struct

from schema.pages.site.address import Address
from schema.pages.site.entities import state_name
from schema.pages.site.feeds import FeedOfPage
from schema.pages.site.name_fields import name_of
from schema.pages.site.page import Page, TableOfPage
from tracker import clock
from tracker.domain.wording.phrases import field_phrase, listed, short_date, word_phrase

DEFAULT_DAYS = 30
"""Default distance of the first moment, in days."""
MAX_VALUE_CHARACTERS = 160
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
ELEMENTS = ("clauses", "members", "claims")
"""Lists whose elements differ one by one."""
VERBS = {"APPEARED": "new", "CHANGED": "changed", "DISAPPEARED": "gone"}


class FieldLine(Struct, frozen=True):
    """A field that differs, in words."""

    name: str
    before: str | None
    after: str | None


class ChangedEntity(Struct, frozen=True):
    """An entity that differs."""

    entity: str
    name: str
    issuer: str | None
    change: str
    lines: list[FieldLine]
    because: list[Mapping[str, Any]]
    confirmations: list[str]
    """Confirmations of its clauses in force, as in the API."""
    first_change: str | None
    """The first date with a change, if the state in the comparison holds from a later date on."""


class ChangedDay(Struct, frozen=True):
    """Differences that hold from a date on; without a date, those of knowledge only and removed
    entities."""

    day: str | None
    entities: list[ChangedEntity]


def view(data: Mapping[str, Any], address: Address) -> Mapping[str, Any]:
    """Return the differences, by date."""
    changes = data["changes"]
    selection = address.parameters.get("show", "all")
    nodes = [node for node in changes["nodes"] if selection == "all" or _is(node, selection)]
    kinds = Counter(node["change"] for node in changes["nodes"])
    end = data["asOf"]["validAt"]
    named = (address.parameters.get(name) for name in ("commodity", "place"))
    subject = ", ".join(name_of(one) for one in named if one)
    return {
        "title": f"Compare two dates: {subject}" if subject else "Compare two dates",
        "narrowed_to": subject,
        "change_days": sorted({day for node in changes["nodes"] for day in node["effectiveDays"]}),
        "days": by_day(nodes),
        "kinds": [(VERBS[kind], kinds[kind]) for kind in VERBS if kinds[kind]],
        "asked": selection,
        "start": {**defaults(address, end), **address.parameters}.get("from", end),
        "end": end,
        "first_page": "after" not in address.parameters,
    }


def defaults(address: Address, day: str | None = None) -> Mapping[str, str]:
    """Return the default parameters of the query.

    `day` is the date of the page; without it, that of the address, or today (UTC). Two positions are
    compared on one date.
    """
    if "from" in address.parameters or "fromPosition" in address.parameters:
        return {}
    try:
        end = date.fromisoformat(day or address.valid or "")
    except ValueError:
        end = clock.today()
    back = min(timedelta(days=DEFAULT_DAYS), end - date.min)
    return {"from": (end - back).isoformat()}


def by_day(nodes: Iterable[Mapping[str, Any]]) -> list[ChangedDay]:
    """Group entities, which are in order, by the dates from which their states hold."""
    return [
        ChangedDay(day, [changed_entity(node) for node in changes])
        for day, changes in groupby(nodes, key=lambda node: node["heldFrom"])
    ]


def changed_entity(node: Mapping[str, Any]) -> ChangedEntity:
    """Return an entity in words."""
    state = node["after"] or node["before"]
    first = next(iter(node["effectiveDays"]), None)
    return ChangedEntity(
        node["entity"],
        state_name(state) or node["entity"],
        state["issuer"]["name"] if state and "issuer" in state else None,
        VERBS[node["change"]],
        field_lines(node["fields"]) if node["change"] == "CHANGED" else [],
        node["because"],
        node["confirmations"],
        first if first != node["heldFrom"] else None,
    )


def field_lines(fields: Iterable[Mapping[str, Any]]) -> list[FieldLine]:
    """Return fields in words: `clauses 2 and 3, status: in force, then suspended`.

    Elements of a list with the same change share a line.
    """
    lines: dict[tuple[tuple[str, ...], str | None, str | None], list[str]] = {}
    for field in fields:
        head, *rest = field["path"] or ["all of it"]
        element = rest.pop(0) if head in ELEMENTS and rest else ""
        change = (head, *rest), written(field["before"]), written(field["after"])
        lines.setdefault(change, []).append(element)
    return [
        FieldLine(field_name(path, elements), before, after)
        for (path, before, after), elements in lines.items()
    ]


def field_name(path: Sequence[str], elements: list[str]) -> str:
    """Return a field of some elements of a list, or of no list, in words."""
    if elements != [""]:
        words = path[0].removesuffix("s") if len(elements) == 1 else path[0]
        path = [f"{words} {listed(elements)}", *path[1:]]
    return ", ".join(field_phrase(part) for part in path)


def written(value: Any) -> str | None:
    """Return a value in few words; None without one."""
    text = _in_words(value)
    if text is None or len(text) <= MAX_VALUE_CHARACTERS:
        return text
    return f"{text[:MAX_VALUE_CHARACTERS]}…"


def _in_words(value: Any) -> str | None:
    if value is None or isinstance(value, bool):
        return {None: None, True: "yes", False: "no"}[value]
    if isinstance(value, dict):
        parts = {name: _in_words(item) for name, item in value.items()}
        return "; ".join(f"{field_phrase(name)} {item}" for name, item in parts.items() if item)
    if isinstance(value, list):
        return ", ".join(filter(None, map(_in_words, value)))
    if isinstance(value, str) and DATE.fullmatch(value):
        return short_date(value)
    return word_phrase(value) if isinstance(value, str) and value.islower() else str(value)


def _is(node: Mapping[str, Any], selection: str) -> bool:
    """Return whether something changed in the world, or only in the records."""
    return bool(node["effectiveDays"]) == (selection == "happened")


PAGE = Page(
    __name__,
    "/changes",
    view,
    section="/changes",
    choices={"show": ("all", "happened", "restated")},
    defaults=defaults,
    table=TableOfPage(
        "changes", without=frozenset({"show", "after"}), refuses=frozenset({"fromPosition"})
    ),
    feed=FeedOfPage(
        kind="kind",
        commodity="commodity",
        place="place",
        calendar=True,
        ignored=frozenset({"from", "fromPosition"}),
    ),
)
