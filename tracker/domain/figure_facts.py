"""Facts about figures: publishers' claims for a series, and preferred claims."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import msgspec

from tracker.domain.values import (
    Commodity,
    Fact,
    Name,
    PartialDate,
    Place,
    Quantity,
    Value,
    check_reason,
)
from tracker.domain.vocabulary import Stage, Statistic
from tracker.errors import InvalidInput

Form = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]+(_[a-z0-9]+)*\Z", max_length=60)]
SHARE_STATISTICS = frozenset({Statistic.PRODUCTION_SHARE, Statistic.RESERVES_SHARE})


class Series(Value, frozen=True, kw_only=True):
    """The series of a figure: one commodity, place, statistic, stage and period.

    `period` is the year of the figure. Reserves have none, because every edition states them again. `form`
    distinguishes products of one commodity and stage (`sponge`, `pigment`). Units and bases belong to claims,
    because publishers use different ones.
    """

    commodity: Commodity
    """The commodity."""
    place: Place
    """The place, such as `CN` or `WORLD`."""
    statistic: Statistic
    stage: Stage | None = None
    """The stage of the supply chain; null for reserves."""
    form: Form | None = None
    """The product, if one commodity and stage has several, such as `sponge`; null otherwise."""
    period: int | None = None
    """The year of the figure; null for reserves."""

    def __post_init__(self) -> None:
        stock = self.statistic in (Statistic.RESERVES, Statistic.RESERVES_SHARE)
        if stock and (self.stage or self.period is not None):
            raise InvalidInput("expected no stage and no period for reserves", path=("period",))
        if not stock and (self.stage is None or self.period is None):
            raise InvalidInput("expected a stage and the year of the figure", path=("period",))
        if self.period is not None and not 1800 <= self.period <= 2100:
            raise InvalidInput("expected a year between 1800 and 2100", path=("period",))

    @property
    def stream(self) -> str:
        """The stream of the figure: `figure/gallium/CN/production/primary/2023`."""
        parts = (
            "figure",
            self.commodity,
            self.place,
            self.statistic,
            self.stage,
            self.form,
            self.period,
        )
        return "/".join(str(part) for part in parts if part is not None)


class Claimed(Fact, frozen=True, kw_only=True):
    """A publisher's figure for one series, in one edition.

    Later editions restate it without overwriting it. `as_of` is the year of a stock (reserves), if the
    publisher gives it.
    """

    series: Series
    edition: Name
    quantity: Quantity
    edition_version: Name | None = None
    as_of: int | None = None

    def check_recordable(self) -> None:
        """Check the claim.

        Production, capacity and reserves are not negative, shares are at most 100 percent, and the place
        still exists in that year. Raises InvalidInput.
        """
        quantity, place, year = self.quantity, self.series.place, self.series.period
        if place.last_day and (year is None or year > place.last_day.year):
            raise InvalidInput(
                f"{place.name} ended on {place.last_day}: expected a year not after it",
                code="STATE_HAS_ENDED",
                path=("series", "place"),
            )
        try:
            if self.series.statistic in SHARE_STATISTICS:
                quantity.check_share()
            else:
                quantity.check_not_negative()
        except InvalidInput as error:
            raise error.below("quantity") from None

    @property
    def stream(self) -> str:
        """The stream of the figure."""
        return self.series.stream

    @property
    def public_on(self) -> date:
        """The day on which the edition was published."""
        return self.source.published_on.first


class Preferred(Fact, frozen=True, kw_only=True):
    """A judgement, with its reason: the preferred publisher among the claims of a series.

    Without an edition it selects the publisher's latest claim, including future ones. With an edition it
    selects the claim in it, restated or not.
    """

    on: PartialDate
    publisher: Name
    reason: Name
    edition: Name | None = None
    edition_version: Name | None = None

    def __post_init__(self) -> None:
        check_reason(self.reason)
        if self.edition_version and not self.edition:
            raise InvalidInput("expected the edition of that version", path=("edition",))

    def matches(self, claim: Claimed) -> bool:
        """Return whether the judgement selects a claim."""
        return (
            claim.source.publisher == self.publisher
            and self.edition in (None, claim.edition)
            and self.edition_version in (None, claim.edition_version)
        )

    @property
    def public_on(self) -> date:
        """The day of the judgement."""
        return self.on.first


def edition_key(claim: Claimed) -> tuple[str, str, str | None]:
    """The key of a claim on a series: publisher, edition and version."""
    return claim.source.publisher, claim.edition, claim.edition_version
