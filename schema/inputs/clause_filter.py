"""Filters on clauses: the same arguments for lists of controls and for the clauses of one control."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, TypeAlias

from strawberry import argument

from schema.inputs.arguments import check_hs_code, parse_word
from schema.inputs.ranges import DayRange, parse_days
from tracker.domain.basics.control_vocabulary import (
    ClauseStatus,
    Confirmation,
    Covers,
    Direction,
    Form,
    Match,
    Measure,
)
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.catalogue.places import Place
from tracker.domain.controls.clause_query import ClauseQuery

OfCommodity: TypeAlias = Annotated[
    str | None,
    argument(
        description="Only clauses about this commodity, such as `gallium`: those that"
        " name it, one below it or one above it. A clause on dual-use items"
        " covers the goods of the issuer's dual-use licences in force on the"
        " date."
    ),
]
OfForm: TypeAlias = Annotated[
    Form | None,
    argument(description="Only clauses that cover goods in this form; many cover all forms."),
]
OfHsCode: TypeAlias = Annotated[
    str | None,
    argument(
        description="Only clauses on goods with this code of the Harmonized System, such"
        " as `280530`, of 4, 6, 8 or 10 digits. The codes are those of the"
        " items of a clause or, without any, of its commodities. Exempt codes"
        " do not match."
    ),
]
OfIssuer: TypeAlias = Annotated[
    str | None, argument(description="Only clauses of this issuer, such as `CN`.")
]
OfDirection: TypeAlias = Annotated[
    Direction | None, argument(description="Only clauses on exports, on imports or on production.")
]
OfMeasure: TypeAlias = Annotated[
    Measure | None, argument(description="Only clauses of this measure.")
]
OfCovers: TypeAlias = Annotated[
    Covers | None,
    argument(
        description="Only clauses on goods, or on technology, equipment, materials, services."
    ),
]
OfStatus: TypeAlias = Annotated[
    ClauseStatus | None, argument(description="Only clauses of this status.")
]
WithConfirmation: TypeAlias = Annotated[
    Confirmation | None,
    argument(
        description="Only clauses with this confirmation of their status: `BY_TERMS`"
        " finds those whose status follows from dates in older acts alone."
    ),
]
WithMatch: TypeAlias = Annotated[
    Match | None,
    argument(
        description="Only clauses that cover the goods of `commodity`, `hsCode` and"
        " `form` for certain, or only those that possibly do, because they"
        " name a group without codes."
    ),
]
ToDestination: TypeAlias = Annotated[
    str | None,
    argument(
        description="Only clauses on goods for this place: exports to it, to a union that"
        " it belongs to on the date, or to all destinations; imports into it."
        " Exemptions of the place and its own exports do not match."
    ),
]
FromOrigin: TypeAlias = Annotated[
    str | None,
    argument(
        description="Only clauses on goods from this place: imports from it, from a union"
        " that it belongs to on the date, or from all origins; its exports"
        " and production."
    ),
]
OfFirm: TypeAlias = Annotated[
    str | None,
    argument(
        description="Only clauses that name this firm, by any of its names or its key: as"
        " a firm that they are limited to, as exporter, or as a firm for"
        " which they are suspended."
    ),
]
InForceIn: TypeAlias = Annotated[
    DayRange | None,
    argument(
        description="Only clauses in force on a date in this period, by the dates and"
        " suspensions known at this moment; below `history`, by the last of"
        " these alone."
    ),
]


def parse_clause_query(
    day: date,
    *,
    commodity: str | None,
    form: Form | None,
    hs_code: str | None,
    measure: Measure | None,
    covers: Covers | None,
    status: ClauseStatus | None,
    destination: str | None,
    origin: str | None,
    firm: frozenset[str] | None,
    in_force: DayRange | None,
    confirmation: Confirmation | None = None,
    match: Match | None = None,
) -> ClauseQuery:
    """Parse the filters on clauses as of a date; `firm` are the spellings of one firm.

    Raises InvalidInput with the path of the argument.
    """
    return ClauseQuery(
        day,
        commodity=_word(Commodity, commodity, "commodity"),
        form=form,
        hs_code=None if hs_code is None else check_hs_code(hs_code),
        measure=measure,
        covers=covers,
        status=status,
        destination=_word(Place, destination, "destination"),
        origin=_word(Place, origin, "origin"),
        firm=firm,
        in_force=parse_days(in_force, "inForce"),
        confirmation=confirmation,
        match=match,
    )


def _word(kind: Any, value: str | None, field: str) -> Any:
    return None if value is None else parse_word(kind, value, field)
