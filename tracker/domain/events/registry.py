"""The kinds of entity, and every fact by its pinned event type."""

from typing import Any

from tracker.domain.actors.alliance import Alliance, AllianceState
from tracker.domain.actors.announcement import Announcement, AnnouncementState
from tracker.domain.actors.firm import Firm, FirmState
from tracker.domain.controls.export_control import ExportControl, ExportControlState
from tracker.domain.controls.obligation import Obligation, ObligationState
from tracker.domain.controls.text import Text, TextState
from tracker.domain.entities.entity import KINDS, Entity, entity_type
from tracker.domain.entities.fact import Fact
from tracker.domain.entities.history import Retracted
from tracker.domain.entities.redaction import Redacted, Redaction, RedactionState
from tracker.domain.evidence.coverage import Coverage, CoverageState
from tracker.domain.evidence.import_receipt import Import, ImportState, Receipt
from tracker.domain.evidence.watched_source import WatchedSource, WatchedSourceState
from tracker.domain.evidence.watched_source_facts import SourceFact
from tracker.domain.figures.figure import Figure, FigureState
from tracker.domain.figures.preference import Preference, PreferenceState
from tracker.domain.figures.tariff import TariffLine, TariffLineState
from tracker.domain.figures.tariff_edition import TariffEdition, TariffEditionState
from tracker.domain.figures.trade_flow import TradeFlow, TradeFlowState
from tracker.errors import InvalidInput

STATES: dict[str, type[Any]] = {
    Alliance.KIND: AllianceState,
    Announcement.KIND: AnnouncementState,
    ExportControl.KIND: ExportControlState,
    Figure.KIND: FigureState,
    Firm.KIND: FirmState,
    Preference.KIND: PreferenceState,
    Import.KIND: ImportState,
    Redaction.KIND: RedactionState,
    WatchedSource.KIND: WatchedSourceState,
    Coverage.KIND: CoverageState,
    TradeFlow.KIND: TradeFlowState,
    TariffEdition.KIND: TariffEditionState,
    TariffLine.KIND: TariffLineState,
    Obligation.KIND: ObligationState,
    Text.KIND: TextState,
}
State = (
    AllianceState
    | AnnouncementState
    | ExportControlState
    | FigureState
    | FirmState
    | PreferenceState
    | ImportState
    | RedactionState
    | WatchedSourceState
    | CoverageState
    | TradeFlowState
    | TariffEditionState
    | TariffLineState
    | ObligationState
    | TextState
)

FACTS: dict[str, type[Fact]] = {
    type_: fact for kind in STATES for type_, fact in KINDS[kind].FACTS.items()
}
"""The facts by their event types, in the order of the kinds above, independent of import order."""

RETRACTION_TYPES = tuple(type_ for type_, fact in FACTS.items() if fact is Retracted)
"""The types of events that retract others."""


def fact_type(type_: str) -> type[Fact]:
    """Return the fact of an event type. Raises InvalidInput for an unknown type."""
    fact = FACTS.get(type_)
    if fact is None:
        raise InvalidInput(
            f"{type_!r} is not an event type: expected one of {', '.join(FACTS)}",
            code="UNKNOWN_TYPE",
            path=("type",),
        )
    return fact


def check_may_be_stated(fact: type[Fact]) -> None:
    """Reject facts that only the tracker itself records.

    Raises InvalidInput at `type`.
    """
    if fact is Receipt:
        problem = "receipts are recorded by imports only"
    elif fact is Redacted:
        problem = "redactions are commands of their own, since texts go with them"
    elif issubclass(fact, SourceFact):
        problem = "fetches are recorded by the watcher only"
    else:
        return
    raise InvalidInput(f"expected a fact: {problem}", path=("type",))


__all__ = [
    "FACTS",
    "KINDS",
    "RETRACTION_TYPES",
    "STATES",
    "Entity",
    "State",
    "check_may_be_stated",
    "entity_type",
    "fact_type",
]
