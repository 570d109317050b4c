"""Which goods a clause names, in which forms, by the tree of commodities."""

from __future__ import annotations

from typing import Any

from tests.truth.oracle.declared import above, is_below, tree

MINED = {"ORE", "CONCENTRATE"}
MADE = {"OXIDE", "COMPOUND", "METAL", "ALLOY", "INTERMEDIATE"}
ALL = {*MINED, *MADE, "SCRAP", "MAGNET", "ARTICLE"}
DUAL_USE = "dual_use_items"


def are_related(one: str, other: str) -> bool:
    """Whether one of two commodities is the other, or is below it."""
    return is_below(one, other) or is_below(other, one)


def in_common(named: list[str], commodity: str) -> list[str]:
    """The widest goods below a commodity and one that is named, of which neither includes the other."""
    found = set[str]()
    for one in named:
        if not are_related(one, commodity):
            both = {each for each in tree() if is_below(each, one) and is_below(each, commodity)}
            found |= {of for of in both if both.isdisjoint(set(above(of)) - {of})}
    return sorted(found)


def named_of(clause: dict[str, Any], commodity: str) -> tuple[list[str], list[dict[str, Any]]]:
    """What a clause names of a commodity: its goods, and items."""
    items = [
        item
        for item in clause["items"]
        if item["commodity"] is None or are_related(item["commodity"], commodity)
    ]
    return [one for one in clause["commodities"] if are_related(one, commodity)], items


def forms_of(clause: dict[str, Any], commodity: str) -> set[str]:
    """The forms of a commodity that a clause is about by its own words; none: it is not."""
    named, items = named_of(clause, commodity)
    if not named or (clause["items"] and not items):
        return set()
    return forms_named(clause, named, items, commodity)


def all_forms(commodity: str) -> set[str]:
    """The forms that a commodity has."""
    return {form.upper() for form in tree()[commodity].get("forms", [])} or ALL


def forms_named(
    clause: dict[str, Any], named: list[str], items: list[dict[str, Any]], commodity: str
) -> set[str]:
    """The forms of a commodity that a clause reaches."""
    goods = set[str]().union(*map(all_forms, named))
    own = {*clause["forms"]} or ALL
    if items:
        goods &= set[str]().union(
            *(
                ({*item["forms"]} or own) & all_forms(item["commodity"] or commodity)
                for item in items
            )
        )
        own = ALL
    exempt = set[str]().union(
        *(
            {*item["forms"]} or ALL
            for item in clause["exemptItems"]
            if item["commodity"] in above(commodity)
            if item["threshold"] is None and not item["hsCodes"]
        )
    )
    return (own & goods & all_forms(commodity)) - exempt
