"""Dates as publishers write them: in a declared order, with month names of a declared language.

A format has `%d` (day), `%m` (month as a number), `%B` and `%b` (full and abbreviated name), `%Y` (year) and
literal text: `%d de %B de %Y`. Nothing is guessed: the format alone decides what 03/04/2025 means.
"""

import re
import unicodedata
from datetime import date
from functools import cache

from msgspec import Struct

from tracker.domain.basics.toml_files import read_toml
from tracker.errors import InvalidInput

TOKENS = re.compile(r"%(.)|(\s+)")
YEARS = range(1900, 2101)
"""Accepted years. Years of other calendars (Thailand: 2569, Iran: 1405) would make all notices look old,
so that none were ever new."""
DAY = r"(?P<d>[0-9]{1,2})(?:er|o|°|\.)?"
"""Pattern of a day of the month: the first is `1er` in French, and `1º` in Spanish, which is read as `1o`."""


class DayFormat(Struct, frozen=True):
    """A date format in a language."""

    pattern: re.Pattern[str]
    months: dict[str, int]

    def find(self, text: str) -> date | None:
        """Return the date in a text; None if there is none, there are different ones, or it is not a valid
        Gregorian date."""
        days = {self._day(match) for match in self.pattern.finditer(_plain(text))}
        return days.pop() if len(days) == 1 else None

    def _day(self, match: re.Match[str]) -> date | None:
        parts = match.groupdict()
        month = int(parts["m"]) if parts.get("m") else self.months.get(parts.get("B") or "")
        if int(parts["Y"]) not in YEARS:
            return None
        try:
            return date(int(parts["Y"]), month or 0, int(parts["d"]))
        except ValueError:
            return None


@cache
def day_format(form: str, language: str) -> DayFormat:
    """Parse a date format.

    Raises InvalidInput for a format without day, month and year, with an unknown token, or with month names
    of an unknown language.
    """
    kinds = re.findall("%(.)", form)
    if sorted("B" if kind in "Bbm" else kind for kind in kinds) != ["B", "Y", "d"]:
        raise InvalidInput(
            f"{form!r} is not a format of days: expected %d, %Y and one of %m, %B and %b, each once"
        )
    months = _months(language, "short" if "b" in kinds else "long") if "m" not in kinds else {}
    pattern = _pattern(form, months)
    return DayFormat(re.compile(rf"(?<![0-9]){pattern}(?![0-9])"), months)


def _pattern(form: str, months: dict[str, int]) -> str:
    names = "|".join(sorted(map(re.escape, months), key=len, reverse=True))
    month = rf"(?P<B>{names})\.?"
    parts = {"d": DAY, "m": "(?P<m>[0-9]{1,2})", "B": month, "b": month, "Y": "(?P<Y>[0-9]{4})"}
    pattern, end = "", 0
    for token in TOKENS.finditer(form):
        pattern += re.escape(_plain(form[end : token.start()]))
        pattern += parts[token[1]] if token[1] else r"\s+"
        end = token.end()
    return pattern + re.escape(_plain(form[end:]))


def _plain(text: str) -> str:
    """Return text in lower case without accents: `Février`, `FEVRIER` and `février` are one month."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()


def _months(language: str, length: str) -> dict[str, int]:
    declared = _declared().get(language.partition("-")[0])
    if declared is None:
        raise InvalidInput(
            f"no names of months are declared for the language {language!r}: expected one of "
            + ", ".join(_declared())
        )
    return {_plain(name): number for number, name in enumerate(declared[length], 1)}


@cache
def _declared() -> dict[str, dict[str, list[str]]]:
    return read_toml(__file__, "months.toml")
