"""Rates of a tariff as they are printed, and their parts. Pure.

A compound rate stays compound: "14.8¢/kg on magnesium content + 3.5%" has an amount and a percentage, and
never one number.
"""

import re
from decimal import Decimal
from functools import lru_cache

from msgspec import Struct

FREE = "Free"
NUMBER = r"\d+(?:\.\d+)?"
PERCENT = re.compile(rf"(?P<percent>{NUMBER})%(?: on (?P<of>.+))?")
AMOUNT = re.compile(
    rf"(?:\$(?P<dollars>{NUMBER})|(?P<cents>{NUMBER})¢)"
    r"(?:/(?P<unit>[a-z0-9]+\.?)| (?P<each>each))(?: on (?P<content>.+?))?(?:, (?P<with>.+))?"
)
WITH_PROGRAMMES = re.compile(r"(?P<rate>[^()]+?)\s*\((?P<programmes>[^()]*)\)\s*")


class SpecificAmount(Struct, frozen=True):
    """An amount of a rate per unit, in US dollars."""

    dollars: Decimal
    """The amount in US dollars."""
    unit: str
    """The unit, as printed: `kg`, `t`, `each`, `doz.`."""
    content: str | None = None
    """The part of the goods that is weighed, such as `molybdenum content`; null for the goods."""
    including: str | None = None
    """A condition of the measure, such as `including weight of container`."""

    @property
    def text(self) -> str:
        """The amount in words: `14.8¢/kg on magnesium content`."""
        money = (
            f"{self.dollars * 100:f}".rstrip("0").rstrip(".") + "¢"
            if self.dollars < 1
            else f"${self.dollars:f}"
        )
        unit = " each" if self.unit == "each" else f"/{self.unit}"
        on = f" on {self.content}" if self.content else ""
        return f"{money}{unit}{on}{f', {self.including}' if self.including else ''}"


class TariffRate(Struct, frozen=True):
    """A rate as printed, with its parts."""

    text: str
    """The rate, as printed."""
    percent: Decimal | None = None
    """The part in percent; 0 if the rate is Free. Null if it has no percentage."""
    percent_of: str | None = None
    """The value that the percentage is of, if it is not that of the goods:
    `the value of the lead content`."""
    amounts: tuple[SpecificAmount, ...] = ()
    """The amounts per unit; empty if the rate has none."""
    words: str | None = None
    """A rate that is a sentence; null if it has parts."""

    @property
    def simple_percent(self) -> Decimal | None:
        """The rate in percent of the value of the goods; None if it has other parts too."""
        return None if self.amounts or self.percent_of else self.percent


class SpecialRate(Struct, frozen=True):
    """A rate for goods of trade programmes. A programme is claimed; an origin alone does not give it."""

    rate: TariffRate
    """The rate."""
    programmes: tuple[str, ...]
    """The symbols of the programmes, as printed: `AU`, `S`, `A*`."""


@lru_cache(maxsize=1024)
def tariff_rate(text: str) -> TariffRate:
    """Return a printed rate with its parts."""
    if text == FREE:
        return TariffRate(text, Decimal(0))
    percent, of, amounts = None, None, list[SpecificAmount]()
    for part in re.split(r"\s*\+\s*", text):
        if (match := PERCENT.fullmatch(part)) and percent is None:
            percent, of = Decimal(match["percent"]), match["of"]
        elif match := AMOUNT.fullmatch(part):
            dollars = Decimal(match["dollars"] or 0) or Decimal(match["cents"] or 0) / 100
            unit = match["unit"] or match["each"]
            amounts.append(SpecificAmount(dollars, unit, match["content"], match["with"]))
        else:
            return TariffRate(text, words=text)
    return TariffRate(text, percent, of, tuple(amounts))


@lru_cache(maxsize=1024)
def special_rates(text: str) -> tuple[SpecialRate, ...]:
    """Return the rates of a special column with their programmes: `Free (A+,AU) 3.1% (JP)` has two."""
    return tuple(
        SpecialRate(
            tariff_rate(match["rate"].strip()),
            tuple(one.strip() for one in match["programmes"].split(",")),
        )
        for match in WITH_PROGRAMMES.finditer(text)
    )
