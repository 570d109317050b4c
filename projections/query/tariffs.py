"""Lines of tariffs at a moment, and the editions that prove them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from difflib import get_close_matches

from projections.query.event_cache import EventCache
from projections.query.lists import EVERYTHING, Filter, Lists
from projections.query.moment import Moment
from projections.runner.progress import ProgressTracker
from projections.versions.rows import code_word
from tracker.domain.catalogue.places import Place
from tracker.domain.figures.tariff import TariffLineState, dotted, print_statement
from tracker.domain.figures.tariff_edition import TariffEditionState
from tracker.domain.wording.phrases import date_phrase, listed, place_in_text
from tracker.errors import InvalidInput, NotFound

LINE_DIGITS = 8
MAX_POSITIONS = 20
MAX_NEAREST = 3


class Tariffs:
    """Lines of tariffs."""

    def __init__(self, lists: Lists, progress: ProgressTracker | None = None):
        self._lists = lists
        self._editions = EventCache(progress, MAX_POSITIONS, self._read_editions)

    async def editions(self, moment: Moment) -> Sequence[TariffEditionState]:
        """Return the editions that were read, as recorded at the position of a moment, of any day."""
        return await self._editions.get(moment.position)

    async def _read_editions(self, position: int) -> Sequence[TariffEditionState]:
        at = Moment(date.max, position)
        return [of for _, of in await self._lists.page(TariffEditionState, at, EVERYTHING)]

    async def lines(self, code: str, moment: Moment) -> list[TariffLineState]:
        """Return the line of a code of 8 or more digits, or all lines below a code of 4 or 6, by code."""
        of = Filter(about=[code_word(code[:LINE_DIGITS])])
        return [line for _, line in await self._lists.page(TariffLineState, moment, of)]

    async def line(self, place: Place, code: str, moment: Moment) -> TariffLineState:
        """Return the line of a code of 8 or 10 digits.

        Raises InvalidInput for a shorter code, and NotFound with the nearest codes for one that the newest
        edition does not print, or with the successors for one that it prints no longer.
        """
        of = [line for line in await self.lines(code, moment) if line.place == place]
        if len(code) < LINE_DIGITS:
            count = len(of)
            raise InvalidInput(
                f"expected a code of 8 or 10 digits: {dotted(code)} has {count} lines, which"
                " `tariffLines` lists",
                code="LINE_REQUIRED",
                path=("code",),
            )
        if not of:
            raise await self._unknown(place, code, moment)
        [line] = of
        suffixes = [one.suffix for one in line.suffixes]
        suffix = code[LINE_DIGITS:]
        if line.withdrawn:
            raise _retired(code, line.withdrawn_in or line.edition, line.successors)
        if suffix in line.retired_suffixes:
            raise _retired(code, line.edition, [f"{line.code}{one}" for one in suffixes])
        if suffix and suffix not in suffixes:
            raise _not_printed(code, [f"{line.code}{one}" for one in suffixes])
        return line

    async def _unknown(self, place: Place, code: str, moment: Moment) -> NotFound:
        """Return the error of a code without a line."""
        of = [one for one in await self.editions(moment) if one.place == place]
        public = [one for one in of if one.printed_on <= moment.valid_at]
        name = place_in_text(place)
        if not public:
            oldest = min((one.printed_on for one in of), default=None)
            reason = (
                f"the oldest edition that was read is of {date_phrase(oldest)}"
                if oldest
                else "no edition was read"
            )
            return _error(f"No line of the tariff of {name} is recorded on this day: {reason}")
        if not any(one.reads(code) for one in public):
            return _error(
                f"{dotted(code)}: no edition of the tariff of {name} was read for this heading"
            )
        near = [one.code for one in await self.lines(code[:4], moment)]
        return _not_printed(code, get_close_matches(code[:LINE_DIGITS], near, MAX_NEAREST, 0))

    async def statements(
        self, code: str, lines: Sequence[TariffLineState], moment: Moment
    ) -> list[str]:
        """Return the extent to which editions prove each line of a code at a moment, in a sentence."""
        read = defaultdict[Place, list[TariffEditionState]](list)
        for one in await self.editions(moment):
            read[one.place].append(one)
        later = dict[str, TariffLineState]()
        for place in {line.place for line in lines}:
            after = [one.printed_on for one in read[place] if one.printed_on > moment.valid_at]
            if after:
                at = replace(moment, valid_at=min(after), series=None)
                later |= {one.id: one for one in await self.lines(code, at) if one.place == place}
        day = moment.valid_at
        return [print_statement(one, day, read[one.place], later.get(one.id)) for one in lines]


def _error(text: str, code: str = "NOT_FOUND") -> NotFound:
    return NotFound(f"{text}.", code=code, path=("code",))


def _not_printed(code: str, near: Sequence[str]) -> NotFound:
    nearest = f"; the nearest codes are {listed(map(dotted, near))}" if near else ""
    return _error(f"{dotted(code)} is not printed in the editions that were read{nearest}")


def _retired(code: str, edition: str, successors: Sequence[str]) -> NotFound:
    now = f"; its line or heading has {listed(map(dotted, successors))}" if successors else ""
    return _error(f"{dotted(code)} is not printed since the edition {edition}{now}", "RETIRED_CODE")
