"""Commodities: a declared tree with HS codes, kept in `commodities.toml` beside this file.

A question about a commodity includes all below it: `rare_earths` includes `dysprosium`. There are
several roots, and a commodity can belong to groups beside its parent: samarium is a light rare earth,
and one of the medium and heavy ones. The rules of the tree are at the top of its file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from tracker.domain.harmonized_system import forms_of_code
from tracker.domain.vocabulary import Form, Stage
from tracker.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class CommodityEntry:
    """The declaration of one commodity. `also` holds publishers' names, in lower case."""

    name: str
    parent: str | None = None
    groups: tuple[str, ...] = ()
    hs: tuple[str, ...] = ()
    forms: tuple[Form, ...] = ()
    also: tuple[str, ...] = ()
    figures: Mapping[str, str] = field(default_factory=dict)


class Commodity(str):
    """The id of a declared commodity: `rare_earths`, `gallium`."""

    __slots__ = ()

    def __new__(cls, text: str) -> Commodity:
        if text not in _entries():
            raise InvalidInput(
                f"{text!r} is not a commodity: expected a key such as 'rare_earths'"
                f" or 'gallium'{_suggestion(text)}",
                code="UNKNOWN_COMMODITY",
            )
        return super().__new__(cls, text)

    @property
    def name(self) -> str:
        """The English name."""
        return _entries()[self].name

    @property
    def also(self) -> tuple[str, ...]:
        """Publishers' other names for it, in lower case."""
        return _entries()[self].also

    @property
    def parent(self) -> Commodity | None:
        """The commodity that this one belongs to; None for a root."""
        parent = _entries()[self].parent
        return Commodity(parent) if parent else None

    @property
    def groups(self) -> tuple[Commodity, ...]:
        """The commodities that include it beside its parent."""
        return tuple(Commodity(id) for id in _entries()[self].groups)

    @property
    def hs_codes(self) -> tuple[str, ...]:
        """Its codes in the Harmonized System of 2022, of 4 or 6 digits."""
        return _entries()[self].hs

    @property
    def forms(self) -> tuple[Form, ...]:
        """The forms in which it is traded; empty where it can have all."""
        return _entries()[self].forms

    @property
    def filed_figures(self) -> FiledFigures | None:
        """The figures of another commodity that are figures of this one; None without such."""
        declared = _entries()[self].figures
        if not declared:
            return None
        stage = declared.get("stage")
        return FiledFigures(Commodity(declared["commodity"]), Stage(stage) if stage else None)


class FiledFigures(NamedTuple):
    """Figures that publishers file under another commodity, at one stage or at all.

    The mine output that publishers call graphite is natural graphite.
    """

    commodity: Commodity
    stage: Stage | None

    def include(self, stage: Stage | None) -> bool:
        """Whether figures of the other commodity at a stage are among them."""
        return self.stage in (None, stage)


def commodities() -> tuple[Commodity, ...]:
    """All declared commodities, in the order of the file."""
    return tuple(Commodity(id) for id in _entries())


@cache
def ancestors(commodity: Commodity) -> tuple[Commodity, ...]:
    """All above `commodity`, its groups too, the narrowest first."""
    above = {of for one in _directly_above(commodity) for of in (one, *ancestors(one))}
    return tuple(sorted(above, key=lambda of: (len(descendants(of)), of)))


@cache
def descendants(commodity: Commodity) -> frozenset[Commodity]:
    """`commodity` itself and all below it: what a question about it includes."""
    below = (descendants(one) for one in commodities() if commodity in _directly_above(one))
    return frozenset({commodity}).union(*below)


@cache
def related(commodity: Commodity) -> frozenset[Commodity]:
    """`commodity` itself, all below it and all above: what may be about goods of it."""
    return descendants(commodity).union(ancestors(commodity))


@cache
def common(one: Commodity, other: Commodity) -> tuple[Commodity, ...]:
    """The widest commodities below two of which neither includes the other: of nickel and ferro-alloys
    ferronickel; none where one includes the other."""
    if other in related(one):
        return ()
    both = descendants(one) & descendants(other)
    return tuple(sorted(of for of in both if both.isdisjoint(ancestors(of))))


@cache
def goods_with_code(code: str) -> dict[Commodity, frozenset[Form]]:
    """The goods that customs file under a code: the narrowest commodities that have it, one under it
    or one above it, each with the forms that the code leaves it; no forms where it leaves all.

    `7404` is copper scrap and nothing else, `2604` is nickel as ore or concentrate, `280530` every
    rare earth as metal.
    """
    having = {of for of in commodities() if _has_code(of, code)}
    narrowest = (of for of in having if having.isdisjoint(descendants(of) - {of}))
    return {of: _meet(frozenset(of.forms), forms_of_code(code)) for of in narrowest}


def commodities_with_code(code: str) -> frozenset[Commodity]:
    """The commodities that have a code, one under it or one above it, and the groups without codes
    of their own that some of these belong to; no roots, which are lists and no goods."""
    having = {of for of in commodities() if _has_code(of, code)}
    groups = {of for one in having for of in ancestors(one) if of.parent and not of.hs_codes}
    return frozenset(having | groups)


def find_commodity(text: str) -> Commodity | None:
    """The commodity that a publisher calls `text`, or None where the name is not known."""
    id = _ids_by_name().get(_normalize(text))
    return Commodity(id) if id else None


def _directly_above(commodity: Commodity) -> tuple[Commodity, ...]:
    parent = commodity.parent
    return (*commodity.groups, parent) if parent else commodity.groups


def _meet(first: frozenset[Form], second: frozenset[Form]) -> frozenset[Form]:
    """The forms that two sets have in common, of which an empty one means all."""
    return first & second if first and second else first | second


def _has_code(commodity: Commodity, code: str) -> bool:
    return any(own.startswith(code) or code.startswith(own) for own in commodity.hs_codes)


def _normalize(text: str) -> str:
    return " ".join(text.replace("\u2019", "'").casefold().split())


def _suggestion(text: str) -> str:
    """A suggestion for an unknown id: the commodity of that name, or the nearest one."""
    names = _ids_by_name()
    near = get_close_matches(_normalize(text), names, n=1, cutoff=0.75)
    return f"; did you mean {names[near[0]]!r}?" if near else ""


@cache
def _entries() -> dict[str, CommodityEntry]:
    declared = tomllib.loads(files(__package__).joinpath("commodities.toml").read_text("utf-8"))
    return {
        id: CommodityEntry(
            name=item["name"],
            parent=item.get("parent"),
            groups=tuple(item.get("groups", ())),
            hs=tuple(item.get("hs", ())),
            forms=tuple(Form(form) for form in item.get("forms", ())),
            also=tuple(item.get("also", ())),
            figures=item.get("figures", {}),
        )
        for id, item in declared.items()
    }


@cache
def _ids_by_name() -> dict[str, str]:
    """Ids by every name: what publishers write, the English name, and the id itself."""
    also = {name: id for id, entry in _entries().items() for name in entry.also}
    names = {_normalize(entry.name): id for id, entry in _entries().items()}
    ids = {form: id for id in _entries() for form in (id, id.replace("_", " "))}
    return also | names | ids
