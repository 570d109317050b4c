"""Scope of a clause in detail: items of goods, and places with exceptions."""

import re
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Annotated

import msgspec

from tracker.domain.basics.control_vocabulary import Form
from tracker.domain.basics.text_rules import check_not_negative
from tracker.domain.basics.values import Name, PartialDate, Quantity, Text, Value, check_order
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.catalogue.places import Place
from tracker.errors import InvalidInput

HsCode = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}([0-9]{2}){0,3}\Z")]
"""A code of the Harmonized System, or of a tariff based on it: 4, 6, 8 or 10 digits, no dots."""

FINAL_ZEROS = re.compile(r"(?<=^\d{6})(00)+$|(?<=^\d{8})00$")


class Item(Value, frozen=True, kw_only=True):
    """Goods that a clause names, or exempts, more precisely than by a commodity."""

    name: Name
    """Their description, such as `spherical graphite`."""
    code: Name | None = None
    """Their code in the act, such as `1C902.a`."""
    hs: tuple[HsCode, ...] = ()
    """Their codes of the Harmonized System or of a tariff: 4, 6, 8 or 10 digits without dots."""
    threshold: Text | None = None
    """The threshold from which they are covered, in words, such as `purity of 99.99 % or more`."""
    forms: tuple[Form, ...] = ()
    """Their forms; empty: those of the clause."""
    commodity: Commodity | None = None
    """Their commodity; null: any of the clause."""

    @property
    def codes(self) -> tuple[str, ...]:
        """Their codes; a line that is the whole of its subheading has the code of the subheading."""
        return _without_final_zeros(self.hs)


@lru_cache(maxsize=10_000)
def _without_final_zeros(codes: tuple[str, ...]) -> tuple[str, ...]:
    """Return codes without the zeros that national tariffs add to a code that they do not divide."""
    return tuple(FINAL_ZEROS.sub("", code) for code in codes)


class FirmRate(Value, frozen=True, kw_only=True):
    """The rate of a tariff for goods of some makers, if the invoice has the declaration that the act
    requires. Goods of all others have the upper rate of the clause."""

    firms: tuple[Name, ...] = ()
    """The makers; empty: makers that the act names in a list that is not recorded."""
    code: Name | None = None
    """Their additional code in the tariff, such as `A971`."""
    rate_percent: Decimal
    """The rate in percent of the value."""

    def check_recordable(self) -> None:
        """Check that the rate is not negative. Raises InvalidInput."""
        check_not_negative(self.rate_percent, "ratePercent")


class PlaceQuota(Value, frozen=True, kw_only=True):
    """The part of a quota for some places and a period, such as a quarter."""

    places: tuple[Place, ...] = ()
    """The places of origin of imports, or destinations of exports; empty: all that have no own part in the
    period."""
    code: Name | None = None
    """Its number in the act, such as `09.8810`."""
    quota: Quantity
    """The amount."""
    in_force_from: PartialDate
    """The first day of its period."""
    in_force_until: PartialDate
    """The last day of its period, inclusive."""

    def check_recordable(self) -> None:
        """Check that the amount is not negative and the period is in order. Raises InvalidInput."""
        try:
            self.quota.check_not_negative()
        except InvalidInput as error:
            raise error.below("quota") from None
        check_order(self.in_force_from, self.in_force_until, "inForceUntil")

    def is_open_on(self, day: date) -> bool:
        """Return whether its period contains a day."""
        return self.in_force_from.first <= day <= self.in_force_until.last


class PlaceException(Value, frozen=True, kw_only=True):
    """Places for which a clause does not apply, or applies with another rate: destinations of exports,
    origins of imports."""

    places: tuple[Place, ...]
    """The places: destinations of exports, origins of imports."""
    exempt: bool = False
    """Whether the clause does not apply to them."""
    rate_percent: Decimal | None = None
    """The rate that applies to them instead."""
    in_force_from: PartialDate | None = None
    """The first day of the exception; null: as long as the clause applies."""
    in_force_until: PartialDate | None = None
    """The last day, inclusive; null: as long as the clause applies."""
    note: Text | None = None
    """Remarks, such as a condition of the exception."""

    def holds_on(self, day: date) -> bool:
        """Return whether the exception applies on a day."""
        started = self.in_force_from is None or self.in_force_from.first <= day
        return started and (self.in_force_until is None or day <= self.in_force_until.last)

    def check_recordable(self) -> None:
        """Check that it names places and has one effect. Raises InvalidInput."""
        check_not_negative(self.rate_percent, "ratePercent")
        check_order(self.in_force_from, self.in_force_until, "inForceUntil")
        if not self.places:
            raise InvalidInput("expected at least one place", path=("places",))
        if self.exempt and self.rate_percent is not None:
            raise InvalidInput("expected no rate for places that are exempt", path=("ratePercent",))
