"""Retractions: a correction changes knowledge from its position on, and nothing before it."""

from typing import Any

import pytest

from projections.analysis.claims import choose
from projections.fold.timeline import timeline
from tests.support.cases import each_case
from tests.support.fact_builders import (
    announced,
    claimed,
    clause,
    corrected,
    decided_facts,
    fact,
    retracted,
    source,
    state,
    suspended,
)
from tracker.domain.actors.alliance import Founded, Renamed
from tracker.domain.basics.codec import from_builtins
from tracker.domain.entities.entity import RecordedFact, Retracted, effective_facts
from tracker.domain.entities.fact import Fact
from tracker.errors import InvalidInput, NotFound

STREAM = "export-control/gallium"


def status(known: list[RecordedFact], day: str = "2026-01-01") -> str | None:
    """Return the status of the only clause on a day."""
    found = state(known, STREAM, day)
    return found and str(found.clauses[0].status)


def test_nothing_follows_any_more_from_a_retracted_fact() -> None:
    assert status(decided_facts(STREAM, announced(), suspended())) == "suspended"
    assert status(decided_facts(STREAM, announced(), suspended(), retracted("e2"))) == "in_force"


def test_a_retracted_retraction_brings_its_target_back_as_it_was() -> None:
    known = decided_facts(STREAM, announced(), suspended(), retracted("e2"), retracted("e3"))
    assert timeline(STREAM, known) == timeline(STREAM, known[:2])


@each_case(
    ("retractions", "stands"),
    [
        (["e2"], False),
        (["e2", "e3"], True),
        (["e2", "e3", "e2"], False),
        (["e2", "e3", "e4"], False),
        (["e2", "e3", "e4", "e5"], True),
    ],
)
def test_a_retraction_counts_unless_a_later_one_that_counts_retracts_it(
    retractions: list[str], stands: bool
) -> None:
    known = decided_facts(STREAM, announced(), suspended(), *map(retracted, retractions))
    assert status(known) == ("suspended" if stands else "in_force")


def test_an_entity_whose_opening_is_retracted_has_no_state() -> None:
    known = decided_facts(STREAM, announced(), suspended(), retracted("e1"))
    assert timeline(STREAM, known) == []


def test_facts_after_a_retracted_opening_count_again_after_another_one() -> None:
    known = decided_facts(
        STREAM, announced(), suspended(), retracted("e1"), announced(title="Corrected")
    )
    assert status(known) == "suspended"
    assert state(known, STREAM, "2026-01-01").title == "Corrected"


def test_after_a_retracted_opening_only_another_one_can_follow() -> None:
    with pytest.raises(NotFound, match=r"expected ExportControl\.Announced first"):
        decided_facts(STREAM, announced(), retracted("e1"), suspended())
    known = decided_facts(STREAM, announced(), retracted("e1"), announced(clause(inForceFrom=None)))
    assert status(known) == "announced"


def test_a_retracted_fact_cannot_be_retracted_again() -> None:
    with pytest.raises(InvalidInput, match="already retracted") as caught:
        decided_facts(STREAM, announced(), suspended(), retracted("e2"), retracted("e2"))
    assert (caught.value.code, caught.value.path) == ("ALREADY_RETRACTED", ("eventId",))


@each_case("event_id", ["e9", "e3", ""])
def test_only_an_event_of_the_entity_can_be_retracted(event_id: str) -> None:
    with pytest.raises((NotFound, InvalidInput)) as caught:
        decided_facts(STREAM, announced(), suspended(), retracted(event_id))
    assert caught.value.path[-1] in ("eventId", "retracts")


def test_a_retraction_gives_its_reason() -> None:
    with pytest.raises(InvalidInput, match="expected a reason"):
        from_builtins(Retracted, {"retracts": "e1", "reason": " ", "source": source()})


def test_the_states_at_earlier_positions_stay_as_they_were() -> None:
    known = decided_facts(STREAM, announced(), suspended(), retracted("e2"))
    assert [status(known[:position]) for position in range(4)] == [
        None,
        "in_force",
        "suspended",
        "in_force",
    ]


def test_a_retraction_is_not_a_reason_of_a_state() -> None:
    found = state(
        decided_facts(STREAM, announced(), suspended(), retracted("e2")), STREAM, "2026-01-01"
    )
    assert [because.event_id for because in found.because] == ["e1"]


def test_a_rule_counts_only_what_stands() -> None:
    stream = "figure/rare_earths/CN/production/mine/2023"
    known = decided_facts(stream, claimed(240_000), retracted("e1"), claimed(210_000))
    assert choose(state(known, stream, "2024-01-31"), ()).claim.quantity.value == 210_000
    with pytest.raises(InvalidInput, match="has a claim"):
        decided_facts(stream, claimed(240_000), retracted("e1"), retracted("e2"), claimed(210_000))


def test_an_opening_is_not_brought_back_beside_the_one_that_took_its_place() -> None:
    facts = announced(), retracted("e1"), announced(title="Corrected")
    with pytest.raises(InvalidInput, match="announced already") as caught:
        decided_facts(STREAM, *facts, retracted("e2"))
    assert (caught.value.code, caught.value.path) == ("ALREADY_EXISTS", ("eventId",))
    known = decided_facts(STREAM, *facts, retracted("e3"), retracted("e2"))
    assert state(known, STREAM, "2026-01-01").title == announced().title


def test_a_claim_is_not_brought_back_beside_another_of_its_edition() -> None:
    stream = "figure/rare_earths/CN/production/mine/2023"
    with pytest.raises(InvalidInput) as caught:
        decided_facts(stream, claimed(240_000), retracted("e1"), claimed(210_000), retracted("e2"))
    assert (caught.value.code, caught.value.path) == ("DUPLICATE_CLAIM", ("eventId",))


def test_an_act_is_not_brought_back_while_there_is_nothing_that_it_could_be_about() -> None:
    facts = announced(), suspended(), retracted("e2"), retracted("e1")
    with pytest.raises(NotFound) as caught:
        decided_facts(STREAM, *facts, retracted("e3"))
    assert caught.value.path == ("eventId",)
    assert status(decided_facts(STREAM, *facts, retracted("e4"), retracted("e3"))) == "suspended"


# --- corrections


def renamed(name: str, **more: Any) -> Renamed:
    """Return a rename, all on one day."""
    return fact(Renamed, "2025-01-01", name=name, **more)


QUAD = "alliance/quad"
NAMED = fact(Founded, "2024-01-01", name="A"), renamed("B"), renamed("C")


def name(*facts: Fact) -> Any:
    """Return the final name of an alliance."""
    return state(decided_facts(QUAD, *NAMED, *facts), QUAD, "2026-01-01").name


def test_of_acts_of_one_day_the_one_told_last_counts_last() -> None:
    assert name() == "C"
    assert name(retracted("e2"), renamed("B")) == "B"


def test_a_replacement_stands_in_the_place_of_what_it_corrects() -> None:
    again = corrected("e2", "e5"), renamed("B", note="seen"), corrected("e5", "e7"), renamed("D")
    for count in (2, 4):
        assert name(*again[:count]) == "C"
    assert name(*again, retracted("e3")) == "D"


def test_a_replacement_that_was_never_recorded_has_no_place_to_stand() -> None:
    assert name(corrected("e3", "elsewhere")) == "B"
    assert name(corrected("e2", "e3")) == "C"


def test_facts_of_earlier_days_lack_what_a_correction_that_was_taken_back_corrected() -> None:
    known = decided_facts(
        "export-control/gallium",
        announced(),
        suspended(),
        corrected("e2", "e4"),
        suspended(end="2026-12-31"),
        retracted("e4"),
        retracted("e3"),
    )
    assert [item.event_id for item in effective_facts(known)] == ["e1", "e2"]
    earlier = [item for item in known if item.event_id != "e2"]
    assert [item.event_id for item in effective_facts(earlier)] == ["e1"]
