"""Many days in one query, compared with separate queries."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api
from tests.truth.oracle.compare import expect_no

CAUSE = "because { position } basis announcedOn confirmedBy { position }"
FIELDS = {
    "reasons": """exportControls(commodity: "rare_earths", first: 100) { nodes { key clauses {
        key status statusSince statusBecause { position } assumed because { position }
        statuses { status from until basis } } } }""",
    "of a firm": """exportControls(firm: "PT Freeport Indonesia") { edges { node { key }
        matchingClauses { key } } }
        announcements(firm: "mp-materials") { nodes { key } }
        firm(id: "mp-materials") { name clauses { clause { key } } announcements { key } }""",
    "in common": """exportControls(commodity: "nickel", issuer: "ID") { edges { node { key }
        matchingClauses { key } } }""",
    "transitions": f"""transitions(commodity: "gallium", first: 100) {{
        totalCount nodes {{ day entity clause transition {CAUSE} }} }}""",
    "timeline": """timeline(commodity: "gallium", first: 100) {
        totalCount nodes { day kind entity title publication { publisher edition claims } } }""",
    "timeline of a firm": 'timeline(firm: "MP Materials Corp.") { nodes { day entity summary } }',
    "memberships": """memberships(alliances: ["msp", "forge"], first: 100) {
        nodes { alliance { key } place { code } kind from until } }""",
    "always": """memberships(places: ["EE", "US"], between: {from: "2010-01-01"}, first: 100) {
        nodes { alliance { key } place { code } kind from until } }""",
    "editions": 'editions(commodity: "cobalt") { nodes { edition claims lastPosition } }',
    "revisions": """revisions(commodity: "gallium", first: 100) {
        totalCount nodes { position change before { position } } }""",
    "sources": """exportControls(commodity: "gallium", verified: true) { nodes { key } }
        claims(commodity: "gallium", verified: true, first: 100) { totalCount nodes { position } }""",
    "exposure": """exposure(commodity: "nickel") { stage year controlledShare partlyControlledShare
        places { place { code } share inForce { control { key } clause { key } reach } } }""",
    "codes": 'exportControls(hsCode: "720260") { edges { node { key } matchingClauses { key } } }',
}


@pytest.mark.parametrize("name", FIELDS)
async def test_many_days_are_answered_as_each_by_itself(api: Api, name: str) -> None:
    head = (await api.ask("{ head }"))["head"]
    found = []
    for days in (
        'from: "2009-06-01", to: "2013-06-01", step: YEAR',
        'from: "2025-11-09", to: "2026-12-09", step: QUARTER',
    ):
        asked = f'{{ over({days}, position: "{head}") {{ validAt {FIELDS[name]} }} }}'
        for together in (await api.ask(asked))["over"]:
            day = together.pop("validAt")
            alone = await by_itself(api, day, head, FIELDS[name])
            if together != alone:
                found.append(f"{day}: together {together}, alone {alone}")
    expect_no(found)


async def by_itself(api: Api, day: str, position: str, fields: str) -> Any:
    """Return the result for one day."""
    return (await api.ask(f'{{ asOf(validAt: "{day}", position: "{position}") {{ {fields} }} }}'))[
        "asOf"
    ]
