"""Units of measure, with declared conversion factors."""

from __future__ import annotations

from decimal import Decimal
from functools import cache

import pycountry

from tracker.errors import InvalidInput

TONNES_PER_UNIT = {
    "kg": Decimal("0.001"),
    "t": Decimal(1),
    "kt": Decimal(1000),
    "Mt": Decimal(1_000_000),
}
"""Mass units in tonnes."""

INCOMPARABLE_UNITS = frozenset({"percent", "years", "count", "ct", "kct", "Mct", "m3", "Mm3", "ML"})
"""Units that compare only with themselves (ct: carats; m3: cubic metres; ML: million litres)."""


class Unit(str):
    """A declared unit: mass, one of `INCOMPARABLE_UNITS`, or the ISO 4217 code of a currency, optionally
    per mass as for prices and duties: `USD/kg`, `EUR/t`."""

    __slots__ = ()

    def __new__(cls, text: str) -> Unit:
        if not _is_known(text):
            units = ", ".join([*TONNES_PER_UNIT, *sorted(INCOMPARABLE_UNITS)])
            raise InvalidInput(
                f"{text!r} is not a unit: expected one of {units} or a currency code, alone or for a"
                " mass as in USD/t",
                code="UNKNOWN_UNIT",
            )
        return super().__new__(cls, text)

    def convert(self, value: Decimal, to: Unit) -> Decimal | None:
        """Convert `value` to unit `to`; return None if no factor is declared."""
        if self == to:
            return value
        if self in TONNES_PER_UNIT and to in TONNES_PER_UNIT:
            return value * TONNES_PER_UNIT[self] / TONNES_PER_UNIT[to]
        return None


@cache
def _is_known(text: str) -> bool:
    if text in TONNES_PER_UNIT or text in INCOMPARABLE_UNITS:
        return True
    currency, per, mass = text.partition("/")
    return _is_currency(currency) and (not per or mass in TONNES_PER_UNIT)


def _is_currency(text: str) -> bool:
    return len(text) == 3 and text.isupper() and bool(pycountry.currencies.get(alpha_3=text))
