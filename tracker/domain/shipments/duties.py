"""The duties on a shipment, and their total as far as their relations are recorded. Pure.

Export and import duties are separate payments to two places and are never added up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain, combinations

from tracker.domain.duty_relations import Relation
from tracker.domain.matching import exception_for, rate_for
from tracker.domain.phrases import quantity_phrase
from tracker.domain.shipments.check import Applicable, ShipmentCheck, VerdictKind
from tracker.domain.values import Place, Quantity
from tracker.domain.vocabulary import DutyRelation, Match

ZERO = Decimal(0)
ORDINARY_NOT_RECORDED = "The ordinary duty is not recorded and is paid in addition."
ONLY_RECORDED = "Duties that are not recorded are not counted."
MAX_POSSIBLE = 12
"""Maximum number of possible duties of which all combinations are compared."""

Key = tuple[str, str]
Relations = Mapping[tuple[Key, Key], Relation]
"""Relations of a duty to another one, by the instruments and clauses of both."""


@dataclass(frozen=True, slots=True)
class DutyLine:
    """One duty: its rate as a range in percent of the value, or its amount per unit."""

    applicable: Applicable
    low: Decimal | None
    """The lowest rate; 0 if the duty applies only possibly. None if it is not stated in percent."""
    high: Decimal | None
    if_paid: Decimal | None
    """The lowest rate if the duty applies."""
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
    def key(self) -> Key:
        """The instrument and the clause."""
        return self.applicable.key

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
    return _total(lines, _relations(check, kind), kind)


def _line(check: ShipmentCheck, one: Applicable) -> DutyLine:
    clause, day = one.state.clause, check.case.day
    low, high = _rate(check, one)
    special = _place(check, one) and exception_for(clause, _place(check, one), day)  # type: ignore[arg-type]
    by_exception = bool(special and special.rate_percent is not None)
    return DutyLine(
        applicable=one,
        low=ZERO if low is not None and one.match is Match.POSSIBLE else low,
        high=high,
        if_paid=low,
        specific=clause.rate_specific or clause.price_floor,
        text=None if by_exception else clause.rate_text,
        includes_ordinary=any(
            relation.kind is DutyRelation.INCLUDES_ORDINARY
            and relation.holds_for(_place(check, one), day)
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


def _relations(check: ShipmentCheck, kind: VerdictKind) -> Relations:
    """Return the recorded relations between the duties of a check."""
    ones = [verdict.applicable for verdict in check.verdicts if verdict.applicable.kind is kind]
    return {
        (one.key, other.key): relation
        for one in ones
        for other in ones
        if one is not other
        for relation in one.control.relations
        if relation.holds_for(_place(check, one), check.case.day)
        and relation.is_between(one.key[1], *other.key)
    }


def _total(lines: tuple[DutyLine, ...], relations: Relations, kind: VerdictKind) -> DutyTotal:
    """Return the total of duties: first those that yield are left out, then the others are added."""
    steps: list[Step] = []
    paid: list[DutyLine] = []
    for line in lines:
        others = (one for one in lines if one.is_certain and _yields(line, one, relations))
        if (other := next(others, None)) is None:
            paid.append(line)
        else:
            steps.append(Step(f"{line.name}: not paid beside {other.name}.", None, None))
    remarks = [*_remarks(paid, kind)]
    if missing := _unrelated(paid, relations):
        return DutyTotal(lines, None, None, tuple(steps), (*missing, *remarks))
    if all(line.high is None for line in paid):
        return DutyTotal(lines, None, None, tuple(steps), tuple(remarks))
    steps += _additions(paid, relations)
    return DutyTotal(lines, steps[-1].low, steps[-1].high, tuple(steps), tuple(remarks))


def _additions(paid: Sequence[DutyLine], relations: Relations) -> Iterator[Step]:
    """Yield the steps that add duties, then the steps for duties that exclude or cap each other."""
    added: list[DutyLine] = []
    for line in paid:
        if line.low is not None and line.high is not None:
            added.append(line)
            yield Step(f"{line.name}: {_range(line.low, line.high)}.", *_bounds(added, {}))
    limits: dict[tuple[Key, Key], Relation] = {}
    for line, other in combinations(added, 2):
        own = {
            pair: relations[pair]
            for pair in ((line.key, other.key), (other.key, line.key))
            if pair in relations and relations[pair].kind is not DutyRelation.ADDS_TO
        }
        if own:
            limits |= own
            yield Step(_limit(line, other, *own.values()), *_bounds(added, limits))


def _limit(line: DutyLine, other: DutyLine, relation: Relation, *_: Relation) -> str:
    if relation.kind is DutyRelation.CAPPED_AT:
        return f"{line.name} and {other.name}: together at most {relation.percent:f} %."
    return f"Either {line.name} or {other.name} is paid."


def _bounds(lines: Sequence[DutyLine], relations: Relations) -> tuple[Decimal, Decimal]:
    """Return the lowest and highest sum over all combinations of possible duties with the certain ones."""
    certain = [line for line in lines if line.is_certain]
    possible = [line for line in lines if not line.is_certain]
    if len(possible) > MAX_POSSIBLE:
        return ZERO, sum((line.high or ZERO for line in lines), ZERO)
    combined = chain.from_iterable(
        combinations(possible, count) for count in range(len(possible) + 1)
    )
    sums = [_sum([*certain, *chosen], relations) for chosen in combined]
    return min(low for low, _ in sums), max(high for _, high in sums)


def _sum(lines: Sequence[DutyLine], relations: Relations) -> tuple[Decimal, Decimal]:
    """Return the sum of duties that all apply, without those that yield and above no cap."""
    paid = [line for line in lines if not any(_yields(line, one, relations) for one in lines)]
    low = sum((line.if_paid or ZERO for line in paid), ZERO)
    high = sum((line.high or ZERO for line in paid), ZERO)
    for line in paid:
        for other in paid:
            relation = relations.get((line.key, other.key))
            if relation is not None and relation.percent is not None:
                low -= max(
                    ZERO, (line.if_paid or ZERO) + (other.if_paid or ZERO) - relation.percent
                )
                high -= max(ZERO, (line.high or ZERO) + (other.high or ZERO) - relation.percent)
    return low, high


def _yields(line: DutyLine, other: DutyLine, relations: Relations) -> bool:
    """Return whether a duty is not paid beside another one; of two that yield to each other, the lower."""
    relation, back = relations.get((line.key, other.key)), relations.get((other.key, line.key))
    if relation is None or relation.kind is not DutyRelation.YIELDS_TO:
        return False
    if back is None or back.kind is not DutyRelation.YIELDS_TO:
        return True
    return (line.high or ZERO, other.key) < (other.high or ZERO, line.key)


def _unrelated(paid: Sequence[DutyLine], relations: Relations) -> list[str]:
    """Return a sentence for every pair of duties without a recorded relation."""
    return [
        f"The total is unknown: no relation between {one.name} and {other.name} is recorded."
        for one, other in combinations(paid, 2)
        if (one.key, other.key) not in relations and (other.key, one.key) not in relations
    ]


def _remarks(paid: Sequence[DutyLine], kind: VerdictKind) -> Iterator[str]:
    """Yield the parts of the duties that a total does not contain, and conditions of their rates."""
    for line in paid:
        if line.specific is not None:
            amount = quantity_phrase(line.specific)
            yield f"{line.name}: {amount}, which the total does not contain."
        elif line.high is None:
            yield f"{line.name}: {line.text or 'its rate is not recorded'}; the total does not contain it."
        elif line.text is not None:
            yield f"{line.name}: {line.text}; the total contains {line.high:f} %."
    if kind is VerdictKind.IMPORT_DUTY:
        if paid and not any(line.includes_ordinary and line.is_certain for line in paid):
            yield ORDINARY_NOT_RECORDED
        yield ONLY_RECORDED


def _range(low: Decimal, high: Decimal) -> str:
    return f"{low:f} %" if low == high else f"{low:f} to {high:f} %"
