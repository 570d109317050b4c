"""Queries of dependence: origins of imports, and imports under export controls."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from deploy.bootstrap import running_tracker
from deploy.postgres import Postgres
from schema.services import Services
from tests.conftest import copied
from tests.support.api import Api
from tests.support.dependence_facts import record, yearly
from tests.support.fact_builders import announced, claimed, source, suspended
from tests.support.origin_lists import GALLIUM, origin_list
from tracker.domain.basics.codec import from_builtins
from tracker.domain.controls.export_control_acts import Announced
from tracker.domain.figures.figure_facts import Claimed
from tracker.postgres.database import Target

EXPOSURE = """commodity { key } form importer { code } claim { edition series { period until }
  origins { measured } } figuresPublicLater unit whole certain assumed partly none unnamed remainder
  lower tight upper controlledSinceFigures limits completeness { level }
  measures { measure certain assumed partly }
  unnamedSuppliers { place { code } status supply { value } }
  controllingWithoutSupply { place { code } }
  origins { place { code } quantity { value qualifier } least greatest includes { code }
    controlledSinceFigures controls { status completeness { level statement }
      requirements { clause { clause { key } } }
      inForce { control { key } clause { key } reach limits }
      beside { clause { key status returnsOn inForceFrom } } } }"""


async def exposure(api: Api, arguments: str, day: str = "2026-06-01") -> list[dict[str, Any]]:
    """Return the lists of a query for imports under export controls."""
    data = await api.ask(
        f'{{ asOf(validAt: "{day}") {{ importExposure({arguments}) {{ completeness {{ level }}'
        f" lists {{ {EXPOSURE} }} }} }} }}"
    )
    found: list[dict[str, Any]] = data["asOf"]["importExposure"]["lists"]
    return found


def bounds(of: dict[str, Any]) -> tuple[str, str, str]:
    """Return the lower, tight and upper bound."""
    return of["lower"], of["tight"], of["upper"]


def ban(issuer: str = "CN", **more: Any) -> Announced:
    """Return a ban of gallium exports."""
    own = {"id": "1", "measure": "ban", "commodities": ["gallium"], "inForceFrom": "2023-08-01"}
    return announced({**own, **more}, on="2023-07-03", issuer=issuer)


OF_GALLIUM = 'importer: "US", commodity: "gallium"'


async def test_an_exposure_has_the_list_its_origins_and_their_clauses(services: Services) -> None:
    api = await record(
        services,
        origin_list(includes={"CN": ["HK"]}),
        ban(),
        ban("RU"),
        ban("ID"),
        claimed(5, place="RU", commodity="gallium"),
    )
    [found] = await exposure(api, OF_GALLIUM)
    assert found["claim"] == {
        "edition": "MCS 2026",
        "series": {"period": 2021, "until": 2024},
        "origins": {"measured": "quantity"},
    }
    sums = ("certain", "assumed", "partly", "none", "unnamed", "remainder", "whole", "unit")
    assert [found[name] for name in sums] == ["0", "18", "0", "66", "16", "0", "100", "percent"]
    assert bounds(found) == ("0", "34", "34")
    assert found["measures"] == [{"measure": "BAN", "certain": "0", "assumed": "18", "partly": "0"}]
    assert found["unnamedSuppliers"] == [
        {"place": {"code": "RU"}, "status": "ASSUMED", "supply": {"value": "5"}}
    ]
    assert found["controllingWithoutSupply"] == [{"place": {"code": "ID"}}]
    china = found["origins"][2]
    assert (china["place"], china["includes"]) == ({"code": "CN"}, [{"code": "HK"}])
    assert china["controls"]["status"] == "ASSUMED", "no later record names the ban"
    assert china["controls"]["inForce"] == [
        {"control": {"key": "cn"}, "clause": {"key": "1"}, "reach": "FULL", "limits": []}
    ]
    assert china["controls"]["completeness"]["level"] == "NONE"
    assert len(found["limits"]) == 4


async def test_the_state_of_the_law_is_that_of_the_day_and_of_the_position(
    services: Services,
) -> None:
    pause = suspended("1", start="2025-11-09", end="2026-11-27")
    api = await record(services, origin_list(), ban(), pause)
    asked = f'{OF_GALLIUM}, figures: "MCS 2026"'
    for day, expected in (
        ("2023-07-31", "0"),
        ("2023-08-01", "18"),
        ("2025-11-09", "0"),
        ("2026-11-28", "0"),
    ):
        [found] = await exposure(api, asked, day)
        assert (day, found["lower"]) == (day, expected)
        assert found["figuresPublicLater"] == (day < "2026-02-06")
    [after] = await exposure(api, asked, "2026-11-28")
    assert (after["assumed"], bounds(after)) == ("18", ("0", "18", "18"))
    [found] = await exposure(api, OF_GALLIUM)
    [beside] = found["origins"][2]["controls"]["beside"]
    assert beside["clause"]["returnsOn"] == "2026-11-28"
    assert await exposure(api, OF_GALLIUM, "2026-02-05") == []


async def test_one_item_per_list_and_none_for_their_average(services: Services) -> None:
    api = await record(
        services,
        origin_list(),
        origin_list({"CN": 100}, None, form="oxide"),
        origin_list({"DE": 100}, None, importer="JP"),
        ban(),
    )
    found = await exposure(api, 'importer: "US"')
    assert [(one["form"], one["assumed"]) for one in found] == [("metal", "18"), ("oxide", "100")]
    [oxide] = await exposure(api, f'{OF_GALLIUM}, form: "oxide"')
    assert oxide["form"] == "oxide"
    [without] = await exposure(api, f'{OF_GALLIUM}, form: "oxide", measures: [LICENCE]')
    assert bounds(without) == ("0", "0", "0")


async def test_an_empty_answer_says_how_complete_the_records_are(services: Services) -> None:
    data = await Api(services).ask("""{ asOf {
      importExposure(importer: "US", commodity: "gallium") { lists { form } completeness { level } }
      importOrigins(importer: "US", commodity: "gallium") { lists { form } completeness { level } }
      importRanks(importer: "US") { lists { form } completeness { level } }
      reliance(importer: "US") { lines { form } completeness { level } }
      prices(commodity: "gallium") { lines { form } completeness { level } } } }""")
    for field in ("importExposure", "importOrigins", "importRanks"):
        assert data["asOf"][field] == {"lists": [], "completeness": {"level": "NONE"}}
    for field in ("reliance", "prices"):
        assert data["asOf"][field] == {"lines": [], "completeness": {"level": "NONE"}}


async def test_lists_of_origins_and_ranks_are_the_newest_published(services: Services) -> None:
    older = origin_list(first=2020, last=2023, edition="MCS 2025", published_on="2025-01-31")
    ranks = from_builtins(
        Claimed,
        {
            "source": source("usgs", "2025-01-31"),
            "series": {
                "commodity": "gallium",
                "place": "US",
                "statistic": "import_ranks",
                "period": 2020,
                "until": 2023,
            },
            "edition": "MCS 2025",
            "quantity": {"unit": "percent", "qualifier": "not_stated"},
            "origins": {"parts": [{"place": "CN"}, {"place": "CA"}]},
        },
    )
    api = await record(services, older, origin_list(), ranks)
    shown = "lists { claim { edition } parts { place { code } quantity { value } } }"
    query = f"""query ($day: Day, $figures: String) {{ asOf(validAt: $day) {{
      importOrigins(importer: "US", figures: $figures) {{ {shown} }}
      importRanks(importer: "US") {{ {shown} }} }} }}"""
    data = (await api.ask(query, day="2026-06-01"))["asOf"]
    [origins], [names] = data["importOrigins"]["lists"], data["importRanks"]["lists"]
    assert origins["claim"]["edition"] == "MCS 2026"
    assert [one["place"]["code"] for one in origins["parts"]] == [*GALLIUM]
    assert [one["place"]["code"] for one in names["parts"]] == ["CN", "CA"]
    assert {one["quantity"] for one in names["parts"]} == {None}
    for day, figures in (("2025-06-01", None), ("2026-06-01", "MCS 2025")):
        data = (await api.ask(query, day=day, figures=figures))["asOf"]
        assert [one["claim"]["edition"] for one in data["importOrigins"]["lists"]] == ["MCS 2025"]


async def test_bad_arguments_are_refused_at_their_field(services: Services) -> None:
    api = Api(services)
    for field in ("importExposure", "importOrigins", "importRanks"):
        text = f'{{ asOf {{ {field}(importer: "XX") {{ lists {{ form: __typename }} }} }} }}'
        assert await api.refused(text) == ("UNKNOWN_PLACE", ["importer"])
    for arguments, code, path in (
        ('importer: "XX"', "UNKNOWN_PLACE", "importer"),
        ('importer: "US", commodity: "dilithium"', "UNKNOWN_COMMODITY", "commodity"),
        ('importer: "US", figures: " "', "INVALID_INPUT", "figures"),
    ):
        text = f"{{ asOf {{ reliance({arguments}) {{ lines {{ form }} }} }} }}"
        assert await api.refused(text) == (code, [path])
    text = '{ asOf { importExposure(importer: "US", form: " ") { lists { form } } } }'
    assert await api.refused(text) == ("INVALID_INPUT", ["form"])
    text = '{ asOf { prices(place: "XX") { lines { form } } } }'
    assert await api.refused(text) == ("UNKNOWN_PLACE", ["place"])


async def test_each_day_of_a_series_has_the_answer_that_it_has_alone(services: Services) -> None:
    pause = suspended("1", start="2025-11-09", end="2026-11-27")
    api = await record(services, origin_list(), ban(), pause, yearly("47", 2023))
    selection = f"""importExposure({OF_GALLIUM}) {{ lists {{ {EXPOSURE} }} }}
      reliance(importer: "US") {{ lines {{ points {{ change }} }} }} prices {{ lines {{ form }} }}
      importOrigins(importer: "US") {{ lists {{ form }} }}"""
    series = await api.ask(
        f'{{ over(from: "2025-10-01", to: "2026-12-31", step: MONTH) {{ day: validAt {selection} }} }}'
    )
    assert len(series["over"]) > 10
    for one in series["over"]:
        alone = await api.ask(f'{{ asOf(validAt: "{one["day"]}") {{ day: validAt {selection} }} }}')
        assert one == alone["asOf"]


async def test_a_later_edition_and_a_fact_recorded_late_change_no_earlier_answer(
    services: Services,
) -> None:
    api = await record(services, origin_list(), ban())
    position = (await api.ask("{ head }"))["head"]
    before = await exposure(api, OF_GALLIUM)
    again = origin_list(
        {"CN": 100}, None, first=2022, last=2025, edition="MCS 2027", published_on="2027-01-31"
    )
    await record(services, again)
    assert await exposure(api, OF_GALLIUM) == before
    [later] = await exposure(api, OF_GALLIUM, "2027-06-01")
    assert (later["claim"]["edition"], later["assumed"]) == ("MCS 2027", "100")
    await record(services, ban("DE"))
    [now] = await exposure(api, OF_GALLIUM)
    assert now["assumed"] == "34"
    data = await api.ask(
        f'{{ asOf(validAt: "2026-06-01", position: "{position}") {{ importExposure({OF_GALLIUM})'
        f" {{ lists {{ {EXPOSURE} }} }} }} }}"
    )
    assert data["asOf"]["importExposure"]["lists"] == before


@pytest.fixture
def other_target(server: Postgres, empty_template: str) -> Iterator[Target]:
    """Create another empty database."""
    with contextmanager(copied)(server, empty_template) as target:
        yield target


async def test_the_order_of_recording_does_not_matter(
    services: Services, other_target: Target
) -> None:
    again = origin_list({"CN": 60}, 40, edition="MCS 2027", published_on="2027-01-31")
    output = claimed(5, place="RU", commodity="gallium")
    facts = [origin_list(), ban(), again, ban("RU"), output, yearly("47", 2023)]
    api = await record(services, *facts)
    async with running_tracker(other_target) as others:
        other = await record(others, *reversed(facts))
        for day in ("2026-06-01", "2027-06-01"):
            found = await exposure(api, OF_GALLIUM, day)
            assert found == await exposure(other, OF_GALLIUM, day)
            assert found


async def test_figures_of_dependence_change_no_answer_about_production(services: Services) -> None:
    """They have the same commodity, places and years."""
    mine = [
        claimed(100, place="WORLD", commodity="gallium"),
        claimed(80, place="CN", commodity="gallium"),
        claimed(20, place="US", commodity="gallium"),
    ]
    api = await record(services, *mine, ban())
    production = """{ asOf(validAt: "2026-06-01") {
      exposure(commodity: "gallium") { stage form year controlledShare places { place { code } share } }
      production(commodity: "gallium") { stage form year total { value sumOfPlaces }
        figures { place { code } share rank } available { stage form }
        concentration { hhi } share(of: {places: ["US", "JP"]}) { share } }
      latestProductions(commodity: "gallium") { year figures { place { code } share } }
      reserves(commodity: "gallium") { figures { place { code } } }
      supplies(commodity: "gallium", statistic: PRODUCTION) { stage form years claims }
      us: productsOf(place: "US") { stage form year figure { share } }
      cn: productsOf(place: "CN") { stage form year figure { share } } } }"""
    before = await api.ask(production)
    assert before["asOf"]["exposure"][0]["controlledShare"] == "0.8000"
    about = {"commodity": "gallium", "basis": "REO", "published_on": "2026-02-06"}
    others = [
        yearly("90", year, statistic=statistic, unit="t", form=form, **about)
        for statistic in ("imports", "exports", "consumption", "stocks", "stockpile_shipments")
        for form in (None, "metal")
        for year in (2023, 2025)
    ]
    projections = [
        yearly(
            "500",
            2030,
            statistic="production_projection",
            unit="t",
            stage="mine",
            place=place,
            **about,
        )
        for place in ("WORLD", "CN", "US")
    ]
    await record(
        services,
        *others,
        *projections,
        yearly("100", 2025, **about),
        yearly("500", 2025, statistic="price", unit="USD/kg", **about),
        origin_list(first=2023, last=None),
        origin_list(),
    )
    assert await api.ask(production) == before
