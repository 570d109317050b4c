"""What a clause reaches in detail: items of goods, and places for which it is otherwise."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated

import msgspec

from tracker.domain.values import Commodity, Name, PartialDate, Place, Text, Value, check_order
from tracker.domain.vocabulary import Form
from tracker.domain.wording import check_not_negative
from tracker.errors import InvalidInput

HsCode = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}([0-9]{2}){0,3}\Z")]
"""A code of the Harmonized System, or of a tariff made from it: 4, 6, 8 or 10 digits, no dots."""


class Item(Value, frozen=True, kw_only=True):
    """Goods that a clause names, or exempts, more exactly than by a commodity.

    `code` is that of the act, such as `1C902.a`; `threshold` what it takes to be meant, in words,
    such as `purity of 99.99 % or more`. An item without a commodity is for all of the clause's.
    """

    name: Name
    code: Name | None = None
    hs: tuple[HsCode, ...] = ()
    threshold: Text | None = None
    forms: tuple[Form, ...] = ()
    commodity: Commodity | None = None


class PlaceException(Value, frozen=True, kw_only=True):
    """Places for which a clause does not apply, or with another rate: destinations of exports,
    origins of imports.

    For exports these are destinations, for imports origins. Without days it is so as long as the
    clause applies; `in_force_until` is inclusive.
    """

    places: tuple[Place, ...]
    exempt: bool = False
    rate_percent: Decimal | None = None
    in_force_from: PartialDate | None = None
    in_force_until: PartialDate | None = None
    note: Text | None = None

    def holds_on(self, day: date) -> bool:
        """Whether it is so on a day."""
        started = self.in_force_from is None or self.in_force_from.first <= day
        return started and (self.in_force_until is None or day <= self.in_force_until.last)

    def check_recordable(self) -> None:
        """It names places, and says one thing of them. Raises InvalidInput."""
        check_not_negative(self.rate_percent, "ratePercent")
        check_order(self.in_force_from, self.in_force_until, "inForceUntil")
        if not self.places:
            raise InvalidInput("expected at least one place", path=("places",))
        if self.exempt and self.rate_percent is not None:
            raise InvalidInput("expected no rate for places that are exempt", path=("ratePercent",))
