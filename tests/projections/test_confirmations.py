"""The records behind statuses, read by SQL as of a position, are those of the log: of random histories."""

from collections import Counter
from datetime import date

import pytest

from schema.services import Services
from tests.projections.test_projections import moments, project_random_history
from tracker.domain.basics.control_vocabulary import Confirmation
from tracker.domain.controls.confirmation import Grounds, confirmation, control_record
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.entities.entity import RecordedFact, effective_facts


async def grounds_of_log(services: Services, position: int) -> Grounds:
    """Return the records behind statuses, from all events up to a position."""
    known: dict[str, list[RecordedFact]] = {}
    async for event in services.recorder.read_all(position):
        known.setdefault(event.stream, []).append(event.known)
    records = {
        stream.partition("/")[2]: control_record(effective_facts(of), stream)
        for stream, of in known.items()
        if stream.startswith("export-control/")
    }
    announcements = [
        (stream, one)
        for stream, of in known.items()
        if stream.startswith("announcement/")
        for one in effective_facts(of)
    ]
    return Grounds({id: of for id, of in records.items() if of}, announcements)


@pytest.mark.parametrize("seed", [0, 1, 3])
async def test_the_records_behind_statuses_are_those_of_the_log(
    services: Services, seed: int
) -> None:
    world = await project_random_history(services, seed)
    seen = Counter[Confirmation]()
    for moment in moments(seed, world.position, 40):
        expected = await grounds_of_log(services, moment.position)
        grounds, day = await services.as_of.confirmations.grounds(moment), moment.valid_at
        for control in await services.as_of.states(ExportControlState, moment):
            for clause in control.clauses:
                period = grounds.period(control.id, clause.clause.id, day)
                assert period is not None
                assert period.status is clause.status
                assert grounds.confirmed_by(control, clause, day) == expected.confirmed_by(
                    control, clause, day
                )
                seen[confirmation(control, clause, day, grounds)] += 1
    assert seen[Confirmation.CONFIRMED] > 20
    assert seen[Confirmation.BY_TERMS] > 0


def test_a_date_before_the_announcement_has_no_period() -> None:
    assert Grounds({}).period("x", "1", date(2026, 1, 1)) is None
