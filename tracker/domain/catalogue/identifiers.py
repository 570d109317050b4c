"""Identifiers of commodities and places in Wikidata, declared in `identifiers.toml` beside this file."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

WIKIDATA = "http://www.wikidata.org/entity/"
"""Beginning of the addresses of entities in Wikidata."""


@cache
def _declared() -> Mapping[str, Mapping[str, str]]:
    text = files(__package__).joinpath("identifiers.toml").read_text("utf-8")
    declared: Mapping[str, Mapping[str, str]] = tomllib.loads(text)
    return declared


def wikidata_of_commodity(key: str) -> str | None:
    """Return the address of a commodity in Wikidata; None if it is not declared."""
    return _address("commodities", key)


def wikidata_of_place(code: str) -> str | None:
    """Return the address of a place in Wikidata; None if it is not declared."""
    return _address("places", code)


def _address(kind: str, key: str) -> str | None:
    id = _declared()[kind].get(key)
    return f"{WIKIDATA}{id}" if id else None
