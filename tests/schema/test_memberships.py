"""Memberships on a day and over time, as a matrix of places and alliances."""

from typing import Any

from tests.support.api import Api, source
from tests.support.cases import each_case

DOCUMENT = """query ($day: Day, $position: Position, $after: String, $first: Int! = 200) {
  asOf(validAt: $day, position: $position) { memberships(ARGUMENTS first: $first, after: $after) {
    totalCount pageInfo { hasNextPage endCursor }
    nodes { alliance { key status } place { code } kind role union { code }
            from until since } } } }"""


async def listed(
    api: Api, arguments: str = "", day: str = "2026-01-01", **more: Any
) -> list[tuple[Any, ...]]:
    """Return the memberships of a page: alliance, place, kind, union, first and last day."""
    document = DOCUMENT.replace("ARGUMENTS", arguments)
    found = (await api.ask(document, day=day, **more))["asOf"]["memberships"]
    return [
        (
            one["alliance"]["key"],
            one["place"]["code"],
            one["kind"],
            one["union"] and one["union"]["code"],
            one["from"],
            one["until"],
        )
        for one in found["nodes"]
    ]


async def found_quad(api: Api, *members: str) -> None:
    """Found an alliance on 1 June 2019."""
    quad = {"id": "quad", "on": "2019-06-01", "name": "Quad", "members": list(members)}
    await api.do("foundAlliance", {**quad, "source": source()})


async def change(api: Api, on: str, member: str, change: str, **more: Any) -> None:
    """Record that a place joins, leaves, or takes another role."""
    given = {"id": "quad", "on": on, "member": member, "change": change, "source": source()}
    await api.do("recordMembership", {**given, **more})


async def test_a_place_that_comes_and_goes_has_a_period_each_time(api: Api) -> None:
    await found_quad(api, "US", "JP")
    await change(api, "2020-03-01", "JP", "LEFT")
    await change(api, "2021-03-01", "JP", "JOINED", since="2021")
    assert await listed(api) == [
        ("quad", "JP", "MEMBER", None, "2021-03-01", None),
        ("quad", "US", "MEMBER", None, "2019-06-01", None),
    ]
    whole = "between: {}"
    assert await listed(api, f'places: ["JP"] {whole}') == [
        ("quad", "JP", "MEMBER", None, "2019-06-01", "2020-02-29"),
        ("quad", "JP", "NONE", None, "2020-03-01", "2021-02-28"),
        ("quad", "JP", "MEMBER", None, "2021-03-01", None),
    ]
    assert await listed(api, whole) == [
        ("quad", "JP", "MEMBER", None, "2019-06-01", "2020-02-29"),
        ("quad", "JP", "MEMBER", None, "2021-03-01", None),
        ("quad", "US", "MEMBER", None, "2019-06-01", None),
    ]
    assert await listed(api, whole, position="2", day="2020-06-01") == [
        ("quad", "JP", "MEMBER", None, "2019-06-01", "2020-02-29"),
        ("quad", "US", "MEMBER", None, "2019-06-01", None),
    ]
    assert await listed(api, 'places: ["JP"]', day="2019-01-01") == []


async def test_a_country_belongs_through_its_union_as_long_as_it_is_in_it(api: Api) -> None:
    await found_quad(api, "US", "EU")
    assert await listed(api, 'places: ["GB", "FR", "CN"] between: {}') == [
        ("quad", "CN", "NONE", None, "2019-06-01", None),
        ("quad", "FR", "THROUGH_UNION", "EU", "2019-06-01", None),
        ("quad", "GB", "THROUGH_UNION", "EU", "2019-06-01", "2020-01-31"),
        ("quad", "GB", "NONE", None, "2020-02-01", None),
    ]
    through = await listed(api, "kinds: [THROUGH_UNION]", day="2019-07-01")
    assert ("quad", "GB") in {row[:2] for row in through}
    assert len(through) == 28
    assert len(await listed(api, "kinds: [THROUGH_UNION]")) == 27


async def test_another_role_is_another_period(api: Api) -> None:
    await found_quad(api, "US")
    await change(api, "2020-01-01", "IN", "JOINED", role="OBSERVER")
    member = {"id": "quad", "on": "2021-01-01", "member": "IN", "role": "MEMBER"}
    await api.do("changeRole", {**member, "source": source()})
    assert await listed(api, 'places: ["IN"] between: {from: "2020-06-01"}') == [
        ("quad", "IN", "TAKES_PART", None, "2020-01-01", "2020-12-31"),
        ("quad", "IN", "MEMBER", None, "2021-01-01", None),
    ]


async def test_a_matrix_has_a_cell_for_every_place_and_alliance(corpus: Api) -> None:
    rows = await listed(corpus, 'places: ["JP", "FR", "IN"]')
    data = await corpus.ask(
        """{ asOf(validAt: "2026-01-01") { alliances(first: 200) { nodes { key
        jp: membership(place: "JP") { kind } fr: membership(place: "FR") { kind }
        in: membership(place: "IN") { kind } } } } }"""
    )
    cells = {
        (node["key"], place.upper(), node[place]["kind"])
        for node in data["asOf"]["alliances"]["nodes"]
        for place in ("jp", "fr", "in")
    }
    assert {row[:3] for row in rows} == cells
    assert len(rows) == len(cells) >= 30


async def test_pages_have_every_membership_once(corpus: Api) -> None:
    together = await listed(corpus, 'alliances: ["quad", "msp"] between: {}')
    document = DOCUMENT.replace("ARGUMENTS", 'alliances: ["quad", "msp"] between: {}')
    found = [
        (one["alliance"]["key"], one["place"]["code"], one["from"])
        for one in await corpus.nodes(document, day="2026-01-01", first=7)
    ]
    assert found == [(row[0], row[1], row[4]) for row in together]
    assert len(found) > 7


async def test_memberships_can_be_put_in_the_order_of_places(corpus: Api) -> None:
    by_alliance = await listed(corpus, 'alliances: ["quad", "msp"]')
    by_place = await listed(corpus, 'alliances: ["quad", "msp"] orderBy: PLACE')
    assert by_place == sorted(by_alliance, key=lambda row: (row[1], row[0]))
    assert by_place != by_alliance
    cursor = (await corpus.ask("{ asOf { memberships(first: 1) { pageInfo { endCursor } } } }"))[
        "asOf"
    ]["memberships"]["pageInfo"]["endCursor"]
    document = (
        "query ($c: String) { asOf { memberships(orderBy: PLACE after: $c) { totalCount } } }"
    )
    assert await corpus.refused(document, c=cursor) == ("INVALID_CURSOR", ["after"])


@each_case(
    ("arguments", "code", "path"),
    [
        ('places: ["JP", "XX"]', "UNKNOWN_PLACE", ["places", 1]),
        ('alliances: ["a b"]', "INVALID_INPUT", ["alliances", 0]),
        ("places: [" + '"JP" ' * 101 + "]", "TOO_LARGE", ["places"]),
        ('between: {from: "2026-01-01", to: "2025-01-01"}', "END_BEFORE_START", ["between", "to"]),
    ],
)
async def test_bad_questions_are_refused(
    api: Api, arguments: str, code: str, path: list[str | int]
) -> None:
    document = f"{{ asOf {{ memberships({arguments}) {{ totalCount }} }} }}"
    assert await api.refused(document) == (code, path)


async def test_nobody_belongs_to_an_alliance_that_has_ended_and_its_last_day_says_so(
    api: Api,
) -> None:
    await found_quad(api, "US")
    next_one = {"id": "next", "on": "2025-02-04", "name": "Next", "members": ["US"]}
    await api.do("foundAlliance", {**next_one, "source": source()})
    ended = {"id": "quad", "on": "2025-02-04", "by": "next", "source": source()}
    await api.do("succeedAlliance", ended)
    quad = ("quad", "US", "MEMBER", None, "2019-06-01", "2025-02-03")
    new = ("next", "US", "MEMBER", None, "2025-02-04", None)
    assert await listed(api, 'places: ["US"],', "2025-02-04") == [new]
    always = 'places: ["US"], between: {from: "2000-01-01"},'
    assert await listed(api, always, "2026-01-01") == [new, quad]
    assert await listed(api, always, "2025-01-01") == [(*quad[:5], None)]
