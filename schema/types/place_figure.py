"""GraphQL types of a place's figure and its share."""

import strawberry

from projections.analysis.claims import Orders
from projections.analysis.distribution import Share
from schema.base.output_types import made_field, output_type, shows, struct_field
from schema.types.common import Place, Quantity
from schema.types.figure import Choice, Claim, claim, preferred_claim
from tracker.domain.figures import figure as domain


@output_type(
    stated=domain.Claim,
    of=Share,
    only_spelled=True,
    first="place share share_unavailable_reason rank cumulative_share computed_from mixed_editions "
    "publisher edition figure preferred choice claims",
)
class PlaceFigure(Quantity):
    """A place's preferred claim, and its share of the world's figure."""

    stated: strawberry.Private[domain.Claim]
    of: strawberry.Private[Share]
    orders: strawberry.Private[Orders]

    place: Place = struct_field()
    computed_from: list[Claim] = struct_field()
    publisher: str = struct_field()
    """The short id of the publisher of the preferred claim."""
    edition: str = struct_field(description="The edition of the preferred claim.")

    @made_field
    def share_unavailable_reason(self) -> str | None:
        """The reason why there is no share, in words; null if there is one."""
        return self.of.incomparable_reason

    @made_field
    def figure(self) -> str:
        """The key of the figure."""
        return self.of.chosen.figure.id

    @made_field
    def preferred(self) -> Claim:
        """The preferred claim, with its source."""
        return preferred_claim(self.of.chosen)

    @made_field
    def choice(self) -> Choice:
        """The reason why it is preferred."""
        return Choice(of=self.of.chosen)

    @made_field
    def claims(self) -> list[Claim]:
        """All claims on the figure."""
        figure = self.of.chosen.figure
        return [claim(figure, of, preferred=of is self.stated) for of in figure.claims]


@shows(Share, given="orders")
def place_figure(item: Share, orders: Orders) -> PlaceFigure:
    """Return the GraphQL type of a place's figure."""
    stated = item.chosen.claim
    return PlaceFigure(number=stated.quantity, stated=stated, of=item, orders=orders)
