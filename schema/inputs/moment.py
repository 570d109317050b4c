"""Moments of queries: parsed from arguments, waited for, and reported in `extensions` of the response."""

from collections.abc import Sequence
from contextvars import ContextVar
from typing import Annotated, Any, TypeAlias

from strawberry import argument

from projections.query.moment import Moment
from projections.runner.projector import Projector
from schema.base.context import Info
from schema.base.decorators import input_object
from schema.base.scalars import Day, Instant, Position
from schema.inputs.arguments import parse_day, parse_instant, parse_position
from schema.services import Services
from schema.telemetry.operation import current_operation
from tracker.errors import InvalidInput, Unavailable

MIN_POSITION_TIMEOUT_SECONDS = 5
"""Maximum time in seconds that a query waits for a position from another server."""

KnownAt: TypeAlias = Annotated[
    Instant | None, "The state of the log at this time. Not together with `position`."
]
AtPosition: TypeAlias = Annotated[
    Position | None,
    argument(
        name="position",
        description="The state of the log at this position; the latest if left out.",
    ),
]
MinPosition: TypeAlias = Annotated[
    Position | None,
    (
        f"Wait up to {MIN_POSITION_TIMEOUT_SECONDS} seconds until this server has read the"
        " log up to this position, which another server returned. Fails with"
        " `POSITION_NOT_REACHED` after that."
    ),
]


REPORTED_MOMENTS: ContextVar[dict[str, Any] | None] = ContextVar("moments", default=None)
"""The moments reported so far for the current response, by response key."""


ANSWER_MOMENTS: ContextVar[set[Moment] | None] = ContextVar("answer_moments", default=None)
"""All moments of the current response."""


def start_report() -> dict[str, Any]:
    """Start the report of a response; its fields add their moments to the returned dictionary."""
    moments: dict[str, Any] = {}
    REPORTED_MOMENTS.set(moments)
    ANSWER_MOMENTS.set(set())
    return moments


def answer_moments() -> tuple[Moment, ...]:
    """Return all moments of the response that this task executed last, in order."""
    moments = ANSWER_MOMENTS.get() or ()
    return tuple(sorted(moments, key=lambda moment: (moment.valid_at, moment.position)))


@input_object
class MomentInput:
    """A moment on both time axes: an effective date, and a state of the log."""

    valid_at: Day | None = None
    """The effective date; today (UTC) if left out."""
    known_at: Instant | None = None
    """The state of the log at this time. Not together with `position`."""
    position: Position | None = None
    """The state of the log at this position. Not together with `knownAt`."""


async def wait_for_position(info: Info, least: Position | None) -> None:
    """Wait until `minPosition`, if given, is projected. Raises InvalidInput, or Unavailable after the
    timeout."""
    if position := parse_position(least, "minPosition"):
        await wait_until_projected(info.context.services.projector, position)


async def wait_for_replica(services: Services, position: int, field: str) -> None:
    """Wait until the replica, if one is used, has a position.

    The position must exist in the log. Raises Unavailable after the timeout.
    """
    if services.replica and position > await services.recorder.head():
        await wait_until_projected(services.projector, position, field)


async def wait_until_projected(
    projector: Projector[Any], position: int, field: str = "minPosition"
) -> None:
    """Wait until the projection has processed a position. Raises Unavailable after the timeout."""
    try:
        await projector.reach(position, seconds=MIN_POSITION_TIMEOUT_SECONDS)
    except Unavailable:
        raise Unavailable(
            f"Position {position} was not reached in {MIN_POSITION_TIMEOUT_SECONDS} seconds:"
            " this server is behind, or"
            " the log does not go so far; try again",
            code="POSITION_NOT_REACHED",
            path=(field,),
        ) from None


async def current_moment(info: Info, least: Position | None) -> Moment:
    """Wait for `minPosition`; then resolve, and report, today at the latest position."""
    await wait_for_position(info, least)
    return report_moment(info, await info.context.services.as_of.resolve())


async def resolve_moment(info: Info, input: MomentInput, least: Position | None) -> Moment:
    """Wait for `minPosition`; then resolve, and report, the moment of a query."""
    await wait_for_position(info, least)
    return report_moment(info, await _parse_moment(info, input, None))


async def resolve_range(
    info: Info, start: MomentInput, end: MomentInput | None, least: Position | None
) -> tuple[Moment, Moment]:
    """Resolve the two moments of a comparison.

    Missing values of `end` mean now, and missing values of `start` are those of `end`. So a comparison of
    two dates uses the same position, and one of two positions the same date.
    """
    await wait_for_position(info, least)
    to = await _below("to", info, end or MomentInput(), None)
    since = await _below("from", info, start, to)
    _report(info, {"from": _to_json(since), "to": _to_json(to)}, [since, to])
    return since, to


def report_moment(info: Info, moment: Moment) -> Moment:
    """Report a moment in the `extensions` of the response, under the response key of the field."""
    _report(info, _to_json(moment), [moment])
    return moment


def report_moments(info: Info, moments: Sequence[Moment]) -> None:
    """Report the first and the last of many moments in the `extensions` of the response."""
    if moments:
        ends = {"from": _to_json(moments[0]), "to": _to_json(moments[-1])}
        _report(info, ends, moments)


def _report(info: Info, shown: dict[str, Any], moments: Sequence[Moment]) -> None:
    current_operation().note_position(max(moment.position for moment in moments))
    reported, all_moments = REPORTED_MOMENTS.get(), ANSWER_MOMENTS.get()
    if reported is not None and all_moments is not None:
        reported[str(info.path.key)] = shown
        all_moments.update(Moment(moment.valid_at, moment.position) for moment in moments)


def _to_json(moment: Moment) -> dict[str, Any]:
    return {"position": str(moment.position), "validAt": moment.valid_at.isoformat()}


async def _below(name: str, info: Info, input: MomentInput, default: Moment | None) -> Moment:
    try:
        return await _parse_moment(info, input, default)
    except InvalidInput as error:
        raise error.below(name) from None


async def _parse_moment(info: Info, input: MomentInput, default: Moment | None) -> Moment:
    valid_at = parse_day(input.valid_at, "validAt")
    known_at, at = (
        parse_instant(input.known_at, "knownAt"),
        parse_position(input.position, "position"),
    )
    if default:
        valid_at = valid_at or default.valid_at
        at = default.position if known_at is None and at is None else at
    return await info.context.services.as_of.resolve(valid_at, known_at, at)
