"""GraphQL types of editions of publishers and of the newest recorded facts."""

import strawberry

from projections.query import facts
from projections.query.facts import NewestFact
from schema.base.output_types import made_field, output_type, struct_field
from schema.base.scalars import Day, Position
from schema.types.change import EntityKind
from schema.types.common import Commodity
from tracker.domain.basics.values import PartialDate
from tracker.domain.basics.vocabulary import Statistic
from tracker.domain.catalogue.publishers import publishers


@output_type(
    first="publisher publisher_name edition edition_version published_on last_published_on claims "
    "places commodities statistics first_year last_year"
)
class Edition:
    """An edition in which a publisher states figures, with its recorded claims. Retracted claims do not
    count."""

    of: strawberry.Private[facts.Edition]

    @made_field
    def publisher_name(self) -> str | None:
        """The publisher's name; null if it is not declared."""
        known = publishers().get(self.of.publisher)
        return known.name if known else None

    commodities: list[Commodity] = struct_field()
    statistics: list[Statistic] = struct_field()
    first_position: Position = struct_field()
    last_position: Position = struct_field()


@output_type(
    only_spelled=True,
    first="kind issuer publisher facts newest_fact_on newest_published_on newest_position "
    "recorded_at",
)
class FactHorizon:
    """The newest recorded facts of a kind of entity, an issuer or a publisher: the fact that counts from
    the last date. Statements about later dates rest on it."""

    of: strawberry.Private[NewestFact]

    @made_field
    def kind(self) -> EntityKind | None:
        """The kind of entity; null if facts are not grouped by it."""
        return EntityKind(self.of.kind) if self.of.kind else None

    newest_fact_on: Day = struct_field("public_on")
    """The date from which the newest fact counts; it may be in the future."""
    newest_published_on: PartialDate = struct_field("published_on")
    """The publication date of its source."""
    newest_position: Position = struct_field("position", description="Its position in the log.")
