"""Queries over many moments: along dates, or along positions of the log."""

import asyncio
from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, TypeAlias

from strawberry import argument, field

from projections.query.moment import Moment, MomentSeries
from projections.query.steps import MAX_MOMENTS, Step, days_by_step
from schema.base.context import Info
from schema.base.decorators import input_object, object_type, resolver_field
from schema.base.scalars import Day, Instant
from schema.inputs.arguments import parse_day, parse_entity_of_kind, parse_instant, parse_position
from schema.inputs.moment import AtPosition, KnownAt, MinPosition, report_moments, wait_for_position
from schema.inputs.series import check_number, check_order, times_by_step
from schema.root.as_of.as_of import AsOf
from schema.root.as_of.transitions import kinds_of, transition_filter
from schema.root.scenarios import ScenarioKey
from schema.types.change import EntityKind
from tracker import clock
from tracker.domain.basics.values import DAY
from tracker.errors import InvalidInput

MAX_FIELDS_AT_WORK = 4
"""Maximum number of fields that are resolved concurrently for the moments of a query."""

StepArgument: TypeAlias = Annotated[Step | None, "The time from one moment to the next."]


@input_object
class TransitionScope:
    """The transitions to stop at. All given filters must match. Transitions of figures are left out unless
    `kind` includes them."""

    commodity: str | None = None
    """Only transitions about this commodity, such as `gallium`, or one below it."""
    hs_code: str | None = None
    """Only transitions about commodities with this code of the Harmonized System."""
    place: str | None = None
    """Only transitions about this place: as issuer, member or actor."""
    issuer: str | None = None
    """Only transitions of export controls of this issuer."""
    alliance: str | None = None
    """Only transitions of this alliance, such as `quad`, and announcements by it or about it."""
    firm: str | None = None
    """Only clauses and announcements that name this firm, and the firm itself."""
    entity: str | None = None
    """Only transitions of this entity, such as `alliance/quad`."""
    kind: EntityKind | None = field(description="Only entities of this kind.", default=None)


@object_type
class Over:
    """Queries about many moments."""

    @resolver_field
    async def over(
        self,
        info: Info,
        start: Annotated[Day, argument(name="from", description="The first date.")],
        end: Annotated[
            Day | None, argument(name="to", description="The last date; today (UTC) if left out.")
        ] = None,
        step: StepArgument = None,
        at_transitions: TransitionScope | None = None,
        first: Annotated[int, f"The maximum number of moments, up to {MAX_MOMENTS}."] = 100,
        known_at: KnownAt = None,
        at: AtPosition = None,
        min_position: MinPosition = None,
        scenario: ScenarioKey = None,
    ) -> list[AsOf]:
        """The state of the world on many dates, as recorded at one position. The dates are the first one
        and then either steps (`step`) up to the last date, or dates of transitions (`atTransitions`). The
        fields below are resolved for each date. Four dates cost as much as one, because they are read
        together. Needs either `step` or `atTransitions`.

        - at_transitions: Instead of a step: the dates of these transitions after the first date. Fails with
          `TOO_MANY_MOMENTS` if they are more than `first`.
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
            argument(name="from", description="The first time; optional with `entity`."),
        ] = None,
        end: Annotated[
            Instant | None, argument(name="to", description="The last time; now if left out.")
        ] = None,
        step: StepArgument = None,
        entity: str | None = None,
        first: Annotated[int, f"The maximum number of moments, up to {MAX_MOMENTS}."] = 100,
        valid_at: Day | None = None,
        min_position: MinPosition = None,
        scenario: ScenarioKey = None,
    ) -> list[AsOf]:
        """The state of the world on one date, as recorded at many positions: the growth of the records. The
        positions are those at the times from one to another by `step`, each position once, or those of
        events of an entity (`entity`). The fields below are resolved for each position. Needs either `step`
        or `entity`.

        - entity: Instead of a step: the times at which events of this entity were recorded, such as
          `figure/rare_earths/CN/production/mine/2023`.
        - valid_at: The effective date; today (UTC) if left out.
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
    """Return the world at many moments, with a limit on concurrent fields."""
    slots = asyncio.Semaphore(MAX_FIELDS_AT_WORK)
    return [AsOf(moment=moment, slots=slots) for moment in moments]


def check_one_way(**given: object) -> None:
    """Check that exactly one of two arguments selects the moments. Raises InvalidInput."""
    names = [*given]
    if sum(value is not None for value in given.values()) != 1:
        raise InvalidInput(
            f"expected one of {names[0]} and {names[1]}: they select the moments",
            code="AMBIGUOUS_MOMENTS",
            path=(names[0],),
        )


def check_most(first: int) -> int:
    """Return the maximum number of moments. Raises InvalidInput."""
    if not 1 <= first <= MAX_MOMENTS:
        raise InvalidInput(f"expected a number of moments from 1 to {MAX_MOMENTS}", path=("first",))
    return first


async def _days_of_transitions(
    info: Info, begin: date, last: Moment, scope: TransitionScope
) -> list[date]:
    """Return the first date and the dates of transitions until the last one."""
    kinds = kinds_of(scope.kind, scope.entity)
    try:
        about = await transition_filter(info, last, kinds, vars(scope))
    except InvalidInput as error:
        raise error.below("atTransitions") from None
    if begin == last.valid_at:
        return [begin]
    transitions = await info.context.services.as_of.transitions.between(
        last, begin + DAY, last.valid_at, about
    )
    return [begin, *dict.fromkeys(transition.day for transition in transitions)]


async def _positions_by_step(
    info: Info, times: tuple[datetime | None, datetime], step: Step, most: int
) -> list[int]:
    """Return the positions of the log at times a step apart."""
    start, end = times
    if start is None:
        raise InvalidInput("expected the first time", code="REQUIRED", path=("from",))
    check_order(start, end)
    recorder, as_of = info.context.services.recorder, info.context.services.as_of
    reached = (await as_of.resolve()).position
    positions = [
        min(reached, await recorder.position_at(time))
        for time in check_number(times_by_step(start, end, step), most)
    ]
    return [*dict.fromkeys(positions)]


async def _positions_of(
    info: Info, entity: str, times: tuple[datetime | None, datetime]
) -> list[int]:
    start, end = times
    reached = (await info.context.services.as_of.resolve()).position
    events = (await info.context.services.recorder.read_streams([entity], reached))[entity]
    return [
        event.position
        for event in events
        if (start is None or start <= event.recorded_at) and event.recorded_at <= end
    ]
