"""Reads the supply of the Critical Minerals Dataset of the IEA, in long form, as claims on output.

Source: International Energy Agency, www.iea.org. The columns and the words on the basis are those of the copy
that this project took. The edition of May 2025 has output of 2024 and a base case for 2030 to 2040.

- The row `Rest of world` counts a named place twice in some blocks, so its number is the total less the named
  places.
- Graphite is natural at the mine. At the refinery it is battery grade, natural and synthetic: anode
  materials. Rare earths are four elements of magnets, in a form of their own. So they are never compared with
  figures of all graphite or all rare earths.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from msgspec import Struct

from tracker.domain.basics.units import Unit
from tracker.domain.basics.values import PartialDate, Quantity
from tracker.domain.basics.vocabulary import Checked, Stage, Statistic
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.catalogue.places import Place, find_place
from tracker.domain.entities.fact import Source
from tracker.domain.figures.figure_facts import Claimed, Series
from tracker.errors import InvalidInput
from tracker.sources import reader
from tracker.sources.ids import claim_id
from tracker.sources.parsing import number, year
from tracker.sources.text_files import Row, head_rows, rows

COLUMNS = (
    *("edition", "mineral", "mineral_in_words", "stage", "place", "year", "kind", "case", "value"),
    *("unit", "basis", "source", "line", "note"),
)
MAX_BYTES = 16 * 1024 * 1024
PUBLISHED_ON = {"IEA Critical Minerals Dataset, May 2025": PartialDate("2025-05-21")}
"""The days of editions."""
ADDRESS = "https://www.iea.org/data-and-statistics/data-product/critical-minerals-dataset"
STATISTICS = {"observed": Statistic.PRODUCTION, "projection": Statistic.PRODUCTION_PROJECTION}
STAGES = {"mining": Stage.MINE, "refining": Stage.REFINERY}
TOTAL, REST, TOP = "total", "rest of world", "top "
PLACES = {TOTAL: Place("WORLD"), REST: Place("OTHER")}
SAME = Decimal("0.000001")
"""The largest difference, in the unit of the file, that the publisher's own arithmetic explains."""


class Subject(Struct, frozen=True):
    """The commodity and product of a mineral at a stage, and the basis if the file states none."""

    commodity: Commodity
    form: str | None = None
    basis: str | None = None


SUBJECTS = {
    **{
        (name, stage): Subject(Commodity(name))
        for name in ("copper", "cobalt", "lithium", "nickel")
        for stage in STAGES
    },
    ("graphite", "mining"): Subject(
        Commodity("graphite"), basis="natural graphite (IEA); weight not stated"
    ),
    ("graphite", "refining"): Subject(
        Commodity("anode_materials"),
        "battery_grade",
        "battery-grade graphite, natural spherical and synthetic (IEA); weight not stated",
    ),
    **{
        ("rare earth elements", stage): Subject(Commodity("rare_earths"), "magnet_rare_earths")
        for stage in STAGES
    },
}
"""Subjects by the mineral and stage of the file, in lower case."""


class Record:
    """A row of the file, by the names of its columns."""

    def __init__(self, row: Row, names: Mapping[str, int]):
        self.line = row.line
        self.fields = {name: row.at(index) for name, index in names.items()}

    def __getitem__(self, name: str) -> str:
        return self.fields[name]

    @property
    def place(self) -> str:
        """The place in lower case."""
        return self["place"].casefold()

    @property
    def block(self) -> tuple[str, ...]:
        """The fields that the rows of one total have in common."""
        return tuple([self[name] for name in ("edition", "mineral", "stage", "year", "case")])

    @property
    def subject(self) -> tuple[str, str]:
        """The mineral and the stage in lower case."""
        return self["mineral"].casefold(), self["stage"].casefold()


def recognise(head: bytes, name: str) -> bool:
    """Return whether a file has the columns of the long form."""
    return any({field.strip() for field in row.fields} >= {*COLUMNS} for row in head_rows(head, 1))


def read(file: reader.File) -> Iterator[reader.Item]:
    """Yield all rows of a file as claims and refusals."""
    records = list(_records(file.at_most(MAX_BYTES)))
    blocks = defaultdict[tuple[str, ...], list[Record]](list)
    for record in records:
        blocks[record.block].append(record)
    both = _equal_at_both_stages(records)
    for record in records:
        at = reader.SourceLocation(record.line, "value")
        text = " ".join([*record.block[1:4], record["place"]])
        if record.place.startswith(TOP):
            reason = "a share of the first places of the file, which are not the largest"
            yield reader.RefusedItem(at, reason, text, "LEFT_OUT")
            continue
        try:
            claim = _claim(file, record, blocks[record.block], _key(record) in both)
            yield reader.read_fact(at, claim.stream, claim, claim_id(claim))
        except InvalidInput as error:
            yield reader.RefusedItem.because(at, error, text)


def _records(file: reader.File) -> Iterator[Record]:
    table = rows(file)
    header = next(table, None)
    names = {name.strip(): index for index, name in enumerate(header.fields)} if header else {}
    if not names.keys() >= {*COLUMNS}:
        raise reader.unreadable(file, "expected the columns " + ", ".join(COLUMNS))
    return (Record(row, names) for row in table)


def _claim(
    file: reader.File, record: Record, block: Iterable[Record], at_both_stages: bool
) -> Claimed:
    published_on = PUBLISHED_ON.get(record["edition"])
    if published_on is None:
        raise InvalidInput(
            f"unknown edition {record['edition']!r}: expected one of {', '.join(PUBLISHED_ON)}"
        )
    subject = SUBJECTS.get(record.subject)
    if subject is None:
        raise InvalidInput(f"no product is declared for {record['mineral']} ({record['stage']})")
    statistic = STATISTICS.get(record["kind"])
    if statistic is None or bool(record["case"]) != (record["kind"] == "projection"):
        raise InvalidInput(
            f"expected observed, or projection with its case, got {record['kind']!r} {record['case']!r}"
        )
    basis = [subject.basis or record["basis"], record["case"]]
    value, note = _value(record, block)
    notes = [
        note,
        "The publisher has the same number at mining and refining." if at_both_stages else "",
    ]
    return Claimed(
        source=Source(
            publisher="iea",
            name="IEA Critical Minerals Dataset",
            published_on=published_on,
            url=ADDRESS,
            reference=f"{file.name}, line {record.line}; {record['source']}, line {record['line']}",
            checked=Checked.DATA_FILE,
        ),
        series=Series(
            commodity=subject.commodity,
            place=_place(record),
            statistic=statistic,
            stage=STAGES[record["stage"].casefold()],
            form=subject.form,
            period=year(record["year"]),
        ),
        edition=record["edition"],
        quantity=Quantity(
            unit=Unit(record["unit"]), value=value, basis="; ".join(filter(None, basis))
        ),
        note=" ".join(filter(None, notes)) or None,
    )


def _place(record: Record) -> Place:
    place = PLACES.get(record.place) or find_place(record["place"])
    if place is None:
        raise InvalidInput(f"unknown place {record['place']!r}", code="UNKNOWN_PLACE")
    return place


def _value(record: Record, block: Iterable[Record]) -> tuple[Decimal, str]:
    """Return the number of a row and a note: of the rest of the world, the total less named places."""
    printed = number(record["value"])
    if record.place != REST:
        return printed, ""
    others = {one.place: number(one["value"]) for one in block if one is not record}
    total = others.pop(TOTAL, None)
    if total is None:
        raise InvalidInput("expected a row Total: this row is the total less the named places")
    named = [value for place, value in others.items() if not place.startswith(TOP)]
    rest = (total - sum(named, Decimal(0))).quantize(SAME)
    if abs(rest - printed) <= SAME:
        return printed, ""
    return rest, (
        f"The total less the named places. The publisher's row has {printed:f}, which counts a named"
        " place again."
    )


def _key(record: Record) -> tuple[str, ...]:
    return record["mineral"], record["place"], record["year"], record["case"], record["value"]


def _equal_at_both_stages(records: Iterable[Record]) -> set[tuple[str, ...]]:
    """Return the places and years with one and the same number above 0 at both stages."""
    stages = defaultdict[tuple[str, ...], set[str]](set)
    for record in records:
        if record.place not in PLACES:
            stages[_key(record)].add(record["stage"])
    return {key for key, at in stages.items() if len(at) > 1 and key[-1].strip("0.")}


READER = reader.Reader(
    name="iea",
    title="IEA Critical Minerals Dataset: supply by country in long form, with the base case",
    version="1",
    licence="CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/): name the IEA, the edition and changes",
    example="iea-supply-2025.csv",
    recognise=recognise,
    read=read,
)
