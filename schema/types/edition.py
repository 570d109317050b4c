"""Editions of publishers, and the newest recorded facts, as GraphQL shows them."""

from __future__ import annotations

from strawberry import field

from projections.query import facts
from schema.base.decorators import object_type
from schema.base.scalars import Day, Instant, Position
from schema.types.change import EntityKind
from schema.types.common import Commodity, commodity
from tracker.domain.publishers import publishers
from tracker.domain.values import PartialDate
from tracker.domain.vocabulary import Statistic


@object_type
class Edition:
    """An edition in which a publisher states figures, and what is known of it: claims that are
    retracted do not count.
    """

    publisher: str = field(description="The publisher's short id, such as `usgs`.")
    publisher_name: str | None = field(
        description="The publisher's name; null where it is not declared."
    )
    edition: str = field(description="The edition, such as `MCS 2025`.")
    edition_version: str | None = field(description="Its version, where it has several.")
    published_on: Day = field(
        description="The day from which its claims count; the first, where they differ."
    )
    last_published_on: Day = field(description="The last of these days.")
    claims: int = field(description="The number of its claims, each about a figure of its own.")
    places: int = field(description="The number of places that they are about, groups included.")
    commodities: list[Commodity] = field(description="The commodities that they are about.")
    statistics: list[Statistic] = field(description="The statistics that they are about.")
    first_year: int | None = field(
        description="The first year that they are about; null where they have none, as reserves."
    )
    last_year: int | None = field(description="The last of these years.")
    first_position: Position = field(description="The position of the first claim in the log.")
    last_position: Position = field(description="The position of the last claim in the log.")


@object_type
class FactHorizon:
    """The newest recorded facts of a kind of entity, an issuer or a publisher: the fact that counts from
    the last day. Statements about later days rest on it.
    """

    kind: EntityKind | None = field(
        description="The kind of entity; null where facts are not told apart by it."
    )
    issuer: str | None = field(
        description="The code of a place (`CN`) or the key of an alliance (`quad`); null where facts are"
        " not told apart by it."
    )
    publisher: str | None = field(
        description="The publisher's short id; null where facts are not told apart by it."
    )
    facts: int = field(description="The number of facts.")
    newest_fact_on: Day = field(
        description="From which day the newest fact counts; this may be a day to come."
    )
    newest_published_on: PartialDate = field(description="When its source was published.")
    newest_position: Position = field(description="Its position in the log.")
    recorded_at: Instant = field(description="When it was recorded.")


def edition(of: facts.Edition) -> Edition:
    """The GraphQL type of an edition."""
    known = publishers().get(of.publisher)
    return Edition(
        publisher=of.publisher,
        publisher_name=known.name if known else None,
        edition=of.edition,
        edition_version=of.edition_version,
        published_on=Day(of.published_on.isoformat()),
        last_published_on=Day(of.last_published_on.isoformat()),
        claims=of.claims,
        places=of.places,
        commodities=[commodity(id) for id in of.commodities],
        statistics=[Statistic(word) for word in of.statistics],
        first_year=of.first_year,
        last_year=of.last_year,
        first_position=Position(str(of.first_position)),
        last_position=Position(str(of.last_position)),
    )


def fact_horizon(of: facts.NewestFact) -> FactHorizon:
    """The GraphQL type of the newest fact of a group."""
    return FactHorizon(
        kind=EntityKind(of.kind) if of.kind else None,
        issuer=of.issuer,
        publisher=of.publisher,
        facts=of.facts,
        newest_fact_on=Day(of.public_on.isoformat()),
        newest_published_on=of.published_on,
        newest_position=Position(str(of.position)),
        recorded_at=of.recorded_at,  # type: ignore[arg-type]  # the scalar writes it
    )
