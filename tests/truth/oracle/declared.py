"""Declared data: the tree of commodities, bases, units, unions of countries."""

from __future__ import annotations

import tomllib
from datetime import date
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

CATALOGUE = Path(__file__).parents[3] / "tracker" / "domain" / "catalogue"
TONNES = {"kg": Fraction(1, 1000), "t": Fraction(1), "kt": Fraction(1000), "Mt": Fraction(1000000)}
GROUPS = {"US_CA": {"US", "CA"}, "AU_CA_CN_NA": {"AU", "CA", "CN", "NA"}}
"""Figures for several countries, by country codes."""
ACCESSIONS = {
    "1958-01-01": "BE DE FR IT LU NL",
    "1973-01-01": "DK GB IE",
    "1981-01-01": "GR",
    "1986-01-01": "ES PT",
    "1995-01-01": "AT FI SE",
    "2004-05-01": "CY CZ EE HU LT LV MT PL SI SK",
    "2007-01-01": "BG RO",
    "2013-07-01": "HR",
}
LAST_DAY_OF_GB = date(2020, 1, 31)


def countries_of(place: str, day: date) -> set[str]:
    """Return the countries of a place on a day: the members of a union, or itself."""
    if place == "EU":
        return european_union(day)
    return GROUPS.get(place, {place})


def european_union(day: date) -> set[str]:
    """Return the countries in the European Union on a day."""
    members = {
        country
        for since, countries in ACCESSIONS.items()
        for country in countries.split()
        if date.fromisoformat(since) <= day
    }
    return members - ({"GB"} if day > LAST_DAY_OF_GB else set())


@cache
def tree() -> dict[str, dict[str, Any]]:
    """Return the declared commodities by key."""
    return tomllib.loads((CATALOGUE / "commodities.toml").read_text())


@cache
def above(commodity: str) -> tuple[str, ...]:
    """Return a commodity and its groups, nearest first."""
    found = [commodity]
    for each in found:
        entry = tree()[each]
        parents = [entry["parent"]] if "parent" in entry else []
        found += [one for one in parents + entry.get("groups", []) if one not in found]
    return tuple(found)


def is_below(commodity: str, other: str) -> bool:
    """Whether one commodity equals another or is below it."""
    return other in above(commodity)


@cache
def equivalent_bases() -> list[list[str]]:
    """Return declared bases that are equivalent."""
    declared = tomllib.loads((CATALOGUE / "bases.toml").read_text())
    return [entry["bases"] for entry in declared["equivalent"]]


def are_same_bases(one: str | None, other: str | None, commodity: str) -> bool:
    """Whether two bases are equivalent; a missing one matches no stated one."""
    if one is None or other is None:
        return one is other
    names = {one.lower(), other.lower()}
    word = tree()[commodity]["name"].lower()
    return len(names) == 1 or any(
        names <= {base.replace("{commodity}", word) for base in bases}
        for bases in equivalent_bases()
    )


def factor(unit: str, other: str) -> Fraction | None:
    """Return the conversion factor between units, or None without one."""
    if unit == other:
        return Fraction(1)
    if unit in TONNES and other in TONNES:
        return TONNES[unit] / TONNES[other]
    return None
