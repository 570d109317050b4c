"""Names of commodities and places in the files, and their ids."""

import tomllib
from functools import cache
from pathlib import Path

import pycountry

COMMODITIES = Path(__file__).parents[3] / "tracker" / "domain" / "catalogue" / "commodities.toml"

PUBLISHERS_NAMES = {
    **{"nitrogen (fixed)--ammonia": "ammonia", "nepheline syenite": "feldspar"},
    "diamond (bort, grit, and dust and powder; natural and synthetic)": "industrial_diamond",
    "diamond (stones, natural and synthetic)": "industrial_diamond",
    **{"quartz crystal (industrial)": "quartz", "granite only": "dimension_stone"},
    **{"neon, krypton, and xenon": "rare_gases", "graphite (natural)": "graphite"},
}
"""Names that the list of commodities does not have, or has for another than figures of mines are filed
under (graphite)."""

PLACES = {
    **{"Congo (Kinshasa)": "CD", "Democratic Republic of Congo": "CD", "Republic of Korea": "KR"},
    **{"Russia": "RU", "The Bahamas": "BS", "Turkey": "TR", "S19": "TW"},
    **{"Rest of world": "OTHER", "Total": "WORLD"},
}
"""Places that ISO 3166-1 does not call so; `S19` is a code of BACI."""


@cache
def _commodities() -> dict[str, str]:
    ids = {}
    for commodity, entry in tomllib.loads(COMMODITIES.read_text()).items():
        for name in (commodity, entry["name"], *entry.get("also", ())):
            ids[name.casefold()] = commodity
    return ids | PUBLISHERS_NAMES


def commodity_of(name: str) -> str:
    """Return the id of a commodity."""
    return _commodities()[name.strip().casefold()]


@cache
def place_of(name: str) -> str | None:
    """Return the code of a place by its name or code; None for others, such as a list of several."""
    try:
        return PLACES.get(name) or str(pycountry.countries.lookup(name).alpha_2)
    except LookupError:
        return None
