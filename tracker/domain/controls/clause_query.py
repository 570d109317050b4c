"""Filters for lists of clauses: one clause must match all of them. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from msgspec import structs

from tracker.domain.basics.control_vocabulary import (
    ClauseStatus,
    Confirmation,
    Covers,
    DutyRelation,
    Form,
    Match,
    Measure,
)
from tracker.domain.catalogue.commodities import Commodity, commodities_with_code, related
from tracker.domain.catalogue.places import Place
from tracker.domain.controls.clause import Clause, ClauseState
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.controls.matching import (
    ALL_FORMS,
    GROUPS,
    NO_LICENCES,
    Goods,
    IssuerLicences,
    Licences,
    comes_from,
    goes_to,
    goods_of,
    has_code,
    named_goods,
    names_firm,
)


@dataclass(frozen=True, slots=True)
class ClauseQuery:
    """Filters for a clause on a day; None does not filter.

    `firm` has the names of one firm in lower case. `in_force` is a period with a day on which the clause is
    in force. `confirmation` is not evaluated here, because it requires the acts of the issuer.
    """

    day: date
    commodity: Commodity | None = None
    form: Form | None = None
    hs_code: str | None = None
    measure: Measure | None = None
    covers: Covers | None = None
    status: ClauseStatus | None = None
    destination: Place | None = None
    origin: Place | None = None
    firm: frozenset[str] | None = None
    in_force: tuple[date | None, date | None] | None = None
    confirmation: Confirmation | None = None
    match: Match | None = None
    unpaid: frozenset[str] = frozenset()
    """The clauses of the control that are not paid beside another duty: see `settled_matches`."""

    @property
    def is_about_goods(self) -> bool:
        """Whether it filters by goods, so that dual-use items must be resolved by licences."""
        return self.commodity is not None or self.hs_code is not None

    @property
    def requested_goods(self) -> frozenset[Commodity] | None:
        """The commodities of the filter, including those with its code; None for all."""
        if self.commodity is not None:
            return frozenset({self.commodity})
        return commodities_with_code(self.hs_code) if self.hs_code is not None else None

    @property
    def names_goods(self) -> bool:
        """Whether it filters by a commodity, a code or a form, so that a match may be uncertain."""
        return self.is_about_goods or self.form is not None

    @property
    def on_any_day(self) -> tuple[object, ...] | None:
        """The part of the filter with the same result on every day.

        None if the result depends on the day, by the members of a union.
        """
        if self.destination is not None or self.origin is not None:
            return None
        rest = (self.measure, self.covers, self.status, self.firm, self.in_force, self.match)
        return (self.commodity, self.form, self.hs_code, *rest)

    @property
    def needs_rule(self) -> bool:
        """Whether it filters by more than the stored content and days of a clause."""
        rest = (self.form, self.covers, self.destination, self.origin, self.firm, self.match)
        return self.is_about_goods or self.needs_acts or any(part is not None for part in rest)

    @property
    def needs_acts(self) -> bool:
        """Whether it needs more than the state of a clause: earlier suspensions, newer acts."""
        return self.in_force is not None or self.confirmation is not None


def matching_clauses(
    query: ClauseQuery, control: ExportControlState, licences: Licences
) -> list[ClauseState]:
    """Return the clauses of a control that match all filters."""
    own = licences.get(control.issuer, NO_LICENCES)
    return [state for state in control.clauses if _matches(query, control, state, own)]


def _matches(
    query: ClauseQuery, control: ExportControlState, state: ClauseState, licences: IssuerLicences
) -> bool:
    clause = state.clause
    return (
        query.measure in (None, clause.measure)
        and query.covers in (None, clause.covers)
        and query.status in (None, state.status)
        and (query.in_force is None or state.is_in_force_in(*query.in_force))
        and (query.firm is None or names_firm(state, query.firm))
        and (query.destination is None or goes_to(control, clause, query.destination, query.day))
        and (query.origin is None or comes_from(control, clause, query.origin, query.day))
        and (query.hs_code is None or has_code(clause, query.hs_code, licences))
        and _matches_goods(query, clause, licences)
        and (query.match is None or query.match is match_of(query, clause))
    )


def match_of(query: ClauseQuery, clause: Clause) -> Match:
    """Return whether a clause that matches a query certainly covers its goods.

    A clause may name only a group without codes, such as critical minerals or dual-use items. It covers a
    code, a form or a single mineral possibly, never certainly. It covers a code possibly if it exempts some
    goods of the code, or is a duty that is not paid beside another one.
    """
    if clause.id in query.unpaid or _may_be_exempt(query, clause):
        return Match.POSSIBLE
    return _match_of_group(query, clause)


def settled_matches(
    query: ClauseQuery, matches: Sequence[tuple[ExportControlState, Sequence[ClauseState]]]
) -> Iterator[tuple[ExportControlState, Sequence[ClauseState], ClauseQuery]]:
    """Yield the matching clauses of all controls that have the requested match, with the query of each.

    A duty in force covers a code possibly if it is not paid beside another one of them.
    """
    unpaid = _unpaid(query, matches) if query.hs_code else set[tuple[str, str]]()
    for control, clauses in matches:
        own = replace(query, unpaid=frozenset(one for id, one in unpaid if id == control.id))
        if query.match is not None:
            clauses = [one for one in clauses if match_of(own, one.clause) is query.match]
        yield control, clauses, own


def _unpaid(
    query: ClauseQuery, matches: Iterable[tuple[ExportControlState, Sequence[ClauseState]]]
) -> set[tuple[str, str]]:
    """Return the duties that yield to another one. Of two that yield to each other, the lower is not paid."""
    rates = {
        (control.id, one.clause.id): one.clause.rate_up_to_percent or one.clause.rate_percent or 0
        for control, clauses in matches
        for one in clauses
        if one.status is ClauseStatus.IN_FORCE
    }
    pairs = {
        (one, other)
        for control, _ in matches
        for of in control.relations
        if of.kind is DutyRelation.YIELDS_TO and of.may_hold_for(query.origin, query.day)
        for other in rates
        if other[0] == of.other
        for one in rates
        if one[0] == control.id and one != other and of.is_between(one[1], *other)
    }
    return {
        one
        for one, other in pairs
        if (other, one) not in pairs or (rates[one], other) < (rates[other], one)
    }


def names_only_group(query: ClauseQuery, clause: Clause) -> bool:
    """Return whether a clause that matches a query names only a group that may not include the goods."""
    return _match_of_group(query, clause) is Match.POSSIBLE


def _may_be_exempt(query: ClauseQuery, clause: Clause) -> bool:
    """Return whether some goods of the code of a query are exempt: lines below it, or by a threshold."""
    code = query.hs_code
    return code is not None and any(
        exempt.startswith(code) or code.startswith(exempt)
        for item in clause.exempt_items
        for exempt in item.codes
    )


def _match_of_group(query: ClauseQuery, clause: Clause) -> Match:
    if not query.names_goods or query.commodity in GROUPS or GROUPS.isdisjoint(clause.commodities):
        return Match.CERTAIN
    of_items = [item.commodity for item in clause.items if item.commodity]
    named = {*clause.commodities, *of_items} - GROUPS
    goods = structs.replace(clause, commodities=tuple(sorted(named)))
    is_named = (query.hs_code is None or has_code(goods, query.hs_code)) and _matches_goods(
        query, goods, NO_LICENCES
    )
    return Match.CERTAIN if is_named else Match.POSSIBLE


def _matches_goods(query: ClauseQuery, clause: Clause, licences: IssuerLicences) -> bool:
    if query.form is not None and clause.covers is not Covers.GOODS:
        return False
    if _lists_code(query, clause):
        return True
    if query.commodity is None:
        return query.form is None or any(
            _is_in_form(goods, commodity, query.form)
            for commodity in clause.commodities
            if (goods := named_goods(clause, commodity))
        )
    return any(
        query.form is None or _is_in_form(goods, query.commodity, query.form)
        for goods in goods_of(clause, query.commodity, licences)
    )


def _lists_code(query: ClauseQuery, clause: Clause) -> bool:
    """Return whether an item for the commodity has the code of a query, or lines below it: the form of the
    item does not matter then."""
    code, near = query.hs_code, related(query.commodity) if query.commodity else None
    return code is not None and any(
        code.startswith(own) or own.startswith(code)
        for item in clause.items
        if near is None or item.commodity is None or item.commodity in near
        for own in item.codes
    )


def _is_in_form(goods: Goods, commodity: Commodity, form: Form) -> bool:
    """Return whether goods of a commodity are in a form; goods without a form are in all possible forms."""
    return form in (goods.forms or commodity.forms or ALL_FORMS)
