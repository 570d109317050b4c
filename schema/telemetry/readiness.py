"""Readiness of this instance: the log, the projection and the database."""

import asyncio
import logging

from msgspec import Struct

from projections.runner.folds import AnotherRelease
from projections.runner.replica import PROMOTED, ReplicaState
from schema.services import Services
from tracker.delivery.summary import DeliverySummary
from tracker.errors import LogSetBack, TrackerError
from tracker.postgres.database import CONNECTION_ERRORS

MAX_LAG_EVENTS = 1000
"""Maximum number of unprojected events of a ready instance."""
MAX_LAG_SECONDS = 15
"""Maximum age of unprojected events: longer than the replacement of a projector takes."""
MAX_CLOCK_DIFFERENCE_SECONDS = 5
"""Maximum difference between the clocks of this machine and of the database."""
DATABASE_TIMEOUT_SECONDS = 3
NO_RESPONSE = "it has not responded yet"
NOT_LISTENING = "no listener on the log: new events arrive late"

logger = logging.getLogger(__name__)


class ReplicaReadiness(Struct, frozen=True):
    """The readiness of the replica that this server reads from."""

    read_only: bool
    """Whether no primary is configured, so that nothing can be recorded."""
    state: ReplicaState | None = None
    """Its last reported state; None while it does not respond."""
    lag_events: int | None = None
    """Number of events that the primary has projected and the replica has not; None without a primary."""
    trouble: str | None = None
    """Reason why it should not be used for reads."""
    primary_listening: bool = True
    """Whether the primary, if this server has one, reports new events."""

    @property
    def used(self) -> bool:
        """Return whether reads use a standby."""
        if self.state is None or not (self.read_only or self.state.standby):
            return False
        return self.read_only or self.trouble is None

    @property
    def reasons(self) -> list[str]:
        """Return the reasons to send requests elsewhere; empty with a primary beside it."""
        if not self.read_only:
            return []
        if self.state is None:
            return [f"the replica does not answer: {self.trouble or NO_RESPONSE}"]
        return [self.trouble] if self.trouble else []

    @property
    def warnings(self) -> list[str]:
        """Return problems that do not prevent responses."""
        warnings, state = [], self.state
        if not self.primary_listening:
            warnings.append("the primary does not respond: new records are not visible")
        if not self.read_only and (state is None or self.trouble):
            warnings.append(
                f"queries go to the primary instead of a replica: {self.trouble or NO_RESPONSE}"
            )
        if state and not state.standby:
            warnings.append(PROMOTED if self.read_only else "the replica has become a primary")
        elif state and not state.receiving:
            warnings.append(
                "the replica receives nothing from a primary: its data may be"
                f" {state.lag_seconds:.0f} seconds old"
            )
        return warnings


class Readiness(Struct, frozen=True):
    """The readiness of this server. Values that could not be read are None."""

    listening: bool
    head: int | None = None
    position: int | None = None
    index: int | None = None
    """The position of the search index."""
    checkpoint: int | None = None
    """The size of the newest checkpoint; None before the first."""
    lag_seconds: float | None = None
    """Age of the oldest unprojected event in seconds."""
    search_lag_seconds: float | None = None
    """Age of the oldest event that is not in the search index, in seconds."""
    clock_difference: float | None = None
    """Seconds by which the clock of this process is ahead of the database's."""
    set_back: str | None = None
    """Events that this server has shown and the log no longer contains, after a restore."""
    replica: ReplicaReadiness | None = None
    """State of the replica for reads; None if reads use the primary."""
    difference: str | None = None
    """Entity whose rows do not follow from its events, if one was detected."""
    another_release: str | None = None
    """Reason why the rows cannot be read, if another release maintains them."""
    mirror: str | None = None
    """Reason why a mirror does not follow its origin any more."""

    @property
    def warnings(self) -> list[str]:
        """Return problems that do not prevent responses."""
        warnings = self.replica.warnings if self.replica else []
        off = self.clock_difference or 0
        if abs(off) > MAX_CLOCK_DIFFERENCE_SECONDS:
            warnings.append(
                f"the clock of this machine is {abs(off):,.0f} seconds"
                f" {'ahead of' if off > 0 else 'behind'} the database's: expected at most"
                f" {MAX_CLOCK_DIFFERENCE_SECONDS}. Synchronize both (NTP): queries without a date use"
                " this clock"
            )
        events, seconds = self.search_lag or 0, self.search_lag_seconds or 0
        if events > MAX_LAG_EVENTS or seconds > MAX_LAG_SECONDS:
            warnings.append(
                f"the search index is {events} event{'s' * (events != 1)} and {seconds:.0f} seconds"
                f" behind the log, and searches wait for it: expected at most {MAX_LAG_EVENTS} events"
                f" and {MAX_LAG_SECONDS} seconds"
            )
        return warnings

    @property
    def lag(self) -> int | None:
        """Return the number of events that are not yet projected."""
        if self.head is None or self.position is None:
            return None
        return max(self.head - self.position, 0)

    @property
    def search_lag(self) -> int | None:
        """Return the number of events that are not yet in the search index."""
        if self.head is None or self.index is None:
            return None
        return max(self.head - self.index, 0)

    @property
    def reasons(self) -> list[str]:
        """Return the reasons to send requests elsewhere; empty for a ready server."""
        if self.set_back:
            return [self.set_back]
        if self.another_release:
            return [self.another_release]
        reasons = [] if self.listening or self.replica else [NOT_LISTENING]
        reasons += filter(None, (self.difference, self.mirror))
        if self.replica:
            reasons += self.replica.reasons
        if self.lag is None:
            reasons.append("the database does not answer")
        elif self.lag > MAX_LAG_EVENTS:
            reasons.append(
                f"the projection is {self.lag} events behind the log: expected at most"
                f" {MAX_LAG_EVENTS}"
            )
        if (self.lag_seconds or 0) > MAX_LAG_SECONDS:
            reasons.append(
                f"the projection is {self.lag_seconds:.0f} seconds behind the log:"
                f" expected at most {MAX_LAG_SECONDS}"
            )
        return reasons


async def check_readiness(services: Services) -> Readiness:
    """Check the readiness of this server now."""
    listening, replica = services.follower.listening, check_replica(services)
    recorder = services.recorder
    position = index = another_release = None
    try:
        async with asyncio.timeout(DATABASE_TIMEOUT_SECONDS):
            try:
                position = await services.projector.position()
                services.writing.projector.progress.require_own_rows()
                index = await services.as_of.searches.index_position()
            except AnotherRelease as error:
                position, another_release = None, error.message
            checkpoint = await services.proofs.size()
            return Readiness(
                listening,
                await recorder.head(),
                position,
                index,
                checkpoint,
                None if position is None else await recorder.age(position + 1),
                None if index is None else await recorder.age(index + 1),
                await recorder.clock_difference(),
                replica=replica,
                difference=_difference(services),
                another_release=another_release,
                mirror=services.mirror.refusal if services.mirror else None,
            )
    except LogSetBack as error:
        return Readiness(listening, set_back=error.message)
    except (*CONNECTION_ERRORS, TimeoutError, TrackerError) as error:
        logger.warning("not ready: %s", error)
        return Readiness(listening, replica=replica)


def _difference(services: Services) -> str | None:
    check = services.writing.sample_check
    return check.difference.message if check and check.difference else None


def check_replica(services: Services) -> ReplicaReadiness | None:
    """Return the state of the replica of this server, as last reported."""
    replica = services.replica
    if replica is None:
        return None
    return ReplicaReadiness(
        bool(services.read_only),
        replica.state,
        _lag_events(services),
        replica.trouble,
        services.primary is None or services.primary.follower.listening,
    )


def _lag_events(services: Services) -> int | None:
    """Return the number of events that the primary has projected and the replica has not."""
    on_primary = services.primary and services.primary.projector.progress.known
    on_replica = services.projector.progress.known
    if not on_primary or not on_replica:
        return None
    return max(on_primary.position - on_replica.position, 0)


async def warn_of_deliveries(services: Services) -> list[str]:
    """Return problems of deliveries, which do not prevent responses."""
    if services.deliverer is None:
        return []
    if services.deliverer.trouble:
        return [f"this server can't deliver: {services.deliverer.trouble}"]
    try:
        async with asyncio.timeout(DATABASE_TIMEOUT_SECONDS):
            summary = await services.endpoints.summary()
    except (*CONNECTION_ERRORS, TimeoutError):
        return []  # an unavailable database is reported elsewhere
    return delivery_warnings(summary)


def delivery_warnings(summary: DeliverySummary) -> list[str]:
    """Return the problems in a summary of deliveries."""
    warnings = []
    if summary.active and not summary.delivering:
        warnings.append(f"no server delivers: {summary.active} endpoints wait")
    for count, status in ((summary.failing, "failing"), (summary.disabled, "disabled")):
        if count:
            warnings.append(f"endpoints that are {status}: {count} (`tracker endpoint list`)")
    return warnings


async def warn_of_watching(services: Services) -> list[str]:
    """Return problems of watched sources, which do not prevent responses."""
    warnings = []
    if services.watcher and services.watcher.trouble:
        warnings.append(f"this server can't watch: {services.watcher.trouble}")
    if services.watch is None:
        return warnings
    try:
        async with asyncio.timeout(DATABASE_TIMEOUT_SECONDS):
            return warnings + (await services.watch.summary()).warnings
    except (*CONNECTION_ERRORS, TimeoutError):
        return warnings  # an unavailable database is reported elsewhere
