"""Announcements as GraphQL shows them."""

from __future__ import annotations

from strawberry import field

from schema.base.decorators import object_type
from schema.types.annex_text import WithQuotation, free_texts_of
from schema.types.common import (
    Actor,
    Because,
    Commodity,
    Node,
    Quantity,
    Source,
    actor,
    because,
    commodity,
    from_state,
    source,
)
from tracker.domain.announcement import AnnouncementState
from tracker.domain.values import PartialDate
from tracker.domain.vocabulary import AnnouncementKind


@object_type
class Amount(Quantity):
    """A number in an announcement."""

    label: str = field(description="What it is an amount of.")


@object_type
class Announcement(Node, WithQuotation):
    """What states and alliances say, promise, start, contest or answer."""

    key: str = field(description="Its key.")
    entity: str = field(description="Its name in the log, `announcement/<key>`.")
    date: PartialDate = field(description="When it was made.")
    kind: AnnouncementKind = field(description="What it does.")
    title: str = field(description="What it says, in a line.")
    actors: list[Actor] = field(description="Who makes it or is party to it.")
    commodities: list[Commodity] = field(description="What it is about.")
    topic: str | None = field(description="Its subject, in a word.")
    about: list[str] = field(description="Entities that it is about, such as `alliance/quad`.")
    amounts: list[Amount] = field(description="The numbers in it.")
    until: PartialDate | None = field(description="The date that it promises something for.")
    conflicts_with: list[str] = field(
        description="Announcements that tell the same matter otherwise."
    )
    supersedes: list[str] = field(description="Announcements that it takes the place of.")
    superseded_by: str | None = field(description="The one that took its place.")
    source: Source = field(description="Where it is reported.")
    because: list[Because] = field(description="The events that make it what it is on this day.")


def announcement(state: AnnouncementState) -> Announcement:
    """An announcement as it is shown."""
    return from_state(
        Announcement,
        state,
        key=state.id,
        entity=f"announcement/{state.id}",
        later={
            "actors": lambda: [actor(id) for id in state.actors],
            "commodities": lambda: [commodity(id) for id in state.commodities],
            "amounts": lambda: [
                from_state(Amount, amount, amount.quantity) for amount in state.amounts
            ],
            "source": lambda: source(state.source),
            "because": lambda: because(state.because),
        },
        **free_texts_of(state),
    )
