"""Declared terms of salient statistics: subjects, products, units and denominators, from `salient.toml`."""

import re
from decimal import Decimal
from functools import cache
from typing import Any

from msgspec import Struct

from tracker.domain.basics.toml_files import read_toml
from tracker.domain.basics.units import Unit
from tracker.domain.basics.vocabulary import Stage
from tracker.domain.catalogue.commodities import Commodity, find_commodity
from tracker.sources.ids import slug

MAX_FORM_CHARACTERS = 60
KINDS = ("apparent", "reported", "estimated")
"""Kinds of consumption, which begin its product."""
REMARK = re.compile(r"\s*\(((?:[^()]|\([^()]*\))*)\)")
"""A remark in brackets, which may have brackets within."""
OF_WEIGHT = re.compile(r".* (?:content|equivalent)|gross weight", re.IGNORECASE)
"""Words for the basis of weight."""
OF_COUNTING = re.compile(rf"{OF_WEIGHT.pattern}|includes .*", re.IGNORECASE)
"""A remark on the counting of a product, which is not a part of its name."""


class Product(Struct, frozen=True):
    """A commodity, with a product of it or without."""

    commodity: Commodity
    form: str | None = None


class Measure(Struct, frozen=True):
    """A unit of the publisher: the tracker's unit, and the factor to it."""

    unit: Unit
    factor: Decimal = Decimal(1)
    lot: str | None = None


def find_subject(name: str) -> Product | None:
    """Return the commodity, and the product if any, that a name of the publisher stands for."""
    declared = declarations()["subjects"].get(" ".join(name.casefold().split()))
    if declared:
        return Product(Commodity(declared["commodity"]), declared.get("form"))
    commodity = find_commodity(name)
    return Product(commodity) if commodity else None


def narrowed(commodity: Commodity, form: str | None) -> Product:
    """Return the product under the narrower commodity of its chapter, if one is declared.

    A product that is the whole commodity has no form, unless the commodity has several products.
    """
    for rule in declarations()["narrower"]:
        match = re.search(rule["words"], form or "", re.IGNORECASE)
        if rule["of"] == commodity and match:
            commodity = Commodity(match[1] if rule["commodity"] == "=" else rule["commodity"])
    whole = form == commodity and commodity not in declarations()["several"]
    return Product(commodity, None if whole else form)


def product_of_word(commodity: Commodity, words: str) -> str | None:
    """Return the product of a word: `al2o3` of abrasives is `fused_aluminum_oxide`."""
    declared: dict[str, str] = declarations()["products"].get(commodity, {})
    return declared.get(words, words) or None


def form_slug(words: str) -> str | None:
    """Return the slug of a product's words, without remarks on weight and of at most 60 characters."""
    plain = REMARK.sub(lambda m: "" if OF_COUNTING.fullmatch(m[1]) else m[0], words)
    plain = plain.replace("\u2019", "").replace("\u2014", " ")
    for candidate in (plain, REMARK.sub("", plain), REMARK.sub("", plain).partition(",")[0]):
        form = slug(candidate).replace("-", "_")
        if len(form) <= MAX_FORM_CHARACTERS:
            return form or None
    return form[: MAX_FORM_CHARACTERS + 1].rpartition("_")[0]


def find_measure(words: str) -> Measure | None:
    """Return the unit for words of the publisher; None for an unknown one."""
    declared = declarations()["units"].get(words.casefold())
    if declared is None:
        return None
    factor = Decimal(declared.get("factor", 1))
    return Measure(Unit(declared["unit"]), factor, declared.get("lot"))


def stage_of(commodity: Commodity, words: str) -> tuple[Stage, str | None] | None:
    """Return the declared stage of a commodity's production, and its product; None if there is none."""
    for rule in declarations()["stages"]:
        if rule["of"] == commodity and rule["words"] in words.casefold():
            return Stage(rule["stage"]), rule.get("form")
    return None


def is_in_world_table(commodity: Commodity) -> bool:
    """Return whether a table by country has the commodity's production in the United States."""
    return commodity in declarations()["world"]


def denominator(product: Product, edition: int) -> str | None:
    """Return the denominator of net import reliance in an edition that has no words for it."""
    for rule in declarations()["earlier_denominators"]:
        if (rule["of"], rule["form"]) == (product.commodity, product.form) and edition <= rule[
            "until"
        ]:
            return str(rule["words"])
    words: str = declarations()["denominators"].get(product.commodity, "apparent consumption")
    return words or None


def rebase(commodity: Commodity) -> str | None:
    """Return the declared change of base of net import reliance in MCS 2026."""
    rules = declarations()["rebased"]
    return next((rule["words"] for rule in rules if rule["of"] == commodity), None)


@cache
def declarations() -> dict[str, Any]:
    """Return the content of `salient.toml`."""
    return read_toml(__file__, "salient.toml")
