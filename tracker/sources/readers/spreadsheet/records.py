"""Converts a row of a spreadsheet to facts: a control, an announcement or a figure.

A row with a value is a figure, one with a measure is a control, any other is an announcement. Missing data
are not inferred: a control that is in force, suspended or ended needs its day.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from msgspec import Struct

from tracker.domain.actors.announcement import Made
from tracker.domain.basics.control_vocabulary import ClauseStatus, Covers, Direction
from tracker.domain.basics.units import Unit
from tracker.domain.basics.values import PartialDate, Quantity
from tracker.domain.basics.vocabulary import AnnouncementKind, Checked, Stage, Statistic
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.catalogue.places import Place
from tracker.domain.controls.clause import Clause
from tracker.domain.controls.export_control_acts import (
    Announced,
    EnteredIntoForce,
    Expired,
    Repealed,
    Suspended,
)
from tracker.domain.entities.fact import Fact, Source
from tracker.domain.figures.figure_facts import Claimed, Series
from tracker.errors import InvalidInput
from tracker.sources import parsing
from tracker.sources.column_mapping import (
    CONTROLS,
    FIELDS,
    FIGURES,
    ColumnMapping,
    default_publisher,
)
from tracker.sources.ids import claim_id, slug
from tracker.sources.reader import ReadFact, SourceLocation, read_fact

T = TypeVar("T")
MAX_ID_CHARACTERS = 120
COMMON_FIELDS = frozenset(FIELDS) - CONTROLS - FIGURES
"""Fields that are part of an announcement, or are omitted deliberately. The publication date of a list is
one: with it, each later list would look like a correction."""
CONTROL_FIELDS = COMMON_FIELDS | CONTROLS
FIGURE_FIELDS = (COMMON_FIELDS - {"id", "title", "announced"}) | FIGURES
DATE_FIELDS = {
    ClauseStatus.IN_FORCE: "effective",
    ClauseStatus.SUSPENDED: "suspended",
    ClauseStatus.EXPIRED: "ended",
    ClauseStatus.REPEALED: "ended",
}
"""The required day of a control by status."""


class Record(Struct, frozen=True):
    """A row: its content by field, and its other columns as a note."""

    file: str
    line: int
    fields: Mapping[str, str]
    rest: str | None
    meaning: ColumnMapping

    def text(self, field: str) -> str | None:
        """Return the text of a field; None if it is empty."""
        return self.fields.get(field) or None

    def required(self, field: str) -> str:
        """Return the text of a required field. Raises InvalidInput if it is empty."""
        text = self.text(field)
        if text is None:
            raise InvalidInput(f"expected the field {field}", code="FIELD_REQUIRED", path=(field,))
        return text

    def read(self, field: str, how: Callable[[str], T]) -> T | None:
        """Return the parsed value of a field; None if it is empty. Raises InvalidInput."""
        text = self.text(field)
        try:
            return how(text) if text else None
        except InvalidInput as error:
            raise error.below(field) from None

    def day(self, field: str) -> PartialDate | None:
        """Return the date of a field, if it has one. Raises InvalidInput."""
        return self.read(field, lambda text: parsing.day(text, self.meaning.dates))

    def commodities(self) -> tuple[Commodity, ...]:
        """Return the commodities. Raises InvalidInput."""
        return self.read("commodities", parsing.commodities) or ()

    @property
    def issuer(self) -> Place:
        """Return the country. Raises InvalidInput."""
        self.required("jurisdiction")
        place = self.read("jurisdiction", parsing.place)
        assert place is not None
        return place

    def source(self, published: PartialDate) -> Source:
        """Return the list as a source, with the day on which the fact became public through it."""
        return Source(
            publisher=slug(self.required("publisher")),
            name=self.text("source") or default_publisher(self.file),
            published_on=published,
            url=self.read("link", parsing.address),
            reference=f"{self.file}, line {self.line}",
            checked=Checked.DATA_FILE,
        )


def facts(record: Record) -> Iterator[ReadFact]:
    """Return the facts of a row. Raises InvalidInput at the field."""
    at = SourceLocation(record.line)
    if record.text("value"):
        claim = _claim(record)
        yield read_fact(at, claim.series.stream, claim, claim_id(claim))
        return
    id = row_id(record)
    if record.text("measure"):
        yield from (
            read_fact(at, f"export-control/{id}", fact, f"{id}{suffix}")
            for suffix, fact in _control(record)
        )
    else:
        yield read_fact(at, f"announcement/{id}", _announcement(record), id)


def row_id(record: Record) -> str:
    """Return the id of a row: its own, or its jurisdiction and title."""
    own = record.text("id") or f"{record.text('jurisdiction') or ''} {record.required('title')}"
    name = slug(f"{record.required('publisher')} {own}")
    if len(name) <= MAX_ID_CHARACTERS and own.isascii():
        return name
    return f"{name[:MAX_ID_CHARACTERS]}-{hashlib.sha256(own.encode()).hexdigest()[:8]}".replace(
        "--", "-"
    )


def _announcement(record: Record) -> Made:
    return Made(
        source=record.source(_announced(record)),
        on=_announced(record),
        kind=AnnouncementKind.STATEMENT,
        title=record.required("title"),
        actors=(record.issuer,),  # type: ignore[arg-type]  # a place is an actor
        commodities=record.commodities(),
        note=_note(record, COMMON_FIELDS),
    )


def _control(record: Record) -> Iterator[tuple[str, Fact]]:
    """Yield the acts of a control. Each has an id of its own, so that a later file adds acts."""
    status = _status(record)
    if status in DATE_FIELDS and not record.text(DATE_FIELDS[status]):
        raise InvalidInput(
            f"expected its day: the status is {status}",
            code="FIELD_REQUIRED",
            path=(DATE_FIELDS[status],),
        )
    on = _announced(record)
    source = record.source(on)
    undated = None if record.text("announced") else "Dated by its first day in force"
    yield (
        "",
        Announced(
            source=source,
            on=on,
            issuer=record.issuer,
            direction=_direction(record),
            title=record.required("title"),
            clauses=(_clause(record, _direction(record)),),
            instrument=record.text("instrument"),
            note=_note(record, CONTROL_FIELDS, undated),
        ),
    )
    if effective := record.day("effective"):
        yield "+in-force", EnteredIntoForce(source=source, on=on, in_force_from=effective)
    if suspended := record.day("suspended"):
        yield (
            "+suspended",
            Suspended(
                source=source,
                on=suspended,
                suspended_from=suspended,
                suspended_until=record.day("suspended_until"),
            ),
        )
    if ended := record.day("ended"):
        if status is ClauseStatus.REPEALED:
            yield "+repealed", Repealed(source=source, on=ended, repealed_from=ended)
        else:
            yield "+expired", Expired(source=source, on=on, in_force_until=ended)


def _direction(record: Record) -> Direction:
    """Return the direction of a control: as given, as implied by the measure, otherwise exports."""
    text = record.text("direction")
    measure = (record.text("measure") or "").casefold()
    words = (text.casefold().removesuffix("s"),) if text else measure.split()
    direction = next((word for word in words if word in set(Direction)), None)
    if text and not direction:
        raise InvalidInput(
            f"{text!r} is not a direction: expected export, import, production", path=("direction",)
        )
    return Direction(direction or Direction.EXPORT)


def _covers(record: Record) -> Covers:
    text = record.text("covers")
    if text and text.casefold() not in set(Covers):
        raise InvalidInput(f"{text!r}: expected one of {', '.join(Covers)}", path=("covers",))
    return Covers(text.casefold()) if text else Covers.GOODS


def _clause(record: Record, direction: Direction) -> Clause:
    measure = record.required("measure")
    if measure.casefold() not in record.meaning.measures:
        raise InvalidInput(f"{measure!r} is not a measure: map it in [measures]", path=("measure",))
    record.required("commodities")
    destinations, origins = _limits(record, direction)
    return Clause(
        id="1",
        measure=record.meaning.measures[measure.casefold()],
        commodities=record.commodities(),
        covers=_covers(record),
        end_use=record.text("end_use"),
        exemptions=record.text("exemptions"),
        destinations=destinations,
        origins=origins,
    )


def _limits(record: Record, direction: Direction) -> tuple[tuple[Place, ...], tuple[Place, ...]]:
    """Return the destinations and origins of a control. Lists may call the origins of imports
    destinations."""
    named = record.read("destinations", parsing.places) or ()
    origins = record.read("origins", parsing.places) or ()
    if direction is Direction.IMPORT:
        return (), origins or named
    return named, origins


def _status(record: Record) -> ClauseStatus:
    text = record.text("status")
    status = record.meaning.statuses.get(text.casefold()) if text else ClauseStatus.ANNOUNCED
    if status is None:
        raise InvalidInput(f"{text!r} is not a status: map it in [statuses]", path=("status",))
    return status


def _announced(record: Record) -> PartialDate:
    """Return the day of the announcement; for a row without one, the first day in force."""
    on = record.day("announced") or record.day("effective")
    if on is None:
        raise InvalidInput(
            "expected the day of the announcement", code="FIELD_REQUIRED", path=("announced",)
        )
    return on


def _claim(record: Record) -> Claimed:
    goods = record.commodities()
    if len(goods) != 1:
        raise InvalidInput("expected one commodity", path=("commodities",))
    published = record.day("published")
    if published is None:
        raise InvalidInput(
            "expected the day of publication", code="FIELD_REQUIRED", path=("published",)
        )
    source = record.source(published)
    statistic = Statistic(record.text("statistic") or Statistic.PRODUCTION)
    stock = statistic is Statistic.RESERVES
    record.required("year")
    year = record.read("year", parsing.year)
    return Claimed(
        source=source,
        series=Series(
            commodity=goods[0],
            place=record.issuer,
            statistic=statistic,
            stage=None if stock else Stage(record.required("stage")),
            period=None if stock else year,
        ),
        edition=record.text("edition") or f"{source.name} {published}",
        quantity=Quantity(
            unit=Unit(record.required("unit")),
            value=record.read("value", parsing.number),
            basis=record.text("basis"),
        ),
        as_of=year if stock else None,
        note=_note(record, FIGURE_FIELDS),
    )


def _note(record: Record, expressed: frozenset[str], *sentences: str | None) -> str | None:
    """Return the note of a row: columns that have no other field in the fact."""
    left = "; ".join(
        f"{name.replace('_', ' ').capitalize()}: {text}"
        for name, text in record.fields.items()
        if name not in expressed
    )
    return ". ".join(text for text in (*sentences, left, record.rest) if text)[:8000] or None
