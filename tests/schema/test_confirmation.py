"""Results tell whether a status is confirmed, follows from dates alone, or contradicts a statement."""

from datetime import date, timedelta
from typing import Any

import pytest

from schema.services import Services
from tests.support.api import Api, claim, clause, control, source, suspension

CLAUSE = """query ($day: Day!) { asOf(validAt: $day) { exportControl(id: "x") {
  clauses { status confirmation statusStatement
    confirmedBy { kind on entity position url complete }
    statedSuspension { until source { publisher } } } } } }"""
LIST = """query ($day: Day!, $confirmation: Confirmation) { asOf(validAt: $day) {
  exportControls(confirmation: $confirmation) { totalCount edges { matchingClauses { key } } }
  clauseCounts(groupBy: [CONFIRMATION]) { confirmation clauses } } }"""
EXPOSURE = """query ($day: Day!) { asOf(validAt: $day) { exposure(commodity: "rare_earths") {
  controlledShare assumedShare contradictedShare measures { share assumedShare contradictedShare }
  places { confirmation } } } }"""
TRANSITIONS = """{ asOf(validAt: "2026-12-01") { transitions(entity: "export-control/x") {
  nodes { day transition confirmation } } } }"""


@pytest.fixture
async def api(services: Services) -> Api:
    """Run the API with a control whose suspension ends on 27 November 2026, its issuer's newest act."""
    api = Api(services)
    await api.do("announceExportControl", control())
    await api.do("suspendExportControl", suspension())
    return api


async def newer_act(api: Api, on: str, issuer: str = "CN") -> None:
    """Record another act of an issuer."""
    await api.do("announceExportControl", control("y", on=on, issuer=issuer))


async def stated(api: Api, on: str = "2026-09-28") -> None:
    """Record a statement of the ministry that the suspension continues to 10 January 2027."""
    statement = {
        "id": "x",
        "on": on,
        "suspendedUntil": "2027-01-10",
        "statedBy": "China's Ministry of Commerce",
        "source": source(published_on=on),
    }
    await api.do("stateSuspension", statement)


async def confirmations(api: Api, *days: str) -> list[str]:
    """Return the confirmation of the clause's status on some days."""
    return [(await one(api, day))["confirmation"] for day in days]


async def one(api: Api, day: str) -> dict[str, Any]:
    """Return the clause on a day."""
    [found] = (await api.ask(CLAUSE, day=day))["asOf"]["exportControl"]["clauses"]
    return dict(found)


async def test_a_return_after_the_newest_act_follows_from_terms_alone(api: Api) -> None:
    assert await confirmations(api, "2025-01-01", "2026-11-27", "2026-11-28") == [
        "CONFIRMED",
        "CONFIRMED",
        "BY_TERMS",
    ]
    found = await one(api, "2026-12-01")
    assert found["statusStatement"] == (
        "In force by its own terms since 28 November 2026 (not confirmed). No list of later acts was read;"
        " the newest record that names it is of 9 November 2025."
    )
    assert found["confirmedBy"] is None


async def test_only_an_act_that_names_the_clause_confirms_the_return(api: Api) -> None:
    await newer_act(api, "2026-11-28")
    assert await confirmations(api, "2026-11-28") == ["BY_TERMS"]
    amendment = {"id": "x", "on": "2026-11-29", "clauses": [clause()]}
    await api.do("amendExportControl", {**amendment, "source": source(published_on="2026-11-29")})
    found = await one(api, "2026-11-28")
    assert (found["confirmation"], found["confirmedBy"]) == (
        "CONFIRMED",
        {
            "kind": "ACT",
            "on": "2026-11-29",
            "entity": "export-control/x",
            "position": "4",
            "url": None,
            "complete": True,
        },
    )
    assert found["statusStatement"] == "In force since 28 November 2026."


async def test_lists_read_in_part_are_named_and_confirm_no_return(api: Api) -> None:
    declaration = {
        "id": "cn",
        "on": "2026-11-29",
        "issuer": "CN",
        "acts": "EXPORT_CONTROL",
        "name": "Announcements",
        "last": "2026-11-28",
        "checkedBy": "tests",
        "source": source(published_on="2026-11-29"),
    }
    await api.do("declareCoverage", {**declaration, "leftOut": ["Numbers 2 to 10."]})
    found = await one(api, "2026-11-29")
    assert found["confirmedBy"] is None
    assert found["statusStatement"].endswith(
        " Lists read to 28 November 2026, in part: nothing found."
    )
    await api.do("declareCoverage", declaration)
    found = await one(api, "2026-11-29")
    assert found["confirmedBy"]["kind"] == "READING"
    assert found["confirmedBy"]["entity"] == "coverage/cn"


async def test_neither_other_issuers_nor_accounts_of_others_confirm_it(api: Api) -> None:
    await newer_act(api, "2026-12-01", issuer="US")
    dispute = {"id": "x", "on": "2026-12-01", "account": "It is suspended.", "source": source()}
    await api.do("disputeExportControl", dispute)
    assert await confirmations(api, "2026-12-01") == ["BY_TERMS"]


async def test_an_expiry_after_the_newest_act_follows_from_terms_alone(services: Services) -> None:
    api = Api(services)
    await api.do("announceExportControl", control("x", {**clause(), "inForceUntil": "2025-12-31"}))
    assert await confirmations(api, "2025-12-31", "2026-01-01") == ["CONFIRMED", "BY_TERMS"]
    found = await one(api, "2026-01-01")
    assert found["statusStatement"] == (
        "Expired by its own terms since 1 January 2026 (not confirmed). No list of later acts was read;"
        " the newest record that names it is of 3 December 2024."
    )


async def test_a_statement_contradicts_the_status_and_is_named(api: Api) -> None:
    await stated(api)
    assert await confirmations(api, "2026-11-27", "2026-11-28", "2027-01-10", "2027-01-11") == [
        "CONFIRMED",
        "CONTRADICTED",
        "CONTRADICTED",
        "BY_TERMS",
    ]
    found = await one(api, "2026-11-29")
    assert found["status"] == "IN_FORCE"
    assert found["statedSuspension"] == {"until": "2027-01-10", "source": {"publisher": "mofcom"}}
    assert found["statusStatement"].endswith(
        "stated on 28 September 2026 that the suspension runs to 10 January 2027;"
        " the instrument was not found."
    )
    assert found["statusStatement"].startswith(
        "In force by its own terms since 28 November 2026. China's Ministry of Commerce stated"
    )


async def test_lists_and_counts_tell_them_apart(api: Api) -> None:
    await newer_act(api, "2025-12-01")
    day = "2026-11-29"
    for confirmation, count in (("CONFIRMED", 1), ("BY_TERMS", 1), ("CONTRADICTED", 0), (None, 2)):
        found = (await api.ask(LIST, day=day, confirmation=confirmation))["asOf"]
        assert found["exportControls"]["totalCount"] == count
        assert len(found["exportControls"]["edges"]) == count
    assert found["clauseCounts"] == [
        {"confirmation": "BY_TERMS", "clauses": 1},
        {"confirmation": "CONFIRMED", "clauses": 1},
    ]


async def test_exposure_says_which_part_is_assumed_or_contradicted(services: Services) -> None:
    api = Api(services)
    on_rare_earths = {**clause(), "commodities": ["rare_earths"]}
    await api.do("announceExportControl", control("x", on_rare_earths))
    await api.do("suspendExportControl", suspension())
    await api.do("recordFigure", claim("240000"))
    await api.do("recordFigure", claim("300000", place="WORLD"))

    async def shares(day: str) -> Any:
        [found] = (await api.ask(EXPOSURE, day=day))["asOf"]["exposure"]
        [measure] = found["measures"]
        assert measure["share"] == found["controlledShare"] == "0.8000"
        [place] = found["places"]
        assert measure["assumedShare"] == found["assumedShare"]
        assert measure["contradictedShare"] == found["contradictedShare"]
        return found["assumedShare"], found["contradictedShare"], place["confirmation"]

    assert await shares("2025-01-01") == ("0.0000", "0.0000", "CONFIRMED")
    assert await shares("2026-11-29") == ("0.8000", "0.0000", "BY_TERMS")
    await stated(api)
    assert await shares("2026-11-29") == ("0.0000", "0.8000", "CONTRADICTED")


async def test_transitions_say_how_far_they_are_supported(api: Api) -> None:
    found = (await api.ask(TRANSITIONS))["asOf"]["transitions"]["nodes"]
    assert [(of["day"], of["confirmation"]) for of in found] == [
        ("2024-12-03", None),
        ("2025-11-09", "CONFIRMED"),
        ("2026-11-28", "BY_TERMS"),
    ]


UPCOMING = """{ asOf(validAt: "2026-11-29") { upcoming(days: 60) {
  nodes { day transition basis confirmation summary because { type } } } } }"""


async def test_a_stated_end_of_a_suspension_is_to_come_and_told_as_a_statement(api: Api) -> None:
    await stated(api)
    assert (await api.ask(UPCOMING))["asOf"]["upcoming"]["nodes"] == [
        {
            "day": "2027-01-11",
            "transition": "STATED_END",
            "basis": "STATEMENT",
            "confirmation": "BY_TERMS",
            "summary": "Gallium to the US: clause 1: China's Ministry of Commerce stated on"
            " 28 September 2026 that the suspension runs to 10 January 2027. By its own terms the clause"
            " is in force already; the instrument was not found.",
            "because": {"type": "ExportControl.SuspensionStated"},
        }
    ]
    assert (await one(api, "2027-01-10"))["statedSuspension"]["until"] == "2027-01-10"
    assert (await one(api, "2027-01-11"))["statedSuspension"] is None


async def test_a_later_act_leaves_no_stated_end(api: Api) -> None:
    await stated(api)
    extension = {"id": "x", "on": "2026-11-20", "suspendedUntil": "2027-01-10"}
    await api.do("extendSuspension", {**extension, "source": source(published_on="2026-11-20")})
    nodes = (await api.ask(UPCOMING))["asOf"]["upcoming"]["nodes"]
    assert [(one["day"], one["transition"]) for one in nodes] == [("2027-01-11", "RETURNS")]


SUSPENSIONS = """query ($day: Day!, $after: String) { asOf(validAt: $day) {
  exportControls(status: SUSPENDED, first: 100, after: $after) {
    pageInfo { hasNextPage endCursor }
    nodes { key clauses(status: SUSPENDED) { key suspendedUntil returnsOn } } } } }"""


@pytest.mark.parametrize("day", ["2025-06-01", "2025-12-01", "2026-06-01"])
async def test_a_suspension_ends_one_day_before_its_clause_applies_again(
    corpus: Api, day: str
) -> None:
    """Without a day of return it has no end either: until further notice."""
    found = list[tuple[str, dict[str, Any]]]()
    after = None
    while True:
        page = (await corpus.ask(SUSPENSIONS, day=day, after=after))["asOf"]["exportControls"]
        found += [(of["key"], one) for of in page["nodes"] for one in of["clauses"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert any(one["returnsOn"] for _, one in found)
    for key, one in found:
        returns = one["returnsOn"]
        last = returns and (date.fromisoformat(returns) - timedelta(1)).isoformat()
        assert one["suspendedUntil"] == last, (key, one)
