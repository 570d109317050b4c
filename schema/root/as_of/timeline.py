"""Timeline of a commodity, a place, a firm or an alliance."""

from collections.abc import Sequence
from datetime import date
from enum import Enum

import strawberry
from strawberry import field

from projections.analysis import publications as domain
from projections.analysis.publications import publications
from projections.fold import transitions
from projections.query.as_of import AsOf
from projections.query.figure_claims import claim_at
from projections.query.lists import Filter, Keyed
from projections.query.moment import Moment
from projections.query.transitions import TransitionFilter
from projections.versions.list_text import title
from schema.base.argument_group import ArgumentGroup
from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.base.enums import described_enum
from schema.base.output_types import output_type, struct_field
from schema.base.scalars import Day
from schema.inputs.order_by import TransitionOrder
from schema.inputs.ranges import DayRange, parse_days
from schema.root.as_of.base import AtMoment
from schema.root.as_of.transitions import (
    POLICY_KINDS,
    TRANSITION_FILTERS,
    order_key,
    transition_filter,
)
from schema.types.change import Transition, transition_summary
from schema.types.connection import PageSource, list_pages
from schema.types.list_field import list_field
from tracker.domain.actors.announcement import AnnouncementState
from tracker.domain.wording.phrases import on_phrase, publisher_phrase
from tracker.errors import InvalidInput


@described_enum
class TimelineKind(Enum):
    """Kinds of entries of a timeline."""

    ANNOUNCEMENT = "announcement"
    """An announcement is made."""
    TRANSITION = "transition"
    """Another change of a control, an alliance or a firm, or of a part of it."""
    PUBLICATION = "publication"
    """A publisher states figures."""


@output_type(only_spelled=True, first="publisher name edition edition_version published_on claims")
class Publication:
    """An edition of a publisher's figures, as far as it became public on a date."""

    of: strawberry.Private[domain.Publication]

    edition_version: str | None = struct_field("version")
    """Its version, if it has several."""
    claims: int = field(description="The number of its claims that match the filters.")


@object_type
class TimelineEntry:
    """An entry of a timeline on a date."""

    day: Day = field(description="The date; of a publication, the first possible date.")
    kind: TimelineKind = field(description="The kind of entry.")
    entity: str | None
    """The name of its entity in the log; null for a publication, which covers several entities."""
    title: str | None
    """The title of its entity on the date, or the name of the publication."""
    transition: Transition | None = field(description="The transition; null for a publication.")
    publication: Publication | None = field(description="The publication; null for other entries.")

    @resolver_field
    async def summary(self, info: Info) -> str:
        """The entry in one English sentence."""
        if self.transition is not None:
            return await transition_summary(info, self.transition)
        assert self.publication is not None
        of, claims = self.publication.of, self.publication.claims
        version = f", {of.version}" if of.version else ""
        figures = "1 figure" if claims == 1 else f"{claims} figures"
        return (
            f"{publisher_phrase(of.publisher)} states {figures} in {of.edition}{version}"
            f" {on_phrase(of.published_on)}."
        )


FILTERS = ArgumentGroup(
    TRANSITION_FILTERS,
    **ArgumentGroup.of(
        place=(
            str,
            "Only entries about this place, such as `CN`: as issuer, member or actor, or as the place of"
            " figures.",
        )
    ),
).only("commodity hs_code place firm alliance")


@object_type
class Timelines(AtMoment):
    """Timelines at a moment."""

    @list_field(TimelineEntry, TransitionOrder)
    async def timeline(
        self,
        info: Info,
        order: Enum,
        filters: ArgumentGroup = FILTERS,
        between: DayRange | None = None,
        kinds: list[TimelineKind] | None = None,
    ) -> PageSource[TimelineEntry]:
        """The timeline of a commodity, a place, a firm or an alliance, as known at this moment, past and
        future, by date: announcements, changes of controls, alliances and firms, and publications of
        figures. One of the four is required; if several are given, all must match. Publications match
        commodities and places only.

        - between: Only entries in this period, past or future.
        - kinds: Only entries of these kinds.
        """
        if all(value is None for value in filters.values()):
            raise InvalidInput(
                "expected a commodity, a place, a firm or an alliance", path=("commodity",)
            )
        days = parse_days(between, "between") or (None, None)
        about = await transition_filter(info, self.moment, POLICY_KINDS, filters)
        selected = set(TimelineKind if kinds is None else kinds)
        as_of = info.context.services.as_of
        entries: list[Keyed[TimelineEntry]] = []
        if selected - {TimelineKind.PUBLICATION}:
            transitions = await as_of.transitions.between(
                self.moment, days[0] or date.min, days[1] or date.max, about
            )
            shown = [(order_key(of), _of_transition(of, self.moment)) for of in transitions]
            entries += [(key, entry) for key, entry in shown if entry.kind in selected]
        if TimelineKind.PUBLICATION in selected and (about.firms, about.alliance) == (None, None):
            entries += await _publications(as_of, self.moment, about, days)
        listing = list_pages(entries, "timeline", order.value.down)
        return listing.about(self.policy_scope(info, about))


async def _publications(
    as_of: AsOf, moment: Moment, about: TransitionFilter, days: tuple[date | None, date | None]
) -> Sequence[Keyed[TimelineEntry]]:
    """Return the publications with claims about the commodities and places of a filter."""
    narrowed = Filter(
        commodities=about.commodities,
        places=about.places,
        published=None if days == (None, None) else days,
    )
    claims = [
        claim_at(of.state, int(key[-1])) for key, of in await as_of.lists.claims(moment, narrowed)
    ]
    entries: list[Keyed[TimelineEntry]] = []
    for of, count in publications(claims):
        day = of.published_on.first
        if (days[0] or date.min) <= day <= (days[1] or date.max):
            key = f"publication/{of.publisher}", of.edition, of.version or "", of.name
            entries.append(((day.isoformat(), *key), _of_publication(of, count)))
    return entries


def _of_transition(of: transitions.Transition, moment: Moment) -> TimelineEntry:
    is_made = isinstance(of.after, AnnouncementState) and of.before is None
    return TimelineEntry(
        day=Day(of.day.isoformat()),
        kind=TimelineKind.ANNOUNCEMENT if is_made else TimelineKind.TRANSITION,
        entity=of.entity,
        title=title(of.after),
        transition=Transition(of=of, position=moment.position),
        publication=None,
    )


def _of_publication(of: domain.Publication, claims: int) -> TimelineEntry:
    return TimelineEntry(
        day=Day(of.published_on.first.isoformat()),
        kind=TimelineKind.PUBLICATION,
        entity=None,
        title=of.name,
        transition=None,
        publication=Publication(of=of, claims=claims),
    )
