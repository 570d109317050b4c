"""Queries for editions and revisions, and the expected results."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from tests.support.api import Api
from tests.truth.oracle.claims import Claim, Figure
from tests.truth.oracle.compare import differences
from tests.truth.oracle.declared import is_below
from tests.truth.oracle.law_answers import moment, pages
from tests.truth.oracle.queries import simple

EDITION = """nodes { publisher edition editionVersion publishedOn lastPublishedOn claims places
    commodities { key } statistics firstYear lastYear firstPosition lastPosition }"""
REVISION = "nodes { position change changePercent changeUnavailableReason before { position } }"


def expected_editions(public: dict[str, Figure], asked: dict[str, Any]) -> dict[str, Any]:
    """Return the editions with matching claims."""
    found: dict[str, list[Claim]] = {}
    for figure in public.values():
        for claim in figure.claims:
            goods = asked.get("commodity")
            is_of = goods is None or is_below(claim.series["commodity"], goods)
            if is_of and asked.get("publisher") in (None, claim.publisher):
                found.setdefault("/".join(filter(None, claim.origin)), []).append(claim)
    return {name: _edition(claims) for name, claims in found.items()}


def _edition(claims: list[Claim]) -> dict[str, Any]:
    days, positions = (
        sorted(of) for of in zip(*((c.event.day, c.position) for c in claims), strict=True)
    )
    years = sorted(of for claim in claims if (of := claim.series.get("period")))
    return {
        "publishedOn": str(days[0]),
        "lastPublishedOn": str(days[-1]),
        "claims": len(claims),
        "places": len({claim.series["place"] for claim in claims}),
        "commodities": sorted({claim.series["commodity"] for claim in claims}),
        "statistics": sorted({claim.series["statistic"].upper() for claim in claims}),
        "firstYear": years[0] if years else None,
        "lastYear": years[-1] if years else None,
        "firstPosition": positions[0],
        "lastPosition": positions[-1],
    }


async def compare_editions(
    api: Api, public: dict[str, Figure], at: tuple[date, int], asked: dict[str, Any]
) -> list[str]:
    """Return the differences in editions with public claims, and in their order."""
    given = [f"{name}: {json.dumps(value)}" for name, value in asked.items()]
    arguments = ", ".join([*given, "first: 200, after: $after"])
    answer: dict[str, Any] = {}
    order = []
    for one in await pages(api, moment(*at), "editions", arguments, EDITION):
        of = (one["publisher"], one["edition"], one["editionVersion"])
        order.append((one["publishedOn"], *of[:2], of[2] or ""))
        one["commodities"] = sorted(each["key"] for each in one["commodities"])
        one["statistics"].sort()
        positions = {name: int(one[name]) for name in ("firstPosition", "lastPosition")}
        answer["/".join(filter(None, of))] = one | positions
    expected: dict[str, Any] = expected_editions(public, asked)
    return [
        *differences(
            expected | {"of": sorted(expected), "order": sorted(order)},
            answer | {"of": sorted(answer), "order": order},
            (f"editions {at} {asked}",),
        )
    ]


async def compare_revisions(
    api: Api, public: dict[str, Figure], at: tuple[date, int], commodity: str
) -> list[str]:
    """Return the differences in the revisions of claims on a commodity."""
    expected = {
        str(one["position"]): one
        for figure in public.values()
        if is_below(figure.claims[0].series["commodity"], commodity)
        for one in figure.revisions()
    }
    given = f"commodity: {json.dumps(commodity)}, first: 200, after: $after"
    answer = {
        one["position"]: {
            **simple(one),
            "before": one["before"] and int(one["before"]["position"]),
            "unavailable": one["changeUnavailableReason"] is not None,
        }
        for one in await pages(api, moment(*at), "revisions", given, REVISION)
    }
    return [
        *differences(
            expected | {"of": sorted(expected)},
            answer | {"of": sorted(answer)},
            (f"revisions {at} {commodity}",),
        )
    ]
