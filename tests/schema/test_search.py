"""Search for words at a moment, best results first, with the matching part."""

import re
from typing import Any

import pytest

from schema.base.global_ids import encode_opaque
from tests.support.api import Api, claim, clause, control, source
from tests.support.fact_builders import source as fact_source
from tracker.domain.basics.codec import from_builtins
from tracker.domain.basics.values import PartialDate
from tracker.domain.entities.fact import Source

SEARCH = """query ($text: String!, $kinds: [EntityKind!], $commodity: String, $place: String,
                   $day: Day, $position: Position, $first: Int, $after: String, $last: Int,
                   $before: String) {
  asOf(validAt: $day, position: $position) {
    search(text: $text, kinds: $kinds, commodity: $commodity, place: $place, first: $first,
           after: $after, last: $last, before: $before) {
      totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      nodes { entity kind title rank matched { field text start end position }
              node { __typename ... on Node { entity } } } } } }"""
FIRM = {
    "id": "mp",
    "on": "2017-07-01",
    "name": "MP Materials",
    "also": ["Mountain Pass"],
    "source": source("sec", "2017-07-01"),
}
STATEMENT = {
    "id": "jp-1",
    "on": "2025-01-10",
    "kind": "STATEMENT",
    "title": "Tokyo regrets the embargo on germanium",
    "actors": ["JP"],
    "source": source("meti", "2025-01-10"),
}


async def search(api: Api, text: str, **variables: Any) -> Any:
    """Return the results of a search on a day of 2026."""
    data = await api.ask(SEARCH, **{"text": text, "day": "2026-06-01"} | variables)
    return data["asOf"]["search"]


async def entities(api: Api, text: str, **variables: Any) -> list[str]:
    """Return the names of a search's results, and check that each is shown as itself."""
    found = await search(api, text, first=200, **variables)
    assert found["totalCount"] == len(found["nodes"])
    for one in found["nodes"]:
        assert one["node"]["entity"] == one["entity"]
        assert one["kind"] == one["entity"].partition("/")[0].replace("-", "_").upper()
        assert one["rank"] > 0
    return [one["entity"] for one in found["nodes"]]


def marked(result: Any) -> list[tuple[str, str]]:
    """Return the matching fields with the matching parts of their texts."""
    return [(m["field"], m["text"][m["start"] : m["end"]]) for m in result["matched"]]


CATALOGUE = control(
    "cn",
    clause(
        endUse="for armour-piercing shells",
        exemptions="Samples of up to 5 kg",
        entities=["Acme Optics"],
        exceptions=[{"places": ["CH"], "note": "by treaty"}],
        items=[{"name": "Gallium nitride", "code": "3C001", "hs": ["285000"]}],
    ),
    title="Suspended export of gallium 稀土",
    instrument="MOFCOM Notice 46/2024",
)


async def test_a_control_is_found_by_what_it_is_called_and_by_all_that_its_clauses_say(
    api: Api,
) -> None:
    await api.do("announceExportControl", CATALOGUE)
    for text, field, part in (
        ("gallium", "title", "gallium"),
        ("GÁLL", "title", "gallium"),
        ("suspending", "title", "Suspended"),
        ("notice", "instrument", "Notice"),
        ("china", "issuer", "China"),
        ("ch", "clauses", "CH"),
        ("chn", "issuer", "CHN"),
        ("people's republic", "issuer", "people"),
        ("shells", "clauses", "shells"),
        ("samples", "clauses", "Samples"),
        ("acme", "clauses", "Acme"),
        ("treaty", "clauses", "treaty"),
        ("switzerland", "clauses", "Switzerland"),
        ("3c001", "clauses", "3C001"),
        ("2850", "clauses", "285000"),
        ("811292", "commodities", "811292"),
        ("ban", "clauses", "ban"),
        ("土", "title", "土"),
    ):
        [found] = (await search(api, text))["nodes"]
        assert found["entity"] == "export-control/cn", text
        assert marked(found)[0] == (field, part)


async def test_all_words_have_to_be_there_in_whatever_fields(api: Api) -> None:
    await api.do("announceExportControl", CATALOGUE)
    await api.do("recordAnnouncement", STATEMENT)
    assert await entities(api, "china shells 46") == ["export-control/cn"]
    assert await entities(api, "japan germanium") == ["announcement/jp-1"]
    assert await entities(api, "china embargo") == ["export-control/cn"], "a ban in other words"
    assert await entities(api, "china regrets") == []
    assert await entities(api, "the embargo of a japan") == ["announcement/jp-1"], "stop words"
    assert await entities(api, "HS 2850") == ["export-control/cn"]


async def test_firms_and_alliances_are_found_by_former_names_and_other_spellings(api: Api) -> None:
    await api.do("identifyFirm", FIRM)
    await api.do("renameFirm", {**FIRM, "on": "2020-01-01", "name": "MPM Corp", "also": []})
    [found] = (await search(api, "materials"))["nodes"]
    assert (found["entity"], found["title"]) == ("firm/mp", "MPM Corp")
    assert marked(found) == [("formerNames", "Materials")]
    assert await entities(api, "mountain") == ["firm/mp"]


async def test_matches_in_names_come_before_matches_in_texts(api: Api) -> None:
    await api.do("recordAnnouncement", {**STATEMENT, "title": "MP and MP again", "firms": ["MP"]})
    await api.do("identifyFirm", FIRM)
    await api.do("announceExportControl", control("x", clause(entities=["MP Materials"])))
    assert await entities(api, "mp") == ["firm/mp", "announcement/jp-1", "export-control/x"]


async def test_figures_are_found_by_commodity_place_statistic_stage_and_year(api: Api) -> None:
    for place, year in (("CN", 2023), ("CN", 2022), ("US", 2023)):
        await api.do("recordFigure", claim(place=place, year=year))
    china = "figure/rare_earths/CN/production/mine/"
    assert await entities(api, "rare earths china 2023") == [f"{china}2023"]
    assert await entities(api, "REE usa") == ["figure/rare_earths/US/production/mine/2023"]
    assert await entities(api, "REE production mine cn") == [f"{china}2022", f"{china}2023"]
    assert await entities(api, "rare earths smelter") == []
    assert await entities(api, "2023") == [], "figures of all commodities and places"
    assert await entities(api, "china", kinds=["FIRM"]) == []
    [found] = (await search(api, "earths united 2023"))["nodes"]
    assert found["title"] == "Rare earths, United States, production, mine, 2023"
    assert marked(found) == [
        ("series.commodity", "earths"),
        ("series.place", "United"),
        ("series.period", "2023"),
    ]


async def test_words_that_is_not_stated_count_as_those_that_they_are_nearly_like(api: Api) -> None:
    await api.do("announceExportControl", CATALOGUE)
    await api.do("recordAnnouncement", STATEMENT)
    await api.do("recordFigure", claim())
    for text, found in (
        ("galium", "export-control/cn"),
        ("galluim", "export-control/cn"),
        ("suspneded gallium", "export-control/cn"),
        ("shels", "export-control/cn"),
        ("swizerland", "export-control/cn"),
        ("germanim", "announcement/jp-1"),
        ("prodction chnia", "figure/rare_earths/CN/production/mine/2023"),
    ):
        assert await entities(api, text) == [found], text


async def test_a_word_that_somebody_has_said_is_not_corrected(api: Api) -> None:
    await api.do("announceExportControl", control("x", clause(endUse="shelled nuts")))
    await api.do("announceExportControl", control("y", clause(endUse="shelves")))
    assert await entities(api, "shelled") == ["export-control/x"]
    assert await entities(api, "shelled vanadium") == []
    assert await entities(api, "nuta") == ["export-control/x"], "four letters, one of them wrong"
    assert await entities(api, "nxta") == [], "two of four are too many"


async def test_nothing_is_found_that_the_log_had_not_said_at_the_position(api: Api) -> None:
    await api.do("announceExportControl", control("x", title="Antimony stays at home"))
    before = (await api.do("announceExportControl", control("y", title="Tin")))["position"]
    found = await search(api, "antimony", position=before)
    await api.do(
        "amendExportControl",
        {
            "id": "y",
            "on": "2025-01-01",
            "title": "Antimony, and tin",
            "clauses": [clause()],
            "source": source(published_on="2025-01-01"),
        },
    )
    await api.do("announceExportControl", control("z", title="Antimonx and antimony"))
    assert await search(api, "antimony", position=before) == found
    assert [one["entity"] for one in found["nodes"]] == ["export-control/x"]
    assert set(await entities(api, "antimony")) == {f"export-control/{id}" for id in "xyz"}
    assert await entities(api, "antimonx", position=before) == ["export-control/x"], (
        "at that position nobody had said it, so it was misspelt"
    )
    assert await entities(api, "antimonx") == ["export-control/z"]


async def test_a_title_is_found_on_the_days_on_which_it_was_the_title(api: Api) -> None:
    await api.do("announceExportControl", control("x", title="Wolframite"))
    await api.do(
        "amendExportControl",
        {
            "id": "x",
            "on": "2025-01-01",
            "title": "Scheelite",
            "clauses": [clause()],
            "source": source(published_on="2025-01-01"),
        },
    )
    assert await entities(api, "wolframite", day="2024-12-31") == ["export-control/x"]
    assert await entities(api, "wolframite", day="2025-01-01") == []
    assert await entities(api, "scheelite", day="2024-12-31") == []
    assert await entities(api, "gallium", day="2024-12-02") == []


async def test_notes_and_quotations_are_found_with_the_event_that_has_them(api: Api) -> None:
    position = (
        await api.do(
            "announceExportControl",
            control(
                "x",
                clause(note="As Ms Doe explained"),
                quotation="« L'exportation est interdite »",
                note="Told by the Straße gazette",
            ),
        )
    )["position"]
    for text, field, part in (
        ("doe", "/clauses/0/note", "Doe"),
        ("interdite", "/quotation", "interdite"),
        ("strasse", "/note", "Straße"),
    ):
        [found] = (await search(api, text))["nodes"]
        assert found["entity"] == "export-control/x"
        assert marked(found)[0] == (field, part)
        assert {match["position"] for match in found["matched"]} == {position}
    [found] = (await search(api, "gallium doe"))["nodes"]
    assert marked(found) == [("title", "Gallium"), ("/clauses/0/note", "Doe")]
    assert await entities(api, "doe", position=str(int(position) - 1)) == []
    assert await entities(api, "doe", day="2024-12-02") == []


async def test_a_redacted_text_is_no_longer_found_at_any_position(api: Api) -> None:
    recorded = await api.do("announceExportControl", control("x", note="Ms Doe said so"))
    assert await entities(api, "doe") == ["export-control/x"]
    services = api.services
    law = from_builtins(Source, fact_source("court", "2026-03-01"))
    on = PartialDate("2026-03-01")
    done = await services.commands.redact(recorded["eventId"], "A court forbids it", on, law)
    await services.projector.reach(done.positions[-1])
    assert await entities(api, "doe") == []
    assert await entities(api, "doe", position=recorded["position"]) == []
    assert await entities(api, "doee", position=recorded["position"]) == []
    assert await entities(api, "gallium") == ["export-control/x"]


async def test_retracted_facts_are_not_found_from_then_on(api: Api) -> None:
    recorded = await api.do("announceExportControl", control("x", note="Ms Doe said so"))
    await api.do(
        "retractEvent",
        {"eventId": recorded["eventId"], "reason": "It was wrong", "source": source()},
    )
    assert await entities(api, "doe") == await entities(api, "gallium") == []
    at = recorded["position"]
    assert await entities(api, "doe", position=at) == ["export-control/x"]


async def test_results_are_narrowed_by_kind_commodity_and_place(corpus: Api) -> None:
    everything = await entities(corpus, "germanium export")
    kinds = {entity.partition("/")[0] for entity in everything}
    assert {"announcement", "export-control"} <= kinds
    of_kind = await entities(corpus, "germanium export", kinds=["EXPORT_CONTROL"])
    assert set(of_kind) == {e for e in everything if e.startswith("export-control/")}
    of_china = await entities(corpus, "germanium export", place="CN")
    assert set(of_china) < set(everything)
    assert of_china
    assert await entities(corpus, "germanium", commodity="lithium", place="NE") == []
    nothing = await entities(corpus, "germanium export", kinds=[])
    assert nothing == []


async def test_pages_are_the_list_forwards_and_backwards(corpus: Api) -> None:
    whole = (await search(corpus, "china", first=200))["nodes"]
    assert [one["rank"] for one in whole] == sorted((o["rank"] for o in whole), reverse=True)
    forwards, after = [], None
    for _ in range(4):
        page = await search(corpus, "china", first=50, after=after)
        after = page["pageInfo"]["endCursor"]
        assert page["pageInfo"]["hasNextPage"]
        forwards += page["nodes"]
    assert forwards == whole
    back = await search(corpus, "china", last=50, before=page["pageInfo"]["startCursor"])
    assert back["nodes"] == whole[100:150]
    assert back["pageInfo"]["hasPreviousPage"]


async def test_a_long_text_is_shown_around_the_match(api: Api) -> None:
    long = "x " * 500 + "about neodymium oxide " + "y " * 500
    await api.do("announceExportControl", control("x", clause(exemptions=long)))
    [found] = (await search(api, "neodymium"))["nodes"]
    [match] = found["matched"]
    assert marked(found) == [("clauses", "neodymium")]
    assert match["text"].startswith("…x x")
    assert match["text"].endswith("y y…")
    assert len(match["text"]) <= 202


async def test_bad_input_is_refused_with_its_field(api: Api) -> None:
    for variables, code in (
        ({"text": "…"}, "INVALID_INPUT"),
        ({"text": "x" * 501}, "TOO_LARGE"),
        ({"text": " ".join(map(str, range(21)))}, "TOO_LARGE"),
        ({"commodity": "kryptonite"}, "UNKNOWN_COMMODITY"),
        ({"place": "Atlantis"}, "UNKNOWN_PLACE"),
        ({"after": "x"}, "INVALID_CURSOR"),
        ({"after": encode_opaque('["RANK","x","firm/mp"]')}, "INVALID_CURSOR"),
        ({"first": 201}, "INVALID_PAGE_SIZE"),
    ):
        [field] = variables
        assert await api.refused(SEARCH, **{"text": "tin"} | variables) == (code, [field])


EVERYWHERE = """query ($text: String!) {
  asOf { search(text: $text) { totalCount } exportControls(search: $text) { totalCount } }
  events(search: $text) { totalCount } }"""
LIGATURE = "\ufdf4"
"""One sign that is four letters, each of two bytes."""


async def test_no_text_is_more_than_words(api: Api) -> None:
    strange = ("'", "a' & !b", "\\", "tin:*", "{tin}", '"', "%", "é" * 60, "-1", "tin\0", "null")
    for text in (*strange, LIGATURE * 500, "x" * 500, "1e5 0x1f ½ ²", "of"):
        answer = await api.post(EVERYWHERE, text=text)
        codes = {error["extensions"]["code"] for error in answer.get("errors", ())}
        assert codes in (set(), {"INVALID_INPUT"}), text


PLAIN_WORDS = ("armour", "fentanyl", "stockpile", "magnets", "recycl", "smelter", "talks", "royalt")
POLICY = ["ALLIANCE", "ANNOUNCEMENT", "EXPORT_CONTROL", "FIRM"]
STATES = """query ($day: Day, $position: Position) { asOf(validAt: $day, position: $position) {
  alliances(first: 200) { nodes { entity name key formerNames purpose because { ...texts } } }
  firms(first: 200) { nodes { entity name key also formerNames because { ...texts } } }
  first: announcements(first: 200) { nodes { ...announcement } }
  last: announcements(last: 200) { nodes { ...announcement } }
  exportControls(first: 200) { nodes { entity title key instrument disputes { account assessment }
    clauses { commodities { name } endUse exemptions items { name threshold } exemptItems { name }
              entities exporters rateText endCondition } because { ...texts } } } } }
fragment announcement on Announcement {
  entity title key topic firms commodities { name } amounts { label } because { ...texts } }
fragment texts on Because { annexes { text } }"""


def all_texts(value: Any) -> str:
    """Return all texts in a result, except the names of entities."""
    if isinstance(value, dict):
        return " ".join(all_texts(inner) for name, inner in value.items() if name != "entity")
    if isinstance(value, list):
        return " ".join(map(all_texts, value))
    return value if isinstance(value, str) else ""


@pytest.mark.parametrize("moment", [("2026-06-01", None), ("2024-06-01", "10755")])
async def test_a_search_finds_all_that_a_reader_of_the_whole_corpus_would(
    corpus: Api, moment: tuple[str, str | None]
) -> None:
    day, position = moment
    lists = (await corpus.ask(STATES, day=day, position=position))["asOf"]
    texts = {
        one["entity"]: all_texts(one).casefold() for of in lists.values() for one in of["nodes"]
    }
    for word in PLAIN_WORDS:
        pattern = re.compile(rf"(?<!\w){word}")
        expected = {entity for entity, text in texts.items() if pattern.search(text)}
        found = await search(corpus, word, kinds=POLICY, first=200, day=day, position=position)
        results = {one["entity"]: one for one in found["nodes"]}
        assert expected <= results.keys(), word
        for entity in results.keys() - expected:
            [(_, part)] = marked(results[entity])
            assert part.casefold()[:4] == word[:4], f"{entity} does not say {word}, but {part}"


async def test_the_title_in_the_language_of_the_issuer_is_searched_and_shown(api: Api) -> None:
    chinese = {"text": "关于对镓、锗相关物项实施出口管制的公告", "language": "zh-Hans"}
    await api.do("announceExportControl", control("x", clause("1"), originalTitle=chinese))
    await api.do("announceExportControl", control("y", clause("1")))
    await api.do(
        "recordAnnouncement",
        {**STATEMENT, "originalTitle": {**chinese, "text": "輸出規制への遺憾"}},
    )
    assert await entities(api, "出口管制") == ["export-control/x"]
    assert await entities(api, "規制") == ["announcement/jp-1"]
    [found] = (await search(api, "镓 锗"))["nodes"]
    assert ("originalTitle", "镓") in marked(found)
    data = await api.ask(
        """{ asOf(validAt: "2026-06-01") {
          exportControls(search: "管制") { nodes { key originalTitle { text language } } }
          y: exportControl(id: "y") { originalTitle { text } }
          announcements(search: "遺憾") { nodes { originalTitle { text language } } } } }"""
    )
    assert data["asOf"] == {
        "exportControls": {"nodes": [{"key": "x", "originalTitle": chinese}]},
        "y": {"originalTitle": None},
        "announcements": {"nodes": [{"originalTitle": {**chinese, "text": "輸出規制への遺憾"}}]},
    }
