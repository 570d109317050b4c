"""The rate of a clause for a shipment. Pure."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from tracker.domain.actors.firm import spelling
from tracker.domain.basics.control_vocabulary import Direction, Measure
from tracker.domain.catalogue.places import Place
from tracker.domain.controls.clause import Clause
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.controls.matching import exception_for, quota_for, rate_for
from tracker.domain.controls.scope import PlaceQuota
from tracker.domain.shipments.firms import without_legal_form
from tracker.domain.shipments.question_id import QuestionId
from tracker.domain.shipments.questions import ANSWERS, Question
from tracker.domain.shipments.shipment import Case


class Rate(NamedTuple):
    """A rate in percent as a range; None if it has none."""

    low: Decimal | None
    high: Decimal | None

    @property
    def phrase(self) -> str:
        """The rate in words: `25 %`, `0 to 25 %`; empty if it has none."""
        if self.low is None or self.high is None:
            return ""
        return f"{self.low:f} %" if self.low == self.high else f"{self.low:f} to {self.high:f} %"


NO_RATE = Rate(None, None)
DECLARATION = (
    "Does the invoice have the declaration of a maker with an own rate that the act requires?"
)


def deciding_place(case: Case, control: ExportControlState, clause: Clause) -> Place | None:
    """Return the place that decides the rate: the destination of exports, the origin of imports; for a
    clause by consignment, the place of export."""
    if control.direction is Direction.EXPORT:
        return case.shipment.destination
    if clause.by_consignment:
        return case.shipment.exported_from
    return case.shipment.origin


def quota_of(case: Case, control: ExportControlState, clause: Clause) -> PlaceQuota | None:
    """Return the part of a clause's quota for the place of the goods on the day; None if none is known."""
    place = deciding_place(case, control, clause)
    return quota_for(clause, place, case.day) if place else None


def rate_of(case: Case, control: ExportControlState, clause: Clause) -> Rate:
    """Return the rate of a clause for the place and the maker of the goods, and for the state of its quota
    if it is stated."""
    place = deciding_place(case, control, clause)
    low, high = _span(clause, case.day) if place is None else _rate_of(clause, place, case.day)
    least, others = high, clause.rate_up_to_percent or clause.rate_percent
    if clause.firm_rates and high is not None and high == others:
        least, high = _of_makers(case, control, clause, high)
        low = low if clause.measure is Measure.TARIFF_RATE_QUOTA else least
    match _is_exhausted(case, control, clause):
        case True:
            return Rate(least, high)
        case False:
            return Rate(low, low)
    return Rate(low, high)


def _of_makers(
    case: Case, control: ExportControlState, clause: Clause, others: Decimal
) -> tuple[Decimal, Decimal]:
    """Return the range of the rates by maker, as far as the maker and its declaration are stated.

    `others` is the rate of all makers without an own one, and of goods without a declaration.
    """
    declared = case.answer(_makers_id(control, clause))
    exporter = case.shipment.parties["exporter"]
    names = {*map(without_legal_form, case.spellings(exporter))} if exporter else set[str]()
    own = [
        one.rate_percent
        for one in clause.firm_rates
        if not names.isdisjoint(without_legal_form(spelling(firm)) for firm in one.firms)
    ]
    possible = own or [one.rate_percent for one in clause.firm_rates]
    if declared is False:
        possible = [others]
    elif declared is None:
        possible.append(others)
    return min(possible), max(possible)


def _makers_id(control: ExportControlState, clause: Clause) -> str:
    return str(QuestionId(control.id, clause.id, "maker"))


def _rate_of(clause: Clause, place: Place, day: date) -> Rate:
    low, special = rate_for(clause, place, day), exception_for(clause, place, day)
    is_own = special is not None and special.rate_percent is not None
    return Rate(low, low if is_own else clause.rate_up_to_percent or low)


def _span(clause: Clause, day: date) -> Rate:
    """Return the range of the rates of all places."""
    low, high = clause.rate_percent, clause.rate_up_to_percent or clause.rate_percent
    if low is None or high is None:
        return Rate(low, high)
    own = [
        one.rate_percent
        for one in clause.exceptions
        if one.rate_percent is not None and one.holds_on(day)
    ]
    return Rate(min(low, *own), max(high, *own)) if own else Rate(low, high)


def rate_questions(case: Case, control: ExportControlState, clause: Clause) -> Iterator[Question]:
    """Yield the open questions that decide between rates: on the quota, and on the maker."""
    low, high = rate_of(case, control, clause)
    is_quota = clause.measure is Measure.TARIFF_RATE_QUOTA
    if low == high:
        return
    if is_quota and _is_exhausted(case, control, clause) is None:
        yield Question(_quota_id(control, clause), "Is the quota exhausted?", ANSWERS)
    if clause.firm_rates and case.answer(_makers_id(control, clause)) is None:
        yield Question(_makers_id(control, clause), DECLARATION, ANSWERS)


def _is_exhausted(case: Case, control: ExportControlState, clause: Clause) -> bool | None:
    if clause.measure is not Measure.TARIFF_RATE_QUOTA:
        return None
    return case.answer(_quota_id(control, clause))


def _quota_id(control: ExportControlState, clause: Clause) -> str:
    return str(QuestionId(control.id, clause.id, "quota"))
