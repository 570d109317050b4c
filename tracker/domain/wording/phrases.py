"""English: lists, numbers, plurals, dates, names and words in sentences. Pure.

Everything that speaks to people makes its sentences from these phrases.
"""

import re
from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal, InvalidOperation

from tracker.domain.basics.control_vocabulary import Measure
from tracker.domain.basics.values import PartialDate, Precision, Quantity
from tracker.domain.basics.vocabulary import Qualifier, Stage, Statistic
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.catalogue.places import Actor, Place
from tracker.domain.catalogue.publishers import publishers

LARGE, MILLION = 1000, 10**6
"""Bounds of numbers that are written without decimals, and in millions."""
MAX_LISTED = 4
"""Maximum number of items that are named individually if there are further ones."""
NBSP = "\N{NO-BREAK SPACE}"
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
MEASURES = {measure.value: measure.phrase for measure in Measure}
CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
MAX_TEXT_CHARACTERS = 200
"""Maximum number of characters shown of running text."""
ARTICLE_BEFORE = ("United ", "Republic of ", "Central African", "Soviet ", "Isle ")
ARTICLE_WITH_END = (
    *(" Union", " Islands", " Republic", " Territory", " Territories"),
    *("Bahamas", "Comoros", "Gambia", "Maldives", "Netherlands", "Philippines"),
)
"""Beginnings and ends of names with an article in a sentence: `the United States`."""
BODIES = (" Agency", " Commission", " Organization", " Survey")
"""Ends of names of authorities and publishers with an article in a sentence."""
IN_LOWER_CASE = {"WORLD": "the world", "OTHER": "other countries"}
"""Names in a sentence of groups without a proper name."""


def listed(items: Iterable[str], most: int = MAX_LISTED, conjunction: str = "and") -> str:
    """Return distinct items with commas: `A, B and C`; of more than `most` + 1 the first `most` and the
    number of others."""
    distinct = list(dict.fromkeys(items))
    if len(distinct) > most + 1:
        distinct[most:] = [f"{len(distinct) - most} more"]
    return f" {conjunction} ".join([*filter(None, [", ".join(distinct[:-1])]), *distinct[-1:]])


def number(value: object, missing: str = "") -> str:
    """Return a number with commas between thousands, with all of its digits.

    Large counts of the API are floats, because they may exceed an Int; they are written as integers.
    """
    if value is None:
        return missing
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    try:
        return f"{Decimal(str(value)):,f}"
    except InvalidOperation:
        return str(value)


def rounded(value: Decimal | str) -> str:
    """Return a number with commas, rounded to three significant digits: `182` for 181.796.

    The digits of whole numbers stay, as publishers round them. Only files and the API have all decimals.
    """
    value = Decimal(value)
    if value == value.to_integral_value():
        return f"{value.to_integral_value():,f}"
    near = Decimal(f"{value:.3g}") if abs(value) < LARGE else Decimal(round(value))
    return f"{near:,f}"


def sum_phrase(value: Decimal | str) -> str:
    """Return a calculated sum, in millions from one million on: `514 million` for 513,918,501."""
    millions = Decimal(value) / MILLION
    return f"{Decimal(f'{millions:.3g}'):,f} million" if abs(millions) >= 1 else rounded(value)


def percent(share: object, missing: str = "") -> str:
    """Return a share of one in percent; nothing and the whole have no decimals."""
    if share is None:
        return missing
    value = Decimal(str(share)) * 100
    return f"{value:.{0 if value in (0, 100) else 1}f}{NBSP}%"


def percent_beside(share: object, others: Iterable[object]) -> str:
    """Return a share of one in percent, beside the shares of others: a whole that leaves them nothing is
    `nearly 100 %`, because the total of its publisher is rounded."""
    is_rounded = Decimal(str(share)) >= 1 and any(Decimal(str(other or 0)) > 0 for other in others)
    return f"nearly {percent(1)}" if is_rounded else percent(share)


def many(count: int, noun: str, plural: str | None = None, space: str = NBSP) -> str:
    """Return a number and its noun: `1 clause`, `1,200 clauses`."""
    return f"{count:,}{space}{noun if count == 1 else plural or noun + 's'}"


def amount_phrase(
    value: Decimal | None,
    upper: Decimal | None,
    qualifier: Qualifier | None,
    missing: str = "",
    write: Callable[[Decimal], str] = "{:,f}".format,
) -> str:
    """Return a number with its qualifier, or the reason for its absence: `about 270,000`, `330 to 390`,
    `withheld`."""
    if value is None:
        return qualifier.phrase if qualifier else missing
    if upper is not None:
        return f"{write(value)} to {write(upper)}"
    is_plain = qualifier in (None, Qualifier.NIL)
    return write(value) if is_plain or qualifier is None else f"{qualifier.phrase} {write(value)}"


def quantity_phrase(quantity: Quantity) -> str:
    """Return a number with its unit and basis, or the reason for its absence: `about 270,000 t (REO)`,
    `withheld`."""
    amount = amount_phrase(quantity.value, quantity.upper, quantity.qualifier)
    if quantity.value is None:
        return amount
    basis = f" ({quantity.basis})" if quantity.basis else ""
    return f"{amount} {quantity.unit}{basis}{', estimated' if quantity.estimated else ''}"


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


def until_phrase(last: PartialDate | None) -> str:
    """Return the end of a suspension: `until 9 November 2026`, `until further notice`."""
    return f"until {date_phrase(last)}" if last else "until further notice"


def short_date(day: date | str) -> str:
    """Return a day, month or year without line breaks: `27 Nov 2026`, `Nov 2026`, `2026`."""
    year, *parts = str(day)[:10].split("-")
    month = [MONTHS[int(parts[0]) - 1][:3]] if parts else []
    return NBSP.join([*(str(int(part)) for part in parts[1:]), *month, year])


def short_period(first: date, last: date | None) -> str:
    """Return a period: `3 Dec 2024 to 8 Nov 2025`, `on 3 Dec 2024`, or `from 3 Dec 2024 on`."""
    if last is None:
        return f"from {short_date(first)} on"
    if last <= first:
        return f"on {short_date(first)}"
    return f"{short_date(first)} to {short_date(last)}"


def days_between(start: str, end: str) -> int:
    """Return the number of days between two dates."""
    return (date.fromisoformat(end) - date.fromisoformat(start)).days


def in_days(day: str, since: str) -> str:
    """Return the time between two dates: `in 3 days`, `the same day`, `2 days ago`."""
    count = days_between(since, day)
    if count == 0:
        return "the same day"
    return f"in {many(count, 'day')}" if count > 0 else f"{many(-count, 'day')} ago"


def word_phrase(word: str | None) -> str:
    """Return a word of a vocabulary or of the API for people: `dual-use licence`, `in force`."""
    value = (word or "").lower()
    return MEASURES.get(value) or value.replace("_", " ")


def field_phrase(name: str) -> str:
    """Return the name of a field in words: `suspendedUntil` as `suspended until`."""
    return CAPITAL.sub(" ", name).replace("_", " ").lower()


def paths_phrase(paths: Iterable[str]) -> str:
    """Return fields by their paths in words, each once: `clauses.0.inForceFrom` as `in force from`."""
    fields = (re.sub(r"(\.\d+)+$", "", path).rpartition(".")[2] for path in paths)
    names = [*dict.fromkeys(field_phrase("date" if one == "on" else one) for one in fields)]
    return listed(names, len(names))


def commodities_phrase(
    goods: Iterable[str], conjunction: str = "and", most: int = MAX_LISTED
) -> str:
    """Return the names of commodities, `most` of them at most."""
    names = (in_running_text(Commodity(id).name) for id in goods)
    return listed(names, most, conjunction)


def in_running_text(name: str) -> str:
    """Return a name without its initial capital, unless its first word is an abbreviation: `rare earths`."""
    first = name.partition(" ")[0]
    return name if first[1:] != first[1:].lower() else name[:1].lower() + name[1:]


def place_in_text(code: str) -> str:
    """Return the English name of a place for a sentence: `the United States`, `the world`."""
    return IN_LOWER_CASE.get(code) or with_article(Place(code).name)


def with_article(name: str) -> str:
    """Return the name of a place with its article: `the United States`, `China`."""
    has_article = name.startswith(ARTICLE_BEFORE) or name.endswith(ARTICLE_WITH_END)
    return f"the {name}" if has_article else name


def figure_phrase(statistic: Statistic, stage: Stage | None) -> str:
    """Return the kind of a figure: `mine production`, `share of world mine production`, `reserves`."""
    if stage is None:
        return statistic.phrase
    if statistic is Statistic.PRODUCTION_SHARE:
        return f"share of world {stage.phrase} production"
    return f"{stage.phrase} {statistic.phrase}"


def possessive(name: str) -> str:
    """Return the possessive of a place: `China’s`, `The United States’`."""
    place = with_capital(with_article(name))
    return f"{place}{'’' if place.endswith('s') else '’s'}"


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


def beginning(text: str) -> str:
    """Return the beginning of a running text, in one line."""
    line = " ".join(text.split())
    return (
        line if len(line) <= MAX_TEXT_CHARACTERS else f"{line[: MAX_TEXT_CHARACTERS - 1].rstrip()}…"
    )
