"""Builders of figures of dependence, recorded in a tracker."""

from typing import Any

from schema.services import Services
from tests.support.api import Api
from tests.support.fact_builders import source
from tracker.commands.commands import RecordFact
from tracker.domain.basics.codec import from_builtins
from tracker.domain.controls.export_control_acts import Announced
from tracker.domain.entities.fact import Fact
from tracker.domain.figures.figure_facts import Claimed

APPARENT = "apparent consumption"


def yearly(
    value: str | None,
    year: int,
    *,
    statistic: str = "net_import_reliance",
    edition: str = "MCS 2026",
    published_on: str = "2026-02-06",
    unit: str = "percent",
    basis: str = APPARENT,
    qualifier: str | None = None,
    **series: Any,
) -> Claimed:
    """Return a claim for a year about the United States."""
    return from_builtins(
        Claimed,
        {
            "source": source("usgs", published_on),
            "series": {
                "commodity": "aluminium",
                "place": "US",
                "statistic": statistic,
                "period": year,
                **series,
            },
            "edition": edition,
            "quantity": {"unit": unit, "value": value, "basis": basis, "qualifier": qualifier},
        },
    )


async def record(services: Services, *facts: Fact) -> Api:
    """Record facts, each in its stream or as a control, and return a client that sees them."""
    commands = [RecordFact(_stream(fact, number), fact) for number, fact in enumerate(facts)]
    written = await services.commands.record_all(commands)
    await services.projector.reach(written.positions[-1])
    return Api(services)


def _stream(fact: Fact, number: int) -> str:
    if isinstance(fact, Announced):
        return f"export-control/{fact.issuer.lower()}"
    return fact.stream or "export-control/cn"
