"""Filters of lists: words, days, years, sources; always as of a moment."""

from typing import Any

from tests.support.api import Api, claim, clause, control, source, suspension
from tests.support.cases import each_case

FOUNDED = {
    "id": "msp",
    "on": "2022-06-14",
    "name": "Minerals Security Partnership",
    "members": ["US", "JP"],
    "source": source("state", "2022-06-14"),
}


async def keys(
    api: Api, list: str, arguments: str, day: str = "2026-01-01", position: str | None = None
) -> list[str]:
    """Return the keys of a list, and check its total."""
    return await api.keys(list, arguments, day, position)


# --- search


@each_case(
    ("search", "found"),
    [
        ("gallium", ["cn"]),
        ("GALL", ["cn"]),
        ("Gállium", ["cn"]),
        ("notice 46", ["cn"]),
        ("46/2024", ["cn"]),
        ("china", ["cn"]),
        ("wolfram", ["us"]),
        ("tungsten tariffs", ["us"]),
        ("tariff", ["us"]),
        ("suspending exports", ["cn"]),
        ("gallium tungsten", []),
        ("nothing", []),
        ("稀土", ["cn"]),
        ("the export", ["cn"]),
    ],
)
async def test_controls_are_found_by_words_of_what_they_are_called_and_are_about(
    api: Api, search: str, found: list[str]
) -> None:
    await api.do(
        "announceExportControl",
        control("cn", title="Suspended export of gallium 稀土", instrument="MOFCOM Notice 46/2024"),
        key="cn",
    )
    await api.do(
        "announceExportControl",
        control(
            "us",
            clause(commodities=["tungsten"], measure="TARIFF"),
            issuer="US",
            direction="IMPORT",
            title="Tariff of 25 %",
        ),
        key="us",
    )
    assert await keys(api, "exportControls", f'search: "{search}"') == found


async def test_a_text_is_found_at_the_moments_at_which_it_was_said(api: Api) -> None:
    await api.do("foundAlliance", FOUNDED)
    renamed = await api.do(
        "renameAlliance",
        {"id": "msp", "on": "2025-02-01", "name": "Forge", "source": source("state", "2025-02-01")},
    )
    assert await keys(api, "alliances", 'search: "forge"', "2025-01-31") == []
    assert await keys(api, "alliances", 'search: "forge"', "2025-02-01") == ["msp"]
    assert await keys(api, "alliances", 'search: "security partners"', "2025-02-01") == ["msp"]
    assert await keys(api, "alliances", 'search: "forge"', position="1") == []
    await api.do(
        "retractEvent",
        {"eventId": renamed["eventId"], "reason": "a test", "source": source("state")},
    )
    assert await keys(api, "alliances", 'search: "forge"') == []
    assert await keys(api, "alliances", 'search: "forge"', position="2") == ["msp"]


async def test_a_search_goes_together_with_all_else(corpus: Api) -> None:
    every = await keys(corpus, "exportControls", 'search: "gallium"')
    chinese = await keys(corpus, "exportControls", 'search: "gallium" issuer: "CN"')
    assert len(chinese) > 0
    assert set(chinese) <= set(every)
    both = await keys(
        corpus, "exportControls", 'search: "mofcom" commodity: "gallium" status: SUSPENDED'
    )
    assert set(both) == {*await keys(corpus, "exportControls", 'search: "mofcom"')} & {
        *await keys(corpus, "exportControls", 'commodity: "gallium" status: SUSPENDED')
    }
    assert "quad" in await keys(corpus, "alliances", 'search: "quad" member: "JP"')
    assert await keys(corpus, "announcements", 'search: "quad" kind: STATEMENT')


@each_case("search", ["", " - ", "!"])
async def test_a_search_without_a_word_is_refused(api: Api, search: str) -> None:
    document = "query ($s: String) { asOf { announcements(search: $s) { totalCount } } }"
    assert await api.refused(document, s=search) == ("INVALID_INPUT", ["search"])


async def test_no_text_is_too_odd_to_be_searched_for(api: Api) -> None:
    document = "query ($s: String) { asOf { announcements(search: $s) { totalCount } } }"
    for search in ("a' & b:*", "the", "\\ ' \" | ! <-> x", "½ ﬃ", "\u0000 x", "ẞ", "1e5 -3"):
        assert (await api.ask(document, s=search))["asOf"]["announcements"]["totalCount"] == 0


async def test_commodities_and_places_are_found_by_their_names(api: Api) -> None:
    data = await api.ask(
        '{ a: commodities(search: "wolfram") { key }'
        ' b: commodities(hsCode: "280530", search: "dyspro") { key }'
        ' e: commodities(commodity: "rare_earths", search: "dyspro") { key }'
        ' f: commodities(commodity: "gallium", hsCode: "280530") { key }'
        ' g: commodities(commodity: "rare_earths") { key parentKey }'
        ' c: places(search: "united states") { code } d: places { code }'
        ' h: places(search: "chn") { code alpha3Code numericCode } i: places(search: "076") { code }'
        ' j: places(search: "world") { alpha3Code numericCode } }'
    )
    assert data["a"] == [{"key": "tungsten"}]
    assert data["b"] == data["e"] == [{"key": "dysprosium"}]
    assert data["f"] == []
    keys = {of["key"] for of in data["g"]}
    assert all(of["parentKey"] in keys for of in data["g"] if of["key"] != "rare_earths")
    assert {"code": "US"} in data["c"]
    assert data["h"] == [{"code": "CN", "alpha3Code": "CHN", "numericCode": "156"}]
    assert data["i"] == [{"code": "BR"}]
    assert data["j"] == [{"alpha3Code": None, "numericCode": None}]
    assert {"code": "WORLD"} in data["d"]
    assert len(data["d"]) > 200


# --- days and years


async def test_controls_narrow_by_the_day_of_their_announcement(api: Api) -> None:
    for id, on in (("a", "2024-12-03"), ("b", "2025-01"), ("c", "2025-04-04")):
        await api.do("announceExportControl", control(id, on=on))

    async def announced(days: str) -> list[str]:
        return await keys(api, "exportControls", f"announced: {{{days}}}")

    assert await announced('from: "2024-12-03", to: "2024-12-03"') == ["a"]
    assert await announced('from: "2025-01-15"') == ["b", "c"]
    assert await announced('to: "2025-01-31"') == ["a", "b"]
    assert await announced('from: "2025-02-01", to: "2025-04-03"') == []
    assert await announced("") == ["a", "b", "c"]


async def test_controls_narrow_by_the_days_on_which_a_clause_is_in_force(api: Api) -> None:
    await api.do(
        "announceExportControl",
        control(
            "x",
            clause("1", inForceFrom="2024-12-03", inForceUntil="2026-12-31"),
            clause("2", commodities=["graphite"], inForceFrom=None),
        ),
    )
    await api.do("suspendExportControl", suspension("x", "1"))

    async def in_force(days: str, more: str = "", day: str = "2025-12-01") -> list[str]:
        return await keys(api, "exportControls", f"inForce: {{{days}}} {more}", day)

    assert await in_force('from: "2024-01-01", to: "2024-12-02"') == []
    assert await in_force('from: "2024-01-01", to: "2024-12-03"') == ["x"]
    assert await in_force('from: "2025-11-08", to: "2026-01-01"') == ["x"]
    assert await in_force('from: "2025-11-09", to: "2026-11-27"') == []
    assert await in_force('from: "2025-11-09", to: "2026-11-27"', day="2025-11-08") == ["x"]
    assert await in_force('from: "2026-11-27", to: "2026-11-28"') == ["x"]
    assert await in_force('from: "2027-01-01"') == []
    assert await in_force('from: "2025-01-01", to: "2025-01-01"', 'commodity: "graphite"') == []


async def test_no_control_is_in_force_on_days_of_a_suspension_that_is_over(api: Api) -> None:
    await api.do("announceExportControl", control("x", clause("1"), clause("2")))
    for start, end in (("2025-02-01", "2025-04-30"), ("2025-05-01", "2025-06-30")):
        act = suspension("x", on=start, suspendedFrom=start, suspendedUntil=end)
        await api.do("suspendExportControl", {**act, "clauses": ["1"]})
    inside, beyond = (
        'from: "2025-02-01", to: "2025-06-30"',
        'from: "2025-02-01", to: "2025-07-01"',
    )
    for days, found in ((inside, ["2"]), (beyond, ["1", "2"])):
        asked = f"inForce: {{{days}}}"
        data = await api.ask(
            f"""{{ asOf(validAt: "2025-12-01") {{
                exportControls({asked}) {{ totalCount edges {{ matchingClauses {{ key }}
                    node {{ clauses {{ key }} inForce: clauses({asked}) {{ key }} }} }} }}
                clauseCounts(groupBy: MEASURE, {asked}) {{ clauses }}
                none: exportControls(measure: BAN, {asked}, commodity: "nickel") {{ totalCount }} }} }}"""
        )
        [edge] = data["asOf"]["exportControls"]["edges"]
        for clauses in (edge["matchingClauses"], edge["node"]["inForce"]):
            assert [item["key"] for item in clauses] == found
        assert [item["key"] for item in edge["node"]["clauses"]] == ["1", "2"]
        assert data["asOf"]["clauseCounts"] == [{"clauses": len(found)}]
        assert data["asOf"]["none"] == {"totalCount": 0}


async def test_announcements_alliances_and_imports_narrow_by_their_days(
    corpus: Api, real_clock: None
) -> None:
    data = await corpus.ask(
        '{ asOf(validAt: "2026-01-01") { announcements(first: 200, date: {from:'
        ' "2025-07-01", to: "2025-07-31"}) { nodes { date } } alliances('
        ' founded: {to: "2022-12-31"}, first: 200) { nodes { foundedOn } } } }'
    )
    dates = [node["date"] for node in data["asOf"]["announcements"]["nodes"]]
    assert dates
    assert all("2025-07".startswith(date[:7]) for date in dates)
    founded = [node["foundedOn"] for node in data["asOf"]["alliances"]["nodes"]]
    assert founded
    assert all(on < "2023" for on in founded)
    data = await corpus.ask(
        '{ a: imports(on: {to: "2000-01-01"}) { totalCount }'
        ' b: imports(on: {from: "2000-01-01"}) { totalCount } }'
    )
    assert data["a"]["totalCount"] == 0 < data["b"]["totalCount"]


async def test_figures_narrow_by_years_stage_and_claims_by_their_own_source(api: Api) -> None:
    for early in (claim(), claim("1", year=2020)):
        early["source"]["checked"] = "DATA_FILE"
        await api.do("recordFigure", early)
    late = claim("2", publisher="bgs", published_on="2025-03-01")
    late["source"]["checked"] = "MEMORY"
    late["source"]["primary"] = True
    await api.do("recordFigure", late)

    async def values(arguments: str) -> list[str]:
        data = await api.ask(
            f"{{ asOf {{ claims({arguments}) {{ totalCount nodes {{ value }} }} }} }}"
        )
        assert data["asOf"]["claims"]["totalCount"] == len(data["asOf"]["claims"]["nodes"])
        return [node["value"] for node in data["asOf"]["claims"]["nodes"]]

    new, old = "rare_earths/CN/production/mine/2023", "rare_earths/CN/production/mine/2020"
    assert await keys(api, "figures", "years: {from: 2021}") == [new]
    assert await keys(api, "figures", "years: {from: 2021, to: 2147483647}") == [new]
    assert await keys(api, "figures", 'years: {from: 2020, to: 2020} commodity: "rare_earths"') == [
        old
    ]
    assert await keys(api, "figures", "stage: MINE") == [old, new]
    assert await keys(api, "figures", "stage: REFINERY") == []
    assert await keys(api, "figures", "verified: true") == [old]
    assert await keys(api, "figures", "verified: false") == [new]
    assert await keys(api, "figures", 'published: {from: "2025-01-01"}') == [new]
    assert await values('published: {from: "2025-01-01"}') == ["2"]
    assert await values("verified: true") == ["1", "240000"]
    assert await values("verified: false") == ["2"]
    assert await values("level: SECONDARY") == ["1", "240000"]
    assert await values("primary: true") == ["1", "240000", "2"]
    assert await values("checked: MEMORY") == ["2"]
    assert await values("verified: false stage: MINE years: {to: 2022}") == []
    assert await values('place: "CN" statistic: PRODUCTION publisher: "usgs"') == ["1", "240000"]
    assert await values('hsCode: "280530"') == ["1", "240000", "2"]


async def test_verified_and_primary_part_every_list_in_two(corpus: Api) -> None:
    for name in ("exportControls", "alliances", "announcements"):
        every = await keys(corpus, name, "")
        for asked in ("verified", "primary"):
            yes = await keys(corpus, name, f"{asked}: true")
            no = await keys(corpus, name, f"{asked}: false")
            assert sorted([*yes, *no]) == every


AT_HOME = "https://www.mofcom.gov.cn/1"
LAW_FIRM = "https://www.gvw.com/1"


async def test_a_list_tells_apart_whose_text_it_was_and_how_it_was_looked_at(api: Api) -> None:
    report = {**source("gvw"), "url": LAW_FIRM}
    copy = {**report, "url": f"{LAW_FIRM}/{'0' * 40}/x", "copyOf": AT_HOME, "copySha256": "0" * 64}
    other = {**copy, "url": f"https://example.org/{'1' * 40}/x"}
    for id, first, *others in (
        ("read", {**source(), "url": AT_HOME}),
        ("remembered", {**source(), "url": AT_HOME, "checked": "MEMORY"}),
        ("reported", report),
        ("both", report, {**source(), "url": AT_HOME}),
        ("copied", report, copy),
        ("twice", copy, other),
    ):
        await api.do("announceExportControl", control(id, source=first, moreSources=others))

    async def found(arguments: str) -> list[str]:
        return await keys(api, "exportControls", arguments)

    assert await found("verified: true") == ["both", "read"]
    assert await found("level: VERIFIED") == ["both", "read"]
    assert await found("level: TWO_COPIES_AGREE") == ["both", "read", "twice"]
    assert await found("level: ISSUER_TEXT_COPY") == ["both", "copied", "read", "twice"]
    assert await found("level: SECONDARY") == ["both", "copied", "read", "reported", "twice"]
    assert await found("level: MEMORY verified: false") == [
        *("copied", "remembered", "reported", "twice")
    ]
    assert await found("primary: true") == ["both", "read", "remembered"]
    assert await found("primary: false") == ["copied", "reported", "twice"]
    assert await found("primary: true verified: false") == ["remembered"]
    assert await found("checked: MEMORY") == ["remembered"]
    assert await found('publisher: "gvw"') == ["both", "copied", "reported", "twice"]
    assert await found('publisher: "mofcom"') == ["both", "read", "remembered"]


async def test_several_sources_of_a_fact_are_beside_each_other(api: Api) -> None:
    report = {**source("gvw"), "url": LAW_FIRM}
    own = {**source(), "url": AT_HOME}
    await api.do("announceExportControl", control("x", source=report, moreSources=[own]))
    data = await api.ask(
        """{ asOf(validAt: "2025-01-01") { exportControl(id: "x") { because {
             source { publisher primary checked verified }
             moreSources { publisher primary checked verified } } } } }"""
    )
    assert data["asOf"]["exportControl"]["because"] == [
        {
            "source": {"publisher": "gvw", "primary": False, "checked": "PAGE", "verified": False},
            "moreSources": [
                {"publisher": "mofcom", "primary": True, "checked": "PAGE", "verified": True}
            ],
        }
    ]


async def test_every_source_of_many_facts_is_found(api: Api) -> None:
    await api.do("foundAlliance", FOUNDED)
    first = ("AR", "AT", "AU", "BE", "BR", "CA", "CH", "CL", "DE")
    second = ("ES", "FR", "GB", "IN", "IT", "KR", "MX", "NL", "PL")
    for index, place in enumerate(first + second):
        more = [{**source("gvw"), "url": LAW_FIRM}] if index == 12 else []
        joined = {"id": "msp", "on": "2024-01-01", "member": place, "change": "JOINED"}
        own = {**source("mofcom"), "url": AT_HOME}
        await api.do("recordMembership", {**joined, "source": own, "moreSources": more})
    assert await keys(api, "alliances", 'publisher: "gvw"') == ["msp"]
    assert await keys(api, "alliances", "verified: true") == []
    assert await keys(api, "alliances", "checked: MEMORY") == []


async def test_alliances_narrow_by_status_and_preferences_by_commodity(api: Api) -> None:
    await api.do("foundAlliance", FOUNDED)
    await api.do(
        "dissolveAlliance",
        {"id": "msp", "on": "2025-02-01", "source": source("state", "2025-02-01")},
    )
    assert await keys(api, "alliances", "status: ACTIVE", "2025-01-01") == ["msp"]
    assert await keys(api, "alliances", "status: DISSOLVED", "2025-02-01") == ["msp"]
    await api.do(
        "orderPublishers",
        {
            "on": "2025-01-01",
            "publishers": ["usgs"],
            "reason": "r",
            "commodity": "gallium",
            "source": source(),
        },
    )
    assert await keys(api, "preferences", 'commodity: "gallium"') == ["gallium"]
    assert await keys(api, "preferences", 'commodity: "lithium"') == []


async def test_changes_narrow_by_publisher_and_code(corpus: Api) -> None:
    async def entities(more: str) -> list[str]:
        data = await corpus.ask(
            '{ changes(first: 200, from: {validAt: "2025-10-01"}, to:'
            f' {{validAt: "2025-11-20"}} {more}) {{ totalCount nodes {{ entity'
            " } } }"
        )
        assert data["changes"]["totalCount"] == len(data["changes"]["nodes"])
        return [node["entity"] for node in data["changes"]["nodes"]]

    every, of = await entities(""), await entities('publisher: "mofcom"')
    assert 0 < len(of) < len(every)
    assert set(await entities('hsCode: "280530"')) < set(every)


async def test_events_narrow_by_when_they_were_recorded(api: Api) -> None:
    for id in "abc":
        await api.do("announceExportControl", control(id))
    asked = (
        "query ($recorded: TimeRange, $entity: String) { events(recorded: $recorded,"
        " entity: $entity) { totalCount nodes { position recordedAt } } }"
    )
    told = (await api.ask(asked))["events"]["nodes"]

    async def found(**more: Any) -> list[str]:
        page = (await api.ask(asked, **more))["events"]
        assert page["totalCount"] == len(page["nodes"])
        return [node["position"] for node in page["nodes"]]

    middle = told[1]["recordedAt"]
    assert await found(recorded={"from": middle, "to": middle}) == ["2"]
    assert await found(recorded={"from": middle}) == ["2", "3"]
    assert await found(recorded={"to": middle}) == ["1", "2"]
    assert await found(recorded={"to": middle}, entity="export-control/b") == ["2"]
    assert await found(recorded={"from": "0001-01-01T00:00:00Z"}) == ["1", "2", "3"]


@each_case(
    ("list", "argument", "code", "path"),
    [
        (
            "exportControls",
            'announced: {from: "2025-13-01"}',
            "INVALID_DATE",
            ["announced", "from"],
        ),
        (
            "exportControls",
            'inForce: {from: "2025-02-01", to: "2025-01-01"}',
            "END_BEFORE_START",
            ["inForce", "to"],
        ),
        ("announcements", 'published: {to: "x"}', "INVALID_DATE", ["published", "to"]),
        ("figures", "years: {from: 2025, to: 2024}", "END_BEFORE_START", ["years", "to"]),
        ("claims", 'place: "XX"', "UNKNOWN_PLACE", ["place"]),
    ],
)
async def test_times_that_make_no_sense_are_refused(
    api: Api, list: str, argument: str, code: str, path: list[str]
) -> None:
    assert await api.refused(f"{{ asOf {{ {list}({argument}) {{ totalCount }} }} }}") == (
        code,
        path,
    )


async def test_a_clause_that_names_no_destination_is_for_all(api: Api) -> None:
    await api.do("announceExportControl", control("everyone"))
    await api.do("announceExportControl", control("us", clause(destinations=["US"])))
    assert await keys(api, "exportControls", 'destination: "JP"') == ["everyone"]
    assert await keys(api, "exportControls", 'destination: "US"') == ["everyone", "us"]


async def test_a_claim_is_found_by_each_day_on_which_it_may_have_been_published(api: Api) -> None:
    await api.do("recordFigure", claim(published_on="2025-03"))
    await api.do("recordFigure", claim(publisher="bgs", published_on="2025-02-28"))

    async def publishers(first: str, last: str) -> list[str]:
        data = await api.ask(
            "query ($days: DayRange!) { asOf { claims(published: $days) { nodes {"
            " publisher } } } }",
            days={"from": first, "to": last},
        )
        return [node["publisher"] for node in data["asOf"]["claims"]["nodes"]]

    assert await publishers("2025-02-28", "2025-02-28") == ["bgs"]
    assert await publishers("2025-03-01", "2025-03-01") == ["usgs"]
    assert await publishers("2025-03-31", "2025-03-31") == ["usgs"]
    assert await publishers("2025-04-01", "2025-04-30") == []
    assert sorted(await publishers("2025-01-01", "2025-03-15")) == ["bgs", "usgs"]


@each_case(
    "question",
    [
        'event(eventId: "a\\u0000b") { type }',
        'imports(source: "a\\u0000b") { totalCount }',
        'asOf { announcements(topic: "a\\u0000b") { totalCount } }',
        'asOf { announcements(firm: "a\\u0000b") { totalCount } }',
        'asOf { transitionDays(entity: "a\\u0000b") { day } }',
        'overKnown(entity: "a\\u0000b") { position }',
        'asOf { timeline(firm: "a\\u0000b") { totalCount } }',
        'asOf { transitions(entity: "a\\u0000b") { totalCount } }',
        'asOf { scheduled(firm: "a\\u0000b", days: 9) { totalCount } }',
    ],
)
async def test_a_text_that_no_database_can_hold_is_refused_where_it_stands(
    api: Api, question: str
) -> None:
    code, path = await api.refused(f"{{ {question} }}")
    assert code == "INVALID_INPUT"
    assert path is not None
    assert len(path) == 1
    assert f"{path[0]}:" in question
