"""Clauses with the issuer, measure, goods and partner of a sentence, and their further limits. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import TypeAlias

from msgspec import Struct

from projections.query.moment import kind_name
from projections.query.search_terms import Term
from projections.query.statement_parts import Sentence
from tracker.domain.basics.control_vocabulary import (
    ClauseStatus,
    Covers,
    Direction,
    Form,
    LegalStage,
    Match,
    Measure,
)
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.catalogue.places import Place
from tracker.domain.controls.clause import ClauseState
from tracker.domain.controls.clause_query import ClauseQuery, match_of
from tracker.domain.controls.confirmation import Grounds
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.controls.matching import comes_from, goes_to, goods_of
from tracker.domain.controls.reach import limits_of
from tracker.domain.controls.status_statement import status_statement
from tracker.domain.wording.phrases import listed

MAX_CONTROLS = 5
"""Maximum number of records named beside a part."""


Names: TypeAlias = tuple[Term | None, Term, Term, Term | None]
"""An issuer, a measure, goods and a partner."""


class Fit(Struct, frozen=True):
    """A clause with the parts of a sentence, and the limits that the sentence leaves out."""

    control: ExportControlState
    state: ClauseState
    limits: tuple[str, ...]
    names: Names
    """The issuer, measure, goods and partner of the sentence that it has."""


def fits_of(
    controls: Iterable[ExportControlState], of: Sentence, names: Names, day: date
) -> Iterator[Fit]:
    """Yield the clauses with an issuer, a measure, goods and a partner, adopted or not."""
    issuer, measure, goods, partner = names
    forms = [one for term in of.forms for one in term.meanings]
    for control in controls:
        if (issuer and control.issuer not in issuer.meanings) or of.direction not in (
            None,
            control.direction,
        ):
            continue
        if of.acts and not any(has_act(control, number, year) for _, number, year in of.acts):
            continue
        for state in control.clauses:
            clause = state.clause
            if clause.measure not in measure.meanings:
                continue
            if partner and not any(
                _reaches(control, state, Place(one), day) for one in partner.meanings
            ):
                continue
            limits = [
                limit
                for one in goods.meanings
                for limit in [_limits(control, state, Commodity(one), forms, partner, day)]
                if limit is not None
            ]
            if limits:
                yield Fit(control, state, min(limits, key=len), names)


def _reaches(control: ExportControlState, state: ClauseState, place: Place, day: date) -> bool:
    if control.direction is Direction.EXPORT:
        return goes_to(control, state.clause, place, day)
    return control.direction is Direction.IMPORT and comes_from(control, state.clause, place, day)


def _limits(
    control: ExportControlState,
    state: ClauseState,
    goods: Commodity,
    forms: Sequence[str],
    partner: Term | None,
    day: date,
) -> tuple[str, ...] | None:
    """Return the limits of a clause on goods that a sentence leaves out; None if it does not cover them."""
    clause = state.clause
    covered = goods_of(clause, goods)
    if not covered or match_of(ClauseQuery(day, commodity=goods), clause) is not Match.CERTAIN:
        return None
    own_forms = {Form(one) for one in forms if one in set(Form)}
    covers = {Covers(one) for one in forms if one in set(Covers)} or {Covers.GOODS}
    if clause.covers not in covers or len(covers) > 1:
        return None
    named = min(covered, key=lambda one: len(one.limits))
    if own_forms and named.forms and not own_forms <= named.forms:
        return None
    items_are_words = all(not (one.hs or one.forms or one.commodity) for one in clause.items)
    limits = [
        limit
        for limit in named.limits
        if limit.startswith("of ") or (items_are_words and limit.startswith("only "))
    ]
    if named.forms and not own_forms:
        of_control = [
            one
            for each in control.clauses
            if each.clause.measure is clause.measure
            for one in goods_of(each.clause, goods)
        ]
        if not any(not one.forms or Form.METAL in one.forms for one in of_control):
            limits.append(f"only as {listed(sorted(named.forms), 9)}")
    return (*limits, *_further_limits(control, state, goods, partner, day))


def _further_limits(
    control: ExportControlState,
    state: ClauseState,
    goods: Commodity,
    partner: Term | None,
    day: date,
) -> Iterator[str]:
    """Yield the limits that are not in the names of the goods: places, parties, stage and volumes."""
    clause = state.clause
    exported = control.direction is Direction.EXPORT
    toward = Place(partner.meanings[0]) if partner and exported else None
    for limit in limits_of(control, state, toward, day):
        if not limit.startswith(("except:", "suspended for")):
            yield limit
    if clause.origins and not partner:
        yield f"only from {listed([one.name for one in clause.origins])}"
    if clause.legal_stage is not LegalStage.ADOPTED:
        yield f"only {clause.legal_stage}"
    if state.status is ClauseStatus.ANNOUNCED and clause.measure is not Measure.QUOTA:
        yield "not yet in force"
    if state.status.has_ended and state.first_in_force is None:
        yield "never in force"
    if clause.measure is Measure.BAN and any(
        one.clause.measure is Measure.QUOTA
        and one.status is state.status is ClauseStatus.IN_FORCE
        and goods_of(one.clause, goods)
        for one in control.clauses
    ):
        yield "only beyond a quota"
    if clause.by_consignment or clause.exporters:
        yield "only for some shipments"


def has_act(control: ExportControlState, number: str, year: str) -> bool:
    named = control.id.split("-")
    return number.lstrip("0") in [one.lstrip("0") for one in named if one != year] and year in named


def entities_of(fits: Iterable[Fit]) -> tuple[str, ...]:
    named = (f"{kind_name(ExportControlState)}/{fit.control.id}" for fit in fits)
    return tuple(dict.fromkeys(named))[:MAX_CONTROLS]


def title_of(fit: Fit) -> str:
    return " ".join(fit.control.title.split())


def titles_of(fits: Iterable[Fit]) -> str:
    return f"{listed(map(title_of, fits), 2)}."


def statuses_of(fits: Sequence[Fit], grounds: Grounds, day: date) -> str:
    """Return the statuses of a few clauses with the titles of their controls."""
    said = {
        f"{title_of(fit)}: {status_statement(fit.control, fit.state, day, None, grounds)}"
        for fit in fits
    }
    return " ".join(sorted(said)[:2])
