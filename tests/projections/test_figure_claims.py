"""Claims of list pages equal those of the figure's state, with nothing else decoded."""

import json
import weakref
from typing import Any

import pytest

from projections.query.figure_claims import decode_figure_claims
from schema.services import Services
from schema.types import ranked_figure
from schema.types.figure import listed_claims
from tests.domain.test_figure import bgs, figure, usgs_2024, usgs_2025
from tests.support.api import Api
from tests.support.fact_builders import order
from tracker.domain.basics.codec import decode, encode
from tracker.domain.figures.figure import FigureState
from tracker.errors import InvalidInput, Unavailable

FIELDS = (
    "figure publisher edition editionVersion publishedOn asOf latest preferred position eventId"
    " value upper unit basis qualifier estimated rounded note quotation series { commodity { key } place"
    " { code } statistic stage form period } source { name url reference checked } because { position }"
)
"""All claim fields without arguments."""

both = encode(figure("2025-06-01", usgs_2024, usgs_2025, bgs)).decode()


async def test_every_claim_of_a_group_is_in_lists_what_it_is_below_its_figure(
    read_services: Services,
) -> None:
    api = Api(read_services)
    in_figures = await every(api, "figures", f"key claims {{ {FIELDS} }}")
    in_lists = await every(api, "claims", FIELDS)
    assert len(in_lists) > 300
    assert in_lists == [claim for of in in_figures for claim in by_position(of["claims"])]


async def every(api: Api, name: str, fields: str) -> list[dict[str, Any]]:
    """Return all nodes of a list of rare earths in the corpus, page by page."""
    found, after = list[dict[str, Any]](), None
    while True:
        at = 'commodity: "rare_earths", first: 200'
        at += f", after: {json.dumps(after)}" if after else ""
        page = (
            await api.ask(
                f"{{ asOf {{ {name}({at}) {{ nodes {{ {fields} }} pageInfo {{ endCursor }} }} }} }}"
            )
        )["asOf"][name]
        found += page["nodes"]
        after = page["pageInfo"]["endCursor"]
        if after is None:
            return found


def by_position(claims: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return claims in list order."""
    return sorted(claims, key=lambda claim: int(claim["position"]))


def test_the_whole_figure_is_decoded_once_and_only_when_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    decoded: list[type] = []

    def noted(kind: type[Any], text: str) -> Any:
        decoded.append(kind)
        return decode(kind, text)

    monkeypatch.setattr(ranked_figure, "decode", noted)
    shown = listed_claims(decode_figure_claims([both])[0], []).values()
    assert [claim.publisher for claim in shown] == ["usgs", "usgs", "bgs"]
    assert [str(claim.value) for claim in shown] == ["240000", "255000", "250000"]
    assert FigureState not in decoded
    assert [claim.preferred for claim in shown] == [False, True, False]
    assert [claim.series.commodity.key for claim in shown] == ["rare_earths"] * 3
    assert decoded.count(FigureState) == 1


def test_displayed_forms_are_made_once_for_the_same_commands() -> None:
    claims, first, again = decode_figure_claims([both])[0], [order("bgs")], [order("bgs")]
    shown = listed_claims(claims, first)
    assert listed_claims(claims, again) is shown
    assert [of.preferred for of in shown.values()] == [False, False, True]
    other = listed_claims(claims, [order("usgs")])
    assert [of.preferred for of in other.values()] == [False, True, False]
    assert [of.preferred for of in shown.values()] == [False, False, True]


def test_displayed_forms_are_freed_with_the_claims_without_a_garbage_collection() -> None:
    claims = decode_figure_claims([both])[0]
    shown = next(iter(listed_claims(claims, []).values()))
    assert shown.preferred is False
    gone = weakref.ref(shown)
    del shown, claims
    assert gone() is None


def test_a_text_that_is_not_a_figure_is_refused_among_others() -> None:
    with pytest.raises(Unavailable) as refused:
        decode_figure_claims([both, '{"id":"a","claims":[{"position":"b"}]}'])
    assert isinstance(refused.value.__cause__, InvalidInput)
    assert refused.value.__cause__.path == ("claims", 0, "position")
