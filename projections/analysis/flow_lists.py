"""Lists of origins from trade flows, also those into a union from outside. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal

from msgspec import structs

from projections.analysis.flow_parts import DOLLARS, TONNES, UnionFlow, union_flow
from projections.analysis.origin_lists import OriginList
from tracker.domain.basics.values import Quantity
from tracker.domain.catalogue.commodities import Commodity, descendants
from tracker.domain.catalogue.harmonized_system import forms_of_code
from tracker.domain.catalogue.hs_concordance import Concordance
from tracker.domain.catalogue.places import Place
from tracker.domain.figures.origins import Origin, Origins
from tracker.domain.figures.trade_flow import TradeFlowState


def flow_lists(
    flows: Iterable[TradeFlowState],
    goods: Iterable[tuple[Concordance, Commodity]],
    importer: Place,
    members: frozenset[Place],
    edition: str | None = None,
) -> list[OriginList]:
    """Return a list of origins for each code with a commodity, in its newest year.

    The flows of the members of a union are added up, without the trade between them. A named edition
    selects its claims; otherwise the latest ones count.
    """
    by_code: dict[str, list[TradeFlowState]] = defaultdict(list)
    importers = members or frozenset({importer})
    whole = {flow.id: flow for flow in flows if flow.importer in importers}
    for flow in whole.values():
        claims = tuple(one for one in flow.claims if edition in (None, one.edition))
        if claims:
            by_code[flow.hs_code].append(structs.replace(flow, claims=claims))
    lists = []
    for code, commodity in goods:
        last = max((flow.year for flow in by_code[code.code]), default=None)
        newest = [flow for flow in by_code[code.code] if flow.year == last]
        imports = union_flow(newest, importers)
        if imports and imports.value:
            of = _list(commodity, importer, code, newest, imports)
            lists.append(replace(of, flows=tuple(whole[flow.id] for flow in newest)))
    return lists


def _list(
    commodity: Commodity,
    importer: Place,
    code: Concordance,
    flows: Sequence[TradeFlowState],
    imports: UnionFlow,
) -> OriginList:
    """Return the list of the imports under a code: in tonnes if all parts have a weight, else in dollars."""
    by_weight, newest = imports.quantity is not None, flows[0].preferred
    unit = TONNES if by_weight else DOLLARS

    def measured(part: tuple[Decimal, Decimal | None]) -> Quantity:
        return Quantity(unit=unit, value=part[1] if by_weight else part[0])

    only = code.commodities[0] if len(code.commodities) == 1 else commodity
    goods = only if only in descendants(commodity) else commodity
    return OriginList(
        commodity=goods,
        form=None,
        importer=importer,
        goods=goods,
        forms=tuple(sorted(forms_of_code(code.code))),
        first_year=flows[0].year,
        last_year=flows[0].year,
        quantity=measured((imports.value, imports.quantity)),
        origins=Origins(
            parts=tuple(
                Origin(place=place, quantity=measured(part))
                for place, part in imports.origins.items()
            ),
            unnamed=measured(imports.unnamed) if any(imports.unnamed) else None,
            measured="weight" if by_weight else "value (FOB)",
        ),
        publisher=newest.publisher,
        edition=newest.edition,
        public_on=max(flow.preferred.published_on.first for flow in flows),
        code=code,
    )
