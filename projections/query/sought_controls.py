"""Controls with a clause in which all names of a search hold, ranked, or else the nearest ones."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import product
from typing import NamedTuple

from projections.query.clause_matches import ClauseMatches
from projections.query.confirmations import Confirmations
from projections.query.exposures import Exposures
from projections.query.lists import EVERYTHING, Filter, Lists
from projections.query.moment import Moment, kind_name
from projections.query.search_terms import ParsedSearch, Term
from tracker.domain.basics.control_vocabulary import Confirmation, Covers, Form, Match, Measure
from tracker.domain.catalogue.commodities import Commodity, descendants
from tracker.domain.catalogue.places import Place
from tracker.domain.catalogue.unions import unions_of
from tracker.domain.controls.clause import Clause, ClauseState
from tracker.domain.controls.clause_query import ClauseQuery, match_of
from tracker.domain.controls.confirmation import Grounds, confirmation
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.controls.matching import ALL_GOODS, comes_from, controls_about, goes_to
from tracker.domain.figures.figure import FigureState

FITTING_RANK = 10
"""Rank of the best control with all names; the next ones follow by a thousandth."""
MAX_NEAREST = 5
"""Maximum number of controls offered if none has all names."""
DROPPED = ((Measure,), (Form,), (Place,), (Measure, Place), (Commodity,), (Measure, Commodity))
"""Kinds of names to leave out, one after the other, until a control has the others."""


class FittingControls(NamedTuple):
    """The controls with all names, best first, or the nearest ones with the names that they lack."""

    names: tuple[str, ...] = ()
    nearest: tuple[str, ...] = ()
    missing: tuple[Term, ...] = ()

    def without_words(self, words: Sequence[str]) -> "FittingControls":
        """Return the controls as the nearest ones: they have the names of a search, but not its words."""
        lacking = (Term(f"“{' '.join(words)}”", Form, ()),)
        return FittingControls((), self.names[:MAX_NEAREST], lacking) if self.names else self


class SoughtControls:
    """Queries for controls by the names in searches."""

    def __init__(self, lists: Lists, exposures: Exposures, confirmations: Confirmations):
        self._lists, self._exposures, self._confirmations = lists, exposures, confirmations
        self._matches = ClauseMatches()

    async def find(
        self,
        search: ParsedSearch,
        moment: Moment,
        commodities: Sequence[str] | None,
        places: Sequence[str] | None,
    ) -> FittingControls:
        """Return the controls with all names; `commodities` and `places` (of the issuer) filter them too."""
        goods = search.commodities
        about = Filter(commodities=controls_about(goods)) if goods else EVERYTHING
        listed = await self._lists.page(ExportControlState, moment, about)
        for dropped in ((), *DROPPED):
            kept = search.without(*dropped)
            missing = tuple(one for one in search.terms if one not in kept.terms)
            if not kept.terms or {one.kind for one in missing} != set(dropped):
                continue
            if Commodity in dropped:
                listed = await self._lists.page(ExportControlState, moment)
            found = [
                (control, clauses)
                for _, control in listed
                if places is None or control.issuer in places
                if (clauses := self._fitting(control, kept, moment.valid_at, commodities))
            ]
            if found:
                names = await self._ranked(found, kept, moment)
                return FittingControls(
                    *(((), names[:MAX_NEAREST], missing) if dropped else (names,))
                )
        return FittingControls(missing=search.terms)

    def _fitting(
        self,
        control: ExportControlState,
        search: ParsedSearch,
        day: date,
        commodities: Sequence[str] | None,
    ) -> list[ClauseState]:
        """Return the clauses in which all names hold; empty unless each commodity has one.

        A clause on all goods holds goods only beside a measure.
        """
        measures, found = search.of_kind(Measure), list[ClauseState]()
        if search.direction not in (None, control.direction):
            return []
        for goods, form in product(search.commodities or (None,), search.of_kind(Form) or (None,)):
            query = ClauseQuery(
                day,
                commodity=goods,
                form=form if isinstance(form, Form) else None,
                covers=form if isinstance(form, Covers) else None,
            )
            clauses = [
                state
                for state in self._matches.matcher(query, {})(control)
                if (
                    state.clause.measure in measures
                    if measures
                    else ALL_GOODS not in state.clause.commodities
                )
                if commodities is None or not set(commodities).isdisjoint(state.clause.commodities)
                if match_of(query, state.clause) is Match.CERTAIN
                if goods or _names_form(state.clause, query.form)
                if _holds_places(control, state.clause, search, day)
            ]
            if not clauses:
                return []
            found += clauses
        return found

    async def _ranked(
        self,
        found: Sequence[tuple[ExportControlState, Sequence[ClauseState]]],
        search: ParsedSearch,
        moment: Moment,
    ) -> tuple[str, ...]:
        goods = search.commodities
        has_several = goods and len({control.issuer for control, _ in found}) > 1
        shares = await self._exposures.shares.get((goods[0], moment.alone)) if has_several else {}
        grounds = await self._confirmations.grounds(moment)
        ranks = {
            f"{kind_name(ExportControlState)}/{control.id}": min(
                _rank(control, one, search, shares, grounds, moment) for one in clauses
            )
            for control, clauses in found
        }
        return tuple(sorted(ranks, key=lambda name: (ranks[name], name)))


def _names_form(clause: Clause, form: Form | None) -> bool:
    """Return whether a clause names a form, or goods that have no other."""
    named = {
        *clause.forms,
        *(only for of in clause.commodities for only in of.forms[:1] if not of.forms[1:]),
    }
    return form is None or form in named


def with_controls(
    found: Sequence[tuple[float, str]], fitting: FittingControls, search: ParsedSearch
) -> list[tuple[float, str]]:
    """Return results with the controls that have all names first, which have the other words too.

    Of several names, other controls and the figures of other goods and places are left out.
    """
    by_words = {entity for _, entity in found}
    fits = [name for name in fitting.names if not search.has_rest or name in by_words]
    best = [(round(FITTING_RANK - at / 1000, 6), entity) for at, entity in enumerate(fits)]
    kept = [one for one in found if one[1] not in fits and not _lacks_name(one[1], search)]
    return [*best, *kept]


def _lacks_name(entity: str, search: ParsedSearch) -> bool:
    kind, *series = entity.split("/")
    below = frozenset[str]().union(*map(descendants, search.commodities))
    is_figure = kind == kind_name(FigureState)
    return search.is_strict and (
        kind == kind_name(ExportControlState)
        or (is_figure and bool(below) and series[0] not in below)
        or (is_figure and bool(search.places) and series[1] not in search.places)
    )


def _rank(
    control: ExportControlState,
    state: ClauseState,
    search: ParsedSearch,
    shares: Mapping[str, Decimal],
    grounds: Grounds,
    moment: Moment,
) -> tuple[object, ...]:
    """Return the place of a clause; the lowest is the best."""
    clause, places = state.clause, search.places
    below = frozenset[Commodity]().union(*map(descendants, search.commodities))
    named = {*clause.destinations, *clause.origins}
    is_of_another = bool(places) and control.issuer not in places
    return (
        ALL_GOODS in clause.commodities,
        state.status.has_ended,
        bool(below) and below.isdisjoint(clause.commodities),
        clause.covers is not Covers.GOODS,
        is_of_another and named.isdisjoint(places),
        is_of_another and search.destination is None,
        -shares.get(control.issuer, Decimal(0)),
        bool(named.difference(places)),
        state.status.rank,
        not state.status.has_ended
        and [*Confirmation].index(confirmation(control, state, moment.valid_at, grounds)),
        -control.announced_on.last.toordinal(),
        clause.measure.rank,
    )


def _holds_places(
    control: ExportControlState, clause: Clause, search: ParsedSearch, day: date
) -> bool:
    """Return whether a clause is of each place or names it.

    A destination, and a second place beside the issuer, hold too if the clause applies to trade with them.
    """
    named = {control.issuer, *clause.destinations, *clause.origins}
    meant = [
        [place for code in one.meanings for place in (Place(code), *unions_of(Place(code), day))]
        for one in search.terms
        if one.kind is Place
    ]
    is_own = any(control.issuer in places for places in meant)
    for places in meant:
        if search.destination in places:
            holds = goes_to(control, clause, places[0], day)
        else:
            holds = not named.isdisjoint(places) or (
                is_own
                and any(
                    reaches(control, clause, one, day)
                    for one in places
                    for reaches in (goes_to, comes_from)
                )
            )
        if not holds:
            return False
    return True
