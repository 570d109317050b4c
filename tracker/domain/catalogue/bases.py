"""Equivalent bases of weight: different words of publishers for one basis, declared in `bases.toml`.

Figures are compared only on the same basis (design rule 7). «Metal content» and «contained cobalt» are one
basis of cobalt under two names. Only a declared equivalence, with its reason, makes two bases equal.
"""

from functools import cache

from tracker.domain.basics.toml_files import read_toml
from tracker.domain.catalogue.commodities import Commodity


@cache
def equivalence(one: str | None, other: str | None, commodity: Commodity) -> str | None:
    """Return the declared reason why two bases of a commodity are equivalent; None if they are not."""
    if one is None or other is None:
        return None
    names = {_plain(one), _plain(other)}
    return next(
        (why for bases, why in _equivalent_bases(commodity.name.lower()) if names <= bases), None
    )


def _plain(basis: str) -> str:
    return " ".join(basis.casefold().split())


@cache
def _equivalent_bases(commodity: str) -> tuple[tuple[frozenset[str], str], ...]:
    """Return the groups of equivalent bases of a commodity, each with its reason."""
    declared = read_toml(__file__)
    return tuple(
        (frozenset(b.replace("{commodity}", commodity) for b in one["bases"]), one["reason"])
        for one in declared["equivalent"]
    )
