"""GraphQL types of export controls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import strawberry

from projections.analysis.same_acts import same_acts
from projections.query.lists import Filter
from projections.query.moment import Moment
from projections.query.suspended_days import MatchingControl
from schema.base.argument_group import ArgumentGroup
from schema.base.context import Info
from schema.base.decorators import (
    LAZY_FIELDS,
    object_type,
    resolver_field,
    resolver_field_without_arguments,
)
from schema.base.output_types import made_field, output_type, struct_field
from schema.base.scalars import Position
from schema.inputs.arguments import parse_stored_text
from schema.inputs.clause_filter import CLAUSE_FILTERS, parse_clause_query
from schema.types.act_text import ActText
from schema.types.clause import Clause, clause, with_query
from schema.types.common import Because, Node, Source, entity_type, share_content
from schema.types.completeness import Completeness, answer_scope, completeness
from schema.types.connection import Connection, Edge
from tracker.domain.actors.firm import spelling
from tracker.domain.controls import disputes as domain
from tracker.domain.controls.clause import ClauseState
from tracker.domain.controls.clause_query import ClauseQuery, matching_clauses
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.controls.export_control_acts import Announced
from tracker.domain.controls.matching import Licences
from tracker.domain.entities.entity import Evidence
from tracker.domain.entities.provenance import cite
from tracker.domain.evidence.completeness import control_kinds

DISPUTED = "ExportControl.Disputed"


@output_type(first="account source commodities judged")
class Dispute:
    """Another source's different account of an instrument. It is shown beside the first account and not
    merged."""

    of: strawberry.Private[domain.Dispute]
    control: strawberry.Private[ExportControlState]

    judged: str | None = struct_field(name="assessment")

    @made_field
    def source(self) -> Source:
        """The other source."""
        return Source(of=cite(self.of.source, self.control.issuers))

    @resolver_field
    async def because(self, info: Info) -> Because:
        """The event that records it."""
        return Because(of=await self._evidence(info))

    @resolver_field
    async def position(self, info: Info) -> Position:
        """The position of that event in the log."""
        return Position(str((await self._evidence(info)).position))

    async def _evidence(self, info: Info) -> Evidence:
        """Return the event behind it: the one with its source and account."""
        clauses = [
            one
            for one in self.control.because
            if one.type == DISPUTED and one.source == self.of.source
        ]
        if len(clauses) > 1:
            events = await info.context.loaders.events_behind(clauses)
            same = [
                one
                for one, event in zip(clauses, events, strict=True)
                if event and domain.dispute(event.fact) == self.of
            ]
            twins = [one for one in self.control.disputes if one == self.of]
            number = next(n for n, one in enumerate(twins) if one is self.of)
            return same[number]
        return clauses[0]


@entity_type(
    ExportControlState,
    weight=lambda state: 1 + len(state.clauses),
    first="issuer direction title original_title announced_on instrument official disputes because",
    described_by=(Announced,),
)
class ExportControl(Node):
    """An instrument that controls trade or production, with its clauses."""

    state: strawberry.Private[ExportControlState]
    matched: strawberry.Private[Sequence[ClauseState] | None] = None
    """The clauses that matched the filters of a list; None without such filters."""
    query: strawberry.Private[ClauseQuery | None] = None
    """The filters on clauses of the list."""

    key: str = struct_field(description="Its key, such as `cn-mofcom-2024-46`.")

    @made_field
    def disputes(self) -> list[Dispute]:
        """Different accounts of it by other sources."""
        return [Dispute(of=of, control=self.state) for of in self.state.disputes]

    @resolver_field_without_arguments("all_clauses")
    async def clauses(self, info: Info, filters: ArgumentGroup = CLAUSE_FILTERS) -> list[Clause]:
        """Its clauses in their order. The arguments filter them, with the same meaning as in the
        list `exportControls`.
        """
        query = await clause_query(info, filters, self.moment)
        controls = info.context.services.as_of.controls
        licences: Licences = {}
        if query.is_about_goods and self.moment:
            licences = await controls.licences(self.moment)
        control = MatchingControl(self.state, matching_clauses(query, self.state, licences))
        if query.needs_acts and self.moment:
            [control] = await controls.narrowed_by_acts(self.moment, [control], query)
        return self.shown(control.clauses, query)

    @resolver_field
    async def same_as(self, info: Info) -> list[ExportControl]:
        """Instruments that may be the same act from other publishers: of the same issuer and direction,
        announced on the same date, with the same measure for the same goods. They are never merged."""
        as_of = info.context.services.as_of
        moment, day = self.moment or await as_of.resolve(), self.state.announced_on
        narrowed = Filter(places=[self.state.issuer], dated=(day.first, day.last))
        others = await as_of.states(ExportControlState, moment, narrowed)
        return [ExportControl.at(one, moment) for one in same_acts(self.state, others)]

    @resolver_field
    async def texts(self, info: Info) -> list[ActText]:
        """Its recorded texts; empty unless this installation holds some."""
        as_of = info.context.services.as_of
        moment = self.moment or await as_of.resolve()
        return [ActText.at(one, moment) for one in await as_of.texts_of(self.state.id, moment)]

    @resolver_field
    async def completeness(self, info: Info) -> Completeness | None:
        """The completeness of the recorded acts of its issuer on its goods, including later acts about
        it. Null in a history."""
        clauses = [item.clause for item in self.state.clauses]
        return await completeness(
            answer_scope(
                info,
                self.moment,
                control_kinds(self.state.direction, {one.measure for one in clauses}),
                [self.state.issuer],
                {goods for one in clauses for goods in one.commodities} or None,
            )
        )

    def shown(
        self, clauses: Sequence[ClauseState], query: ClauseQuery | None = None
    ) -> list[Clause]:
        """Return clauses at its moment, as matched by a query."""
        shown_clauses = [clause(item, self.state, self.moment) for item in clauses]
        return (
            [with_query(one, query) for one in shown_clauses]
            if query and query.names_goods
            else shown_clauses
        )

    def all_clauses(self) -> list[Clause]:
        """Return `clauses` without arguments."""
        return self.shown(self.state.clauses)


@object_type
class ExportControlEdge(Edge[ExportControl]):
    """An item of a list, with its cursor."""

    @resolver_field
    def matching_clauses(self) -> list[Clause]:
        """The clauses that match the list's filters on clauses; all clauses if the list has no such
        filters."""
        control = self.node
        if control.matched is None:
            return control.all_clauses()
        return control.shown(control.matched, control.query)


@object_type
class ExportControlConnection(Connection[ExportControl]):
    """A page of a list (a Relay connection)."""

    edges: list[ExportControlEdge]  # type: ignore[assignment]  # narrower than of others
    """The items of the page with their cursors, and with the clauses that match."""


def control_edge(cursor: str, control: ExportControl) -> ExportControlEdge:
    """Return the edge of a control in a list."""
    return ExportControlEdge(cursor=cursor, node=control)


def page_at(page: ExportControlConnection, moment: Moment) -> ExportControlConnection:
    """Return the same page at another moment, with the same controls and clauses."""
    made: list[ExportControl] = []

    def nodes() -> list[ExportControl]:
        if not made:
            made.extend(_node_at(node, moment) for node in page.nodes)
        return made

    self = share_content(page)
    for name in ("nodes", "edges", "page_info"):
        self.__dict__.pop(name, None)
    if page.scope is not None:
        self.__dict__["scope"] = replace(page.scope, moment=moment)
    self.__dict__[LAZY_FIELDS] = {
        "nodes": nodes,
        "edges": lambda: [
            control_edge(edge.cursor, node) for edge, node in zip(page.edges, nodes(), strict=True)
        ],
        "page_info": lambda: page.page_info,
    }
    return self


def _node_at(control: ExportControl, moment: Moment) -> ExportControl:
    node = ExportControl.at(control.state, moment)
    node.matched, node.query = control.matched, control.query
    return node


async def clause_query(
    info: Info, filters: Mapping[str, Any], moment: Moment | None
) -> ClauseQuery:
    """Return the query of filters on clauses at a moment. Raises InvalidInput."""
    firm = await firm_names(info, filters["firm"], moment)
    return parse_clause_query(moment.valid_at if moment else date.max, filters, firm)


async def firm_names(info: Info, firm: str | None, moment: Moment | None) -> frozenset[str] | None:
    """Return the spellings of a firm; None without a firm."""
    if firm is None:
        return None
    name = parse_stored_text(firm, "firm")
    if moment is None:
        return frozenset({spelling(name)})
    return await info.context.services.as_of.firm_spellings(name, moment)
