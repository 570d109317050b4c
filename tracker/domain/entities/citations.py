"""Numbers of acts in citations, in a normalized form: `89 FR 37706`, `(EU) 2025/395`, 公告2024年第46号. Pure.

Only forms that identify an act among those of its issuer are parsed. Numbers are compared within an issuer,
so announcement 46 of 2024 of two countries are different acts.
"""

import re
from functools import lru_cache

FORMS: tuple[tuple[str, str], ...] = (
    # Documents and pages of the Federal Register: 2025-19001, 90 FR 47201.
    (r"\b(?P<year>20\d\d)-(?P<number>\d{5})\b", "fr-{year}-{number}"),
    (r"\b(?P<year>\d{2,3}) FR (?P<number>\d{3,6})\b", "{year}-fr-{number}"),
    # Acts of presidents of the United States, and laws of its Congress.
    (r"\b(?:Executive Order|E\.O\.|EO) (?P<number>\d{4,5})\b", "eo-{number}"),
    (r"\bProclamation (?P<number>\d{4,5})\b", "proclamation-{number}"),
    (
        r"\b(?:Public Law|Pub\. L\.) (?:No\. )?(?P<year>\d{2,3})-(?P<number>\d{1,4})\b",
        "pl-{year}-{number}",
    ),
    # Acts of the European Union, by number and by CELEX.
    (
        r"\((?:EU|CFSP|EU, Euratom)\)\s*(?:No\.? )?(?P<year>20\d\d)/(?P<number>\d{1,4})\b",
        "eu-{year}-{number}",
    ),
    (r"\((?:EU|EC)\) No\.? (?P<number>\d{1,4})/(?P<year>(?:19|20)\d\d)\b", "eu-{year}-{number}"),
    (r"\b3(?P<year>20\d\d)[RDL](?P<number>\d{4})\b", "eu-{year}-{number}"),
    (r"/eli/[a-z_]+/(?P<year>20\d\d)/(?P<number>\d{1,4})\b", "eu-{year}-{number}"),
    # Statutory instruments of the United Kingdom.
    (r"\bS\.?I\.? (?P<year>20\d\d)(?:/| No\. ?)(?P<number>\d{1,4})\b", "si-{year}-{number}"),
    (r"/uksi/(?P<year>20\d\d)/(?P<number>\d{1,4})\b", "si-{year}-{number}"),
    # Announcements that are numbered per year.
    (r"\bAnnouncement (?P<year>20\d\d) No\. ?(?P<number>\d{1,4})\b", "no-{year}-{number}"),
    (
        r"\bAnnouncement No\. ?(?P<number>\d{1,4}) (?:of|\[?)\s?(?P<year>20\d\d)\b",
        "no-{year}-{number}",
    ),
    (r"(?P<year>20\d\d)年第(?P<number>\d{1,4})号", "no-{year}-{number}"),
)
YEARS = re.compile(
    r"\b(?:catalogue|plan|list)\b[^.:;,(]{0,60}? for (?:(?:19|20)\d\d(?: and |, |-|–)?)+\b",
    re.IGNORECASE,
)
PATTERNS = tuple((re.compile(pattern), form) for pattern, form in FORMS)


@lru_cache(maxsize=16_384)
def cited_numbers(text: str) -> frozenset[str]:
    """Return the numbers of acts that a text cites."""
    return frozenset(
        form.format(**{name: part.lstrip("0") for name, part in match.groupdict().items()})
        for pattern, form in PATTERNS
        for match in pattern.finditer(text)
    )


def last_year(text: str) -> int | None:
    """Return the last year that an act is for by its text, as in `Tariff plan for 2008`; None without one."""
    years = [year for match in YEARS.finditer(text) for year in re.findall(r"\d{4}", match[0])]
    return int(max(years)) if years else None


def first_number(text: str) -> frozenset[str]:
    """Return the first cited number of a text; empty if it cites none."""
    numbers = [
        (match.start(), match[0]) for pattern, _ in PATTERNS for match in pattern.finditer(text)
    ]
    return cited_numbers(min(numbers)[1]) if numbers else frozenset()
