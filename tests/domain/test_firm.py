"""Firms: the names under which acts speak of one and the same."""

from typing import Any

import pytest

from tests.support.fact_builders import decided_facts, fact, retracted, state
from tracker.domain.actors.firm import FirmState, Identified, Renamed, spelling
from tracker.domain.entities.fact import Fact
from tracker.errors import NotFound, TrackerError

STREAM = "firm/mp-materials"


def identified(on: str = "2017-07-10", **more: Any) -> Identified:
    """Return MP Materials, of the United States."""
    return fact(Identified, on, **{"name": "MP Materials", "place": "US", **more})


def firm(day: str, *facts: Fact) -> FirmState | None:
    """Return the firm on a day, from these facts."""
    found: FirmState | None = state(decided_facts(STREAM, *facts), STREAM, day)
    return found


def refusal(*facts: Fact) -> TrackerError:
    """Return the error of the last of these facts."""
    with pytest.raises(TrackerError) as caught:
        decided_facts(STREAM, *facts)
    return caught.value


def test_a_firm_has_names_and_a_seat_from_its_day_on() -> None:
    assert firm("2017-07-09", identified()) is None
    found = firm("2017-07-10", identified(also=["MP Materials Corp."]))
    assert found
    assert (found.name, found.also, found.place) == ("MP Materials", ("MP Materials Corp.",), "US")


def test_a_firm_is_found_under_all_names_that_it_ever_had() -> None:
    renamed = fact(Renamed, "2024-01-01", name="MP Minerals", also=["MPM"])
    found = firm("2024-01-01", identified(also=["Molycorp"]), renamed)
    assert found
    assert (found.name, found.former_names) == ("MP Minerals", ("MP Materials",))
    assert found.spellings == {"mp materials", "mp minerals", "molycorp", "mpm"}
    before = firm("2023-12-31", identified(), renamed)
    assert before
    assert (before.name, before.spellings) == ("MP Materials", {"mp materials"})


def test_capitals_and_spaces_do_not_count_in_a_name_and_all_else_does() -> None:
    assert spelling("MP  Materials\u00a0Corp.") == "mp materials corp."
    assert spelling("MP Materials") != spelling("MP Materials Corp.")


def test_a_firm_is_identified_once_and_before_it_is_renamed() -> None:
    assert refusal(identified(), identified()).code == "ALREADY_EXISTS"
    early = fact(Renamed, "2017-07-09", name="MP")
    error = refusal(identified(), early)
    assert (error.code, error.path) == ("NOT_IDENTIFIED", ("on",))
    assert isinstance(refusal(early), NotFound)


def test_a_firm_can_be_identified_anew_once_its_identity_was_wrong() -> None:
    found = firm("2018-01-01", identified(), retracted("e1"), identified(place="CA"))
    assert found
    assert found.place == "CA"
