"""Values in facts: dates with a precision, quantities, names, texts."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

import msgspec

from tracker.domain.basics.calendar_days import calendar_day
from tracker.domain.basics.text_rules import MAX_DIGITS, check_not_negative, check_percent
from tracker.domain.basics.units import Unit
from tracker.domain.basics.vocabulary import Qualifier
from tracker.errors import InvalidInput

PARTIAL_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)
DAY = timedelta(days=1)


class Value(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    rename="camel",
    gc=False,
):
    """Base of all values in facts and states: frozen, compared by value."""

    def check_recordable(self) -> None:
        """Reject values that may be in the log, but must not be recorded any more.

        Texts and digits of all fields are checked separately: see `tracker.domain.entities.recordable`.
        Raises InvalidInput with the path of the field.
        """


Name = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
"""A title, a name, a reference: one line."""

Text = Annotated[str, msgspec.Meta(max_length=8000)]
"""Running text."""

COMMITMENT = r"^salted-sha256-v1:[0-9a-f]{64}\Z"
"""The format of a commitment; another scheme would have another prefix."""

Sha256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
"""A SHA-256 as hexadecimal digits."""

Publisher = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*\Z", max_length=100)]
"""The short id of a publisher, such as `usgs`."""


class TextCommitment(Value, frozen=True, kw_only=True):
    """Placeholder in a recorded fact for a text in an annex."""

    commitment: Annotated[str, msgspec.Meta(pattern=COMMITMENT)]


FreeText = Text | TextCommitment
"""Text that may have to be redacted: in an entry it is a commitment, in older entries the text itself."""


class Precision(StrEnum):
    """The precision of a date."""

    YEAR = "year"
    MONTH = "month"
    DAY = "day"


class PartialDate(str):
    """A date as in its source: `2029`, `2026-02` or `2025-11-08` (design rule 10).

    `first` and `last` are the possible days. A start counts from `first`. An end is inclusive and counts up
    to `last`.
    """

    __slots__ = ("first", "last", "precision")
    first: date
    last: date
    precision: Precision

    def __new__(cls, text: str) -> PartialDate:
        match = PARTIAL_DATE.fullmatch(text)
        if not match:
            raise InvalidInput(
                f"{text!r} is not a date: expected YYYY, YYYY-MM or YYYY-MM-DD", code="INVALID_DATE"
            )
        year, month, day = match.groups()
        self = super().__new__(cls, text)
        self.first = calendar_day(text, int(year), int(month or 1), int(day or 1))
        self.last = self.first if day else _last_day(self.first.year, int(month or 12))
        self.precision = Precision.DAY if day else Precision.MONTH if month else Precision.YEAR
        return self


def _last_day(year: int, month: int) -> date:
    return date(year, month, monthrange(year, month)[1])


PERCENT = Unit("percent")


class Quantity(Value, frozen=True, kw_only=True):
    """A number with its unit, basis and qualifier."""

    unit: Unit
    """The unit: `t`, `kt`, `percent`, an ISO 4217 currency code, …."""
    value: Decimal | None = None
    """The number; null if the qualifier states its absence. It is never 0 for an unknown number."""
    upper: Decimal | None = None
    """The upper end of a RANGE; null otherwise."""
    qualifier: Qualifier | None = None
    """A qualifier of the number, or the reason for its absence; null for a plain number."""
    basis: Name | None = None
    """The basis of the weight, in the publisher's words, such as `REO` or `contained metal`; null if the
    publisher does not state it."""
    estimated: bool = False
    """Whether the publisher marks it as an estimate."""
    rounded: bool = False
    """Whether the publisher marks it as rounded."""

    def __post_init__(self) -> None:
        numeric = self.qualifier is None or self.qualifier.has_number
        if numeric and self.value is None:
            raise InvalidInput(
                "expected a value, or a qualifier that stands for one",
                code="VALUE_REQUIRED",
                path=("value",),
            )
        if not numeric and self.value is not None:
            raise InvalidInput(
                f"expected no value beside the qualifier {self.qualifier}",
                code="VALUE_NOT_ALLOWED",
                path=("value",),
            )
        if (self.qualifier is Qualifier.RANGE) != (self.upper is not None):
            raise InvalidInput(
                "expected an upper end exactly when the qualifier is range",
                code="INVALID_RANGE",
                path=("upper",),
            )
        check_number(self.value, "value")
        check_number(self.upper, "upper")
        if self.qualifier is Qualifier.NIL and self.value:
            raise InvalidInput(
                "expected 0 for the qualifier nil", code="VALUE_NOT_ALLOWED", path=("value",)
            )
        if self.upper is not None and self.value is not None and self.upper < self.value:
            raise InvalidInput(
                "expected an upper end not below the lower", code="INVALID_RANGE", path=("upper",)
            )

    def check_not_negative(self) -> None:
        """Reject negative values, in a range too. Raises InvalidInput."""
        check_not_negative(self.value, "value")
        check_not_negative(self.upper, "upper")

    def bounds_of_share(self, whole: Decimal = Decimal(100)) -> tuple[Decimal, Decimal]:
        """Return the least and the greatest part of a whole that the number allows: `<1` is 0 to 1.

        A part without a number is 0 to the whole.
        """
        everything = Decimal(0), whole
        if self.value is None:
            return everything
        match self.qualifier:
            case Qualifier.LESS_THAN:
                return everything[0], self.value
            case Qualifier.MORE_THAN | Qualifier.AT_LEAST:
                return self.value, everything[1]
            case Qualifier.RANGE:
                return self.value, self.upper or self.value
        return self.value, self.value

    def check_share(self) -> None:
        """Reject a share outside 0 to 100 percent. Raises InvalidInput."""
        for name, number in (("value", self.value), ("upper", self.upper)):
            (check_percent if self.unit == PERCENT else check_not_negative)(number, name)


def check_number(number: Decimal | None, field: str) -> None:
    """Reject numbers that are not finite or have an excessive magnitude.

    Raises InvalidInput at `field`.
    """
    if number is not None and not (number.is_finite() and abs(number.adjusted()) <= MAX_DIGITS):
        raise InvalidInput(
            f"expected a number of at most {MAX_DIGITS} digits",
            code="INVALID_NUMBER",
            path=(field,),
        )


def check_reason(reason: str) -> None:
    """Reject an empty reason. Raises InvalidInput."""
    if not reason.strip():
        raise InvalidInput("expected a reason", path=("reason",))


def check_order(start: PartialDate | None, end: PartialDate | None, field: str) -> None:
    """Reject an end (inclusive) before its start. Raises InvalidInput at `field`."""
    if start is not None and end is not None and end.last < start.first:
        raise InvalidInput(
            f"{end} lies before the start {start}: expected an end not before it",
            code="END_BEFORE_START",
            path=(field,),
        )
