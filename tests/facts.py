"""Facts to test with, in few words."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tracker.domain.codec import convert
from tracker.domain.export_control import Announced, Suspended
from tracker.domain.figure import Claimed

MOFCOM = {"publisher": "mofcom", "name": "MOFCOM", "publishedOn": "2024-12-03", "checked": "page"}


def source(publisher: str = "mofcom", published_on: str = "2024-12-03") -> dict[str, Any]:
    """Where a fact comes from."""
    return {"publisher": publisher, "name": publisher.upper(), "publishedOn": published_on,
            "checked": "page"}


def clause(id: str = "1", **more: Any) -> dict[str, Any]:
    """A ban of gallium exports, in force from 3 December 2024."""
    return {"id": id, "measure": "ban", "commodities": ["gallium"], "inForceFrom": "2024-12-03",
            **more}


def announced(*clauses: dict[str, Any], on: str = "2024-12-03", **more: Any) -> Announced:
    """An export control of China."""
    return convert(Announced, {
        "on": on, "issuer": "CN", "direction": "export", "title": "Gallium to the US",
        "clauses": list(clauses) or [clause()], "source": source(published_on=on), **more,
    })


def suspended(*clauses: str, start: str = "2025-11-09", end: str | None = "2026-11-27",
              **more: Any) -> Suspended:
    """A suspension, public on the day it begins."""
    return convert(Suspended, {
        "on": start, "clauses": list(clauses), "suspendedFrom": start, "suspendedUntil": end,
        "source": source(published_on=start), **more,
    })


def claimed(value: Decimal | int, *, year: int = 2023, publisher: str = "usgs",
            edition: str = "MCS 2024", published_on: str = "2024-01-31",
            place: str = "CN", commodity: str = "rare_earths", **quantity: Any) -> Claimed:
    """A claim on mine output, in tonnes."""
    return convert(Claimed, {
        "series": {"commodity": commodity, "place": place, "statistic": "production",
                   "stage": "mine", "period": year},
        "edition": edition,
        "quantity": {"value": str(value), "unit": "t", "basis": "REO", **quantity},
        "source": source(publisher, published_on),
    })
