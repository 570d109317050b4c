"""Restricting countries: clauses by issuer, on the map and as a table. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from schema.pages.charts.status_marks import doubts, unsupported
from schema.pages.charts.world_map import COUNTS, PlaceValue
from schema.pages.site.address import Address, path_of
from tracker.domain.basics.control_vocabulary import ClauseStatus
from tracker.domain.basics.word import Phase
from tracker.domain.wording.phrases import many, with_article, with_capital

NONE_CONFIRMED = "none confirmed: by their own terms, suspended, announced, not law or over"
"""Legend of a hatched place."""
COLUMNS: Mapping[str, Sequence[str]] = {
    "in force": ("IN_FORCE",),
    "suspended": ("SUSPENDED",),
    "announced": ("ANNOUNCED",),
    "not law": [one.name for one in ClauseStatus if one.phase is Phase.NOT_LAW],
    "over": [one.name for one in ClauseStatus if one.has_ended],
}
"""Statuses of clauses by column of the table."""


@dataclass
class Issuer:
    """A place with the clauses that it issued, by status, and those of its unions."""

    code: str
    name: str
    own: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    through: dict[str, dict[str, int]] = field(default_factory=dict)
    """Clauses by status, by the name of a union."""
    support: Counter[str] = field(default_factory=Counter)
    """Its own clauses in force, by confirmation."""
    support_through: Counter[str] = field(default_factory=Counter)
    """Clauses in force of its unions, by confirmation."""

    def count(self, column: str) -> int:
        """Return the number of its own clauses in a column of the table."""
        return sum(self.own.get(status, 0) for status in COLUMNS[column])

    @property
    def cells(self) -> list[int]:
        """Return the numbers of its own clauses, by column."""
        return [self.count(column) for column in COLUMNS]

    @property
    def in_force(self) -> int:
        """Return the number of clauses in force, including those of its unions."""
        return self.count("in force") + sum(of.get("IN_FORCE", 0) for of in self.through.values())

    @property
    def doubts(self) -> str:
        """Return the numbers of its own clauses that are not confirmed on the date, in words."""
        return doubts(self.support)

    @property
    def is_confirmed(self) -> bool:
        """Return whether a record supports a clause in force in it."""
        return self.in_force > unsupported(self.support + self.support_through)

    @property
    def title(self) -> str:
        """Return its text on the map."""
        unions = [
            f"{of['IN_FORCE']:,} as a member of the {union}"
            for union, of in self.through.items()
            if of.get("IN_FORCE")
        ]
        if not self.in_force:
            others = [
                f"{self.count(column):,} {column}"
                for column in list(COLUMNS)[1:]
                if self.count(column)
            ]
            return f"{self.name}: none in force; {', '.join(others)}"
        words = f"{self.name}: {many(self.in_force, 'clause')} in force"
        if unions and not self.count("in force"):
            words += f" as a member of the {' and the '.join(self.through)}"
        elif unions:
            words += f", {', '.join(unions)}"
        return ", of these ".join(
            filter(None, (words, doubts(self.support + self.support_through)))
        )


def issuers(rows: Iterable[Mapping[str, Any]], unions: Iterable[Mapping[str, Any]]) -> list[Issuer]:
    """Return the places of groups of clauses by issuer and status, those with most in force first.

    A member of a union also has the clauses of the union.
    """
    by_code: dict[str, Issuer] = {}
    for row in rows:
        place = row["issuer"]
        issuer = by_code.setdefault(place["code"], Issuer(place["code"], place["name"]))
        issuer.own[row["status"]] += row["clauses"]
        if row["status"] == "IN_FORCE":
            issuer.support[row["confirmation"]] += row["clauses"]
    for union in unions:
        of = by_code.get(union["place"]["code"])
        for member in union["members"] if of and of.own.get("IN_FORCE") else ():
            one = by_code.setdefault(member["code"], Issuer(member["code"], member["name"]))
            if of:
                one.through[union["place"]["name"]] = dict(of.own)
                one.support_through += of.support
    return sorted(by_code.values(), key=lambda one: (-one.in_force, one.name))


def most_clauses(everyone: Sequence[Issuer], on: str = "") -> str:
    """Return the issuer of most clauses in force as the title of a map."""
    counts = {one.name: one.own.get("IN_FORCE", 0) for one in everyone}
    if not any(counts.values()):
        return f"No clause in force{on} is recorded"
    first = max(counts, key=lambda name: counts[name])
    return (
        f"{with_capital(with_article(first))} issued {counts[first]:,} of {sum(counts.values()):,} clauses"
        f" recorded as in force{on}"
    )


def map_values(by_issuer: Iterable[Issuer], address: Address) -> dict[str, PlaceValue]:
    """Return the places on the map: by the number in force, hatched if none of these is confirmed."""
    return {
        one.code: PlaceValue(
            one.name,
            one.title,
            COUNTS.step(one.in_force) if one.is_confirmed else None,
            address.link(path_of("places", one.code)),
        )
        for one in by_issuer
        if one.code != "EU"
    }
