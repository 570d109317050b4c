"""Which part of a text matches a search, and which words are nearly like another."""

from projections.query.search_matches import (
    SoughtWord,
    Text,
    best_matches,
    edits,
    nearest,
    sought_words,
)
from tests.support.cases import each_case


@each_case(
    ("one", "other", "number"),
    [
        ("gallium", "gallium", 0),
        ("galium", "gallium", 1),
        ("gallliumm", "gallium", 2),
        ("gallium", "galluim", 1),
        ("agllium", "gallium", 1),
        ("callium", "gallium", 1),
        ("ca", "abc", 3),
        ("", "ab", 2),
    ],
)
def test_edits_are_letters_changed_added_taken_out_or_swapped(
    one: str, other: str, number: int
) -> None:
    assert edits(one, other, 3) == edits(other, one, 3) == number
    for most in range(number):
        assert edits(one, other, most) > most


def test_short_words_may_have_one_wrong_letter_and_long_ones_two() -> None:
    assert nearest("nickle", ["nickel", "tickle", "pickled", "nickle"], 9) == ("nickel", "tickle")
    assert nearest("disprosum", ["dysprosium", "dysprosia"], 9) == ("dysprosium",)
    assert nearest("disprosum", ["dysprosium", "disprosun"], 1) == ("disprosun",)


def test_words_that_say_nothing_are_left_out_unless_there_are_no_others() -> None:
    assert sought_words("The ban of the Ban") == ["ban"]
    assert sought_words("to be or") == ["be"]
    assert sought_words("of the") == ["of", "the"]


def test_an_abbreviation_with_dots_is_one_word() -> None:
    assert sought_words("U.S. and u.k.") == ["us", "uk"]
    assert sought_words("the U.S.A.'s share, No. 46 of E.U") == [
        "usa",
        "s",
        "share",
        "no",
        "46",
        "eu",
    ]
    assert sought_words("Dr. A. B. Smith") == ["dr", "b", "smith"]


def test_a_code_with_dots_is_one_word_and_a_day_or_a_number_is_not() -> None:
    assert sought_words("HS 8112.92") == ["811292"]
    assert sought_words("2504.10, 8112.92.89 and 2805.30.1234.") == [
        "250410",
        "81129289",
        "2805301234",
    ]
    assert sought_words("2025.11.20") == ["2025", "11", "20"]
    assert sought_words("12.5 3.1415 81.12") == ["12", "5", "3", "1415", "81"]


def test_signs_side_by_side_are_one_word() -> None:
    assert sought_words("2025年 稀土、钨 rare") == ["2025", "年", "稀土", "钨", "rare"]
    assert sought_words("リチウム・ニッケル") == ["リチウム", "ニッケル"]


def test_the_best_match_of_each_word_is_the_first_of_the_best() -> None:
    texts = [
        Text("title", "Licences for licensing"),
        Text("clauses", "a licence; licensed"),
        Text("note", "Licence", 7),
    ]
    found, missing = best_matches(
        [SoughtWord("licence", "licenc"), SoughtWord("license", "licens"), SoughtWord("tin")], texts
    )
    assert [(m.field, m.text[m.start : m.end]) for m in found] == [
        ("clauses", "licence"),
        ("clauses", "licensed"),
    ]
    assert missing == [SoughtWord("tin")]


def test_places_count_characters_whatever_their_accents_and_script() -> None:
    text = "🪨 Gallíum, Ga\u0301lium and 稀土 with ½ of it"
    for word, part in (
        ("gallium", "Gallíum"),
        ("galium", "Ga\u0301lium"),
        ("土", "土"),
        ("of", "of"),
    ):
        [[match], _] = best_matches([SoughtWord(word)], [Text("title", text)])
        assert match.text[match.start : match.end] == part


@each_case("place", [0, 30, 100, 500, 995])
def test_an_excerpt_of_a_long_text_has_whole_words_around_the_match(place: int) -> None:
    said = ["word"] * 1000
    said[place] = "neodymium"
    [[match], _] = best_matches([SoughtWord("neodymium")], [Text("clauses", " ".join(said))])
    assert match.text[match.start : match.end] == "neodymium"
    assert len(match.text) <= 202
    assert set(match.text.strip("…").split()) == {"word", "neodymium"}
    assert match.text.startswith("…") is (place > 20)
    assert match.text.endswith("…") is (place < 990)


def test_a_word_longer_than_an_excerpt_is_shown_whole() -> None:
    [[match], _] = best_matches([SoughtWord("x")], [Text("title", f"a {'x' * 300} b")])
    assert match.text[match.start : match.end] == "x" * 300
