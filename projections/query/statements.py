"""Check of a sentence: each part is recorded, contradicted by a record, or not recorded.

A part is recorded only if one clause has it together with all others, without a limit that the sentence
leaves out. It is contradicted only by records: a control with other dates, a clause in force that is denied,
or figures of all sources. A sentence that has no record is never called false.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import product

from msgspec.structs import replace

from projections.query.confirmations import Confirmations
from projections.query.lists import EVERYTHING, Filter, Lists
from projections.query.moment import Moment
from projections.query.search_terms import Term
from projections.query.statement_figures import WORLD_PLACE, check_figures
from projections.query.statement_fits import (
    Fit,
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
    parse_sentence,
    texts_of,
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
        if of.has_figures and of.issuers and of.goods:
            parts = await self._check_figures(of, moment)
        elif of.combinations > MAX_COMBINATIONS:
            why = "Not checked: check one statement at a time."
            parts = [part(kind, one, why) for kind, one in texts_of(of)]
        elif of.goods and of.measures and (of.issuers or of.acts):
            parts = await self._check_controls(of, moment)
        else:
            lacking = [
                name
                for name, there in (
                    ("a place that acts", of.issuers),
                    ("goods of the catalogue", of.goods),
                    ("a measure or an output", of.measures or of.has_figures),
                )
                if not there
            ]
            why = f"Not checked: the sentence does not name {listed(lacking, conjunction='or')}."
            parts = [part(kind, one, why) for kind, one in texts_of(of)]
        others = [
            part(PartKind.OTHER, one, "These words were not checked.")
            for one in dict.fromkeys(of.other)
        ]
        return [*parts, *others]

    async def _controls(self, of: Sentence, moment: Moment) -> list[ExportControlState]:
        goods = [Commodity(one) for term in of.goods for one in term.meanings]
        about = Filter(commodities=controls_about(goods)) if goods else EVERYTHING
        return [state for _, state in await self._lists.page(ExportControlState, moment, about)]

    async def _check_controls(self, of: Sentence, moment: Moment) -> list[CheckedPart]:
        controls = await self._controls(of, moment)
        grounds = await self._confirmations.grounds(moment)
        combinations = list(
            product(of.issuers or (None,), of.measures, of.goods, of.partners or (None,))
        )
        fits = {names: [*fits_of(controls, of, names, moment.valid_at)] for names in combinations}
        whole = {names: [fit for fit in found if not fit.limits] for names, found in fits.items()}
        holds = all(whole.values())
        clauses = list(
            {
                (fit.control.id, fit.state.clause.id): fit
                for found in (whole if holds else fits).values()
                for fit in found
            }.values()
        )
        entities = entities_of(fit.control for fit in clauses)
        every = [fit for found in fits.values() for fit in found]
        is_asserted = holds and of.is_plain and not of.negated and not of.limited
        asserted = clauses if is_asserted else []
        parts = [
            *self._core(of, controls, fits, whole, grounds, moment.valid_at),
            *_acts(of, controls, asserted),
        ]
        at_dates = list[Fit]()
        if is_asserted and of.dates:
            for _, _, named in of.dates:
                day = min(named.last, moment.valid_at)
                states = await self._controls(of, Moment(day, moment.position))
                at_dates += [
                    fit for names in combinations for fit in fits_of(states, of, names, day)
                ]
        parts += [
            _status(of, word, asserted, every, grounds, moment.valid_at) for word in of.statuses
        ]
        for text, before, named in of.dates:
            same = [fit for fit in at_dates if not fit.limits]
            statement, verdict = _date(of, before, named, asserted, same)
            parts.append(part(PartKind.DATE, text, statement, entities, verdict))
        for text, one in of.numbers:
            parts.append(_amount(text, one, asserted, entities, [d for *_, d in of.dates]))
        return parts

    def _core(
        self,
        of: Sentence,
        controls: Sequence[ExportControlState],
        fits: Mapping[tuple[Term | None, Term, Term, Term | None], Sequence[Fit]],
        whole: Mapping[tuple[Term | None, Term, Term, Term | None], Sequence[Fit]],
        grounds: Grounds,
        day: date,
    ) -> Iterator[CheckedPart]:
        """Yield the issuers, measures, goods and partners."""
        for place, kind in (
            (1, PartKind.MEASURE),
            (0, PartKind.ISSUER),
            (2, PartKind.GOODS),
            (3, PartKind.PARTNER),
        ):
            for term in dict.fromkeys(names[place] for names in fits if names[place]):
                assert term
                own = [names for names in fits if names[place] == term]
                found = [fit for names in own for fit in fits[names]] if all(fits.values()) else []
                full = [fit for names in own for fit in whole[names]]
                is_whole = all(whole[names] for names in own)
                near = entities_of(fit.control for fit in full or found)
                is_in_force = any(fit.state.status is ClauseStatus.IN_FORCE for fit in full)
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
                elif not of.is_present or is_in_force:
                    said, verdict = statuses_of(full, grounds, day), RECORDED
                elif now := [fit for fit in found if fit.state.status is ClauseStatus.IN_FORCE]:
                    said = _limited(now)
                else:
                    said = f"Recorded, but not in force: {statuses_of(full, grounds, day)}"
                yield part(kind, term.text, said, near, verdict)

    async def _check_figures(self, of: Sentence, moment: Moment) -> list[CheckedPart]:
        places = [Place(one) for term in of.issuers for one in term.meanings]
        goods = Commodity(of.goods[0].meanings[0])
        about = Filter(
            commodities=[goods], places=[*places, WORLD_PLACE], category=Statistic.PRODUCTION
        )
        figures = [state for _, state in await self._lists.page(FigureState, moment, about)]
        return check_figures(of, goods, places[0], figures)


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
    verdict = (
        CONTRADICTED
        if (in_force or began) and not of.dates and term.text.lower() not in GENERAL
        else NOT_RECORDED
    )
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


def _acts(
    of: Sentence, controls: Sequence[ExportControlState], fits: Sequence[Fit]
) -> Iterator[CheckedPart]:
    for text, act, year in of.acts:
        own = [fit.control for fit in fits if has_act(fit.control, act, year)]
        near = entities_of(own or [one for one in controls if has_act(one, act, year)])
        if own:
            yield part(
                PartKind.ACT,
                text,
                f"{own[0].instrument or own[0].id}: {' '.join(own[0].title.split())}.",
                near,
                RECORDED,
            )
        else:
            yield part(
                PartKind.ACT,
                text,
                "No recorded act with this number has the other parts of the sentence.",
                near,
            )


def _status(
    of: Sentence, word: str, fits: Sequence[Fit], found: Sequence[Fit], grounds: Grounds, day: date
) -> CheckedPart:
    """Return the verdict on a status: recorded if all clauses have it now; their history is not compared.

    The statement names the clauses that have it, also those with limits that the sentence leaves out.
    """
    is_suspended = word in SUSPENDED
    have = [
        fit
        for fit in found
        if (
            fit.state.status is ClauseStatus.SUSPENDED or fit.state.suspended_from
            if is_suspended
            else fit.state.status.has_ended
        )
    ]
    near = entities_of(fit.control for fit in have or found)
    if not fits or of.dates:
        why = (
            "A past status is not compared."
            if fits
            else "Not checked without a record of the measure."
        )
        return part(
            PartKind.STATUS, word, f"{why} {statuses_of(have or fits, grounds, day)}".strip(), near
        )
    holds = all(
        fit.state.status is ClauseStatus.SUSPENDED if is_suspended else fit.state.status.has_ended
        for fit in fits
    ) and all(_is_confirmed(fit, grounds, day) for fit in fits)
    said = statuses_of(fits if holds else have or fits, grounds, day)
    if have and not holds:
        said = f"Not recorded of all that the sentence covers. {said}"
    return part(PartKind.STATUS, word, said, near, RECORDED if holds else NOT_RECORDED)


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
    if before in ("until", "till", "through"):
        meant = dates["until"]
    elif not SUSPENDED.isdisjoint(of.statuses):
        meant = dates["suspended"]
    elif not ENDED.isdisjoint(of.statuses):
        meant = [*dates["over"], *dates["until"]]
    elif before in ("since", "from", "effective") or not {"force", "effect"}.isdisjoint(of.words):
        meant = dates["first"]
    else:
        meant = dates["announced"] + ([] if "announced" in of.words else dates["first"])
    recorded = f"Recorded: {listed(_day_phrases(meant), 4) or 'no such day'}."
    if any(named.first <= low and high <= named.last for low, high in map(_span, meant)):
        return recorded, RECORDED
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
    states = [fit.state for fit in fits]
    found: dict[str, list[PartialDate | date | None]] = {
        "announced": [fit.control.announced_on for fit in fits],
        "first": [
            one
            for state in states
            for one in (state.first_in_force, state.clause.in_force_from, state.clause.period)
        ],
        "suspended": [state.suspended_from for state in states],
        "until": [
            one for state in states for one in (state.suspended_until, state.clause.in_force_until)
        ],
        "over": [one for state in states for one in (state.repealed_from, state.discontinued_from)],
        "sources": [
            one.source.published_on for fit in fits for one in fit.control.because if one.source
        ],
    }
    return {name: [one for one in each if one] for name, each in found.items()}


def _span(day: PartialDate | date) -> tuple[date, date]:
    return (day.first, day.last) if isinstance(day, PartialDate) else (day, day)


def _day_phrases(days: Iterable[PartialDate | date]) -> list[str]:
    named = {_span(one): date_phrase(one) for one in days}
    return [named[span] for span in sorted(named)]


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
    said = listed([f"{number(one.normalize())} {unit}" for one in sorted(set(recorded))], 4)
    verdict = RECORDED if not named.near and named.value in recorded else NOT_RECORDED
    return part(
        PartKind.NUMBER,
        text,
        f"Recorded: {said}." if said else "No such number is recorded.",
        near,
        verdict,
    )
