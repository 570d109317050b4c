"""Accounts of export controls that differ from the recorded one, at a moment."""

from enum import Enum

from strawberry import field

from projections.query.list_statements import BY_NAME, SortKey
from projections.query.lists import Filter, Key, Keyed
from schema.base.argument_group import ArgumentGroup
from schema.base.context import Info
from schema.base.decorators import object_type
from schema.inputs.arguments import parse_publisher, parse_words
from schema.inputs.clause_filter import CLAUSE_FILTERS, parse_clause_query
from schema.inputs.order_by import DisputeOrder
from schema.root.as_of.base import AtMoment
from schema.types.connection import PageSource, list_pages
from schema.types.export_control import Dispute, ExportControl
from schema.types.list_field import list_field
from tracker.domain.catalogue.commodities import commodities_with_code, related
from tracker.domain.catalogue.places import Place
from tracker.domain.controls import disputes as domain
from tracker.domain.controls.clause_query import ClauseQuery, matching_clauses
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.controls.matching import Licences
from tracker.domain.evidence.completeness import CONTROLS

FILTERS = ArgumentGroup(
    CLAUSE_FILTERS,
    **ArgumentGroup.of(
        issuer=(str, "Only accounts of instruments of this issuer, such as `CN`."),
        publisher=(str, "Only accounts by this publisher, such as `usgs`."),
    ),
).only("issuer commodity hs_code publisher")


@object_type
class DisputedControl:
    """An account of an instrument by another source, with the instrument."""

    export_control: ExportControl = field(description="The instrument.")
    dispute: Dispute = field(description="The different account.")


@object_type
class Disputes(AtMoment):
    """Disputes at a moment."""

    @list_field(DisputedControl, DisputeOrder)
    async def disputes(
        self, info: Info, order: Enum, filters: ArgumentGroup = FILTERS
    ) -> PageSource[DisputedControl]:
        """Accounts by other sources that differ from the recorded instrument and are stored beside it. The
        filters on goods apply to the goods of the account, or to those of the instrument if the account
        names none."""
        query = parse_clause_query(self.moment.valid_at, filters, None)
        publishers, issuer = parse_publisher(filters["publisher"]), filters["issuer"]
        of = info.context.services.as_of.controls
        licences = await of.licences(self.moment) if query.is_about_goods else {}
        # An account may name goods that its instrument does not name, so the filters apply to accounts.
        controls = await of.matching(
            self.moment,
            ClauseQuery(self.moment.valid_at),
            {},
            Filter(places=parse_words(Place, issuer, "issuer"), disputed=True),
            BY_NAME,
        )
        disputed: list[Keyed[DisputedControl]] = []
        for state in (of.state for _, of in controls):
            control = ExportControl.at(state, self.moment)
            disputed += [
                (
                    _key(state, number, order.value.by),
                    DisputedControl(export_control=control, dispute=Dispute(of=one, control=state)),
                )
                for number, one in enumerate(state.disputes)
                if publishers is None or one.source.publisher in publishers
                if _is_about(one, query, state, licences)
            ]
        listing = list_pages(disputed, order.name.removesuffix("_DESC"), order.value.down)
        issuers = None if issuer is None else [issuer]
        return listing.about(self.scope(info, CONTROLS, issuers, query.requested_goods))


def _key(state: ExportControlState, number: int, order: SortKey) -> Key:
    place = state.id, f"{number:06}"
    if order is SortKey.NAME:
        return place
    return state.disputes[number].source.published_on.first.isoformat(), *place


def _is_about(
    of: domain.Dispute, query: ClauseQuery, state: ExportControlState, licences: Licences
) -> bool:
    """Return whether an account covers the goods of a query.

    An account without goods covers those of its instrument.
    """
    if not query.is_about_goods:
        return True
    named, goods, code = frozenset(of.commodities), query.commodity, query.hs_code
    if not named:
        return bool(matching_clauses(query, state, licences))
    return (goods is None or not related(goods).isdisjoint(named)) and (
        code is None or not commodities_with_code(code).isdisjoint(named)
    )
