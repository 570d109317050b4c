"""Events of the watcher: every fetch, every poll, every change of the watched sources.

Event ids are derived from their content, so a step that is repeated after a crash counts once.
"""

from __future__ import annotations

import logging
from datetime import date, datetime
from typing import Any

import msgspec
from msgspec import Struct

from tracker import clock
from tracker.commands.handler import Commands, load
from tracker.domain.basics.codec import decode, encode
from tracker.domain.basics.values import PartialDate, Sha256
from tracker.domain.basics.vocabulary import Checked, FetchFailure
from tracker.domain.catalogue.places import Actor
from tracker.domain.entities.fact import Fact, Source
from tracker.domain.evidence import watched_source_facts
from tracker.errors import IdempotencyConflict, InvalidInput, TrackerError
from tracker.log.recorder import Recorder
from tracker.snapshots.digest import sha256_of
from tracker.watch.adapter import Request, Response, SourceSettings
from tracker.watch.store import address_of, plain_settings

ACTOR = "tracker"
"""Actor in the events of the watcher."""
MAX_TEXT_CHARACTERS = 300
NOT_IN_THE_LIST = "It is no longer in the list of watched sources"

logger = logging.getLogger(__name__)


class PollReport(Struct, frozen=True):
    """Result of a poll. `failure` is the reason why it is incomplete: a code and a line."""

    source: str
    number: int
    started_at: datetime
    ended_at: datetime
    requests: int
    snapshots: int
    candidates: int
    complete: bool
    covers_until: date | None = None
    warnings: tuple[str, ...] = ()
    failure: tuple[str, str] | None = None


class SourceHistory(Struct, frozen=True):
    """Recorded history of a source: its last settings, their number of records, and the number of its last
    poll."""

    settings: watched_source_facts.Watched | None
    changes: int
    last_poll: int


class Journal:
    """Records facts about watched sources."""

    def __init__(self, recorder: Recorder, commands: Commands):
        self._recorder = recorder
        self._commands = commands

    async def history(self, key: str) -> SourceHistory:
        """Return the recorded history of a source, for example after a restore from a log."""
        stream = stream_of(key)
        facts = [known.fact for known in (await load(self._recorder, [stream]))[stream].known]
        watched = [fact for fact in facts if isinstance(fact, watched_source_facts.Watched)]
        polls = (fact.look for fact in facts if isinstance(fact, watched_source_facts.PollFact))
        return SourceHistory(watched[-1] if watched else None, len(watched), max(polls, default=0))

    async def record_watched(self, settings: SourceSettings, number: int) -> None:
        """Record that a source is watched, with the n-th version of its settings."""
        at = clock.now()
        fact = watched_source_facts.Watched(
            source=_source(settings, at),
            on=_day(at),
            name=settings.name,
            adapter=settings.adapter,
            address=settings.address,
            issuers=tuple(map(Actor, settings.issuers)),
            every_hours=settings.every_hours,
            covers=settings.covers,
        )
        digest = sha256_of(msgspec.json.encode(plain_settings(settings)))
        await self.record(settings.key, fact, f"watch-{settings.key}-set-{number}-{digest[:12]}")

    async def record_unwatched(self, settings: SourceSettings, number: int) -> None:
        """Record that a source is no longer watched, after the n-th version of its settings."""
        at = clock.now()
        fact = watched_source_facts.Unwatched(
            source=_source(settings, at), on=_day(at), reason=NOT_IN_THE_LIST
        )
        try:
            await self.record(settings.key, fact, f"watch-{settings.key}-end-{number}")
        except InvalidInput as error:
            if error.code != "NOT_WATCHED":
                raise

    def of_poll(self, settings: SourceSettings, number: int) -> PollJournal:
        """Return the journal of one poll."""
        return PollJournal(self, settings, number)

    async def record(self, key: str, fact: Fact, event_id: str) -> None:
        """Record a fact about a source, once for each id. Raises InvalidInput for a fact that is not
        valid."""
        decode(type(fact), encode(fact))
        try:
            await self._commands.record(stream_of(key), fact, idempotency_key=event_id, actor=ACTOR)
        except IdempotencyConflict:  # the same event recorded at another time before a crash
            logger.info("%s is on record already", event_id)


class PollJournal:
    """Records the events of one poll: one per address and kind, even if the poll is repeated."""

    def __init__(self, journal: Journal, settings: SourceSettings, number: int):
        self._journal = journal
        self._settings = settings
        self._number_of_poll = number

    async def record_fetched(self, response: Response) -> None:
        """Record that a response had new content."""
        address = response.request.url
        fact = watched_source_facts.Fetched(
            **self._request_fields(response.fetched_at),
            address=address,
            status=response.status,
            sha256=Sha256(response.sha256),
            size=len(response.content),
            media_type=(response.media_type or "")[:MAX_TEXT_CHARACTERS] or None,
            moved_to=None if response.url == address else response.url,
        )
        await self._record(fact, response.request, response.sha256[:16])

    async def record_unchanged(self, response: Response) -> None:
        """Record that a response had the same content as last time."""
        fact = watched_source_facts.Unchanged(
            **self._request_fields(response.fetched_at),
            address=response.request.url,
            status=response.status,
            sha256=Sha256(response.sha256),
        )
        await self._record(fact, response.request, f"same-{response.sha256[:16]}")

    async def record_failed(
        self, request: Request, error: TrackerError, status: int | None, sha256: str | None
    ) -> None:
        """Record that a request failed, with a code of `FetchFailure`."""
        fact = watched_source_facts.Failed(
            **self._request_fields(clock.now()),
            address=request.url,
            status=status,
            code=FetchFailure(error.code),
            reason=shorten(error.message),
            sha256=sha256 and Sha256(sha256),
        )
        await self._record(fact, request, error.code.lower().replace("_", "-"))

    async def record_poll(self, report: PollReport) -> None:
        """Record that the poll has ended."""
        fact = watched_source_facts.Looked(
            **self._request_fields(report.ended_at),
            started_at=report.started_at,
            requests=report.requests,
            snapshots=report.snapshots,
            candidates=report.candidates,
            complete=report.complete,
            covers_until=report.covers_until,
            warnings=tuple(
                shorten(each) for each in report.warnings[: watched_source_facts.MAX_WARNINGS]
            ),
        )
        key = self._settings.key
        await self._journal.record(key, fact, end_id(key, self._number_of_poll))

    def _request_fields(self, at: datetime) -> dict[str, Any]:
        source, on = _source(self._settings, at), _day(at)
        return {"source": source, "on": on, "look": self._number_of_poll, "at": at}

    async def _record(self, fact: Fact, request: Request, kind: str) -> None:
        key, address = self._settings.key, sha256_of(address_of(request).encode())[:16]
        await self._journal.record(
            key, fact, f"watch-{key}-{self._number_of_poll}-{address}-{kind}"
        )


def stream_of(key: str) -> str:
    """Return the stream of a source."""
    return f"source/{key}"


def end_id(key: str, number: int) -> str:
    """Return the id of the event that ends a poll."""
    return f"watch-{key}-{number}-end"


def shorten(text: str) -> str:
    """Shorten a text to one line that can be recorded; never empty."""
    line = " ".join(text.split()) or "?"
    return line if len(line) <= MAX_TEXT_CHARACTERS else f"{line[: MAX_TEXT_CHARACTERS - 1]}…"


def _day(at: datetime) -> PartialDate:
    return PartialDate(at.date().isoformat())


def _source(settings: SourceSettings, at: datetime) -> Source:
    """Return the citation of a fact about a source: the address, read by a program on a day."""
    return Source(
        publisher=settings.publisher,
        name=settings.name,
        published_on=_day(at),
        url=settings.address,
        checked=Checked.DATA_FILE,
    )
