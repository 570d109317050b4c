"""Commodities: a declared tree with HS codes, kept in `commodities.toml` beside this file.

A question about a commodity includes all that stands below it: `rare_earths` includes
`dysprosium`. There are several roots; the rules of the tree stand at the top of its file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files

from tracker.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Entry:
    """What the file declares of one commodity. `also` holds publishers' names, in lower case."""

    name: str
    parent: str | None = None
    hs: tuple[str, ...] = ()
    also: tuple[str, ...] = ()


class Commodity(str):
    """The id of a declared commodity: `rare_earths`, `gallium`."""

    __slots__ = ()

    def __new__(cls, text: str) -> Commodity:
        if text not in _entries():
            raise InvalidInput(
                f"{text!r} is not a commodity: expected a key such as 'rare_earths'"
                f" or 'gallium'{_hint(text)}",
                code="UNKNOWN_COMMODITY",
            )
        return super().__new__(cls, text)

    @property
    def name(self) -> str:
        """The English name."""
        return _entries()[self].name

    @property
    def also(self) -> tuple[str, ...]:
        """What publishers call it beside its name, in lower case."""
        return _entries()[self].also

    @property
    def parent(self) -> Commodity | None:
        """The commodity that this one belongs to; None for a root."""
        parent = _entries()[self].parent
        return Commodity(parent) if parent else None

    @property
    def hs_codes(self) -> tuple[str, ...]:
        """Its codes in the Harmonized System (2022), of 4 or 6 digits."""
        return _entries()[self].hs


def commodities() -> tuple[Commodity, ...]:
    """All declared commodities, in the order of the file."""
    return tuple(Commodity(id) for id in _entries())


def ancestors(commodity: Commodity) -> tuple[Commodity, ...]:
    """All above `commodity`, the nearest first."""
    return tuple(_above(commodity))


@cache
def descendants(commodity: Commodity) -> frozenset[Commodity]:
    """`commodity` itself and all below it: what a question about it includes."""
    return frozenset(c for c in commodities() if c == commodity or commodity in ancestors(c))


def related(commodity: Commodity) -> frozenset[Commodity]:
    """`commodity` itself, all below it and all above: what may be about goods of it."""
    return descendants(commodity).union(ancestors(commodity))


def commodity_named(text: str) -> Commodity | None:
    """The commodity that a publisher calls `text`, or None where the name is not known."""
    id = _ids_by_name().get(_folded(text))
    return Commodity(id) if id else None


def _above(commodity: Commodity) -> Iterator[Commodity]:
    parent = commodity.parent
    while parent is not None:
        yield parent
        parent = parent.parent


def _folded(text: str) -> str:
    return " ".join(text.replace("\u2019", "'").casefold().split())


def _hint(text: str) -> str:
    """A suggestion for an unknown id: the commodity of that name, or the nearest one."""
    names = _ids_by_name()
    near = get_close_matches(_folded(text), names, n=1, cutoff=0.75)
    return f"; did you mean {names[near[0]]!r}?" if near else ""


@cache
def _entries() -> dict[str, Entry]:
    declared = tomllib.loads(files(__package__).joinpath("commodities.toml").read_text("utf-8"))
    return {
        id: Entry(
            name=item["name"],
            parent=item.get("parent"),
            hs=tuple(item.get("hs", ())),
            also=tuple(item.get("also", ())),
        )
        for id, item in declared.items()
    }


@cache
def _ids_by_name() -> dict[str, str]:
    """Ids by every name: what publishers write, the English name, and the id itself."""
    also = {name: id for id, entry in _entries().items() for name in entry.also}
    names = {_folded(entry.name): id for id, entry in _entries().items()}
    ids = {form: id for id in _entries() for form in (id, id.replace("_", " "))}
    return also | names | ids
