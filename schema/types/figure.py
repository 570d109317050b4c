"""Figures and the claims in them as GraphQL shows them."""

from __future__ import annotations

from strawberry import field

from schema.described import output
from schema.scalars import Position
from schema.types.common import (
    Because,
    Commodity,
    Place,
    Quantity,
    Source,
    because,
    commodity,
    place,
    shown,
    source,
)
from tracker.domain import figure as domain
from tracker.domain.values import PartialDate
from tracker.domain.vocabulary import Stage, Statistic


@output
class Series:
    """What a figure is about."""

    commodity: Commodity = field(description="Of what.")
    place: Place = field(description="Where.")
    statistic: Statistic = field(description="What is counted.")
    stage: Stage | None = field(description="Where in the chain; null for reserves.")
    form: str | None = field(description="The product, where one stage has several.")
    period: int | None = field(description="The year it is for; null for reserves.")


@output
class Claim(Quantity):
    """One publisher's number for one series, in one edition. Later editions overwrite nothing."""

    figure: str = field(description="The id of the figure that it is a claim on.")
    series: Series = field(description="What it is a claim on.")
    publisher: str = field(description="The publisher's short id, such as `usgs`.")
    edition: str = field(description="The edition that it stands in.")
    edition_version: str | None = field(description="The version of the edition.")
    published_on: PartialDate = field(description="When the edition was published.")
    as_of: int | None = field(description="The year a stock was counted in, where it is said.")
    latest: bool = field(description="False once its publisher has restated it.")
    preferred: bool = field(description="Whether it is the one to use among those side by side.")
    note: str | None = field(description="Remarks, such as the publisher's footnotes.")
    position: Position = field(description="The place of its event in the log.")
    event_id: str = field(description="The id of its event, for retractions.")
    source: Source = field(description="Where it stands.")
    because: list[Because] = field(description="The event that makes the claim.")


@output
class Figure:
    """All publishers' claims for one series and period, side by side."""

    id: str = field(description="Its series as a path: `rare_earths/CN/production/mine/2023`.")
    entity: str = field(description="Its name in the log, `figure/<id>`.")
    series: Series = field(description="What it is about.")
    claims: list[Claim] = field(description="All claims public on this day, the oldest first.")
    preferred: Claim = field(
        description="The claim to use: the latest of the publisher that a recorded judgement names,"
        " or else of the one who published first.")
    preference: str | None = field(
        description="The reason of the recorded judgement, if there is one.")
    because: list[Because] = field(description="The events that make it what it is on this day.")


def claim(state: domain.FigureState, of: domain.Claim) -> Claim:
    """A claim as it is shown."""
    made_by = tuple(fact for fact in state.because if fact.event_id == of.event_id)
    return shown(Claim, of.quantity, of, figure=state.id, series=series(state.series),
                 source=source(of.source), because=because(made_by))


def series(of: domain.Series) -> Series:
    """A series as it is shown."""
    return shown(Series, of, commodity=commodity(of.commodity), place=place(of.place))


def figure(state: domain.FigureState) -> Figure:
    """A figure as it is shown."""
    claims = [claim(state, of) for of in state.claims]
    return shown(
        Figure, state,
        entity=f"figure/{state.id}",
        series=series(state.series),
        claims=claims,
        preferred=next(of for of in claims if of.preferred),
        because=because(state.because),
    )
