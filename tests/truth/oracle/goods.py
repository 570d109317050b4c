"""Goods and forms named by a clause, by the tree of commodities."""

from __future__ import annotations

from typing import Any

from tests.truth.oracle.declared import above, is_below, tree

MINED = {"ORE", "CONCENTRATE"}
MADE = {"OXIDE", "COMPOUND", "METAL", "ALLOY", "INTERMEDIATE"}
ALL = {*MINED, *MADE, "SCRAP", "MAGNET", "ARTICLE"}
DUAL_USE = "dual_use_items"
ANY = "all_goods"


def are_related(one: str, other: str) -> bool:
    """Whether one of two commodities equals the other or is below it."""
    return is_below(one, other) or is_below(other, one)


def in_common(named: list[str], commodity: str) -> list[str]:
    """Return the widest goods below both a commodity and a named one, if neither includes the other."""
    found = set[str]()
    for one in named:
        if not are_related(one, commodity):
            both = {each for each in tree() if is_below(each, one) and is_below(each, commodity)}
            found |= {of for of in both if both.isdisjoint(set(above(of)) - {of})}
    return sorted(found)


def named_of(clause: dict[str, Any], commodity: str) -> tuple[list[str], list[dict[str, Any]]]:
    """Return the goods and items of a commodity in a clause."""
    items = [
        item
        for item in clause["items"]
        if item["commodity"] is None or are_related(item["commodity"], commodity)
    ]
    if ANY in clause["commodities"]:
        items = [item for item in items if _can_have_codes_of(item, commodity)]
    named = [one for one in clause["commodities"] if one == ANY or are_related(one, commodity)]
    return named, items


def _can_have_codes_of(item: dict[str, Any], commodity: str) -> bool:
    """Whether a commodity, or goods below it, can have a code of an item, as far as codes are declared."""
    declared = [
        hs for key, of in tree().items() if is_below(key, commodity) for hs in of.get("hs", [])
    ]
    of_item = item["hsCodes"]
    return (
        not declared
        or not of_item
        or any(a.startswith(b) or b.startswith(a) for a in declared for b in of_item)
    )


def forms_of(clause: dict[str, Any], commodity: str) -> set[str]:
    """Return the forms of a commodity in the wording of a clause; empty if it is not covered."""
    named, items = named_of(clause, commodity)
    if not named or (clause["items"] and not items):
        return set()
    return forms_named(clause, named, items, commodity)


def _is_whole(item: dict[str, Any], commodity: str) -> bool:
    """Whether an item names a commodity or one above it, with all of its codes if it has codes."""
    names = {item["commodity"], *(key for key in above(commodity) if _name(key) == item["name"])}
    codes, of_item = tree()[commodity].get("hs", []), tuple(item["hsCodes"])
    return not names.isdisjoint(above(commodity)) and (
        not of_item or (bool(codes) and all(code.startswith(of_item) for code in codes))
    )


def _name(commodity: str) -> str:
    return str(tree()[commodity]["name"])


def all_forms(commodity: str) -> set[str]:
    """Return the forms of a commodity."""
    return {form.upper() for form in tree()[commodity].get("forms", [])} or ALL


def forms_named(
    clause: dict[str, Any], named: list[str], items: list[dict[str, Any]], commodity: str
) -> set[str]:
    """Return the forms of a commodity that a clause covers."""
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
            if item["threshold"] is None and _is_whole(item, commodity)
        )
    )
    return (own & goods & all_forms(commodity)) - exempt
