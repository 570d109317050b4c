"""Which clauses are about which goods, places and firms: the one rule of lists, exposure and changes.

A clause is found from what it names, from what is below that and from what is above it, and how far
it reaches is said in words. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from tracker.domain.clause import Clause, ClauseState
from tracker.domain.commodities import (
    Commodity,
    ancestors,
    common,
    descendants,
    goods_with_code,
    related,
)
from tracker.domain.export_control import ExportControlState
from tracker.domain.firm import spelling
from tracker.domain.places import Place
from tracker.domain.scope import Item, PlaceException
from tracker.domain.unions import members_of, unions_of
from tracker.domain.vocabulary import ClauseStatus, Covers, Direction, Form, Measure, Territory

DUAL_USE_ITEMS = Commodity("dual_use_items")
GROUPS = frozenset({Commodity("critical_minerals"), Commodity("minerals"), DUAL_USE_ITEMS})
"""Commodities that are no goods of their own: an act that names one may mean any goods in it."""
ALL_FORMS = frozenset(Form)
MAX_NAMED_ITEMS = 4
"""Items that a limit names before it counts the rest."""


class Goods(NamedTuple):
    """How far a clause is about a commodity: why only a part of it, in words, and in which forms;
    no forms are all."""

    limits: tuple[str, ...]
    forms: frozenset[Form]


@dataclass(frozen=True, slots=True)
class IssuerLicences:
    """The dual-use licences for goods of one issuer that are in force: what its «dual-use items» are.

    What they are about is computed once for each commodity and code.
    """

    clauses: tuple[Clause, ...] = ()
    _goods: dict[Commodity, tuple[Goods, ...]] = field(default_factory=dict, compare=False)
    _codes: dict[str, bool] = field(default_factory=dict, compare=False)

    def goods_of(self, commodity: Commodity) -> tuple[Goods, ...]:
        """Which goods of a commodity a clause on dual-use items is about: those of every licence, and
        together those of all that reach the whole of their forms."""
        if commodity not in self._goods:
            found = [goods for of in self.clauses if (goods := named_goods(of, commodity))]
            whole = [goods.forms for goods in found if not goods.limits]
            together = frozenset[Form]().union(*whole) if all(whole) else frozenset[Form]()
            some = [_through(goods) for goods in found if goods.limits]
            self._goods[commodity] = (*([Goods((), together)] if whole else []), *some)
        return self._goods[commodity]

    def has_code(self, code: str) -> bool:
        """Whether one of them is about goods of a code."""
        if code not in self._codes:
            self._codes[code] = any(has_code(of, code) for of in self.clauses)
        return self._codes[code]


NO_LICENCES = IssuerLicences()
Licences = Mapping[Place, IssuerLicences]
"""The licences by their issuer."""


def licences_in_force(controls: Iterable[ExportControlState]) -> Licences:
    """The dual-use licences in force for goods that leave their issuer's territory."""
    found: dict[Place, list[Clause]] = {}
    for control in controls:
        for state in control.clauses:
            clause = state.clause
            if (
                clause.measure is Measure.DUAL_USE_LICENCE
                and clause.covers is Covers.GOODS
                and clause.territory is not Territory.ONLY_ABROAD
                and state.status is ClauseStatus.IN_FORCE
                and control.direction is Direction.EXPORT
            ):
                found.setdefault(control.issuer, []).append(clause)
    return {issuer: IssuerLicences(tuple(clauses)) for issuer, clauses in found.items()}


def _through(licence: Goods) -> Goods:
    """How far a clause on dual-use items reaches through a licence."""
    if not licence.limits:
        return licence
    phrase = "dual-use items: only what needs a dual-use licence"
    return Goods((phrase, *licence.limits), licence.forms)


# --- goods


def controls_about(commodities: Iterable[Commodity]) -> list[str]:
    """The commodities by which controls are found that may be about some: all below them, all above
    these, and dual-use items, which may be anything."""
    below = frozenset[Commodity]().union(*map(descendants, commodities))
    return sorted({DUAL_USE_ITEMS}.union(*map(related, below)))


def goods_of(
    clause: Clause, commodity: Commodity, licences: IssuerLicences = NO_LICENCES
) -> tuple[Goods, ...]:
    """Which goods of a commodity a clause is about, all that are of one reach together; none: it is
    not about it. `licences` are those of its issuer: a clause on dual-use items is about the goods of
    each of them."""
    found = named_goods(clause, commodity)
    if found and found.limits == ():
        return (found,)
    named = (*((found,) if found else ()), *_common_goods(clause, commodity))
    if DUAL_USE_ITEMS not in clause.commodities:
        return named
    return (*named, *licences.goods_of(commodity))


def named_goods(clause: Clause, commodity: Commodity) -> Goods | None:
    named = _named_limits(clause, commodity)
    items = _items_for(clause.items, commodity)
    if named is None or (clause.items and not items):
        return None
    forms = _forms_named(clause, commodity, items) or frozenset(commodity.forms) or ALL_FORMS
    if commodity.forms:
        forms &= frozenset(commodity.forms)
    forms -= _exempt_forms(clause, commodity)
    if not forms:
        return None
    whole = forms in (ALL_FORMS, frozenset(commodity.forms))
    limits = (*named, *_item_limits(clause, commodity, items))
    return Goods(limits, frozenset() if whole else forms)


def _common_goods(clause: Clause, commodity: Commodity) -> Iterator[Goods]:
    """The goods that a clause names of what a commodity and one of its own have in common, where neither
    includes the other: of ferro-alloys ferronickel, for nickel."""
    for one in {one: None for named in clause.commodities for one in common(commodity, named)}:
        if found := named_goods(clause, one):
            limits = (f"of {commodity} it names {one}", *found.limits)
            yield Goods(limits, found.forms or frozenset(one.forms))


def _forms_named(clause: Clause, commodity: Commodity, items: Sequence[Item]) -> frozenset[Form]:
    """The forms that a clause names of a commodity; none are all. Where it names only goods below
    the commodity (ferro-manganese, of manganese), they are the forms of these."""
    forms = _forms(clause, items)
    if not {commodity, *ancestors(commodity)}.isdisjoint(clause.commodities):
        return forms
    below = [one.forms for one in clause.commodities if one in descendants(commodity)]
    of_below = frozenset(form for own in below for form in own) if all(below) else frozenset()
    return forms & of_below or forms or of_below


def _exempt_forms(clause: Clause, commodity: Commodity) -> frozenset[Form]:
    """The forms in which a commodity is exempt as a whole: not by a threshold or a code, which may
    be those of a part."""
    scopes = (commodity, *ancestors(commodity))
    whole = [
        item.forms or tuple(ALL_FORMS)
        for item in clause.exempt_items
        if item.commodity in scopes and item.threshold is None and not item.hs
    ]
    return frozenset(form for forms in whole for form in forms)


def _named_limits(clause: Clause, commodity: Commodity) -> tuple[str, ...] | None:
    """How far the commodities of a clause are one: limits in words, none if they are all of it; None
    if they are nothing of it.

    A clause that names a commodity together with some below it (rare earths: samarium, dysprosium)
    may mean the latter only, so it is not taken to be about all of the former.
    """
    if related(commodity).isdisjoint(clause.commodities):
        return None
    named = set(clause.commodities)
    scope = next((one for one in (commodity, *ancestors(commodity)) if one in named), None)
    narrower = named & descendants(scope or commodity) - {scope or commodity}
    if not narrower:
        return ()
    return (f"of {scope or commodity} it names {', '.join(sorted(narrower))}",)


def _items_for(items: Sequence[Item], commodity: Commodity) -> list[Item]:
    """The items that count for a commodity."""
    if not items:
        return []
    near = related(commodity)
    return [item for item in items if item.commodity is None or item.commodity in near]


def _forms(clause: Clause, items: Sequence[Item]) -> frozenset[Form]:
    forms = frozenset(clause.forms)
    if items and all(item.forms for item in items):
        of_items = frozenset(form for item in items for form in item.forms)
        return of_items & forms or of_items
    return forms


def _item_limits(clause: Clause, commodity: Commodity, items: Sequence[Item]) -> Iterator[str]:
    if items and not clause.items_complete:
        yield f"only {_list_names(items)}"
    if exempt := _items_for(clause.exempt_items, commodity):
        yield f"except: {_list_names(exempt)}"


def _list_names(items: Sequence[Item]) -> str:
    named = ", ".join(item.name for item in items[:MAX_NAMED_ITEMS])
    more = len(items) - MAX_NAMED_ITEMS
    return f"{named} and {more} more items" if more > 0 else named


def has_code(clause: Clause, code: str, licences: IssuerLicences = NO_LICENCES) -> bool:
    """Whether a clause is about goods of a code of the Harmonized System.

    One whose items have codes is so by these and nothing else, any other by those of its
    commodities, as far as its forms are those of the code. What is exempt by its code is not, nor
    are technology and services; equipment and materials are by the codes of their items alone.
    """
    if clause.covers in (Covers.TECHNOLOGY, Covers.SERVICES):
        return False
    if any(code.startswith(exempt) for item in clause.exempt_items for exempt in item.hs):
        return False
    codes = [own for item in clause.items for own in item.hs]
    if codes or clause.covers is not Covers.GOODS:
        return any(own.startswith(code) or code.startswith(own) for own in codes)
    if any(
        (goods := named_goods(clause, commodity))
        and (not goods.forms or not forms or goods.forms & forms)
        for commodity, forms in goods_with_code(code).items()
    ):
        return True
    return DUAL_USE_ITEMS in clause.commodities and licences.has_code(code)


# --- places and firms


def exception_for(clause: Clause, place: Place, day: date) -> PlaceException | None:
    """The exception of a clause that counts for a place on a day: one that names the place, before
    one that names a union that it is in."""
    for name in (place, *unions_of(place, day)):
        for one in clause.exceptions:
            if name in one.places and one.holds_on(day):
                return one
    return None


def reaches_place(clause: Clause, named: Sequence[Place], place: Place, day: date) -> bool:
    """Whether a clause that names some places reaches one on a day: itself, the unions that it is
    in, or, of a union, some of its members; a clause that names none reaches all. Not what is
    exempt."""
    if (one := exception_for(clause, place, day)) and one.exempt:
        return False
    same = {place, *unions_of(place, day), *members_of(place, day)}
    return not named or not same.isdisjoint(named)


def goes_to(control: ExportControlState, clause: Clause, place: Place, day: date) -> bool:
    """Whether a clause counts for goods that go to a place: what a place sends to itself is no
    export, and imports go to their issuer."""
    own = control.issuer in (place, *unions_of(place, day))
    if control.direction is Direction.EXPORT:
        return not own and reaches_place(clause, clause.destinations, place, day)
    return own or control.direction is Direction.PRODUCTION


def comes_from(control: ExportControlState, clause: Clause, place: Place, day: date) -> bool:
    """Whether a clause counts for goods that come from a place."""
    own = control.issuer in (place, *unions_of(place, day))
    if control.direction is Direction.IMPORT:
        return not own and reaches_place(clause, clause.origins, place, day)
    return own


def firms_in(state: ClauseState) -> tuple[str, ...]:
    """The firms that a clause names, as its source writes them."""
    suspended = (name for one in state.partial_suspensions for name in one.entities)
    return (*state.clause.entities, *state.clause.exporters, *suspended)


def names_firm(state: ClauseState, names: frozenset[str]) -> bool:
    """Whether a clause names a firm by one of its spellings."""
    return not names.isdisjoint(map(spelling, firms_in(state)))


# --- rates


def rate_for(clause: Clause, place: Place, day: date) -> Decimal | None:
    """The rate in percent that goods of a place (or for it) pay by a clause on a day: that of its
    exception, 0 where it is exempt, else that of the clause; None where the clause does not reach
    the place or gives no rate in percent."""
    one = exception_for(clause, place, day)
    if one is not None and one.exempt:
        return Decimal(0)
    if not reaches_place(clause, clause.origins or clause.destinations, place, day):
        return None
    return clause.rate_percent if one is None or one.rate_percent is None else one.rate_percent
