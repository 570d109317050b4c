"""Histories of one entity made at random, for hypothesis."""

from __future__ import annotations

from random import Random

from hypothesis import settings
from hypothesis import strategies as st

from tests.support.fact_builders import DAYS, STREAMS, decided_facts, history
from tracker.domain.entity import RecordedFact
from tracker.domain.values import DAY

History = tuple[str, list[RecordedFact]]
many = settings(max_examples=120, deadline=None)
WINDOW = [DAYS[0] - DAY, *DAYS, DAYS[-1] + 30 * DAY]
"""The days that histories are about, and one before and after."""


@st.composite
def histories(draw: st.DrawFn) -> History:
    """An entity, and what is known of it: made at random from a seed, and shrunk by its length."""
    stream, length = draw(st.sampled_from(STREAMS)), draw(st.integers(0, 14))
    orders = history(Random(draw(st.integers(0, 2**32))), length, [stream])
    return stream, decided_facts(stream, *(order.fact for order in orders))
