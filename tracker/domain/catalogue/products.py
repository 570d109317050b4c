"""Products of lists of origins: the forms of goods in each, declared in `products.toml`.

A publisher's list has a product such as `unwrought metal and powder`. Acts have forms such as metal. The
declared forms connect them; no word of a product is interpreted at run time.
"""

from functools import cache

from msgspec import Struct

from tracker.domain.basics.control_vocabulary import Form
from tracker.domain.basics.toml_files import read_toml
from tracker.domain.catalogue.commodities import Commodity


class Product(Struct, frozen=True):
    """A product of one commodity in lists of origins."""

    commodity: Commodity
    """The commodity of the list."""
    slug: str
    """The product, as the form of the series."""
    forms: tuple[Form, ...]
    """The forms of its goods."""
    goods: Commodity
    """The narrowest commodity that all its goods belong to."""
    total: bool
    """Whether it contains other listed products of its commodity."""


def find_product(commodity: Commodity, slug: str | None) -> Product | None:
    """Return the declared product; None if none is declared."""
    return _products().get((commodity, slug or ""))


def products() -> tuple[Product, ...]:
    """Return all declared products, in the order of the file."""
    return tuple(_products().values())


@cache
def _products() -> dict[tuple[str, str], Product]:
    declared = read_toml(__file__)
    return {
        (commodity, slug): Product(
            commodity=Commodity(commodity),
            slug=slug,
            forms=tuple(map(Form, entry["forms"])),
            goods=Commodity(entry.get("goods", commodity)),
            total=entry.get("total", False),
        )
        for commodity, entries in declared.items()
        for slug, entry in entries.items()
    }
