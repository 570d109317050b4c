"""Meaning of notes for USGS figures: estimated, reported, rounded, revised."""

import re
from collections.abc import Iterable
from datetime import datetime

from tracker.domain.basics.values import PartialDate

YEARS = re.compile(r"\b(?P<first>(?:19|20)\d\d)\b(?:[-\u2013](?P<last>\d\d)\b)?")
"""A year, or several: `2021–22`."""
SENTENCE = re.compile(
    r"\s*--\s*|(?<=[a-z)\d\"\u201d][.])\s+(?=[A-Z\u201c]|revised)"
    r"|(?<=[a-z][.])(?=Reserves for )"
)
REPORTED = re.compile(r"\b(?:reported|reproted)\b(?! reserves| probable| import)", re.IGNORECASE)
ESTIMATED = re.compile(
    r"^estimated\b(?! reserves| from consumption| data have been rounded)|\b(?:also|is|were) (?:also )?"
    r"estimated\b(?! to)|\bwas estimated to be equal to imports\b",
    re.IGNORECASE,
)
REVISED = re.compile(r"Revised (\w+ \d{1,2}, \d{4})\.")
MATERIAL = re.compile(
    r"crude ore|ulexite|boric oxide equivalent|compounds|crude borates"
    r"|datolite ore|refined borates",
    re.IGNORECASE,
)
REPEATED_SENTENCES = re.compile(
    r"(?:production(?: data)? in \d{4} (?:is|was|were) also estimated|also estimated in \d{4}"
    r"|estimated in \d{4} also|estimated(?: for)? \d{4}|estimated in both years|estimated"
    r"|estimated capacity|production data in \d{4} were also estimated|reported|reproted"
    r"|(?:production was )?reported(?: production| data| quantity)? in \d{4}"
    r"|na|xx|w|not applicable|not available|\w+ for \d\d-\d\d|na for \d{4}|yes|see appendix c .*"
    r"|(?:\w+ )?reserves for .* were revised .*|calcined equivalent weights"
    r"|mine production and ore reserves are reported in gross weight|shipping grade"
    r"|(?:crude ore|iron content), million metric tons|zro2 content|(?:na )?\(reserve data is .*"
    r"|world [\w ]+: reserves for .* were revised .*|revised based on .*|small|large|<.*|>.*"
    r"|very small|less than (?:½|1/2) ?unit|categorized as .*|world reserves are categorized as .*"
    r"|included (?:in|with) .*|units are thousand metric tons, gross weight, of marketable .*"
    r"|metric tons, gross weight)",
    re.IGNORECASE,
)
"""Pattern of sentences that repeat the quantity, or that every row of a table has."""


def is_estimate(note: str, year: int | None, by_header: bool, by_type: bool) -> bool:
    """Return whether a figure is an estimate, by its header or type unless its note states otherwise.

    A sentence that names a year is about that year only. "Reported" without a year is about the year whose
    header does not mark it as estimated.
    """
    for sentence in sentences(note):
        if not _about(sentence, year):
            continue
        if ESTIMATED.search(sentence):
            return True
        if REPORTED.search(sentence) and (YEARS.search(sentence) or not by_header):
            return False
    return by_header or by_type


def is_rounded(*texts: str) -> bool:
    """Return whether a country, type or note marks the figure as rounded."""
    return any("rounded" in text.lower() for text in texts)


def material(note: str) -> str | None:
    """Return the weighed material, if the note consists of it: `Ulexite`."""
    match = next((s for s in sentences(note) if MATERIAL.fullmatch(s.rstrip("."))), None)
    return match.rstrip(".").lower() if match else None


def revised_on(note: str) -> PartialDate | None:
    """Return the day of a revision of the cell after publication, if the note gives one."""
    match = REVISED.search(note)
    if match is None:
        return None
    return PartialDate(datetime.strptime(match[1], "%B %d, %Y").date().isoformat())


def without_repetitions(note: str) -> str | None:
    """Return the note without sentences that repeat the quantity."""
    remaining = [s for s in sentences(note) if not REPEATED_SENTENCES.fullmatch(s.rstrip(". "))]
    return " ".join(remaining) or None


def joined(texts: Iterable[str]) -> str | None:
    """Return texts as one note, with a semicolon after those without a full stop; None if there are none."""
    return re.sub(r"\.; ", ". ", "; ".join(texts)) or None


def sentences(note: str) -> list[str]:
    """Return the sentences of a note, without a footnote mark attached to its start."""
    tidy = re.sub(r"^\d(?=[A-Z])", "", note).replace(" .", ".")
    return [part.strip() for part in SENTENCE.split(tidy) if part.strip(" .")]


def _about(sentence: str, year: int | None) -> bool:
    spans = [_span(match) for match in YEARS.finditer(sentence)]
    return not spans or any(year in span for span in spans)


def _span(match: re.Match[str]) -> range:
    first, last = match["first"], match["last"]
    return range(int(first), int(first[:2] + (last or first[2:])) + 1)
