"""Quotations are found in texts by their words."""

from hypothesis import given
from hypothesis import strategies as st

from tests.support.cases import each_case
from tests.texts.test_redlines import ANNOUNCEMENT, ORDER, REGULATION
from tracker.texts.quotations import has_quotation
from tracker.texts.words import words_of

TEXTS = [REGULATION, ANNOUNCEMENT, ORDER]


@each_case(
    ("quotation", "is_there"),
    [
        ("It does not cover: (a) scrap; (h) ash", True),
        ("covers   *smelters*", True),
        ("Smelters … each year", True),
        ("Smelters [...] each year", True),
        ("each year … Smelters shall", False),
        ("moke", False),
        ("melters shall report", False),
        ("Smelters shall report each", True),
        ("Smelters should report each", False),
        ("", True),
    ],
)
def test_a_quotation_has_the_words_of_the_text_in_their_order(
    quotation: str, is_there: bool
) -> None:
    assert has_quotation(REGULATION, quotation) is is_there


@given(st.sampled_from(TEXTS), st.data())
def test_a_quotation_with_one_other_word_is_refused(text: str, data: st.DataObject) -> None:
    words = [word.folded for word in words_of(text)]
    start = data.draw(st.integers(0, len(words) - 3))
    quoted = words[start : data.draw(st.integers(start + 3, len(words)))]
    assert has_quotation(text, " ".join(quoted))
    altered = data.draw(st.integers(0, len(quoted) - 1))
    other = data.draw(st.sampled_from(["zinc", "neither", "镁", "2027", ";;"]))
    quoted[altered] = other
    assert not has_quotation(text, " ".join(quoted))
