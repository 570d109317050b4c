"""Imports under the export controls of their origins: bounds for one list of origins. Pure.

The numbers are those of the list, in its unit. Parts are not rescaled: `Sums.remainder` is the difference
between the whole and the stated parts. It comes from rounding and from parts such as `<1`, which count in
the sums with their least value. Lists are never combined, and no part is multiplied by an import reliance.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from msgspec import Struct

from projections.analysis.applied_clause import AppliedClause
from projections.analysis.claims import ClaimRef, Orders, choose
from projections.analysis.export_clauses import ExportClauses, ExposureQuery
from projections.analysis.exposure import applied_to
from projections.analysis.origin_lists import NOTHING, Bounds, OriginList
from projections.analysis.quantities import ARITHMETIC, total
from tracker.domain.basics.control_vocabulary import Confirmation, Match, Measure, Reach
from tracker.domain.basics.values import Quantity
from tracker.domain.basics.vocabulary import Qualifier
from tracker.domain.basics.word import NamedWord
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.catalogue.harmonized_system import forms_of_code
from tracker.domain.catalogue.hs_concordance import codes_of
from tracker.domain.catalogue.places import Place
from tracker.domain.catalogue.unions import members_of, unions_of
from tracker.domain.controls.reach import forms_in
from tracker.domain.figures.figure import FigureState
from tracker.domain.figures.origins import ROUNDING, Origin
from tracker.domain.figures.trade_flow import TradeFlowState

OTHER_GOODS = "the code also has goods of other commodities"
Output = Mapping[Commodity, Sequence[FigureState]]
"""Figures of production by commodity."""
Supply = ClaimRef | TradeFlowState
"""Evidence that a place may supply a product: a figure of its production, or a flow to the importer."""
Suppliers = Mapping[Place, Supply]
"""Places that may supply a product, with the evidence."""


class OriginStatus(NamedWord):
    """The status of an origin: the strongest of its clauses toward the importer."""

    CERTAIN = "certain", "covered"
    """A recorded clause in force covers all of the product."""
    ASSUMED = "assumed", "covered, not confirmed"
    """A clause covers all of the product. It is in force because a suspension ended by its own
    terms, or its end is not known: see `Assumption`."""
    PARTLY = "partly", "partly covered"
    """Clauses in force cover a part of it, of unknown size: some items, forms, end uses or
    firms."""
    NONE = "none", "no control recorded"
    """No clause in force is recorded. Only complete records show that none exists."""


class ControlledPlace(Struct, frozen=True):
    """A place with its clauses on a product toward the importer.

    `supply` is the evidence for a place that the list does not name; None for the others.
    """

    place: Place
    """The place."""
    status: OriginStatus
    """Its status: the strongest of its clauses in force."""
    in_force: tuple[AppliedClause, ...]
    """The clauses in force that cover all of the product or a part of it."""
    beside: tuple[AppliedClause, ...]
    """The clauses that are suspended, announced or proposed, with their dates. They do not count."""
    supply: Supply | None = None

    @property
    def controlled_since(self) -> date | None:
        """The first day on which a clause that gives the place its status was in force.

        Clauses that name the goods have precedence over those that name only a group.
        """
        naming = [one for one in self.in_force if one.match is Match.CERTAIN] or self.in_force
        deciding = [one for one in naming if _status([one]) is self.status] or naming
        return min(filter(None, (one.clause.first_in_force for one in deciding)), default=None)


class ListedOrigin(Struct, frozen=True):
    """An origin of a list with its clauses, and the least and the greatest value of its part."""

    origin: Origin
    least: Decimal
    """The least value of the part: 0 for `<1`. It counts in the sums."""
    greatest: Decimal
    """The greatest value of the part: 1 for `<1`."""
    controls: ControlledPlace
    """Its status and its clauses."""
    controlled_since_figures: date | None
    """The first day of the controls that give it its status, if that is after the period of the list. The
    list then shows imports from before. Null otherwise."""


class Sums(Struct, frozen=True):
    """The sums of the parts by status, with the least value of each part.

    Together with `remainder` they are the whole.
    """

    certain: Decimal
    assumed: Decimal
    partly: Decimal
    none: Decimal
    unnamed: Decimal
    remainder: Decimal


class MeasureImports(Struct, frozen=True):
    """The sums of the parts under one kind of measure. They overlap with those of other measures."""

    measure: Measure
    """The measure."""
    certain: Decimal
    """The sum of the parts that are certainly covered."""
    assumed: Decimal
    """The sum of the parts that are covered by an assumption."""
    partly: Decimal
    """The sum of the parts that are partly covered."""


class ImportExposure(Struct, frozen=True):
    """A list of origins with the controls of its origins toward the importer."""

    listed: OriginList
    origins: tuple[ListedOrigin, ...]
    """The named origins in the printed order."""
    sums: Sums
    lower: Decimal
    """The lower bound of the controlled part: the least values of `CERTAIN` origins."""
    tight: Decimal
    """`upper`, with an inference: no unnamed place has a larger part than the smallest named one. It rests
    on the descending order of the list."""
    upper: Decimal
    """The upper bound of the controlled part: the greatest values of all origins with clauses in force,
    and the unnamed part if `unnamedSuppliers` is not empty."""
    measures: tuple[MeasureImports, ...]
    """The parts by measure. They overlap: never add them."""
    unnamed_suppliers: tuple[ControlledPlace, ...]
    """The places outside the list that control the product and have a figure of its production, or a trade
    flow to the importer: they may be in the unnamed part. Empty if the list names all origins."""
    controlling_without_supply: tuple[ControlledPlace, ...]
    """The places outside the list that control the product, without such a figure or flow. They do not
    change the bounds."""
    figures_public_later: bool
    """Whether the list was published after this date. It can be only if `figures` names its edition."""
    limits: tuple[str, ...]
    """The limits of the answer in sentences: rounding, included places, inferences."""

    @property
    def controlled_since_figures(self) -> date | None:
        """The earliest `controlledSinceFigures` of the origins; null if no origin has one."""
        days = [one.controlled_since_figures for one in self.origins]
        return min(filter(None, days), default=None)


class ProductClauses(Struct, frozen=True):
    """The clauses on a product toward an importer on a day, by issuer."""

    day: date
    by_issuer: Mapping[Place, Sequence[AppliedClause]]

    def only(self, measures: Collection[Measure] | None) -> ProductClauses:
        """Return the clauses with one of some measures; None does not filter."""
        if measures is None:
            return self
        by_issuer = {
            issuer: [one for one in clauses if one.clause.clause.measure in measures]
            for issuer, clauses in self.by_issuer.items()
        }
        return ProductClauses(self.day, by_issuer)

    def of(self, place: Place, supply: Supply | None = None) -> ControlledPlace:
        """Return a place with its clauses, those of a union that it is in, and those of its members."""
        members = self._members(place)
        clauses = self._of_issuers(place, *unions_of(place, self.day), *members)
        in_force = tuple(one for one in clauses if one.in_force)
        beside = tuple(one for one in clauses if not one.in_force)
        return ControlledPlace(place, self.status_of(place), in_force, beside, supply)

    def status_of(self, place: Place) -> OriginStatus:
        """Return the status of a place.

        A declared group, or a union, has the weakest status of its members. If only some of them have clauses
        in force, it is partly controlled.
        """
        own = _status(self._of_issuers(place, *unions_of(place, self.day)))
        statuses = [self.status_of(member) for member in self._members(place)]
        if not statuses:
            return own
        weakest = max(statuses, key=_strength)
        if weakest is OriginStatus.NONE and any(one is not weakest for one in statuses):
            weakest = OriginStatus.PARTLY
        return min(own, weakest, key=_strength)

    def _members(self, place: Place) -> tuple[Place, ...]:
        return place.countries or tuple(sorted(members_of(place, self.day)))

    def without(self, places: Iterable[Place]) -> list[Place]:
        """Return the issuers of clauses in force that control none of some places."""
        named = {one for place in places for one in (place, *unions_of(place, self.day))}
        return sorted(
            issuer
            for issuer, clauses in self.by_issuer.items()
            if issuer not in named and any(one.in_force for one in clauses)
        )

    def _of_issuers(self, *issuers: Place) -> list[AppliedClause]:
        return [one for issuer in issuers for one in self.by_issuer.get(issuer, ())]


def product_clauses(of: OriginList, day: date, clauses: ExportClauses) -> ProductClauses:
    """Return the clauses on the product of a list toward its importer, if they cover any of it.

    They cover only a part of a code that also has goods of other commodities.
    """
    query = ExposureQuery(day, commodity=of.goods, destination=of.importer)
    by_issuer: dict[Place, list[AppliedClause]] = defaultdict(list)
    for one in applied_to(query, of.goods, forms_in(of.forms, of.goods), clauses):
        if one.reach is Reach.OTHER:
            continue
        if of.has_other_goods:
            one = replace(one, reach=Reach.PARTLY, limits=(OTHER_GOODS, *one.limits))
        by_issuer[one.control.issuer].append(one)
    return ProductClauses(day, by_issuer)


def suppliers(
    of: OriginList, output: Output, orders: Orders, flows: Iterable[TradeFlowState] = ()
) -> dict[Place, Supply]:
    """Return the countries that may supply the product of a list, each with the evidence.

    The evidence is production of its goods that is not nil, or a flow to the importer under a code without
    other goods.
    """
    supplying: dict[Place, Supply] = {}
    for figure in (one for goods in sorted(goods_of_list(of)) for one in output.get(goods, ())):
        place, claim = figure.series.place, choose(figure, orders).claim
        if not place.is_aggregate and _may_be_positive(claim.quantity):
            supplying.setdefault(place, (figure, claim))
    codes = codes_of_list(of)
    for flow in (one for one in flows if one.hs_code in codes):
        for place in flow.preferred.origins.places:
            supplying.setdefault(place, flow)
    return supplying


def codes_of_list(of: OriginList) -> set[str]:
    """Return the codes of trade flows that have goods of a published list and no others."""
    if of.code is not None:
        return set()
    return {
        one.code
        for one in codes_of(of.goods)
        if one.has_only(of.goods) and forms_of_code(one.code).intersection(of.forms)
    }


def goods_of_list(of: OriginList) -> set[Commodity]:
    """Return the commodities under which output of the product of a list is published."""
    named = {of.commodity, of.goods}
    return named | {one.filed_figures.commodity for one in named if one.filed_figures}


def import_exposure(
    of: OriginList, clauses: ProductClauses, supplying: Suppliers
) -> ImportExposure:
    """Return the controls of the origins of a list, with the bounds of the controlled part."""
    origins = tuple(_listed(of, part, clauses) for part in of.origins.parts)
    unnamed = of.bounds(of.origins.unnamed)
    outside, without = _unnamed(of, clauses, supplying) if unnamed[1] else ((), ())
    controlled = [one for one in origins if one.controls.status is not OriginStatus.NONE]
    certain = [one for one in origins if one.controls.status is OriginStatus.CERTAIN]
    earlier = [
        one.origin.place.name
        for one in certain
        if Confirmation.CONFIRMED
        not in [at.confirmation for at in one.controls.in_force if at.full]
    ]
    named = total(one.greatest for one in controlled)
    smallest = min(one.greatest for one in origins)
    largest = unnamed[1] if outside else NOTHING
    inferred = min(largest, ARITHMETIC.multiply(smallest, Decimal(len(outside))))
    return ImportExposure(
        listed=of,
        origins=origins,
        sums=_sums(of, origins, unnamed),
        lower=min(of.whole, total(one.least for one in certain)),
        tight=min(of.whole, ARITHMETIC.add(named, inferred)),
        upper=min(of.whole, ARITHMETIC.add(named, largest)),
        measures=tuple(_by_measure(origins, clauses)),
        unnamed_suppliers=outside,
        controlling_without_supply=without,
        figures_public_later=of.public_on > clauses.day,
        limits=tuple(_limits(of, unnamed, outside, earlier)),
    )


def _listed(of: OriginList, part: Origin, clauses: ProductClauses) -> ListedOrigin:
    controls, (least, greatest) = clauses.of(part.place), of.bounds(part.quantity)
    since = controls.controlled_since
    after = since if since and since > of.last_day else None
    return ListedOrigin(part, least, greatest, controls, after)


def _unnamed(
    of: OriginList, clauses: ProductClauses, supplying: Suppliers
) -> tuple[tuple[ControlledPlace, ...], tuple[ControlledPlace, ...]]:
    """Return the controlling places that may be in the unnamed part, and issuers without such a place."""
    named = {
        place
        for part in of.origins.parts
        for place in (part.place, *part.includes, *part.place.countries)
    }
    others = sorted(supplying.keys() - named - {of.importer})
    controlling = [clauses.of(place, supplying[place]) for place in others]
    members = [member for place in named for member in members_of(place, clauses.day)]
    without = clauses.without([*named, *others, *members])
    return (
        tuple(one for one in controlling if one.status is not OriginStatus.NONE),
        tuple(clauses.of(issuer) for issuer in without),
    )


def _status(clauses: Iterable[AppliedClause]) -> OriginStatus:
    in_force = [one for one in clauses if one.in_force]
    full = [one for one in in_force if one.full]
    if any(one.confirmation.is_supported for one in full):
        return OriginStatus.CERTAIN
    if full:
        return OriginStatus.ASSUMED
    return OriginStatus.PARTLY if in_force else OriginStatus.NONE


STRONGEST_FIRST = (
    OriginStatus.CERTAIN,
    OriginStatus.ASSUMED,
    OriginStatus.PARTLY,
    OriginStatus.NONE,
)


def _strength(status: OriginStatus) -> int:
    return STRONGEST_FIRST.index(status)


def _sums(of: OriginList, origins: Sequence[ListedOrigin], unnamed: Bounds) -> Sums:
    by_status = {
        status: total(one.least for one in origins if one.controls.status is status)
        for status in OriginStatus
    }
    stated = total((*by_status.values(), unnamed[0]))
    return Sums(
        **{str(status): sum_ for status, sum_ in by_status.items()},
        unnamed=unnamed[0],
        remainder=ARITHMETIC.subtract(of.whole, stated),
    )


def _by_measure(
    origins: Sequence[ListedOrigin], clauses: ProductClauses
) -> Iterator[MeasureImports]:
    """Yield the sums by measure, each as if it were the only one."""
    in_force = {of.clause.clause.measure for one in origins for of in one.controls.in_force}
    for measure in Measure:
        if measure not in in_force:
            continue
        under, sums = clauses.only({measure}), dict.fromkeys(OriginStatus, NOTHING)
        for one in origins:
            status = under.status_of(one.origin.place)
            sums[status] = ARITHMETIC.add(sums[status], one.least)
        yield MeasureImports(
            measure,
            sums[OriginStatus.CERTAIN],
            sums[OriginStatus.ASSUMED],
            sums[OriginStatus.PARTLY],
        )


def _may_be_positive(quantity: Quantity) -> bool:
    if quantity.value is None:
        return quantity.qualifier is Qualifier.WITHHELD
    return quantity.value > 0 or (quantity.upper or NOTHING) > 0


def _limits(
    of: OriginList, unnamed: Bounds, outside: Sequence[ControlledPlace], earlier: Sequence[str]
) -> Iterator[str]:
    """Yield the limits of the answer in sentences. `earlier` have no record of the date or later."""
    for part in of.origins.parts:
        if part.includes:
            included = ", ".join(place.name for place in part.includes)
            yield (
                f"The part of {part.place.name} includes {included}; the controls are those of"
                f" {part.place.name}."
            )
        if part.place.countries:
            yield f"{part.place.name} are one part; the list does not divide it."
    if of.code:
        yield f"Trade flows name places of dispatch, which may be ports. {of.code.reason}"
    if of.has_other_goods and of.code:
        goods = ", ".join(one.name for one in of.code.commodities)
        yield f"The code {of.code.code} has the goods of {goods}, which its flows do not separate."
    if members := members_of(of.importer, of.last_day):
        missing = sorted(members - {flow.importer for flow in of.flows})
        without = f" No flow of {', '.join(missing)} is recorded." if missing else ""
        yield f"Trade between members is not counted.{without}"
    if earlier:
        yield (
            f"The controls of {', '.join(earlier)} are those recorded before this date; no later record"
            " names them."
        )
    if of.is_in_percent:
        yield f"Each part is rounded and may differ by {ROUNDING} percent."
    if unnamed[1]:
        yield "The list does not name the places of its unnamed part."
    if outside:
        yield (
            "The tight bound is an inference: it assumes that each unnamed place has at most the smallest"
            " named part."
        )
