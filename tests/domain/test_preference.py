"""Publisher orders: separate entities that determine every result on figures."""

from datetime import date

import pytest

from projections.fold.replay import ReplayState
from projections.query.moment import Moment
from schema.services import Services
from tests.support.api import Api, claim, source
from tests.support.cases import each_case
from tests.support.fact_builders import decided_facts, fact, ordered, retracted, state
from tracker.domain.figures.preference import Ordered, PreferenceState
from tracker.errors import InvalidInput
from tracker.sources.readers.corpus_format import format_line, parse_line

STREAM = "preference/rare_earths"
FIGURE = "rare_earths/CN/production/mine/2023"
WORLD = "rare_earths/WORLD/production/mine/2023"


def on(day: str, *facts: Ordered) -> PreferenceState | None:
    """Return the order for rare earths on a day."""
    found: PreferenceState | None = state(decided_facts(STREAM, *facts), STREAM, day)
    return found


def test_an_order_counts_from_its_day_until_the_next_one() -> None:
    facts = (
        ordered("usgs", "bgs", commodity="rare_earths"),
        ordered("bgs", on="2025-09-01", commodity="rare_earths"),
    )
    assert on("2025-05-31", *facts) is None
    first, second = on("2025-08-31", *facts), on("2025-09-01", *facts)
    assert first is not None
    assert second is not None
    assert (first.publishers, first.event.event_id) == (("usgs", "bgs"), "e1")
    assert (second.publishers, second.event.event_id) == (("bgs",), "e2")


def test_an_order_that_is_recorded_late_takes_its_place_by_its_day() -> None:
    facts = (
        ordered("bgs", on="2025-09-01", commodity="rare_earths"),
        ordered("usgs", commodity="rare_earths"),
    )
    early, late = on("2025-08-31", *facts), on("2025-09-01", *facts)
    assert early is not None
    assert late is not None
    assert (early.publishers, late.publishers) == (("usgs",), ("bgs",))


def test_a_retracted_order_is_none() -> None:
    known = decided_facts(STREAM, ordered("bgs", commodity="rare_earths"), retracted("e1"))
    assert state(known, STREAM, "2025-09-01") is None


@each_case(
    ("scope", "stream"),
    [
        ({}, "preference/all"),
        ({"statistic": "reserves"}, "preference/all/reserves"),
        ({"commodity": "gallium"}, "preference/gallium"),
        ({"commodity": "gallium", "statistic": "production"}, "preference/gallium/production"),
    ],
)
def test_the_stream_says_what_an_order_is_for(scope: dict[str, str], stream: str) -> None:
    order = ordered("usgs", **scope)
    assert order.stream == stream
    assert parse_line(format_line("o", "Preference.Ordered", order)).stream == stream


def test_an_order_of_one_scope_does_not_enter_the_stream_of_another() -> None:
    with pytest.raises(InvalidInput) as caught:
        decided_facts(STREAM, ordered("usgs", commodity="gallium"))
    assert caught.value.path == ("commodity",)


@each_case(
    ("publishers", "reason", "path"),
    [
        ((), "why", "publishers"),
        (("usgs", "usgs"), "why", "publishers"),
        (("usgs",), " ", "reason"),
    ],
)
def test_an_order_has_publishers_each_once_and_a_reason(
    publishers: tuple[str, ...], reason: str, path: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        fact(Ordered, "2025-06-01", publishers=publishers, reason=reason)
    assert caught.value.path == (path,)


def ordering(*publishers: str, day: str = "2025-06-01", **scope: str) -> dict[str, object]:
    """Return the input of an order."""
    return {
        "on": day,
        "publishers": publishers,
        "reason": "they state their methods",
        "source": source("tracker", day),
        **scope,
    }


@pytest.fixture
async def api(services: Services) -> Api:
    """Run a tracker with two publishers' claims for China and the world."""
    api = Api(services)
    for publisher, day, china, world in (
        ("usgs", "2025-01-31", "255000", "376000"),
        ("bgs", "2025-02-15", "250000", "350000"),
    ):
        of = {"publisher": publisher, "published_on": day, "edition": f"{publisher} 2025"}
        await api.do("recordFigure", claim(china, **of))
        await api.do("recordFigure", claim(world, place="WORLD", **of))
    return api


ASKED = """
fragment all on AsOf {
  figure(id: "rare_earths/CN/production/mine/2023") {
    preferred { publisher } choice { rule reason event { eventId type } }
    claims { publisher preferred } }
  figures(place: "CN") { nodes { preferred { publisher } } }
  claims { nodes { figure publisher preferred } }
  production(commodity: "rare_earths", year: 2023) {
    world { publisher } concentration { hhi computedFrom { publisher preferred } }
    figures { publisher share choice { rule } preferred { preferred } } } }
"""


async def answers(api: Api, moment: str) -> dict[str, set[str]]:
    """Return the publishers of the preferred claims in every result at a moment."""
    data = await api.ask(f"{{ asOf({moment}) {{ ...all }} }} {ASKED}")
    found = data["asOf"]
    production = found["production"]
    return {
        "figure": {found["figure"]["preferred"]["publisher"]},
        "marked": {c["publisher"] for c in found["figure"]["claims"] if c["preferred"]},
        "figures": {node["preferred"]["publisher"] for node in found["figures"]["nodes"]},
        "claims": {c["publisher"] for c in found["claims"]["nodes"] if c["preferred"]},
        "world": {production["world"]["publisher"]},
        "shares": {f["publisher"] for f in production["figures"]},
        "hhi": {c["publisher"] for c in production["concentration"]["computedFrom"]},
    }


async def test_every_answer_goes_by_an_order_from_its_day_and_position_on(api: Api) -> None:
    before = await api.services.recorder.head()
    done = await api.do("orderPublishers", ordering("iea", "bgs"))
    assert done["entity"] == "preference/all"
    for moment, publisher in (
        ('validAt: "2025-05-31"', "usgs"),
        ('validAt: "2025-06-01"', "bgs"),
        (f'validAt: "2025-06-01", position: "{before}"', "usgs"),
    ):
        found = await answers(api, moment)
        assert all(of == {publisher} for of in found.values()), (moment, found)
    shares = [
        (
            await api.ask(
                f'{{ asOf(validAt: "{day}") {{ production(commodity: "rare_earths",'
                " year: 2023) { figures { share } } } }"
            )
        )["asOf"]["production"]
        for day in ("2025-05-31", "2025-06-01")
    ]
    assert [s["figures"][0]["share"] for s in shares] == ["0.6782", "0.7143"]


async def test_a_judgement_goes_before_a_special_order_and_that_before_a_general_one(
    api: Api,
) -> None:
    async def choice() -> tuple[str, str]:
        data = await api.ask(
            f'{{ asOf(validAt: "2025-07-01") {{ figure(id: "{FIGURE}") {{'
            " preferred { publisher } choice { rule event { type } } } } }"
        )
        figure = data["asOf"]["figure"]
        return figure["choice"]["rule"], figure["preferred"]["publisher"]

    assert await choice() == ("FIRST", "usgs")
    await api.do("orderPublishers", ordering("bgs"))
    assert await choice() == ("ORDER", "bgs")
    await api.do("orderPublishers", ordering("usgs", commodity="rare_earths"))
    assert await choice() == ("ORDER", "usgs")
    await api.do(
        "preferPublisher",
        {
            "id": FIGURE,
            "on": "2025-06-01",
            "publisher": "bgs",
            "edition": "bgs 2025",
            "reason": "nearer to the mines",
            "source": source("tracker", "2025-06-01"),
        },
    )
    assert await choice() == ("JUDGEMENT", "bgs")


async def test_an_order_leaves_the_rows_of_figures_as_they_are(api: Api) -> None:
    before = [await api.services.as_of.histories.page(f"figure/{id}") for id in (FIGURE, WORLD)]
    await api.do("orderPublishers", ordering("bgs"))
    after = [await api.services.as_of.histories.page(f"figure/{id}") for id in (FIGURE, WORLD)]
    assert before == after


async def test_the_database_agrees_with_a_fold_in_memory_about_orders(api: Api) -> None:
    await api.do("orderPublishers", ordering("bgs"))
    done = await api.do("orderPublishers", ordering("usgs", day="2025-05-01"))
    await api.do(
        "retractEvent",
        {"eventId": done["eventId"], "reason": "a test", "source": source("tracker", "2025-06-01")},
    )
    recorder, world = api.services.recorder, ReplayState()
    for event in await recorder.read(0, limit=100):
        world.add(event)
    for day in (date(2025, 4, 30), date(2025, 5, 1), date(2025, 6, 1)):
        for position in range(world.position + 1):
            moment = Moment(day, position)
            assert await api.services.as_of.digest(moment) == world.digest(day, position)


async def test_orders_are_listed_and_have_a_history(api: Api) -> None:
    await api.do("orderPublishers", ordering("bgs", "usgs"))
    await api.do(
        "orderPublishers", ordering("usgs", commodity="rare_earths", statistic="PRODUCTION")
    )
    data = await api.ask("""{
      asOf(validAt: "2025-06-01") { preferences { totalCount nodes {
        key entity commodity { key } statistic publishers reason
        event { type source { publisher } } because { position } } } }
      history(entity: "preference/all") { nodes { validFrom state { __typename
        ... on Preference { publishers } } } } }""")
    listed = data["asOf"]["preferences"]
    assert listed["totalCount"] == 2
    assert listed["nodes"][0] == {
        "key": "all",
        "entity": "preference/all",
        "commodity": None,
        "statistic": None,
        "publishers": ["bgs", "usgs"],
        "reason": "they state their methods",
        "event": {"type": "Preference.Ordered", "source": {"publisher": "tracker"}},
        "because": [{"position": "5"}],
    }
    assert (
        listed["nodes"][1]["key"],
        listed["nodes"][1]["commodity"]["key"],
        listed["nodes"][1]["statistic"],
    ) == ("rare_earths/production", "rare_earths", "PRODUCTION")
    assert data["history"]["nodes"] == [
        {
            "validFrom": "2025-06-01",
            "state": {"__typename": "Preference", "publishers": ["bgs", "usgs"]},
        }
    ]


async def test_the_history_of_a_figure_does_not_say_which_claim_to_use(api: Api) -> None:
    data = await api.ask(f"""{{ history(entity: "figure/{FIGURE}") {{ nodes {{ state {{
        ... on Figure {{
        claims {{ publisher preferred }} preferred {{ publisher }} choice {{ rule }}
        sideBySide {{ latest {{ publisher }} }} }} }} }} }} }}""")
    last = data["history"]["nodes"][-1]["state"]
    assert [c["preferred"] for c in last["claims"]] == [None, None]
    assert (last["preferred"], last["choice"], last["sideBySide"]) == (None, None, None)


async def test_a_bad_order_is_refused_with_its_field(api: Api) -> None:
    for change, field in (
        ({"publishers": ["usgs", "usgs"]}, ["publishers"]),
        ({"publishers": []}, ["publishers"]),
        ({"publishers": ["The USGS"]}, ["publishers", 0]),
        ({"reason": " "}, ["reason"]),
    ):
        _, path = await api.fails("orderPublishers", {**ordering("usgs"), **change})
        assert path == ["input", *field]
