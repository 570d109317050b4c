"""Quotations in texts: the same words in the same order, whatever the formatting."""

import re
from functools import lru_cache

from tracker.texts.words import words_of

OMISSION = re.compile(r"\[(?:…|\.\.\.)\]|…|\.\.\.")


def has_quotation(text: str, quotation: str) -> bool:
    """Return whether a text has the words of a quotation; `…` stands for words that it leaves out."""
    words = _joined(text)
    at = 0
    for part in map(_joined, OMISSION.split(quotation)):
        found = words.find(part, at)
        if found < 0:
            return False
        at = found + len(part) - 1
    return True


def has_words(text: str, search: str) -> bool:
    """Return whether a text has the words of a search in this order, in capital or small letters."""
    text, search = text.casefold(), search.casefold()
    longest = max((word.folded for word in words_of(search)), key=len)
    # Most texts lack its longest word, and need not be split.
    return (not longest.isalnum() or longest in text) and has_quotation(text, search)


@lru_cache(32)
def _joined(text: str) -> str:
    """Return the words of a text between separators, so that a part of a word is not found."""
    return "\0".join(["", *(word.folded for word in words_of(text) if word.folded), ""]) or "\0"
