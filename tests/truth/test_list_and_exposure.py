"""Equal clauses in lists and exposure, for every commodity and day of the shipped corpus."""

from __future__ import annotations

from datetime import date

from projections.analysis.export_clauses import ExportClauses, ExposureQuery
from projections.analysis.exposure import exposures
from tests.support.grounds import ALL_CONFIRMED
from tests.support.shipped_controls import controls_on, days
from tracker.domain.basics.control_vocabulary import ClauseStatus, Direction
from tracker.domain.catalogue.commodities import Commodity, commodities
from tracker.domain.catalogue.places import Place
from tracker.domain.controls.clause_query import ClauseQuery, matching_clauses
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.controls.matching import licences_in_force

ROUNDS = 40
"""Number of consecutive days in which every commodity is queried once; changed ones are queried on
their own day."""
DESTINATIONS = (None, Place("US"), Place("DE"))
APPLYING = (ClauseStatus.IN_FORCE, ClauseStatus.SUSPENDED)

Named = set[tuple[str, str]]
"""Controls and their clauses."""


def test_a_list_and_exposure_name_the_same_clauses_on_every_day_on_which_anything_changes() -> None:
    before: Named = set()
    for number, day in enumerate(days()):
        controls = controls_on(day)
        applying = {
            (control.id, state.clause.id)
            for control in controls
            for state in control.clauses
            if state.status in APPLYING
        }
        changed = applying ^ before
        before = applying
        goods, destination = named(controls, changed), DESTINATIONS[number % len(DESTINATIONS)]
        for place, commodity in enumerate(commodities()):
            if place % ROUNDS == number % ROUNDS or commodity in goods:
                listed = in_list(controls, day, commodity, destination)
                exposed = in_exposure(controls, day, commodity, destination)
                assert listed == exposed, (day, commodity, destination)


def named(controls: list[ExportControlState], clauses: Named) -> set[Commodity]:
    """Return the commodities that some clauses name."""
    return {
        commodity
        for control in controls
        for state in control.clauses
        if (control.id, state.clause.id) in clauses
        for commodity in state.clause.commodities
    }


def in_list(
    controls: list[ExportControlState], day: date, commodity: Commodity, to: Place | None
) -> Named:
    """Return the export clauses in force or suspended, according to lists."""
    licences = licences_in_force(controls)
    return {
        (control.id, state.clause.id)
        for control in controls
        if control.direction is Direction.EXPORT
        for status in APPLYING
        for state in matching_clauses(
            ClauseQuery(day, commodity=commodity, status=status, destination=to), control, licences
        )
    }


def in_exposure(
    controls: list[ExportControlState], day: date, commodity: Commodity, to: Place | None
) -> Named:
    """Return the export clauses in force or suspended, according to exposure."""
    [found] = exposures(
        ExposureQuery(day, commodity=commodity, destination=to),
        ExportClauses(controls, ALL_CONFIRMED),
        {},
    )
    return {
        (of.control.id, of.clause.clause.id)
        for place in found.places
        for of in (*place.in_force, *place.suspended)
    }
