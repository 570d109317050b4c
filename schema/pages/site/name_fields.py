"""Names in the parameters of pages: "Japan" and "JP", "Rare earths" and "rare_earths" mean the same. Pure."""

from __future__ import annotations

from tracker.domain.commodities import Commodity, commodities, find_commodity
from tracker.domain.places import Place, find_place, places

PLACES = frozenset({"actor", "destination", "issuer", "member", "origin", "place", "toward"})
"""Parameters with places; some of them also with alliances."""
COMMODITIES = frozenset({"commodity"})


def code_of(parameter: str, text: str) -> str:
    """Return the code for a name in a parameter; a text without a matching place or commodity is unchanged.

    A list with commas is read name by name, unless it is one name as a whole.
    """
    if parameter not in PLACES | COMMODITIES:
        return text
    codes = [_find(parameter, part) for part in (text, *text.split(","))]
    if codes[0]:
        return codes[0]
    parts = text.split(",")
    return ",".join(code or part for code, part in zip(codes[1:], parts, strict=True))


def _find(parameter: str, text: str) -> str | None:
    text = text.strip()
    if parameter in COMMODITIES:
        return find_commodity(text)
    return next((code for code in places() if code == text.upper()), None) or find_place(text)


def name_of(code: str) -> str:
    """Return the name of a place or commodity; a text that is no such code is unchanged."""
    names: dict[str, str] = {code: code.name for code in places()}
    names |= {key: key.name for key in commodities()}
    return ", ".join(names.get(part, part) for part in code.split(","))


def place_names() -> list[str]:
    """Return the names of all countries and unions, A to Z."""
    return sorted({Place(code).name for code in places()})


def commodity_names() -> list[str]:
    """Return the names of all commodities, A to Z."""
    return sorted({Commodity(key).name for key in commodities()})
