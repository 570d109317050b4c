"""Publications of figures: publisher, edition, day, and number of figures. Pure."""

from collections import Counter
from collections.abc import Iterable

from msgspec import Struct

from tracker.domain.basics.values import PartialDate
from tracker.domain.figures.figure import Claim


class Publication(Struct, frozen=True):
    """The part of a publisher's edition that became public on a day."""

    published_on: PartialDate
    """The publication date, as precisely as known."""
    publisher: str
    """The publisher's short id, such as `usgs`."""
    edition: str
    """The edition, such as `MCS 2025`."""
    version: str | None
    name: str
    """The publisher's name of the publication."""


def publications(claims: Iterable[Claim]) -> list[tuple[Publication, int]]:
    """Return the publications of claims with the number of claims in each, oldest first."""
    counts = Counter(
        Publication(
            claim.source.published_on,
            claim.publisher,
            claim.edition,
            claim.edition_version,
            claim.source.name,
        )
        for claim in claims
    )
    return sorted(counts.items(), key=lambda item: _order(item[0]))


def _order(of: Publication) -> tuple[str, ...]:
    day = of.published_on.first.isoformat()
    return day, of.publisher, of.edition, of.version or "", of.name
