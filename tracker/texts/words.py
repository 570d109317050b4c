"""The words of a text, and what counts as formatting.

Spaces, kinds of dashes and quotation marks, marks of lists, tables, headings and emphasis, links and
references to footnotes are formatting: texts that differ only in them have the same words.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

MARKUP = re.compile(
    r"\[\^[^\]]*\]:?|\]\([^)\s]*\)|[*_`#|\\\[\]]|^\s*(?:[-+•>—–]+\s+)+|^\s*\d+\.\s+(?=[（(])|-{3,}"
)
"""Formatting within a line: footnotes, targets of links, signs of Markdown, marks of lists."""
SIGNS = str.maketrans(
    {
        **dict.fromkeys("‐‑‒–—―−－", "-"),
        **dict.fromkeys("‘’‚‛′＇`´", "'"),
        **dict.fromkeys("“”„‟″«»＂", '"'),
        **dict.fromkeys("\u00a0\u2002\u2003\u2007\u2009\u202f\u3000", " "),
        "\u00ad": None,
    }
)
"""Signs that publishers use for each other."""
WORD = re.compile(
    r"[\u3400-\u9fff\uf900-\ufaff]|[^\W\u3400-\u9fff\uf900-\ufaff]+(?:[.,'’/-][^\W_\u3400-\u9fff]+)*|[^\w\s]"
)
"""A Chinese sign, a word or number, or a punctuation mark."""


class Word(NamedTuple):
    """A word without formatting, and its part of the text, to the next word."""

    folded: str
    printed: str


def fold_line(line: str) -> str:
    """Return a line with one sign for each kind of dash, quotation mark and space."""
    return line.translate(SIGNS)


def words_of(text: str) -> list[Word]:
    """Return the words of a text; joined, their printed parts are the text."""
    words = list[Word]()
    before = ""
    for folded, printed in _pieces(text):
        if folded:
            words.append(Word(folded, before + printed))
            before = ""
        elif words:
            words[-1] = Word(words[-1].folded, words[-1].printed + printed)
        else:
            before += printed
    return words or ([Word("", before)] if before else [])


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """Yield each word and each formatting between words, as folded and as printed."""
    for line in text.splitlines(keepends=True):
        at = 0
        for markup in MARKUP.finditer(line):
            yield from _split(line[at : markup.start()])
            yield "", markup[0]
            at = markup.end()
        yield from _split(line[at:])


def _split(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    for word in WORD.finditer(text):
        if word.start() > at:
            yield "", text[at : word.start()]
        yield fold_line(word[0]), word[0]
        at = word.end()
    if at < len(text):
        yield "", text[at:]
