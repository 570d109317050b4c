"""Clauses of export controls as GraphQL shows them."""

from datetime import date
from decimal import Decimal
from typing import Annotated, TypeAlias

import strawberry

from projections.fold import status_periods
from projections.query.moment import Moment
from schema.base.context import Info
from schema.base.decorators import linked_field, moment_field, resolver_field
from schema.base.memo import memoize_by_identity
from schema.base.output_types import made_field, output_type, struct_field
from schema.base.scalars import Day, Position
from schema.inputs.arguments import parse_word
from schema.inputs.ranges import parse_days
from schema.types.annex_text import WithNote
from schema.types.common import Because, Node, Source, at_moment, share_content
from schema.types.links import linked_node
from schema.types.status_period import StatusDays, StatusPeriod
from tracker.domain.basics.control_vocabulary import Assumption, Confirmation, Match
from tracker.domain.basics.values import DAY, PartialDate
from tracker.domain.catalogue import places
from tracker.domain.controls import clause as domain
from tracker.domain.controls import legal_basis, matching, scope
from tracker.domain.controls.clause_facts import facts_about_clause
from tracker.domain.controls.clause_levels import FieldLevel, clause_levels
from tracker.domain.controls.clause_query import ClauseQuery, match_of
from tracker.domain.controls.confirmation import (
    NO_GROUNDS,
    Ground,
    Grounds,
    assumption,
    confirmation,
)
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.controls.status_statement import status_statement
from tracker.domain.entities.entity import RecordedFact
from tracker.domain.entities.provenance import cite
from tracker.errors import InvalidInput


@output_type(first="kind on entity position url", hidden="in_part year")
class StatusGround:
    """A record that supports a status."""

    of: strawberry.Private[Ground]

    position: Position = struct_field()

    @made_field
    def complete(self) -> bool:
        """False for a reading of lists in part, which confirms only an entry into force on the date of its
        act."""
        return not self.of.in_part


MAX_STATUS_PERIODS = 500
RatePlace: TypeAlias = Annotated[str, "The place whose goods are imported, such as `GB`."]


@output_type(first="name code")
class ClauseItem:
    """Goods that a clause names or exempts, more exactly than by a commodity."""

    of: strawberry.Private[scope.Item]
    hs: list[str] = struct_field(name="hsCodes")


@output_type(first="field level")
class FieldEvidence:
    """The ground on which a field of a clause stands."""

    of: strawberry.Private[FieldLevel]


@output_type(first="by on until source")
class StatedSuspension:
    """A statement of a government, without a legal instrument, that a suspension runs until a date."""

    of: strawberry.Private[domain.StatedSuspension]
    control: strawberry.Private[ExportControlState]

    @made_field
    def source(self) -> Source:
        """The source of the statement."""
        return Source(of=cite(self.of.source, self.control.issuers))


@output_type(
    recorded=domain.Clause,
    state=domain.ClauseState,
    hidden="id clause",
    first="key measure status commodities covers forms items items_complete exempt_items exemptions"
    " destinations origins exceptions territory de_minimis_percent end_use entities entity_count"
    " firms_statement exporters in_force_from in_force_until end end_condition legal_stage"
    " decision_due suspended_from suspended_until suspended_for partial_suspensions"
    " stated_suspension returns_on repealed_from continued_in discontinued_from first_in_force"
    " retroactive rate_percent rate_up_to_percent rate_specific rate_text price_floor quota",
)
class Clause(WithNote):
    """A clause of an instrument on a date: its content, its status and its known future changes."""

    recorded: strawberry.Private[domain.Clause]
    state: strawberry.Private[domain.ClauseState]
    control: strawberry.Private[ExportControlState]
    moment: strawberry.Private[Moment | None] = None

    @made_field
    def key(self) -> str:
        """Its number or name in the instrument."""
        return self.recorded.id

    @made_field
    def suspended_until(self) -> PartialDate | None:
        """The last suspended day, inclusive: the day before `returnsOn` if it is known. Null without an
        end: until further notice."""
        until, back = self.state.suspended_until, self.state.returns_on
        if back is None or (until and until.last < back):
            return until
        return PartialDate((back - DAY).isoformat())

    @made_field
    def stated_suspension(self) -> StatedSuspension | None:
        """The last statement of a government, without a legal instrument, that its suspension runs until
        a date. Null after that date, and if a later act replaced the statement."""
        stated = self.state.stated_suspension
        return StatedSuspension(of=stated, control=self.control) if stated else None

    @linked_field("schema.types.export_control", "ExportControl")
    async def continued_in_export_control(self, info: Info) -> Node | None:
        """The export control of `continuedIn` at this moment; in a history, its present state. Null if
        none is recorded."""
        if self.state.continued_in is None:
            return None
        return await linked_node(info, f"export-control/{self.state.continued_in}", self.moment)

    @moment_field
    def match(self) -> Match | None:
        """Whether it covers the goods of the filters for certain or possibly; null if the filters name
        no goods."""
        query: ClauseQuery | None = getattr(self, "query", None)  # see `with_query`
        return match_of(query, self.state.clause) if query else None

    @resolver_field
    def rate_for(self, place: RatePlace) -> Decimal | None:
        """The rate in percent for goods of a place (of exports: goods for it), with the exceptions for
        the place and for a union that it belongs to on the date. 0 if the place is exempt, null if the
        clause does not cover it or has no rate in percent. The status does not matter."""
        of = parse_word(places.Place, place, "place")
        return matching.rate_for(self.state.clause, of, self._day)

    @resolver_field
    async def because(self, info: Info) -> list[Because]:
        """The events about this clause behind the state of the instrument, in the order of the log:
        those that word it, suspend it, bring it into force or end it."""
        about = {one.event_id for one in facts_about_clause(self.key, await self._facts(info))}
        return [Because(of=one) for one in self.control.because if one.event_id in about]

    @resolver_field
    async def evidence(self, info: Info) -> list[FieldEvidence]:
        """The level of each of its fields, by the sources of the act that gives the field."""
        facts, issuers = await self._facts(info), self.control.issuers
        levels = clause_levels(self.state, facts, issuers, self._day)
        return [FieldEvidence(of=one) for one in levels]

    async def _facts(self, info: Info) -> list[RecordedFact]:
        """Return the facts behind its instrument, in valid-time order."""
        entity = f"export-control/{self.control.id}"
        return await info.context.loaders.facts_behind(entity, self.control.because)

    @resolver_field
    async def status_since(self, info: Info) -> Day | None:
        """The date from which it has had its status without a break; null below `history`."""
        period = await self._status_period(info)
        return Day(period.first.isoformat()) if period else None

    @resolver_field
    async def status_because(self, info: Info) -> Because | None:
        """The event from which its status follows, such as the end of a suspension for a clause that is
        in force again; null below `history`."""
        period = await self._status_period(info)
        return Because(of=period.because) if period else None

    @resolver_field
    async def statuses(self, info: Info, between: StatusDays = None) -> list[StatusPeriod]:
        """All periods of its status as known at this moment, past and future, the oldest first. They
        include suspensions that have ended. At most 500; to get more, query shorter ranges of dates.
        Empty below `history`."""
        days = parse_days(between, "between") or (None, None)
        periods = [one for one in await self._status_periods(info) if one.overlaps(*days)]
        if len(periods) > MAX_STATUS_PERIODS:
            raise InvalidInput(
                f"it has {len(periods)} status periods, at most {MAX_STATUS_PERIODS} are allowed:"
                " use a shorter range of dates",
                code="TOO_LARGE",
                path=("between",),
            )
        return [StatusPeriod(of=one) for one in periods]

    async def _status_periods(self, info: Info) -> list[status_periods.StatusPeriod]:
        if self.moment is None:
            return []
        key = f"export-control/{self.control.id}", self.moment
        periods = await info.context.loaders.transitions.load(key)
        return status_periods.status_periods(self.key, periods)

    async def _status_period(self, info: Info) -> status_periods.StatusPeriod | None:
        periods = await self._status_periods(info)
        return next((one for one in periods if one.holds_on(self._day)), None)

    @resolver_field
    async def confirmation(self, info: Info) -> Confirmation:
        """The confirmation of its status: whether a record of its first day or later supports it; see
        `confirmedBy`. `BY_TERMS` below `history`."""
        return confirmation(self.control, self.state, self._day, await self._grounds(info))

    @resolver_field
    async def confirmed_by(self, info: Info) -> StatusGround | None:
        """The record that confirms its status: an act or a statement that names it, its act or the act
        that suspends it, a text, or a reading of lists. Null if none does."""
        grounds = await self._grounds(info)
        of = grounds.confirmed_by(self.control, self.state, self._day)
        return None if of is None or self.state.contradiction(self._day) else StatusGround(of=of)

    @resolver_field
    async def status_statement(self, info: Info) -> str:
        """Its status in a few sentences: the start date, whether it is confirmed, the last day read if
        it is not, and what contradicts it."""
        period = await self._status_period(info)
        first, grounds = period.first if period else None, await self._grounds(info)
        return status_statement(self.control, self.state, self._day, first, grounds)

    @resolver_field
    def is_legal_basis(self) -> bool:
        """Whether it is the legal basis of its issuer's dual-use licences and adds no licence of its
        own: a law or a list on dual-use items."""
        return legal_basis.is_legal_basis(self.control, self.state.clause)

    @resolver_field
    async def assumed(self, info: Info) -> Assumption | None:
        """The assumption that the status rests on if no record confirms it: a return from a suspension,
        or an end of unknown date."""
        return assumption(self.control, self.state, self._day, await self._grounds(info))

    @property
    def _day(self) -> date:
        return self.moment.valid_at if self.moment else date.max

    async def _grounds(self, info: Info) -> Grounds:
        if self.moment is None:
            return NO_GROUNDS
        return await info.context.services.as_of.confirmations.grounds(self.moment)


def clause(state: domain.ClauseState, control: ExportControlState, moment: Moment | None) -> Clause:
    """Return the GraphQL type of a clause at a moment, with its content and its status."""
    return at_moment(_content(state, control), moment)


@memoize_by_identity(lambda _: 1)
def _content(state: domain.ClauseState, control: ExportControlState) -> Clause:
    return Clause(recorded=state.clause, state=state, control=control, note_text=state.clause.note)


def with_query(of: Clause, query: ClauseQuery) -> Clause:
    """Return the clause with the query for goods that matched it, so that it has a `match`."""
    return share_content(of, query=query)
