"""Reads BGS World Mineral Statistics from its API, in CSV or JSON, as claims on output.

Source: British Geological Survey, ogcapi.bgs.ac.uk, collection world-mineral-statistics. The data are revised
continuously and have no editions. Each download is one edition, named after its day, which is in the name of
the file (`bgs-2026-05-20.csv`) or is given.
"""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cache, partial
from typing import Any

import pycountry
from msgspec import Struct

from tracker.domain.basics.toml_files import read_toml
from tracker.domain.basics.units import Unit
from tracker.domain.basics.values import PartialDate, Quantity
from tracker.domain.basics.vocabulary import Checked, Qualifier, Stage, Statistic
from tracker.domain.catalogue.commodities import Commodity, find_commodity
from tracker.domain.catalogue.places import Place, find_place
from tracker.domain.entities.fact import Source
from tracker.domain.figures.figure_facts import Claimed, Series
from tracker.errors import InvalidInput
from tracker.sources.column_mapping import ColumnMapping
from tracker.sources.ids import claim_id, slug
from tracker.sources.parsing import number
from tracker.sources.reader import (
    File,
    Item,
    Reader,
    RefusedItem,
    SourceLocation,
    dotted_path,
    read_fact,
    unreadable,
)
from tracker.sources.readers.bgs_features import is_collection, read_features
from tracker.sources.text_files import head_rows, in_utf8, rows

COLUMNS = {"country_iso3_code", "year", "quantity", "units", "bgs_statistic_type_trans"}
MAX_PAGE_BYTES = 64 * 1024 * 1024
"""Maximum size of a page of features."""
NAMES = ("bgs_commodity_trans", "erml_commodity")
"""Columns with the commodity, the more specific first."""
DAY = re.compile(r"[0-9]{4}-[0-9]{2}(?:-[0-9]{2})?")
YEAR = re.compile("[0-9]{4}")
BY_STAGE = re.compile(r"(?P<what>[^,(]+?)(?:, ?| ?\()(?P<how>mine|smelter|refin)", re.IGNORECASE)
STAGES = {"mine": Stage.MINE, "smelter": Stage.SMELTER, "refin": Stage.REFINERY}
UNITS = {
    "tonnes": "t",
    "thousand tonnes": "kt",
    "million tonnes": "Mt",
    "kilograms": "kg",
    "carats": "ct",
    "thousand carats": "kct",
    "million cubic metres": "Mm3",
}
UNIT = re.compile(r"(?P<unit>[^(]+?)(?: \((?P<basis>[^)]+)\))?")
SMALLER_THAN_TODAY = frozenset({"german federal republic"})
"""Present states at a time when they were smaller: their figures are for another area."""


class Subject(Struct, frozen=True):
    """The commodity, stage and basis of a publisher's commodity."""

    commodity: Commodity
    stage: Stage
    basis: str | None = None


def recognise(head: bytes, name: str) -> bool:
    """Return whether a file has the columns of the API, or is a page of its features."""
    if is_collection(head):
        return True
    names = {name.strip() for row in head_rows(head, 1) for name in row.fields}
    return names >= COLUMNS and bool(names & set(NAMES))


def read(published: str | None, file: File) -> Iterator[Item]:
    """Yield all rows of a file as claims and refusals."""
    day = _day(published, file)
    if is_collection(file.head()):
        yield from _items_of_features(file, day)
    else:
        yield from _items_of_table(file, day)


def _items_of_features(file: File, day: PartialDate) -> Iterator[Item]:
    """Yield the features of a page. One with other fields makes all of it unreadable."""
    with in_utf8(file.at_most(MAX_PAGE_BYTES)) as opened:
        content = opened.read()
    try:
        features = read_features(content)
    except InvalidInput as error:
        where = f"{dotted_path(error)}: " if error.path else ""
        raise unreadable(file, f"{where}{error.message}") from None
    for index, field in enumerate(features):
        where = f"features.{index}"
        yield _item(field, day, f"{file.name}, {where}", SourceLocation(1, where))


def _items_of_table(file: File, day: PartialDate) -> Iterator[Item]:
    table = rows(file)
    header = next(table, None)
    names = [name.strip() for name in header.fields] if header else []
    if not set(names) >= COLUMNS:
        raise unreadable(file, "expected the columns " + ", ".join(sorted(COLUMNS)))
    for row in table:
        if len(row.fields) != len(names):
            yield RefusedItem(
                SourceLocation(row.line),
                f"expected {len(names)} fields, got {len(row.fields)}: the file may be cut off",
            )
            continue
        field = {name: row.at(index) for index, name in enumerate(names)}
        yield _item(field, day, f"{file.name}, line {row.line}", SourceLocation(row.line))


def _day(published: str | None, file: File) -> PartialDate:
    match = DAY.search(file.name)
    if published is None and match is None:
        raise unreadable(
            file,
            "expected the day of the download in the name of the file"
            " (bgs-2026-05-20.csv), or by --set published=2026-05-20",
        )
    return PartialDate(published or (match[0] if match else ""))


def _item(field: Mapping[str, str], day: PartialDate, where: str, at: SourceLocation) -> Item:
    refused = partial(
        RefusedItem,
        at,
        text=" ".join(field.get(name, "") for name in (NAMES[0], "country_trans", "year")),
    )
    if field["bgs_statistic_type_trans"] != "Production":
        return refused(f"no production: {field['bgs_statistic_type_trans']}", code="LEFT_OUT")
    name = next((field[name] for name in NAMES if field.get(name)), "")
    about = subject(name)
    if about is None:
        return refused(f"no commodity is declared for {name!r}", code="UNKNOWN_COMMODITY")
    try:
        claim = _claim(field, about, day, where)
        at = SourceLocation(at.line, at.column or "quantity")
        return read_fact(at, claim.series.stream, claim, claim_id(claim))
    except InvalidInput as error:
        return refused(error.message, code=error.code)


def subject(name: str) -> Subject | None:
    """Return the subject of a publisher's name; None if it is unknown."""
    declared = _declared().get(name.casefold())
    if declared:
        return Subject(
            Commodity(declared["commodity"]), Stage(declared["stage"]), declared.get("basis")
        )
    match = BY_STAGE.match(name)
    commodity = find_commodity(match["what"]) if match else None
    return Subject(commodity, STAGES[match["how"].lower()]) if match and commodity else None


def _claim(field: Mapping[str, str], about: Subject, day: PartialDate, where: str) -> Claimed:
    place = country(field)
    if not YEAR.match(field["year"]):
        raise InvalidInput(f"unknown year {field['year']!r}")
    quantity = _quantity(field, about)
    return Claimed(
        source=Source(
            publisher="bgs",
            name="BGS World Mineral Statistics",
            published_on=day,
            url="https://ogcapi.bgs.ac.uk/collections/world-mineral-statistics",
            reference=where,
            checked=Checked.DATA_FILE,
        ),
        series=Series(
            commodity=about.commodity,
            place=place,
            statistic=Statistic.PRODUCTION,
            stage=about.stage,
            form=_form(field),
            period=int(field["year"][:4]),
        ),
        edition=f"WMS {day}",
        quantity=quantity,
        note="; ".join(_notes(field)) or None,
    )


def country(field: Mapping[str, str]) -> Place:
    """Return the place of a row. Raises InvalidInput if its codes and its name contradict each other.

    The publisher gives Congo (Brazzaville) the three letters of Congo (Kinshasa): its name and its two
    letters decide.
    """
    name, two = field.get("country_trans", ""), field.get("country_iso2_code", "")
    if name.casefold() in SMALLER_THAN_TODAY:
        raise InvalidInput(f"{name} is not a country of today")
    if (former := find_place(name)) and former.last_day:
        return former  # under the codes of a present state
    known = pycountry.countries.get(alpha_3=field["country_iso3_code"])
    three = known.alpha_2 if known else None
    by_name = find_place(name)
    if two and three and two != three:
        if by_name != two:
            raise InvalidInput(
                f"{name}: the codes {two} and {field['country_iso3_code']} are of"
                " different countries"
            )
        return Place(two)
    code = three or two or by_name
    if not code:
        raise InvalidInput(f"unknown country {name or field['country_iso3_code']!r}")
    return Place(code)


def _quantity(field: Mapping[str, str], about: Subject) -> Quantity:
    match = UNIT.fullmatch(field["units"].lower())
    unit_text = match["unit"] if match else field["units"]
    basis = match["basis"] if match and match["basis"] != "metric" else None
    value, qualifier = _value(field)
    return Quantity(
        unit=Unit(UNITS.get(unit_text, unit_text)),
        value=value,
        qualifier=qualifier,
        basis=basis or about.basis,
        estimated="Estimates." in _figure_notes(field),
    )


def _value(field: Mapping[str, str]) -> tuple[Decimal | None, Qualifier | None]:
    """Return the number and its qualifier; SDMX codes: O missing, N less than half the unit."""
    precision, code = field.get("data_precision_description", "").lower(), field.get("sdmx_code")
    if precision.startswith("nil"):
        return Decimal(0), Qualifier.NIL
    if code == "N" or "less than" in precision:
        return Decimal("0.5"), Qualifier.LESS_THAN
    if code == "O" or "not available" in precision:
        return None, Qualifier.NOT_AVAILABLE
    if not field["quantity"]:
        raise InvalidInput("blank, and nothing says what it stands for")
    return number(field["quantity"]), None


def _form(field: Mapping[str, str]) -> str | None:
    """Return the product of the row, if the commodity has several."""
    sub = field.get("bgs_sub_commodity_trans", "")
    same = sub.casefold() in ("", "unknown", field.get("bgs_commodity_trans", "").casefold())
    return None if same else slug(sub).replace("-", "_")[:60].strip("_")


def _figure_notes(field: Mapping[str, str]) -> list[str]:
    return [note.strip() for note in field.get("concat_figure_notes_text", "").split("|") if note]


def _notes(field: Mapping[str, str]) -> Iterator[str]:
    yield from (note for note in _figure_notes(field) if note != "Estimates.")
    if table := field.get("concat_table_notes_text"):
        yield table.replace("|", " ")[:4000]


@cache
def _declared() -> dict[str, Any]:
    return read_toml(__file__)


def reader(meaning: ColumnMapping) -> Reader:
    """Return a reader of downloads of a given day."""
    return Reader(
        name="bgs",
        title="BGS World Mineral Statistics: production by country (CSV or JSON of the API)",
        version="1",
        licence="BGS copyright, use by permission of the British Geological Survey",
        example="bgs-2026-05-20.csv",
        recognise=recognise,
        read=partial(read, meaning.constants.get("published")),
        with_mapping=reader,
    )


READER = reader(ColumnMapping())
