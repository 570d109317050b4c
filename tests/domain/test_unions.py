"""Unions: member countries on a day, and the reach of statements on a union."""

from datetime import date

from tests.support.cases import each_case
from tracker.domain.catalogue.places import Place
from tracker.domain.catalogue.unions import members_of, unions_of

EU, GB, HR, DE, US = (Place(code) for code in ("EU", "GB", "HR", "DE", "US"))


@each_case(
    ("place", "day", "member"),
    [
        (DE, "1958-01-01", True),
        (DE, "2026-05-01", True),
        (GB, "1972-12-31", False),
        (GB, "2020-01-31", True),
        (GB, "2020-02-01", False),
        (HR, "2013-06-30", False),
        (HR, "2013-07-01", True),
        (US, "2025-01-01", False),
        (EU, "2025-01-01", False),
    ],
)
def test_a_country_is_in_the_union_from_its_accession_to_its_last_day(
    place: Place, day: str, member: bool
) -> None:
    on = date.fromisoformat(day)
    assert unions_of(place, on) == ((EU,) if member else ())
    assert (place in members_of(EU, on)) is member


@each_case(
    ("day", "count"),
    [
        ("1957-12-31", 0),
        ("1958-01-01", 6),
        ("1973-01-01", 9),
        ("1995-01-01", 15),
        ("2004-05-01", 25),
        ("2013-07-01", 28),
        ("2020-02-01", 27),
    ],
)
def test_the_union_has_as_many_members_as_it_had_then(day: str, count: int) -> None:
    assert len(members_of(EU, date.fromisoformat(day))) == count


def test_a_group_that_publishers_count_together_is_not_a_union() -> None:
    together = Place("US_CA")
    assert members_of(together, date(2025, 1, 1)) == frozenset()
