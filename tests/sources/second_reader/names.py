"""Names of commodities and places in the files, and their ids."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

import pycountry

COMMODITIES = Path(__file__).parents[3] / "tracker" / "domain" / "commodities.toml"

PUBLISHERS_NAMES = {
    "nitrogen (fixed)--ammonia": "ammonia",
    "nepheline syenite": "feldspar",
    "diamond (bort, grit, and dust and powder; natural and synthetic)": "industrial_diamond",
    "diamond (stones, natural and synthetic)": "industrial_diamond",
    "iron and steel slag": "slag",
    "graphite (natural)": "natural_graphite",
    "rare earth elements": "rare_earths",
    "garnet (industrial)": "garnet",
}
"""Names that the list of commodities does not have."""

NO_COMMODITY = {
    "argon",
    "granite only",
    "ground high-purity quartz",
    "industrial cultured quartz crystal",
    "quartz (high-purity and industrial cultured crystal)",
    "quartz crystal (industrial)",
    "neon, krypton, and xenon",
}
"""Substances that are no commodity of the tracker."""

PLACES = {
    "Bolivia": "BO",
    "Burma": "MM",
    "Congo (Kinshasa)": "CD",
    "Democratic Republic of Congo": "CD",
    "Korea, Republic of": "KR",
    "Republic of Korea": "KR",
    "Russia": "RU",
    "Taiwan": "TW",
    "The Bahamas": "BS",
    "Turkey": "TR",
    "Rest of world": "OTHER",
    "Total": "WORLD",
    "Czechia": "CZ",
    "Vietnam": "VN",
    "Tanzania": "TZ",
}
"""Places that ISO 3166-1 calls otherwise."""

BACI_PLACES = {"S19": "TW"}
"""Codes of BACI that are no ISO 3166-1 alpha-3."""


@cache
def _commodities() -> dict[str, str]:
    ids: dict[str, str] = {}
    for commodity, entry in tomllib.loads(COMMODITIES.read_text()).items():
        for name in (commodity, entry["name"], *entry.get("also", ())):
            ids[name.casefold()] = commodity
    return ids | PUBLISHERS_NAMES


def commodity_of(name: str) -> str | None:
    """Return the id of a commodity; None if the tracker has none for it."""
    name = name.strip().casefold()
    return None if name in NO_COMMODITY else _commodities()[name]


@cache
def place_of(name: str) -> str | None:
    """Return the code of a place by its name; None if it is no place, such as a list of several."""
    if name in PLACES:
        return PLACES[name]
    country = pycountry.countries.get(name=name) or pycountry.countries.get(common_name=name)
    return country.alpha_2 if country else None


@cache
def place_of_alpha3(code: str) -> str | None:
    """Return the code of a place by its code in BACI; None if it has none."""
    if code in BACI_PLACES:
        return BACI_PLACES[code]
    country = pycountry.countries.get(alpha_3=code)
    return country.alpha_2 if country else None
