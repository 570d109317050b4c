"""The number of the state format is raised when the states of a log change."""

from datetime import date
from pathlib import Path

from projections.fold.replay import STATE_FORMAT, ReplayState
from tracker.log.entries import recorded

OLD_LOG = Path(__file__).parents[1] / "truth" / "old_log" / "events.jsonl"
DIGESTS = {
    2: "51e6ac518fc0d4c6ab3669f5078b25b68ba140b41a8db7a58412b268df49040f",
    3: "81da5b2da09077a42b0380a4115f0b501ec2f290e7e5f7525c9aa3150b8bc10c",
}
"""The digest of the old log on a day, by state format. Digests of released formats never change."""


def test_the_digest_of_a_log_is_that_of_its_state_format() -> None:
    replayed = ReplayState()
    for entry in OLD_LOG.read_bytes().splitlines():
        replayed.add(recorded(entry))
    assert DIGESTS[STATE_FORMAT] == replayed.digest(date(2026, 1, 1), replayed.position)
