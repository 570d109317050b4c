"""Random histories of one entity, for hypothesis."""

from random import Random

from hypothesis import settings
from hypothesis import strategies as st

from tests.support.fact_builders import DAYS, STREAMS, decided_facts, history
from tracker.domain.basics.values import DAY
from tracker.domain.entities.entity import RecordedFact

History = tuple[str, list[RecordedFact]]
many = settings(deadline=None)
WINDOW = [DAYS[0] - DAY, *DAYS, DAYS[-1] + 30 * DAY]
"""Days of histories, with one before and one after."""


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Draw an entity with its facts, random by seed, and shrunk by length."""
    stream, length = draw(st.sampled_from(STREAMS)), draw(st.integers(0, 14))
    orders = history(Random(draw(st.integers(0, 2**32))), length, [stream])
    return stream, decided_facts(stream, *(order.fact for order in orders))
