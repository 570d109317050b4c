"""The concordance of codes of the Harmonized System of 2017 with commodities, in `hs_concordance.toml`.

Commodities have codes of HS 2022, and trade flows have codes of HS 2017. Most codes are the same in both
editions, others were split. One code may also have the goods of several commodities.
"""

from collections.abc import Iterable
from functools import cache

from tracker.domain.basics.toml_files import read_toml
from tracker.domain.basics.values import Value
from tracker.domain.catalogue.commodities import Commodity, ancestors, descendants


class Concordance(Value, frozen=True, kw_only=True):
    """The declared goods of a code of HS 2017."""

    code: str
    """The code in HS 2017, of 6 digits."""
    commodities: tuple[Commodity, ...]
    """The commodities whose goods the code has."""
    hs22_codes: tuple[str, ...]
    """The codes of HS 2022 with the same goods."""
    exact: bool
    """Whether the code has the goods of its one code in HS 2022, and no others."""
    reason: str
    """The comparison of the two editions, in words."""

    @property
    def is_bundle(self) -> bool:
        """Whether the code has the goods of several commodities, which its flows do not separate."""
        return len(self.commodities) > 1

    def has_only(self, commodity: Commodity) -> bool:
        """Return whether all goods of the code belong to a commodity."""
        return descendants(commodity).issuperset(self.commodities)


def concordance(code: str) -> Concordance | None:
    """Return the goods of a code of HS 2017; None if the code was not compared."""
    return _declared().get(code)


@cache
def codes_of(commodity: Commodity) -> tuple[Concordance, ...]:
    """Return the codes of HS 2017 that may have goods of a commodity, in order.

    `has_only` tells codes without other goods from those that the commodity shares. The goods of a
    commodity may have further codes, which were not compared. A commodity with codes of its own is not
    reached by those of a wider one.
    """
    below, above = descendants(commodity), frozenset(ancestors(commodity))
    own = commodity.hs_codes
    return tuple(
        one
        for one in _declared().values()
        if not below.isdisjoint(one.commodities)
        or (not above.isdisjoint(one.commodities) and (not own or _share(own, one.hs22_codes)))
    )


def goods_by_code(commodity: Commodity | None) -> list[tuple[Concordance, Commodity]]:
    """Return the codes of a commodity with it, in order; without one, every code with each of its
    commodities."""
    if commodity is not None:
        return [(code, commodity) for code in codes_of(commodity)]
    return [(code, goods) for code in _declared().values() for goods in code.commodities]


def _share(codes: Iterable[str], others: Iterable[str]) -> bool:
    return any(one.startswith(other) or other.startswith(one) for one in codes for other in others)


def codes_at(code: str) -> tuple[str, ...]:
    """Return the codes of HS 2017 with the goods of a code of either edition, the code itself first.

    A heading of 4 digits stands for itself.
    """
    split = [
        one.code
        for one in _declared().values()
        if code not in (one.code, one.code[:4]) and code in one.hs22_codes
    ]
    return (code, *split)


@cache
def _declared() -> dict[str, Concordance]:
    declared = read_toml(__file__)
    return {
        code: Concordance(
            code=code,
            commodities=tuple(map(Commodity, item["holds"])),
            hs22_codes=tuple(item["hs22"]),
            exact=item["exact"],
            reason=item["reason"],
        )
        for code, item in declared.items()
    }
