"""Identifiers in Wikidata: of known commodities and places, well formed, each once."""

import re
import tomllib
from pathlib import Path

from tests.support.cases import each_case
from tracker.domain.catalogue import identifiers
from tracker.domain.catalogue.commodities import commodities
from tracker.domain.catalogue.identifiers import wikidata_of_commodity, wikidata_of_place
from tracker.domain.catalogue.places import FORMER, places

DECLARED = tomllib.loads(
    Path(identifiers.__file__).with_name("identifiers.toml").read_text(encoding="utf-8")
)


def test_every_identifier_is_well_formed_and_unique() -> None:
    ids = [id for kind in DECLARED.values() for id in kind.values()]
    assert [id for id in ids if not re.fullmatch(r"Q[1-9][0-9]*", id)] == []
    assert len(ids) == len(set(ids)) > 300


def test_every_key_is_declared() -> None:
    assert set(DECLARED) == {"commodities", "places"}
    assert DECLARED["commodities"].keys() <= set(map(str, commodities()))
    assert DECLARED["places"].keys() <= set(map(str, places()))
    assert not DECLARED["places"].keys() & FORMER.keys()


@each_case(
    ("key", "id"),
    [("lithium", "Q568"), ("tungsten", "Q743"), ("neodymium", "Q1388"), ("gold", "Q897")],
)
def test_elements_have_their_identifiers(key: str, id: str) -> None:
    assert wikidata_of_commodity(key) == f"http://www.wikidata.org/entity/{id}"


@each_case(
    ("code", "id"), [("US", "Q30"), ("CN", "Q148"), ("JP", "Q17"), ("DE", "Q183"), ("EU", "Q458")]
)
def test_places_have_their_identifiers(code: str, id: str) -> None:
    assert wikidata_of_place(code) == f"http://www.wikidata.org/entity/{id}"


def test_groups_and_residuals_have_none() -> None:
    assert wikidata_of_commodity("rare_earths") is None
    assert wikidata_of_place("WORLD") is None
    assert wikidata_of_place("SUHH") is None
