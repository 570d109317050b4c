"""Resume position of a relay, by its stored cursor and the broker's content."""

from tests.support.cases import each_case
from tracker.delivery.relay.cursor import Cursor, LostRange, place_to_go_on
from tracker.delivery.relay.sink import LastEvent, SinkContent

KEPT = Cursor(started_after=10, position=50, previous_position=40, sequence=7)
"""Events up to 50 were read; the last selected one is 40, the seventh message."""


@each_case(
    ("position", "sequence", "goes_on", "lost"),
    [
        (40, 7, (50, 40), None),
        (45, 8, (50, 45), None),
        (60, 9, (60, 60), None),
        (30, 5, (30, 30), LostRange(30, 40)),
        (None, 0, (10, 10), LostRange(10, 40)),
        (None, 7, (50, 40), None),
        (30, 7, (50, 40), None),
    ],
    ids=[
        "it has what it acknowledged",
        "its acknowledgement was lost, and what came after is not selected",
        "its acknowledgements were lost",
        "it was set back",
        "it was removed",
        "it has let all go",
        "it has let go of the last ones",
    ],
)
def test_a_relay_goes_on_behind_what_the_broker_has(
    position: int | None, sequence: int, goes_on: tuple[int, int], lost: LostRange | None
) -> None:
    last = None if position is None else LastEvent(position, "id")
    start = place_to_go_on(KEPT, SinkContent(last, sequence))
    assert (start.cursor.position, start.cursor.previous_position) == goes_on
    assert start.lost == lost
    assert start.cursor.started_after == 10
