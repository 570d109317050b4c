"""No status is confirmed that began after the newest act of its issuer: of histories made at random."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest

from projections.query.moment import Moment
from schema.services import Services
from tests.projections.test_projections import moments, project_random_history
from tracker.domain.basics.values import DAY
from tracker.domain.basics.vocabulary import Confirmation
from tracker.domain.controls.clause import ClauseState
from tracker.domain.controls.duty_relations import Related
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.controls.export_control_acts import Announced, Disputed, SuspensionStated
from tracker.domain.entities.entity import RecordedFact, effective_facts


async def acts_by_issuer(services: Services, position: int) -> dict[str, list[date]]:
    """Return the days of all acts by issuer, read from the log alone."""
    known: dict[str, list[RecordedFact]] = {}
    async for event in services.recorder.read_all(position):
        if event.stream.startswith(("export-control/", "announcement/")):
            known.setdefault(event.stream, []).append(event.known)
    found: dict[str, list[date]] = {}
    for facts in known.values():
        acts = [one.fact for one in effective_facts(facts)]
        issuers = {fact.issuer for fact in acts if isinstance(fact, Announced)}
        issuers |= {actor for fact in acts for actor in getattr(fact, "actors", ())}
        days = [
            f.public_on for f in acts if not isinstance(f, Disputed | Related | SuspensionStated)
        ]
        for issuer in issuers:
            found.setdefault(issuer, []).extend(days)
    return found


async def since(services: Services, control: str, clause: ClauseState, moment: Moment) -> date:
    """Return the first day of the current status of a clause, across rows."""
    first = day = moment.valid_at
    while True:
        at = Moment(day, moment.position)
        state = await services.as_of.state(ExportControlState, control, at)
        same = [one for one in state.clauses if one.clause.id == clause.clause.id] if state else []
        if not same or same[0].status is not clause.status:
            return first
        first = await services.as_of._pool.fetchval(
            "SELECT max(first_day) FROM versions WHERE entity = $1 AND first_day <= $2"
            " AND since <= $3 AND until > $3",
            *(f"export-control/{control}", day, moment.position),
        )
        if first == date.min:
            return first
        day = first - DAY


@pytest.mark.parametrize("seed", [0, 1, 3])
async def test_a_status_is_confirmed_only_by_an_act_from_its_first_day_on(
    services: Services, seed: int
) -> None:
    world = await project_random_history(services, seed)
    seen = Counter[Confirmation]()
    for moment in moments(seed, world.position, 40):
        days = await acts_by_issuer(services, moment.position)
        for control in await services.as_of.states(ExportControlState, moment):
            for clause in control.clauses:
                found = await services.as_of.confirmations.of(control, clause, moment)
                seen[found] += 1
                if clause.contradiction(moment.valid_at):
                    assert found is Confirmation.CONTRADICTED
                    continue
                began = await since(services, control.id, clause, moment)
                is_confirmed = max(days[control.issuer]) >= began
                assert (found is Confirmation.CONFIRMED) == is_confirmed, (control.id, moment)
    assert seen[Confirmation.CONFIRMED] > 20
    assert seen[Confirmation.BY_TERMS] > 0
