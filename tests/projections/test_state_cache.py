"""Cached states: sent and decoded once, and never of another epoch or moment."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest

from projections.query import state_cache
from projections.query.as_of import AsOf
from projections.query.lists import Filter, KeyRange
from projections.query.moment import Moment
from projections.runner.progress import Progress
from schema.base.memo import memoize_by_identity
from schema.services import Services
from tests.support.api import Api, claim
from tests.support.time_limits import within
from tracker.domain.actors.alliance import AllianceState
from tracker.domain.figures.figure import FigureState
from tracker.domain.figures.preference import PreferenceState

CLAIMS = (
    '{ asOf { claims(first: 100, commodity: "rare_earths", place: "CN")'
    " { nodes { figure value preferred latest } } } }"
)
TODAY = date(2026, 6, 1)


@pytest.fixture
async def notified(corpus_services: Services) -> Services:
    """Run a notified tracker with the corpus."""
    async with asyncio.timeout(within(20)):
        while corpus_services.projector.progress.known is None:
            await asyncio.sleep(0.01)
    return corpus_services


@contextmanager
def decoded(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Record the states that are sent and decoded meanwhile."""
    found: list[str] = []

    def decode_all(kind: type[Any], texts: Sequence[str]) -> list[Any]:
        found.extend(texts)
        return plain(kind, texts)

    plain = state_cache.decode_all
    with monkeypatch.context() as patched:
        patched.setattr(state_cache, "decode_all", decode_all)
        yield found


async def moment(services: Services, position: int | None = None) -> Moment:
    """Return a moment of today, or of a position."""
    return await services.as_of.resolve(valid_at=TODAY, position=position)


async def test_a_state_is_decoded_once_for_all_lists_that_it_is_in(
    notified: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    lists, at = notified.as_of.lists, await moment(notified)
    with decoded(monkeypatch) as sent:
        first = await lists.page(FigureState, at, span=KeyRange(limit=50))
        assert len(sent) == 50
        again = await lists.page(FigureState, at, span=KeyRange(limit=50))
        few = await lists.page(FigureState, at, span=KeyRange(limit=5))
        claims = await lists.claims(at, span=KeyRange(limit=50))
        assert len(sent) == 50
    assert all(one[1] is other[1] for one, other in zip(first, again, strict=True))
    assert few[0][1] is first[0][1]
    assert claims[0][1] is (await lists.claims(at, span=KeyRange(limit=5)))[0][1]


async def test_only_names_are_asked_for_where_all_states_are_there(
    notified: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    states, asked = notified.as_of.lists.states, list[str]()
    read = states.read

    async def noted(kind: type[Any], fetch: Any) -> Any:
        async def fetched(with_state: bool) -> Any:
            asked.append("whole" if with_state else "names")
            return await fetch(with_state)

        return await read(kind, fetched)

    monkeypatch.setattr(states, "read", noted)
    at, trips = await moment(notified), []
    for limit in (20, 20, 20, 30, 30, 30):
        asked.clear()
        await notified.as_of.lists.page(FigureState, at, span=KeyRange(limit=limit))
        trips.append([*asked])
    whole, names = ["whole"], ["names"]
    assert trips == [whole, whole, names, [*names, *whole], whole, names]


@pytest.mark.parametrize(
    "before", [(PreferenceState, Filter(search="nobody prefers this")), (AllianceState, Filter())]
)
async def test_a_list_that_is_empty_or_of_another_kind_says_nothing_of_the_next(
    notified: Services, before: tuple[type[Any], Filter]
) -> None:
    lists, at = notified.as_of.lists, await moment(notified)
    for _ in range(2):
        await lists.page(before[0], at, before[1])
    asked: list[bool] = []

    async def fetch(with_state: bool) -> Any:
        asked.append(with_state)
        return []

    await lists.states.read(FigureState, fetch)
    assert asked == [True]


async def test_a_new_event_is_in_the_next_answer_and_not_in_one_of_before(
    notified: Services,
) -> None:
    api = Api(notified)
    for _ in range(3):
        before = await api.ask(CLAIMS)
    pinned = CLAIMS.replace("asOf", f'asOf(position: "{await notified.recorder.head()}")')
    await api.do("recordFigure", claim(publisher="newcomer"))
    for _ in range(3):
        assert await api.ask(CLAIMS) != before
        assert await api.ask(pinned) == before


async def test_states_are_those_that_would_be_read_anew(notified: Services) -> None:
    head = await notified.recorder.head()
    forgetful = AsOf(notified.as_of._pool, notified.recorder)
    for position in (head, head // 2, 0, head - 1, head, head // 2):
        at = await moment(notified, position)
        for narrowed in (Filter(), Filter(commodities=["gallium"]), Filter(verified=True)):
            for lists in ("page", "claims"):
                asked = [at, narrowed] if lists == "claims" else [FigureState, at, narrowed]
                for span in (KeyRange(limit=40), KeyRange(limit=40, from_end=True)):
                    assert await getattr(notified.as_of.lists, lists)(
                        *asked, span=span
                    ) == await getattr(forgetful.lists, lists)(*asked, span=span)
    assert not forgetful.lists.states.kept


async def test_nothing_is_taken_from_another_life_of_the_projection(
    notified: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    lists, at, tracked = notified.as_of.lists, await moment(notified), notified.projector.progress
    for _ in range(3):
        await lists.page(FigureState, at, span=KeyRange(limit=20))
    with decoded(monkeypatch) as sent:
        await lists.page(FigureState, at, span=KeyRange(limit=20))
        assert not sent
        tracked._latest = Progress(at.position, 1)
        await lists.page(FigureState, at, span=KeyRange(limit=20))
    assert len(sent) == 20


async def test_while_nobody_tells_of_other_lives_nothing_is_kept(
    notified: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    lists, at = notified.as_of.lists, await moment(notified)
    for _ in range(3):
        await lists.page(FigureState, at, span=KeyRange(limit=20))
    notified.projector.progress._session = -1
    with decoded(monkeypatch) as sent:
        await lists.page(FigureState, at, span=KeyRange(limit=20))
    assert len(sent) == 20


def test_displayed_forms_of_two_objects_are_made_once_and_the_oldest_evicted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[int] = []

    @memoize_by_identity(len)
    def total(one: list[int], other: list[int]) -> int:
        made.append(sum(one + other))
        return made[-1]

    monkeypatch.setattr("schema.base.memo.MAX_CACHED_WEIGHT", 2)
    one, same, other = [1], [1], [2]
    assert [total(one, other), total(one, other), total(same, other)] == [3, 3, 3]
    assert len(made) == 2  # identified by object, not by value
    total(other, other)
    total(same, other)
    assert len(made) == 3
    total(one, other)
    assert len(made) == 4
