"""Filters of announcements beyond those of any list. Pure."""

from collections.abc import Sequence

from msgspec import Struct

from projections.versions.rows import about_word, firm_words, topic_word
from tracker.domain.actors.announcement import AnnouncementState
from tracker.domain.actors.firm import spelling


class AnnouncementQuery(Struct, frozen=True):
    """A filter of announcements; None does not filter.

    `actors` must all make the announcement or be party to it. `about` is an entity that the
    announcement covers. `firm` has the spellings of one participating firm.
    """

    actors: Sequence[str] | None = None
    about: str | None = None
    topic: str | None = None
    firm: frozenset[str] | None = None

    @property
    def words(self) -> list[str] | None:
        """The smallest set of index words that finds the announcements, or None without a filter."""
        if self.about is not None:
            return [about_word(self.about)]
        if self.firm is not None:
            return [*firm_words(sorted(self.firm))]
        if self.topic is not None:
            return [topic_word(self.topic)]
        return [*self.actors[:1]] if self.actors else None

    def matches(self, state: AnnouncementState) -> bool:
        """Whether an announcement matches the filter."""
        return (
            set(self.actors or ()) <= set(state.actors)
            and self.about in (None, *state.about)
            and (self.topic is None or spelling(state.topic or "") == spelling(self.topic))
            and (self.firm is None or not self.firm.isdisjoint(map(spelling, state.firms)))
        )
