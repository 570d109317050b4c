"""What is weighed: which words of publishers mean the same, declared in `bases.toml` beside this file.

Like is compared with like (design rule 7). «Metal content» and «contained cobalt» are the same basis
of cobalt under two names; a declared equivalence says so, with its reason, and nothing else does.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

from tracker.domain.commodities import Commodity


@cache
def equivalence(one: str | None, other: str | None, commodity: Commodity) -> str | None:
    """The declared reason why two different bases of a commodity are the same; None if none is."""
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
    """The groups of equal bases of a commodity, each with its reason."""
    declared = tomllib.loads(files(__package__).joinpath("bases.toml").read_text("utf-8"))
    return tuple(
        (frozenset(b.replace("{commodity}", commodity) for b in one["bases"]), one["reason"])
        for one in declared["equivalent"]
    )
