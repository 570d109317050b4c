"""Editions of publishers, and the newest recorded facts, as GraphQL shows them."""

from __future__ import annotations

import strawberry

from projections.query import facts
from projections.query.facts import NewestFact
from schema.base.output_types import made_field, output_type, struct_field
from schema.base.scalars import Day, Instant, Position
from schema.types.change import EntityKind
from schema.types.common import Commodity
from tracker.domain.publishers import publishers
from tracker.domain.values import PartialDate
from tracker.domain.vocabulary import Statistic


@output_type(of=facts.Edition, only_spelled=True, first="publisher publisher_name")
class Edition:
    """An edition in which a publisher states figures, and what is known of it: claims that are
    retracted do not count.
    """

    of: strawberry.Private[facts.Edition]

    publisher: str = struct_field(description="The publisher's short id, such as `usgs`.")

    @made_field
    def publisher_name(self) -> str | None:
        """The publisher's name; null where it is not declared."""
        known = publishers().get(self.of.publisher)
        return known.name if known else None

    edition: str = struct_field(description="The edition, such as `MCS 2025`.")
    edition_version: str | None = struct_field(description="Its version, where it has several.")
    published_on: Day = struct_field(
        description="The day from which its claims count; the first, where they differ."
    )
    last_published_on: Day = struct_field(description="The last of these days.")
    claims: int = struct_field(
        description="The number of its claims, each about a figure of its own."
    )
    places: int = struct_field(
        description="The number of places that they are about, groups included."
    )
    commodities: list[Commodity] = struct_field(description="The commodities that they are about.")
    statistics: list[Statistic] = struct_field(description="The statistics that they are about.")
    first_year: int | None = struct_field(
        description="The first year that they are about; null where they have none, as reserves."
    )
    last_year: int | None = struct_field(description="The last of these years.")
    first_position: Position = struct_field(
        description="The position of the first claim in the log."
    )
    last_position: Position = struct_field(description="The position of the last claim in the log.")


@output_type(of=NewestFact, only_spelled=True, first="kind")
class FactHorizon:
    """The newest recorded facts of a kind of entity, an issuer or a publisher: the fact that counts from
    the last day. Statements about later days rest on it.
    """

    of: strawberry.Private[NewestFact]

    @made_field
    def kind(self) -> EntityKind | None:
        """The kind of entity; null where facts are not told apart by it."""
        return EntityKind(self.of.kind) if self.of.kind else None

    issuer: str | None = struct_field(
        description="The code of a place (`CN`) or the key of an alliance (`quad`); null where facts are"
        " not told apart by it."
    )
    publisher: str | None = struct_field(
        description="The publisher's short id; null where facts are not told apart by it."
    )
    facts: int = struct_field(description="The number of facts.")
    newest_fact_on: Day = struct_field(
        "public_on", description="From which day the newest fact counts; this may be a day to come."
    )
    newest_published_on: PartialDate = struct_field(
        "published_on", description="When its source was published."
    )
    newest_position: Position = struct_field("position", description="Its position in the log.")
    recorded_at: Instant = struct_field(description="When it was recorded.")
