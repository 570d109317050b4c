"""Clauses in a list, by filters on goods, places and days of one clause."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from tests.truth.oracle.declared import european_union, is_below, tree
from tests.truth.oracle.events import first_day, last_day
from tests.truth.oracle.goods import ANY, DUAL_USE, forms_of, in_common
from tests.truth.oracle.law import Clause, Instrument

Words = dict[str, Any]
"""The wording of a clause on a day, or a filter, in the names of the API."""


@dataclass(frozen=True)
class Worded:
    """A clause on a day, with its filter values."""

    name: str
    issuer: str
    direction: str
    status: str
    words: Words
    of: Clause


def worded(instruments: dict[str, Instrument], day: date) -> list[Worded]:
    """Return all clauses with their wording on a day."""
    return [
        Worded(
            f"{key}/{name}",
            one.opening.data["issuer"],
            one.opening.data["direction"].upper(),
            clause.status(day).upper(),
            _words(clause.wording(day).data),
            clause,
        )
        for key, one in instruments.items()
        for name, clause in one.clauses.items()
    ]


def _words(data: dict[str, Any]) -> Words:
    return {
        "commodities": data["commodities"],
        "measure": data["measure"].upper(),
        "covers": data.get("covers", "goods").upper(),
        "territory": data.get("territory", "home").upper(),
        "forms": _upper(data.get("forms")),
        "items": [_item(item) for item in data.get("items") or []],
        "exemptItems": [_item(item) for item in data.get("exemptItems") or []],
        "places": data.get("destinations") or data.get("origins") or [],
        "exceptions": data.get("exceptions") or [],
    }


def _item(item: dict[str, Any]) -> Words:
    return {
        "forms": _upper(item.get("forms")),
        "commodity": item.get("commodity"),
        "threshold": item.get("threshold"),
        "name": item["name"],
        "hsCodes": item.get("hs") or [],
    }


def _upper(words: list[str] | None) -> list[str]:
    return [word.upper() for word in words or []]


def listed(clauses: list[Worded], asked: Words, day: date) -> tuple[set[str], set[str]]:
    """Return the clauses that a list must name, and those that it may name.

    If items lack a requested code, the oracle does not know the forms of the code.
    """
    must, may = set(), set()
    for clause in clauses:
        if _is_asked_for(clause, asked, day):
            licences = [one.words for one in _licences(clauses, clause.issuer)]
            found = {_is_about(clause.words, asked, licences), _has_code(clause, asked, licences)}
            must |= {clause.name} if found == {True} else set()
            may |= {clause.name} if False not in found else set()
    return must, may


def _is_asked_for(clause: Worded, asked: Words, day: date) -> bool:
    same = {
        "issuer": clause.issuer,
        "direction": clause.direction,
        "status": clause.status,
        "measure": clause.words["measure"],
        "covers": clause.words["covers"],
    }
    return (
        all(asked.get(name) in (None, value) for name, value in same.items())
        and (not (to := asked.get("destination")) or _goes_to(clause, to, day))
        and (not (of := asked.get("origin")) or _comes_from(clause, of, day))
        and (not (days := asked.get("inForce")) or _is_in_force(clause.of, day, **days))
    )


def _is_in_force(clause: Clause, day: date, first: date, last: date) -> bool:
    """Whether a clause with a wording is in force on one of some days, by all known acts."""
    as_worded = Clause(
        [replace(clause.wording(day), start=date.min)], clause.suspensions, ending=clause.ending
    )
    turns = [turn for turn in as_worded.turns() if first <= turn <= last]
    return any(as_worded.status(turn) == "in_force" for turn in [first, *turns])


def _goes_to(clause: Worded, place: str, day: date) -> bool:
    own = clause.issuer in _names(place, day)
    if clause.direction == "EXPORT":
        return not own and _reaches(clause.words, place, day)
    return own and clause.direction == "IMPORT"


def _comes_from(clause: Worded, place: str, day: date) -> bool:
    own = clause.issuer in _names(place, day)
    return not own and _reaches(clause.words, place, day) if clause.direction == "IMPORT" else own


def _names(place: str, day: date) -> list[str]:
    """Return a place and its union."""
    return [place, *(["EU"] if place in european_union(day) else [])]


def _reaches(words: Words, place: str, day: date) -> bool:
    for name in _names(place, day):
        for exception in words["exceptions"]:
            if name in exception["places"] and _holds(exception, day):
                if exception.get("exempt"):
                    return False
                break
        else:
            continue
        break
    same = {*_names(place, day), *(european_union(day) if place == "EU" else ())}
    return not words["places"] or not same.isdisjoint(words["places"])


def _holds(exception: dict[str, Any], day: date) -> bool:
    since, until = exception.get("inForceFrom"), exception.get("inForceUntil")
    return not (since and day < first_day(since)) and not (until and day > last_day(until))


def _licences(clauses: list[Worded], issuer: str) -> Iterator[Worded]:
    """Yield the dual-use licences in force for goods of an issuer, which define its dual-use items."""
    for clause in clauses:
        words = clause.words
        if (clause.issuer, clause.direction, clause.status) == (issuer, "EXPORT", "IN_FORCE"):
            licence = words["measure"] == "DUAL_USE_LICENCE" and words["covers"] == "GOODS"
            if licence and words["territory"] != "ONLY_ABROAD":
                yield clause


def _is_about(words: Words, asked: Words, licences: list[Words]) -> bool:
    commodity, form = asked.get("commodity"), asked.get("form")
    if form and words["covers"] != "GOODS":
        return False
    if commodity is None:
        return form is None or any(_names_goods(words, one, form) for one in words["commodities"])
    return _names_goods(words, commodity, form) or (
        DUAL_USE in words["commodities"]
        and any(_names_goods(one, commodity, form) for one in licences)
    )


def _names_goods(words: Words, commodity: str, form: str | None) -> bool:
    reached = forms_of(words, commodity).union(
        *(forms_of(words, one) for one in in_common(words["commodities"], commodity))
    )
    return form in reached if form else bool(reached)


def _has_code(clause: Worded, asked: Words, licences: list[Words]) -> bool | None:
    """Whether a clause covers a code; None if that depends on the forms of the code."""
    code = asked.get("hsCode")
    return True if code is None else _has(clause.words, code, licences)


def _has(words: Words, code: str, licences: list[Words]) -> bool | None:
    if words["covers"] in ("TECHNOLOGY", "SERVICES"):
        return False
    if any(code.startswith(one) for item in words["exemptItems"] for one in item["hsCodes"]):
        return False
    codes = [one for item in words["items"] for one in item["hsCodes"]]
    if codes or words["covers"] != "GOODS":
        return any(one.startswith(code) or code.startswith(one) for one in codes)
    if ANY in words["commodities"]:
        return True
    by_licence = DUAL_USE in words["commodities"] and [_has(one, code, []) for one in licences]
    if by_licence and any(by_licence):
        return True
    about = any(_names_goods(words, one, None) for one in goods_with(code))
    return None if about or (by_licence and None in by_licence) else False


def goods_with(code: str) -> list[str]:
    """Return the narrowest commodities with a code, which may be a heading or a tariff line."""
    having = {
        name
        for name, entry in tree().items()
        if any(one.startswith(code) or code.startswith(one) for one in entry.get("hs", []))
    }
    return sorted(one for one in having if not any(o != one and is_below(o, one) for o in having))
