"""Announcements: content, actors, subjects, and whether they are superseded."""

from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from tests.support.cases import each_case
from tests.support.fact_builders import decided_facts, fact, refused, retracted, state
from tracker.domain.actors.announcement import AnnouncementState, Made, Superseded
from tracker.domain.entities.fact import Fact
from tracker.domain.entities.recordable import check_recordable
from tracker.errors import InvalidInput, NotFound

STREAM = "announcement/quad-2025"
refusal = partial(refused, STREAM)


def made(on: str = "2025-07-01", **more: Any) -> Made:
    """Return the Quad's critical minerals initiative."""
    return fact(
        Made, on, **{"kind": "statement", "title": "Quad initiative", "actors": ["quad"], **more}
    )


def superseded(on: str, by: str = "announcement/later") -> Superseded:
    """Return the replacement by a later announcement."""
    return fact(Superseded, on, by=by)


def announcement(day: str, *facts: Fact) -> AnnouncementState | None:
    """Return the announcement on a day, from these facts."""
    found: AnnouncementState | None = state(decided_facts(STREAM, *facts), STREAM, day)
    return found


def test_an_announcement_is_public_from_the_day_it_was_made() -> None:
    assert announcement("2025-06-30", made()) is None
    told = announcement("2025-07-01", made())
    assert told
    assert (told.title, told.kind, told.actors) == ("Quad initiative", "statement", ("quad",))


def test_an_announcement_of_which_only_the_year_is_known_counts_from_its_first_day() -> None:
    told = announcement("2025-01-01", made("2025"))
    assert told
    assert told.date == "2025"


def test_an_announcement_keeps_all_that_it_says() -> None:
    content = made(
        kind="dispute",
        commodities=["gallium"],
        topic="recycling",
        about=["alliance/quad"],
        amounts=[{"label": "investment", "quantity": {"unit": "USD", "value": "8500000000"}}],
        until="2030",
        conflictsWith=["announcement/other"],
        supersedes=["announcement/older"],
        note="as told by one side",
    )
    told = announcement("2025-07-01", content)
    assert told
    assert (told.commodities, told.topic, told.about) == (
        ("gallium",),
        "recycling",
        ("alliance/quad",),
    )
    assert (told.until, told.note) == ("2030", "as told by one side")
    assert (told.conflicts_with, told.supersedes) == (
        ("announcement/other",),
        ("announcement/older",),
    )
    assert told.amounts[0].quantity.value == Decimal("8500000000")
    assert told.source == content.source


def test_an_announcement_names_the_one_that_takes_its_place_from_that_day_on() -> None:
    facts = made(), superseded("2026-01-01"), superseded("2026-06-01", "announcement/last")
    by = [announcement(day, *facts) for day in ("2025-12-31", "2026-01-01", "2026-06-01")]
    assert [a.superseded_by for a in by if a] == [None, "announcement/later", "announcement/last"]


def test_an_announcement_is_made_once_unless_it_is_retracted() -> None:
    error = refusal(made(), made("2025-07-02"))
    assert (error.code, error.path) == ("ALREADY_EXISTS", ("id",))
    told = announcement("2025-07-02", made(), retracted("e1"), made("2025-07-02", title="Right"))
    assert told
    assert (told.title, told.date) == ("Right", "2025-07-02")


def test_an_announcement_that_was_never_made_cannot_be_superseded() -> None:
    assert isinstance(refusal(superseded("2026-01-01")), NotFound)


def test_none_of_an_earlier_day_takes_the_place_of_an_announcement() -> None:
    error = refusal(made("2025-07-01"), superseded("2025-06-30"))
    assert (error.code, error.path) == ("NOT_MADE", ("on",))
    moved = made("2025-07-01"), superseded("2025-08-01"), retracted("e1"), made("2025-09-01")
    told = announcement("2025-09-01", *moved)
    assert told
    assert (told.superseded_by, [b.event_id for b in told.because]) == (None, ["e4"])


@each_case("field", ["about", "conflictsWith", "supersedes"])
def test_an_announcement_names_twenty_entities_in_a_field_at_most(field: str) -> None:
    names = [f"announcement/a{number}" for number in range(21)]
    check_recordable(made(**{field: names[:20]}))
    with pytest.raises(InvalidInput) as caught:
        check_recordable(made(**{field: names}))
    assert (caught.value.code, caught.value.path) == ("TOO_LARGE", (field,))


def test_a_title_of_spaces_is_refused() -> None:
    with pytest.raises(InvalidInput, match="expected a title") as caught:
        made(title="  ")
    assert caught.value.path == ("title",)


@each_case("actor", ["XX", "Quad", "the quad", "US\n", ""])
def test_an_actor_is_a_place_or_an_alliance_in_small_letters(actor: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        made(actors=["US", actor])
    assert caught.value.path == ("actors", 1)
