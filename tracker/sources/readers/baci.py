"""Reads extracts of BACI, trade flows by HS code that CEPII reconciles, as claims on trade flows.

Source: CEPII, www.cepii.fr. The edition of the Harmonized System and the version are in the name of the file:
`baci_hs17_v202601_2024.csv`. Values are FOB: in thousand US dollars with quantities in tonnes, or in US
dollars without quantities. Places are ISO 3166-1 alpha-3 codes; `S19` is Taiwan.

The rows of one importer, code and year are one claim. If one of them cannot be read, the sum of the others
would be wrong, so the whole flow is refused.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import cache

import pycountry

from tracker.domain.basics.units import Unit
from tracker.domain.basics.values import PartialDate, Quantity
from tracker.domain.basics.vocabulary import Checked, HsEdition, Qualifier
from tracker.domain.catalogue.places import Place
from tracker.domain.entities.fact import Source
from tracker.domain.entities.recordable import check_recordable
from tracker.domain.figures.origins import Origin, Origins
from tracker.domain.figures.trade_flow import FlowClaimed
from tracker.errors import InvalidInput
from tracker.sources import reader
from tracker.sources.ids import flow_id
from tracker.sources.parsing import number, year
from tracker.sources.text_files import Row, head_rows, rows

KEYS = ("year", "exporter", "importer", "hs6")
WITH_WEIGHTS = (*KEYS, "value_kusd", "quantity_t")
VALUES_ONLY = (*KEYS, "value_usd")
MAX_BYTES = 256 * 1024 * 1024
NAME = re.compile(
    r"baci_(?P<edition>hs[0-9]{2})_v(?P<version>(?P<year>[0-9]{4})(?P<month>[0-9]{2}))_"
)
SPECIAL = {"S19": Place("TW")}
"""Codes of BACI that are not in ISO 3166-1: Other Asia, n.e.s."""
ADDRESS = "https://www.cepii.fr/CEPII/en/bdd_modele/bdd_modele_item.asp?id=37"
DOLLARS, TONNES = Unit("USD"), Unit("t")
BASIS = "FOB, reconciled"
Key = tuple[str, str, str]
"""Year, importer and code of a flow, as written."""


def recognise(head: bytes, name: str) -> bool:
    """Return whether a file has the columns of an extract."""
    return any(_columns(row) is not None for row in head_rows(head, 1))


def read(file: reader.File) -> Iterator[reader.Item]:
    """Yield all flows of a file as claims and refusals."""
    match = NAME.search(file.name)
    if match is None or match["edition"] not in set(HsEdition):
        raise reader.unreadable(
            file,
            "expected a name with the edition of the Harmonized System and the version, such as"
            " baci_hs17_v202601_2024.csv",
        )
    table = rows(file.at_most(MAX_BYTES))
    header = next(table, None)
    names = _columns(header) if header else None
    if names is None:
        raise reader.unreadable(
            file, f"expected the columns {', '.join(WITH_WEIGHTS)} or {', '.join(VALUES_ONLY)}"
        )
    flows = defaultdict[Key, list[Row]](list)
    for row in table:
        flows[row.at(0), row.at(2), row.at(3)].append(row)
    for key, parts in flows.items():
        yield from _items(file, match, key, parts, names)


def _columns(header: Row) -> Sequence[str] | None:
    """Return the columns of an extract; None for other files."""
    names = tuple(name.strip() for name in header.fields)
    return names if names in (WITH_WEIGHTS, VALUES_ONLY) else None


def _items(
    file: reader.File, match: re.Match[str], key: Key, parts: Sequence[Row], names: Sequence[str]
) -> Iterator[reader.Item]:
    """Yield the claim of a flow, or a refusal for each of its rows."""
    origins, refused = list[Origin](), list[reader.RefusedItem]()
    for row in parts:
        try:
            origins.append(_origin(row, names))
        except InvalidInput as error:
            refused.append(_refusal(row, error))
    if not refused:
        at = reader.SourceLocation(parts[0].line, names[4])
        try:
            claim = _claim(file, match, key, origins, parts)
            check_recordable(claim)
            yield reader.read_fact(at, claim.stream, claim, flow_id(claim))
        except InvalidInput as error:
            refused = [_refusal(row, error) for row in parts]
    lines = {item.at.line for item in refused}
    yield from refused
    for row in parts if refused else ():
        if row.line not in lines:
            reason = (
                f"another row of this flow is refused (line {min(lines)}): its sum would be wrong"
            )
            yield reader.RefusedItem(
                reader.SourceLocation(row.line), reason, " ".join(row.fields), "LEFT_OUT"
            )


def _refusal(row: Row, error: InvalidInput) -> reader.RefusedItem:
    return reader.RefusedItem.because(reader.SourceLocation(row.line), error, " ".join(row.fields))


def _origin(row: Row, names: Sequence[str]) -> Origin:
    if len(row.fields) != len(names):
        raise InvalidInput(
            f"expected {len(names)} fields, got {len(row.fields)}: the file may be cut off"
        )
    value = number(row.at(4)) * (1000 if names[4] == "value_kusd" else 1)
    weight = row.at(5)
    return Origin(
        place=_place(row.at(1)),
        value=Quantity(unit=DOLLARS, value=_plain(value)),
        quantity=Quantity(unit=TONNES, value=_plain(number(weight))) if weight else None,
    )


def _claim(
    file: reader.File, match: re.Match[str], key: Key, origins: list[Origin], rows: Sequence[Row]
) -> FlowClaimed:
    period, importer, code = key
    origins.sort(key=lambda one: (-_amount(one.value), one.place))
    weights = [one.quantity for one in origins]
    first, last = rows[0].line, rows[-1].line
    where = f"line {first}" if first == last else f"lines {first} to {last}"
    whole = sum(map(_amount, weights), Decimal(0))
    return FlowClaimed(
        source=Source(
            publisher="cepii",
            name="BACI",
            published_on=PartialDate(f"{match['year']}-{match['month']}"),
            url=ADDRESS,
            reference=f"{file.name}, {where}",
            checked=Checked.DATA_FILE,
        ),
        hs_edition=HsEdition(match["edition"]),
        hs_code=code,
        importer=_place(importer),
        year=year(period),
        edition=f"BACI {match['version']}",
        value=Quantity(
            unit=DOLLARS,
            value=sum((_amount(one.value) for one in origins), Decimal(0)),
            basis=BASIS,
        ),
        quantity=Quantity(unit=TONNES, qualifier=Qualifier.NOT_AVAILABLE)
        if None in weights
        else Quantity(unit=TONNES, value=whole),
        origins=Origins(parts=tuple(origins)),
    )


def _amount(of: Quantity | None) -> Decimal:
    return of.value if of and of.value is not None else Decimal(0)


def _plain(value: Decimal) -> Decimal:
    """Return a number without zeros after its last digit: 1876.000 is 1876."""
    return Decimal(f"{value.normalize():f}")


@cache
def _place(code: str) -> Place:
    country = pycountry.countries.get(alpha_3=code)
    place = SPECIAL.get(code) or (Place(country.alpha_2) if country else None)
    if place is None:
        raise InvalidInput(f"unknown place {code!r}", code="UNKNOWN_PLACE")
    return place


READER = reader.Reader(
    name="baci",
    title="BACI of CEPII: trade flows by HS code, importer, origin and year (CSV extract)",
    version="1",
    licence="Etalab Open Licence 2.0: name CEPII, BACI and the version",
    example="baci_hs17_v202601_2024.csv",
    recognise=recognise,
    read=read,
)
