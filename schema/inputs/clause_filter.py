"""Filters on clauses: the same arguments for lists of controls and for the clauses of one control."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from projections.query.lists import Filter
from schema.base.argument_group import ArgumentGroup
from schema.inputs.arguments import check_hs_code, domain_value, parse_word, parse_words
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

CLAUSE_FILTERS = ArgumentGroup.of(
    commodity=(
        str,
        "Only clauses about this commodity, such as `gallium`: those that name it, one below it or one above"
        " it. A clause on dual-use items covers the goods of the issuer's dual-use licences in force on the"
        " date.",
    ),
    form=(Form, "Only clauses that cover goods in this form; many cover all forms."),
    hs_code=(
        str,
        "Only clauses on goods with this code of the Harmonized System, such as `280530`, of 4, 6, 8 or 10"
        " digits. The codes are those of the items of a clause or, without any, of its commodities. Exempt"
        " codes do not match.",
    ),
    measure=(Measure, "Only clauses of this measure."),
    covers=(Covers, "Only clauses on goods, or on technology, equipment, materials, services."),
    status=(ClauseStatus, "Only clauses of this status."),
    destination=(
        str,
        "Only clauses on goods for this place: exports to it, to a union that it belongs to on the date, or"
        " to all destinations; imports into it. Exemptions of the place and its own exports do not match.",
    ),
    origin=(
        str,
        "Only clauses on goods from this place: imports from it, from a union that it belongs to on the"
        " date, or from all origins; its exports and production.",
    ),
    firm=(
        str,
        "Only clauses that name this firm, by any of its names or its key: as a firm that they are limited"
        " to, as exporter, or as a firm for which they are suspended.",
    ),
    in_force=(
        DayRange,
        "Only clauses in force on a date in this period, by the dates and suspensions known at this moment;"
        " below `history`, by the last of these alone.",
    ),
    confirmation=(
        Confirmation,
        "Only clauses with this confirmation of their status: `BY_TERMS` finds those whose status follows"
        " from dates in older acts alone.",
    ),
    match=(
        Match,
        "Only clauses that cover the goods of `commodity`, `hsCode` and `form` for certain, or only those"
        " that possibly do, because they name a group without codes.",
    ),
)
"""Filters on the clauses of one control."""
CONTROL_FILTERS = ArgumentGroup(
    CLAUSE_FILTERS,
    **ArgumentGroup.of(
        issuer=(str, "Only clauses of this issuer, such as `CN`."),
        direction=(Direction, "Only clauses on exports, on imports or on production."),
    ),
)
"""Filters on the clauses of all controls."""


PARSERS: Mapping[str, Callable[[Any], Any]] = {
    "commodity": lambda text: parse_word(Commodity, text, "commodity"),
    "hs_code": check_hs_code,
    "destination": lambda text: parse_word(Place, text, "destination"),
    "origin": lambda text: parse_word(Place, text, "origin"),
    "in_force": lambda days: parse_days(days, "inForce"),
}
"""Parsers of the arguments that are not words of vocabularies."""


def parse_clause_query(
    day: date, filters: Mapping[str, Any], firm: frozenset[str] | None
) -> ClauseQuery:
    """Parse the filters on clauses as of a date; `firm` are the spellings of one firm.

    Raises InvalidInput with the path of the argument.
    """
    values = {name: value for name in CLAUSE_FILTERS if (value := filters.get(name)) is not None}
    for name, parse in PARSERS.items():
        if name in values:
            values[name] = parse(values[name])
    return ClauseQuery(day, **{**values, "firm": firm})


def parse_control_filter(filters: Mapping[str, Any], **more: Any) -> Filter:
    """Parse the filters on controls themselves. Raises InvalidInput."""
    return Filter(
        places=parse_words(Place, filters["issuer"], "issuer"),
        category=domain_value(filters["direction"]),
        **more,
    )
