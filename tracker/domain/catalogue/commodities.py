"""Commodities: a declared tree with HS codes, stored in `commodities.toml` beside this file.

A query for a commodity includes its descendants: `rare_earths` includes `dysprosium`. There are several
roots, and a commodity can belong to groups in addition to its parent: samarium is a light rare earth, and
also one of the medium and heavy ones. The rules of the tree are at the top of its file.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from typing import NamedTuple

from msgspec import Struct, field

from tracker.domain.basics.control_vocabulary import Form
from tracker.domain.basics.toml_files import read_toml
from tracker.domain.basics.vocabulary import Stage
from tracker.domain.catalogue.harmonized_system import forms_of_code
from tracker.errors import InvalidInput


class CommodityEntry(Struct, frozen=True):
    """The declaration of one commodity. `also` has publishers' names in lower case."""

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
            meant = _suggestion(text)
            raise InvalidInput(
                f"{text!r} is not a commodity: expected a key such as 'rare_earths'"
                f" or 'gallium'{f'; did you mean {meant!r}?' if meant else ''}",
                code="UNKNOWN_COMMODITY",
                suggestion=meant,
            )
        return super().__new__(cls, text)

    @property
    def name(self) -> str:
        """The English name."""
        return _entries()[self].name

    @property
    def also(self) -> tuple[str, ...]:
        """Other names in publications, in lower case."""
        return _entries()[self].also

    @property
    def parent(self) -> Commodity | None:
        """The parent commodity; None for a root."""
        parent = _entries()[self].parent
        return Commodity(parent) if parent else None

    @property
    def groups(self) -> tuple[Commodity, ...]:
        """The commodities that include it, in addition to its parent."""
        return tuple(Commodity(id) for id in _entries()[self].groups)

    @property
    def hs_codes(self) -> tuple[str, ...]:
        """Its codes in the Harmonized System of 2022, of 4 or 6 digits."""
        return _entries()[self].hs

    @property
    def forms(self) -> tuple[Form, ...]:
        """The forms in which it is traded; empty if all are possible."""
        return _entries()[self].forms

    @property
    def filed_figures(self) -> FiledFigures | None:
        """Figures of another commodity that also apply to this one; None without one."""
        declared = _entries()[self].figures
        if not declared:
            return None
        stage = declared.get("stage")
        return FiledFigures(Commodity(declared["commodity"]), Stage(stage) if stage else None)


class FiledFigures(NamedTuple):
    """Figures that publishers file under another commodity, at one stage or at all stages.

    The mine output that publishers call graphite is natural graphite.
    """

    commodity: Commodity
    stage: Stage | None

    def include(self, stage: Stage | None) -> bool:
        """Return whether figures of the other commodity at a stage are included."""
        return self.stage in (None, stage)


@cache
def commodities() -> tuple[Commodity, ...]:
    """Return all declared commodities, in the order of the file."""
    return tuple(Commodity(id) for id in _entries())


@cache
def ancestors(commodity: Commodity) -> tuple[Commodity, ...]:
    """Return all ancestors of `commodity` including its groups, narrowest first."""
    above = {of for one in _directly_above(commodity) for of in (one, *ancestors(one))}
    return tuple(sorted(above, key=lambda of: (len(descendants(of)), of)))


@cache
def descendants(commodity: Commodity) -> frozenset[Commodity]:
    """Return `commodity` and all its descendants: the scope of a query for it."""
    below = _directly_below().get(commodity, ())
    return frozenset({commodity}).union(*map(descendants, below))


@cache
def related(commodity: Commodity) -> frozenset[Commodity]:
    """Return `commodity` with its descendants and ancestors: all that may cover its goods."""
    return descendants(commodity).union(ancestors(commodity))


@cache
def commons(one: Commodity) -> dict[Commodity, tuple[Commodity, ...]]:
    """Return the commodities with goods in common with one, if neither includes the other.

    Each has the widest commodities below both: for nickel, ferro-alloys have ferronickel.
    """
    others = frozenset(above for of in descendants(one) for above in ancestors(of)) - related(one)
    both = {other: descendants(one) & descendants(other) for other in others}
    return {
        other: tuple(sorted(of for of in below if below.isdisjoint(ancestors(of))))
        for other, below in both.items()
    }


@cache
def goods_with_code(code: str) -> dict[Commodity, frozenset[Form]]:
    """Return the goods that customs file under a code, each with the forms that the code permits.

    These are the narrowest commodities that have the code, a longer or a shorter one: a wider one is left out
    if narrower ones have all of its codes. An empty set of forms means all. `7404` is only copper scrap,
    `8101` is tungsten and its scrap, `280530` is every rare earth as metal.
    """
    having = {of: common for of in commodities() if (common := _common_codes(of, code))}

    def is_narrowest(of: Commodity) -> bool:
        narrower = tuple(own for one in descendants(of) - {of} for own in having.get(one, ()))
        return not all(common.startswith(narrower) for common in having[of])

    return {
        of: _meet(frozenset(of.forms), forms_of_code(code)) for of in having if is_narrowest(of)
    }


def commodities_with_code(code: str) -> frozenset[Commodity]:
    """Return the commodities with a code, a longer or a shorter one, and groups that contain them.

    Only groups without codes of their own are included. Roots are not, because they are lists and not goods.
    """
    having = {of for of in commodities() if _common_codes(of, code)}
    groups = {of for one in having for of in ancestors(one) if of.parent and not of.hs_codes}
    return frozenset(having | groups)


def find_commodity(text: str) -> Commodity | None:
    """Return the commodity that a publisher calls `text`, or None if the name is unknown."""
    id = _ids_by_name().get(_normalize(text))
    return Commodity(id) if id else None


def _directly_above(commodity: Commodity) -> tuple[Commodity, ...]:
    parent = commodity.parent
    return (*commodity.groups, parent) if parent else commodity.groups


@cache
def _directly_below() -> Mapping[Commodity, Sequence[Commodity]]:
    below = defaultdict[Commodity, list[Commodity]](list)
    for one in commodities():
        for of in _directly_above(one):
            below[of].append(one)
    return below


def _meet(first: frozenset[Form], second: frozenset[Form]) -> frozenset[Form]:
    """Return the forms that two sets have in common; an empty set means all."""
    return first & second if first and second else first | second


def _common_codes(commodity: Commodity, code: str) -> tuple[str, ...]:
    """Return the codes of the goods that a commodity and a code have in common: the longer of two codes."""
    return tuple(
        max(own, code, key=len)
        for own in commodity.hs_codes
        if own.startswith(code) or code.startswith(own)
    )


def _normalize(text: str) -> str:
    return " ".join(text.replace("\u2019", "'").casefold().split())


def _suggestion(text: str) -> str:
    """Return the id that an unknown one probably means: of that name, or the nearest; empty without one."""
    names = _ids_by_name()
    near = get_close_matches(_normalize(text), names, n=1, cutoff=0.75)
    return names[near[0]] if near else ""


@cache
def _entries() -> dict[str, CommodityEntry]:
    declared = read_toml(__file__)
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
    """Return ids by every name: publishers' names, the English name, and the id itself."""
    also = {name: id for id, entry in _entries().items() for name in entry.also}
    names = {_normalize(entry.name): id for id, entry in _entries().items()}
    ids = {form: id for id in _entries() for form in (id, id.replace("_", " "))}
    return also | names | ids
