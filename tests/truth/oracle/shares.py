"""Shares in world figures: ranks, totals, residuals, groups."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from tests.truth.oracle.claims import Claim, Figure, ratio
from tests.truth.oracle.declared import GROUPS, countries_of, tree

NO_COUNTRIES = ("WORLD", "OTHER", "EU")
NO_PLACES = ("WORLD", "OTHER")
Product = tuple[str, str, str | None, str | None]
"""Commodity, statistic, stage and form."""


def product_of(figure: Figure) -> Product:
    """Return the product of a figure."""
    series = figure.claims[0].series
    return (series["commodity"], series["statistic"], series.get("stage"), series.get("form"))


def figures_for(
    figures: dict[str, Figure], commodity: str, statistic: str
) -> tuple[str, dict[str, Figure]]:
    """Return the figures for a commodity's statistic, own or filed elsewhere, and their commodity."""
    own = _filed_under(figures, commodity, statistic)
    filed = tree()[commodity].get("figures")
    if own or not filed:
        return commodity, own
    other = _filed_under(figures, filed["commodity"], statistic)
    stage = filed.get("stage")
    return filed["commodity"], {
        name: figure for name, figure in other.items() if stage in (None, product_of(figure)[2])
    }


def _filed_under(figures: dict[str, Figure], commodity: str, statistic: str) -> dict[str, Figure]:
    return {
        name: figure
        for name, figure in figures.items()
        if product_of(figure)[:2] == (commodity, statistic)
    }


def chosen_product(
    figures: dict[str, Figure], commodity: str, statistic: str, stage: str | None, form: str | None
) -> tuple[str | None, str | None, bool]:
    """Return the stage and form that a query means, and whether they are unique."""
    known = {
        product_of(figure)[2:]
        for figure in figures.values()
        if product_of(figure)[:2] == (commodity, statistic)
    }
    if stage is None:
        stages = {each for each, _ in known}
        stage = "mine" if "mine" in stages else next(iter(stages)) if len(stages) == 1 else None
        if stage is None and stages != {None}:
            return None, form, False
    if form is None:
        forms = {of for each, of in known if each == stage}
        if forms and None not in forms:
            if len(forms) > 1:
                return stage, None, False
            form = next(iter(forms))
    return stage, form, True


def total(numbers: Iterable[Fraction]) -> Fraction:
    """Return the sum."""
    return sum(numbers, Fraction(0))


@dataclass
class Distribution:
    """The figures of one product in one year, by place."""

    day: date
    figures: dict[str, Figure]
    """Figures by place."""
    stage: str | None = None
    form: str | None = None

    @property
    def world(self) -> Claim | None:
        """Return the preferred claim for the world."""
        return self.figures["WORLD"].chosen().claim if "WORLD" in self.figures else None

    def places(self) -> list[str]:
        """Return all places except the world."""
        return sorted(self.figures.keys() - {"WORLD"})

    def claim(self, place: str) -> Claim:
        """Return the preferred claim of a place."""
        return self.figures[place].chosen().claim

    def world_for(self, claim: Claim) -> Claim | None:
        """Return the world's claim in the edition of a claim, else the preferred one."""
        same = [
            one
            for one in (self.figures["WORLD"].claims if "WORLD" in self.figures else [])
            if one.origin == claim.origin
        ]
        return same[-1] if same else self.world

    def share(self, place: str) -> Fraction | None:
        """Return the share of a place in the world's figure."""
        world = self.world_for(self.claim(place))
        number = self.claim(place).in_terms_of(world) if world else None
        if world is None or not world.number or number is None or number < 0:
            return None
        return ratio(number, world.number)

    def shares(self) -> dict[str, Fraction]:
        """Return the known shares of countries, declared groups, other countries and unions."""
        found = {place: self.share(place) for place in self.places()}
        return {place: share for place, share in found.items() if share is not None}

    def country_shares(self) -> dict[str, Fraction]:
        """Return the shares of countries; a declared group counts as one."""
        return {p: share for p, share in self.shares().items() if p not in NO_COUNTRIES}

    def computed_from(self, place: str) -> set[int]:
        """Return the claims behind a share."""
        claim = self.claim(place)
        world = self.world_for(claim)
        assert world is not None
        return {claim.position, world.position}

    def mixed(self, positions: set[int]) -> bool:
        """Whether claims are of more than one edition or publisher."""
        return (
            len(
                {
                    claim.origin
                    for figure in self.figures.values()
                    for claim in figure.claims
                    if claim.position in positions
                }
            )
            > 1
        )

    def ranks(self) -> dict[str, int]:
        """Return the ranks of countries with a share above 0."""
        shares = self.country_shares()
        return {
            place: 1 + sum(other > share for other in shares.values())
            for place, share in shares.items()
            if share > 0
        }

    def concentration(self) -> dict[str, Any] | None:
        """Return the concentration of the world's figure."""
        shares = self.country_shares()
        if not shares:
            return None
        largest = sorted(shares.values(), reverse=True)[:3]
        positions = set[int]().union(*map(self.computed_from, shares))
        return {
            "hhi": sum((share * 100) ** 2 for share in shares.values()),
            "topThreeShare": sum(largest),
            "coveredShare": sum(shares.values()),
            "mixedEditions": self.mixed(positions),
            "computedFrom": positions,
        }

    def edition_of_world(self) -> dict[str, Claim]:
        """Return the claims in the edition of the world total, by place except the world and unions."""
        world = self.world
        return {
            place: claim
            for place, figure in self.figures.items()
            if place not in ("WORLD", "EU")
            for claim in figure.claims
            if world and claim.origin == world.origin
        }

    def residual(self) -> dict[str, Any] | None:
        """Return the world total minus the countries in its edition."""
        world = self.world
        if world is None or world.number is None:
            return None
        listed = self.edition_of_world()
        published = listed.pop("OTHER", None)
        numbers = {place: claim.in_terms_of(world) for place, claim in listed.items()}
        counted = {place: number for place, number in numbers.items() if number is not None}
        return {
            "value": world.number - sum(counted.values()),
            "unit": world.unit,
            "published": published.position if published else None,
            "includedPlaces": sorted(numbers.keys() - counted.keys()),
            "computedFrom": {world.position, *(listed[place].position for place in counted)},
        }

    def total(self) -> dict[str, Any] | None:
        """Return the published total with the sum of the places in its edition."""
        world = self.world
        if world is None or world.number is None:
            return self._sum_of_preferred()
        listed = self.edition_of_world()
        numbers = {place: claim.in_terms_of(world) for place, claim in listed.items()}
        counted = [number for number in numbers.values() if number is not None]
        found = sum(counted) if counted else None
        difference = None if found is None else world.number - found
        relative = ratio(difference, world.number) if difference is not None else None
        return {
            "method": "PUBLISHED",
            "value": world.number,
            "unit": world.unit,
            "published": world.position,
            "sumOfPlaces": found,
            "difference": difference,
            "relativeDifference": relative,
            "notSummed": sorted(place for place, number in numbers.items() if number is None),
        }

    def _sum_of_preferred(self) -> dict[str, Any] | None:
        """Return the sum of addable preferred claims without a published total.

        Returns None if as many can be added in another unit or basis.
        """
        claims = {place: self.claim(place) for place in self.places() if place != "EU"}
        sums = {}
        for measure in (claim for claim in claims.values() if claim.number is not None):
            numbers = {place: claim.in_terms_of(measure) for place, claim in claims.items()}
            sums[measure.unit, measure.basis] = {
                place: number for place, number in numbers.items() if number is not None
            }
        most = max((len(kept) for kept in sums.values()), default=0)
        best = [(kind, kept) for kind, kept in sums.items() if len(kept) == most and most]
        if len(best) != 1:
            return None
        [((unit, _), kept)] = best
        return {
            "method": "SUM_OF_PLACES",
            "value": total(kept.values()),
            "unit": unit,
            "difference": None,
            "notSummed": sorted(claims.keys() - kept.keys()),
        }

    def group(self, members: set[str], excluded: set[str] | None = None) -> dict[str, Any]:
        """Return the share of a group of countries, each counted once, or of all but the excluded ones."""
        if excluded is not None:
            members = self._all_but(excluded)
        shares = self.shares()
        named = self._named_beside_others()
        if "OTHER" in shares and excluded is not None and excluded <= self._covered(named):
            among = shares.keys() - named - {"OTHER"}
            inside = {place: share for place, share in shares.items() if place not in among}
            counted = [*self._counted(members, inside), "OTHER"]
        else:
            among = set()
            counted = self._counted(members, shares)
        missing = members - self._covered(counted) - self._covered(among)
        complete = not missing and bool(counted)
        share = sum(shares[place] for place in counted) if counted else None
        return {
            "members": sorted(members),
            "share": share,
            "complete": complete,
            "missing": sorted(missing),
            "figures": sorted(counted),
            "shareAtMost": share
            if complete and excluded is None
            else self._at_most(members, missing, shares, counted, excluded),
        }

    def _all_but(self, excluded: set[str]) -> set[str]:
        """Return all other countries with figures."""
        return self._covered(place for place in self.places() if place not in NO_PLACES) - excluded

    def _named_beside_others(self) -> set[str]:
        """Return the places that the edition of the figure for other countries names separately."""
        if "OTHER" not in self.figures:
            return set()
        edition = self.claim("OTHER").origin
        return {
            place
            for place, figure in self.figures.items()
            if place not in NO_PLACES and any(one.origin == edition for one in figure.claims)
        }

    def _covered(self, places: Iterable[str]) -> set[str]:
        """Return the countries in places."""
        return set[str]().union(*(countries_of(place, self.day) for place in places))

    def _counted(self, members: set[str], shares: dict[str, Fraction]) -> list[str]:
        """Return the counted figures; a group of countries counts if one of them has no share."""
        groups = [
            place
            for place in shares
            if (place in GROUPS or place == "EU")
            and self._covered([place]) <= members
            and not self._covered([place]) <= shares.keys()
        ]
        single = (members & shares.keys()) - self._covered(groups)
        return groups + sorted(single)

    def _at_most(
        self,
        members: set[str],
        missing: set[str],
        shares: dict[str, Fraction],
        counted: list[str],
        excluded: set[str] | None,
    ) -> Fraction | None:
        """Return the remainder after all others, if it exceeds zero for a member without a number."""
        countries = self._covered(p for p in self.places() if p not in NO_PLACES)
        outside = self._counted(countries - members if excluded is None else excluded, shares)
        if not shares.keys() - {"OTHER"}:
            return None
        known = total(shares[place] for place in {*counted, *outside, *({"OTHER"} & shares.keys())})
        if missing & self.figures.keys() and 1 - known <= self._hidden_by_rounding():
            return None
        least = total(shares[place] for place in counted)
        may_be_theirs = excluded is not None or not missing <= countries
        if "OTHER" in shares and "OTHER" not in counted and may_be_theirs:
            least += shares["OTHER"]
        return max(1 - total(shares[place] for place in outside), least)

    def _hidden_by_rounding(self) -> Fraction:
        """Return half of the last non-zero digit of a rounded total, as a share of it."""
        world = self.world
        if world is None or not world.quantity.get("rounded") or not world.number:
            return Fraction(0)
        step = Fraction(1)
        while (world.number / step).denominator > 1:
            step /= 10
        while (world.number / step / 10).denominator == 1:
            step *= 10
        return step / 2 / world.number


def distribution(
    figures: dict[str, Figure], day: date, product: Product, year: int | None
) -> Distribution:
    """Return the figures of a product in a year."""
    return Distribution(
        day,
        {
            figure.claims[0].series["place"]: figure
            for figure in figures.values()
            if product_of(figure) == product and figure.claims[0].series.get("period") == year
        },
        *product[2:],
    )
