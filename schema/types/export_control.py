"""Export controls as GraphQL shows them."""

from __future__ import annotations

from decimal import Decimal

from strawberry import field

from schema.base.decorators import output
from schema.base.scalars import Day
from schema.types.annex_text import Noted
from schema.types.common import (
    Because,
    Commodity,
    Node,
    Place,
    Quantity,
    Source,
    because,
    commodity,
    place,
    quantity,
    shown,
    source,
)
from tracker.domain.clause import ClauseState
from tracker.domain.export_control import ExportControlState
from tracker.domain.values import PartialDate
from tracker.domain.vocabulary import ClauseStatus, Covers, Direction, Measure


@output
class Clause(Noted):
    """A clause of an instrument on a day: what it says, where it stands and what is known to come."""

    key: str = field(description="Its number or name in the instrument.")
    measure: Measure = field(description="How it works: a licence, a ban, a quota, a tariff.")
    status: ClauseStatus = field(description="Where it stands on the day.")
    commodities: list[Commodity] = field(description="What it is about.")
    destinations: list[Place] = field(description="The places it is limited to; empty: all.")
    covers: Covers = field(description="The goods themselves, or the know-how to make them.")
    in_force_from: PartialDate | None = field(
        description="The day from which it applies; null while no date is given."
    )
    in_force_until: PartialDate | None = field(
        description="Its last day, inclusive; null where it has no announced end."
    )
    suspended_from: PartialDate | None = field(
        description="The first day of the suspension that it is in or that is to come."
    )
    suspended_until: PartialDate | None = field(
        description="The last suspended day, inclusive; null also means until further notice."
    )
    returns_on: Day | None = field(
        description="The first day on which it is back in force without any further act."
    )
    repealed_from: PartialDate | None = field(description="The day from which it is withdrawn.")
    first_in_force: Day | None = field(
        description="The first day on which it was in force; null while it never was."
    )
    end_use: str | None = field(description="The end use that it is limited to.")
    entities: list[str] = field(description="The firms that it is limited to, where named.")
    entity_count: int | None = field(description="The number of firms, where they are not named.")
    extraterritorial: bool = field(description="Whether it reaches goods made abroad.")
    de_minimis_percent: Decimal | None = field(
        description="The share of foreign value from which it reaches goods made abroad."
    )
    exemptions: str | None = field(description="What is exempt.")
    rate_percent: Decimal | None = field(description="The rate of a tariff.")
    quota: Quantity | None = field(description="The amount of a quota.")


@output
class Dispute:
    """Another account of the matter, kept beside and not merged."""

    account: str = field(description="What the other source says.")
    source: Source = field(description="The other source.")
    commodities: list[Commodity] = field(description="The commodities that it is about.")
    judged: str | None = field(name="assessment", description="What this tracker makes of it.")


@output
class ExportControl(Node):
    """An instrument that controls trade or production, with its clauses."""

    key: str = field(description="Its key, such as `cn-mofcom-2024-46`.")
    entity: str = field(description="Its name in the log, `export-control/<key>`.")
    issuer: Place = field(description="Who issued it.")
    direction: Direction = field(description="What it acts on: exports, imports or production.")
    title: str = field(description="What it is called.")
    announced_on: PartialDate = field(description="When it was announced.")
    instrument: str | None = field(description="The act, as the issuer cites it.")
    official: bool = field(
        description="False for a measure that only others report and its issuer denies."
    )
    clauses: list[Clause] = field(description="Its clauses, in its order.")
    disputes: list[Dispute] = field(description="Accounts of it that differ.")
    because: list[Because] = field(description="The events that make it what it is on this day.")


def clause(state: ClauseState) -> Clause:
    """A clause as it is shown: what it says and where it stands side by side."""
    said = state.clause
    return shown(
        Clause,
        said,
        state,
        key=said.id,
        commodities=[commodity(id) for id in said.commodities],
        destinations=[place(code) for code in said.destinations],
        quota=quantity(said.quota) if said.quota else None,
        note_told=said.note,
    )


def export_control(state: ExportControlState) -> ExportControl:
    """An export control as it is shown."""
    return shown(
        ExportControl,
        state,
        key=state.id,
        entity=f"export-control/{state.id}",
        issuer=place(state.issuer),
        later={
            "clauses": lambda: [clause(item) for item in state.clauses],
            "disputes": lambda: [
                shown(
                    Dispute,
                    dispute,
                    source=source(dispute.source),
                    commodities=[commodity(id) for id in dispute.commodities],
                )
                for dispute in state.disputes
            ],
            "because": lambda: because(state.because),
        },
    )
