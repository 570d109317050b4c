"""Terms are found as whole words with any ending, in any case and language."""

from tests.support.cases import each_case
from tracker.watch.terms import terms_in


@each_case(
    ("text", "term", "found"),
    [
        ("Rare Earth  Magnets", "rare earth magnet", True),
        ("on setting rules", "tin", False),
        ("Tin and tungsten", "tin", True),
        ("on cobalt(II) salts", "cobalt", True),
        ("sur les TERRES\nRARES", "terres rares", True),
        ("Géorgie", "éorgie", True),
        ("关于对镓、锗相关物项", "镓", True),
        ("larangan ekspor bijih nikel", "ekspor", True),
        ("reexport", "export", False),
        ("10-ytterbium", "ytterbium", True),
        ("a+b", "a.b", False),
    ],
)
def test_a_term_begins_where_a_word_does(text: str, term: str, found: bool) -> None:
    assert terms_in(text, ["other", term]) == ([term] if found else [])
