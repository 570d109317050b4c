"""Many moments in one question: along the days, or along what the log knew."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, TypeAlias

import strawberry
from strawberry import argument, field

from projections.query.moment import Moment, MomentSeries
from projections.query.transitions import TransitionFilter
from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.base.scalars import Day, Instant
from schema.inputs.arguments import (
    parse_commodities,
    parse_day,
    parse_entity_of_kind,
    parse_instant,
    parse_position,
    parse_words,
)
from schema.inputs.moment import AtPosition, KnownAt, MinPosition, report_moments, wait_for_position
from schema.inputs.series import (
    MAX_MOMENTS,
    Step,
    check_number,
    check_order,
    days_by_step,
    times_by_step,
)
from schema.root.as_of.as_of import AsOf
from schema.root.as_of.transitions import POLICY_KINDS, parse_alliance
from schema.root.changes import parse_kinds
from schema.types.change import EntityKind
from schema.types.export_control import firm_names
from tracker import clock
from tracker.domain.places import Place
from tracker.domain.values import DAY
from tracker.errors import InvalidInput

MAX_FIELDS_AT_WORK = 4
"""Fields of the moments of one question that are worked on at a time."""

StepArgument: TypeAlias = Annotated[
    Step | None, argument(description="The time from one moment to the next.")
]


@strawberry.input(
    description="Which transitions to stop at; all that is given must hold. Those of figures are left"
    " out unless asked for by `kind`."
)
class TransitionScope:
    """Which transitions to stop at."""

    commodity: str | None = field(
        description="Only those about this commodity, such as `gallium`, or one below it.",
        default=None,
    )
    hs_code: str | None = field(
        description="Only those about commodities with this code of the Harmonized System.",
        default=None,
    )
    place: str | None = field(
        description="Only those about this place: as issuer, member or actor.", default=None
    )
    issuer: str | None = field(
        description="Only those of export controls of this issuer.", default=None
    )
    alliance: str | None = field(
        description="Only those of this alliance, such as `quad`, and announcements that it makes or"
        " that are about it.",
        default=None,
    )
    firm: str | None = field(
        description="Only clauses and announcements that name this firm, and the firm itself.",
        default=None,
    )
    entity: str | None = field(
        description="Only those of this entity, such as `alliance/quad`.", default=None
    )
    kind: EntityKind | None = field(description="Only entities of this kind.", default=None)


@object_type
class Over:
    """Queries about many moments."""

    @resolver_field
    async def over(
        self,
        info: Info,
        start: Annotated[Day, argument(name="from", description="The first day.")],
        end: Annotated[
            Day | None, argument(name="to", description="The last day; today (UTC) if left out.")
        ] = None,
        step: StepArgument = None,
        at_transitions: Annotated[
            TransitionScope | None,
            argument(
                description="Instead of a step: the days on which one of these transitions happens,"
                " behind the first day. Fails with `TOO_MANY_MOMENTS` where they are more than"
                " `first`."
            ),
        ] = None,
        first: Annotated[
            int, argument(description=f"The most moments that are expected, up to {MAX_MOMENTS}.")
        ] = 100,
        known_at: KnownAt = None,
        at: AtPosition = None,
        min_position: MinPosition = None,
    ) -> list[AsOf]:
        """The world on many days, as the log knew it at one position: the first day and then, by
        `step`, those that follow up to the last, or the days of transitions (`atTransitions`). What is
        asked below is answered for each day. Four of them cost as much as one: they are read
        together. Needs one of `step` and `atTransitions`.
        """
        check_one_way(step=step, atTransitions=at_transitions)
        most = check_most(first)
        await wait_for_position(info, min_position)
        as_of = info.context.services.as_of
        last = await as_of.resolve(
            parse_day(end, "to"), parse_instant(known_at, "knownAt"), parse_position(at, "position")
        )
        begin = parse_day(start, "from")
        assert begin is not None
        check_order(begin, last.valid_at)
        if step is not None:
            days = days_by_step(begin, last.valid_at, step)
        else:
            assert at_transitions is not None
            days = await _days_of_transitions(info, begin, last, at_transitions)
        moments = MomentSeries(check_number(days, most), last.position).moments()
        report_moments(info, moments)
        return at_moments(moments)

    @resolver_field
    async def over_known(
        self,
        info: Info,
        start: Annotated[
            Instant | None,
            argument(name="from", description="The first time; with `entity` it may be left out."),
        ] = None,
        end: Annotated[
            Instant | None, argument(name="to", description="The last time; now if left out.")
        ] = None,
        step: StepArgument = None,
        entity: Annotated[
            str | None,
            argument(
                description="Instead of a step: whenever an event of this entity was recorded, such"
                " as `figure/rare_earths/CN/production/mine/2023`."
            ),
        ] = None,
        first: Annotated[
            int, argument(description=f"The most moments that are expected, up to {MAX_MOMENTS}.")
        ] = 100,
        valid_at: Annotated[
            Day | None, argument(description="The day in the world; today (UTC) if left out.")
        ] = None,
        min_position: MinPosition = None,
    ) -> list[AsOf]:
        """What the log knew of one day, at many of its positions: those at the times from one to
        another by `step`, each position once, or those at which something was recorded about an
        entity (`entity`): how our knowledge of it grew. What is asked below is answered for each
        position. Needs one of `step` and `entity`.
        """
        check_one_way(step=step, entity=entity)
        most = check_most(first)
        await wait_for_position(info, min_position)
        day = parse_day(valid_at, "validAt")
        times = (parse_instant(start, "from"), parse_instant(end, "to") or clock.now())
        if step is not None:
            positions = await _positions_by_step(info, times, step, most)
        else:
            named = parse_entity_of_kind(entity)
            assert named is not None
            positions = await _positions_of(info, named, times)
        resolved = [
            await info.context.services.as_of.resolve(day, None, position)
            for position in check_number(positions, most)
        ]
        report_moments(info, resolved)
        return at_moments(resolved)


def at_moments(moments: Sequence[Moment]) -> list[AsOf]:
    """The world at many moments, of which few are worked on at a time."""
    turns = asyncio.Semaphore(MAX_FIELDS_AT_WORK)
    return [AsOf(moment=moment, turns=turns) for moment in moments]


def check_one_way(**given: object) -> None:
    """Check that one of two arguments says where to stop. Raises InvalidInput."""
    names = [*given]
    if sum(value is not None for value in given.values()) != 1:
        raise InvalidInput(
            f"expected one of {names[0]} and {names[1]}: they say which moments are asked about",
            code="AMBIGUOUS_MOMENTS",
            path=(names[0],),
        )


def check_most(first: int) -> int:
    """The most moments that a client expects. Raises InvalidInput."""
    if not 1 <= first <= MAX_MOMENTS:
        raise InvalidInput(f"expected a number of moments from 1 to {MAX_MOMENTS}", path=("first",))
    return first


async def _days_of_transitions(
    info: Info, begin: date, last: Moment, scope: TransitionScope
) -> list[date]:
    """The first day, and those on which something happens until the last one."""
    kinds = (
        parse_kinds(scope.kind, POLICY_KINDS) if scope.entity is None else parse_kinds(scope.kind)
    )
    try:
        about = TransitionFilter(
            kinds=kinds,
            commodities=parse_commodities(scope.commodity, scope.hs_code),
            places=parse_words(Place, scope.place, "place"),
            issuers=parse_words(Place, scope.issuer, "issuer"),
            alliance=parse_alliance(scope.alliance),
            firms=await firm_names(info, scope.firm, last),
            entity=parse_entity_of_kind(scope.entity),
        )
    except InvalidInput as error:
        raise error.below("atTransitions") from None
    if begin == last.valid_at:
        return [begin]
    found = await info.context.services.as_of.transitions.between(
        last, begin + DAY, last.valid_at, about
    )
    return [begin, *dict.fromkeys(transition.day for transition in found)]


async def _positions_by_step(
    info: Info, times: tuple[datetime | None, datetime], step: Step, most: int
) -> list[int]:
    """The positions that the log had reached at times a step apart."""
    start, end = times
    if start is None:
        raise InvalidInput("expected the first time", code="REQUIRED", path=("from",))
    check_order(start, end)
    recorder, as_of = info.context.services.recorder, info.context.services.as_of
    reached = (await as_of.resolve()).position
    found = [
        min(reached, await recorder.position_at(time))
        for time in check_number(times_by_step(start, end, step), most)
    ]
    return [*dict.fromkeys(found)]


async def _positions_of(
    info: Info, entity: str, times: tuple[datetime | None, datetime]
) -> list[int]:
    """The positions at which something was recorded about an entity."""
    start, end = times
    reached = (await info.context.services.as_of.resolve()).position
    events = (await info.context.services.recorder.read_streams([entity], reached))[entity]
    return [
        event.position
        for event in events
        if (start is None or start <= event.recorded_at) and event.recorded_at <= end
    ]
