"""The share of controls in force whose goods and dates were read in the issuer's text. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from projections.analysis.distribution import by_product, largest_shares
from tracker.commands.commands import PlannedEvent
from tracker.domain.basics.control_vocabulary import ClauseStatus
from tracker.domain.basics.vocabulary import EvidenceLevel, Statistic
from tracker.domain.catalogue.places import Place
from tracker.domain.controls.clause_levels import DATES, GOODS, clause_levels
from tracker.domain.controls.export_control import ExportControl, ExportControlState
from tracker.domain.entities.entity import TYPES, Entity, EntityState, RecordedFact, effective_facts
from tracker.domain.figures.figure import Figure, FigureState

ISSUERS = ("CN", "EU", "US")
READ = frozenset(one for one in EvidenceLevel if one.rank <= EvidenceLevel.ISSUER_TEXT_COPY.rank)
"""The levels of fields that were read in the issuer's text, or in a copy of it."""


class Ground(NamedTuple):
    """An instrument in force: whether its goods and dates were read, and the world output that it covers,
    as a sum of the issuer's shares of the commodities."""

    issuer: Place
    is_read: bool
    output: Decimal


def grounds_table(events: Iterable[PlannedEvent], day: date) -> str:
    """Return the shares by issuer on a day as a Markdown table."""
    found = list(grounds(events, day))
    groups = [(Place(code).name, [one for one in found if one.issuer == code]) for code in ISSUERS]
    lines = [
        f"| issuer | in force on {day} | goods and dates read | share | share by world output |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, of in (*groups, ("all", found)):
        read = [one for one in of if one.is_read]
        weights = sum(one.output for one in read), sum(one.output for one in of)
        shares = f"{_percent(len(read), len(of))} | {_percent(*weights)}"
        lines.append(f"| {name} | {len(of)} | {len(read)} | {shares} |")
    return "\n".join(lines) + "\n"


def grounds(events: Iterable[PlannedEvent], day: date) -> Iterator[Ground]:
    """Yield the instruments with a clause in force on a day."""
    streams: dict[str, list[RecordedFact]] = defaultdict(list)
    for position, one in enumerate(events, 1):
        known = RecordedFact(position, one.event_id, TYPES[type(one.fact)], one.fact)
        streams[one.stream].append(known)
    products = by_product(_newest_output(streams, day))
    for stream, facts in streams.items():
        if isinstance(control := _state(ExportControl, stream, facts, day), ExportControlState):
            current = [one for one in control.clauses if one.status is ClauseStatus.IN_FORCE]
            if current:
                known_facts = effective_facts(facts)
                levels = [
                    field.level
                    for clause in current
                    for field in clause_levels(clause, known_facts, control.issuers, day)
                    if field.field in GOODS | DATES
                ]
                goods = {commodity for clause in current for commodity in clause.clause.commodities}
                shares = [largest_shares(one, products).get(control.issuer) for one in goods]
                output = sum(filter(None, shares), Decimal(0))
                yield Ground(control.issuer, READ.issuperset(levels), output)


def _newest_output(
    streams: Mapping[str, Sequence[RecordedFact]], day: date
) -> Iterator[FigureState]:
    """Yield the figures of production in the newest year of each product."""
    figures = [_state(Figure, stream, facts, day) for stream, facts in streams.items()]
    of_output = [
        one
        for one in figures
        if isinstance(one, FigureState) and one.series.statistic is Statistic.PRODUCTION
    ]
    newest: dict[tuple[object, ...], int] = {}
    for of in (one.series for one in of_output):
        product = of.commodity, of.stage, of.form
        newest[product] = max(newest.get(product, 0), of.period or 0)
    for one in of_output:
        of = one.series
        if of.period == newest[of.commodity, of.stage, of.form]:
            yield one


def _state(
    kind: type[Entity], stream: str, facts: Sequence[RecordedFact], day: date
) -> EntityState | None:
    """Return the state of an entity on a day; None if it is of another kind."""
    of, _, id = stream.partition("/")
    return kind.state_on(id, effective_facts(facts), day) if of == kind.KIND else None


def _percent(part: Decimal | int, whole: Decimal | int) -> str:
    return f"{part / whole * 100:.0f} %" if whole else "–"
