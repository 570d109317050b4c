"""Clause matches of controls are computed once per query and set of licences."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest

from projections.query import clause_matches
from projections.query.clause_matches import ClauseMatches
from tests.support.fact_builders import announced, clause, decided_facts, state
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.catalogue.places import Place
from tracker.domain.controls.clause import ClauseState
from tracker.domain.controls.clause_query import ClauseQuery
from tracker.domain.controls.export_control import ExportControlState

DAY = "2025-12-01"
ON = date.fromisoformat(DAY)
OF_GALLIUM = ClauseQuery(ON, commodity=Commodity("gallium"))
LICENCE = clause("licence", commodities=["gallium"], measure="dual_use_licence")


def control(key: str, *clauses: dict[str, Any]) -> ExportControlState:
    """Return a control of China on the day."""
    name = f"export-control/{key}"
    found: ExportControlState = state(decided_facts(name, announced(*clauses)), name, DAY)
    return found


@pytest.fixture
def matched(monkeypatch: pytest.MonkeyPatch) -> list[ExportControlState]:
    """Record the controls that are matched meanwhile."""
    found: list[ExportControlState] = []

    def matching_clauses(query: Any, of: ExportControlState, licences: Any) -> Any:
        found.append(of)
        return plain(query, of, licences)

    plain = clause_matches.matching_clauses
    monkeypatch.setattr(clause_matches, "matching_clauses", matching_clauses)
    return found


def keys(clauses: Sequence[ClauseState]) -> list[str]:
    """Return the keys of clauses."""
    return [one.clause.id for one in clauses]


def test_a_state_is_looked_through_once_for_a_question_whatever_the_day(
    matched: list[ExportControlState],
) -> None:
    known, of = ClauseMatches(), control("x", clause("1"), clause("2", commodities=["tin"]))
    for day in (ON, date(2026, 1, 1)):
        query = ClauseQuery(day, commodity=Commodity("gallium"))
        assert keys(known.matcher(query, {})(of)) == ["1"]
    assert matched == [of]
    assert keys(known.matcher(ClauseQuery(ON, commodity=Commodity("tin")), {})(of)) == ["2"]
    assert len(matched) == 2


def test_other_licences_are_another_question() -> None:
    known = ClauseMatches()
    of, licence = control("x", clause("1", commodities=["dual_use_items"])), control("y", LICENCE)
    without, licensed = known.licences([]), known.licences([licence])
    assert known.licences([licence]) is licensed
    for _ in range(2):
        assert keys(known.matcher(OF_GALLIUM, without)(of)) == []
        assert keys(known.matcher(OF_GALLIUM, licensed)(of)) == ["1"]


def test_where_unions_decide_each_day_is_looked_at(matched: list[ExportControlState]) -> None:
    known, of = ClauseMatches(), control("x", clause("1", destinations=["EU"]))
    for day, found in ((date(2020, 1, 1), ["1"]), (date(2021, 1, 1), [])):
        assert keys(known.matcher(ClauseQuery(day, destination=Place("GB")), {})(of)) == found
    assert len(matched) == 2


def test_the_cache_is_limited(
    matched: list[ExportControlState], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clause_matches, "MAX_QUERIES", 2)
    monkeypatch.setattr(clause_matches, "MAX_LICENCES", 2)
    known, of = ClauseMatches(), control("x", clause("1"))
    for code in ("280530", "280540", "280550", "280530"):
        known.matcher(ClauseQuery(ON, hs_code=code), {})(of)
    assert len(matched) == 4
    licences = [known.licences([control(str(number), LICENCE)]) for number in range(5)]
    assert all(of == licences[0] for of in licences)
