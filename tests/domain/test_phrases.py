"""Names of places in sentences have their article."""

from tests.support.cases import each_case
from tracker.domain.wording.phrases import (
    authority_phrase,
    percent,
    percent_beside,
    place_in_text,
    rounded,
    sum_phrase,
    with_capital,
)


@each_case(
    ("code", "name"),
    [
        ("US", "the United States"),
        ("EU", "the European Union"),
        ("NL", "the Netherlands"),
        ("BS", "the Bahamas"),
        ("SB", "the Solomon Islands"),
        ("US_CA", "the United States and Canada"),
        ("SUHH", "the Soviet Union"),
        ("CD", "DR Congo"),
        ("CN", "China"),
        ("WORLD", "the world"),
        ("OTHER", "other countries"),
    ],
)
def test_a_place_has_its_article_in_a_sentence(code: str, name: str) -> None:
    assert place_in_text(code) == name


def test_a_sentence_begins_with_a_capital() -> None:
    assert with_capital(place_in_text("US")) == "The United States"


@each_case(
    ("publisher", "name"),
    [
        ("mofcom", "the Ministry of Commerce of China (MOFCOM)"),
        ("white-house", "the White House"),
        ("us-commerce", "the US Department of Commerce"),
        ("usgs", "the US Geological Survey"),
        ("european-commission", "the European Commission"),
        ("arecoms", "ARECOMS, the regulator of strategic minerals of the DR Congo"),
        ("global-affairs-canada", "Global Affairs Canada"),
    ],
)
def test_an_authority_has_its_article_in_a_sentence(publisher: str, name: str) -> None:
    assert authority_phrase(publisher) == name


@each_case(
    ("value", "rounded_to", "as_sum"),
    [
        ("181.79631578947365", "182", "182"),
        ("0.0123456", "0.0123", "0.0123"),
        ("0.50", "0.50", "0.50"),
        ("82.44", "82.4", "82.4"),
        ("226000", "226,000", "226,000"),
        ("12.0", "12", "12"),
        ("27221.55", "27,222", "27,222"),
        ("513918501", "513,918,501", "514 million"),
        ("1743207.2", "1,743,207", "1.74 million"),
        ("-2.345", "-2.34", "-2.34"),
    ],
)
def test_decimals_are_rounded_to_three_significant_digits(
    value: str, rounded_to: str, as_sum: str
) -> None:
    assert (rounded(value), sum_phrase(value)) == (rounded_to, as_sum)


@each_case(
    ("share", "words"),
    [(0, "0"), (1, "100"), ("0.00001", "0.0"), ("0.9999", "100.0"), (0.5, "50.0")],
)
def test_only_nothing_and_the_whole_have_no_decimals(share: object, words: str) -> None:
    assert percent(share) == f"{words}\N{NO-BREAK SPACE}%"


def test_the_whole_is_nearly_the_whole_beside_shares_of_others() -> None:
    """The US Geological Survey rounds the world's gallium of 2025 to the 900 t of China alone."""
    nearly = "nearly 100\N{NO-BREAK SPACE}%"
    assert percent_beside("1.0000", ["0.0067", None, "0.0000"]) == nearly
    assert percent_beside("1.0000", [None, "0.0000"]) == percent(1)
    assert percent_beside("0.9901", ["0.0066"]) == percent("0.9901")
