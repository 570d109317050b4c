"""Terms that select relevant announcements. Pure."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, TypeAlias

from msgspec import Meta

Term: TypeAlias = Annotated[str, Meta(pattern=r"\S", max_length=100)]
"""One or more words, matched in any case and with any ending (`magnet` finds `Magnets`)."""


def terms_in(text: str, terms: Sequence[str]) -> list[str]:
    """Return the terms that occur in a text."""
    folded = " ".join(text.split()).casefold()
    return [term for term in terms if _pattern(term).search(folded)]


@lru_cache(maxsize=1024)
def _pattern(term: str) -> re.Pattern[str]:
    """Return the pattern of a term: it begins at a word boundary, except in Chinese."""
    folded = " ".join(term.split()).casefold()
    begins = r"(?<![^\W\d_])" if folded[:1].isascii() and folded[:1].isalpha() else ""
    return re.compile(begins + re.escape(folded))
