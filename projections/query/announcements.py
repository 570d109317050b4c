"""Which announcements answer to all that is asked of them beside what any list can be asked. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from projections.versions.rows import about_word, firm_words, topic_word
from tracker.domain.announcement import AnnouncementState
from tracker.domain.firm import spelling


@dataclass(frozen=True, slots=True)
class AnnouncementQuery:
    """What is asked of an announcement; None asks nothing. `actors` all make it or are party to it,
    `about` is an entity that it is about, `firm` are the spellings of one firm that takes part."""

    actors: Sequence[str] | None = None
    about: str | None = None
    topic: str | None = None
    firm: frozenset[str] | None = None

    @property
    def words(self) -> list[str] | None:
        """Words under which the announcements are found, the fewest that it allows; None: it asks
        nothing."""
        if self.about is not None:
            return [about_word(self.about)]
        if self.firm is not None:
            return [*firm_words(sorted(self.firm))]
        if self.topic is not None:
            return [topic_word(self.topic)]
        return [*self.actors[:1]] if self.actors else None

    def matches(self, state: AnnouncementState) -> bool:
        """Whether an announcement answers to all of it."""
        return (
            set(self.actors or ()) <= set(state.actors)
            and self.about in (None, *state.about)
            and (self.topic is None or spelling(state.topic or "") == spelling(self.topic))
            and (self.firm is None or not self.firm.isdisjoint(map(spelling, state.firms)))
        )
