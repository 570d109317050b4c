"""Places: ISO codes, declared aggregates, and publishers' spellings."""

from datetime import date

import pytest

from tests.support.cases import each_case
from tracker.domain.catalogue.places import AGGREGATES, FORMER, Actor, Place, find_place, places
from tracker.errors import InvalidInput


def test_a_place_is_its_iso_code() -> None:
    assert Place("CN") == "CN"
    assert Place("CN").name == "China"
    assert not Place("CN").is_aggregate


@each_case(
    ("code", "name"),
    [
        ("BO", "Bolivia"),
        ("KR", "South Korea"),
        ("KP", "North Korea"),
        ("VN", "Vietnam"),
        ("RU", "Russia"),
        ("CD", "DR Congo"),
        ("CG", "Republic of the Congo"),
        ("TZ", "Tanzania"),
        ("IR", "Iran"),
        ("TR", "Türkiye"),
        ("XK", "Kosovo"),
    ],
)
def test_the_name_is_the_common_english_one(code: str, name: str) -> None:
    assert Place(code).name == name


@each_case("code", sorted(AGGREGATES))
def test_aggregates_are_not_countries(code: str) -> None:
    assert Place(code).is_aggregate


def test_a_group_that_is_not_a_total_a_residual_or_a_union_names_its_countries() -> None:
    assert Place("US_CA").countries == ("US", "CA")
    for code in AGGREGATES:
        in_code = code.split("_") if "_" in code else []
        assert list(Place(code).countries) == in_code
    assert Place("CN").countries == ()


def test_kosovo_is_a_place_and_no_aggregate() -> None:
    assert not Place("XK").is_aggregate


@each_case(
    ("code", "alpha3", "numeric"),
    [
        ("CN", "CHN", "156"),
        ("BR", "BRA", "076"),
        ("US", "USA", "840"),
        ("CD", "COD", "180"),
        ("TW", "TWN", "158"),
        ("SUHH", "SUN", "810"),
        ("CSHH", "CSK", "200"),
        ("CSXX", "SCG", "891"),
        ("XK", None, None),
        ("EU", None, None),
        ("WORLD", None, None),
        ("US_CA", None, None),
    ],
)
def test_a_place_has_the_other_codes_that_iso_has_for_it(
    code: str, alpha3: str | None, numeric: str | None
) -> None:
    assert (Place(code).alpha3, Place(code).numeric) == (alpha3, numeric)


def test_no_two_places_share_an_alpha3_code_and_every_country_has_one() -> None:
    known = [place.alpha3 for place in places() if place.alpha3]
    assert len(known) == len(set(known)) == 249 + len(FORMER)
    assert all(len(place.numeric or "000") == 3 for place in places())


@each_case("text", ["", "ZZ", "Atlantis", "not a place"])
def test_a_value_that_is_not_a_code_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="expected the name or the code of a country") as caught:
        Place(text)
    assert caught.value.code == "UNKNOWN_PLACE"


@each_case(
    ("text", "hint"),
    [
        ("China", "'CN' (China)"),
        ("UK", "'GB' (United Kingdom)"),
        ("Burma", "'MM' (Myanmar)"),
        ("Kazakstan", "'KZ' (Kazakhstan)"),
        ("cn", "'CN' (China)"),
        ("world", "'WORLD' (World)"),
        ("CHN", "'CN' (China)"),
        ("deu", "'DE' (Germany)"),
        ("076", "'BR' (Brazil)"),
        ("Deutschland", "'DE' (Germany)"),
        ("allemagne", "'DE' (Germany)"),
        ("中国", "'CN' (China)"),
        ("Hamburg", "'DE' (Germany)"),
        ("Shanghai", "'CN' (China)"),
    ],
)
def test_a_refusal_suggests_the_place_that_was_meant(text: str, hint: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Place(text)
    assert caught.value.message == f"{text!r} is not a place; did you mean {hint}?"
    assert hint.startswith(f"'{caught.value.suggestion}' (")


def test_a_region_that_several_countries_have_suggests_none() -> None:
    with pytest.raises(InvalidInput) as caught:
        Place("Santa Cruz")
    assert caught.value.suggestion == ""


def test_an_invalid_actor_is_refused_with_the_forms_of_both_kinds() -> None:
    assert (Actor("US"), Actor("quad")) == ("US", "quad")
    with pytest.raises(InvalidInput, match="an alliance has small letters") as caught:
        Actor("NATO")
    assert caught.value.code == "UNKNOWN_PLACE"


@each_case(
    ("text", "code"),
    [
        ("Burma", "MM"),
        ("Congo (Kinshasa)", "CD"),
        ("Congo (Brazzaville)", "CG"),
        ("Korea, Republic of", "KR"),
        ("Korea, North", "KP"),
        ("Côte d\u2019Ivoire", "CI"),
        ("Cote d'Ivoire", "CI"),
        ("Turkey", "TR"),
        ("Türkiye", "TR"),
        ("Czechia", "CZ"),
        ("Czech Republic", "CZ"),
        ("Laos", "LA"),
        ("Vietnam", "VN"),
        ("Viet Nam", "VN"),
        ("Russia", "RU"),
        ("Russian Federation", "RU"),
        ("Bolivia", "BO"),
        ("Iran", "IR"),
        ("Tanzania", "TZ"),
        ("Venezuela", "VE"),
        ("Syria", "SY"),
        ("New Caledonia", "NC"),
        ("Macedonia", "MK"),
        ("North Macedonia", "MK"),
        ("Swaziland", "SZ"),
        ("Taiwan", "TW"),
        ("The Bahamas", "BS"),
        ("United\xa0States", "US"),
        ("Vietnam\xa0", "VN"),
        ("Greenland", "GL"),
        ("United States and Canada", "US_CA"),
        ("Kosovo", "XK"),
        ("European Union", "EU"),
        ("Australia, Canada, China, and Namibia", "AU_CA_CN_NA"),
    ],
)
def test_publishers_spellings_are_understood(text: str, code: str) -> None:
    assert find_place(text) == code


@each_case(
    "text",
    [
        "World total",
        "World total (rounded)",
        "World total (ilmenite and rutile, rounded)",
        "World total (rounded), excluding U.S. production",
        "World",
        "World total (rounded), natural",
    ],
)
def test_every_world_total_is_the_world(text: str) -> None:
    assert find_place(text) == "WORLD"


@each_case(
    "text",
    [
        "Other countries",
        "Other Countries",
        "Other",
        "Other countries\xa0",
        "Other countries (includes crude)",
        "Other countries (rounded)",
    ],
)
def test_the_residual_is_other(text: str) -> None:
    assert find_place(text) == "OTHER"


@each_case("text", ["", "Atlantis", "Japane", "Western world", "Other metals"])
def test_unknown_names_are_not_guessed(text: str) -> None:
    assert find_place(text) is None


@each_case(
    ("name", "code", "last"),
    [
        ("Soviet Union", "SUHH", "1991-12-25"),
        ("USSR", "SUHH", "1991-12-25"),
        ("Czechoslovakia", "CSHH", "1992-12-31"),
        ("Yugoslavia", "YUCS", "2003-02-03"),
        ("East Germany", "DDDE", "1990-10-02"),
        ("Zaire", "CD", None),
        ("Russia", "RU", None),
    ],
)
def test_former_states_are_places_with_a_last_day_and_renamed_ones_are_those_of_today(
    name: str, code: str, last: str | None
) -> None:
    place = find_place(name)
    assert place == code
    assert place.last_day == (date.fromisoformat(last) if last else None)
    assert not place.is_aggregate
