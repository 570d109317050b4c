"""Sentences of facts: each type, in plain words, without more than the fact contains."""

from datetime import date
from pathlib import Path
from random import Random
from typing import Any

from tests.support.cases import each_case
from tests.support.fact_builders import (
    announced,
    claimed,
    clause,
    decided_facts,
    fact,
    flow_claimed,
    history,
    ordered,
    retracted,
    source,
    suspended,
)
from tests.support.tariff_lines import NEW, OLD, line, readings
from tracker.domain.actors import alliance, announcement, firm
from tracker.domain.basics.codec import from_builtins
from tracker.domain.catalogue.places import Place
from tracker.domain.controls import export_control_acts as acts
from tracker.domain.controls import obligation
from tracker.domain.controls.duty_relations import Related
from tracker.domain.controls.text import Recorded
from tracker.domain.entities.fact import Fact
from tracker.domain.entities.history import RecordedFact, Retracted, effective_facts
from tracker.domain.entities.redaction import Redacted
from tracker.domain.events.names import NAMING_TYPES, NameHistory, name_given
from tracker.domain.events.registry import FACTS, RETRACTION_TYPES, entity_type
from tracker.domain.events.sentences import names_needed, sentence
from tracker.domain.evidence import coverage
from tracker.domain.evidence import watched_source_facts as watch
from tracker.domain.evidence.import_receipt import Receipt
from tracker.domain.figures.figure_facts import Claimed, Preferred
from tracker.domain.figures.tariff import LineWithdrawn
from tracker.domain.figures.tariff_edition import EditionRead
from tracker.log.entries import recorded

DAY = "2026-02-04"
NAMES = {
    "alliance/msp": "Minerals Security Partnership",
    "alliance/forge": "FORGE",
    "announcement/a": "A list of 31",
    "announcement/b": "A list of 34",
    "export-control/x": "Gallium to the US",
    "export-control/y": "The Export Control List",
    "firm/lynas": "Lynas",
    "obligation/eu-1-2": "Article 2 of Regulation 1",
    "source/us": "Federal Register",
    "text/eu-1": "Regulation 1",
}
FIGURE = "figure/rare_earths/CN/production/mine/2023"
EDITION = next(
    of.fact for of in readings() if isinstance(of.fact, EditionRead) and of.fact.edition == NEW
)


def about(stream: str, kind: type[Fact], /, on: str = DAY, **fields: Any) -> tuple[str, Fact]:
    """Return a fact about an entity."""
    return stream, fact(kind, on, **fields)


def control(kind: type[Fact], /, **fields: Any) -> tuple[str, Fact]:
    """Return an act about the control x."""
    return about("export-control/x", kind, **fields)


def source_fact(kind: type[Fact], /, **fields: Any) -> tuple[str, Fact]:
    """Return a fact about a watched source."""
    return about("source/us", kind, **fields)


LIST = "https://example.org/list"
LOOK = {"look": 7, "at": "2026-02-04T12:00:00Z"}
FETCH = {**LOOK, "address": LIST}
RECEIPT = from_builtins(
    Receipt,
    {
        "on": DAY,
        "reader": "usgs",
        "readerVersion": "1",
        "file": "mcs.csv",
        "sha256": "0" * 64,
        "size": 9,
        "counts": {"new": 3, "restated": 2, "refused": 1},
        "source": source("usgs"),
    },
)

SAYS: list[tuple[tuple[str, Fact], str]] = [
    (
        about(
            "alliance/forge", alliance.Founded, name="FORGE", members=["US", "JP"], replaces="msp"
        ),
        "FORGE is founded on 4 February 2026 in place of Minerals Security Partnership, with"
        " the United States and Japan.",
    ),
    (
        about(
            "alliance/q",
            alliance.Founded,
            "2025",
            name="Q",
            partOf="alliance/zz",
            membersKnown=False,
        ),
        "Q is founded in 2025 as part of zz; no list of its members is known.",
    ),
    (
        about("alliance/msp", alliance.Renamed, name="FORGE"),
        "Minerals Security Partnership is renamed FORGE on 4 February 2026.",
    ),
    (
        about("alliance/msp", alliance.MemberJoined, "2024-07", member="AR", role="observer"),
        "Argentina joins Minerals Security Partnership as observer in July 2024.",
    ),
    (
        about("alliance/msp", alliance.MemberLeft, member="AR"),
        "Argentina leaves Minerals Security Partnership on 4 February 2026.",
    ),
    (
        about("alliance/forge", alliance.RoleChanged, member="KR", role="chair"),
        "South Korea takes part in FORGE as chair from 4 February 2026 on.",
    ),
    (
        about("alliance/forge", alliance.MembersListed, members=["KR", "US"]),
        "FORGE: the list of members is public on 4 February 2026: South Korea and the United States.",
    ),
    (
        about("alliance/msp", alliance.Succeeded, by="forge"),
        "Minerals Security Partnership is succeeded by FORGE on 4 February 2026.",
    ),
    (
        about("alliance/msp", alliance.Dissolved),
        "Minerals Security Partnership ends on 4 February 2026.",
    ),
    (
        about(
            "announcement/a",
            announcement.Made,
            kind="commitment",
            title="A list of 31",
            actors=["forge", "US"],
            until="2027",
        ),
        "Commitment by FORGE and the United States, 4 February 2026: A list of 31 (until 2027).",
    ),
    (
        about("announcement/a", announcement.Superseded, by="announcement/b"),
        "“A list of 31” is superseded by “A list of 34” on 4 February 2026.",
    ),
    (
        ("export-control/x", announced()),
        "China announces: Gallium to the US (ban, exports of gallium; from 3 December 2024 on).",
    ),
    (
        (
            "export-control/x",
            announced(
                clause(legalStage="proposed", measure="dual_use_licence"),
                clause(
                    "2", legalStage="proposed", commodities=["germanium"], inForceFrom="2025-01"
                ),
            ),
        ),
        "China proposes: Gallium to the US (dual-use licence and ban, exports of gallium and germanium).",
    ),
    (
        (
            "export-control/x",
            announced(
                clause(items=[{"name": "Artisanal gallium"}], destinations=[], forms=["ore"]),
                clause("2", endUse="military users", destinations=["JP"], forms=["ore"]),
            ),
        ),
        "China announces: Gallium to the US (ban, exports of gallium as ore, in part to Japan, in part"
        " only Artisanal gallium, in part for military users; from 3 December 2024 on).",
    ),
    (
        ("export-control/x", announced(official=False)),
        "Reported of China, not announced: Gallium to the US (ban, exports of gallium;"
        " from 3 December 2024 on).",
    ),
    (
        control(acts.EnteredIntoForce, inForceFrom="2026-03-01"),
        "Gallium to the US: all clauses are in force from 1 March 2026 on.",
    ),
    (
        control(acts.Amended, clauses=[clause("1")], effectiveFrom="2026-03-01"),
        "Gallium to the US: amended on 4 February 2026, clause 1 is reworded from 1 March 2026 on.",
    ),
    (
        control(acts.Extended, clauses=["1"], inForceUntil="2026-12-31"),
        "Gallium to the US: clause 1 is extended until 31 December 2026.",
    ),
    (
        ("export-control/x", suspended("1", "2")),
        "Gallium to the US: clauses 1 and 2 are suspended from 9 November 2025 until 27 November 2026.",
    ),
    (
        control(acts.Suspended, suspendedFrom=DAY, entities=["Lynas"]),
        "Gallium to the US: all clauses are suspended for Lynas from 4 February 2026 until further"
        " notice.",
    ),
    (
        control(acts.SuspensionExtended, suspendedUntil="2027-01"),
        "Gallium to the US: all clauses are suspended longer, until January 2027.",
    ),
    (
        control(acts.SuspensionStated, suspendedUntil="2027-01-10", statedBy="the ministry"),
        "Gallium to the US: all clauses are suspended until 10 January 2027, as the ministry stated"
        " without an instrument.",
    ),
    (
        control(acts.Reinstated, reinstatedFrom=DAY),
        "Gallium to the US: all clauses are back in force from 4 February 2026 on.",
    ),
    (
        control(acts.Expired, clauses=["1"], inForceUntil=DAY),
        "Gallium to the US: clause 1 is expired; the last day is 4 February 2026.",
    ),
    (
        control(acts.Repealed, repealedFrom=DAY),
        "Gallium to the US: all clauses are repealed from 4 February 2026 on.",
    ),
    (
        control(acts.Discontinued, discontinuedFrom=DAY, outcome="concluded"),
        "Gallium to the US: all clauses are ended from 4 February 2026 on: concluded without a measure.",
    ),
    (
        control(acts.Merged, mergedFrom=DAY, into="y"),
        "Gallium to the US: all clauses are continued in “The Export Control List” from"
        " 4 February 2026 on.",
    ),
    (
        control(acts.Disputed, account="It was not\nso. " + "x" * 300),
        "Gallium to the US: Ministry of Commerce of China (MOFCOM) gives a different account: It was not so. "
        + "x" * 184
        + "…",
    ),
    (
        control(Related, relation={"kind": "adds_to", "other": "y", "clauses": ["1"]}),
        "Gallium to the US: the duty of clause 1 is paid in addition to that of The Export Control List.",
    ),
    (
        control(Related, relation={"kind": "yields_to", "other": "y", "otherClauses": ["2"]}),
        "Gallium to the US: the duty is not paid where that of The Export Control List, clause 2 is paid.",
    ),
    (
        control(Related, relation={"kind": "capped_at", "other": "y", "percent": "15"}),
        "Gallium to the US: the duty and that of The Export Control List are together at most 15 percent.",
    ),
    (
        control(Related, relation={"kind": "includes_ordinary"}),
        "Gallium to the US: the duty includes the ordinary duty.",
    ),
    (
        (FIGURE, claimed(270000)),
        "Rare earths, mine production, China, 2023: 270,000 t (REO), by US Geological Survey (MCS 2024).",
    ),
    (
        (FIGURE, claimed(5, qualifier="about", estimated=True, version="2")),
        "Rare earths, mine production, China, 2023: about 5 t (REO), estimated, by"
        " US Geological Survey (MCS 2024, 2).",
    ),
    (
        ("flow/hs17/811292/DE/2024", flow_claimed()),
        "Imports of 811292 (gallium, germanium, hafnium, indium and 3 more) by Germany, 2024: 10,000 USD"
        " from China and Canada, by CEPII (BACI 202601).",
    ),
    (
        ("tariff-edition/us/2026-rev-10", EDITION),
        "Harmonized Tariff Schedule of the United States (2026), Revision 10 is read: 39 chapters and"
        " headings.",
    ),
    (
        ("tariff-line/us/81129210", line("8112.92.10", OLD)),
        "Tariff line 8112.92.10 of the United States, Gallium: general 3%, column 2 25% (2025-rev-15).",
    ),
    (
        ("tariff-line/us/85076000", line("8507.60.00", NEW)),
        "Tariff line 8507.60.00 of the United States, Lithium-ion batteries: general 3.4%, column 2 40%"
        " (2026-rev-10).",
    ),
    (
        (
            "tariff-line/us/81129210",
            LineWithdrawn(
                source=line("8112.92.10").source,
                place=Place("US"),
                code="81129210",
                edition="2027-basic",
                successors=("81129215",),
            ),
        ),
        "Tariff line 8112.92.10 of the United States is not printed in 2027-basic; new: 8112.92.15.",
    ),
    (
        about(FIGURE, Preferred, publisher="usgs", reason="it counts"),
        "Rare earths, mine production, China, 2023: preferred is US Geological Survey, for this"
        " reason: it counts.",
    ),
    (
        about(
            "coverage/cn-list",
            coverage.Declared,
            name="Announcements of MOFCOM by number",
            issuer="CN",
            acts="export_control",
            last="2026-10-03",
            checkedBy="an analyst",
            leftOut=["No. 3 was not seen."],
        ),
        "Announcements of MOFCOM by number is declared as read to 3 October 2026, in part.",
    ),
    (
        about("coverage/cn-list", coverage.Withdrawn, reason="The copy was cut off"),
        "The declaration of cn-list is withdrawn on 4 February 2026: The copy was cut off.",
    ),
    (
        about(
            "obligation/eu-1-2",
            obligation.Stated,
            issuer="EU",
            act="Regulation 1",
            unit="Article 2",
            roles=["importer"],
            who="importers of tin",
            verb="report",
            object="the origin",
            addressee="customs",
        ),
        "Importers of tin must report the origin to customs (Article 2, Regulation 1).",
    ),
    (
        about(
            "obligation/eu-1-2", obligation.Postponed, act="Regulation 2", due=[{"on": "2027-03"}]
        ),
        "Article 2 of Regulation 1: due not before 31 March 2027, by Regulation 2.",
    ),
    (
        about(
            "obligation/eu-1-2",
            obligation.Postponed,
            act="Regulation 2",
            due=[{"event": "the list"}],
        ),
        "Article 2 of Regulation 1: due after an event, by Regulation 2.",
    ),
    (
        about(
            "obligation/eu-1-2", obligation.Repealed, act="Regulation 3", repealedFrom="2026-05-01"
        ),
        "Article 2 of Regulation 1: repealed from 1 May 2026 on, by Regulation 3.",
    ),
    (
        about(
            "text/eu-1",
            Recorded,
            issuer="EU",
            act="Regulation 1",
            language="en",
            kind="adopted",
            sha256="0" * 64,
            size=1,
            format="md",
            on="2026-05-01",
        ),
        "Regulation 1: text in 'en' that governs from 1 May 2026.",
    ),
    (
        about("firm/lynas", firm.Identified, name="Lynas", also=["Lynas Corp"], place="AU"),
        "Lynas is known as a firm of Australia, also Lynas Corp.",
    ),
    (
        about("firm/lynas", firm.Renamed, name="Lynas RE"),
        "Lynas is renamed Lynas RE on 4 February 2026.",
    ),
    (
        ("preference/rare_earths", ordered("usgs", "bgs", commodity="rare_earths")),
        "For rare earths publishers are preferred in this order: US Geological Survey and British"
        " Geological Survey. Reason: they state their methods.",
    ),
    (
        ("import/1", RECEIPT),
        "Import of mcs.csv by the reader usgs on 4 February 2026: 5 facts recorded, 1 refused.",
    ),
    (
        about("redaction/1", Redacted, redacts="e1", fields=["/note"], reason="an order"),
        "Texts of the event e1 are redacted on 4 February 2026: an order.",
    ),
    (
        source_fact(
            watch.Watched, name="Official Journal", adapter="eu-cellar", address=LIST, everyHours=12
        ),
        "Official Journal is watched from 4 February 2026 on, every 12 hours: https://example.org/list.",
    ),
    (
        source_fact(watch.Unwatched, reason="it moved"),
        "Federal Register is not watched any more from 4 February 2026 on: it moved.",
    ),
    (
        source_fact(
            watch.Fetched,
            **FETCH,
            status=200,
            sha256="ab" * 32,
            size=12345,
            mediaType="text/html",
            movedTo="https://example.org/new",
        ),
        "Federal Register, poll 7: https://example.org/list was fetched, from https://example.org/new:"
        " 12,345 bytes of text/html, SHA-256 abababababab…",
    ),
    (
        source_fact(watch.Unchanged, **FETCH, status=304, sha256="ab" * 32),
        "Federal Register, poll 7: https://example.org/list has not changed: SHA-256 abababababab…",
    ),
    (
        source_fact(
            watch.Failed, **FETCH, status=503, code="RATE_LIMITED", reason="come back at noon"
        ),
        "Federal Register, poll 7: https://example.org/list could not be read (RATE_LIMITED, HTTP"
        " status 503): come back at noon.",
    ),
    (
        source_fact(
            watch.Looked,
            **LOOK,
            startedAt=LOOK["at"],
            requests=1,
            complete=True,
            coversUntil="2026-02-03",
        ),
        "Federal Register was polled completely on 4 February 2026, up to what was announced by"
        " 3 February 2026: 1 request, nothing new.",
    ),
    (
        source_fact(
            watch.Looked,
            **LOOK,
            startedAt=LOOK["at"],
            requests=3,
            snapshots=1,
            candidates=2,
            complete=False,
        ),
        "Federal Register could not be polled completely on 4 February 2026: 3 requests, 1 new snapshot"
        " and 2 new candidates.",
    ),
    (
        source_fact(watch.SnapshotRedacted, sha256="ab" * 32, reason="an order"),
        "The snapshot abababababab… of Federal Register is redacted on 4 February 2026: an order.",
    ),
]


@each_case(("of", "said"), SAYS)
def test_a_fact_says_in_a_sentence_what_it_says(of: tuple[str, Fact], said: str) -> None:
    entity, what = of
    assert sentence(entity, what, {name: NAMES.get(name, "") for name in names_needed(*of)}) == said


def test_every_type_of_fact_has_a_sentence() -> None:
    assert {type(what) for (_, what), _ in SAYS} | {Retracted} == set(FACTS.values())


@each_case(
    ("quantity", "said"),
    [
        ({"value": "1234.50"}, "1,234.50 t"),
        ({"value": "1", "qualifier": "less_than"}, "less than 1 t"),
        ({"value": "1", "upper": "2000", "qualifier": "range"}, "1 to 2,000 t"),
        ({"value": "0", "qualifier": "nil"}, "0 t"),
        ({"qualifier": "withheld"}, "withheld"),
        ({"qualifier": "included_elsewhere"}, "counted elsewhere"),
    ],
)
def test_a_number_that_is_not_told_is_none(quantity: dict[str, Any], said: str) -> None:
    what = from_builtins(
        Claimed,
        {
            "series": {"commodity": "tin", "place": "VN", "statistic": "reserves"},
            "edition": "MCS 2025",
            "quantity": {"unit": "t", **quantity},
            "source": source("usgs"),
        },
    )
    assert sentence(what.stream, what, {}) == (
        f"Tin, reserves, Vietnam: {said}, by US Geological Survey (MCS 2025)."
    )


def test_a_retraction_says_what_it_retracts_and_why() -> None:
    target = "export-control/x", suspended()
    said = sentence(*target, NAMES)
    [wrong] = (retracted("e2"),)
    assert sentence(target[0], wrong, NAMES, target) == f"Retracted: “{said}” Reason: misread."
    correction = from_builtins(
        Retracted, {"retracts": "e2", "reason": "misread", "replacement": "e3", "source": source()}
    )
    assert sentence(target[0], correction, NAMES, target).startswith("Corrected: “Gallium to")
    assert sentence(target[0], wrong, NAMES, (target[0], wrong)) == (
        "Retracted: the retraction e2. Reason: misread."
    )


def test_a_name_is_that_of_the_time_of_the_fact() -> None:
    stream = "alliance/msp"
    known = decided_facts(
        stream,
        fact(alliance.Founded, "2022-06-14", name="MSP"),
        fact(alliance.Renamed, "2026-02-04", name="FORGE"),
        fact(alliance.MemberJoined, "2026-03-01", member="AR"),
        fact(alliance.MemberJoined, "2024-03-01", member="BR"),
        retracted("e2"),
        fact(alliance.MemberLeft, "2026-06-01", member="AR"),
    )
    history = NameHistory(known)
    names = [history.before(item.position, item.fact.public_on) for item in known]
    assert names == [None, "MSP", "FORGE", "MSP", "MSP", "MSP"]
    assert history.before(3, date(2020, 1, 1)) == "MSP"  # a fact of before it was founded


def test_a_name_that_was_corrected_counts_from_then_on() -> None:
    known = decided_facts(
        "export-control/x", announced(title="Galium"), retracted("e1"), announced(title="Gallium")
    )
    day = date(2025, 1, 1)
    assert [NameHistory(known).before(position, day) for position in (2, 3, 4)] == [
        "Galium",
        "Galium",
        "Gallium",
    ]


def test_types_that_name_entities_are_those_with_a_title_or_a_name() -> None:
    naming = {
        type_ for type_, kind in FACTS.items() if {"title", "name"} & {*kind.__struct_fields__}
    }
    # an obligation is named by its act and article, a text by its act
    assert set(NAMING_TYPES) == {*naming, "Obligation.Stated", "Text.Recorded"}


def test_a_name_comes_back_with_the_retraction_of_its_retraction() -> None:
    known = decided_facts(
        "alliance/msp",
        fact(alliance.Founded, "2022-06-14", name="MSP"),
        fact(alliance.Renamed, "2026-02-04", name="FORGE"),
        retracted("e2"),
        retracted("e3"),
        fact(alliance.MemberJoined, "2026-03-01", member="AR"),
    )
    history, day = NameHistory(known), date(2026, 5, 1)
    assert [history.before(position, day) for position in (3, 4, 5, 6)] == [
        "FORGE",
        "MSP",
        "FORGE",
        "FORGE",
    ]


def test_corrections_of_facts_that_name_nothing_leave_names_alone() -> None:
    correction = from_builtins(
        Retracted, {"retracts": "e2", "reason": "misread", "replacement": "e4", "source": source()}
    )
    known = decided_facts("export-control/x", announced(), suspended(), correction, suspended())
    naming = [item for item in known if item.event_id != "e2"]  # some types are required
    assert NameHistory(naming).before(9, date(2026, 1, 1)) == "Gallium to the US"


# --- every fact that can be


def sentences_of(entity: str, known: list[RecordedFact]) -> list[str]:
    """Return the sentences of all facts of one entity."""
    types = {*NAMING_TYPES, *RETRACTION_TYPES}
    names = NameHistory([item for item in known if item.type in types])
    by_id = {item.event_id: item for item in known}
    said = []
    for item in known:
        target = by_id.get(getattr(item.fact, "retracts", ""))
        subject = target or item
        name = names.before(subject.position, subject.fact.public_on)
        retracted_fact = (entity, target.fact) if target else None
        said.append(sentence(entity, item.fact, {entity: name or ""}, retracted_fact))
    return said


def by_entity(events: list[tuple[str, RecordedFact]]) -> dict[str, list[RecordedFact]]:
    """Return the facts of each entity, in log order."""
    found: dict[str, list[RecordedFact]] = {}
    for entity, known in events:
        found.setdefault(entity, []).append(known)
    return found


@each_case("seed", range(10))
def test_whatever_happened_can_be_said_and_by_the_name_of_its_time(seed: int) -> None:
    told = []
    for n, order in enumerate(history(Random(seed), 150), 1):
        type_ = entity_type(order.stream).type_of(order.fact)
        told.append((order.stream, RecordedFact(n, order.event_id, type_, order.fact)))
    for entity, known in by_entity(told).items():
        for said in sentences_of(entity, known):
            assert said.endswith((".", "…")), said
        names = NameHistory(known)
        for item in known:
            before = [one for one in known if one.position < item.position]
            in_use = [one for one in effective_facts(before) if name_given(one.fact)]
            public = [one for one in in_use if one.fact.public_on <= item.fact.public_on]
            expected = [*reversed(public), *in_use] or [o for o in before if name_given(o.fact)]
            found = names.before(item.position, item.fact.public_on)
            assert found == (name_given(expected[0].fact) if expected else None)


def test_a_log_of_an_older_version_can_be_said() -> None:
    entries = (Path(__file__).parents[1] / "truth/old_log/events.jsonl").read_bytes().splitlines()
    events = [recorded(entry) for entry in entries]
    for entity, known in by_entity([(event.stream, event.known) for event in events]).items():
        for said in sentences_of(entity, known):
            assert said.endswith((".", "…", "?", "!")), said
