"""Clauses of export controls as GraphQL shows them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, TypeAlias

import strawberry
from strawberry import argument, field

from projections.fold import status_periods
from projections.query.moment import Moment
from schema.base.context import Info
from schema.base.decorators import linked_field, moment_field, object_type, resolver_field
from schema.base.memo import memoize_by_identity
from schema.base.scalars import Day
from schema.inputs.arguments import parse_word
from schema.inputs.ranges import parse_days
from schema.types.annex_text import WithNote
from schema.types.common import (
    Because,
    Commodity,
    Node,
    Place,
    Quantity,
    Source,
    at_moment,
    because_event,
    commodity,
    from_state,
    place,
    quantity,
    share_content,
    source,
)
from schema.types.links import linked_node
from schema.types.status_period import StatusDays, StatusPeriod, status_period
from tracker.domain import clause as domain
from tracker.domain import legal_basis, matching, places, scope
from tracker.domain.clause_facts import facts_about_clause
from tracker.domain.clause_query import ClauseQuery, match_of
from tracker.domain.confirmation import status_statement
from tracker.domain.export_control import ExportControlState
from tracker.domain.provenance import cite
from tracker.domain.values import PartialDate
from tracker.domain.vocabulary import (
    Assumption,
    ClauseEnd,
    ClauseStatus,
    Confirmation,
    Covers,
    Form,
    LegalStage,
    Match,
    Measure,
    QuotaPart,
    Territory,
)
from tracker.errors import InvalidInput

MAX_STATUS_PERIODS = 500
RatePlace: TypeAlias = Annotated[
    str, argument(description="The place whose goods are imported, such as `GB`.")
]


@object_type
class ClauseItem:
    """Goods that a clause names, or exempts, more exactly than by a commodity."""

    name: str = field(description="Their description, such as `spherical graphite`.")
    code: str | None = field(description="Their code in the act, such as `1C902.a`.")
    hs: list[str] = field(
        name="hsCodes", description="Their codes of the Harmonized System, or of a tariff."
    )
    threshold: str | None = field(
        description="The threshold from which they are meant, in words, such as a purity or a grade."
    )
    forms: list[Form] = field(description="Their forms; empty: those of the clause.")
    commodity: Commodity | None = field(
        description="The commodity that they are of; null: any of the clause."
    )


@object_type
class PlaceException:
    """Places for which a clause does not apply, or with another rate: destinations of exports,
    origins of imports.
    """

    places: list[Place] = field(description="The places.")
    exempt: bool = field(description="Whether the clause does not apply to them.")
    rate_percent: Decimal | None = field(description="The rate that applies to them instead.")
    in_force_from: PartialDate | None = field(
        description="The first day of the exception; null: as long as the clause applies."
    )
    in_force_until: PartialDate | None = field(
        description="The last day, inclusive; null: as long as the clause applies."
    )
    note: str | None = field(description="Remarks, such as a condition of the exception.")


@object_type
class PartialSuspension:
    """A time in which a clause does not apply to some firms, while it does to all others."""

    entities: list[str] = field(description="The firms.")
    suspended_from: PartialDate = field(description="The first day.")
    suspended_until: PartialDate | None = field(
        description="The last day, inclusive; null: until further notice."
    )
    suspended_for: str | None = field(
        description="Its length in ISO 8601 where the act gives that instead of an end."
    )


@object_type
class StatedSuspension:
    """A statement of a government, without a legal instrument, that a suspension runs until a day."""

    by: str = field(description="The maker of the statement.")
    on: PartialDate = field(description="The day of the statement.")
    until: PartialDate = field(description="The last suspended day by the statement, inclusive.")
    source: Source = field(description="Where it was read.")


@object_type
class Clause(WithNote):
    """A clause of an instrument on a day: what it says, its status and what is known to come."""

    state: strawberry.Private[domain.ClauseState]
    control: strawberry.Private[ExportControlState]
    moment: strawberry.Private[Moment | None]

    key: str = field(description="Its number or name in the instrument.")
    measure: Measure = field(description="How it works: a licence, a ban, a quota, a tariff, ….")
    status: ClauseStatus = field(description="Whether it applies on the day, or why not.")
    commodities: list[Commodity] = field(description="The commodities that it reaches.")
    covers: Covers = field(
        description="What it covers: the goods themselves, or the technology, equipment, materials or"
        " services to make them."
    )
    forms: list[Form] = field(description="The forms of the goods that it reaches; empty: all.")
    items: list[ClauseItem] = field(
        description="The goods that it names one by one; empty: all of its commodities and forms."
    )
    items_complete: bool = field(
        description="Whether its items are all goods of its forms; if not, it reaches only"
        " a part of them."
    )
    exempt_items: list[ClauseItem] = field(description="The goods that are exempt, one by one.")
    exemptions: str | None = field(description="The exemptions, in words.")
    destinations: list[Place] = field(
        description="The destinations that exports need permission for, or are banned to; empty where it"
        " limits none. For imports see `origins`."
    )
    origins: list[Place] = field(
        description="The places whose goods it limits as imports; empty: of all places."
    )
    exceptions: list[PlaceException] = field(
        description="Places for which it does not apply, or with another rate."
    )
    territory: Territory = field(
        description="Whether it reaches goods in the issuer's territory, goods abroad, or both."
    )
    de_minimis_percent: Decimal | None = field(
        description="The percentage of controlled content from which it reaches goods made abroad."
    )
    end_use: str | None = field(description="The end use that it is limited to.")
    entities: list[str] = field(description="The firms that it is limited to, where named.")
    entity_count: int | None = field(description="The number of firms, where they are not named.")
    firms_statement: str | None = field(
        description="The number of firms that are named, of those that it is limited to, in a sentence;"
        " null if it is limited to none. A firm that is not named is not found by its name."
    )
    exporters: list[str] = field(description="The firms that alone may export.")
    in_force_from: PartialDate | None = field(
        description="The day from which it applies; null while none is given. A quota with a"
        " `period` applies from its first day, then."
    )
    in_force_until: PartialDate | None = field(
        description="Its last day, inclusive; null where it has no announced end. A quota with a"
        " `period` applies until `carryOverUntil` or its last day, then."
    )
    end: ClauseEnd | None = field(
        description="How it ends, where no last day is known; null where the facts do not say."
    )
    end_condition: str | None = field(description="The condition for its end.")
    legal_stage: LegalStage = field(description="Its legal stage, from proposal to law.")
    decision_due: PartialDate | None = field(
        description="The day by which it is to be decided whether it becomes law."
    )
    suspended_from: PartialDate | None = field(
        description="The first day of the suspension that it is in or that is to come."
    )
    suspended_until: PartialDate | None = field(
        description="The last suspended day, inclusive; null also means until further notice."
    )
    suspended_for: str | None = field(
        description="The length of the suspension in ISO 8601, such as `P90D`, where the act gives"
        " that instead of an end; `suspendedUntil` is counted from it, the first day included."
    )
    partial_suspensions: list[PartialSuspension] = field(
        description="Suspensions for single firms, present and future; its status does not change with"
        " them."
    )
    stated_suspension: StatedSuspension | None = field(
        description="The last statement of a government that its suspension runs until a day, where no"
        " legal instrument says so; null after that day, and where a later act has overtaken it."
    )
    returns_on: Day | None = field(
        description="The first day on which it is in force again without a further act."
    )
    repealed_from: PartialDate | None = field(
        description="The day from which it is repealed, or merged into another instrument."
    )
    continued_in: str | None = field(
        description="The key of the export control into which it was merged."
    )

    @linked_field("schema.types.export_control", "ExportControl")
    async def continued_in_export_control(self, info: Info) -> Node | None:
        """The export control of `continuedIn` at this moment; in a history, at the present one. Null
        where it was merged into none, or that is not recorded.
        """
        if self.continued_in is None:
            return None
        return await linked_node(info, f"export-control/{self.continued_in}", self.moment)

    discontinued_from: PartialDate | None = field(
        description="The day from which it is withdrawn, lapsed or concluded."
    )
    first_in_force: Day | None = field(
        description="The first day on which it was in force; null while it never was."
    )
    retroactive: bool = field(
        description="Whether it was made public only after its first day. The states of the"
        " days between do not include it."
    )
    rate_percent: Decimal | None = field(
        description="The rate of a tariff; the lower end where it is a range."
    )
    rate_up_to_percent: Decimal | None = field(
        description="The upper end of a rate that is a range."
    )
    rate_specific: Quantity | None = field(description="A duty by weight, in a unit as `USD/t`.")
    rate_text: str | None = field(description="The rate in words, where numbers do not say it.")
    price_floor: Quantity | None = field(description="The price of a price floor.")
    quota: Quantity | None = field(description="The amount of a quota.")
    period: PartialDate | None = field(description="The year or month that a quota is for.")
    quota_part: QuotaPart | None = field(
        description="Whether the amount is all of the period's or one of several that add up."
    )
    carry_over_until: PartialDate | None = field(
        description="The last day on which what is left of a quota may be used."
    )

    @moment_field
    def match(self) -> Match | None:
        """Whether it covers the goods of the filters by which it was found for certain; null where no goods
        are asked for."""
        query: ClauseQuery | None = getattr(self, "query", None)  # see `found_by`
        return match_of(query, self.state.clause) if query else None

    @resolver_field
    def rate_for(self, place: RatePlace) -> Decimal | None:
        """The rate in percent that goods of a place pay (of exports: goods for it), with the exceptions
        for it and for a union that it is in on the day: 0 where it is exempt, null where the clause
        does not reach it or gives no rate in percent. It is told whatever the status."""
        of = parse_word(places.Place, place, "place")
        return matching.rate_for(self.state.clause, of, self._day)

    @resolver_field
    async def because(self, info: Info) -> list[Because]:
        """The events behind the instrument's state that are about this clause, in the order of the log:
        those that word it, suspend it, bring it into force or end it."""
        entity, evidence = f"export-control/{self.control.id}", self.control.because
        known = await info.context.loaders.facts_behind(entity, evidence)
        about = {one.event_id for one in facts_about_clause(self.key, known)}
        return [because_event(one) for one in evidence if one.event_id in about]

    @resolver_field
    async def status_since(self, info: Info) -> Day | None:
        """The day from which it has had its status without a break; null below `history`."""
        period = await self._status_period(info)
        return Day(period.first.isoformat()) if period else None

    @resolver_field
    async def status_because(self, info: Info) -> Because | None:
        """The event from which its status follows, such as the suspension that has ended for one that
        is in force again; null below `history`."""
        period = await self._status_period(info)
        return because_event(period.because) if period else None

    @resolver_field
    async def statuses(self, info: Info, between: StatusDays = None) -> list[StatusPeriod]:
        """All times of its status as they are known at this moment, past and to come, the oldest
        first: so suspensions that are over are in it. At most 500; for more ask for fewer days.
        Empty below `history`."""
        days = parse_days(between, "between") or (None, None)
        found = [one for one in await self._status_periods(info) if one.overlaps(*days)]
        if len(found) > MAX_STATUS_PERIODS:
            raise InvalidInput(
                f"it has {len(found)} times of its status: expected at most {MAX_STATUS_PERIODS},"
                " ask for fewer days",
                code="TOO_LARGE",
                path=("between",),
            )
        return [status_period(one) for one in found]

    async def _status_periods(self, info: Info) -> list[status_periods.StatusPeriod]:
        if self.moment is None:
            return []
        asked = f"export-control/{self.control.id}", self.moment
        found = await info.context.loaders.transitions.load(asked)
        return status_periods.status_periods(self.key, found)

    async def _status_period(self, info: Info) -> status_periods.StatusPeriod | None:
        periods = await self._status_periods(info)
        return next((one for one in periods if one.holds_on(self._day)), None)

    @resolver_field
    async def confirmation(self, info: Info) -> Confirmation:
        """The confirmation of its status: whether recorded acts support it. `CONFIRMED` below `history`."""
        if self.moment is None:
            return Confirmation.CONFIRMED
        confirmations = info.context.services.as_of.confirmations
        return await confirmations.of(self.control, self.state, self.moment)

    @resolver_field
    async def status_statement(self, info: Info) -> str:
        """Its status in one or two sentences: since when, whether confirmed, and what contradicts it."""
        period = await self._status_period(info)
        supported = await self.confirmation(info)
        return status_statement(self.state, self._day, supported, period.first if period else None)

    @resolver_field
    def is_legal_basis(self) -> bool:
        """Whether it is the legal basis of its issuer's dual-use licences and adds none of its own: a law or
        a list on dual-use items.
        """
        return legal_basis.is_legal_basis(self.control, self.state.clause)

    @resolver_field
    async def assumed(self, info: Info) -> Assumption | None:
        """The assumption that the status rests on where no source confirms it: a return from a
        suspension without a newer fact of the issuer, or an end of unknown date; see `horizon`.
        """
        if self.state.status is not ClauseStatus.IN_FORCE:
            return None
        if await self._returned_after_horizon(info):
            return Assumption.AUTOMATIC_RETURN
        return Assumption.END_UNKNOWN if self.state.clause.end is ClauseEnd.UNKNOWN else None

    @property
    def _day(self) -> date:
        return self.moment.valid_at if self.moment else date.max

    async def _returned_after_horizon(self, info: Info) -> bool:
        """Whether it is in force because a suspension ended later than the newest fact of the issuer."""
        if self.moment is None:
            return False
        as_of, moment = info.context.services.as_of, self.moment
        last = await as_of.horizons.last_day(self.control.issuer, moment)
        if last is None or last >= moment.valid_at:
            return False
        entity = f"export-control/{self.control.id}"
        earlier = Moment(last, moment.position, preview=moment.preview)
        then = await info.context.loaders.states.load((entity, earlier))
        was_suspended = isinstance(then, ExportControlState) and any(
            item.clause.id == self.key and item.status is ClauseStatus.SUSPENDED
            for item in then.clauses
        )
        period = await self._status_period(info) if was_suspended else None
        return period is not None and period.rests_on_end_of_suspension


def clause(state: domain.ClauseState, control: ExportControlState, moment: Moment | None) -> Clause:
    """The GraphQL type of a clause at a moment: what it says and its status side by side."""
    return at_moment(_content(state, control), moment)


@memoize_by_identity(lambda _: 1)
def _content(state: domain.ClauseState, control: ExportControlState) -> Clause:
    said = state.clause
    return from_state(
        Clause,
        said,
        state,
        state=state,
        control=control,
        key=said.id,
        firms_statement=said.firms_statement,
        commodities=[commodity(id) for id in said.commodities],
        destinations=[place(code) for code in said.destinations],
        origins=[place(code) for code in said.origins],
        quota=quantity(said.quota) if said.quota else None,
        rate_specific=quantity(said.rate_specific) if said.rate_specific else None,
        price_floor=quantity(said.price_floor) if said.price_floor else None,
        note_text=said.note,
        later={
            "items": lambda: [item(of) for of in said.items],
            "exempt_items": lambda: [item(of) for of in said.exempt_items],
            "exceptions": lambda: [
                from_state(PlaceException, of, places=[place(code) for code in of.places])
                for of in said.exceptions
            ],
            "stated_suspension": lambda: (
                stated_suspension(state.stated_suspension, control)
                if state.stated_suspension
                else None
            ),
            "partial_suspensions": lambda: [
                from_state(PartialSuspension, of) for of in state.partial_suspensions
            ],
        },
    )


def found_by(of: Clause, query: ClauseQuery) -> Clause:
    """The same clause as one that a query for goods found, so that it has a `match`."""
    return share_content(of, query=query)


def stated_suspension(of: domain.StatedSuspension, control: ExportControlState) -> StatedSuspension:
    """The GraphQL type of a statement that a suspension of a control runs on."""
    cited = source(cite(of.source, control.issuers))
    return StatedSuspension(by=of.by, on=of.on, until=of.until, source=cited)


def item(of: scope.Item) -> ClauseItem:
    """The GraphQL type of an item."""
    return from_state(ClauseItem, of, commodity=commodity(of.commodity) if of.commodity else None)
