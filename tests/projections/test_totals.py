"""World totals: published, and compared with the sum of the places."""

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from projections.analysis.distribution import distribution
from projections.analysis.totals import TotalMethod, WorldTotal, world_total
from schema.services import Services
from tests.projections.test_distribution import editions, figure, withheld
from tests.support.api import Api
from tracker.domain.figures.figure import FigureState


def total(*figures: FigureState) -> WorldTotal:
    """Return the total of some figures, which must have one."""
    found = world_total(distribution(figures, ()))
    assert found is not None
    return found


def test_a_published_total_stands_beside_the_sum_of_its_own_edition() -> None:
    found = total(
        editions("WORLD", ("MCS 2024", 90), ("MCS 2025", 100)),
        editions("CN", ("MCS 2024", 50), ("MCS 2025", 60)),
        editions("MM", ("MCS 2024", 30)),
        figure("OTHER", 33, edition="MCS 2025"),
        figure("EU", 50, edition="MCS 2025"),
        figure("AU", 9, edition="MCS 2025", basis="gross weight"),
    )
    assert (found.method, found.value, found.sum_of_places) == (TotalMethod.PUBLISHED, 100, 93)
    assert (found.difference, found.relative_difference) == (7, Decimal("0.0700"))
    assert found.not_summed == ("AU",)
    assert not found.mixed_editions
    assert [str(f.series.place) for f, _ in found.computed_from] == ["WORLD", "CN", "OTHER"]


def test_without_a_published_total_the_places_are_summed_that_can_be() -> None:
    found = total(
        figure("CN", 60),
        figure("US", 1, unit="kt"),
        figure("AU", 9, basis="gross weight"),
        withheld("MM"),
    )
    assert (found.method, found.value, found.unit, found.basis) == (
        TotalMethod.SUM_OF_PLACES,
        1060,
        "t",
        "REO",
    )
    assert (found.difference, found.published) == (None, None)
    assert {*found.not_summed} == {"AU", "MM"}


def test_a_total_that_is_withheld_or_a_bound_is_not_compared() -> None:
    for world in (withheld("WORLD"), figure("WORLD", 60, qualifier="more_than")):
        found = total(world, figure("CN", 60))
        assert (found.method, found.value) == (TotalMethod.SUM_OF_PLACES, 60)
        assert found.published is not None


def test_there_is_no_total_of_nothing() -> None:
    assert world_total(distribution((), ())) is None
    assert world_total(distribution([withheld("WORLD"), withheld("CN")], ())) is None
    found = total(figure("WORLD", 60), withheld("CN"))
    assert (found.sum_of_places, found.difference, found.not_summed) == (None, None, ("CN",))


@given(st.integers(0, 900), st.lists(st.integers(0, 500), max_size=3))
def test_the_difference_is_what_the_places_leave(world: int, values: list[int]) -> None:
    places = [
        figure(place, value) for place, value in zip(("CN", "US", "AU"), values, strict=False)
    ]
    found = total(figure("WORLD", world), *places)
    if values:
        assert found.sum_of_places == sum(values)
        assert found.difference == world - sum(values)
        is_extreme = abs(world - sum(values)) >= 1000 * world  # also of a world of 0
        assert (found.relative_difference is None) == is_extreme


async def test_the_corpus_tells_a_total_from_the_sum_of_its_places(read_services: Services) -> None:
    """390,000 t beside twelve countries with 392,850 t and 1,100 t of others."""
    data: Any = await Api(read_services).ask(
        """{ asOf(validAt: "2025-08-01") { production(commodity: "rare_earths", year: 2024) {
             total { method value unit basis sumOfPlaces difference relativeDifference mixedEditions
               notSummed { code } published { edition } computedFrom { edition } } } } }"""
    )
    found = data["asOf"]["production"]["total"]
    assert len(found.pop("computedFrom")) == 14
    assert found == {
        "method": "PUBLISHED",
        "value": "390000",
        "unit": "t",
        "basis": "REO",
        "sumOfPlaces": "393950",
        "difference": "-3950",
        "relativeDifference": "-0.0101",
        "mixedEditions": False,
        "notSummed": [],
        "published": {"edition": "MCS 2025"},
    }
