"""Memberships of alliances on a day and over time, as recorded at a moment."""

from collections.abc import Sequence

from projections.fold.memberships import MembershipPeriod, membership_periods
from projections.fold.public_facts import facts_public_by
from projections.fold.timeline import timeline
from projections.query.moment import Moment
from projections.query.transitions import read_streams
from tracker.domain.actors.alliance import Alliance
from tracker.domain.catalogue.places import Place
from tracker.log.recorder import Recorder


async def memberships(
    recorder: Recorder, alliances: Sequence[str], places: Sequence[Place] | None, moment: Moment
) -> list[MembershipPeriod]:
    """Return the periods of membership in some alliances, by alliance, place and day."""
    entities = [f"{Alliance.KIND}/{key}" for key in sorted(set(alliances))]
    streams = await read_streams(recorder, entities, moment)
    return [
        period
        for entity, events in streams.items()
        for period in membership_periods(
            entity.partition("/")[2],
            timeline(entity, facts_public_by(events, moment.valid_at)),
            places,
        )
    ]
