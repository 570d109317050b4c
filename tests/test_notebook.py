"""The notebook answers its questions from a server and from a static site as GraphQL does."""

import asyncio
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from schema.services import Access, Services
from tests.support.api import Api
from tests.support.checkout import ROOT
from tests.support.fact_builders import announced, claimed, clause, fact
from tests.support.published_sites import MOST_PAGES, publish
from tests.support.time_limits import within
from tests.support.web_server import serving
from tracker.audit.sign.keystore import KeyStore
from tracker.domain.actors.alliance import Founded, MemberJoined
from tracker.postgres.database import Target

NOTEBOOK = ROOT / "docs" / "notebooks" / "questions.py"
RUN = """
import json, runpy, sys
_, defined = runpy.run_path(sys.argv[1])["app"].run(defs={"source": sys.argv[2]})
names = ("in_force", "upcoming", "publishers", "output", "members")
print(json.dumps({name: defined[name].rows() for name in names}))
"""
QUESTIONS = """{ asOf(validAt: "2026-11-29") {
    exportControls(first: 200) { nodes { issuer { code } clauses { status } } }
    upcoming(days: 90, first: 200) { nodes { day entity transition } }
    claims(first: 200) { nodes { publisher preferred value unit
      series { commodity { key } place { code } statistic stage period } } }
    alliances(first: 200) { nodes { key members { place { code } } } } } }"""


async def record_facts(services: Services) -> None:
    """Record acts of two issuers, claims of two publishers and a member."""
    ends = clause("2", inForceUntil="2027-01-15")
    facts = (
        ("export-control/cn-gallium", announced(clause(), ends)),
        ("export-control/us-tariff", announced(issuer="US")),
        ("export-control/in-later", announced(clause(inForceFrom="2026-12-24"), issuer="IN")),
        ("figure/rare_earths/CN/production/mine/2023", claimed(240000)),
        ("figure/rare_earths/CN/production/mine/2023", claimed(255000, publisher="bgs")),
        ("figure/rare_earths/CN/production/mine/2022", claimed(210000, year=2022)),
        ("alliance/quad", fact(Founded, "2025-07-01", name="Quad")),
        ("alliance/quad", fact(MemberJoined, "2025-07-01", member="JP")),
    )
    for number, (entity, recorded) in enumerate(facts):
        await services.commands.record(entity, recorded, idempotency_key=str(number))
    await services.projector.reach(await services.recorder.head())


async def answers_from(source: str) -> dict[str, list[list[Any]]]:
    """Return the rows of the notebook's answers, from a server or a directory."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        RUN,
        str(NOTEBOOK),
        source,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(within(100)):
        printed, complaints = await process.communicate()
    assert process.returncode == 0, complaints.decode()
    answers: dict[str, list[list[Any]]] = json.loads(printed)
    return answers


async def expected_answers(services: Services) -> dict[str, list[list[Any]]]:
    """Return the same answers from GraphQL."""
    state = (await Api(services).ask(QUESTIONS))["asOf"]
    issuers = Counter(
        control["issuer"]["code"]
        for control in state["exportControls"]["nodes"]
        for each in control["clauses"]
        if each["status"] == "IN_FORCE"
    )
    claims = state["claims"]["nodes"]
    publishers = Counter(claim["publisher"] for claim in claims)
    series = {"commodity": {"key": "rare_earths"}, "place": {"code": "CN"}}
    of_china = [
        claim
        for claim in claims
        if claim["preferred"]
        and claim["series"] | series | {"statistic": "PRODUCTION", "stage": "MINE"}
        == claim["series"]
    ]
    by_count = [
        sorted(each.items(), key=lambda item: (-item[1], item[0])) for each in (issuers, publishers)
    ]
    return {
        "in_force": [list(row) for row in by_count[0]],
        "upcoming": sorted(list(node.values()) for node in state["upcoming"]["nodes"]),
        "publishers": [list(row) for row in by_count[1]],
        "output": sorted(
            [claim["series"]["period"], int(claim["value"]), claim["unit"]] for claim in of_china
        ),
        "members": sorted(
            [node["key"], len(node["members"])]
            for node in state["alliances"]["nodes"]
            if node["members"]
        ),
    }


async def test_the_notebook_answers_as_graphql_does(
    services: Services, target: Target, keystore: KeyStore, tmp_path: Path
) -> None:
    await record_facts(services)
    expected = await expected_answers(services)
    assert all(expected.values())
    async with serving(services, Access()) as (address, *_):
        assert await answers_from(f"http://{address}") == expected
    omitted = (*MOST_PAGES, "alliances", "controls", "events", "figures")
    assert await publish(target, tmp_path / "site", keystore, *omitted, signed=False)
    assert await answers_from(str(tmp_path / "site")) == expected
