"""Words of texts: normalized forms, other spellings, and words of a search. Pure.

Words are compared without case and accents. Other spellings are British and American ones,
abbreviations, and codes of the Harmonized System. Other names are declared with their objects: see
`also` in `commodities.toml`. The statements that find words are in `lists.sql`.
"""

import re
import unicodedata
from collections.abc import Sequence

from projections.lru_cache import lru_cache_short_keys

IDEOGRAPHS = "\u3040-\u30ff\u3400-\u9fff"
WORD = re.compile(rf"[{IDEOGRAPHS}]|[^\W_{IDEOGRAPHS}]+")
"""A run of letters and digits, or a single ideograph."""
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
"""A code of more than four digits. Codes that begin like a year cover goods that are not tracked."""
CODE_WITH_DOTS = re.compile(
    r"(?<![\w.])(?!19|20)\d{4}(?:\.\d\d){1,3}(?!\w|\.\d)|(?<![\w.])(?!19|20)\d{4}\.\d\d\.\d{4}(?!\w|\.\d)",
    re.ASCII,
)
ABBREVIATION = re.compile(r"(?<![\w.])(?:[^\W\d_]\.)+[^\W\d_](?!\w)\.?")
"""Single letters with dots between them, such as U.S."""
MIN_CORRECTED_LETTERS = 4
"""Minimum length of words for corrections; shorter ones are similar to too many others."""
MAX_CORRECTED_LETTERS = 40


def _words(text: str) -> Sequence[str]:
    """Return the words of a text, in order."""
    return WORD.findall(plain(text))


def plain(text: str) -> str:
    """Return a text without case and accents, for comparison."""
    apart = unicodedata.normalize("NFKD", text)
    return "".join(c for c in apart if not unicodedata.combining(c)).casefold()


words = lru_cache_short_keys(_words, 16384, 200)
"""The cached words of a text; the states of an entity repeat most texts."""


def to_tsquery(text: str) -> str:
    """Return a search for `to_tsquery`: every word in either spelling, as a prefix.

    The result is empty without words.
    """
    return " & ".join(map(_prefix_query, dict.fromkeys(words(text))))


def _prefix_query(word: str) -> str:
    begun = " | ".join(f"'{one}':*" for one in (word, *other_spellings(word)))
    return f"({begun})" if "|" in begun else begun


def matches(search: str | None, *names: str) -> bool:
    """Whether each word of a search is a prefix of a word in the names; True without a search."""
    known = words(" ".join(names))
    return all(any(word.startswith(begun) for word in known) for begun in words(search or ""))


def without_dots(text: str) -> str:
    """Return a text with normalized codes and abbreviations; dots in days and numbers stay."""
    for written in (CODE_WITH_DOTS, ABBREVIATION):
        text = written.sub(lambda found: found[0].replace(".", ""), text)
    return text


def other_spellings(word: str) -> tuple[str, ...]:
    """Return the British or American spelling of a word, singular and plural."""
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
    """Return the codes above a code, nearest first; empty for other words."""
    if not CODE.fullmatch(word):
        return ()
    return tuple(word[:digits] for digits in (8, 6, 4) if digits < len(word))


def can_be_corrected(word: str) -> bool:
    """Whether a word may be corrected: it has only letters and a moderate length."""
    return word.isalpha() and MIN_CORRECTED_LETTERS <= len(word) <= MAX_CORRECTED_LETTERS


def trigrams(word: str) -> list[str]:
    """Return the trigrams of a word, by which similar words are found; `_` marks its border."""
    framed = f"__{word}_"
    return list(dict.fromkeys(framed[at : at + 3] for at in range(len(framed) - 2)))
