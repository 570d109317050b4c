"""Short builders of findings."""

from datetime import date
from typing import Any

from tests.support.fact_builders import announced
from tracker.commands.commands import PlannedEvent
from tracker.domain.entities.fact import Fact
from tracker.review.finding import FactProposal, ImportProposal, Lead, LeadCode, Origin

SHA256 = "ab" * 32


def origin(item: str = "2024-1", **more: Any) -> Origin:
    """Return the origin of a finding."""
    given = {
        "title": f"Notice {item}",
        "sha256": SHA256,
        "url": f"https://www.mofcom.gov.cn/{item}",
        "published_on": date(2024, 12, 3),
        "language": "zh",
        "number": f"No. {item}",
        **more,
    }
    return Origin(item, **given)


def proposal(
    item: str = "2024-1", fact: Fact | None = None, stream: str | None = None, **more: Any
) -> FactProposal:
    """Return a proposed fact, by default an export control of China."""
    event = PlannedEvent(
        stream or f"export-control/cn-{item}", fact or announced(), f"cn-mofcom-{item}"
    )
    return FactProposal(origin(item, **more), "The notice says that it bans exports", event)


def lead(item: str = "2024-1", code: LeadCode = LeadCode.GAP, **more: Any) -> Lead:
    """Return a lead for a person."""
    return Lead(origin(item, **more), "A number is missing", code)


def figures(item: str = "mcs2025", reader: str = "usgs", **more: Any) -> ImportProposal:
    """Return a file of figures."""
    return ImportProposal(origin(item, **more), "A new edition", reader, f"{item}.csv")
