"""Events behind a clause's state, its start, and the event of a dispute."""

from typing import Any

from schema.services import Services
from tests.support.api import Api, clause, control, source, suspension

CLAUSES = """query ($day: Day, $position: Position) { asOf(validAt: $day, position: $position) {
  exportControl(id: "x") { clauses {
    key status statusSince statusBecause { eventId } because { eventId }
    statuses { status from until basis because { eventId } confirmedBy { eventId } } } } } }"""


async def clauses(api: Api, day: str, position: str | None = None) -> dict[str, dict[str, Any]]:
    """Return the clauses of the control on a day, by key."""
    found = (await api.ask(CLAUSES, day=day, position=position))["asOf"]["exportControl"]
    return {one["key"]: one for one in found["clauses"]}


def reasons(clause: dict[str, Any]) -> list[str]:
    """Return the ids of the events in a clause."""
    return [one["eventId"] for one in clause["because"]]


async def test_a_clause_names_its_own_events_and_those_about_all(api: Api) -> None:
    begun = await api.do("announceExportControl", control("x", clause("1"), clause("2")))
    rest = await api.do("suspendExportControl", suspension("x", "2"))
    all_end = {"id": "x", "on": "2027-01-10", "repealedFrom": "2027-02-01", "source": source()}
    end = await api.do("repealExportControl", all_end)
    ids = {name: said["eventId"] for name, said in (("b", begun), ("s", rest), ("e", end))}
    later = await clauses(api, "2027-03-01")
    assert reasons(later["1"]) == [ids["b"], ids["e"]]
    assert reasons(later["2"]) == [ids["b"], ids["s"], ids["e"]]
    for one in later.values():
        assert (one["status"], one["statusSince"]) == ("REPEALED", "2027-02-01")
        assert one["statusBecause"] == {"eventId": ids["e"]}
    earlier = await clauses(api, "2026-12-01")
    assert reasons(earlier["2"]) == [ids["b"], ids["s"]]
    assert (earlier["2"]["status"], earlier["2"]["statusSince"]) == ("IN_FORCE", "2026-11-28")
    assert earlier["2"]["statusBecause"] == {"eventId": ids["s"]}
    assert earlier["1"]["statusSince"] == "2024-12-03"
    first = await clauses(api, "2026-12-01", position="1")
    assert reasons(first["2"]) == [ids["b"]]
    assert first["2"]["statusSince"] == "2024-12-03"


async def test_a_clause_does_not_name_what_was_said_before_it_was_there(api: Api) -> None:
    await api.do("announceExportControl", control("x", clause("1")))
    await api.do("suspendExportControl", suspension("x"))
    added = {"id": "x", "on": "2025-12-01", "clauses": [clause("2")], "source": source()}
    amended = await api.do("amendExportControl", added)
    both = {"id": "x", "on": "2025-12-01", "suspendedFrom": "2026-12-01", "source": source()}
    rest = await api.do("suspendExportControl", both)
    corrected = await api.do(
        "correctEvent",
        {
            "eventId": amended["eventId"],
            "reason": "misread",
            "source": source(),
            "replacement": {"amendExportControl": added},
        },
    )
    new = (await clauses(api, "2026-01-01"))["2"]
    assert reasons(new) == [rest["eventId"], corrected["eventId"]]


async def test_the_times_of_a_status_are_all_there_past_and_to_come(api: Api) -> None:
    await api.do("announceExportControl", control("x"))
    await api.do("suspendExportControl", suspension("x"))
    [one] = (await clauses(api, "2026-01-01")).values()
    assert [(p["status"], p["from"], p["until"], p["basis"]) for p in one["statuses"]] == [
        ("IN_FORCE", "2024-12-03", "2025-11-08", "ACT"),
        ("SUSPENDED", "2025-11-09", "2026-11-27", "ACT"),
        ("IN_FORCE", "2026-11-28", None, "TERMS"),
    ]
    document = """{ asOf(validAt: "2026-01-01") { exportControl(id: "x") { clauses {
        statuses(between: {from: "2026-12-01"}) { from } } } } }"""
    data = await api.ask(document)
    assert data["asOf"]["exportControl"]["clauses"][0]["statuses"] == [{"from": "2026-11-28"}]


async def test_a_dispute_names_its_event_also_beside_another_from_the_same_source(api: Api) -> None:
    await api.do("announceExportControl", control("x"))
    said = [
        await api.do(
            "disputeExportControl",
            {"id": "x", "on": on, "account": account, "source": source("usgs", "2025-05-01")},
        )
        for account, on in (("later", "2025-05-02"), ("earlier", "2025-05-01"))
    ]
    document = """{ asOf(validAt: "2026-01-01") { exportControl(id: "x") { disputes {
        account position because { eventId position type } } } } }"""
    found = (await api.ask(document))["asOf"]["exportControl"]["disputes"]
    assert [(one["account"], one["because"]["eventId"]) for one in found] == [
        ("earlier", said[1]["eventId"]),
        ("later", said[0]["eventId"]),
    ]
    for one in found:
        assert one["position"] == one["because"]["position"]
        assert one["because"]["type"] == "ExportControl.Disputed"


async def test_every_status_of_the_corpus_has_lasted_since_a_day_up_to_today(
    read_services: Services,
) -> None:
    document = """query ($after: String) { asOf(validAt: "2026-11-26") {
        exportControls(first: 100, after: $after) { pageInfo { hasNextPage endCursor }
          nodes { key because { eventId } disputes { because { eventId } }
                  clauses { key status statusSince statusBecause { eventId }
                            because { eventId } } } } } }"""
    count = 0
    for node in await Api(read_services).nodes(document):
        events = {one["eventId"] for one in node["because"]}
        assert {one["because"]["eventId"] for one in node["disputes"]} <= events
        for one in node["clauses"]:
            count += 1
            assert one["statusSince"] <= "2026-11-26", node["key"]
            assert one["statusBecause"]["eventId"] in reasons(one), node["key"]
            assert set(reasons(one)) <= events
    assert count > 200
