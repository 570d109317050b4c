"""The ten rules of the domain on real cases of the corpus, queried through GraphQL.

docs/domain.md has the rules in the same order. The details of each rule are tested with its entity
(`test_export_control.py`, `test_alliance.py`, `test_figure.py`, …).
"""

from typing import Any

import pytest

from schema.services import Services
from tests.support.api import Api, claim, source


@pytest.fixture
def api(read_services: Services) -> Api:
    """Run the API on the shipped corpus."""
    return Api(read_services)


async def control(api: Api, id: str, day: str) -> dict[str, Any] | None:
    """Return an instrument on a day, with its clauses by id."""
    data = await api.ask(
        """query ($id: String!, $day: Day) { asOf(validAt: $day) {
        exportControl(id: $id) { announcedOn official clauses {
          key status inForceFrom inForceUntil firstInForce suspendedUntil returnsOn measure covers
          endUse entities entityCount territory deMinimisPercent destinations { code } }
          disputes { account assessment commodities { key } source { publisher publishedOn } }
          because { eventId } } } }""",
        id=id,
        day=day,
    )
    found: dict[str, Any] | None = data["asOf"]["exportControl"]
    if found:
        found["clauses"] = {clause["key"]: clause for clause in found["clauses"]}
    return found


async def clause(api: Api, instrument: str, day: str, id: str = "1") -> dict[str, Any]:
    """Return a clause of an instrument on a day."""
    found = await control(api, instrument, day)
    assert found
    told: dict[str, Any] = found["clauses"][id]
    return told


async def statuses(api: Api, instrument: str, days: list[str], id: str = "1") -> list[str]:
    """Return the statuses of a clause on some days."""
    return [(await clause(api, instrument, day, id))["status"] for day in days]


async def claims(api: Api, figure: str, day: str) -> dict[str, dict[str, Any]]:
    """Return the claims on a figure by edition."""
    data = await api.ask(
        """query ($id: String!, $day: Day) { asOf(validAt: $day) {
        figure(id: $id) { claims { edition editionVersion publisher value upper unit basis
          qualifier estimated rounded latest preferred } } } }""",
        id=figure,
        day=day,
    )
    return {
        f"{claim['edition']} {claim['editionVersion'] or ''}".strip(): claim
        for claim in data["asOf"]["figure"]["claims"]
    }


# --- 1: announced, in force and recorded are three dates


async def test_gabons_ban_is_announced_four_years_before_it_is_in_force(api: Api) -> None:
    assert await control(api, "ga-2025-mn", "2025-05-29") is None
    assert await statuses(api, "ga-2025-mn", ["2025-05-30", "2028-12-31", "2029-01-01"]) == [
        "ANNOUNCED",
        "ANNOUNCED",
        "IN_FORCE",
    ]
    data = await api.ask(
        '{ events(first: 1, entity: "export-control/ga-2025-mn") {'
        ' nodes { recordedAt } } asOf(knownAt: "2025-06-01") { position } }'
    )
    [event] = data["events"]["nodes"]
    assert event["recordedAt"] > "2025-06-01"
    assert data["asOf"]["position"] == "0"


async def test_malaysias_ban_has_no_date_until_one_is_given(api: Api) -> None:
    before = await clause(api, "my-2023-ree", "2023-12-31")
    assert (before["status"], before["inForceFrom"]) == ("ANNOUNCED", None)
    after = await clause(api, "my-2023-ree", "2024-01-01")
    assert (after["status"], after["inForceFrom"]) == ("IN_FORCE", "2024-01-01")


# --- 2: an instrument has clauses with their own dates, goods, destinations and status


async def test_mofcom_61_controls_goods_made_in_china_before_those_made_abroad(api: Api) -> None:
    course = ["2025-10-09", "2025-11-06", "2025-11-07", "2025-12-01", "2026-11-10", "2026-11-11"]
    assert await statuses(api, "cn-mofcom-2025-61", course, "originating-in-china") == [
        "IN_FORCE",
        "IN_FORCE",
        "SUSPENDED",
        "SUSPENDED",
        "SUSPENDED",
        "IN_FORCE",
    ]
    assert await statuses(api, "cn-mofcom-2025-61", course, "de-minimis") == [
        "ANNOUNCED",
        "ANNOUNCED",
        "SUSPENDED",
        "SUSPENDED",
        "SUSPENDED",
        "IN_FORCE",
    ]
    abroad = await clause(api, "cn-mofcom-2025-61", "2026-11-11", "de-minimis")
    assert abroad["firstInForce"] == "2026-11-11"


async def test_a_status_is_asked_of_the_clause_that_answers_to_the_rest_of_the_question(
    api: Api,
) -> None:
    """MOFCOM 46/2024: clause 1 is in force, but it does not cover gallium goods."""
    asked = """query ($commodity: String, $status: ClauseStatus) { asOf(validAt: "2025-11-20") {
        exportControls(issuer: "CN", destination: "US", measure: BAN, commodity: $commodity,
                       status: $status) { nodes { key } } } }"""

    async def found(commodity: str, status: str) -> bool:
        data = await api.ask(asked, commodity=commodity, status=status)
        nodes = data["asOf"]["exportControls"]["nodes"]
        return "cn-mofcom-2024-46" in [node["key"] for node in nodes]

    assert await found("gallium", "SUSPENDED")
    assert not await found("gallium", "EXPIRED")
    assert not await found("lithium", "SUSPENDED")


# --- 3: a suspension carries its own end, an extension is a new event


async def test_the_us_affiliates_rule_returns_by_itself(api: Api) -> None:
    suspended = await clause(api, "us-bis-2025-19001", "2025-11-10")
    assert (suspended["status"], suspended["suspendedUntil"], suspended["returnsOn"]) == (
        "SUSPENDED",
        "2026-11-09",
        "2026-11-10",
    )
    assert await statuses(api, "us-bis-2025-19001", ["2025-11-09", "2026-11-09", "2026-11-10"]) == [
        "IN_FORCE",
        "SUSPENDED",
        "IN_FORCE",
    ]


async def test_a_longer_suspension_of_mofcom_72_would_be_known_from_its_own_day_on(
    corpus_services: Services,
) -> None:
    api = Api(corpus_services)
    later = {"id": "cn-mofcom-2024-46", "on": "2026-11-10", "source": source()}
    longer = await api.do(
        "extendSuspension", {**later, "clauses": ["2"], "suspendedUntil": "2027-11-27"}
    )
    returns = [
        (await clause(api, "cn-mofcom-2024-46", day, "2"))["returnsOn"]
        for day in ("2026-11-09", "2026-11-10")
    ]
    assert returns == ["2026-11-28", "2027-11-28"]
    assert await statuses(api, "cn-mofcom-2024-46", ["2026-11-28", "2027-11-28"], "2") == [
        "SUSPENDED",
        "IN_FORCE",
    ]
    assert longer["event"]["type"] == "ExportControl.SuspensionExtended"


async def test_a_clause_suspended_the_day_before_its_start_was_never_in_force(api: Api) -> None:
    for number in (55, 57):
        instrument = f"cn-mofcom-2025-{number}"
        for day in ("2025-11-06", "2025-11-07", "2025-11-08", "2026-11-10"):
            assert (await clause(api, instrument, day))["firstInForce"] is None
        assert (await clause(api, instrument, "2026-11-11"))["firstInForce"] == "2026-11-11"


async def test_the_congolese_ban_is_extended_twice_and_then_over(api: Api) -> None:
    ends = [
        (await clause(api, "cd-2025-001", day))["inForceUntil"]
        for day in ("2025-06-20", "2025-06-21", "2025-09-20")
    ]
    assert ends[1:] == ["2025-09-20", "2025-10-15"]
    assert await statuses(api, "cd-2025-001", ["2025-10-15", "2025-10-16"]) == [
        "IN_FORCE",
        "EXPIRED",
    ]


# --- 4: coverage is partial


LIMITS = [
    (
        "cn-mofcom-2024-46",
        "2025-06-01",
        "1",
        {"endUse": "military users and military uses", "destinations": [{"code": "US"}]},
    ),
    ("cn-mofcom-2026-11", "2026-03-01", "1", {"entityCount": 20, "destinations": [{"code": "JP"}]}),
    (
        "cn-mofcom-2025-61",
        "2025-11-01",
        "de-minimis",
        {"territory": "ONLY_ABROAD", "deMinimisPercent": "0.1", "destinations": []},
    ),
    (
        "cn-technology-catalogue",
        "2024-06-01",
        "rare-earths",
        {"covers": "TECHNOLOGY", "measure": "BAN"},
    ),
]


async def test_a_clause_says_whom_and_what_it_is_limited_to(api: Api) -> None:
    for instrument, day, id, expected in LIMITS:
        told = await clause(api, instrument, day, id)
        assert {name: told[name] for name in expected} == expected


async def test_a_destination_finds_what_is_for_it_and_what_is_for_all(api: Api) -> None:
    async def found(destination: str) -> set[str]:
        data = await api.ask(
            """query ($to: String) { asOf(validAt: "2026-03-01") {
            exportControls(issuer: "CN", destination: $to, first: 100) { nodes { key } } } }""",
            to=destination,
        )
        return {node["key"] for node in data["asOf"]["exportControls"]["nodes"]}

    japan, states = await found("JP"), await found("US")
    assert {"cn-mofcom-2026-1", "cn-mofcom-2024-46", "cn-mofcom-2024-51"} & japan == {
        "cn-mofcom-2026-1",
        "cn-mofcom-2024-51",
    }
    assert {"cn-mofcom-2026-1", "cn-mofcom-2024-46", "cn-mofcom-2024-51"} & states == {
        "cn-mofcom-2024-46",
        "cn-mofcom-2024-51",
    }


# --- 5: a figure belongs to an edition


async def test_a_later_edition_restates_and_overwrites_nothing(api: Api) -> None:
    output = "rare_earths/CN/production/mine/2023"
    then, now = await claims(api, output, "2024-06-01"), await claims(api, output, "2025-06-01")
    assert (then["MCS 2024"]["value"], then["MCS 2024"]["latest"]) == ("240000", True)
    assert (now["MCS 2024"]["value"], now["MCS 2024"]["latest"]) == ("240000", False)
    assert (now["MCS 2025"]["value"], now["MCS 2025"]["preferred"]) == ("255000", True)


async def test_an_edition_may_have_versions(corpus_services: Services) -> None:
    api = Api(corpus_services)
    output = "rare_earths/CN/production/mine/2023"
    restated = {
        **claim("270000", edition="MCS 2025", published_on="2025-03-01"),
        "editionVersion": "1.2",
    }
    await api.do("recordFigure", restated)
    assert await api.fails("recordFigure", {**restated, "quantity": claim("1")["quantity"]}) == (
        "DUPLICATE_CLAIM",
        ["input", "edition"],
    )
    before, after = await claims(api, output, "2025-02-28"), await claims(api, output, "2025-03-01")
    assert "MCS 2025 1.2" not in before
    assert [
        (after[edition]["value"], after[edition]["latest"])
        for edition in ("MCS 2025", "MCS 2025 1.2")
    ] == [("255000", False), ("270000", True)]


# --- 6: a value is a number plus a qualifier, never coerced to 0


QUALIFIED = [
    ("barite/US/production/mine/2021", "MCS 2023", None, "WITHHELD"),
    ("antimony/GT/reserves", "MCS 2023", None, "NOT_AVAILABLE"),
    ("rhenium/WORLD/reserves", "MCS 2023", None, "LARGE"),
    ("graphite/US/reserves", "MCS 2023", None, "INCLUDED_ELSEWHERE"),
    ("nickel/WORLD/reserves", "MCS 2023", "100000000", "MORE_THAN"),
    ("helium/ZA/production/plant/2025", "MCS 2026", "0.5", "LESS_THAN"),
    ("fused_alumina/MX/capacity/plant/2024", "MCS 2026", "0", "NIL"),
    ("yttrium/WORLD/production/mine/2025", "MCS 2026", "10000", "RANGE"),
    ("rare_earths/CN/production_share/mine/2023", "Sohu 2025-07-07", "70", "NEARLY"),
]


async def test_a_qualifier_stands_beside_or_instead_of_the_number(api: Api) -> None:
    for figure, edition, value, qualifier in QUALIFIED:
        told = (await claims(api, figure, "2026-06-01"))[edition]
        assert (told["value"], told["qualifier"]) == (value, qualifier)
        assert told["upper"] == ("15000" if qualifier == "RANGE" else None)


async def test_nothing_is_computed_from_what_has_no_number(api: Api) -> None:
    data = await api.ask("""{ asOf(validAt: "2023-06-01") {
        production(commodity: "barite", year: 2021) { withoutNumber { code }
          figures { place { code } value share shareUnavailableReason } concentration { topThree { code } }
        } } }""")
    found = data["asOf"]["production"]
    [states] = [f for f in found["figures"] if f["place"]["code"] == "US"]
    assert {"code": "US"} in found["withoutNumber"]
    assert (states["value"], states["share"]) == (None, None)
    assert states["shareUnavailableReason"] == "its figure has no number"


# --- 7: a unit carries a basis


async def test_reserves_on_two_bases_are_not_one_series_of_numbers(api: Api) -> None:
    told = await claims(api, "chromium/ZA/reserves", "2026-06-01")
    assert (told["MCS 2025"]["value"], told["MCS 2025"]["basis"]) == (
        "200000",
        "shipping-grade ore",
    )
    assert (told["MCS 2026"]["value"], told["MCS 2026"]["basis"]) == ("350000", "gross weight")


async def test_a_number_without_a_basis_has_none_of_ours(api: Api) -> None:
    told = await claims(api, "rare_earths/CN/production/mine/2023", "2025-08-01")
    assert (told["Sohu 2025-07-07"]["basis"], told["MCS 2025"]["basis"]) == (None, "REO")


# --- 8: aggregates are not countries, and actors may be alliances


async def test_world_and_other_countries_are_not_producers(api: Api) -> None:
    """MCS 2024 no longer states Burundi's output of 2022, nor that of other countries."""
    document = """query ($day: Day) { asOf(validAt: $day) {
        production(commodity: "rare_earths", year: 2022) { world { value rounded }
          figures { place { code } edition } concentration { topThree { code }
          computedFrom { series { place { code } } } } } } }"""
    for day in ("2023-06-01", "2024-06-01"):
        found = (await api.ask(document, day=day))["asOf"]["production"]
        assert found["world"]["rounded"]
        computed = [c["series"]["place"]["code"] for c in found["concentration"]["computedFrom"]]
        assert computed[0] == "WORLD"
        assert not {"OTHER", "EU"} & {*computed}
        editions = {f["place"]["code"]: f["edition"] for f in found["figures"]}
        assert editions["OTHER"] == editions["BI"] == "MCS 2023"
        assert editions["CN"] == ("MCS 2023" if day < "2024" else "MCS 2024")


async def test_an_alliance_acts_beside_states(api: Api) -> None:
    data = await api.ask("""{ asOf(validAt: "2025-08-01") {
        announcements(actor: "quad", first: 100) {
          nodes { key actors { key place { code } } } } } }""")
    actors = {node["key"]: node["actors"] for node in data["asOf"]["announcements"]["nodes"]}
    assert actors["quad-2025-07-01-qcmi"][:2] == [
        {"key": "quad", "place": None},
        {"key": "US", "place": {"code": "US"}},
    ]


async def test_another_account_of_mofcom_10_stands_beside_it(api: Api) -> None:
    before = await control(api, "cn-mofcom-2025-10", "2025-04-27")
    after = await control(api, "cn-mofcom-2025-10", "2025-04-28")
    assert before
    assert after
    assert before["clauses"] == after["clauses"]
    [dispute] = after["disputes"]
    assert dispute["source"] == {"publisher": "iea", "publishedOn": "2025-04-28"}
    assert dispute["assessment"] == "wrong"
    assert {"key": "tin"} in dispute["commodities"]


async def test_a_measure_that_its_issuer_denies_is_marked_so(api: Api) -> None:
    """In 2010 others reported a halt of exports to Japan, which China denied."""
    halt = await control(api, "cn-2010-japan-halt", "2010-10-01")
    assert halt
    assert (halt["official"], halt["clauses"]["1"]["status"]) == (False, "IN_FORCE")


async def test_two_accounts_of_one_framework_name_each_other(api: Api) -> None:
    ids = ("us-au-2025-10-20-framework", "us-au-2025-10-20-whitehouse")
    data = await api.ask(
        """query ($a: String!, $b: String!) { asOf(validAt: "2025-11-01") {
        a: announcement(id: $a) { conflictsWith } b: announcement(id: $b) { conflictsWith } } }""",
        a=ids[0],
        b=ids[1],
    )
    assert data["asOf"] == {
        "a": {"conflictsWith": [f"announcement/{ids[1]}"]},
        "b": {"conflictsWith": [f"announcement/{ids[0]}"]},
    }


# --- 10: dates have a precision, identities change


async def test_estonia_joined_in_a_month_and_became_public_on_a_day(api: Api) -> None:
    document = """query ($day: Day) { asOf(validAt: $day) { alliance(id: "msp") {
        members { place { code } since } } } }"""
    before, after = [
        {m["place"]["code"]: m["since"] for m in data["asOf"]["alliance"]["members"]}
        for data in [await api.ask(document, day=day) for day in ("2024-03-04", "2024-03-05")]
    ]
    assert "EE" not in before
    assert (after["EE"], after["US"]) == ("2024-03", "2022-06-14")


async def test_the_edition_of_which_only_the_month_is_known_is_public_from_its_first_day(
    api: Api,
) -> None:
    output = "rare_earths/CN/reserves"
    assert "MCS 2026" not in await claims(api, output, "2026-01-31")
    assert "MCS 2026" in await claims(api, output, "2026-02-01")


async def test_the_minerals_security_partnership_became_forge(api: Api) -> None:
    document = """query ($day: Day) { asOf(validAt: $day) {
        msp: alliance(id: "msp") { status succeededBy endedOn }
        forge: alliance(id: "forge") { name replaces foundedOn } } }"""
    before = (await api.ask(document, day="2026-02-03"))["asOf"]
    after = (await api.ask(document, day="2026-02-04"))["asOf"]
    assert before == {
        "msp": {"status": "ACTIVE", "succeededBy": None, "endedOn": None},
        "forge": None,
    }
    assert after["msp"] == {"status": "SUCCEEDED", "succeededBy": "forge", "endedOn": "2026-02-04"}
    assert (after["forge"]["replaces"], after["forge"]["foundedOn"]) == ("msp", "2026-02-04")


async def test_a_rename_keeps_what_an_alliance_was_called(corpus_services: Services) -> None:
    api = Api(corpus_services)
    """No alliance of the corpus was renamed without a successor, so this one is invented."""
    await api.do(
        "renameAlliance",
        {
            "id": "forge",
            "on": "2026-06-01",
            "name": "FORGE",
            "source": source(published_on="2026-06-01"),
        },
    )
    data = await api.ask(
        '{ asOf(validAt: "2026-06-01") { alliance(id: "forge") { name formerNames } } }'
    )
    assert data["asOf"]["alliance"] == {
        "name": "FORGE",
        "formerNames": ["Forum on Resource Geostrategic Engagement (FORGE)"],
    }
