"""Numbers of publishers in words, with their original precision and qualifiers. Pure."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tracker.domain.basics.vocabulary import Qualifier
from tracker.domain.wording.phrases import NBSP, amount_phrase, rounded

EXACT_QUALIFIERS = (None, "NIL", "ABOUT", "NEARLY")
"""Qualifiers of numbers that are drawn; a bound or a range is not."""

Claim = Mapping[str, Any]
"""A claim as in the API: with `value`, `upper`, `unit`, `qualifier` and `basis`."""


def number_of(claim: Claim) -> Decimal | None:
    """Return the number of a claim; None without one. Nil (`NIL`) is 0."""
    return None if claim["value"] is None else Decimal(claim["value"])


def amount(claim: Claim | None, missing: str = "no number") -> str:
    """Return a claim without its unit: `255,000`, `more than 90`, `330 to 390`, `withheld`."""
    if claim is None:
        return missing
    qualifier = Qualifier[claim["qualifier"]] if claim["qualifier"] else None
    upper = Decimal(claim["upper"]) if qualifier is Qualifier.RANGE else None
    return amount_phrase(number_of(claim), upper, qualifier, missing, rounded)


def unit(claim: Claim) -> str:
    """Return the unit with the basis of the weight, as its publisher writes it: `t REO`."""
    name = "%" if claim["unit"] == "percent" else claim["unit"]
    return f"{name} {claim['basis']}" if claim["basis"] else name


def measured(claim: Claim) -> str:
    """Return a claim with its unit; a claim without a number and a count have no unit."""
    if claim["value"] is None or claim["unit"] == "count":
        return amount(claim)
    return f"{amount(claim)}{NBSP}{unit(claim)}"


def same_measure(one: Claim, other: Claim) -> bool:
    """Return whether two claims have the same unit and basis, so that one line can join them."""
    return (one["unit"], one["basis"]) == (other["unit"], other["basis"])
