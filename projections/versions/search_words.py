"""Words of texts: their form in comparisons, their other spellings, and the words of a search. Pure.

Words are compared without capitals and accents. Other spellings are British and American ones,
abbreviations, and codes of the Harmonized System. Other names of things are declared with the things: see
`also` in `commodities.toml`. The statements that find words are in `lists.sql`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from projections.lru_cache import lru_cache_short_keys

IDEOGRAPHS = "\u3040-\u30ff\u3400-\u9fff"
WORD = re.compile(rf"[{IDEOGRAPHS}]|[^\W_{IDEOGRAPHS}]+")
"""A run of letters and digits; where words are not set apart, each sign is one."""
BRITISH_AND_AMERICAN = (
    ("authorisation", "authorization"),
    ("centre", "center"),
    ("defence", "defense"),
    ("fibre", "fiber"),
    ("labour", "labor"),
    ("licence", "license"),
    ("organisation", "organization"),
    ("programme", "program"),
)
CODE = re.compile(r"(?!19|20)\d{4}(?:\d\d){1,3}", re.ASCII)
"""A code of more than four digits. Those that begin like a year are of goods that nobody tracks here."""
CODE_WITH_DOTS = re.compile(
    r"(?<![\w.])(?!19|20)\d{4}(?:\.\d\d){1,3}(?!\w|\.\d)|(?<![\w.])(?!19|20)\d{4}\.\d\d\.\d{4}(?!\w|\.\d)",
    re.ASCII,
)
ABBREVIATION = re.compile(r"(?<![\w.])(?:[^\W\d_]\.)+[^\W\d_](?!\w)\.?")
"""Single letters with dots between them, such as U.S."""
MIN_CORRECTED_LETTERS = 4
"""Letters of a word that may be misspelt; shorter ones are like too many others."""
MAX_CORRECTED_LETTERS = 40


def _words(text: str) -> Sequence[str]:
    """The words of a text, in its order."""
    return WORD.findall(plain(text))


def plain(text: str) -> str:
    """A text without capitals and accents, as words are compared."""
    apart = unicodedata.normalize("NFKD", text)
    return "".join(c for c in apart if not unicodedata.combining(c)).casefold()


words = lru_cache_short_keys(_words, 16384, 200)
"""The same for the next time: the states of an entity repeat most of what they say."""


def to_tsquery(text: str) -> str:
    """A search as `to_tsquery` reads it: every word in either spelling, or what begins with it; empty
    without words."""
    return " & ".join(map(_prefix_query, dict.fromkeys(words(text))))


def _prefix_query(word: str) -> str:
    begun = " | ".join(f"'{one}':*" for one in (word, *other_spellings(word)))
    return f"({begun})" if "|" in begun else begun


def matches(search: str | None, *names: str) -> bool:
    """Whether each word of a search begins a word of these names; True without a search."""
    known = words(" ".join(names))
    return all(any(word.startswith(begun) for word in known) for begun in words(search or ""))


def without_dots(text: str) -> str:
    """A text with the codes and abbreviations in it as they are kept; dots in days and numbers are left."""
    for written in (CODE_WITH_DOTS, ABBREVIATION):
        text = written.sub(lambda found: found[0].replace(".", ""), text)
    return text


def other_spellings(word: str) -> tuple[str, ...]:
    """A word as it is written on the other side of the Atlantic, singular and plural."""
    one = word.removesuffix("s")
    return tuple(
        form
        for pair in BRITISH_AND_AMERICAN
        if one in pair
        for other in pair
        if other != one
        for form in (other, f"{other}s")
    )


def codes_above(word: str) -> tuple[str, ...]:
    """The codes that a code is below, the nearest first; none for what is no code."""
    if not CODE.fullmatch(word):
        return ()
    return tuple(word[:digits] for digits in (8, 6, 4) if digits < len(word))


def can_be_corrected(word: str) -> bool:
    """Whether a word may be misspelt: it is of letters, and neither short nor endless."""
    return word.isalpha() and MIN_CORRECTED_LETTERS <= len(word) <= MAX_CORRECTED_LETTERS


def trigrams(word: str) -> list[str]:
    """The parts of three letters of a word, by which words like it are found; `_` is its border."""
    framed = f"__{word}_"
    return list(dict.fromkeys(framed[at : at + 3] for at in range(len(framed) - 2)))
