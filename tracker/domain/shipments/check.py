"""The clauses that apply to a shipment, as obligations with their legal bases. Pure.

The goods are matched by the rule of all lists (`clause_query.matching_clauses`); `conditions` adds the
way, the use and the firms.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TypeAlias

from tracker.domain.basics.control_vocabulary import (
    Certainty,
    ClauseStatus,
    Confirmation,
    Covers,
    Match,
    Measure,
    Territory,
    VerdictKind,
)
from tracker.domain.basics.values import DAY
from tracker.domain.controls.clause import ClauseState
from tracker.domain.controls.confirmation import Grounds, confirmation
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.controls.legal_basis import is_legal_basis
from tracker.domain.controls.matching import NO_LICENCES, IssuerLicences, Licences
from tracker.domain.controls.scope import PlaceQuota
from tracker.domain.shipments.conditions import Conditions
from tracker.domain.shipments.question_id import (
    DUAL_USE_ROLE,
    GOODS_QUESTION,
    LISTED_FIRM,
    IssuerQuestionId,
)
from tracker.domain.shipments.questions import Condition, Question
from tracker.domain.shipments.rates import NO_RATE, Rate, quota_of, rate_of, rate_questions
from tracker.domain.shipments.shipment import Case
from tracker.domain.wording.phrases import commodities_phrase

ADDS_NONE = Condition(None, "it adds no licence of its own")
Matches: TypeAlias = tuple[ExportControlState, Sequence[ClauseState]]
"""A control with its clauses that match the goods."""
CERTAINTY = {
    Confirmation.CONFIRMED: Certainty.CERTAIN,
    Confirmation.AS_RECORDED: Certainty.AS_RECORDED,
    Confirmation.BY_TERMS: Certainty.NOT_CONFIRMED,
    Confirmation.CONTRADICTED: Certainty.CONTRADICTED,
}
"""The certainty of a matching clause by the confirmation of its status."""
STATUSES = (ClauseStatus.IN_FORCE, ClauseStatus.SUSPENDED, ClauseStatus.ANNOUNCED)
"""Statuses of clauses that apply, or may apply on a later day."""
ENDED_WITHIN = timedelta(365)
"""Maximum age of an end by its own terms, without a record that confirms it, that a check lists."""


@dataclass(frozen=True, slots=True)
class Applicable:
    """A clause whose conditions are met or open for a shipment."""

    control: ExportControlState
    state: ClauseState
    match: Match
    """CERTAIN if all of its conditions are met; POSSIBLE if the shipment does not state enough to decide
    one of them, see `reasons`."""
    open_conditions: tuple[Condition, ...]
    """The conditions that the shipment does not settle; empty if the match is certain."""
    exceptions: tuple[Condition, ...]
    """The exceptions of the clause, any of which may apply."""
    confirmation: Confirmation
    """The confirmation of its status."""
    supported_until: date | None
    """The last date for which records confirm its status; null if none does."""
    rate: Rate = NO_RATE
    """The rate of a duty for the place of the goods."""
    quota: PlaceQuota | None = None
    """The part of its quota for the place of the goods on the day; null if none is recorded."""
    rate_questions: tuple[Question, ...] = ()
    """The questions that decide between the rates of a quota, and between those of makers."""

    @property
    def key(self) -> tuple[str, str]:
        """The instrument and the clause."""
        return self.control.id, self.state.clause.id

    @property
    def act(self) -> str:
        """The act that words the clause: its legal name, or else the title of the instrument."""
        return self.state.instrument or self.control.instrument or self.control.title

    @property
    def certainty(self) -> Certainty:
        """The certainty that it applies: the weaker of `match` and `confirmation`."""
        if self.match is Match.POSSIBLE:
            return Certainty.POSSIBLE
        return CERTAINTY[self.confirmation]

    @property
    def kind(self) -> VerdictKind:
        """The kind of rule."""
        return self.state.clause.measure.verdict_on(self.control.direction)

    @property
    def is_open_for_any_firm(self) -> bool:
        """Whether it applies to firms of a list, and no firm of the shipment is known to be on one."""
        asked = str(IssuerQuestionId(self.control.issuer, LISTED_FIRM))
        return any(one.id == asked for of in self.open_conditions for one in of.questions)

    @property
    def first_day(self) -> date | None:
        """The first day on which it applies; for a suspended clause, applies again. Null if no day is
        recorded."""
        if self.state.status is ClauseStatus.SUSPENDED:
            return self.state.returns_on
        return self.state.first_in_force or self.state.clause.first_day

    @property
    def last_day(self) -> date | None:
        """The last day on which it applies by the recorded dates, before its end or its next suspension.
        Null if none is recorded."""
        days, pause = self.state.days_in_force(), self.state.suspended_days()
        ends = [days[1]] if days else []
        if pause and self.state.status is ClauseStatus.IN_FORCE:
            ends.append(pause[0] - DAY)
        return min(filter(None, ends), default=None)

    @property
    def reasons(self) -> list[str]:
        """The conditions that the shipment does not decide, in words; empty for CERTAIN."""
        return [one.reason for one in self.open_conditions]

    @property
    def questions(self) -> Iterator[Question]:
        """The questions of its open conditions, then of its exceptions and of its rate."""
        for condition in (*self.open_conditions, *self.exceptions):
            yield from condition.questions
        yield from self.rate_questions


@dataclass(frozen=True, slots=True)
class ClauseVerdict:
    """An obligation: a clause in force with the further acts that it rests on."""

    applicable: Applicable
    legal_bases: tuple[Applicable, ...]


@dataclass(frozen=True, slots=True)
class ShipmentCheck:
    """All clauses that apply to a shipment on a day, certainly or possibly."""

    case: Case
    verdicts: tuple[ClauseVerdict, ...]
    not_in_force: tuple[Applicable, ...]
    """Clauses that would apply but are suspended, not yet in force, or ended lately by their own terms."""
    left_out: tuple[Applicable, ...] = ()
    """Clauses in force on technology or services for the goods, if the subject is not stated."""

    @property
    def applicable(self) -> Iterator[Applicable]:
        """All clauses that apply, now or on a later day, with those that others rest on."""
        for verdict in self.verdicts:
            yield verdict.applicable
            yield from verdict.legal_bases
        yield from self.not_in_force

    @property
    def open_questions(self) -> list[tuple[Question, list[Applicable]]]:
        """Every open question once, with the clauses that it settles."""
        merged: dict[tuple[str, str], tuple[Question, list[Applicable]]] = {}
        for verdict in self.verdicts:
            for question in verdict.applicable.questions:
                merged.setdefault(question.key, (question, []))[1].append(verdict.applicable)
        return [*merged.values()]


def check_matches(
    case: Case,
    readings: Iterable[tuple[Case, Iterable[Matches]]],
    licences: Licences,
    grounds: Grounds,
) -> ShipmentCheck:
    """Return the clauses that apply to a shipment, of those that match the goods of its readings.

    A clause of only one reading applies possibly: a commodity and a code are two statements, and one of them
    may be wrong.
    """
    by_reading = [
        {
            one.key: one
            for control, clauses in matches
            for one in applicable_clauses(reading, control, clauses, licences, grounds)
        }
        for reading, matches in readings
    ]
    keys = dict.fromkeys(key for of in by_reading for key in of)
    applicable = [_of_readings(case, [of.get(key) for of in by_reading]) for key in keys]
    stated = [one for one in applicable if not case.shipment.leaves_out(one.state.clause.covers)]
    in_force = [one for one in stated if one.state.status is ClauseStatus.IN_FORCE]
    later = tuple(one for one in stated if one.state.status is not ClauseStatus.IN_FORCE)
    others = (one for one in applicable if case.shipment.leaves_out(one.state.clause.covers))
    left_out = tuple(one for one in others if one.state.status is ClauseStatus.IN_FORCE)
    verdicts = tuple(_verdicts(_without_known_answers(in_force, in_force)))
    return ShipmentCheck(case, verdicts, later, left_out)


def _without_known_answers(
    ones: Iterable[Applicable], in_force: Iterable[Applicable]
) -> list[Applicable]:
    """Return clauses without the question whether the goods are dual-use items, if an issuer's licence for
    such items certainly applies to them."""
    known = {
        str(IssuerQuestionId(one.control.issuer, DUAL_USE_ROLE))
        for one in in_force
        if one.match is Match.CERTAIN
        and one.state.clause.measure is Measure.DUAL_USE_LICENCE
        and one.state.clause.covers is Covers.GOODS
        and not one.exceptions
    }

    def without(one: Applicable) -> Applicable:
        left = tuple(
            of for of in one.open_conditions if known.isdisjoint(each.id for each in of.questions)
        )
        match = Match.POSSIBLE if left else Match.CERTAIN
        return replace(one, match=match, open_conditions=left)

    return [*map(without, ones)]


def applicable_clauses(
    case: Case,
    control: ExportControlState,
    clauses: Iterable[ClauseState],
    licences: Licences,
    grounds: Grounds,
) -> Iterator[Applicable]:
    """Yield the clauses that apply to a shipment, now or on a later day, of those that match its goods."""
    own = licences.get(control.issuer, NO_LICENCES)
    for state in clauses:
        may_apply = state.status in STATUSES or _may_last(control, state, case.day, grounds)
        if may_apply and (one := _apply(case, control, state, own, grounds)):
            yield one


def _may_last(control: ExportControlState, state: ClauseState, day: date, grounds: Grounds) -> bool:
    """Return whether a clause ended lately by its own terms and no record confirms it.

    A quota ends with its period.
    """
    ended = state.status is ClauseStatus.EXPIRED and not state.clause.period
    last = state.clause.last_day if ended else None
    if last is None or day - last > ENDED_WITHIN:
        return False
    return not confirmation(control, state, day, grounds).is_supported


def _apply(
    case: Case,
    control: ExportControlState,
    state: ClauseState,
    licences: IssuerLicences,
    grounds: Grounds,
) -> Applicable | None:
    conditions: list[Condition] = []
    for condition in Conditions(case, control, state, licences).all():
        if condition.met is False:
            return None
        conditions.append(condition)
    open_conditions = [one for one in conditions if one.met is None and not one.is_exception]
    if not control.official:
        open_conditions.append(Condition(None, "reported by others, denied by its issuer"))
    return Applicable(
        control,
        state,
        Match.POSSIBLE if open_conditions else Match.CERTAIN,
        tuple(open_conditions),
        tuple(one for one in conditions if one.met is None and one.is_exception),
        confirmation(control, state, case.day, grounds),
        grounds.supported_until(control, state, case.day),
        rate_of(case, control, state.clause),
        quota_of(case, control, state.clause),
        tuple(rate_questions(case, control, state.clause)),
    )


def _of_readings(case: Case, ones: Sequence[Applicable | None]) -> Applicable:
    """Return a clause as it applies by all readings, or possibly if it applies by only some of them."""
    known = [one for one in ones if one]
    least = next((one for one in known if one.match is Match.POSSIBLE), known[0])
    if len(known) == len(ones):
        return least
    of = case.shipment
    doubt = Question(
        GOODS_QUESTION,
        f"Which is right: {commodities_phrase([of.commodity] if of.commodity else ())}, or the code"
        f" {of.hs_code}?",
        "hsCode",
    )
    by = "commodity" if ones[0] else "code"
    condition = Condition(
        None,
        f"it applies by the {by} only, and the code is not recorded as one of the commodity",
        (doubt,),
    )
    conditions = (condition, *least.open_conditions)
    return replace(least, match=Match.POSSIBLE, open_conditions=conditions)


def _verdicts(in_force: Sequence[Applicable]) -> Iterator[ClauseVerdict]:
    """Yield the obligations, certain ones first, rules on firms of lists last, the strongest first.

    Framework acts are listed with the licences that they base. A power over goods abroad needs no licence.
    """
    bases = [one for one in in_force if is_legal_basis(one.control, one.state.clause)]
    obligations = [one for one in in_force if one not in bases]
    licensed = {
        one.control.issuer
        for one in obligations
        if one.state.clause.measure is Measure.DUAL_USE_LICENCE
    }
    obligations += [
        replace(one, match=Match.POSSIBLE, open_conditions=(*one.open_conditions, ADDS_NONE))
        for one in bases
        if one.control.issuer not in licensed
        and one.state.clause.territory is not Territory.ONLY_ABROAD
    ]
    order = list(VerdictKind)

    def rank(one: Applicable) -> tuple[bool, bool, int, tuple[str, str]]:
        is_possible = one.match is Match.POSSIBLE
        return is_possible, one.is_open_for_any_firm, order.index(one.kind), one.key

    obligations.sort(key=rank)
    for one in obligations:
        is_licence = one.state.clause.measure is Measure.DUAL_USE_LICENCE
        rests_on = [
            base
            for base in bases
            if is_licence and base.key != one.key and base.control.issuer == one.control.issuer
        ]
        yield ClauseVerdict(one, tuple(rests_on))
