"""Names of an entity over time: the one in use for a later fact. Pure."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import chain
from operator import itemgetter

from tracker.domain.actors import alliance, firm
from tracker.domain.actors.announcement import Made
from tracker.domain.controls import export_control_acts as acts
from tracker.domain.controls.obligation import Stated
from tracker.domain.controls.text import Recorded
from tracker.domain.entities.entity import KINDS
from tracker.domain.entities.fact import Fact
from tracker.domain.entities.history import History, RecordedFact, Retracted
from tracker.domain.evidence.coverage import Declared
from tracker.domain.evidence.watched_source_facts import Watched
from tracker.domain.figures.tariff_edition import EditionRead

NAMING_FACTS = (
    *(alliance.Founded, alliance.Renamed, Made, acts.Announced, acts.Amended),
    *(firm.Identified, firm.Renamed, Watched, Declared, EditionRead, Stated, Recorded),
)
NAMING_TYPES = tuple(
    type_ for kind in KINDS.values() for type_, fact in kind.FACTS.items() if fact in NAMING_FACTS
)
"""Types of events that may name their entity."""


def name_given(fact: Fact) -> str | None:
    """Return the name that a fact gives to its entity; None without one."""
    match fact:
        case Made() | acts.Announced() | acts.Amended() | EditionRead():
            return fact.title
        case (
            alliance.Founded()
            | alliance.Renamed()
            | firm.Identified()
            | firm.Renamed()
            | Watched()
            | Declared()
        ):
            return fact.name
        case Recorded():
            return fact.act
        case Stated():
            return f"{fact.unit} of {fact.act}"
    return None


class NameHistory:
    """The names of one entity, from naming facts and all retractions, in the order of the log.

    The cost of a lookup does not depend on their number, unless many were retracted.
    """

    def __init__(self, known: Iterable[RecordedFact]):
        naming = [*_naming(known)]
        history, spans = History(), dict[str, list[tuple[int, int | None]]]()
        for item in naming:
            for changed in history.add(item).facts:
                begun = spans.setdefault(changed.event_id, [])
                if history.is_effective(changed):
                    begun.append((item.position, None))
                else:
                    begun[-1] = begun[-1][0], item.position
        named = [item for item in naming if not isinstance(item.fact, Retracted)]
        self._first = [(item.position, name_given(item.fact)) for item in named]
        places = sorted(
            [(_place(history, naming, item), item) for item in named], key=itemgetter(0)
        )
        self._places = [place for place, _ in places]
        self._names = [name_given(item.fact) for _, item in places]
        self._spans = [spans.get(item.event_id, []) for _, item in places]

    def before(self, position: int, day: date) -> str | None:
        """Return the name in use for a fact at a position that counts from a day.

        That is the last name recorded before the position and effective by the day, otherwise the first name.
        The result is None without one.
        """
        public = bisect_right(self._places, (day, True, position))
        for index in chain(range(public - 1, -1, -1), range(public, len(self._places))):
            if any(since < position <= (until or position) for since, until in self._spans[index]):
                return self._names[index]
        return next((name for since, name in self._first if since < position), None)


def _place(
    history: History, naming: Sequence[RecordedFact], item: RecordedFact
) -> tuple[date, bool, int]:
    """Return the place of a fact in valid-time order, with the position of the corrected event or its own."""
    day, is_act, index, _ = history.order(item)
    return day, is_act, naming[index].position


def _naming(known: Iterable[RecordedFact]) -> Iterator[RecordedFact]:
    """Yield the facts that name their entity, and the retractions that affect them."""
    ids = set[str]()
    for item in known:
        if name_given(item.fact) or (
            isinstance(item.fact, Retracted) and item.fact.retracts in ids
        ):
            ids.add(item.event_id)
            yield item
