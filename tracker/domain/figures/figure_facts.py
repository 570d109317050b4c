"""Facts about figures: publishers' claims for a series, and preferred claims."""

from datetime import date
from typing import Annotated, Protocol

import msgspec

from tracker.domain.basics.values import Name, Quantity, Value, check_reason
from tracker.domain.basics.vocabulary import Qualifier, Stage, Statistic
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.catalogue.places import Place
from tracker.domain.entities.fact import DatedFact, Fact, Source
from tracker.domain.figures.origins import Origins
from tracker.errors import InvalidInput, below

Form = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]+(_[a-z0-9]+)*\Z", max_length=60)]


class EditionClaim(Protocol):
    """A claim of a publisher in one edition."""

    @property
    def source(self) -> Source:
        """The source, whose publisher makes the claim."""

    @property
    def edition(self) -> str:
        """The edition of the publication."""

    @property
    def edition_version(self) -> str | None:
        """The version of the edition, if it has several."""


SHARE_STATISTICS = frozenset(
    {Statistic.PRODUCTION_SHARE, Statistic.RESERVES_SHARE, Statistic.NET_IMPORT_RELIANCE}
)


class Series(Value, frozen=True, kw_only=True):
    """The series of a figure: one commodity, place, statistic, stage and period.

    `period` is the year of the figure, or the first year of an average that ends with `until`. Reserves have
    none, because every edition states them again. Production, capacity and their shares have a stage; other
    statistics do not. `form` distinguishes products of one commodity and stage (`sponge`, `pigment`). Units
    and bases belong to claims, because publishers use different ones.
    """

    commodity: Commodity
    """The commodity."""
    place: Place
    """The place, such as `CN` or `WORLD`: the producer, or the importer for its imports."""
    statistic: Statistic
    stage: Stage | None = None
    """The stage of the supply chain of production and capacity; null for other statistics."""
    form: Form | None = None
    """The product, if one commodity and stage has several, such as `sponge`; null otherwise."""
    period: int | None = None
    """The year of the figure, or the first year of an average; null for reserves."""
    until: int | None = None
    """The last year of an average over several years; null otherwise."""

    def __post_init__(self) -> None:
        statistic = self.statistic
        if not statistic.has_period and (self.stage or self.period is not None):
            raise InvalidInput("expected no stage and no period for reserves", path=("period",))
        if statistic.has_stage and (self.stage is None or self.period is None):
            raise InvalidInput("expected a stage and the year of the figure", path=("period",))
        if statistic.has_period and self.period is None:
            raise InvalidInput("expected the year of the figure", path=("period",))
        if self.stage and not statistic.has_stage:
            raise InvalidInput(f"expected no stage for {statistic}", path=("stage",))
        if not statistic.has_stage and statistic.has_period and self.form in set(Stage):
            raise InvalidInput(
                f"expected a product such as {self.form}_metal, not a stage", path=("form",)
            )
        if self.period is not None and not 1800 <= self.period <= 2100:
            raise InvalidInput("expected a year between 1800 and 2100", path=("period",))
        if self.until is not None and not (self.period or 2100) < self.until <= 2100:
            raise InvalidInput("expected a last year after the first", path=("until",))

    @property
    def years(self) -> str | None:
        """The year, or the first and last year of an average: `2021-2024`; None for reserves."""
        if self.period is None:
            return None
        return f"{self.period}-{self.until}" if self.until else str(self.period)

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
            self.years,
        )
        return "/".join(part for part in parts if part is not None)


class Claimed(Fact, frozen=True, kw_only=True):
    """A publisher's figure for one series, in one edition.

    Later editions restate it without overwriting it. `as_of` is the year of a stock (reserves), if the
    publisher gives it. The quantity of a list of origins is the whole: 100 percent or an amount. A list of
    ranks states none.
    """

    series: Series
    edition: Name
    quantity: Quantity
    edition_version: Name | None = None
    as_of: int | None = None
    origins: Origins | None = None
    """The origins of `import_origins` and `import_ranks`; null for other statistics."""

    def check_recordable(self) -> None:
        """Check the claim.

        Amounts are not negative, shares are at most 100 percent, lists of origins are complete, and the
        place still exists in that year. Raises InvalidInput.
        """
        check_existence(self.series.place, self.series.period, ("series", "place"))
        with below("quantity"):
            self._check_quantity()
        with below("origins"):
            self._check_origins()

    def _check_quantity(self) -> None:
        statistic, qualifier = self.series.statistic, self.quantity.qualifier
        if statistic in SHARE_STATISTICS:
            self.quantity.check_share()
        elif statistic is not Statistic.STOCKPILE_SHIPMENTS:
            self.quantity.check_not_negative()
        if qualifier is Qualifier.NET_EXPORTER and statistic is not Statistic.NET_IMPORT_RELIANCE:
            raise InvalidInput(
                "expected net_exporter only for net_import_reliance", path=("qualifier",)
            )

    def _check_origins(self) -> None:
        statistic = self.series.statistic
        if statistic.has_origins != (self.origins is not None):
            raise InvalidInput(
                "expected origins exactly for import_origins and import_ranks",
                code="VALUE_REQUIRED" if statistic.has_origins else "VALUE_NOT_ALLOWED",
            )
        if self.origins is None:
            return
        self.origins.check_places()
        if statistic is Statistic.IMPORT_RANKS:
            self.origins.check_ranks()
        else:
            self.origins.check_parts(self.quantity)

    @property
    def stream(self) -> str:
        """The stream of the figure."""
        return self.series.stream

    @property
    def public_on(self) -> date:
        """The day on which the edition was published."""
        return self.source.published_on.first


class Preferred(DatedFact, frozen=True, kw_only=True):
    """A judgement, with its reason: the preferred publisher among the claims of a series.

    Without an edition it selects the publisher's latest claim, including future ones. With an edition it
    selects the claim in it, restated or not.
    """

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


def check_existence(place: Place, year: int | None, path: tuple[str, ...]) -> None:
    """Check that a place exists in a year, or today without one. Raises InvalidInput."""
    if place.last_day and (year is None or year > place.last_day.year):
        raise InvalidInput(
            f"{place.name} ended on {place.last_day}: expected a year not after it",
            code="STATE_HAS_ENDED",
            path=path,
        )


def edition_key(claim: EditionClaim) -> tuple[str, str, str | None]:
    """The key of a claim on a series: publisher, edition and version."""
    return claim.source.publisher, claim.edition, claim.edition_version
