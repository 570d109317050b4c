"""The share of a group: each country once, with unknown values reported."""

from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from projections.analysis.distribution import distribution
from projections.analysis.groups import Group, GroupShare, countries_of, group_share
from schema.services import Services
from tests.projections.test_distribution import figure, withheld
from tests.support.api import Api, source
from tests.support.api import claim as recorded
from tracker.domain.catalogue.places import Place
from tracker.domain.figures.figure import FigureState

ON = date(2025, 6, 1)


def places(text: str) -> frozenset[Place]:
    """Return the countries of some codes."""
    return countries_of(map(Place, text.split()), ON)


def share(group: str, *figures: FigureState, **more: Any) -> GroupShare:
    """Return the share of some countries."""
    return group_share(distribution(figures, ()), Group(places(group), **more), ON)


def reasons(found: Any) -> dict[str, str]:
    """Return the reasons for uncounted places."""
    return {str(one.place): one.reason for one in found}


WORLD = (figure("WORLD", 100), figure("CN", 60), figure("US", 20), figure("AU", 10))


def test_a_group_has_the_sum_of_the_shares_of_its_members() -> None:
    found = share("US AU", *WORLD)
    assert (found.share, found.share_at_most, found.complete) == (
        Decimal("0.3000"),
        Decimal("0.3000"),
        True,
    )
    assert found.number == 30
    assert [str(s.place) for s in found.counted] == ["US", "AU"]
    assert [str(f.series.place) for f, _ in found.computed_from] == ["WORLD", "US", "AU"]


def test_an_unknown_member_is_stated_and_never_zero() -> None:
    found = share(
        "US AU JP MM",
        figure("WORLD", 100),
        figure("CN", 60),
        figure("AU", 10),
        withheld("US"),
        figure("MM", 5, basis="gross weight"),
    )
    assert found.share == Decimal("0.1000")
    assert found.share_at_most == Decimal("0.4000")
    assert not found.complete
    assert reasons(found.missing) == {
        "US": "its figure has no number",
        "MM": "its basis is gross weight, the world's is REO",
        "JP": "there is no figure for it; it may be among other countries",
    }


def test_a_group_of_which_nothing_is_known_has_no_share() -> None:
    found = share("JP", *WORLD)
    assert (found.share, found.number, found.complete) == (None, None, False)
    assert found.share_at_most == Decimal("0.1000")
    found = share("CN", figure("CN", 60))
    assert (found.share, found.share_at_most) == (None, None)
    assert reasons(found.missing) == {"CN": "there is no figure for the world"}


def test_a_member_without_a_figure_may_be_all_of_the_other_countries() -> None:
    others = (figure("WORLD", 100), figure("CN", 80), figure("US", 19), figure("OTHER", 4))
    found = share("US JP", *others)
    assert (found.share, found.share_at_most) == (Decimal("0.1900"), Decimal("0.2300"))
    assert share("JP", *others).share_at_most == Decimal("0.0400")
    assert share("US", *others).share_at_most == Decimal("0.1900")


def test_there_is_no_bound_where_a_total_leaves_no_room_for_a_withheld_number() -> None:
    """The world's lithium of USGS excludes the United States, whose number is withheld."""
    lithium = (figure("WORLD", 100), figure("AU", 38), figure("CN", 62), withheld("US"))
    found = share("US AU", *lithium)
    assert (found.share, found.share_at_most) == (Decimal("0.3800"), None)
    assert share("CN", *lithium, all_but=True).share_at_most is None
    assert share("AU", *lithium).share_at_most == Decimal("0.3800")


def test_a_total_that_the_others_make_up_leaves_no_room_however_their_shares_are_rounded() -> None:
    """A third has more digits than a number here, so three of them are not exactly one."""
    thirds = (figure("WORLD", 3), figure("AU", 1), figure("CA", 1), figure("CN", 1), withheld("US"))
    assert share("US AU", *thirds).share_at_most is None
    assert share("CN", *thirds, all_but=True).share_at_most is None
    assert share("US AU CA CN", *thirds).share == Decimal("1.0000")


def test_other_countries_leave_no_room_for_a_withheld_number_either() -> None:
    """The world's barite of USGS: its named countries and other countries make up all of it."""
    barite = (figure("WORLD", 100), figure("CN", 90), figure("OTHER", 10), withheld("US"))
    assert share("US", *barite).share_at_most is None
    assert share("US JP", *barite).share_at_most is None
    more = (figure("WORLD", 100), figure("CN", 80), figure("OTHER", 10), withheld("US"))
    assert share("US", *more).share_at_most == Decimal("0.2000")


def test_a_withheld_number_is_not_smaller_than_the_rounding_of_a_total() -> None:
    """The world's bromine of USGS is rounded to thousands, and excludes the United States."""
    bromine = (figure("WORLD", 395000, rounded=True), figure("IL", 394900), withheld("US"))
    assert share("US", *bromine).share_at_most is None
    assert share("IL", *bromine, all_but=True).share_at_most is None
    assert share("US IL", *bromine).share == Decimal("0.9997")
    left = (figure("WORLD", 395000, rounded=True), figure("IL", 394000), withheld("US"))
    assert share("US", *left).share_at_most == Decimal("0.0025")
    exact = (figure("WORLD", 395000), figure("IL", 394900), withheld("US"))
    assert share("US", *exact).share_at_most == Decimal("0.0003")


def test_a_member_of_which_less_than_a_number_is_known_is_not_said_to_have_nothing() -> None:
    few = (figure("WORLD", 460), figure("CN", 460), figure("MX", 1, qualifier="less_than"))
    assert share("MX", *few).share_at_most is None


def test_the_figure_for_other_countries_is_of_those_that_its_edition_does_not_name() -> None:
    """A later edition no longer names a country: it is among the other countries of that edition."""
    old = {"edition": "MCS 2023", "published_on": "2023-01-31"}
    world = (figure("WORLD", 100), figure("CN", 60), figure("US", 30), figure("OTHER", 10))
    found = share("AU", *world, figure("AU", 8, **old), all_but=True)
    assert [str(s.place) for s in found.counted] == ["CN", "US"]
    assert reasons(found.overlapping) == {"OTHER": "it may have others in it: AU"}
    found = share("CN", *world, figure("AU", 8, **old), all_but=True)
    assert [str(s.place) for s in found.counted] == ["US", "OTHER"]
    assert (found.share, found.complete) == (Decimal("0.4000"), True)
    assert reasons(found.overlapping) == {"AU": "the figure for OTHER has it in it"}
    assert [str(place) for place in found.members] == ["AU", "US"]
    found = share("US", *world, figure("US_CA", 31), all_but=True)
    assert [str(s.place) for s in found.counted] == ["CN", "OTHER"]
    assert reasons(found.missing) == {"CA": "there is no figure for it alone, only for US_CA"}


def test_a_figure_for_several_members_counts_where_one_of_them_has_none() -> None:
    both = figure("US_CA", 30)
    found = share("US CA", *WORLD, both)
    assert (found.share, found.complete) == (Decimal("0.3000"), True)
    assert reasons(found.overlapping) == {"US": "the figure for US_CA has it in it"}
    found = share("US CA", *WORLD, figure("CA", 4), both)
    assert found.share == Decimal("0.2400")
    assert reasons(found.overlapping) == {"US_CA": "its countries have figures of their own"}


def test_a_figure_that_has_others_in_it_is_not_counted() -> None:
    found = share("CA", *WORLD, figure("US_CA", 30))
    assert (found.share, found.complete) == (None, False)
    assert reasons(found.overlapping) == {"US_CA": "it has others in it: US"}
    assert reasons(found.missing) == {"CA": "there is no figure for it alone, only for US_CA"}
    found = share("US", *WORLD, figure("US_CA", 30))
    assert (found.share, found.complete) == (Decimal("0.2000"), True)


def test_a_union_stands_for_its_members_and_its_own_figure_for_all_of_them() -> None:
    assert share("EU", *WORLD, figure("DE", 3), figure("EU", 8)).share == Decimal("0.0800")
    assert share("EU", *WORLD, figure("DE", 3)).share == Decimal("0.0300")
    assert share("DE", *WORLD, figure("EU", 8)).share is None


def test_all_but_some_are_all_others_and_the_rest_where_none_of_them_is_in_it() -> None:
    rest = figure("OTHER", 7)
    found = share("CN", *WORLD, rest, all_but=True)
    assert [str(s.place) for s in found.counted] == ["US", "AU", "OTHER"]
    assert (found.share, found.share_at_most) == (Decimal("0.3700"), Decimal("0.4000"))
    assert found.complete
    found = share("CN JP", *WORLD, rest, all_but=True)
    assert found.share == Decimal("0.3000")
    assert reasons(found.overlapping) == {"OTHER": "it may have others in it: JP"}
    assert share("CN", *WORLD, withheld("MM"), all_but=True).complete is False


def test_members_that_are_not_named_leave_a_group_incomplete_and_without_a_bound() -> None:
    found = share("US AU", *WORLD, members_known=False)
    assert (found.share, found.share_at_most, found.complete) == (Decimal("0.3000"), None, False)


CODES = ["CN", "US", "CA", "AU", "NA", "DE", "FR", "JP", "US_CA", "AU_CA_CN_NA", "EU", "OTHER"]
outputs = st.dictionaries(
    st.sampled_from(CODES), st.one_of(st.none(), st.integers(0, 500)), min_size=1
)


@given(outputs, st.sets(st.sampled_from(CODES[:-1]), min_size=1), st.booleans())
def test_no_country_is_counted_twice_and_everybody_is_accounted_for(
    output: dict[str, int | None], group: set[str], all_but: bool
) -> None:
    figures = [
        withheld(place) if value is None else figure(place, value)
        for place, value in output.items()
    ]
    found = share(" ".join(group), figure("WORLD", 1000), *figures, all_but=all_but)
    counted = [
        place
        for one in found.counted
        for place in (countries_of([one.place], ON) if one.place != "OTHER" else [one.place])
    ]
    assert len(counted) == len(set(counted))
    assert {*counted} - {"OTHER"} <= {*found.members}
    missing = {one.place for one in found.missing}
    assert {*found.members} == missing | ({*counted} - {"OTHER"})
    assert not missing & {*counted}
    assert found.complete == (not missing and found.share is not None)
    if found.share is not None and found.share_at_most is not None:
        assert found.share <= found.share_at_most
    if all_but:
        assert not {*found.members} & places(" ".join(group))


SHARE = """query ($of: GroupInput!, $day: Day) { asOf(validAt: $day) {
  production(commodity: "rare_earths", year: 2023) { share(of: $of) {
    share shareAtMost complete value unit basis membersKnown members { code }
    figures { place { code } } missing { place { code } reason figure { qualifier } } } } } }"""


async def test_the_members_of_an_alliance_are_those_of_the_moment(services: Services) -> None:
    api = Api(services)
    for place, value in (("WORLD", "100"), ("AU", "20"), ("US", "10")):
        await api.do("recordFigure", recorded(value, place=place))
    await api.do("recordFigure", recorded(None, place="JP", qualifier="WITHHELD"))
    founding = {"id": "pact", "on": "2024-05-01", "name": "A pact", "members": ["AU"]}
    await api.do("foundAlliance", {**founding, "source": source(published_on="2024-05-01")})
    for member, day in (("US", "2024-07-01"), ("JP", "2024-09-01")):
        joined = {"id": "pact", "on": day, "change": "JOINED", "member": member}
        await api.do("recordMembership", {**joined, "source": source(published_on=day)})

    async def ask(day: str) -> Any:
        data = await api.ask(SHARE, of={"alliance": "pact"}, day=day)
        return data["asOf"]["production"]["share"]

    assert await ask("2024-04-01") is None
    assert (await ask("2024-05-01"))["share"] == "0.2000"
    assert (await ask("2024-08-01"))["value"] == "30"
    assert await ask("2024-10-01") == {
        "share": "0.3000",
        "shareAtMost": "1.0000",
        "complete": False,
        "value": "30",
        "unit": "t",
        "basis": "REO",
        "membersKnown": True,
        "members": [{"code": "AU"}, {"code": "JP"}, {"code": "US"}],
        "figures": [{"place": {"code": "AU"}}, {"place": {"code": "US"}}],
        "missing": [
            {
                "place": {"code": "JP"},
                "reason": "its figure has no number",
                "figure": {"qualifier": "WITHHELD"},
            }
        ],
    }


async def test_a_group_that_is_none_is_refused_where_it_is_wrong(services: Services) -> None:
    document = SHARE.replace("asOf(validAt: $day)", "asOf").replace(", $day: Day", "")
    api = Api(services)
    expected: list[tuple[dict[str, Any], str, list[str | int] | None]] = [
        ({"places": ["CN", "XY"]}, "UNKNOWN_PLACE", ["of", "places", 1]),
        ({"allBut": ["WORLD"]}, "NOT_COUNTRIES", ["of", "allBut", 0]),
        ({"places": []}, "INVALID_INPUT", ["of"]),
        ({"alliance": ""}, "INVALID_INPUT", ["of"]),
        ({"places": ["CN"] * 101}, "TOO_LARGE", ["of", "places"]),
        ({"places": ["CN"], "allBut": ["US"]}, "BAD_USER_INPUT", None),
    ]
    for group, code, path in expected:
        assert await api.refused(document, of=group) == (code, path)
