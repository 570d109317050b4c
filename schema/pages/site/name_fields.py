"""Names in the parameters of pages: "Japan" and "JP", "Metal" and "METAL" mean the same. Pure."""

from enum import StrEnum
from functools import cache

from tracker.domain.basics.control_vocabulary import Covers, Form
from tracker.domain.catalogue.commodities import commodities, find_commodity
from tracker.domain.catalogue.places import place_of_text, places
from tracker.domain.catalogue.publishers import publishers
from tracker.domain.wording.phrases import field_phrase, with_capital, word_phrase

PLACES = frozenset(
    {
        *("actor", "destination", "importer", "issuer", "member", "origin", "place", "toward"),
        *("codeOf", "exportCountry", "route"),
    }
)
"""Parameters with places; some of them also with alliances."""
COMMODITIES = frozenset({"commodity"})
WORDS: dict[str, type[StrEnum]] = {"form": Form, "covers": Covers}
"""Parameters with words of the API, in capitals there."""

FILTERS = {
    "hsCode": "HS code",
    "search": "words",
    "direction": "trade flow",
    "isFailing": "not readable",
    "from": "start date",
    "until": "end date",
    "valid": "effective date",
    "known": "date of the records",
}
"""Names of parameters in the chips of a list, if they differ from the fields of the API."""


def code_of(parameter: str, text: str) -> str:
    """Return the code for a name in a parameter; a text without a matching one is unchanged.

    A list with commas is read name by name, unless it is one name as a whole.
    """
    if parameter not in PLACES | COMMODITIES | WORDS.keys():
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
    if parameter in WORDS:
        return text.upper() if text.upper() in WORDS[parameter].__members__ else None
    return place_of_text(text)


def name_of(code: str) -> str:
    """Return the name of a place or commodity; a text that is no such code is unchanged."""
    names = _names()
    return ", ".join(names.get(part, part) for part in code.split(","))


def filter_phrase(parameter: str, text: str) -> str:
    """Return a filter of a list in words: `Issuer: China`."""
    called = name_of(text)
    if parameter == "publisher" and text in publishers():
        called = publishers()[text].name
    elif called == text:
        called = {"true": "yes", "false": "no"}.get(text) or (
            word_phrase(text) if text.isupper() else text
        )
    return f"{parameter_label(parameter)}: {called}"


def parameter_label(parameter: str) -> str:
    """Return the name of a parameter for readers: `HS code`."""
    return with_capital(FILTERS.get(parameter) or field_phrase(parameter))


def place_names() -> list[str]:
    """Return the names of all countries and unions, A to Z."""
    return sorted({*_place_names().values()})


def commodity_names() -> list[str]:
    """Return the names of all commodities, A to Z."""
    return sorted({*_commodity_names().values()})


@cache
def _place_names() -> dict[str, str]:
    return {str(code): code.name for code in places()}


@cache
def _commodity_names() -> dict[str, str]:
    return {str(key): key.name for key in commodities()}


@cache
def _names() -> dict[str, str]:
    return _place_names() | _commodity_names()
