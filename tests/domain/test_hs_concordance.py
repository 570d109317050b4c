"""The concordance of HS 2017 with commodities: each code was compared, and bundles say so."""

import csv
from pathlib import Path

from tests.support.cases import each_case
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.catalogue.hs_concordance import codes_at, codes_of, concordance

BACI_CODES = """
250490 251010 251110 252800 252910 252922 260200 260600 270112 280429 280469 280470 280480 282200
283691 283692 711011 711021 720292 720293 740311 750210 810194 810320 810411 810820 811010 811212
811292 850511
""".split()  # noqa: SIM905 - a table reads better


@each_case("code", BACI_CODES)
def test_each_code_names_commodities_that_have_its_codes_of_hs_2022(code: str) -> None:
    entry = concordance(code)
    assert entry
    assert entry.reason.endswith(".")
    assert entry.exact is (entry.hs22_codes == (code,))
    for commodity in entry.commodities:
        assert any(
            own.startswith(one) or one.startswith(own)
            for one in entry.hs22_codes
            for own in commodity.hs_codes
        ), commodity


def test_codes_of_hs_2022_are_those_of_the_published_table(shared_data: Path) -> None:
    table = shared_data / "raw" / "hs" / "harmonized-system.csv"
    with table.open(encoding="utf-8") as opened:
        published = {row["hscode"] for row in csv.DictReader(opened)}
    assert {one for code in BACI_CODES for one in concordance(code).hs22_codes} <= published  # type: ignore[union-attr]


def test_trap_44_a_code_with_several_minerals_is_a_bundle() -> None:
    unwrought = concordance("811292")
    assert unwrought
    assert unwrought.is_bundle
    assert list(unwrought.commodities) == [
        "gallium",
        "germanium",
        "hafnium",
        "indium",
        "niobium",
        "rhenium",
        "vanadium",
    ]
    assert not unwrought.exact
    assert not unwrought.has_only(Commodity("gallium"))


def test_trap_44_the_graphite_code_is_natural_graphite_without_powder_and_flakes() -> None:
    [entry] = codes_of(Commodity("natural_graphite"))
    assert entry.code == "250490"
    assert "neither powder nor flakes" in entry.reason
    assert codes_of(Commodity("flake_graphite")) == ()


def test_trap_44_oxides_and_hydroxides_of_cobalt_are_one_code() -> None:
    [entry] = codes_of(Commodity("cobalt_hydroxide"))
    assert entry.has_only(Commodity("cobalt"))
    assert not entry.has_only(Commodity("cobalt_hydroxide"))


def test_trap_45_commodities_without_a_code_in_the_extract_have_none() -> None:
    for name in ("rare_earths", "spherical_graphite"):
        codes = [one.code for one in codes_of(Commodity(name))]
        assert not set(codes) & {"280530", "284690", "250410"}


def test_a_code_of_hs_2022_finds_the_code_that_had_its_goods() -> None:
    assert codes_at("811231") == ("811231", "811292")
    assert codes_at("811292") == ("811292",)
    assert codes_at("2504") == ("2504",)
    assert concordance("280530") is None
