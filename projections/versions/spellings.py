"""Other ways to write a word of a search: British and American spelling, abbreviations, and codes of the
Harmonized System. Pure.

What things are called otherwise is declared with them: see `also` in `commodities.toml`.
"""

from __future__ import annotations

import re

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
