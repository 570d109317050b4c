"""Compared claims on a figure: preferred claim, spread and revisions."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from tests.truth.oracle.declared import above, are_same_bases, factor
from tests.truth.oracle.events import CountingEvent

NUMBERS = (None, "about", "nearly", "nil")
"""Qualifiers of a number that is not a bound."""


@dataclass(frozen=True)
class Claim:
    """One publisher's number for a series, in one edition."""

    event: CountingEvent

    @property
    def position(self) -> int:
        """Return the position of its event."""
        return self.event.position

    @property
    def series(self) -> dict[str, Any]:
        """Return its series."""
        found: dict[str, Any] = self.event.data["series"]
        return found

    @property
    def publisher(self) -> str:
        """Return its publisher."""
        return str(self.event.data["source"]["publisher"])

    @property
    def edition(self) -> tuple[str, str | None]:
        """Return its edition with version."""
        return self.event.data["edition"], self.event.data.get("editionVersion")

    @property
    def origin(self) -> tuple[str, str, str | None]:
        """Return its publisher and edition."""
        return self.publisher, *self.edition

    @property
    def unit(self) -> str:
        """Return its unit."""
        return str(self.quantity["unit"])

    @property
    def basis(self) -> str | None:
        """Return its basis, if the publisher states one."""
        return self.quantity.get("basis")

    @property
    def quantity(self) -> dict[str, Any]:
        """Return its number, unit, basis and qualifier."""
        found: dict[str, Any] = self.event.data["quantity"]
        return found

    @property
    def number(self) -> Fraction | None:
        """Return its number, if it has one that is not a bound."""
        if self.quantity.get("qualifier") not in NUMBERS:
            return None
        return self.stated

    @property
    def stated(self) -> Fraction | None:
        """Return its number, even a bound."""
        value = self.quantity.get("value")
        if value is None:
            return Fraction(0) if self.quantity.get("qualifier") == "nil" else None
        return Fraction(value)

    def in_terms_of(self, other: Claim) -> Fraction | None:
        """Return its number in the unit of another claim, or None if they cannot be compared."""
        times = factor(self.unit, other.unit)
        if self.number is None or times is None:
            return None
        if not are_same_bases(self.basis, other.basis, self.series["commodity"]):
            return None
        return self.number * times


@dataclass(frozen=True)
class Chosen:
    """The preferred claim, its rule, and the event of a judgement or an order."""

    claim: Claim
    rule: str
    event: int | None


@dataclass
class Figure:
    """The public claims on a series, oldest first, with its judgements."""

    key: str
    claims: list[Claim]
    judgements: list[CountingEvent]
    orders: dict[str, CountingEvent]
    """Publisher orders in force, by scope: `all`, `gallium`, `gallium/reserves`."""

    def latest(self) -> list[Claim]:
        """Return the latest claim of each publisher, in the order of their first claims."""
        return list({claim.publisher: claim for claim in self.claims}.values())

    def latest_of(self, publisher: str) -> Claim | None:
        """Return the latest claim of one publisher."""
        return {claim.publisher: claim for claim in self.claims}.get(publisher)

    def chosen(self) -> Chosen:
        """Return the choice of the first matching rule."""
        return self._judged() or self._ordered() or Chosen(self.latest()[0], "FIRST", None)

    def _judged(self) -> Chosen | None:
        for judgement in self.judgements[-1:]:
            told = judgement.data
            meant = [claim for claim in self.claims if claim.publisher == told["publisher"]]
            if edition := told.get("edition"):
                meant = [claim for claim in meant if claim.edition[0] == edition]
            if version := told.get("editionVersion"):
                meant = [claim for claim in meant if claim.edition[1] == version]
            if meant:
                return Chosen(meant[-1], "JUDGEMENT", judgement.position)
        return None

    def _ordered(self) -> Chosen | None:
        series = self.claims[0].series
        scopes = [
            scope
            for commodity in (*above(series["commodity"]), None)
            for scope in (_scope(commodity, series["statistic"]), _scope(commodity, None))
        ]
        for scope in scopes:
            order = self.orders.get(scope)
            for publisher in order.data["publishers"] if order else []:
                if (claim := self.latest_of(publisher)) and order:
                    return Chosen(claim, "ORDER", order.position)
        return None

    def side_by_side(self) -> dict[str, Any]:
        """Return the latest claims, those comparable with the preferred one, and their spread."""
        preferred = self.chosen().claim
        known = [claim for claim in self.latest() if claim.number is not None]
        measure = preferred if preferred.number is not None else next(iter(known), None)
        numbers = {
            claim.position: number
            for claim in self.latest()
            if measure and (number := claim.in_terms_of(measure)) is not None
        }
        return {
            "latest": [claim.position for claim in self.latest()],
            "spread": _spread(numbers, measure),
            "notComparable": [c.position for c in self.latest() if c.position not in numbers],
        }

    def revisions(self) -> list[dict[str, Any]]:
        """Return each claim with the publisher's previous claim."""
        before: dict[str, Claim] = {}
        found = []
        for claim in self.claims:
            earlier = before.get(claim.publisher)
            found.append({"position": claim.position, **_revision(claim, earlier)})
            before[claim.publisher] = claim
        return found


def ratio(part: Fraction, whole: Fraction) -> Fraction | None:
    """Return a ratio, or None if it is a thousand or more, which indicates a wrong unit."""
    return part / whole if whole and abs(part / whole) < 1000 else None


def _scope(commodity: str | None, statistic: str | None) -> str:
    return "/".join(filter(None, (commodity or "all", statistic)))


def _spread(numbers: dict[int, Fraction], measure: Claim | None) -> dict[str, Any] | None:
    if len(numbers) < 2 or measure is None:
        return None
    least, most = min(numbers.values()), max(numbers.values())
    return {
        "minimum": least,
        "maximum": most,
        "absolute": most - least,
        "relative": ratio(most - least, least),
        "unit": measure.unit,
        "claims": sorted(numbers),
    }


def _revision(claim: Claim, earlier: Claim | None) -> dict[str, Any]:
    was = earlier.in_terms_of(claim) if earlier and claim.number is not None else None
    change = claim.number - was if claim.number is not None and was is not None else None
    part = ratio(change, was) if change is not None and was else None
    return {
        "before": earlier.position if earlier else None,
        "change": change,
        "changePercent": None if part is None else part * 100,
        "unavailable": bool(earlier) and change is None,
    }


def figures(known: list[CountingEvent], day: Any) -> dict[str, Figure]:
    """Return the figures with a public claim on a day, by key."""
    public = [event for event in known if event.day <= day]
    orders = {
        event.entity.removeprefix("preference/"): event
        for event in public
        if event.type == "Preference.Ordered"
    }
    found: dict[str, Figure] = {}
    for event in public:
        if event.type == "Figure.Claimed":
            key = event.entity.removeprefix("figure/")
            figure = found.setdefault(key, Figure(key, [], [], orders))
            figure.claims.append(Claim(event))
    for event in public:
        if event.type == "Figure.Preferred" and (key := event.entity[7:]) in found:
            found[key].judgements.append(event)
    return found
