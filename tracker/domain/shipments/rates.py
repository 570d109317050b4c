"""The rate of a clause for a shipment. Pure."""

from datetime import date
from decimal import Decimal
from typing import NamedTuple

from tracker.domain.basics.control_vocabulary import Direction, Measure
from tracker.domain.catalogue.places import Place
from tracker.domain.controls.clause import Clause
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.controls.matching import exception_for, rate_for
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


def deciding_place(case: Case, control: ExportControlState) -> Place | None:
    """Return the place that decides the rate: the destination of exports, the origin of imports."""
    is_export = control.direction is Direction.EXPORT
    return case.shipment.destination if is_export else case.shipment.origin


def rate_of(case: Case, control: ExportControlState, clause: Clause) -> Rate:
    """Return the rate of a clause for the place of the goods, and for the state of its quota if it is
    stated."""
    place = deciding_place(case, control)
    low, high = _span(clause, case.day) if place is None else _rate_of(clause, place, case.day)
    match _is_exhausted(case, control, clause):
        case True:
            return Rate(high, high)
        case False:
            return Rate(low, low)
    return Rate(low, high)


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


def quota_question(case: Case, control: ExportControlState, clause: Clause) -> Question | None:
    """Return the question that decides between the two rates of a tariff-rate quota, if it is open."""
    if clause.measure is not Measure.TARIFF_RATE_QUOTA:
        return None
    low, high = rate_of(case, control, clause)
    if low == high or _is_exhausted(case, control, clause) is not None:
        return None
    return Question(_quota_id(control, clause), "Is the quota exhausted?", ANSWERS)


def _is_exhausted(case: Case, control: ExportControlState, clause: Clause) -> bool | None:
    if clause.measure is not Measure.TARIFF_RATE_QUOTA:
        return None
    return case.answer(_quota_id(control, clause))


def _quota_id(control: ExportControlState, clause: Clause) -> str:
    return str(QuestionId(control.id, clause.id, "quota"))
