"""Reads the lists of import sources in the long table of MCS 2026: one claim for each list.

A list is printed together and sums to 100 percent. Shares are averages over several years, of a product.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from tracker.domain.basics.units import Unit
from tracker.domain.basics.values import Quantity
from tracker.domain.basics.vocabulary import Statistic
from tracker.domain.catalogue.places import Place, find_place
from tracker.domain.figures.figure_facts import Claimed, Series
from tracker.domain.figures.origins import Origin, Origins
from tracker.errors import InvalidInput
from tracker.sources.reader import RefusedItem
from tracker.sources.readers.usgs import notes, salient_terms
from tracker.sources.readers.usgs.layouts import SectionRow
from tracker.sources.readers.usgs.quantities import Amount, amount
from tracker.sources.readers.usgs.salient_claims import UNITED_STATES, source_day

PERCENT = Unit("percent")
OTHERS = "Other countries"
PERIOD = re.compile(r"(?P<first>\d{4})[-\u2013](?:\d{2})?(?P<last>\d{2})")
HONG_KONG = re.compile(r"Includes Hong Kong\.?|Imports from Hong Kong are included with China\.?")
MEASURED = {
    "Arsenic content calculated": "arsenic content",
    "gross weight of imports": "gross weight",
    "shipping records": "shipping records",
}
"""The measure of a list by phrases of its notes; the first match counts, other lists are by quantity."""
SEVERAL_PLACES = "SEVERAL_PLACES"


def read_list(rows: Sequence[SectionRow]) -> Claimed | list[RefusedItem]:
    """Return the claim of a list, or its rows with the reason why they are refused."""
    try:
        claim = _claim(rows)
        claim.check_recordable()
    except InvalidInput as error:
        return [row.refused(error.message, error.code or SEVERAL_PLACES) for row in rows]
    return claim


def _claim(rows: Sequence[SectionRow]) -> Claimed:
    first = rows[0]
    subject = salient_terms.find_subject(first.field["Commodity"])
    period = PERIOD.fullmatch(first.field["Year"])
    if subject is None:
        raise InvalidInput(
            f"unknown commodity {first.field['Commodity']!r}", code="UNKNOWN_COMMODITY"
        )
    if period is None:
        raise InvalidInput(f"expected the years of an average, got {first.field['Year']!r}")
    detail = first.field["Statistics_detail"]
    form = salient_terms.form_slug(detail)
    remarks = [
        remark
        for remark in salient_terms.REMARK.findall(detail)
        if salient_terms.OF_WEIGHT.fullmatch(remark)
    ]
    text = " ".join(row.field["Notes"] for row in rows)
    return Claimed(
        source=first.edition.source(_reference(rows), source_day(first.edition)),
        series=Series(
            commodity=salient_terms.narrowed(subject.commodity, form).commodity,
            place=UNITED_STATES,
            statistic=Statistic.IMPORT_ORIGINS,
            form=form,
            period=int(period["first"]),
            until=int(period["first"][:2] + period["last"]),
        ),
        edition=first.edition.name,
        quantity=Quantity(
            unit=PERCENT,
            value=Decimal(100),
            basis=next(iter(remarks), None),
            estimated=text.startswith("Estimated"),
        ),
        origins=Origins(
            parts=tuple(_part(row) for row in rows if row.field["Country"] != OTHERS),
            unnamed=next((_share(row) for row in rows if row.field["Country"] == OTHERS), None),
            measured=_measured(subject.commodity, text, remarks),
        ),
        note=notes.joined((detail, *_sentences(rows))),
    )


def _reference(rows: Sequence[SectionRow]) -> str:
    first, last = rows[0], rows[-1]
    lines = f"lines {first.line}-{last.line}" if len(rows) > 1 else f"line {first.line}"
    return f"{first.file}, {lines}, Value"


def _part(row: SectionRow) -> Origin:
    includes = (Place("HK"),) if HONG_KONG.search(row.field["Notes"]) else ()
    return Origin(place=place_of(row.field["Country"]), quantity=_share(row), includes=includes)


def _share(row: SectionRow) -> Quantity:
    stated = amount(row.field["Value"], "", None, PERCENT)
    if not isinstance(stated, Amount):
        raise InvalidInput(stated)
    return Quantity(unit=PERCENT, value=stated.value, qualifier=stated.qualifier)


def place_of(name: str) -> Place:
    """Return the place of an origin. Raises InvalidInput for several places, or an unknown one."""
    place = find_place(re.sub(r"\d+$", "", name.strip()))
    if place:
        return place
    if re.search(r", | and ", name):
        raise InvalidInput(
            f"one number for several places ({name}): no place has a part of its own",
            code=SEVERAL_PLACES,
        )
    raise InvalidInput(f"unknown country {name!r}", code="UNKNOWN_PLACE")


def _measured(commodity: str, text: str, remarks: Iterable[str]) -> str:
    if commodity in salient_terms.declarations()["value_lists"]:
        return "value"
    if "gross weight" in remarks:
        return "gross weight"
    return next((words for phrase, words in MEASURED.items() if phrase in text), "quantity")


def _sentences(rows: Sequence[SectionRow]) -> Iterator[str]:
    """Yield the notes of the rows, each once and without Hong Kong, which is a part's."""
    texts = (row.field["Notes"].split(" -- ") for row in rows)
    for text in dict.fromkeys(text.strip() for parts in texts for text in parts):
        remaining = notes.without_repetitions(HONG_KONG.sub("", text))
        if remaining:
            yield remaining
