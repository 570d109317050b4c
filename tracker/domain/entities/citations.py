"""Numbers of acts in citations, in a normalized form: `89 FR 37706`, `(EU) 2025/395`, 公告2024年第46号. Pure.

Only forms that identify an act among those of its issuer are parsed. Numbers are compared within an issuer,
so announcement 46 of 2024 of two countries are different acts.
"""

import re
from functools import lru_cache

from tracker.domain.basics.toml_files import read_toml

FORMS: tuple[tuple[str, str], ...] = tuple(
    (of["pattern"], of["form"]) for of in read_toml(__file__)["forms"]
)
YEARS = re.compile(
    r"\b(?:catalogue|plan|list)\b[^.:;,(]{0,60}? for (?:(?:19|20)\d\d(?: and |, |-|–)?)+\b",
    re.IGNORECASE,
)
DIGITS = re.compile(r"\d\d")
"""Every number and year has them; most texts have none, and one search is faster than all forms."""
PATTERNS = tuple((re.compile(pattern), form) for pattern, form in FORMS)


@lru_cache(maxsize=16_384)
def cited_numbers(text: str) -> frozenset[str]:
    """Return the numbers of acts that a text cites."""
    if not DIGITS.search(text):
        return frozenset()
    return frozenset(
        form.format(**{name: part.lstrip("0") for name, part in match.groupdict().items()})
        for pattern, form in PATTERNS
        for match in pattern.finditer(text)
    )


def last_year(text: str) -> int | None:
    """Return the last year that an act is for by its text, as in `Tariff plan for 2008`; None without one."""
    years = [
        year
        for match in (YEARS.finditer(text) if DIGITS.search(text) else ())
        for year in re.findall(r"\d{4}", match[0])
    ]
    return int(max(years)) if years else None


def first_number(text: str) -> frozenset[str]:
    """Return the first cited number of a text; empty if it cites none."""
    numbers = [
        (match.start(), match[0]) for pattern, _ in PATTERNS for match in pattern.finditer(text)
    ]
    return cited_numbers(min(numbers)[1]) if numbers else frozenset()
