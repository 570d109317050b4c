"""The duties on a shipment, and their total as far as their relations are recorded. Pure.

Export and import duties are separate payments to two places and are never added up.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import combinations

from tracker.domain.duty_relations import Relation
from tracker.domain.matching import exception_for, rate_for
from tracker.domain.phrases import quantity_phrase
from tracker.domain.shipments.check import Applicable, ShipmentCheck, VerdictKind
from tracker.domain.values import Place, Quantity
from tracker.domain.vocabulary import DutyRelation, Match

ZERO = Decimal(0)
ORDINARY_NOT_RECORDED = "The ordinary duty is not recorded and is paid in addition."


@dataclass(frozen=True, slots=True)
class DutyLine:
    """One duty: its rate as a range in percent of the value, or its amount per unit."""

    applicable: Applicable
    low: Decimal | None
    """The lowest rate; 0 if the duty applies only possibly. None if it is not stated in percent."""
    high: Decimal | None
    specific: Quantity | None
    text: str | None
    """The rate in words, if it has conditions or no number."""
    includes_ordinary: bool
    """Whether the rate includes the ordinary duty."""

    @property
    def name(self) -> str:
        """The instrument and clause, for steps."""
        return f"{self.applicable.control.title}, clause {self.applicable.state.clause.id}"

    @property
    def is_certain(self) -> bool:
        """Whether the duty certainly applies."""
        return self.applicable.match is Match.CERTAIN


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the calculation, with the range of the total after it."""

    text: str
    low: Decimal | None
    high: Decimal | None


@dataclass(frozen=True, slots=True)
class DutyTotal:
    """The duties of one direction with their total in percent, or the reason why there is none."""

    lines: tuple[DutyLine, ...]
    low: Decimal | None
    high: Decimal | None
    steps: tuple[Step, ...]
    remarks: tuple[str, ...]
    """The parts that the total does not contain, and the reason for a missing total."""


def duties(check: ShipmentCheck, kind: VerdictKind) -> DutyTotal:
    """Return the export or import duties of a shipment and their total."""
    lines = tuple(
        _line(check, verdict.applicable)
        for verdict in check.verdicts
        if verdict.applicable.kind is kind
    )
    return _total(lines, _relations(check), kind is VerdictKind.IMPORT_DUTY)


def _line(check: ShipmentCheck, one: Applicable) -> DutyLine:
    clause, day = one.state.clause, check.case.day
    low, high = _rate(check, one)
    special = _place(check, one) and exception_for(clause, _place(check, one), day)  # type: ignore[arg-type]
    by_exception = bool(special and special.rate_percent is not None)
    return DutyLine(
        applicable=one,
        low=ZERO if low is not None and one.match is Match.POSSIBLE else low,
        high=high,
        specific=clause.rate_specific or clause.price_floor,
        text=None if by_exception else clause.rate_text,
        includes_ordinary=any(
            relation.kind is DutyRelation.INCLUDES_ORDINARY
            and relation.holds_on(day)
            and (not relation.clauses or clause.id in relation.clauses)
            for relation in one.control.relations
        ),
    )


def _rate(check: ShipmentCheck, one: Applicable) -> tuple[Decimal | None, Decimal | None]:
    """Return the rate of a clause for the place of the goods, as a range."""
    clause, place = one.state.clause, _place(check, one)
    if place is None:
        return clause.rate_percent, clause.rate_up_to_percent or clause.rate_percent
    rate = rate_for(clause, place, check.case.day)
    special = exception_for(clause, place, check.case.day)
    is_own = special is not None and special.rate_percent is not None
    return rate, rate if is_own else clause.rate_up_to_percent or rate


def _place(check: ShipmentCheck, one: Applicable) -> Place | None:
    """Return the place that decides the rate: the destination of exports, the origin of imports."""
    shipment = check.case.shipment
    is_export = one.kind is VerdictKind.EXPORT_DUTY
    return shipment.destination if is_export else shipment.origin


Pair = tuple[DutyLine, DutyLine, Relation]
"""A duty, another one, and the relation of the first to the second."""


def _relations(check: ShipmentCheck) -> dict[tuple[tuple[str, str], tuple[str, str]], Relation]:
    """Return the recorded relations between the duties of a check, by their clauses."""
    ones = [verdict.applicable for verdict in check.verdicts]
    return {
        (one.key, other.key): relation
        for one in ones
        for other in ones
        if one is not other
        for relation in one.control.relations
        if relation.holds_on(check.case.day) and relation.is_between(one.key[1], *other.key)
    }


def _total(
    lines: tuple[DutyLine, ...],
    relations: dict[tuple[tuple[str, str], tuple[str, str]], Relation],
    has_ordinary: bool,
) -> DutyTotal:
    """Return the total of duties: first those that yield are left out, then the others are added.

    `has_ordinary` says whether an ordinary duty is paid besides, as on imports.
    """
    steps: list[Step] = []
    paid = list(lines)
    for line, other, _ in _pairs(lines, relations, DutyRelation.YIELDS_TO):
        if line not in paid:
            continue
        index = paid.index(line)
        if other.is_certain:
            del paid[index]
            steps.append(Step(f"{line.name}: not paid beside {other.name}.", None, None))
        elif line.low is not None:
            paid[index] = replace(line, low=ZERO)
    remarks = [*_without_percentage(paid)]
    if has_ordinary and not any(line.includes_ordinary and line.is_certain for line in paid):
        remarks.append(ORDINARY_NOT_RECORDED)
    if missing := _unrelated(paid, relations):
        return DutyTotal(lines, None, None, tuple(steps), (*missing, *remarks))
    low = high = ZERO
    for line in paid:
        if line.low is None or line.high is None:
            continue
        low, high = low + line.low, high + line.high
        steps.append(Step(f"{line.name}: {_range(line.low, line.high)}.", low, high))
    low, high = _limited(paid, relations, low, high, steps)
    if not any(line.high is not None for line in paid):
        return DutyTotal(lines, None, None, tuple(steps), tuple(remarks))
    return DutyTotal(lines, low, high, tuple(steps), tuple(remarks))


def _limited(
    paid: Sequence[DutyLine],
    relations: dict[tuple[tuple[str, str], tuple[str, str]], Relation],
    low: Decimal,
    high: Decimal,
    steps: list[Step],
) -> tuple[Decimal, Decimal]:
    """Return a total without the parts that exclude each other or exceed a cap, with the steps."""
    for line, other, _ in _pairs(paid, relations, DutyRelation.YIELDS_TO):
        high -= min(line.high or ZERO, other.high or ZERO)
        steps.append(Step(f"Either {line.name} or {other.name} is paid.", low, high))
    for line, other, relation in _pairs(paid, relations, DutyRelation.CAPPED_AT):
        assert relation.percent is not None
        excess_low = max(ZERO, (line.low or ZERO) + (other.low or ZERO) - relation.percent)
        excess_high = max(ZERO, (line.high or ZERO) + (other.high or ZERO) - relation.percent)
        low, high = low - excess_low, high - excess_high
        text = f"{line.name} and {other.name}: together at most {relation.percent:f} %."
        steps.append(Step(text, low, high))
    return low, high


def _pairs(
    lines: Sequence[DutyLine],
    relations: dict[tuple[tuple[str, str], tuple[str, str]], Relation],
    kind: DutyRelation,
) -> Iterator[Pair]:
    for line in lines:
        for other in lines:
            relation = relations.get((line.applicable.key, other.applicable.key))
            if relation is not None and relation.kind is kind:
                yield line, other, relation


def _unrelated(
    paid: Sequence[DutyLine], relations: dict[tuple[tuple[str, str], tuple[str, str]], Relation]
) -> list[str]:
    """Return a sentence for every pair of duties without a recorded relation."""
    return [
        f"The total is unknown: no relation between {one.name} and {other.name} is recorded."
        for one, other in combinations(paid, 2)
        if (one.applicable.key, other.applicable.key) not in relations
        and (other.applicable.key, one.applicable.key) not in relations
    ]


def _without_percentage(paid: Sequence[DutyLine]) -> Iterator[str]:
    for line in paid:
        if line.specific is not None:
            amount = quantity_phrase(line.specific)
            yield f"{line.name}: {amount}, which the total does not contain."
        elif line.high is None:
            yield f"{line.name}: {line.text or 'its rate is not recorded'}; the total does not contain it."


def _range(low: Decimal, high: Decimal) -> str:
    return f"{low:f} %" if low == high else f"{low:f} to {high:f} %"
