"""Commodities: the tree, its names, and its Harmonized System codes."""

import csv
import json
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support.cases import each_case
from tracker.domain.catalogue.commodities import (
    Commodity,
    ancestors,
    commodities,
    commodities_with_code,
    descendants,
    find_commodity,
    goods_with_code,
)
from tracker.domain.catalogue.harmonized_system import forms_of_code
from tracker.errors import InvalidInput

SHARED = Path(__file__).parents[2].parent / "shared"
DATA = SHARED / "data"
needs_data = pytest.mark.skipif(not DATA.exists(), reason="../shared/data is not here")

ELEMENTS = {
    "scandium",
    "yttrium",
    "lanthanum",
    "cerium",
    "praseodymium",
    "neodymium",
    "samarium",
    "europium",
    "gadolinium",
    "terbium",
    "dysprosium",
    "holmium",
    "erbium",
    "thulium",
    "ytterbium",
    "lutetium",
}


def below(id: str) -> set[str]:
    return {str(c) for c in descendants(Commodity(id))}


def test_a_commodity_has_a_name_a_parent_and_codes() -> None:
    gallium = Commodity("gallium")
    assert gallium.name == "Gallium"
    assert gallium.parent == "critical_minerals"
    assert gallium.hs_codes == ("811292", "811299")


def test_roots_have_no_parent() -> None:
    roots = {str(c) for c in commodities() if c.parent is None}
    assert roots == {
        "all_goods",
        "critical_minerals",
        "minerals",
        "dual_use_items",
        "superhard_materials",
        "lithium_batteries",
        "battery_materials",
        "permanent_magnets",
        "ferroalloys",
        "precious_metal_scrap",
    }


@each_case("text", ["", "Gallium", "rare earths", "unobtainium"])
def test_a_value_that_is_not_an_id_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="is not a commodity: expected a key") as caught:
        Commodity(text)
    assert caught.value.code == "UNKNOWN_COMMODITY"


@each_case(
    ("text", "hint"),
    [("galium", "gallium"), ("Rare Earth", "rare_earths"), ("aluminum", "aluminium")],
)
def test_a_refusal_suggests_the_id_that_was_meant(text: str, hint: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Commodity(text)
    assert f"did you mean {hint!r}?" in caught.value.message


def test_every_parent_is_declared_and_nothing_stands_above_itself() -> None:
    for commodity in commodities():
        assert commodity not in ancestors(commodity)


def test_a_question_about_rare_earths_includes_every_element() -> None:
    groups = {"rare_earths", "light_rare_earths", "heavy_rare_earths", "medium_heavy_rare_earths"}
    assert below("rare_earths") == ELEMENTS | groups | {"magnet_scrap"}


def test_dysprosium_is_a_heavy_and_neodymium_a_light_rare_earth() -> None:
    assert ancestors(Commodity("dysprosium")) == (
        "heavy_rare_earths",
        "medium_heavy_rare_earths",
        "rare_earths",
        "critical_minerals",
    )
    assert "neodymium" in below("light_rare_earths")


def test_scandium_is_a_rare_earth_but_neither_light_nor_heavy() -> None:
    assert Commodity("scandium").parent == "rare_earths"


def test_medium_and_heavy_rare_earths_are_the_heavy_ones_and_samarium() -> None:
    assert below("medium_heavy_rare_earths") == below("heavy_rare_earths") | {
        "medium_heavy_rare_earths",
        "samarium",
    }
    assert Commodity("samarium").parent == "light_rare_earths"
    assert Commodity("samarium").groups == ("medium_heavy_rare_earths",)


def test_groups_of_a_commodity_begin_with_the_narrowest() -> None:
    assert ancestors(Commodity("coltan")) == ("tantalum", "niobium", "critical_minerals")


def test_ferro_alloys_include_those_of_every_metal() -> None:
    assert below("ferroalloys") >= {"ferromanganese", "ferrochromium", "ferronickel"}
    assert "ferronickel" in below("nickel")


def test_magnets_are_not_rare_earths() -> None:
    assert below("permanent_magnets") == {
        "permanent_magnets",
        "neodymium_magnets",
        "samarium_cobalt_magnets",
    }
    assert below("rare_earths").isdisjoint(below("permanent_magnets"))


@each_case(
    ("code", "goods"),
    [
        ("2604", {"nickel": {"ore", "concentrate"}}),
        ("750110", {"nickel_matte": {"intermediate"}}),
        ("7404", {"copper_scrap": {"scrap"}}),
        ("74040010", {"copper_scrap": {"scrap"}}),
        ("740311", {"refined_copper": {"metal", "alloy"}}),
        ("2603", {"copper": {"ore", "concentrate"}}),
        ("260600", {"bauxite": {"ore", "concentrate"}}),
        ("7601", {"aluminium": {"metal", "alloy"}}),
        ("2704", {"coke": set()}),
        ("284420", {"enriched_uranium": {"compound", "metal"}}),
        ("280461", {"polysilicon": {"metal"}}),
        ("8101", {"tungsten": {"metal", "alloy", "scrap", "article"}, "tungsten_scrap": {"scrap"}}),
        ("850511", {"neodymium_magnets": {"magnet"}, "samarium_cobalt_magnets": {"magnet"}}),
        ("282590", {"gallium_oxide": {"oxide"}, "tungsten_oxide": {"oxide"}}),
        ("010121", {}),
    ],
)
def test_a_code_means_the_narrowest_goods_and_their_forms(
    code: str, goods: dict[str, set[str]]
) -> None:
    assert goods_with_code(code) == goods


def test_a_code_of_rare_earth_metals_means_each_of_them_and_no_magnets() -> None:
    found = goods_with_code("280530")
    assert found == {key: {"metal"} for key in ELEMENTS}


def test_a_code_finds_what_has_it_and_groups_without_codes_of_their_own() -> None:
    assert commodities_with_code("250410") >= {"natural_graphite", "graphite"}
    assert commodities_with_code("280530") == {
        *map(Commodity, ELEMENTS),
        "rare_earths",
        "light_rare_earths",
        "heavy_rare_earths",
        "medium_heavy_rare_earths",
    }


def test_codes_and_forms_of_a_commodity_agree() -> None:
    for commodity in commodities():
        for code in commodity.hs_codes:
            ours, theirs = set(commodity.forms), forms_of_code(code)
            assert not ours or not theirs or ours & theirs, (commodity, code)


def test_a_leaf_has_only_itself_below_it() -> None:
    assert below("palladium") == {"palladium"}


def test_bauxite_and_alumina_belong_to_aluminium() -> None:
    assert below("aluminium") == {
        "aluminium",
        "bauxite",
        "alumina",
        "aluminium_scrap",
        "aluminium_articles",
    }


@each_case(
    ("text", "id"),
    [
        ("Gemanium", "germanium"),
        ("Aluminum", "aluminium"),
        ("Barite  ", "barite"),
        ("Platinum-Group metals", "platinum_group_metals"),
        ("Rare earths", "rare_earths"),
        ("Graphite (Natural)", "natural_graphite"),
        ("Titanium & titanium dioxide", "titanium"),
        ("Niobium (Columbium)", "niobium"),
        ("Fuller\u2019s earth", "fullers_earth"),
        ("Nitrogen (Fixed)—Ammonia", "ammonia"),
        ("Zirconium and Hafnium", "zirconium"),
        ("Cesium", "caesium"),
        ("Magnesium Compounds", "magnesite"),
        ("tungsten", "tungsten"),
        ("rare_earths", "rare_earths"),
        ("Spodumene concentrate", "lithium_concentrate"),
        ("copper cathode", "refined_copper"),
        ("Ferro-manganese", "ferromanganese"),
        ("Yellow phosphorus", "phosphorus"),
    ],
)
def test_publishers_names_are_understood(text: str, id: str) -> None:
    assert find_commodity(text) == id


def test_unknown_names_are_not_guessed() -> None:
    assert find_commodity("Kryptonite") is None


def test_every_commodity_is_found_by_its_id_and_its_name() -> None:
    for commodity in commodities():
        assert find_commodity(commodity) == commodity
        assert find_commodity(commodity.name) == commodity


def test_every_name_means_one_commodity() -> None:
    names = [name for c in commodities() for name in (c.name.casefold(), *c.also)]
    assert len(set(names)) == len(names)


def test_hs_codes_have_four_or_six_digits_and_stand_once() -> None:
    for commodity in commodities():
        codes = commodity.hs_codes
        assert all(code.isdigit() and len(code) in (4, 6) for code in codes), commodity
        assert len(set(codes)) == len(codes), commodity
        assert not any(b.startswith(a) for a, b in pairwise(sorted(codes))), commodity


@needs_data
def test_every_hs_code_exists_in_the_harmonized_system() -> None:
    with (DATA / "raw/hs/harmonized-system.csv").open(encoding="utf-8") as file:
        declared = {row["hscode"] for row in csv.DictReader(file)}
    used = {code for commodity in commodities() for code in commodity.hs_codes}
    assert used <= declared


NOT_TAKEN = {"284590"}
"""Codes left out: isotopes other than of lithium, boron, helium and hydrogen; lithium has 284530."""
FORMER = {"810510", "740110", "740120", "740323", "252700", "253040"}
"""Codes of earlier versions of the Harmonized System."""


@needs_data
def test_the_tree_covers_the_wto_grouping_of_hs_codes() -> None:
    grouping = json.loads((DATA / "raw/hs/critical_minerals_hs6.json").read_text("utf-8"))
    for name, codes in grouping.items():
        commodity = find_commodity(name)
        assert commodity is not None, name
        ours = tuple(h for c in descendants(commodity) for h in c.hs_codes)
        missing = {code for code in codes if not code.startswith(ours)}
        assert missing <= NOT_TAKEN | FORMER, name


@needs_data
def test_american_critical_minerals_are_below_critical_minerals() -> None:
    path = DATA / "raw/MCS2026_Commodities_Data.csv"
    with path.open(encoding="cp1252", newline="") as file:
        critical = {
            row["Commodity"]
            for row in csv.DictReader(file)
            if row["Is critical mineral 2025"] == "Yes"
        }
    known = {name: find_commodity(name) for name in critical}
    assert {name for name, c in known.items() if c is None} == set()
    assert all("critical_minerals" in ancestors(c) for c in known.values() if c)
