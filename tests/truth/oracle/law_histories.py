"""Random histories of instruments, with contradictory acts on few days."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.support.api import Api
from tests.truth.oracle.histories import record_all, source
from tests.truth.oracle.queries import log_of
from tests.truth.oracle.sources import any_sources

KEYS = ("c1", "c2", "c3")
CLAUSES = ("1", "2", "3")
COMMODITIES = ("gallium", "rare_earths", "dysprosium", "ferrochromium", "dual_use_items")
DAYS = (
    *("2024-01-01", "2024-03", "2024-06-15", "2024-09-01", "2025", "2025-01-01", "2025-02-10"),
    *("2025-05-01", "2025-08-20", "2025-12-31", "2026-03-31", "2026", "2027-06-01"),
)
"""Days for acts: two have only a year and one only a month."""
CHUNK = 8
WITH_CLAUSES = (
    *("enterIntoForce", "extendExportControl", "suspendExportControl", "suspendExportControl"),
    *("extendSuspension", "reinstateExportControl", "expireExportControl", "repealExportControl"),
    *("discontinueExportControl", "mergeExportControl", "stateSuspension", "stateSuspension"),
)


def any_clause(chance: Random, key: str) -> dict[str, Any]:
    """Return a random clause with some dates."""
    measure = chance.choice(("BAN", "DUAL_USE_LICENCE", "QUOTA", "INVESTIGATION"))
    commodities = chance.sample(COMMODITIES, chance.choice((1, 1, 2)))
    found: dict[str, Any] = {"id": key, "measure": measure, "commodities": commodities}
    if chance.random() < 0.6:
        found["inForceFrom"] = chance.choice(DAYS)
    if chance.random() < 0.3:
        found["inForceUntil"] = chance.choice(DAYS)
    elif chance.random() < 0.2:
        found["end"] = chance.choice(("OPEN", "UNKNOWN"))
    if chance.random() < 0.2:
        found["legalStage"] = chance.choice(("PROPOSED", "RECOMMENDED", "NEGOTIATED"))
    if chance.random() < 0.3:
        found["forms"] = chance.sample(("ORE", "METAL", "ALLOY", "OXIDE"), 2)
    if chance.random() < 0.2:
        found["destinations"] = chance.choice((["US"], ["EU"], ["DE", "JP"]))
    if measure == "QUOTA" and chance.random() < 0.7:
        found |= {"period": chance.choice(("2024", "2025", "2025-03", "2026"))}
        found |= {"quota": {"value": "100", "unit": "t"}, "quotaPart": "TOTAL"}
        if chance.random() < 0.3:
            found["carryOverUntil"] = chance.choice(("2026-03-31", "2027-01-31"))
    return found


def announcement(chance: Random, key: str) -> dict[str, Any]:
    """Return the opening of an instrument."""
    clauses = CLAUSES[: chance.choice((1, 2, 3))]
    return {
        "announceExportControl": {
            "id": key,
            "on": chance.choice(DAYS[:5]),
            "issuer": chance.choice(("CN", "CN", "US")),
            "direction": "EXPORT",
            "title": "Some goods",
            **any_sources(chance, source("mofcom", "2024-01-01")),
            "clauses": [any_clause(chance, one) for one in clauses],
        }
    }


def any_act(chance: Random, log: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a random act about an instrument, another account of it, or a retraction of any event."""
    told: dict[str, Any] = {"id": chance.choice(KEYS), "on": chance.choice(DAYS)}
    told |= any_sources(chance, source("mofcom", "2024-01-01"))
    dice = chance.random()
    if dice < 0.08 and log:
        why: dict[str, Any] = {"reason": "misread", "source": source("tracker", "2024-01-31")}
        return {"retractEvent": {"eventId": chance.choice(log)["id"], **why}}
    if dice < 0.14:
        return {"disputeExportControl": {**told, "account": "They deny it."}}
    named = chance.sample(CLAUSES, chance.choice((1, 1, 2))) if chance.random() < 0.6 else []
    if dice < 0.3:
        clauses = [any_clause(chance, one) for one in named or ["1"]]
        later = {"effectiveFrom": chance.choice(DAYS)} if chance.random() < 0.6 else {}
        return {"amendExportControl": {**told, "clauses": clauses, **later}}
    kind = chance.choice(WITH_CLAUSES)
    return {kind: {**told, "clauses": named, **_terms(chance, kind)}}


def _terms(chance: Random, kind: str) -> dict[str, Any]:
    """Return the random terms of an act."""
    day = chance.choice(DAYS)
    match kind:
        case "enterIntoForce":
            return {"inForceFrom": day}
        case "extendExportControl" | "expireExportControl":
            return {"inForceUntil": day}
        case "suspendExportControl":
            told: dict[str, Any] = {"suspendedFrom": day}
            end = chance.choice(("suspendedUntil", "suspendedFor", None))
            if end:
                told[end] = chance.choice(DAYS) if end == "suspendedUntil" else "P90D"
            return told | ({"entities": ["Some firm"]} if chance.random() < 0.2 else {})
        case "extendSuspension":
            return {"suspendedUntil": day} if chance.random() < 0.8 else {}
        case "stateSuspension":
            return {"suspendedUntil": day, "statedBy": "A ministry"}
        case "reinstateExportControl":
            return {"reinstatedFrom": day}
        case "repealExportControl":
            return {"repealedFrom": day}
        case "discontinueExportControl":
            outcome = chance.choice(("WITHDRAWN", "LAPSED", "CONCLUDED"))
            return {"discontinuedFrom": day, "outcome": outcome}
    return {"mergedFrom": day, "into": "another"}


async def record_law(api: Api, chance: Random, chunks: int) -> list[dict[str, Any]]:
    """Record some acts, without refused ones, and return the log."""
    log: list[dict[str, Any]] = []
    for number in range(chunks):
        there = {event["subject"] for event in log}
        missing = [key for key in KEYS if f"export-control/{key}" not in there]
        wanted = [announcement(chance, key) for key in missing]
        wanted += [any_act(chance, log) for _ in range(CHUNK)]
        await record_all(api, wanted, f"chunk-{number}")
        log = await log_of(api)
    return log
