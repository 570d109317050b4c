"""Parsers of words in spreadsheets: dates with their precision, places, commodities."""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

import pycountry

from tracker.domain.basics.text_rules import NUMBER, check_address
from tracker.domain.basics.values import PartialDate
from tracker.domain.catalogue.commodities import Commodity, find_commodity
from tracker.domain.catalogue.places import Place, find_place
from tracker.errors import InvalidInput

NUMERIC = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})", re.ASCII)
WITH_TIME = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}[T ].*")
DATE_FORMATS = (
    ("%d %B %Y", 10),
    ("%d %b %Y", 10),
    ("%B %d, %Y", 10),
    ("%b %d, %Y", 10),
    ("%B %d %Y", 10),
    ("%B %Y", 7),
    ("%b %Y", 7),
)
"""Formats of English dates, with the ISO format of their precision."""
SEPARATORS = re.compile(r"[;,|/]|\band\b")


def day(text: str, order: str | None) -> PartialDate:
    """Parse a day. `order` (dmy, mdy) is that of 3/12/2024. Raises InvalidInput."""
    if match := NUMERIC.fullmatch(text):
        return PartialDate(_numeric(text, match, order))
    for form, length in DATE_FORMATS if text.isascii() else ():
        try:
            return PartialDate(datetime.strptime(text, form).date().isoformat()[:length])
        except ValueError:
            continue
    return PartialDate(text[:10] if WITH_TIME.fullmatch(text) else text)


def _numeric(text: str, match: re.Match[str], order: str | None) -> str:
    first, second, year = int(match[1]), int(match[3]), match[4]
    if order is None and match[2] == ".":
        order = "dmy"
    if order is None and first != second:
        if first <= 12 and second <= 12:
            raise InvalidInput(
                f'{text!r} may be two days: say dates = "dmy" or "mdy" in the mapping',
                code="INVALID_DATE",
            )
        order = "dmy" if first > 12 else "mdy"
    month, of_month = (first, second) if order == "mdy" else (second, first)
    return f"{year}-{month:02}-{of_month:02}"


def place(text: str) -> Place:
    """Parse a place: a name, or an ISO code of 2 or 3 letters. Raises InvalidInput."""
    country = pycountry.countries.get(alpha_3=text) if len(text) == 3 else None
    return find_place(text) or Place(country.alpha_2 if country else text)


def places(text: str) -> tuple[Place, ...]:
    """Parse places separated by semicolons, commas or `and`. Raises InvalidInput."""
    return tuple(place(name) for name in _split(text))


def commodities(text: str) -> tuple[Commodity, ...]:
    """Parse commodities separated by semicolons, commas or `and`. Raises InvalidInput."""
    whole = find_commodity(text)
    if whole:
        return (whole,)
    return tuple(find_commodity(name) or Commodity(name) for name in _split(text))


def number(text: str) -> Decimal:
    """Parse a number with a decimal point; commas or spaces separate thousands. Raises InvalidInput."""
    if re.fullmatch(r"-?[0-9]{1,3}(?:[, ][0-9]{3})+(?:\.[0-9]+)?", text):
        text = re.sub("[, ]", "", text)
    if not NUMBER.fullmatch(text):
        raise InvalidInput(
            f"{text[:50]!r} is not a number: expected digits with a decimal point",
            code="INVALID_NUMBER",
        )
    return Decimal(text)


def year(text: str) -> int:
    """Parse a year of four digits; a workbook may write it as 2023.0. Raises InvalidInput."""
    if not re.fullmatch(r"[0-9]{4}(?:\.0+)?", text):
        raise InvalidInput(f"{text[:50]!r} is not a year: expected four digits")
    return int(text[:4])


def address(text: str) -> str:
    """Parse a web address. Raises InvalidInput."""
    check_address(text)
    return text


def plain_cell(text: str) -> str:
    """Return a cell in the format of manual input.

    A JSON list becomes its items, or their names, separated by semicolons; other text is unchanged.
    """
    if not text.startswith("["):
        return text
    try:
        items = json.loads(text)
    except ValueError:
        return text
    return "; ".join(_item(item) for item in items)


def _item(item: object) -> str:
    if isinstance(item, dict):
        item = item.get("name", item.get("title", json.dumps(item, ensure_ascii=False)))
    return " ".join(str(item).split())


def _split(text: str) -> Iterator[str]:
    return (name.strip() for name in SEPARATORS.split(text) if name.strip())
