"""Check of a sentence: each part is recorded, contradicted by a record, or not recorded.

A part is recorded only if one clause has it together with all others, without a limit that the sentence
leaves out. It is contradicted only by records: a control with other dates, a clause in force that is denied,
or figures of all sources. A sentence that has no record is never called false.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from itertools import product

from msgspec.structs import replace

from projections.query.confirmations import Confirmations
from projections.query.lists import Filter, Lists
from projections.query.moment import Moment
from projections.query.search_terms import Term
from projections.query.statement_figures import WORLD_PLACE, check_figures
from projections.query.statement_fits import (
    Fit,
    Names,
    entities_of,
    fits_of,
    has_act,
    statuses_of,
    title_of,
    titles_of,
)
from projections.query.statement_parts import (
    ENDED,
    GENERAL,
    SUSPENDED,
    Number,
    Sentence,
    not_checked,
    parse_sentence,
)
from projections.query.statement_verdicts import (
    CONTRADICTED,
    NOT_RECORDED,
    RECORDED,
    CheckedPart,
    PartKind,
    StatementVerdict,
    part,
)
from tracker.domain.basics.control_vocabulary import ClauseStatus, Confirmation, Measure
from tracker.domain.basics.values import PERCENT, PartialDate
from tracker.domain.basics.vocabulary import Statistic
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.catalogue.places import Place
from tracker.domain.controls.confirmation import Grounds, confirmation
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.controls.matching import controls_about
from tracker.domain.figures.figure import FigureState
from tracker.domain.wording.phrases import date_phrase, listed, number

MAX_COMBINATIONS = 12
"""Maximum of combinations of the names in a sentence, which must all be recorded."""


class Statements:
    """Checks of sentences."""

    def __init__(self, lists: Lists, confirmations: Confirmations):
        self._lists, self._confirmations = lists, confirmations

    async def check(self, text: str, moment: Moment) -> list[CheckedPart]:
        """Return the parts of a sentence with their verdicts, as recorded at a moment."""
        of = parse_sentence(text)
        needed = {
            "a place that acts": of.issuers or (of.acts and of.measures),
            "goods of the catalogue": of.goods,
            "a measure or an output": of.measures or of.has_figures,
        }
        lacking = [name for name, there in needed.items() if not there]
        if of.has_figures and of.issuers and of.goods:
            parts = await self._check_figures(of, moment)
        elif of.combinations > MAX_COMBINATIONS:
            parts = not_checked(of, "check one statement at a time")
        elif lacking:
            names = listed(lacking, conjunction="or")
            parts = not_checked(of, f"the sentence does not name {names}")
        else:
            parts = await self._check_controls(of, moment)
        why = "These words were not checked."
        return [*parts, *(part(PartKind.OTHER, one, why) for one in dict.fromkeys(of.other))]

    async def _fits(self, of: Sentence, combinations: Iterable[Names], moment: Moment) -> list[Fit]:
        """Return the clauses with each combination of names, as of a moment."""
        goods = [Commodity(one) for term in of.goods for one in term.meanings]
        about = Filter(commodities=controls_about(goods))
        listed = await self._lists.page(ExportControlState, moment, about)
        controls = [control for _, control in listed]
        return [
            fit for names in combinations for fit in fits_of(controls, of, names, moment.valid_at)
        ]

    async def _check_controls(self, of: Sentence, moment: Moment) -> list[CheckedPart]:
        grounds, day = await self._confirmations.grounds(moment), moment.valid_at
        combinations = [
            *product(of.issuers or (None,), of.measures, of.goods, of.partners or (None,))
        ]
        found = await self._fits(of, combinations, moment)
        whole = [fit for fit in found if not fit.limits]
        holds = {fit.names for fit in whole} == {*combinations}
        near = entities_of(whole if holds else found)
        is_asserted = holds and of.is_plain and not of.negated and not of.limited
        asserted = whole if is_asserted else []
        if {fit.names for fit in found} != {*combinations}:
            found = []
        parts = [
            _core(of, kind, term, [fit for fit in found if fit.names[place] == term], grounds, day)
            for place, kind, terms in (
                (1, PartKind.MEASURE, of.measures),
                (0, PartKind.ISSUER, of.issuers),
                (2, PartKind.GOODS, of.goods),
                (3, PartKind.PARTNER, of.partners),
            )
            for term in dict.fromkeys(terms)
        ]
        parts += [_act(text, asserted, *act) for text, *act in of.acts]
        parts += [_status(of, word, asserted, found, grounds, day) for word in of.statuses]
        for text, before, named in of.dates:
            on = Moment(min(named.last, day), moment.position)
            then = await self._fits(of, combinations, on) if is_asserted else []
            same = [fit for fit in then if not fit.limits]
            parts.append(part(PartKind.DATE, text, *_date(of, before, named, asserted, same), near))
        days = [named for *_, named in of.dates]
        parts += [_amount(text, one, asserted, near, days) for text, one in of.numbers]
        return parts

    async def _check_figures(self, of: Sentence, moment: Moment) -> list[CheckedPart]:
        places = [Place(one) for term in of.issuers for one in term.meanings]
        goods = Commodity(of.goods[0].meanings[0])
        about = Filter(
            commodities=[goods], places=[*places, WORLD_PLACE], category=Statistic.PRODUCTION
        )
        figures = [state for _, state in await self._lists.page(FigureState, moment, about)]
        return check_figures(of, goods, places[0], figures)


def _core(
    of: Sentence, kind: PartKind, term: Term, found: Sequence[Fit], grounds: Grounds, day: date
) -> CheckedPart:
    """Return an issuer, a measure, goods or a partner, of which clauses have all other names."""
    full = [fit for fit in found if not fit.limits]
    near = entities_of(full or found)
    is_whole = {fit.names for fit in full} == {fit.names for fit in found}
    in_force = [fit for fit in found if fit.state.status is ClauseStatus.IN_FORCE]
    verdict = NOT_RECORDED
    if of.limited:
        said = "Not checked: the sentence limits the goods by words that are not read."
    elif not found or (not is_whole and kind is PartKind.MEASURE):
        said = _limited(found)
    elif kind is not PartKind.MEASURE:
        said, verdict = titles_of(full or found), RECORDED
    elif of.negated and of.negated in term.text.lower().split():
        said, verdict = _denied(of, term, full, grounds, day)
    elif not of.is_plain:
        said = f"Plans and conditions are not checked. Recorded: {titles_of(full)}"
    elif not of.is_present or any(not fit.limits for fit in in_force):
        said, verdict = statuses_of(full, grounds, day), RECORDED
    elif in_force:
        said = _limited(in_force)
    else:
        said = f"Recorded, but not in force: {statuses_of(full, grounds, day)}"
    return part(kind, term.text, said, verdict, near)


def _limited(found: Sequence[Fit]) -> str:
    """Return the statement on a part that no clause has with all others, or only with limits."""
    if not found:
        return "No record has this together with the other parts of the sentence. It may be true."
    limits = listed(dict.fromkeys(limit for fit in found for limit in fit.limits), 3)
    return f"Recorded only with limits that the sentence leaves out: {limits}. {titles_of(found)}"


def _denied(
    of: Sentence, term: Term, fits: Sequence[Fit], grounds: Grounds, day: date
) -> tuple[str, StatementVerdict]:
    """Return the verdict on a measure that a sentence denies, but that a clause has.

    Only a confirmed status contradicts it: in force, or for an act in the past that of its first day.
    """
    is_past = not {"has", "have", "never", "did", "hasn't", "haven't", "didn't"}.isdisjoint(
        of.words
    )
    in_force = [
        fit
        for fit in fits
        if fit.state.status is ClauseStatus.IN_FORCE and _is_confirmed(fit, grounds, day)
    ]
    began = {
        f"{title_of(fit)}: in force from {date_phrase(fit.state.first_in_force or day)}."
        for fit in fits
        if is_past and _was_confirmed(fit, grounds)
    }
    is_meant = not of.dates and term.text.lower() not in GENERAL
    verdict = CONTRADICTED if (in_force or began) and is_meant else NOT_RECORDED
    if began and not in_force:
        return f"Recorded: {' '.join(sorted(began)[:2])}", verdict
    return f"Recorded: {statuses_of(in_force or fits, grounds, day)}", verdict


def _is_confirmed(fit: Fit, grounds: Grounds, day: date) -> bool:
    return confirmation(fit.control, fit.state, day, grounds) is Confirmation.CONFIRMED


def _was_confirmed(fit: Fit, grounds: Grounds) -> bool:
    """Return whether a record confirms that a clause was in force on its first day, whatever its end."""
    first = fit.state.first_in_force and max(
        fit.state.first_in_force, fit.control.announced_on.first
    )
    then = replace(fit.state, status=ClauseStatus.IN_FORCE, stated_suspension=None)
    return first is not None and _is_confirmed(replace(fit, state=then), grounds, first)


def _act(text: str, fits: Sequence[Fit], act: str, year: str) -> CheckedPart:
    own = [fit for fit in fits if has_act(fit.control, act, year)]
    if not own:
        said = "No recorded act with this number has the other parts of the sentence."
        return part(PartKind.ACT, text, said)
    said = f"{own[0].control.instrument or own[0].control.id}: {titles_of(own[:1])}"
    return part(PartKind.ACT, text, said, RECORDED, entities_of(own))


def _status(
    of: Sentence, word: str, fits: Sequence[Fit], found: Sequence[Fit], grounds: Grounds, day: date
) -> CheckedPart:
    """Return the verdict on a status: recorded if all clauses have it now; their history is not compared.

    The statement names the clauses that have it, also those with limits that the sentence leaves out.
    """

    def has(fit: Fit) -> bool:
        status = fit.state.status
        return status is ClauseStatus.SUSPENDED if word in SUSPENDED else status.has_ended

    having = [fit for fit in found if has(fit)]
    verdict = NOT_RECORDED
    if not fits:
        why = "Not checked without a record of the measure."
    elif of.dates:
        why = "A past status is not compared."
    elif all(has(fit) and _is_confirmed(fit, grounds, day) for fit in fits):
        why, verdict = "", RECORDED
    else:
        why = "Not recorded of all that the sentence covers." if having else ""
    said = f"{why} {statuses_of(having or fits, grounds, day)}".strip()
    return part(PartKind.STATUS, word, said, verdict, entities_of(having or found))


def _date(
    of: Sentence, before: str, named: PartialDate, fits: Sequence[Fit], then: Sequence[Fit]
) -> tuple[str, StatementVerdict]:
    """Return the verdict on a date: of an announcement or a first day, a suspension, or an end.

    It is contradicted if no record of these controls has such a date and no clause is in force then.
    """
    if not fits:
        return "No record to compare it with.", NOT_RECORDED
    if before in ("before", "after", "by"):
        return "Only days and periods are compared.", NOT_RECORDED
    every = [*fits, *then]
    dates = _dates(every)
    has_ended = not ENDED.isdisjoint(of.statuses)
    if before in ("until", "till", "through"):
        meant = dates["until"] + dates["last"]
    elif not SUSPENDED.isdisjoint(of.statuses):
        meant = dates["suspended"]
    elif has_ended:
        meant = dates["over"] + dates["last"]
    elif before in ("since", "from", "effective") or not {"force", "effect"}.isdisjoint(of.words):
        meant = dates["first"]
    else:
        meant = dates["announced"] + ([] if "announced" in of.words else dates["first"])
    matching = [
        one for one in meant if named.first <= _span(one)[0] and _span(one)[1] <= named.last
    ]
    recorded = f"Recorded: {_days(matching or meant) or 'no such day'}."
    if matching:
        return recorded, RECORDED
    if has_ended and dates["suspended"]:
        recorded += f" Suspended from {_days(dates['suspended'])}."
    is_near = any(
        low <= named.last and named.first <= high
        for each in dates.values()
        for low, high in map(_span, each)
    )
    is_in_force = named.precision != "day" and any(
        fit.state.is_in_force_in(named.first, named.last) for fit in every
    )
    is_general = any(Measure.TARIFF in one.meanings for one in of.measures)  # duties add up
    is_unclear = is_general or of.other or of.statuses or before not in ("on", "in", "since", "")
    if is_near or is_in_force or is_unclear or not meant:
        return recorded, NOT_RECORDED
    return recorded, CONTRADICTED


def _dates(fits: Sequence[Fit]) -> dict[str, list[PartialDate | date]]:
    """Return the recorded dates of clauses and of the sources of their controls, by their meaning."""
    found = defaultdict[str, list[PartialDate | date | None]](list)
    for fit in fits:
        state, clause = fit.state, fit.state.clause
        found["announced"] += [fit.control.announced_on]
        found["first"] += [state.first_in_force, clause.in_force_from, clause.period]
        found["suspended"] += [state.suspended_from]
        found["until"] += [state.suspended_until]
        found["last"] += [clause.in_force_until]
        found["over"] += [state.repealed_from, state.discontinued_from]
        found["sources"] += [one.source.published_on for one in fit.control.because if one.source]
    return {name: [one for one in each if one] for name, each in found.items()}


def _days(days: Iterable[PartialDate | date]) -> str:
    phrases = {_span(one): date_phrase(one) for one in days}
    return listed([phrases[span] for span in sorted(phrases)], 4)


def _span(day: PartialDate | date) -> tuple[date, date]:
    return (day.first, day.last) if isinstance(day, PartialDate) else (day, day)


def _amount(
    text: str,
    named: Number,
    fits: Sequence[Fit],
    near: tuple[str, ...],
    dates: Sequence[PartialDate],
) -> CheckedPart:
    """Return whether a clause has a rate or an amount. Rates add up, so no other number contradicts it."""
    recorded = list[Decimal]()
    for fit in fits:
        clause = fit.state.clause
        is_duty = clause.measure in (Measure.TARIFF, Measure.TARIFF_RATE_QUOTA)
        if named.unit == PERCENT and is_duty and fit.state.status is ClauseStatus.IN_FORCE:
            recorded += [
                one for one in (clause.rate_percent, clause.rate_up_to_percent) if one is not None
            ]
        elif named.unit != PERCENT and clause.quota and clause.quota.value is not None:
            amount = clause.quota.unit.convert(clause.quota.value, named.unit)
            outside = clause.period and any(
                clause.period.first > one.last or clause.period.last < one.first for one in dates
            )
            recorded += [] if amount is None or outside else [amount]
    unit = "%" if named.unit == PERCENT else named.unit
    numbers = listed([f"{number(one.normalize())} {unit}" for one in sorted(set(recorded))], 4)
    said = f"Recorded: {numbers}." if numbers else "No such number is recorded."
    verdict = RECORDED if not named.near and named.value in recorded else NOT_RECORDED
    return part(PartKind.NUMBER, text, said, verdict, near)
