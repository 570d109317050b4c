"""English phrases for dates, quantities, places and lists in sentences. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from tracker.domain.basics.values import PartialDate, Precision, Quantity
from tracker.domain.basics.vocabulary import Measure, Qualifier
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.catalogue.places import Actor, Place
from tracker.domain.catalogue.publishers import publishers

MEASURES = {measure.value: measure.phrase for measure in Measure}
MAX_LISTED = 5
"""Maximum number of list items that are named individually."""
MAX_TEXT_CHARACTERS = 200
"""Maximum number of characters shown of running text."""
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
ARTICLE_BEFORE = ("United ", "Democratic Republic", "Central African", "Soviet ", "Isle ")
ARTICLE_WITH_END = (
    *(" Union", " Islands", " Republic", " Territory", " Territories"),
    *("Bahamas", "Comoros", "Gambia", "Maldives", "Netherlands", "Philippines"),
)
"""Beginnings and ends of names with an article in a sentence: `the United States`."""
BODIES = (" Agency", " Commission", " Organization", " Survey")
"""Ends of names of authorities and publishers with an article in a sentence."""
IN_LOWER_CASE = {"WORLD": "the world", "OTHER": "other countries"}
"""Names in a sentence of groups without a proper name."""


def date_phrase(date_: PartialDate | date) -> str:
    """Return a date for people, with its recorded precision: `9 November 2025`, `March 2026`, `2029`."""
    if isinstance(date_, date):
        return f"{date_.day} {MONTHS[date_.month - 1]} {date_.year}"
    first = date_.first
    match date_.precision:
        case Precision.DAY:
            return date_phrase(first)
        case Precision.MONTH:
            return f"{MONTHS[first.month - 1]} {first.year}"
    return str(first.year)


def on_phrase(day: PartialDate) -> str:
    """Return the time of an event: `on 9 November 2025`, `in March 2026`, `in 2029`."""
    return f"{'on' if day.precision is Precision.DAY else 'in'} {date_phrase(day)}"


def list_phrase(items: Iterable[str], conjunction: str = "and", most: int = MAX_LISTED) -> str:
    """Return items with commas: `A, B and C`; of a long list the first ones and the number of others."""
    distinct = list(dict.fromkeys(items))
    if len(distinct) > most:
        return f"{', '.join(distinct[: most - 1])} {conjunction} {len(distinct) - most + 1} more"
    return f" {conjunction} ".join([*filter(None, [", ".join(distinct[:-1])]), *distinct[-1:]])


def word_phrase(word: str) -> str:
    """Return a word of a vocabulary or of the API for people: `dual-use licence`, `in force`."""
    return MEASURES.get(word.lower()) or word.lower().replace("_", " ")


def commodities_phrase(
    goods: Iterable[str], conjunction: str = "and", most: int = MAX_LISTED
) -> str:
    """Return the names of commodities, `most` of them at most."""
    names = (_in_running_text(Commodity(id).name) for id in goods)
    return list_phrase(names, conjunction, most)


def _in_running_text(name: str) -> str:
    """Return a name without its initial capital."""
    return name[:1].lower() + name[1:]


def place_in_text(code: str) -> str:
    """Return the English name of a place for a sentence: `the United States`, `the world`."""
    return IN_LOWER_CASE.get(code) or with_article(Place(code).name)


def with_article(name: str) -> str:
    """Return the name of a place with its article: `the United States`, `China`."""
    has_article = name.startswith(ARTICLE_BEFORE) or name.endswith(ARTICLE_WITH_END)
    return f"the {name}" if has_article else name


def with_capital(text: str) -> str:
    """Return a text for the beginning of a sentence: `The United States`."""
    return text[:1].upper() + text[1:]


def is_alliance(actor: Actor | str) -> bool:
    """Return whether an actor is an alliance."""
    return actor.islower()


def publisher_phrase(id: str) -> str:
    """Return the name of a publisher, or its short id if it is not declared."""
    known = publishers().get(id)
    return known.name if known else id


def authority_phrase(id: str) -> str:
    """Return the name of an authority or a publisher in a sentence: `the US Geological Survey`, `ARECOMS`."""
    name = publisher_phrase(id)
    if name.startswith("The "):
        return f"the {name.removeprefix('The ')}"
    has_article = (
        " of " in name.partition(",")[0] or name.startswith("US ") or name.endswith(BODIES)
    )
    return f"the {name}" if has_article else name


def quantity_phrase(of: Quantity) -> str:
    """Return a number with its unit and basis, or the reason for its absence: `about 270,000 t (REO)`,
    `withheld`."""
    basis = f" ({of.basis})" if of.basis else ""
    if of.value is None:
        return of.qualifier.phrase if of.qualifier else ""
    number = f"{of.value:,f}" if of.upper is None else f"{of.value:,f} to {of.upper:,f}"
    is_plain = of.qualifier in (None, Qualifier.NIL, Qualifier.RANGE)
    before = "" if is_plain or of.qualifier is None else f"{of.qualifier.phrase} "
    return f"{before}{number} {of.unit}{basis}{', estimated' if of.estimated else ''}"


def beginning(text: str) -> str:
    """Return the beginning of a running text, in one line."""
    line = " ".join(text.split())
    return (
        line if len(line) <= MAX_TEXT_CHARACTERS else f"{line[: MAX_TEXT_CHARACTERS - 1].rstrip()}…"
    )
