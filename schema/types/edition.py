"""GraphQL types of editions of publishers and of the newest recorded facts."""

from __future__ import annotations

import strawberry

from projections.query import facts
from projections.query.facts import NewestFact
from schema.base.output_types import made_field, output_type, struct_field
from schema.base.scalars import Day, Instant, Position
from schema.types.change import EntityKind
from schema.types.common import Commodity
from tracker.domain.basics.values import PartialDate
from tracker.domain.basics.vocabulary import Statistic
from tracker.domain.catalogue.publishers import publishers


@output_type(of=facts.Edition, only_spelled=True, first="publisher publisher_name")
class Edition:
    """An edition in which a publisher states figures, with its recorded claims. Retracted claims do not
    count."""

    of: strawberry.Private[facts.Edition]

    publisher: str = struct_field(description="The publisher's short id, such as `usgs`.")

    @made_field
    def publisher_name(self) -> str | None:
        """The publisher's name; null if it is not declared."""
        known = publishers().get(self.of.publisher)
        return known.name if known else None

    edition: str = struct_field(description="The edition, such as `MCS 2025`.")
    edition_version: str | None = struct_field(description="Its version, if it has several.")
    published_on: Day = struct_field(
        description="The date from which its claims count; the first, if they differ."
    )
    last_published_on: Day = struct_field(description="The last of these dates.")
    claims: int = struct_field(description="The number of its claims, each for a separate figure.")
    places: int = struct_field(description="The number of places in its claims, groups included.")
    commodities: list[Commodity] = struct_field(description="The commodities of its claims.")
    statistics: list[Statistic] = struct_field(description="The statistics of its claims.")
    first_year: int | None = struct_field(
        description="The first year of its claims; null if they have none, such as reserves."
    )
    last_year: int | None = struct_field(description="The last of these years.")
    first_position: Position = struct_field(
        description="The position of the first claim in the log."
    )
    last_position: Position = struct_field(description="The position of the last claim in the log.")


@output_type(of=NewestFact, only_spelled=True, first="kind")
class FactHorizon:
    """The newest recorded facts of a kind of entity, an issuer or a publisher: the fact that counts from
    the last date. Statements about later dates rest on it."""

    of: strawberry.Private[NewestFact]

    @made_field
    def kind(self) -> EntityKind | None:
        """The kind of entity; null if facts are not grouped by it."""
        return EntityKind(self.of.kind) if self.of.kind else None

    issuer: str | None = struct_field(
        description="The code of a place (`CN`) or the key of an alliance (`quad`); null"
        " if facts are not grouped by it."
    )
    publisher: str | None = struct_field(
        description="The publisher's short id; null if facts are not grouped by it."
    )
    facts: int = struct_field(description="The number of facts.")
    newest_fact_on: Day = struct_field(
        "public_on",
        description="The date from which the newest fact counts; it may be in the future.",
    )
    newest_published_on: PartialDate = struct_field(
        "published_on", description="The publication date of its source."
    )
    newest_position: Position = struct_field("position", description="Its position in the log.")
    recorded_at: Instant = struct_field(description="The time at which it was recorded.")
