"""Goods, places and measures are found in searches, in other words and misspelt."""

import pytest

from projections.query.search_terms import parse_search
from tracker.domain.basics.control_vocabulary import Direction


@pytest.mark.parametrize(
    ("text", "meanings", "direction"),
    [
        ("congo cobalt quota", ["CD|CG", "cobalt", "quota|tariff_rate_quota"], None),
        ("Is the export of galium to America banned?", ["gallium", "US", "ban"], Direction.EXPORT),
        ("NdFeB", ["neodymium_magnets"], None),
        ("LFP technology", ["cathode_materials", "technology"], None),
        (
            "rare earth mining quota",
            ["rare_earths", "quota|tariff_rate_quota"],
            Direction.PRODUCTION,
        ),
        ("indonesa nickle ores", ["ID", "nickel", "ore"], None),
        ("China's wolfram state trading", ["CN", "tungsten", "state_trading"], None),
        ("MP Materials", [], None),
        ("it is in us", [], None),
    ],
)
def test_names_in_a_search_have_meanings(
    text: str, meanings: list[str], direction: Direction | None
) -> None:
    found = parse_search(text)
    assert ["|".join(one.meanings) for one in found.terms] == meanings
    assert found.direction == direction


@pytest.mark.parametrize(
    ("text", "is_strict", "has_rest"),
    [
        ("gallium", False, False),
        ("gallium ban", True, False),
        ("gallium exports of China", True, False),
        ("gallium china production 2023", True, True),
        ("quad critical minerals initiative", False, True),
        ("811292 china ban", False, False),
    ],
)
def test_several_kinds_of_names_must_hold_together(
    text: str, is_strict: bool, has_rest: bool
) -> None:
    found = parse_search(text)
    assert (found.is_strict, found.has_rest) == (is_strict, has_rest)


@pytest.mark.parametrize("text", ["shelled nuts", "forge", "mofcom", "lynas", "policy on chips"])
def test_words_unlike_any_name_are_not_terms(text: str) -> None:
    assert parse_search(text).terms == ()
