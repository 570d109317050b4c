"""Numbers as publishers give them, as tools answer with them."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, UnsetType

from schema.assistants.answers import AnswerPart
from schema.assistants.tool import Node, unset
from schema.pages.site.amounts import measured


class Amount(AnswerPart, kw_only=True):
    """A number as its publisher gives it."""

    amount: str
    value: str | UnsetType = UNSET
    unit: str
    basis: str | UnsetType = UNSET
    qualifier: str | UnsetType = UNSET
    estimated: bool | UnsetType = UNSET
    publisher: str
    edition: str


def amount_fields(node: Node) -> dict[str, Any]:
    """The fields of an Amount: the number with its unit, in words and in parts, and whose it is."""
    return {
        "amount": measured(node).replace("\N{NO-BREAK SPACE}", " "),
        "value": unset(node["value"]),
        "unit": node["unit"],
        "basis": unset(node["basis"]),
        "qualifier": unset(node["qualifier"] and node["qualifier"].lower()),
        "estimated": unset(node["estimated"]),
        "publisher": node["publisher"],
        "edition": node["edition"],
    }
