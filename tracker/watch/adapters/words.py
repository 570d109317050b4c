"""Words by which announcements are told apart from others. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, TypeAlias

from msgspec import Meta

Word: TypeAlias = Annotated[str, Meta(pattern=r"\S", max_length=100)]
"""A word or some words: in any case, with any ending (`magnet` finds `Magnets`)."""


def words_in(text: str, words: Sequence[str]) -> list[str]:
    """Those of some words that are in a text."""
    folded = " ".join(text.split()).casefold()
    return [word for word in words if _pattern(word).search(folded)]


@lru_cache(maxsize=1024)
def _pattern(word: str) -> re.Pattern[str]:
    """A word begins where none does before it; in Chinese a word begins anywhere."""
    folded = " ".join(word.split()).casefold()
    begins = r"(?<![^\W\d_])" if folded[:1].isascii() and folded[:1].isalpha() else ""
    return re.compile(begins + re.escape(folded))
