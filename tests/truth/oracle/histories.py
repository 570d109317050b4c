"""Random histories of figures and controls, recorded as by any client."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from typing import Any

from tests.support.api import Api
from tests.truth.oracle.queries import log_of
from tests.truth.oracle.sources import any_sources

COMMODITIES = ("cobalt", "dysprosium")
SCOPES = (None, "cobalt", "dysprosium", "heavy_rare_earths", "critical_minerals")
PLACES = ("WORLD", "WORLD", "OTHER", "CN", "US", "CA", "US_CA", "DE", "EU")
PUBLISHERS = ("usgs", "bgs", "iea")
EDITIONS = {
    "2023": "2023-01-31",
    "2024": "2024-01-31",
    "2024 v2": "2024-02",
    "2025": "2025-01-31",
    "2099": "2099-01-31",
}
"""Editions with their publication days; one has only a month, one is in the future."""
BASES = (None, "contained cobalt", "metal content", "REO", "gross weight")
STAGES = ("MINE", "MINE", "MINE", "REFINERY")
DAYS = (
    "2099-03-01",
    "2023-06-01",
    "2024-01-31",
    "2024-02-01",
    "2024-09-15",
    "2025-01-31",
    "2025-06-01",
)
CHUNK = 15
"""Number of commands recorded together."""
RECORD = """mutation ($commands: [CommandInput!]!, $key: String!) {
    record(commands: $commands, idempotencyKey: $key) { positions } }"""


def source(publisher: str, day: str) -> dict[str, Any]:
    """Return the source of a fact."""
    return {"publisher": publisher, "name": publisher.upper(), "publishedOn": day}


def any_claim(chance: Random) -> dict[str, Any]:
    """Return a random claim on the output of a place."""
    publisher, edition = chance.choice(PUBLISHERS[:2]), chance.choice(list(EDITIONS))
    edition, _, version = edition.partition(" ")
    published = EDITIONS[f"{edition} {version}".strip()]
    return {
        "recordFigure": {
            "series": {
                "commodity": chance.choice(COMMODITIES),
                "place": chance.choice(PLACES),
                "statistic": "PRODUCTION",
                "stage": chance.choice(STAGES),
                "period": chance.choice((2021, 2022, 2022)),
                **({"form": "sponge"} if chance.random() < 0.05 else {}),
            },
            "edition": edition,
            **({"editionVersion": version} if version else {}),
            "quantity": any_quantity(chance),
            **any_sources(chance, source(chance.choice((publisher, publisher, "iea")), published)),
        }
    }


def any_quantity(chance: Random) -> dict[str, Any]:
    """Return a random number, or a word instead."""
    basis = chance.choice((None, None, None, *BASES))
    found: dict[str, Any] = {"unit": chance.choice(("t", "t", "t", "kt", "ML"))}
    if basis:
        found["basis"] = basis
    if chance.random() < 0.2:
        found["rounded"] = True
    match chance.randrange(12):
        case 0:
            return {**found, "qualifier": chance.choice(("WITHHELD", "NOT_AVAILABLE", "LARGE"))}
        case 1:
            return {**found, "qualifier": "RANGE", "value": "3", "upper": "9"}
        case 2:
            return {**found, "qualifier": chance.choice(("MORE_THAN", "LESS_THAN")), "value": "4"}
        case 3:
            return {**found, "qualifier": "NIL", "value": "0"}
        case 4:
            return {**found, "qualifier": chance.choice(("ABOUT", "NEARLY")), "value": "7"}
    return {**found, "value": chance.choice(("0", "1", "2", "3", "3.5", "10", "30", "33.3"))}


def any_judgement(chance: Random, figures: list[str]) -> dict[str, Any]:
    """Return a random judgement on a figure."""
    edition = chance.choice((None, None, "2023", "2024"))
    return {
        "preferPublisher": {
            "id": chance.choice(figures),
            "on": chance.choice(DAYS),
            "publisher": chance.choice(PUBLISHERS),
            "reason": "they count it themselves",
            **({"edition": edition} if edition else {}),
            "source": source("tracker", "2024-01-31"),
        }
    }


def any_order(chance: Random) -> dict[str, Any]:
    """Return a random publisher order, for some figures or for all."""
    scope = chance.choice(SCOPES)
    return {
        "orderPublishers": {
            "on": chance.choice(DAYS),
            "publishers": chance.sample(PUBLISHERS, chance.choice((1, 2))),
            "reason": "they state their methods",
            **({"commodity": scope} if scope else {}),
            **({"statistic": "PRODUCTION"} if chance.random() < 0.4 else {}),
            "source": source("tracker", "2024-01-31"),
        }
    }


def any_correction(chance: Random, log: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a random retraction of any event, or a correction of a claim."""
    event = chance.choice(log)
    why = {"eventId": event["id"], "reason": "misread", "source": source("tracker", "2024-01-31")}
    if event["type"] == "Figure.Claimed" and chance.random() < 0.5:
        series = {**event["data"]["series"], "statistic": "PRODUCTION"}
        series["stage"] = series["stage"].upper()
        told = event["data"]
        replacement = {
            "series": series,
            "edition": told["edition"],
            **({"editionVersion": v} if (v := told.get("editionVersion")) else {}),
            "quantity": any_quantity(chance),
            "source": source(told["source"]["publisher"], told["source"]["publishedOn"]),
        }
        return {"correctEvent": {**why, "replacement": {"recordFigure": replacement}}}
    return {"retractEvent": why}


def commands(chance: Random, log: list[dict[str, Any]], count: int) -> Iterator[dict[str, Any]]:
    """Yield random commands on figures and preferences, which the rules may refuse."""
    figures = sorted({e["subject"][7:] for e in log if e["type"] == "Figure.Claimed"})
    for _ in range(count):
        dice = chance.random()
        if figures and dice < 0.08:
            yield any_judgement(chance, figures)
        elif dice < 0.16:
            yield any_order(chance)
        elif log and dice < 0.28:
            yield any_correction(chance, log)
        else:
            yield any_claim(chance)


async def record(api: Api, chance: Random, count: int) -> list[dict[str, Any]]:
    """Record about `count` commands, without refused ones, and return the log."""
    log: list[dict[str, Any]] = []
    for number in range(0, count, CHUNK):
        await record_all(api, list(commands(chance, log, CHUNK)), f"chunk-{number}")
        log = await log_of(api)
    return log


async def record_all(api: Api, wanted: list[dict[str, Any]], key: str) -> None:
    """Record commands together, without refused ones."""
    while wanted:
        answer = await api.post(RECORD, commands=wanted, key=f"{key}-{len(wanted)}")
        if "errors" not in answer:
            return
        path = answer["errors"][0]["extensions"].get("path") or []
        assert path[:1] == ["commands"], json.dumps(answer["errors"])
        del wanted[path[1]]
