"""Numbers of announcements, as written by the ministry and in the corpus."""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Any

from msgspec import Struct

from tracker.domain.basics.toml_files import read_toml

BRACKETED_YEAR = r"[\[(〔]?\s*+(?P<year>20[0-9]{2}|19[0-9]{2})\s*+[\])〕]?\s*+年?"
CHINESE = re.compile(  # possessive quantifier, so that runs of spaces cause no backtracking
    rf"(?P<who>[^0-9。,;:《》]{{0,60}}?)公告\s*+{BRACKETED_YEAR}\s*+第?\s*+(?P<serial>[0-9]{{1,4}})\s*+号"
)
ENGLISH = re.compile(
    r"Announcement\s+(?:\(?(?P<year_first>20[0-9]{2}|19[0-9]{2})\)?,?\s+)?No\.?\s*"
    r"(?P<serial>[0-9]{1,4})(?:\s*(?:of|,|\()\s*(?P<year>20[0-9]{2}|19[0-9]{2}))?",
    re.IGNORECASE,
)
LABELLED = re.compile(r"[【\[]?(?:发布文号|发文文号|文号|发文字号)[】\]]?\s*:?\s*(?P<number>.+)")
BETWEEN = re.compile(r"^(?:[\s、,和与]|中华人民共和国)+")
"""Separators between the names of issuers."""
ISSUED_BY = re.compile(r"[【\[]?(?:发布单位|发文单位|发文机关)[】\]]?\s*:?\s*(?P<who>.+)")


class ActNumber(Struct, frozen=True):
    """Number of an announcement: the year, its number in it, and its issuers.

    `issuers` are as in the corpus; empty if one of them is unknown. `own` is true if the ministry is named
    first, so that the number is in its own series.
    """

    year: int
    serial: int
    issuers: tuple[str, ...] = ("MOFCOM",)
    own: bool = True

    @property
    def item(self) -> str:
        """Return the item name of the act, without its issuers."""
        return f"announcement-{self.year}-{self.serial}"

    @property
    def instrument(self) -> str | None:
        """Return the citation in the format of the corpus: `MOFCOM, MIIT, GAC & SCA Announcement 2024 No.
        51`."""
        if not self.issuers:
            return None
        *others, last = self.issuers
        issuers = f"{', '.join(others)} & {last}" if others else last
        return f"{issuers} Announcement {self.year} No. {self.serial}"


def number_in(title: str, lines: Sequence[str] = ()) -> ActNumber | None:
    """Return the number of an act, from its title or the labelled lines of its page, never from citations
    in its text."""
    title = plain(title)
    match = CHINESE.search(title)
    if match is None and (match := ENGLISH.search(title)):
        return _english(match, title)
    labelled = (LABELLED.match(plain(line)) for line in lines)
    if match is None:
        match = next(
            (m for label in labelled if label and (m := CHINESE.search(label["number"]))), None
        )
    if match is None:
        return None
    issued = next((m["who"] for line in lines if (m := ISSUED_BY.match(plain(line)))), "")
    issuer_text = match["who"].strip() or issued or "商务部"
    issuers = _issuers(issuer_text)
    own = issuers[0] == "MOFCOM" if issuers else issuer_text.startswith("商务部")
    return ActNumber(int(match["year"]), int(match["serial"]), issuers, own)


def _english(match: re.Match[str], title: str) -> ActNumber | None:
    year = match["year"] or match["year_first"]
    if year is None:
        return None
    named = words()["english_issuers"]
    places = {title.find(name): short for name, short in named.items() if name in title}
    issuers = tuple(dict.fromkeys(short for _, short in sorted(places.items())))
    return ActNumber(int(year), int(match["serial"]), issuers or ("MOFCOM",))


def _issuers(text: str) -> tuple[str, ...]:
    """Return the issuers in the order of the title; empty if a name is unknown."""
    known: dict[str, str] = words()["issuers"]
    by_length = sorted(known, key=len, reverse=True)
    issuers, rest = [], text
    while rest := BETWEEN.sub("", rest):
        name = next((name for name in by_length if rest.startswith(name)), None)
        if name is None:
            return ()
        issuers.append(known[name])
        rest = rest.removeprefix(name)
    return tuple(dict.fromkeys(issuers))


def plain(text: str) -> str:
    """Return text with half-width digits, letters and signs: `２０２５` as `2025`."""
    return unicodedata.normalize("NFKC", text)


@cache
def words() -> dict[str, dict[str, Any]]:
    """Return the declared words."""
    return read_toml(__file__, "words.toml")
