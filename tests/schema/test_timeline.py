"""All that happens around a commodity, a place, a firm or an alliance, in the order of days."""

from typing import Any

import pytest

from tests.support.api import Api, claim, control, source, suspension

TIMELINE = """query ($day: Day, $position: Position, $after: String, $first: Int! = 200) {
  asOf(validAt: $day, position: $position) { timeline(ARGUMENTS first: $first, after: $after) {
    totalCount pageInfo { hasNextPage endCursor }
    nodes { day kind entity title summary transition { transition clause summary }
            publication { publisher name edition publishedOn claims } } } } }"""


async def entries(
    api: Api, arguments: str, day: str = "2026-11-26", **more: Any
) -> list[dict[str, Any]]:
    """Return the entries of a timeline from all pages."""
    document = TIMELINE.replace("ARGUMENTS", arguments)
    return [*await api.nodes(document, day=day, **more)]


async def test_acts_announcements_and_figures_are_in_one_order_of_days(api: Api) -> None:
    rare = {**control()["clauses"][0], "commodities": ["rare_earths"]}
    await api.do("announceExportControl", control("x", rare))
    await api.do("suspendExportControl", suspension("x"))
    made = {
        "id": "a",
        "on": "2025-02-01",
        "kind": "STATEMENT",
        "title": "On rare earths",
        "actors": ["US"],
        "commodities": ["rare_earths"],
        "source": source(),
    }
    await api.do("recordAnnouncement", made)
    for year in (2022, 2023):
        await api.do("recordFigure", claim(year=year))
    await api.do("recordFigure", claim(edition="MCS 2025", published_on="2025-01-31"))
    found = await entries(api, 'commodity: "rare_earths"', day="2026-01-01")
    assert [(one["day"], one["kind"], one["entity"]) for one in found] == [
        ("2024-01-31", "PUBLICATION", None),
        ("2024-12-03", "TRANSITION", "export-control/x"),
        ("2025-01-31", "PUBLICATION", None),
        ("2025-02-01", "ANNOUNCEMENT", "announcement/a"),
        ("2025-11-09", "TRANSITION", "export-control/x"),
        ("2026-11-28", "TRANSITION", "export-control/x"),
    ]
    assert found[0]["publication"]["claims"] == 2
    assert [one["summary"] for one in found[2:]] == [
        "US Geological Survey states 1 figure in MCS 2025 on 31 January 2025.",
        "Statement by the United States, 1 February 2025: On rare earths.",
        "Gallium to the US: clause 1 is suspended from 9 November 2025 until 27 November 2026.",
        "Gallium to the US: clause 1 is back in force from 28 November 2026 on, by the terms announced"
        " on 9 November 2025 alone.",
    ]
    early = await entries(api, 'commodity: "rare_earths"', day="2024-06-01", position="3")
    assert early == []
    only = await entries(
        api, 'place: "CN" kinds: [PUBLICATION] between: {from: "2025-01-01"}', day="2026-01-01"
    )
    assert [one["publication"]["edition"] for one in only] == ["MCS 2025"]
    assert await entries(api, 'place: "JP"', day="2026-01-01") == []


@pytest.mark.parametrize(
    "about", ['commodity: "gallium"', 'place: "JP"', 'alliance: "quad"', 'firm: "MP Materials"']
)
async def test_a_timeline_has_all_transitions_and_every_publication_once(
    corpus: Api, about: str
) -> None:
    found = await entries(corpus, about)
    days = [one["day"] for one in found]
    assert days == sorted(days)
    has_figures = about.startswith(("commodity", "place"))
    claims = f"claims({about}) {{ totalCount }}" if has_figures else ""
    listed = (
        await corpus.ask(
            f'{{ asOf(validAt: "2026-11-26") {{ transitions({about}) {{ totalCount }} {claims} }} }}'
        )
    )["asOf"]
    turns = [one for one in found if one["transition"]]
    assert len(turns) == listed["transitions"]["totalCount"] > 2
    assert [one["summary"] for one in turns] == [one["transition"]["summary"] for one in turns]
    stated = [one["publication"] for one in found if one["publication"]]
    if not has_figures:
        assert not stated
    else:
        assert sum(one["claims"] for one in stated) == listed["claims"]["totalCount"] > 2
        assert len({tuple(one.values()) for one in stated}) == len(stated)
    latest = await corpus.ask(
        f'{{ asOf(validAt: "2026-11-26") {{ timeline({about} orderBy: DAY_DESC first: 1)'
        " { nodes { day } } } }"
    )
    assert latest["asOf"]["timeline"]["nodes"] == [{"day": days[-1]}]


async def test_a_timeline_of_everything_is_refused(api: Api) -> None:
    refused = await api.refused("{ asOf { timeline { totalCount } } }")
    assert refused == ("INVALID_INPUT", ["commodity"])
