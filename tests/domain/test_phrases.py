"""Names of places in sentences have their article."""

from tests.support.cases import each_case
from tracker.domain.wording.phrases import authority_phrase, place_in_text, with_capital


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
        ("CD", "Congo (Kinshasa)"),
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
