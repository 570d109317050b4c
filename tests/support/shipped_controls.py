"""The controls of the shipped corpus on any day, folded in memory."""

import json
from collections import defaultdict
from datetime import date
from functools import cache
from typing import Any

from projections.fold.timeline import timeline
from tests.support.corpus_lines import shipped_lines
from tests.support.grounds import ALL_CONFIRMED
from tests.support.shipment_checks import check_shipment
from tracker.domain.basics.codec import from_builtins
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.controls.matching import licences_in_force
from tracker.domain.entities.entity import RecordedFact
from tracker.domain.events.registry import FACTS
from tracker.domain.shipments.check import ShipmentCheck
from tracker.domain.shipments.shipment import Case, Shipment


@cache
def versions() -> dict[str, list[tuple[date, date | None, ExportControlState]]]:
    """Return the states of every control of the corpus, with their days."""
    streams = defaultdict[str, list[RecordedFact]](list)
    for position, line in enumerate(shipped_lines(), 1):
        told = json.loads(line)
        if told["type"].startswith("ExportControl."):
            fact = from_builtins(FACTS[told["type"]], told["data"])
            streams[told["entity"]].append(RecordedFact(position, told["id"], told["type"], fact))
    return {
        entity: [(v.start, v.end, v.state) for v in timeline(entity, known)]
        for entity, known in streams.items()
    }


def days() -> list[date]:
    """Return the days on which a state begins."""
    return sorted({start for states in versions().values() for start, _, _ in states})


def controls_on(day: date) -> list[ExportControlState]:
    """Return the controls on a day."""
    return [
        state
        for states in versions().values()
        for start, end, state in states
        if start <= day and (end is None or day < end)
    ]


def check_on(day: date, shipment: Shipment | None = None, **fields: Any) -> ShipmentCheck:
    """Return the check of a shipment, given or by its fields as in JSON, on a day."""
    of = shipment or from_builtins(Shipment, fields)
    controls = controls_on(day)
    return check_shipment(Case(of, day, {}), controls, licences_in_force(controls), ALL_CONFIRMED)
