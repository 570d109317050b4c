"""Words as people write them: codes with dots, American spelling, abbreviations that begin other words."""

from tests.support.api import Api, clause, control, source

SEARCH = """query ($text: String!, $position: Position) {
  asOf(validAt: "2026-06-01", position: $position) { search(text: $text, first: 200) {
    nodes { entity matched { field text start end } } } } }"""


async def search_entities(api: Api, text: str, position: str | None = None) -> list[str]:
    """Return the names of a search's results, best first."""
    data = await api.ask(SEARCH, text=text, position=position)
    return [node["entity"] for node in data["asOf"]["search"]["nodes"]]


async def state(api: Api, key: str, title: str, **more: object) -> None:
    """Record a statement of a place, Japan if none is given, with a title."""
    made = {"id": key, "kind": "STATEMENT", "title": title, "on": "2025-01-01", "actors": ["JP"]}
    await api.do("recordAnnouncement", {**made, "source": source(), **more})


async def test_a_code_of_customs_is_found_with_dots_and_without(api: Api) -> None:
    goods = [{"name": "Gallium nitride", "hs": ["285000"]}]
    await api.do("announceExportControl", control("x", clause(items=goods)))
    for text in ("2850.00", "285000", "HS 2850.00", "gallium 2850.00"):
        assert await search_entities(api, text) == ["export-control/x"], text


async def test_a_code_that_is_not_stated_counts_as_those_above_it(api: Api) -> None:
    graphite = control("x", clause(commodities=["natural_graphite"]), title="Graphite")
    await api.do("announceExportControl", graphite)
    await api.do("announceExportControl", control("y", clause(), title="Gallium"))
    for text in ("2504.10", "250410", "2504.10.1000"):
        assert await search_entities(api, text) == ["export-control/x"], text
    assert await search_entities(api, "2505.10") == []


async def test_words_are_found_in_british_and_american_spelling(api: Api) -> None:
    await state(api, "gb", "Licences for the defence of programmes")
    await state(api, "us", "Licenses for the defense of programs")
    for text in ("licence", "licenses", "defence", "defense", "program", "programmes"):
        assert sorted(await search_entities(api, text)) == ["announcement/gb", "announcement/us"], (
            text
        )
    assert (await search_entities(api, "license"))[0] == "announcement/us"
    assert (await search_entities(api, "licence"))[0] == "announcement/gb"


async def test_lists_are_narrowed_by_either_spelling_too(api: Api) -> None:
    await state(api, "gb", "Licences for the defence of programmes")
    await state(api, "us", "Licenses for the defense of programs")
    document = """query ($text: String!) { asOf(validAt: "2026-06-01") {
        announcements(search: $text) { nodes { key } } } }"""
    for text in ("licence", "license", "licenses", "defence programme", "defense program"):
        data = await api.ask(document, text=text)
        keys = {node["key"] for node in data["asOf"]["announcements"]["nodes"]}
        assert keys == {"gb", "us"}, text


async def test_an_abbreviation_comes_before_what_it_begins(api: Api) -> None:
    await state(api, "ua", "Ukraine and Ukraine's partners meet", actors=["UA"])
    await state(api, "gb", "London agrees", actors=["GB"])
    assert await search_entities(api, "UK") == ["announcement/gb", "announcement/ua"]
    assert await search_entities(api, "ukr") == ["announcement/ua"]


async def test_signs_come_first_where_they_stand_in_their_order(api: Api) -> None:
    for key, title in (("a", "本公告自2025年1月1日起施行"), ("b", "关于原产于日本的公告")):
        original = {"text": title, "language": "zh-Hans"}
        await state(api, key, "A notice", actors=["CN"], originalTitle=original)
    assert await search_entities(api, "日本") == ["announcement/b", "announcement/a"]
    assert await search_entities(api, "日本 施行") == ["announcement/a"]
    assert await search_entities(api, "美国") == []
    data = await api.ask(SEARCH, text="日本")
    assert [
        [one["text"][one["start"] : one["end"]] for one in node["matched"]]
        for node in data["asOf"]["search"]["nodes"]
    ] == [["日本"], ["日", "本"]]


async def test_a_title_in_chinese_is_found_however_many_signs_it_has(api: Api) -> None:
    title = "公布对锂电池和人造石墨负极材料相关物项实施出口管制的决定"
    await state(api, "a", "A notice", originalTitle={"text": title, "language": "zh-Hans"})
    data = await api.ask(SEARCH, text=f"《{title}》")
    [found] = data["asOf"]["search"]["nodes"]
    assert found["matched"] == [{"field": "originalTitle", "text": title, "start": 0, "end": 28}]
