"""Random firms, with announcements and clauses that name them, under few names."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.truth.oracle.histories import source
from tests.truth.oracle.law_histories import DAYS, KEYS, any_clause

NAMES = ("Some firm", "SOME  firm", "Other Ltd", "Third, Inc.", "Straße AG", "STRASSE AG")
FIRMS = ("some-firm", "other", "third")
ASKED = (*NAMES, *FIRMS, "firm/other", "nobody")


def any_firm_command(chance: Random, log: list[dict[str, Any]], number: int) -> dict[str, Any]:
    """Return a random fact about a firm, or one that names firms, or a retraction."""
    told: dict[str, Any] = {"on": chance.choice(DAYS), "source": source("mofcom", "2024-01-01")}
    named = chance.sample(NAMES, chance.choice((1, 1, 2)))
    match chance.randrange(8):
        case 0 | 1:
            also = chance.sample(NAMES, chance.choice((0, 1)))
            firm = {"id": chance.choice(FIRMS), "name": named[0], "also": also}
            return {"identifyFirm": {**told, **firm}}
        case 2:
            return {"renameFirm": {**told, "id": chance.choice(FIRMS), "name": named[0]}}
        case 3 | 4:
            made = {
                "id": f"n{number}",
                "kind": "STATEMENT",
                "actors": [chance.choice(("CN", "US"))],
            }
            goods = chance.sample(("gallium", "rare_earths", "dysprosium"), 1)
            about = {"title": "They say so", "firms": named, "commodities": goods}
            return {"recordAnnouncement": {**told, **made, **about}}
        case 5 | 6:
            clause = any_clause(chance, chance.choice(("1", "2", "3")))
            clause[chance.choice(("entities", "exporters"))] = named
            return {"amendExportControl": {**told, "id": chance.choice(KEYS), "clauses": [clause]}}
    event = chance.choice(log)["id"]
    return {"retractEvent": {"eventId": event, "reason": "misread", "source": told["source"]}}
