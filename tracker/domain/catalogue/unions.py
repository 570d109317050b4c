"""Unions of countries that act as one, and their members on a day.

A statement about a union applies to its members: a duty on goods from the European Union applies to goods
from Germany. Aggregates for which publishers give one figure (`US_CA`) are not unions.
"""

from datetime import date
from functools import lru_cache

from msgspec import Struct

from tracker.domain.catalogue.places import Place


class Membership(Struct, frozen=True):
    """A country is in a union from `since` to `until`, both inclusive; without `until` it still is."""

    union: Place
    member: Place
    since: date
    until: date | None = None

    def holds_on(self, day: date) -> bool:
        """Return whether the country is in the union on a day."""
        return self.since <= day and (self.until is None or day <= self.until)


EU = Place("EU")
"""The European Union and its predecessor communities, which had the same members."""

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
"""The countries of the European Union, by the day of their accession (eur-lex.europa.eu)."""

LAST_DAYS = {Place("GB"): date(2020, 1, 31)}
"""The last day of an ended membership.

The law of the Union continued to apply in the United Kingdom until the end of 2020, but it was not a member
then.
"""

MEMBERSHIPS = tuple(
    Membership(EU, Place(code), date.fromisoformat(since), LAST_DAYS.get(Place(code)))
    for since, codes in ACCESSIONS.items()
    for code in codes.split()
)


def unions() -> tuple[Place, ...]:
    """Return all unions, by code."""
    return tuple(sorted({one.union for one in MEMBERSHIPS}))


@lru_cache(maxsize=1024)
def unions_of(place: Place, day: date) -> tuple[Place, ...]:
    """Return the unions that a country is in on a day."""
    return tuple(one.union for one in MEMBERSHIPS if one.member == place and one.holds_on(day))


@lru_cache(maxsize=1024)
def members_of(union: Place, day: date) -> frozenset[Place]:
    """Return the members of a union on a day; empty for a place that is not a union."""
    return frozenset(one.member for one in MEMBERSHIPS if one.union == union and one.holds_on(day))
