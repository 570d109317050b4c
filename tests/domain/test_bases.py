"""Bases of weights: which are declared to be the same, and for which commodity."""

from tests.support.cases import each_case
from tracker.domain.catalogue.bases import equivalence
from tracker.domain.catalogue.commodities import Commodity


@each_case(
    ("commodity", "one", "other", "same"),
    [
        ("cobalt", "metal content", "contained cobalt", True),
        ("cobalt", "Contained  Cobalt", "contained metal", True),
        ("gallium", "gallium", "metal content", True),
        ("cobalt", "contained nickel", "contained cobalt", False),
        ("nickel", "metal content", "contained cobalt", False),
        ("rare_earths", "REO", "rare earth oxides", True),
        ("potash", "K2O content", "K2O equivalent", True),
        ("cobalt", "gross weight", "contained cobalt", False),
        ("cobalt", None, "contained cobalt", False),
        ("cobalt", "metal content", None, False),
    ],
)
def test_bases_are_the_same_where_that_is_declared_of_the_commodity(
    commodity: str, one: str | None, other: str | None, same: bool
) -> None:
    assert bool(equivalence(one, other, Commodity(commodity))) is same
    assert bool(equivalence(other, one, Commodity(commodity))) is same
