"""Units of measure, with declared conversion factors."""

from __future__ import annotations

from decimal import Decimal
from functools import cache

import pycountry

from tracker.errors import InvalidInput

TONNES_PER_UNIT = {
    "g": Decimal("0.000001"),
    "ozt": Decimal("0.0000311034768"),
    "lb": Decimal("0.00045359237"),
    "kg": Decimal("0.001"),
    "st": Decimal("0.90718474"),
    "t": Decimal(1),
    "kt": Decimal(1000),
    "Mt": Decimal(1_000_000),
}
"""Mass units in tonnes (ozt: troy ounces; lb: pounds; st: short tons)."""

INCOMPARABLE_UNITS = frozenset({"percent", "years", "count", "ct", "kct", "Mct", "m3", "Mm3", "ML"})
"""Units that compare only with themselves (ct: carats; m3: cubic metres; ML: million litres)."""

PRICED_PER = frozenset({*TONNES_PER_UNIT, "mtu", "ct", "m3", "L"})
"""Units that prices are stated for (mtu: metric ton units, 10 kg of the substance that the basis names;
L: litres)."""


class Unit(str):
    """A declared unit: mass, one of `INCOMPARABLE_UNITS`, or the ISO 4217 code of a currency, optionally
    per unit as for prices and duties: `USD/kg`, `EUR/t`, `USD/mtu`."""

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
        (currency, _, mass), (other, _, per) = self.partition("/"), to.partition("/")
        if currency == other and mass in TONNES_PER_UNIT and per in TONNES_PER_UNIT:
            return value * TONNES_PER_UNIT[per] / TONNES_PER_UNIT[mass]
        return None


@cache
def _is_known(text: str) -> bool:
    if text in TONNES_PER_UNIT or text in INCOMPARABLE_UNITS:
        return True
    currency, per, mass = text.partition("/")
    return _is_currency(currency) and (not per or mass in PRICED_PER)


def _is_currency(text: str) -> bool:
    return len(text) == 3 and text.isupper() and bool(pycountry.currencies.get(alpha_3=text))
