"""Files of shipments: a line each in CSV, and the same lines with the results of their checks.

The columns of the input are the fields of `ShipmentInput`. A wrong line has its error in its own cells.
"""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from difflib import get_close_matches
from typing import Any
from urllib.parse import quote, urlencode

from msgspec import Struct, structs

from projections.fold.transitions import Transition
from projections.query.as_of import AsOf
from projections.query.moment import Moment
from projections.query.shipments import CheckedShipment
from schema.base.errors import DATABASE_ERRORS, tracker_error
from schema.inputs.input_types import to_camel
from schema.inputs.shipment import SHORT_NAMES, WORDS, shipment_of_texts
from schema.tables.cells import SEPARATOR, escape_formula
from schema.tables.formats import csv_lines
from tracker.domain.basics.control_vocabulary import Direction, VerdictKind
from tracker.domain.shipments.check import Applicable
from tracker.domain.shipments.legs import DISCLAIMER, UnsettledLeg, assumptions
from tracker.domain.shipments.obligations import obligation, with_conditions
from tracker.domain.shipments.shipment import Shipment
from tracker.domain.wording.phrases import place_in_text
from tracker.errors import InvalidInput, TooLarge, TrackerError

MAX_LINES = 1000
MAX_BYTES = 2 * 1024 * 1024
"""Maximum size of a file in bytes."""
COLUMNS = tuple(to_camel(field.name) for field in structs.fields(Shipment))
"""The columns of the input."""
LIST_COLUMNS = ("route", "contents", "answers")
"""The columns with lists, separated by semicolons."""

Line = Mapping[str, str]
"""The cells of a line that are not empty, by column."""


class ShipmentFile(Struct, frozen=True):
    """A file of shipments: its columns, and the cells of its lines, which may be too many or too few."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]

    @staticmethod
    def parse(data: bytes) -> ShipmentFile:
        """Parse a file. Raises InvalidInput or TooLarge if it is no CSV file with these columns."""
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise InvalidInput(
                f"expected text in UTF-8; byte {error.start + 1} is not", code="INVALID_CSV"
            ) from None
        rows = list(_read_rows(text))
        if not rows:
            raise InvalidInput(
                f"expected a first line with columns of {', '.join(COLUMNS)}", code="INVALID_CSV"
            )
        columns = [cell.strip() for cell in rows[0]]
        _check_columns(columns)
        return ShipmentFile(columns, rows[1:])

    def line(self, row: Sequence[str]) -> Line:
        """Return the cells of a row by column. Raises InvalidInput for a wrong number of cells."""
        if len(row) != len(self.columns):
            raise InvalidInput(
                f"expected {len(self.columns)} cells, got {len(row)}", code="WRONG_CELLS"
            )
        cells = zip(self.columns, row, strict=True)
        return {column: text for column, cell in cells if (text := cell.strip())}


def _read_rows(text: str) -> Iterator[list[str]]:
    """Yield the header and the lines; empty lines and lines that begin with `#` are left out."""
    reader, count = csv.reader(io.StringIO(text, newline=""), strict=True), 0
    try:
        for row in reader:
            if not any(row) or row[0].startswith("#"):
                continue
            count += 1
            if count > MAX_LINES + 1:
                raise TooLarge(f"expected at most {MAX_LINES:,} lines below the header")
            yield row
    except csv.Error as error:
        raise InvalidInput(
            f"expected CSV (RFC 4180): line {reader.line_num}: {error}", code="INVALID_CSV"
        ) from None


def _check_columns(columns: Sequence[str]) -> None:
    for column in columns:
        if column not in COLUMNS:
            raise InvalidInput(
                f"{column[:50]!r} is not a column: expected some of {', '.join(COLUMNS)}"
                + _suggestion(column[:50]),
                code="UNKNOWN_COLUMN",
                path=(column[:50],),
            )
        if columns.count(column) > 1:
            raise InvalidInput("expected each column once", code="UNKNOWN_COLUMN", path=(column,))


def _suggestion(column: str) -> str:
    """Return a suggestion for an unknown column: the one of a short name, or the closest one."""
    words = {name.lower(): name for name in COLUMNS} | SHORT_NAMES
    written = column.lower().replace(" ", "_")
    near = get_close_matches(written, words, n=1) or get_close_matches(
        written.replace("_", ""), words, n=1
    )
    return f"; did you mean {words[near[0]]!r}?" if near else ""


def shipment_of(line: Line) -> Shipment:
    """Return the shipment of a line. Raises InvalidInput with the path of the field."""
    texts: dict[str, Any] = {**line}
    for column in LIST_COLUMNS:
        if column in line:
            parts = map(str.strip, line[column].split(";"))
            texts[column] = [part for part in parts if part]
    return shipment_of_texts(texts)


# --- results

Result = Mapping[str, str]
"""The cells of a result by column."""


def _obligation(one: Applicable) -> str:
    exceptions = [of.reason for of in one.exceptions]
    return with_conditions(obligation(one), one.reasons, exceptions)


def _result(checked: CheckedShipment, upcoming: Sequence[Transition]) -> Result:
    findings = checked.findings
    legs = [one for one in findings if isinstance(one, UnsettledLeg)]
    ones = [one.applicable for one in findings if not isinstance(one, UnsettledLeg)]
    export, import_ = (
        checked.duties(kind) for kind in (VerdictKind.EXPORT_DUTY, VerdictKind.IMPORT_DUTY)
    )
    return {
        "verdicts": _joined([*(one.kind.name for one in ones), *(leg.kind.name for leg in legs)]),
        "matches": _joined([*(one.match.name for one in ones), *("" for _ in legs)]),
        "certainties": _joined([*(one.certainty.name for one in ones), *("" for _ in legs)]),
        "clauses": _joined([*("/".join(one.key) for one in ones), *("" for _ in legs)]),
        "obligations": " ".join([*map(_obligation, ones), *(leg.text for leg in legs)]),
        "exportDutyLow": _number(export.low),
        "exportDutyHigh": _number(export.high),
        "importDutyLow": _number(import_.low),
        "importDutyHigh": _number(import_.high),
        "dutyRemarks": " ".join([*export.remarks, *import_.remarks]),
        "dutiesNotCovered": " ".join(
            one.statement
            for one in (export, import_)
            if (one.lines or one.steps) and not one.complete
        ),
        "dutySteps": " ".join(step.text for step in (*export.steps, *import_.steps)),
        "reasons": _joined(dict.fromkeys(reason for one in ones for reason in one.reasons)),
        "exceptions": _joined(dict.fromkeys(one.reason for of in ones for one in of.exceptions)),
        "questions": " ".join(question.text for question, _ in checked.open_questions),
        "questionIds": _joined([question.id for question, _ in checked.open_questions]),
        "notInForce": _joined(["/".join(one.key) for one in checked.check.not_in_force]),
        "upcoming": _joined(
            [f"{one.day} {one.kind.name} {one.after.id}/{one.clause}" for one in upcoming]
        ),
        "firms": " ".join(one.statement for one in checked.firms),
        "assumptions": " ".join(assumptions(checked.check.case.shipment, checked.check.left_out)),
        "completeness": " ".join(
            f"{'Import into' if leg.direction is Direction.IMPORT else 'Export from'}"
            f" {place_in_text(leg.place)}: {of.statement}"
            for leg, of in checked.completeness
            if leg.place
        ),
    }


def _joined(parts: Iterable[str]) -> str:
    return SEPARATOR.join(parts)


def _number(value: Any) -> str:
    return "" if value is None else f"{value:f}"


RESULT_COLUMNS = (
    *("verdicts", "matches", "certainties", "clauses", "obligations"),
    *("exportDutyLow", "exportDutyHigh", "importDutyLow", "importDutyHigh"),
    *("dutyRemarks", "dutiesNotCovered", "dutySteps", "reasons", "exceptions"),
    *("questions", "questionIds", "notInForce", "upcoming", "firms"),
    *("assumptions", "completeness"),
    *("validAt", "position", "receipt", "errorCode", "errorField", "error"),
)
"""The columns after those of the input."""


def receipt_address(line: Line, moment: Mapping[str, str]) -> str:
    """Return the path and the parameters of the receipt of a line: the check of one shipment as a page."""
    parameters = {
        column: ",".join(part.strip() for part in text.split(";") if part.strip())
        if column in LIST_COLUMNS
        else text
        for column, text in line.items()
    }
    for name in WORDS.keys() & parameters.keys():
        parameters[name] = parameters[name].upper()
    values = {**parameters, "valid": moment["validAt"], "position": moment["position"]}
    return f"/check.receipt?{urlencode(values, quote_via=quote)}"


class LineChecker:
    """Checks of the lines of a file at a moment, each in a `slot`.

    `origin` is the scheme and host of the server, for the addresses of receipts.
    """

    def __init__(
        self,
        as_of: AsOf,
        moment: Moment,
        file: ShipmentFile,
        slot: Callable[[], AbstractAsyncContextManager[None]] = nullcontext,
        origin: str = "",
    ):
        self._as_of = as_of
        self._moment = moment
        self._file = file
        self._slot = slot
        self._origin = origin
        self.errors = 0
        """The number of lines with an error so far."""

    async def lines(self) -> AsyncGenerator[bytes, None]:
        """Yield a comment with the disclaimer and the header, and then each line with its result."""
        columns = self._file.columns
        header = csv_lines([[*columns, *RESULT_COLUMNS]])
        yield f"# {DISCLAIMER}\r\n{header}".encode()
        at = {"validAt": self._moment.valid_at.isoformat(), "position": str(self._moment.position)}
        for row in self._file.rows:
            async with self._slot():
                result = {**at, **await self._check(row, at)}
            cells = [*row[: len(columns)], *[""] * (len(columns) - len(row))]
            texts = [*cells, *(result.get(one, "") for one in RESULT_COLUMNS)]
            yield csv_lines([[*map(escape_formula, texts)]]).encode()

    async def _check(self, row: Sequence[str], at: Mapping[str, str]) -> Result:
        """Return the results of a line, or its error."""
        shipments = self._as_of.shipments
        try:
            line = self._file.line(row)
            checked = await shipments.check(shipment_of(line), self._moment)
            upcoming = await shipments.upcoming(checked.check, self._moment)
            receipt = f"{self._origin}{receipt_address(line, at)}"
            return {**_result(checked, upcoming), "receipt": receipt}
        except (TrackerError, *DATABASE_ERRORS) as error:
            problem = tracker_error(error)
        self.errors += 1
        return {
            "errorCode": problem.code,
            "errorField": ".".join(map(str, problem.path)),
            "error": problem.message,
        }
