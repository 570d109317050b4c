"""Comparison of a number in a sentence with the claims on an output, or their shares of the world's. Pure."""

from collections.abc import Sequence
from decimal import Decimal

from projections.analysis.quantities import in_unit_of, incomparable_reason
from projections.query.statement_parts import (
    CHANGES,
    OWN,
    WORLD,
    Number,
    Sentence,
    not_checked,
    texts_of,
)
from projections.query.statement_verdicts import (
    CONTRADICTED,
    NOT_RECORDED,
    RECORDED,
    CheckedPart,
    PartKind,
    part,
)
from tracker.domain.basics.units import Unit
from tracker.domain.basics.values import PERCENT
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.catalogue.places import Place
from tracker.domain.figures.figure import Claim, FigureState
from tracker.domain.wording.phrases import listed, number, publisher_phrase

WORLD_PLACE = Place("WORLD")
FAR_POINTS, FAR_RATIO = Decimal(3), Decimal("0.1")
"""The difference from every source above which a share or an amount is contradicted; below it, no verdict."""
MAX_FIGURES = 5
"""Maximum number of figures named beside a number."""


def check_figures(
    of: Sentence, goods: Commodity, place: Place, figures: Sequence[FigureState]
) -> list[CheckedPart]:
    """Return the verdict on the number about the output of one place and one commodity in one year."""
    if not _is_comparable(of):
        return not_checked(
            of, "only one output of a place, or its share of the world's, is compared"
        )
    named = of.numbers[0][1]
    stages = {stage for word in of.words for stage in OWN["stages"].get(word, "").split()}
    figures = [
        one
        for one in figures
        if one.series.commodity == goods and (not stages or one.series.stage in stages)
    ]
    own = [one for one in figures if one.series.place == place]
    years = {one.series.period for one in own if one.series.period}
    year = of.dates[0][2].first.year if of.dates else max(years, default=None)
    values = [
        (value, figure, claim)
        for figure in own
        if figure.series.period == year
        for claim in figure.claims
        if (value := _value(figure, claim, named, figures)) is not None
    ]
    if not values:
        why = f"No comparable figure of {goods.name} from {place.name} is recorded."
        return [part(kind, one, why) for kind, one in texts_of(of)]
    agree = [one for one in values if _agrees(named, one[0])]
    is_far = of.dates and all(_is_far(named, value) for value, *_ in values)
    verdict = RECORDED if agree else CONTRADICTED if is_far else NOT_RECORDED
    said = "".join(
        f"{head}: {_sources(each, named)}. "
        for head, each in (
            ("Agree", agree),
            ("Differ", [one for one in values if one not in agree]),
        )
        if each
    )
    entities = tuple(dict.fromkeys(f"figure/{one.id}" for _, one, _ in agree or values))
    shown = f"Figures are recorded for {year}."
    return [
        part(kind, one, said + shown, verdict, entities[:MAX_FIGURES])
        if kind is PartKind.NUMBER
        else part(kind, one, shown, RECORDED, entities[:MAX_FIGURES])
        for kind, one in texts_of(of)
    ]


def _is_comparable(of: Sentence) -> bool:
    """Return whether a sentence has one number, one place and one commodity, and no words not read."""
    is_share = any(one.unit == PERCENT for _, one in of.numbers)
    return (
        len(of.issuers) == len(of.issuers[0].meanings) == len(of.goods) == len(of.numbers) == 1
        and len(of.dates) < 2
        and not (of.partners or of.forms or of.other or of.acts or of.negated or of.statuses)
        and of.is_plain
        and CHANGES.isdisjoint(of.words)
        and not (is_share and WORLD.isdisjoint(of.words))
        and all(before in ("", "in") and day.precision == "year" for _, before, day in of.dates)
    )


def _value(
    figure: FigureState, claim: Claim, named: Number, figures: Sequence[FigureState]
) -> Decimal | None:
    """Return the number of a claim in the unit of a sentence, or its share of the world's in percent."""
    own, series = claim.quantity, figure.series
    if named.unit != PERCENT:
        is_number = incomparable_reason(own, own, "its", series.commodity) is None
        return (
            own.unit.convert(own.value, Unit(named.unit))
            if is_number and own.value is not None
            else None
        )
    for world in figures:
        same = (world.series.stage, world.series.form, world.series.period) == (
            series.stage,
            series.form,
            series.period,
        )
        for whole in world.claims if same and world.series.place == WORLD_PLACE else ():
            of_edition = (whole.publisher, whole.edition, whole.edition_version) == (
                claim.publisher,
                claim.edition,
                claim.edition_version,
            )
            if of_edition and not incomparable_reason(
                own, whole.quantity, "the world's", series.commodity
            ):
                total = in_unit_of(whole.quantity, whole.quantity)
                return 100 * in_unit_of(own, whole.quantity) / total if total else None
    return None


def _agrees(named: Number, value: Decimal) -> bool:
    slack = max(named.half, named.value / 20 if named.near else named.half)
    match named.near:
        case "more than" | "over" | "above":
            return value > named.value
        case "at least":
            return value >= named.value
        case "less than" | "under" | "below":
            return value < named.value
        case "at most" | "up to":
            return value <= named.value
    return abs(value - named.value) <= slack


def _is_far(named: Number, value: Decimal) -> bool:
    far = max(FAR_POINTS if named.unit == PERCENT else named.half, named.value * FAR_RATIO)
    return abs(value - named.value) > far * (2 if named.near else 1)


def _sources(values: Sequence[tuple[Decimal, FigureState, Claim]], named: Number) -> str:
    unit = "%" if named.unit == PERCENT else named.unit
    return listed(
        [
            f"{publisher_phrase(claim.publisher)} {claim.edition} ({figure.series.stage or 'output'})"
            f" {number(round(value, 1 if named.unit == PERCENT else 0))} {unit}"
            for value, figure, claim in values
        ],
        4,
    )
