"""Check of quotations against copies of the texts from which they are."""

from collections.abc import Sequence
from functools import lru_cache
from hashlib import file_digest
from pathlib import Path

from msgspec import Struct

from tracker.corpus.files import Act, Problem
from tracker.errors import InvalidInput
from tracker.texts.formats import read_text
from tracker.texts.quotations import has_quotation


class QuotationCheck(Struct):
    """Results: copies that acts name and those at hand, quotations with a text at hand, and all."""

    copies: int = 0
    copies_found: int = 0
    quotations: int = 0
    quotations_read: int = 0
    problems: list[Problem] = []

    def __str__(self) -> str:
        return (
            f"{self.copies_found:,} of {self.copies:,} copies are there;"
            f" {self.quotations_read:,} of {self.quotations:,} quotations were compared with one"
        )


def check_quotations(acts: Sequence[Act], folder: Path) -> QuotationCheck:
    """Look for each quotation in the copies of its sources, which files in a folder have by their SHA-256."""
    files = {_digest(path): path for path in sorted(folder.rglob("*")) if path.is_file()}
    named = {digest for act in acts for digest in _copies(act)}
    found = QuotationCheck(copies=len(named), copies_found=len(named & files.keys()))
    for act in acts:
        quotation = act.planned.fact.quotation
        if not isinstance(quotation, str):
            continue
        found.quotations += 1
        read = (_text(files[digest]) for digest in _copies(act) if digest in files)
        texts = [text for text in read if text is not None]
        found.quotations_read += bool(texts)
        if texts and not any(has_quotation(text, quotation) for text in texts):
            message = "expected words of the copy, whose SHA-256 the source names"
            found.problems.append(Problem(act.file, message, act.id, "quotation"))
    return found


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _copies(act: Act) -> list[str]:
    """Return the SHA-256 of the copies that the sources of an act name."""
    return [one.copy_sha256 for one in act.planned.fact.sources if one.copy_sha256]


@lru_cache(32)
def _text(path: Path) -> str | None:
    """Return the text in a file; None if it cannot be read. Quotations of one act follow each other."""
    try:
        return read_text(path.name, path.read_bytes())
    except InvalidInput:
        return None
