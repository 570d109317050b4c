"""Checks of shipments under controls that a test words."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from tests.support.fact_builders import announced, decided_facts, state
from tests.support.grounds import ALL_CONFIRMED
from tracker.domain.basics.codec import from_builtins
from tracker.domain.basics.control_vocabulary import VerdictKind
from tracker.domain.controls.clause_query import matching_clauses
from tracker.domain.controls.confirmation import Grounds
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.controls.matching import Licences, licences_in_force
from tracker.domain.entities.fact import Fact
from tracker.domain.shipments.check import ShipmentCheck, check_matches
from tracker.domain.shipments.duties import DutyTotal, duties
from tracker.domain.shipments.shipment import Case, Shipment

DAY = "2025-12-01"
ALL_GOODS: dict[str, Any] = {"commodities": ["all_goods"], "measure": "tariff", "ratePercent": "10"}


def control(
    *clauses: dict[str, Any], key: str = "x", acts: tuple[Fact, ...] = (), **more: Any
) -> ExportControlState:
    """Return a control of China, or of another issuer."""
    found: ExportControlState = state(
        decided_facts(f"export-control/{key}", announced(*clauses, **more), *acts),
        f"export-control/{key}",
        DAY,
    )
    return found


def american(*clauses: dict[str, Any], key: str = "x") -> ExportControlState:
    """Return an import control of the United States."""
    return control(*clauses, key=key, issuer="US", direction="import", title=key.upper())


def check_shipment(
    case: Case, controls: Sequence[ExportControlState], licences: Licences, grounds: Grounds
) -> ShipmentCheck:
    """Return the clauses of controls that apply to a shipment; the product reads matches by SQL."""
    readings = [
        (
            reading,
            [
                (control, matching_clauses(reading.goods_query(control.issuer), control, licences))
                for control in controls
            ],
        )
        for reading in case.readings
    ]
    return check_matches(case, readings, licences, grounds)


def check(*controls: ExportControlState, **shipment: Any) -> ShipmentCheck:
    """Return the check of goods that go from China to the United States."""
    goods = from_builtins(Shipment, {"origin": "CN", "destination": "US", **shipment})
    case = Case(goods, date.fromisoformat(DAY), {})
    return check_shipment(case, controls, licences_in_force(controls), ALL_CONFIRMED)


def matches(of: ShipmentCheck) -> dict[str, str]:
    """Return the match of each clause."""
    return {"/".join(one.applicable.key): one.applicable.match.value for one in of.verdicts}


def questions(of: ShipmentCheck) -> list[str]:
    """Return the ids of the open questions."""
    return [question.id for question, _ in of.open_questions]


def fields(of: ShipmentCheck) -> list[str]:
    """Return the fields that answer the open questions."""
    return [question.field for question, _ in of.open_questions]


def total(of: ShipmentCheck) -> DutyTotal:
    """Return the duties on the import."""
    return duties(of, VerdictKind.IMPORT_DUTY)


def bounds(of: ShipmentCheck) -> tuple[int, int] | None:
    """Return the total of the duties on the import in whole percent."""
    low, high = total(of).low, total(of).high
    return None if low is None or high is None else (int(low), int(high))
