"""Places: countries by their ISO 3166-1 code, and others that `places.toml` declares.

Aggregates are not countries (design rule 8): a world total is rounded, and "other countries" is a residual
whose members change from edition to edition.
"""

from __future__ import annotations

import gettext
import re
import unicodedata
from datetime import date
from difflib import get_close_matches
from functools import cache
from typing import Any

import pycountry

from tracker.domain.basics.toml_files import read_toml
from tracker.errors import InvalidInput

_DECLARED = read_toml(__file__)
AGGREGATES: dict[str, str] = _DECLARED["aggregates"]
SPECIAL: dict[str, str] = _DECLARED["special"]
FORMER: dict[str, tuple[str, date]] = {
    code: (state["name"], state["last_day"]) for code, state in _DECLARED["former"].items()
}
NAMES: dict[str, str] = _DECLARED["names"]
SPELLINGS: dict[str, str] = _DECLARED["spellings"]

LANGUAGES = ("de", "es", "fr", "id", "it", "ja", "ko", "nl", "pl", "pt", "ru", "zh_CN")
"""Languages whose names of countries are suggested in English."""
WORLD_TOTAL = re.compile(r"world,? total\b.*|total,? world\b.*")
OTHER_COUNTRIES = re.compile(r"other countries(?: \([^)]*\))?")


class Place(str):
    """An ISO 3166-1 alpha-2 code in capitals, or the code of a declared aggregate."""

    __slots__ = ()

    def __new__(cls, code: str) -> Place:
        if code not in _names():
            meant = _suggestion(code)
            raise InvalidInput(
                f"{code!r} is not a place"
                + (
                    f"; did you mean {str(meant)!r} ({meant.name})?"
                    if meant
                    else ": expected the name or the code of a country, such as Germany or DE, or one of "
                    f"{', '.join([*AGGREGATES, *SPECIAL])}"
                ),
                code="UNKNOWN_PLACE",
                suggestion=meant or "",
            )
        return super().__new__(cls, code)

    @property
    def name(self) -> str:
        """The English name."""
        return _names()[self]

    @property
    def alpha3(self) -> str | None:
        """The alpha-3 code of ISO 3166-1, or of ISO 3166-3 for a former state; None without one."""
        return getattr(_iso_countries().get(self), "alpha_3", None)

    @property
    def numeric(self) -> str | None:
        """The numeric code in three digits; None without one. Statistics of the UN use it as M49."""
        return getattr(_iso_countries().get(self), "numeric", None)

    @property
    def also(self) -> tuple[str, ...]:
        """Other names in publications, in lower case."""
        return tuple(name for name, code in SPELLINGS.items() if code == self)

    @property
    def last_day(self) -> date | None:
        """The last day of a former state; None for all others."""
        former = FORMER.get(self)
        return former[1] if former else None

    @property
    def is_aggregate(self) -> bool:
        """Whether this is a group of countries: a total, a residual, a union."""
        return str(self) in AGGREGATES

    @property
    def countries(self) -> tuple[Place, ...]:
        """The countries of a declared group that is neither a total, a residual nor a union: those of
        `US_CA`. None for all other places."""
        return tuple(map(Place, self.split("_"))) if self.is_aggregate and "_" in self else ()


def places() -> tuple[Place, ...]:
    """Return all places: countries and declared aggregates."""
    return tuple(Place(code) for code in sorted(_names()))


def find_place(text: str) -> Place | None:
    """Return the place that a publisher calls `text`, or None if the name is unknown."""
    name = normalize_name(text)
    if WORLD_TOTAL.fullmatch(name):
        return Place("WORLD")
    if OTHER_COUNTRIES.fullmatch(name):
        return Place("OTHER")
    code = _codes_by_name().get(name)
    return Place(code) if code else None


def place_of_text(text: str) -> Place | None:
    """Return the place of a code in any case, or of a name; None for other texts."""
    code = text.strip().upper()
    return Place(code) if code in _names() else find_place(text)


def normalize_name(text: str) -> str:
    """Return `text` without accents, capitals, extra spaces, curly quotes and serial commas."""
    plain = unicodedata.normalize("NFKD", text.replace("\u2019", "'").replace("\u2018", "'"))
    letters = "".join(char for char in plain if not unicodedata.combining(char))
    return " ".join(letters.casefold().replace(", and ", " and ").split())


def _suggestion(text: str) -> Place | None:
    """Return the place that an unknown code probably means: a code in capitals, a place by name, alpha-3 or
    numeric code, by its name in another language, by a region in it, or the nearest name."""
    name = normalize_name(text)
    if place := place_of_text(text) or _place_by_other_code(text.upper()):
        return place
    if code := _codes_by_foreign_name().get(name) or _countries_by_region().get(name):
        return Place(code)
    near = get_close_matches(name, _codes_by_name(), n=1, cutoff=0.8)
    return Place(_codes_by_name()[near[0]]) if near else None


def _place_by_other_code(code: str) -> Place | None:
    """Return the place of an alpha-3 or numeric code."""
    return next((place for place in places() if code in (place.alpha3, place.numeric)), None)


@cache
def _iso_countries() -> dict[str, Any]:
    """Return the ISO data of every place with a code of its own, by our code."""
    former = {c.alpha_4: c for c in pycountry.historic_countries if c.alpha_4 in FORMER}
    return {c.alpha_2: c for c in pycountry.countries} | former


@cache
def _codes_by_foreign_name() -> dict[str, str]:
    """Return the countries by their names in `LANGUAGES`, from the translations of ISO 3166-1."""
    translations = [
        gettext.translation("iso3166-1", pycountry.LOCALES_DIR, [language])
        for language in LANGUAGES
    ]
    return {
        normalize_name(translation.gettext(country.name)): country.alpha_2
        for translation in translations
        for country in pycountry.countries
    }


@cache
def _countries_by_region() -> dict[str, str]:
    """Return the countries by their regions of ISO 3166-2, without names that several countries share."""
    countries: dict[str, set[str]] = {}
    for region in pycountry.subdivisions:
        name = normalize_name(region.name.removesuffix(" Shi").removesuffix(" Sheng"))
        countries.setdefault(name, set()).add(region.country_code)
    return {name: min(codes) for name, codes in countries.items() if len(codes) == 1}


@cache
def _names() -> dict[str, str]:
    """Return the English name of every place, by code."""
    countries = {c.alpha_2: getattr(c, "common_name", c.name) for c in pycountry.countries}
    former = {code: name for code, (name, _) in FORMER.items()}
    return countries | NAMES | SPECIAL | former | AGGREGATES


@cache
def _codes_by_name() -> dict[str, str]:
    """Return codes by every known normalized name; declared spellings have precedence over ISO names."""
    formal = {normalize_name(c.name): c.alpha_2 for c in pycountry.countries}
    long = {
        normalize_name(c.official_name): c.alpha_2
        for c in pycountry.countries
        if hasattr(c, "official_name")
    }
    usual = {normalize_name(name): code for code, name in _names().items()}
    return long | formal | usual | SPELLINGS


ALLIANCE_ID = re.compile(r"[a-z0-9]+(?:[-_.][a-z0-9]+)*", re.ASCII)


class Actor(str):
    """An actor: a place (`US`) or, in lower case, an alliance (`quad`)."""

    __slots__ = ()

    def __new__(cls, text: str) -> Actor:
        if not ALLIANCE_ID.fullmatch(text):
            try:
                Place(text)
            except InvalidInput as error:
                raise InvalidInput(
                    f"{error.message}; an alliance has small letters, such as 'quad'",
                    code=error.code,
                ) from None
        return super().__new__(cls, text)
