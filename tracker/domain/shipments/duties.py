"""The duties on a shipment, and their total as far as their relations are recorded. Pure.

Export and import duties are separate payments to two places and are never added up.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import combinations

from msgspec import Struct

from tracker.domain.basics.control_vocabulary import (
    Direction,
    DutyRelation,
    Match,
    Measure,
    VerdictKind,
)
from tracker.domain.basics.values import Quantity
from tracker.domain.controls.matching import exception_for
from tracker.domain.shipments.check import Applicable, ClauseVerdict, ShipmentCheck
from tracker.domain.shipments.duty_pairs import (
    ORDINARY_KEY,
    Duty,
    DutyPairs,
    Key,
    are_on_different_goods,
    bounds,
)
from tracker.domain.shipments.ordinary import OrdinaryDuty
from tracker.domain.shipments.questions import Condition
from tracker.domain.shipments.rates import Rate, deciding_place
from tracker.domain.wording.phrases import listed, quantity_phrase

ZERO = Decimal(0)
ORDINARY = "the ordinary duty"
NOT_READ = {
    VerdictKind.EXPORT_DUTY: "export tariffs that are not recorded",
    VerdictKind.IMPORT_DUTY: "anti-dumping, countervailing and other duties that are not recorded",
}
"""Layers of duties that no record covers completely, by direction."""
TRADES = {VerdictKind.EXPORT_DUTY: "export", VerdictKind.IMPORT_DUTY: "import"}


class DutyLine(Struct, frozen=True):
    """One duty: its rate as a range in percent of the value, or its amount per unit."""

    applicable: Applicable
    low: Decimal | None
    """The lowest rate in percent; 0 if the duty applies only possibly. Null if it has no rate in percent."""
    high: Decimal | None
    """The highest rate in percent; null if it has no rate in percent."""
    if_paid: Decimal | None
    """The lowest rate if the duty applies."""
    specific: Quantity | None
    """The amount per unit, such as `USD/t`, or the price floor; null if the duty has neither."""
    text: str | None
    """The rate in words, if it has conditions or no number."""
    includes_ordinary: bool
    """Whether the rate includes the ordinary duty, by a recorded relation."""

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


class OrdinaryLine(Struct, frozen=True):
    """The known part of the ordinary duty among duties."""

    if_paid: Decimal
    high: Decimal
    key: Key = ORDINARY_KEY
    is_certain: bool = True


class Step(Struct, frozen=True):
    """A step of the calculation, with the range of the total after it."""

    text: str
    """The step in a sentence."""
    low: Decimal | None
    """The lowest total after it; null if it is unknown."""
    high: Decimal | None
    """The highest total after it; null if it is unknown."""


class DutyTotal(Struct, frozen=True):
    """The duties of one direction with their total in percent, or the reason for a missing total."""

    lines: tuple[DutyLine, ...]
    """The duties, certain ones first."""
    low: Decimal | None
    """The lowest total in percent; null if no duty has a rate in percent, or if the relation of two duties
    is not recorded: see `remarks`."""
    high: Decimal | None
    """The highest total in percent; null with `low`."""
    steps: tuple[Step, ...]
    """The steps of the calculation."""
    remarks: tuple[str, ...]
    """The recorded parts that the total does not contain, and the reason for a missing total."""
    kind: VerdictKind
    """Whether they are export or import duties."""
    ordinary: OrdinaryDuty | None = None
    """The ordinary duty as printed, which is the first step; null if no line of a tariff is recorded."""

    @property
    def not_covered(self) -> tuple[str, ...]:
        """The layers of duties that the total does not contain, such as a printed provision without a
        recorded duty; empty if it is complete."""
        of, is_import = self.ordinary, self.kind is VerdictKind.IMPORT_DUTY
        is_included = any(line.includes_ordinary and line.is_certain for line in self.lines)
        is_read = of is not None and of.known.low is not None and not of.amounts
        is_open = is_import and not is_included and not is_read
        amounts = f" ({listed(of.amounts)})" if of and of.amounts else ""
        printed = of.not_recorded if of else ()
        return (
            *([f"{ORDINARY}{amounts}"] if is_open else []),
            *(f"the printed duty of {code}" for code in printed),
            NOT_READ[self.kind],
        )

    @property
    def complete(self) -> bool:
        """Whether every layer of duties is known. Otherwise the total is a sum of recorded duties: see
        `notCovered`."""
        return not self.not_covered and self.low is not None

    @property
    def statement(self) -> str:
        """The sum in a sentence that names the layers that it does not contain."""
        trade, rate = TRADES[self.kind], Rate(self.low, self.high)
        if not self.lines and not rate.phrase:
            amount = f"No {trade} duty is recorded"
        elif not rate.phrase:
            amount = (
                f"A recorded {trade} duty applies or may apply; the sum in percent is not known"
            )
        else:
            least = "" if rate.low != rate.high or self.complete else "at least "
            duties = f"{'The' if self.complete else 'Recorded'} {trade} duties"
            plus = f" plus {listed(self._amounts)}" if self._amounts else ""
            amount = f"{duties} amount to {least}{rate.phrase} of the value{plus}{self._condition}"
        layers = f"; not covered: {listed(self.not_covered)}" if self.not_covered else ""
        return f"{amount}{layers}."

    @property
    def _amounts(self) -> tuple[str, ...]:
        """The parts of the ordinary duty on top of its known part."""
        of = self.ordinary
        return () if of is None or of.known.low is None else of.amounts

    @property
    def _condition(self) -> str:
        if self.low != self.high:
            return ", depending on open questions"
        has_exceptions = any(line.applicable.exceptions for line in self.lines)
        return ", unless an exemption applies" if has_exceptions else ""


def duties(
    check: ShipmentCheck, kind: VerdictKind, ordinary: OrdinaryDuty | None = None
) -> DutyTotal:
    """Return the export or import duties of a shipment and their total.

    `ordinary` is the ordinary duty of an import, if a line of the tariff is recorded: the first step.
    """
    lines, pairs = _lines(check, kind)
    return _total(lines, pairs, kind, ordinary if kind is VerdictKind.IMPORT_DUTY else None)


def _lines(check: ShipmentCheck, kind: VerdictKind) -> tuple[tuple[DutyLine, ...], DutyPairs]:
    ones = [one.applicable for one in check.verdicts if _is_duty(one.applicable, kind)]
    lines = tuple(_line(check, one) for one in ones)
    return lines, _pairs(check, ones, frozenset(one.key for one in lines if one.includes_ordinary))


def except_unpaid(check: ShipmentCheck) -> ShipmentCheck:
    """Return a check whose duties have as an exception the certain duty beside which they are not paid.

    They come after the other duties of their kind.
    """
    unpaid: dict[Key, Condition] = {}
    for kind in (VerdictKind.EXPORT_DUTY, VerdictKind.IMPORT_DUTY):
        for line, other in _unpaid(*_lines(check, kind)):
            reason = f"it is not paid beside {other.name}"
            unpaid[line.key] = Condition(None, reason, is_exception=True)
    verdicts = [_with_exception(one, unpaid) for one in check.verdicts]
    order = [*dict.fromkeys((one.applicable.match, one.applicable.kind) for one in verdicts)]
    verdicts.sort(
        key=lambda of: (
            order.index((of.applicable.match, of.applicable.kind)),
            of.applicable.key in unpaid,
        )
    )
    return replace(check, verdicts=tuple(verdicts))


def _with_exception(of: ClauseVerdict, unpaid: Mapping[Key, Condition]) -> ClauseVerdict:
    one, condition = of.applicable, unpaid.get(of.applicable.key)
    if condition is None:
        return of
    return replace(of, applicable=replace(one, exceptions=(*one.exceptions, condition)))


def _is_duty(one: Applicable, kind: VerdictKind) -> bool:
    """Return whether a clause is a duty of a direction; a tariff-rate quota is one on imports."""
    is_quota = one.state.clause.measure is Measure.TARIFF_RATE_QUOTA
    if is_quota and one.control.direction is Direction.IMPORT:
        return kind is VerdictKind.IMPORT_DUTY
    return one.kind is kind


def _line(check: ShipmentCheck, one: Applicable) -> DutyLine:
    clause, day = one.state.clause, check.case.day
    place = deciding_place(check.case, one.control, clause)
    special = exception_for(clause, place, day) if place else None
    text = clause.rate_text
    if special is not None and special.rate_percent is not None:
        text = special.note
    low, high = one.rate
    return DutyLine(
        applicable=one,
        low=ZERO if low is not None and one.match is Match.POSSIBLE else low,
        high=high,
        if_paid=low,
        specific=clause.rate_specific or clause.price_floor,
        text=text,
        includes_ordinary=any(
            relation.kind is DutyRelation.INCLUDES_ORDINARY
            and relation.holds_for(place, day)
            and (not relation.clauses or clause.id in relation.clauses)
            for relation in one.control.relations
        ),
    )


def _pairs(
    check: ShipmentCheck, ones: Sequence[Applicable], including: frozenset[Key]
) -> DutyPairs:
    """Return the recorded relations between duties, and the alternatives among them."""
    relations = {
        (one.key, other.key): relation
        for one in ones
        for other in ones
        if one is not other
        for relation in one.control.relations
        if relation.holds_for(
            deciding_place(check.case, one.control, one.state.clause), check.case.day
        )
        and relation.is_between(one.key[1], *other.key)
    }
    exclusive, alternative = set[frozenset[Key]](), set[frozenset[Key]]()
    for one, other in combinations(ones, 2):
        pair = frozenset((one.key, other.key))
        if are_on_different_goods(one.state.clause, other.state.clause, check.case.day):
            exclusive.add(pair)
        elif one.control.id == other.control.id and relations.keys().isdisjoint(
            ((one.key, other.key), (other.key, one.key))
        ):
            alternative.add(pair)
    return DutyPairs(relations, frozenset(exclusive), frozenset(alternative), including)


def _total(
    lines: tuple[DutyLine, ...], pairs: DutyPairs, kind: VerdictKind, ordinary: OrdinaryDuty | None
) -> DutyTotal:
    """Return the total of duties: the ordinary one, then the others without those that yield."""
    base = _base(ordinary)
    steps = [Step(ordinary.text, *ordinary.known)] if ordinary else []
    unpaid = {one.key: other for one, other in _unpaid(lines, pairs)}
    for line in lines:
        if other := unpaid.get(line.key):
            steps.append(Step(f"{line.name}: not paid beside {other.name}.", None, None))
    paid = [line for line in lines if line.key not in unpaid]
    remarks = [*_of_ordinary(ordinary), *_remarks(paid)]
    low, high = ordinary.known if ordinary else (None, None)
    if missing := _unrelated(paid, pairs):
        low, high, remarks = None, None, [*missing, *remarks]
    elif paid and all(line.high is None for line in paid):
        low = high = None
    elif paid:
        steps += _additions(paid, pairs, base)
        low, high = steps[-1].low, steps[-1].high
    return DutyTotal(lines, low, high, tuple(steps), tuple(remarks), kind, ordinary)


def _base(ordinary: OrdinaryDuty | None) -> list[OrdinaryLine]:
    """Return the known part of the ordinary duty among duties, if there is one."""
    low, high = ordinary.known if ordinary else (None, None)
    return [] if low is None or high is None else [OrdinaryLine(low, high)]


def _of_ordinary(ordinary: OrdinaryDuty | None) -> Iterator[str]:
    """Yield the extent to which the ordinary duty is proved, its questions and its conditions."""
    if ordinary:
        yield f"Ordinary duty: {ordinary.statement}"
        yield from (*ordinary.questions, *ordinary.remarks)


def _unpaid(lines: Sequence[DutyLine], pairs: DutyPairs) -> Iterator[tuple[DutyLine, DutyLine]]:
    """Yield the duties that yield to a certain one, with it."""
    for line in lines:
        others = (one for one in lines if one.is_certain and pairs.yields(line, one))
        if other := next(others, None):
            yield line, other


def _additions(
    paid: Sequence[DutyLine], pairs: DutyPairs, base: Sequence[OrdinaryLine]
) -> Iterator[Step]:
    """Yield the steps that add duties, then those for duties that exclude, include or cap each other.

    Only the last of these has the total, which considers all of them.
    """
    added = [line for line in paid if line.high is not None]
    low = sum((one.if_paid for one in base), ZERO)
    high = sum((one.high for one in base), ZERO)
    for line in added:
        low, high = low + (line.low or ZERO), high + (line.high or ZERO)
        yield Step(f"{line.name}: {Rate(line.low, line.high).phrase}.", low, high)
    limits = [text for one, other in combinations(added, 2) if (text := _limit(one, other, pairs))]
    limits += [
        f"{line.name} includes the ordinary duty: the higher of both is paid."
        for line in added
        if base and base[0].high and line.includes_ordinary
    ]
    all_duties: list[Duty] = [*base, *added]
    for number, text in enumerate(limits, 1):
        total = bounds(all_duties, pairs) if number == len(limits) else (None, None)
        yield Step(text, *total)


def _limit(line: DutyLine, other: DutyLine, pairs: DutyPairs) -> str | None:
    """Return the limit of the sum of two duties in words; None if they add up."""
    if pairs.exclude(line, other):
        return f"{line.name} and {other.name} are on different goods: at most one of them is paid."
    own = [
        relation
        for relation in pairs.between(line, other)
        if relation.kind is not DutyRelation.ADDS_TO
    ]
    if own and own[0].kind is DutyRelation.CAPPED_AT:
        return f"{line.name} and {other.name}: together at most {own[0].percent:f} %."
    if own or pairs.are_alternatives(line, other):
        is_one_paid = Match.CERTAIN in (line.applicable.match, other.applicable.match)
        end = "is paid" if is_one_paid else "is paid, if any"
        return f"Either {line.name} or {other.name} {end}."
    return None


def _unrelated(paid: Sequence[DutyLine], pairs: DutyPairs) -> list[str]:
    """Return a sentence for every pair of duties without a recorded relation."""
    return [
        f"The total is unknown: no relation between {one.name} and {other.name} is recorded."
        for one, other in combinations(paid, 2)
        if not pairs.are_related(one, other)
    ]


def _remarks(paid: Sequence[DutyLine]) -> Iterator[str]:
    """Yield the recorded parts that a total does not contain, and conditions of rates."""
    for line in paid:
        if line.specific is not None and not (
            line.text and line.applicable.state.clause.price_floor
        ):
            amount = quantity_phrase(line.specific)
            yield f"{line.name}: {amount}, which the total does not contain."
        elif line.high is None:
            yield f"{line.name}: {line.text or 'its rate is not recorded'}; the total does not contain it."
        elif line.text is not None:
            rate = Rate(line.if_paid, line.high).phrase
            yield f"{line.name}: {line.text}; the total contains {rate}."
