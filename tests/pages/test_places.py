"""Pages of places equal the API in restrictions, exposures and production."""

import re
from typing import Any

from schema.services import Services
from tests.support.api import Api, source

AT = "valid=2026-11-26&position=11755"
MOMENT = 'validAt: "2026-11-26", position: "11755"'


async def page(api: Api, path: str) -> str:
    """Return the HTML of a page, with plain spaces."""
    answer = await api.request("GET", path)
    assert answer.status_code == 200, answer.text
    return answer.text.replace("\N{NO-BREAK SPACE}", " ")


async def asked(api: Api, fields: str) -> Any:
    """Return the API's data at the moment of the pages."""
    return (await api.ask(f"{{ asOf({MOMENT}) {{ {fields} }} }}"))["asOf"]


def cells(html: str, place: str) -> list[str]:
    """Return the cell texts of a row in the table of places."""
    row = re.search(
        rf'<th scope="row"[^>]*><a [^>]*>{re.escape(place)}</a></th>(.*?)</tr>', html, re.S
    )
    assert row, place
    return [
        re.sub(r"<[^>]*>", "", cell).strip() for cell in re.findall("<td.*?</td>", row[1], re.S)
    ]


async def test_the_table_has_every_issuer_and_every_place_that_a_clause_names(corpus: Api) -> None:
    html = await page(corpus, f"/places?{AT}")
    found = await asked(
        corpus,
        """issuers: clauseCounts(groupBy: [ISSUER], status: IN_FORCE) { issuer { name } clauses }
        exportControls(status: IN_FORCE, first: 200) { totalCount nodes { clauses(status: IN_FORCE) {
          destinations { name } origins { name } } } }""",
    )
    for row in found["issuers"]:
        assert cells(html, row["issuer"]["name"])[0].split()[0] == str(row["clauses"])
    assert cells(html, "France")[:2] == ["0", cells(html, "European Union")[0].split()[0]]
    named = [
        {place["name"] for place in (*clause["destinations"], *clause["origins"])}
        for control in found["exportControls"]["nodes"]
        for clause in control["clauses"]
    ]
    assert cells(html, "Japan")[2] == str(sum("Japan" in names for names in named))


async def test_a_place_says_how_much_it_restricts_and_who_restricts_it(corpus: Api) -> None:
    html = await page(corpus, f"/places/CN?{AT}")
    found = await asked(
        corpus,
        """own: clauseCounts(groupBy: [CONFIRMATION], status: IN_FORCE, issuer: "CN") {
          confirmation clauses }
        toward: clauseCounts(groupBy: [ISSUER], status: IN_FORCE, destination: "CN", direction: EXPORT) {
          issuer { code } clauses }
        from: clauseCounts(
          groupBy: [ISSUER], status: IN_FORCE, origin: "CN", direction: IMPORT
        ) { issuer { code } clauses }""",
    )
    told = []
    for name, what in (("toward", "exports to China"), ("from", "imports from China")):
        others = [row for row in found[name] if row["issuer"]["code"] != "CN"]
        clauses = sum(row["clauses"] for row in others)
        told.append(
            f"{len(others)} other issuers have {clauses} clauses in force that cover {what}"
        )
    counts = {row["confirmation"]: row["clauses"] for row in found["own"]}
    assert counts["BY_TERMS"] > 1
    of_these = f"of these {counts['BY_TERMS']} by their own terms"
    if counts.get("CONTRADICTED"):
        of_these += f" and {counts['CONTRADICTED']} contradicted by a recorded statement"
    own = sum(counts.values())
    assert f"{own} clauses of China are in force, {of_these}. {', and '.join(told)}." in html


async def test_controls_that_name_the_place_come_first_and_its_own_are_not_among_them(
    corpus: Api,
) -> None:
    html = await page(corpus, f"/places/CN?{AT}")
    aimed = html[html.index('id="aimed"') : html.index('id="makes"')]
    found = await asked(
        corpus,
        """exportControls(origin: "CN", direction: IMPORT, status: IN_FORCE, first: 100) { nodes {
          key issuer { code } clauses(origin: "CN", status: IN_FORCE) { origins { code } } } }""",
    )
    naming = {
        control["key"]
        for control in found["exportControls"]["nodes"]
        for clause in control["clauses"]
        if "CN" in {one["code"] for one in clause["origins"]}
    }
    shown = re.findall(r'href="/controls/([^?"]*)\?', aimed)
    named = [key in naming for key in shown]
    assert any(named)
    assert named == sorted(named, reverse=True)
    assert all(named) or set(shown) >= naming
    assert not [key for key in shown if key.startswith("cn-")]


async def test_its_production_has_the_shares_of_the_api(corpus: Api) -> None:
    html = await page(corpus, f"/places/CD?{AT}")
    found = (await asked(corpus, 'productsOf(place: "CD") { year figure { share figure } }'))[
        "productsOf"
    ]
    makes = html[html.index('id="makes"') : html.index('id="exposed"')]
    shares = re.findall(
        r'<data value="([\d.]*)" data-path="asOf.productsOf.(\d+).figure.share">', makes
    )
    assert len(shares) > 5
    for share, index in shares:
        assert found[int(index)]["figure"]["share"] == share
        assert f'href="/figures/{found[int(index)]["figure"]["figure"]}?' in makes
    first = re.search(r'<tbody[^>]*>\s*<tr[^>]*><th scope="row"[^>]*><a [^>]*>([^<]*)</a>', makes)
    assert first
    assert first[1] == "Cobalt"
    australia = await page(corpus, f"/places/AU?{AT}")
    assert "mine, usable ore" in australia
    assert "mine, usable_ore" not in australia


async def test_its_exposure_begins_with_the_largest_share(corpus: Api) -> None:
    html = await page(corpus, f"/places/US?{AT}")
    exposed = html[html.index('id="exposed"') : html.index('id="belongs"')]
    found = (
        await asked(corpus, 'exposure(destination: "US") { controlledShare partlyControlledShare }')
    )["exposure"]
    reached = [
        float(one["controlledShare"] or 0) + float(one["partlyControlledShare"] or 0)
        for one in found
    ]
    indexes = dict.fromkeys(int(n) for n in re.findall(r'data-path="asOf.exposure.(\d+)', exposed))
    assert [reached[index] for index in indexes] == sorted(
        (share for share in reached if share), reverse=True
    )


async def test_a_member_of_a_union_says_so_and_belongs_through_it(corpus: Api) -> None:
    html = await page(corpus, f"/places/FR?{AT}")
    assert re.search(r'Member of the <a href="/places/EU\?[^"]*">European Union</a>', html)
    assert "of the European Union, to which it belongs" in html
    assert re.search(r"In France \d+ clauses of the European Union, [^.]*none of its own", html)
    assert "through the European Union" in html
    then = await page(corpus, "/places/GB?valid=2019-06-01&position=11755")
    assert "Member of the" in then
    assert "Member of the" not in await page(corpus, f"/places/GB?{AT}")


async def test_a_place_of_which_nothing_is_known_says_that(corpus: Api) -> None:
    html = await page(corpus, f"/places/VA?{AT}")
    for words in (
        "No control is recorded by this date.",
        "No figures for it are recorded at this moment.",
        "No membership is recorded.",
        "No act of its government is recorded.",
        "No clause of Vatican City in force is recorded, and no list of its acts was read.",
    ):
        assert words in html


async def test_a_value_that_is_not_a_place_is_refused_and_a_code_has_any_case(corpus: Api) -> None:
    answer = await corpus.request("GET", "/places/XX")
    assert answer.status_code == 400
    assert "is not a place" in answer.text
    small = await corpus.request("GET", "/places/cn")
    assert small.status_code == 200
    assert "<h1>China" in small.text


async def test_a_pinned_page_knows_nothing_of_what_is_recorded_later(
    corpus_services: Services,
) -> None:
    first = Api(corpus_services)
    paths = [f"{path}?{AT}" for path in ("/", "/places", "/places/CN")]
    before = [(await first.request("GET", path)).content for path in paths]
    later = {"id": "later", "name": "Later", "on": "2025-01-01", "members": ["CN"]}
    await first.do("foundAlliance", {**later, "source": source()})
    again = Api(corpus_services)  # without cached pages
    assert [(await again.request("GET", path)).content for path in paths] == before
    assert ">Later</a>" in await page(again, "/places/CN?valid=2026-11-26")


async def test_a_place_is_a_table_of_its_controls(corpus: Api) -> None:
    table = (await corpus.request("GET", f"/places/ZW.csv?{AT}")).text
    rows = [line for line in table.splitlines() if not line.startswith("#")]
    assert len(rows) > 3
    assert all("zw-" in row for row in rows[1:])
    image = (await corpus.request("GET", f"/places/ZW.svg?{AT}")).text
    assert re.search(r"<title>Zimbabwe: \d+.clauses in force, of these \d+ not confirmed<", image)


async def test_a_place_with_one_unconfirmed_rule_says_so_in_the_singular(corpus: Api) -> None:
    html = await page(corpus, "/places/BI?valid=2026-12-01")
    assert "1 clause of Burundi is in force, by its own terms." in html


async def test_a_group_in_statistics_and_a_former_state_say_that_they_issue_nothing(
    corpus: Api,
) -> None:
    for code, words in (
        ("WORLD", "“World” is a group in statistics, not an issuer of controls."),
        ("YUCS", "Yugoslavia existed until 3 Feb 2003. It has figures, but no controls."),
    ):
        html = await page(corpus, f"/places/{code}?{AT}")
        assert words in html
        assert "not recorded</b>" not in html
        assert 'id="completeness"' not in html
    assert "in statistics" not in await page(corpus, f"/places/EU?{AT}")
