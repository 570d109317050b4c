"""Matching of clauses to goods, places and firms: the one rule for lists, exposure and changes.

A clause matches through the commodities that it names, their descendants and their ancestors. Limits of its
coverage are stated in words. Pure.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from tracker.domain.actors.firm import spelling
from tracker.domain.basics.control_vocabulary import (
    ClauseStatus,
    Covers,
    Direction,
    Form,
    Measure,
    Territory,
)
from tracker.domain.catalogue.commodities import (
    Commodity,
    ancestors,
    commons,
    descendants,
    find_commodity,
    goods_with_code,
    related,
)
from tracker.domain.catalogue.places import Place
from tracker.domain.catalogue.unions import members_of, unions_of
from tracker.domain.controls.clause import Clause, ClauseState
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.controls.scope import Item, PlaceException, PlaceQuota

DUAL_USE_ITEMS = Commodity("dual_use_items")
ALL_GOODS = Commodity("all_goods")
"""Goods of any kind: an act that names them covers every commodity and every code."""
GROUPS = frozenset({Commodity("critical_minerals"), Commodity("minerals"), DUAL_USE_ITEMS})
"""Commodities that are only groups: an act that names one may mean any goods in it."""
ALL_FORMS = frozenset(Form)
MAX_NAMED_ITEMS = 4
"""Maximum number of items that a limit names before it counts the others."""


class Goods(NamedTuple):
    """The part of a commodity that a clause covers: its limits in words, and its forms; empty means all
    forms."""

    limits: tuple[str, ...]
    forms: frozenset[Form]


@dataclass(frozen=True, slots=True)
class IssuerLicences:
    """An issuer's dual-use licences in force: they define its «dual-use items».

    Their coverage is computed once for each commodity and code.
    """

    clauses: tuple[Clause, ...] = ()
    _goods: dict[Commodity, tuple[Goods, ...]] = field(default_factory=dict, compare=False)
    _codes: dict[str, bool] = field(default_factory=dict, compare=False)

    def goods_of(self, commodity: Commodity) -> tuple[Goods, ...]:
        """Return the goods of a commodity that a clause on dual-use items covers.

        These are the goods of every licence; goods that are fully covered in their forms are combined.
        """
        if commodity not in self._goods:
            named = [goods for of in self.clauses for goods in goods_of(of, commodity)]
            whole = [goods.forms for goods in named if not goods.limits]
            together = frozenset[Form]().union(*whole) if all(whole) else frozenset[Form]()
            some = [_through(goods) for goods in named if goods.limits]
            self._goods[commodity] = (*([Goods((), together)] if whole else []), *some)
        return self._goods[commodity]

    def has_code(self, code: str) -> bool:
        """Return whether a licence covers goods of a code."""
        if code not in self._codes:
            self._codes[code] = any(has_code(of, code) for of in self.clauses)
        return self._codes[code]


NO_LICENCES = IssuerLicences()
Licences = Mapping[Place, IssuerLicences]
"""The licences by issuer."""


def licences_in_force(controls: Iterable[ExportControlState]) -> Licences:
    """Return the dual-use licences in force for goods that leave their issuer's territory."""
    licences: dict[Place, list[Clause]] = {}
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
                licences.setdefault(control.issuer, []).append(clause)
    return {issuer: IssuerLicences(tuple(clauses)) for issuer, clauses in licences.items()}


def _through(licence: Goods) -> Goods:
    """Return the coverage of a clause on dual-use items through a licence."""
    if not licence.limits:
        return licence
    phrase = "dual-use items: only what needs a dual-use licence"
    return Goods((phrase, *licence.limits), licence.forms)


# --- goods


def controls_about(commodities: Iterable[Commodity]) -> list[str]:
    """Return the commodities of controls that may cover some commodities.

    These are all descendants, all their ancestors, all goods, and dual-use items, which may be anything.
    """
    below = frozenset[Commodity]().union(*map(descendants, commodities))
    return sorted({ALL_GOODS, DUAL_USE_ITEMS}.union(*map(related, below)))


def goods_of(
    clause: Clause, commodity: Commodity, licences: IssuerLicences = NO_LICENCES
) -> tuple[Goods, ...]:
    """Return the goods of a commodity that a clause covers, combined by limit; empty if it covers none.

    `licences` are those of its issuer: a clause on dual-use items covers the goods of each of them.
    """
    goods = named_goods(clause, commodity)
    if goods and goods.limits == ():
        return (goods,)
    named = (*((goods,) if goods else ()), *_common_goods(clause, commodity))
    if DUAL_USE_ITEMS not in clause.commodities:
        return named
    return (*named, *licences.goods_of(commodity))


def named_goods(clause: Clause, commodity: Commodity) -> Goods | None:
    named = named_limits(clause, commodity)
    items = _items_for(clause.items, commodity)
    if ALL_GOODS in clause.commodities:
        items = [item for item in items if may_have_code_of(item, [commodity])]
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
    """Return the goods common to a commodity and one of the clause's, if neither includes the other.

    For nickel and ferro-alloys that is ferronickel.
    """
    shared = commons(commodity)
    for one in {of: None for named in clause.commodities for of in shared.get(named, ())}:
        if goods := named_goods(clause, one):
            limits = (f"of {commodity} it names {one}", *goods.limits)
            yield Goods(limits, goods.forms or frozenset(one.forms))


def _forms_named(clause: Clause, commodity: Commodity, items: Sequence[Item]) -> frozenset[Form]:
    """Return the forms of a commodity that a clause names; empty means all.

    If it names only descendants (ferro-manganese, for manganese), the result is their forms.
    """
    forms = _forms(clause, items)
    if not {commodity, *ancestors(commodity)}.isdisjoint(clause.commodities):
        return forms
    below = [one.forms for one in clause.commodities if one in descendants(commodity)]
    of_below = frozenset(form for own in below for form in own) if all(below) else frozenset()
    return forms & of_below or forms or of_below


def _exempt_forms(clause: Clause, commodity: Commodity) -> frozenset[Form]:
    """Return the forms in which a commodity is completely exempt.

    Exemptions by a threshold, or by codes that the commodity has others beside, may cover only a part.
    """
    whole = [
        item.forms or tuple(ALL_FORMS)
        for item in clause.exempt_items
        if item.threshold is None and _includes(item, commodity)
    ]
    return frozenset(form for forms in whole for form in forms)


def _includes(item: Item, commodity: Commodity) -> bool:
    """Return whether an item names a commodity or one above it, with all of its codes if it has codes."""
    named = item.commodity or find_commodity(item.name)
    if named not in (commodity, *ancestors(commodity)):
        return False
    codes = commodity.hs_codes
    return not item.hs or (bool(codes) and all(code.startswith(item.codes) for code in codes))


def named_limits(clause: Clause, commodity: Commodity) -> tuple[str, ...] | None:
    """Return the limits of the clause's commodities in words: empty for a complete match, None for no
    match.

    A clause that names a commodity together with descendants (rare earths: samarium, dysprosium) may mean
    only these. So it is not treated as covering the whole commodity.
    """
    if ALL_GOODS in clause.commodities:
        return ()
    if related(commodity).isdisjoint(clause.commodities):
        return None
    named = set(clause.commodities)
    scope = next((one for one in (commodity, *ancestors(commodity)) if one in named), None)
    narrower = named & descendants(scope or commodity) - {scope or commodity}
    if not narrower:
        return ()
    return (f"of {scope or commodity} it names {', '.join(sorted(narrower))}",)


def _items_for(items: Sequence[Item], commodity: Commodity) -> list[Item]:
    """Yield the items relevant to a commodity."""
    if not items:
        return []
    near = related(commodity)
    return [item for item in items if item.commodity is None or item.commodity in near]


def may_have_code_of(item: Item, goods: Iterable[Commodity]) -> bool:
    """Return whether some commodities, by their codes, may have a code of an item."""
    codes = {code for of in goods for one in descendants(of) for code in one.hs_codes}
    return not (codes and item.hs) or any(
        own.startswith(code) or code.startswith(own) for own in item.codes for code in codes
    )


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
    """Return whether a clause covers goods of a code of the Harmonized System.

    If its items have codes, only these count. Otherwise its commodities count, in the forms of the code; all
    goods have every code. It does not cover goods that are exempt by code, technology or services. Equipment
    and materials are covered only by the codes of their items.
    """
    if clause.covers in (Covers.TECHNOLOGY, Covers.SERVICES):
        return False
    if any(code.startswith(of.codes) for of in clause.exempt_items if of.threshold is None):
        return False
    codes = [own for item in clause.items for own in item.codes]
    if codes or clause.covers is not Covers.GOODS:
        return any(own.startswith(code) or code.startswith(own) for own in codes)
    if ALL_GOODS in clause.commodities:
        return True
    if any(
        (goods := named_goods(clause, commodity))
        and (not goods.forms or not forms or goods.forms & forms)
        for commodity, forms in goods_with_code(code).items()
    ):
        return True
    return DUAL_USE_ITEMS in clause.commodities and licences.has_code(code)


# --- places and firms


def exception_for(clause: Clause, place: Place, day: date) -> PlaceException | None:
    """Return the exception of a clause that applies to a place on a day.

    An exception that names the place has precedence over one that names a union that contains it.
    """
    for name in (place, *unions_of(place, day)):
        for one in clause.exceptions:
            if name in one.places and one.holds_on(day):
                return one
    return None


def quota_for(clause: Clause, place: Place, day: date) -> PlaceQuota | None:
    """Return the part of a clause's quota for a place on a day: its own one, else that of all others."""
    parts = [one for one in clause.quotas if one.is_open_on(day)]
    for name in (place, *unions_of(place, day)):
        if own := next((one for one in parts if name in one.places), None):
            return own
    return next((one for one in parts if not one.places), None)


def reaches_place(clause: Clause, named: Sequence[Place], place: Place, day: date) -> bool:
    """Return whether a clause that names some places covers a place on a day, without exemptions.

    It covers the place itself, through a union that contains it, or through some members of a union. A clause
    without places covers all.
    """
    if (one := exception_for(clause, place, day)) and one.exempt:
        return False
    same = {place, *unions_of(place, day), *members_of(place, day)}
    return not named or not same.isdisjoint(named)


def goes_to(control: ExportControlState, clause: Clause, place: Place, day: date) -> bool:
    """Return whether a clause applies to goods that go to a place.

    Goods within one place are not exports, imports go to their issuer, and production goes nowhere.
    """
    own = control.issuer in (place, *unions_of(place, day))
    if control.direction is Direction.EXPORT:
        return not own and reaches_place(clause, clause.destinations, place, day)
    return own and control.direction is Direction.IMPORT


def comes_from(control: ExportControlState, clause: Clause, place: Place, day: date) -> bool:
    """Return whether a clause applies to goods that come from a place."""
    own = control.issuer in (place, *unions_of(place, day))
    if control.direction is Direction.IMPORT:
        return not own and reaches_place(clause, clause.origins, place, day)
    return own


def firms_in(state: ClauseState) -> tuple[str, ...]:
    """Return the firms that a clause names, as in its source."""
    suspended = (name for one in state.partial_suspensions for name in one.entities)
    return (*state.clause.entities, *state.clause.exporters, *suspended)


def names_firm(state: ClauseState, names: frozenset[str]) -> bool:
    """Return whether a clause names a firm by one of its spellings."""
    return not names.isdisjoint(map(spelling, firms_in(state)))


# --- rates


def rate_for(clause: Clause, place: Place, day: date) -> Decimal | None:
    """Return the rate in percent for goods of a place (or to it) under a clause on a day.

    The rate is that of its exception, 0 if it is exempt, otherwise that of the clause. It is None if the
    clause does not cover the place or has no rate in percent.
    """
    one = exception_for(clause, place, day)
    if one is not None and one.exempt:
        return Decimal(0)
    if not reaches_place(clause, clause.origins or clause.destinations, place, day):
        return None
    return clause.rate_percent if one is None or one.rate_percent is None else one.rate_percent
