"""The assumption behind a status, computed for many clauses at once, is that of each clause alone."""

from __future__ import annotations

from datetime import date

import pytest

from projections.query.lists import Filter
from schema.services import Services
from tests.support.api import Api
from tracker.domain.basics.vocabulary import Direction
from tracker.domain.controls.confirmation import assumption
from tracker.domain.controls.export_control import ExportControlState

DOCUMENT = """query ($day: Day!) { asOf(validAt: $day) { exportControls(direction: EXPORT, first: 200) {
  nodes { key clauses { key assumed } } } } }"""


@pytest.mark.parametrize(
    "day", ["2025-06-01", "2026-06-01", "2026-11-15", "2026-12-05", "2028-01-01"]
)
async def test_the_assumption_of_every_clause_is_that_of_its_field(
    corpus_services: Services, day: str
) -> None:
    as_of = corpus_services.as_of
    moment = await as_of.resolve(date.fromisoformat(day))
    first_days = await as_of.confirmations.first_days(moment)
    controls = await as_of.states(ExportControlState, moment, Filter(category=Direction.EXPORT))
    computed = {
        (control.id, one.clause.id): assumption(control, one, moment.valid_at, first_days)
        for control in controls
        for one in control.clauses
    }
    nodes = (await Api(corpus_services).ask(DOCUMENT, day=day))["asOf"]["exportControls"]["nodes"]
    shown = {(of["key"], one["key"]): one["assumed"] for of in nodes for one in of["clauses"]}
    assert {key: of and of.name for key, of in computed.items()} == shown
