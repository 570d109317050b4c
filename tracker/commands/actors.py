"""Who may act in announcements: places, and alliances that have been founded."""

from __future__ import annotations

from collections.abc import Iterable

from tracker.domain.announcement import Made
from tracker.domain.values import Fact
from tracker.errors import InvalidInput

NON_ALLIANCE_GROUPS = frozenset({"g7"})
"""Groups that act in announcements without being alliances of this tracker."""


def referenced_alliances(facts: Iterable[Fact]) -> set[str]:
    """The streams of the alliances that act in these facts."""
    return {
        f"alliance/{actor}"
        for fact in facts
        if isinstance(fact, Made)
        for actor in fact.actors
        if actor.islower()
    }


def check_actors(fact: Fact, alliances: Iterable[str]) -> None:
    """Refuse an actor that is neither a place nor a known alliance. Raises InvalidInput."""
    for index, actor in enumerate(fact.actors if isinstance(fact, Made) else ()):
        known = actor in NON_ALLIANCE_GROUPS or f"alliance/{actor}" in alliances
        if actor.islower() and not known:
            raise InvalidInput(
                f"{actor!r} is not an actor: expected a place such as US, or an"
                " alliance that has been founded",
                code="UNKNOWN_ACTOR",
                path=("actors", index),
            )
