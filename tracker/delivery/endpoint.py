"""Endpoints: filter, place in the log, and failures. Plain values."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import NamedTuple
from urllib.parse import urlsplit

import asyncpg
from msgspec import Struct, convert

from tracker.delivery.signatures import Algorithm
from tracker.domain.catalogue.commodities import Commodity, descendants
from tracker.errors import InvalidInput, TooLarge
from tracker.log.selection import Selection

MAX_BATCH_EVENTS = 1_000
SLACK_EVENTS = 50
"""Maximum number of events in a message for Slack, which accepts 50 blocks."""
TEAMS_EVENTS = 20
"""Maximum number of events in a message for Teams, which accepts 28 kB."""
MAX_NAME_CHARACTERS = 60
MAX_OWNER_CHARACTERS = 500
"""Maximum length of a caller's name: an issuer with a subject of its own."""
MAX_FILTER_WORDS = 200
NAME = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?")


class EndpointState(Enum):
    """Whether an endpoint is sent events. It keeps its place in the log in every state."""

    ACTIVE = "active"
    """Events are sent to it as they are recorded, with retries after a failure."""
    PAUSED = "paused"
    """A person has stopped it. Its cursor is kept."""
    DISABLED = "disabled"
    """The receiver has responded with 410 (Gone). Its cursor is kept, and it can be resumed."""


class EndpointFormat(Enum):
    """Format of deliveries."""

    EVENTS = "events"
    """CloudEvents: the entries of the log, byte for byte."""
    SLACK = "slack"
    """Messages for an incoming webhook of Slack or a compatible program: a sentence and a link for
    each event."""
    TEAMS = "teams"
    """Messages for a workflow webhook of Microsoft Teams: a sentence and a link for each event, in
    an Adaptive Card."""

    @property
    def max_events(self) -> int:
        """Return the maximum number of events in one request."""
        return MAX_EVENTS_BY_FORMAT[self]


MAX_EVENTS_BY_FORMAT = {
    EndpointFormat.EVENTS: MAX_BATCH_EVENTS,
    EndpointFormat.SLACK: SLACK_EVENTS,
    EndpointFormat.TEAMS: TEAMS_EVENTS,
}


@dataclass(frozen=True, slots=True)
class EndpointFilter:
    """Events that an endpoint selects, as requested; None in a field selects all."""

    types: tuple[str, ...] | None = None
    commodities: tuple[str, ...] | None = None
    places: tuple[str, ...] | None = None
    entity: str | None = None

    @property
    def selection(self) -> Selection:
        """Return the event selection, with the commodities below the named ones included."""
        goods = self.commodities
        return Selection(
            types=self.types,
            commodities=None
            if goods is None
            else tuple(sorted({below for id in goods for below in descendants(Commodity(id))})),
            places=self.places,
            entity=self.entity,
        )


@dataclass(frozen=True, slots=True)
class NewEndpoint:
    """A requested endpoint: events after a position, or after the present end of the log."""

    url: str
    name: str | None = None
    """Lower-case letters, digits, `.`, `_`, `-`; by default the host of the address."""
    after: int | None = None
    filter: EndpointFilter = EndpointFilter()
    format: EndpointFormat = EndpointFormat.EVENTS
    max_batch_events: int = 1
    with_proof: bool = False
    with_hmac: bool = False
    owner: str | None = None

    def check(self) -> None:
        """Check the values except the address. Raises InvalidInput and TooLarge."""
        if self.name is not None and not is_name(self.name):
            raise InvalidInput(
                f"expected at most {MAX_NAME_CHARACTERS} of a-z, 0-9, '.', '_' and '-',"
                " beginning and ending with a letter or digit",
                path=("name",),
            )
        limit = self.format.max_events
        if not 1 <= self.max_batch_events <= limit:
            raise InvalidInput(
                f"expected a number of events from 1 to {limit} in the format {self.format.name}",
                path=("maxBatchEvents",),
            )
        if self.with_proof and self.format is not EndpointFormat.EVENTS:
            raise InvalidInput(
                f"expected false: messages in the format {self.format.name} have no room for proofs",
                path=("withProof",),
            )
        owner = self.owner
        if owner is not None and not (
            0 < len(owner) <= MAX_OWNER_CHARACTERS and owner.isprintable()
        ):
            raise InvalidInput(
                f"expected 1 to {MAX_OWNER_CHARACTERS} printable characters", path=("owner",)
            )
        for field in ("types", "commodities", "places"):
            words = getattr(self.filter, field)
            if words is not None and not words:
                raise InvalidInput("expected at least one; left out, all are meant", path=(field,))
            if words is not None and len(words) > MAX_FILTER_WORDS:
                raise TooLarge(
                    f"expected at most {MAX_FILTER_WORDS}, not {len(words)}", path=(field,)
                )


def is_name(text: str) -> bool:
    """Return whether a text can be the name of an endpoint."""
    return len(text) <= MAX_NAME_CHARACTERS and NAME.fullmatch(text) is not None


class Manager(Struct, frozen=True):
    """A manager of endpoints: the recorded actor, and the owner of the visible endpoints (None: all)."""

    actor: str
    owner: str | None = None


class EndpointKey(NamedTuple):
    """A key that signs deliveries, without its secret."""

    algorithm: Algorithm
    public_key: str | None
    created_at: datetime
    """The time at which the key was created."""
    retires_at: datetime | None
    """The time until which it signs beside its successor; null if it has none."""


class Replay(Struct, frozen=True):
    """Positions that are sent again: `position` is the last one done, `events` the number selected."""

    first_position: int
    last_position: int
    position: int
    """The position up to which events were sent."""
    events: int
    """The number of events of the endpoint's filter in the replay."""
    requested_at: datetime
    """The time of the request for the replay."""


class Endpoint(Struct, frozen=True):
    """An endpoint with its present state. Its fields are the columns of `delivery.endpoints`."""

    id: int
    name: str
    """Its unique name."""
    url: str
    owner: str | None
    """The name of the caller who may manage it; null: administrators only."""
    filter: EndpointFilter
    format: EndpointFormat
    """The format of deliveries: the events, or messages for a chat."""
    max_batch_events: int
    """The maximum number of events in one request; 1: no batches."""
    with_proof: bool
    """Whether each event includes its inclusion proof."""
    state: EndpointState
    """Whether events are sent to it."""
    created_at: datetime
    """The time at which it was added."""
    started_after: int
    """The position after which its events begin."""
    position: int
    """The cursor. All events of its filter up to this position were accepted or parked."""
    previous_position: int
    """The last event of its filter up to the cursor, which the next delivery names as `previousposition`.
    Before the first such event, the position after which its events begin."""
    last_accepted_at: datetime | None
    """The time of the last accepted delivery; null: never."""
    failures: int
    """The number of failed attempts."""
    failing_since: datetime | None
    next_attempt_at: datetime | None
    """The time of the next attempt, if the endpoint is active; null: at once."""
    last_error: str | None
    last_status: int | None
    handshake_at: datetime | None
    requests_a_minute: int | None
    replay: Replay | None
    """The active replay; null if no replay is active."""
    parked: int
    """Number of parked events."""
    keys: tuple[EndpointKey, ...]

    @property
    def with_hmac(self) -> bool:
        """Whether deliveries are also signed with a shared secret (`v1`), beside the key pair (`v1a`)."""
        return any(key.algorithm is Algorithm.HMAC for key in self.keys)

    @property
    def shown_url(self) -> str:
        """The address without its parts that may contain a secret."""
        return shown_url(self.url, self.format)


class ParkedDelivery(Struct, frozen=True):
    """An event that a person set aside. `retry_at` is set while a retry is due."""

    position: int
    """Its position in the log."""
    previous_position: int | None
    parked_at: datetime
    """The time at which it was set aside."""
    parked_by: str
    """The person who set it aside."""
    reason: str
    """Why."""
    retry_at: datetime | None
    """The time of the next attempt; null if no retry was requested."""
    last_error: str | None
    """The error of the last retry; null if there was none."""


class Attempt(NamedTuple):
    """A request that was made. `error` is None if it was accepted."""

    attempted_at: datetime
    message_id: str
    """Its `webhook-id`: the id of the event, the same on every attempt. Empty for the handshake before the
    first delivery."""
    first_position: int
    """The position of the first event in it."""
    last_position: int
    """The position of the last event in it: equal to the first, unless it is a batch."""
    events: int
    """The number of events in it; 0 for the handshake."""
    attempt: int
    """The number of the attempt: 1, 2, 3, …."""
    duration_seconds: float
    """The time until the response was read, in seconds."""
    status: int | None
    """The HTTP status of the response; null if there was none."""
    error: str | None
    """The error; null if the delivery was accepted."""
    response: str | None
    """The beginning of the response body."""


class EndpointChange(Struct, frozen=True):
    """A change of an endpoint, with its author and reason."""

    changed_at: datetime
    actor: str
    """The name of the person; `tracker` for an action by a rule."""
    action: str
    """The action, such as `paused`."""
    reason: str | None
    """The reason; null if none was required."""
    detail: str | None
    """A detail, such as the positions of a replay."""


def shown_url(url: str, format: EndpointFormat) -> str:
    """Return an address without its query and, for chats, its path, which may contain a secret."""
    parts = urlsplit(url)
    if format is not EndpointFormat.EVENTS:
        return f"{parts.scheme}://{parts.netloc}/…"
    return f"{parts.scheme}://{parts.netloc}{parts.path}{'?…' if parts.query else ''}"


def endpoint_of(row: asyncpg.Record) -> Endpoint:
    """Return the endpoint in a row of the query `all` of endpoints.sql."""
    values = dict(row)
    replay = {
        "first_position": values["replay_first"],
        "last_position": values["replay_last"],
        "position": values["replay_position"],
        "events": values["replay_events"],
        "requested_at": values["replay_requested_at"],
    }
    values["replay"] = None if values["replay_first"] is None else replay
    return convert({**values, "filter": values}, Endpoint)
