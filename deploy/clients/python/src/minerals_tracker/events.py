"""Events of the log: each once and in order, whatever connection breaks."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from minerals_tracker.connection import BROKEN, RETRIED, Connection, TrackerError

SILENCE_SECONDS = 45.0
"""Silence after which a connection counts as broken; the server sends a heartbeat every 15 seconds."""


@dataclass(frozen=True, slots=True)
class Event:
    """An event of the log."""

    token: str
    """Resume token: store it with what you made of the event."""
    position: int
    type: str
    entity: str
    entry: dict[str, Any]
    """The event as recorded (CloudEvents 1.0)."""


def follow(
    connection: Connection, after: str, filters: Mapping[str, str], *, forever: bool
) -> Iterator[Event]:
    """Yield the events after a token; reconnect after an interruption."""
    failures = 0
    while True:
        try:
            for event in read_stream(connection, after, filters, forever=forever):
                after, failures = event.token, 0
                yield event
            if not forever:
                return
            failures = 0
        except TrackerError as error:
            if error.status not in RETRIED or failures >= connection.retries:
                raise
        except BROKEN:
            if failures >= connection.retries:
                raise
        connection.pause(failures)
        failures += 1


def read_stream(
    connection: Connection, after: str, filters: Mapping[str, str], *, forever: bool
) -> Iterator[Event]:
    """Yield the events of one connection."""
    query = urlencode({**filters, "after": after, "follow": str(forever).lower()})
    headers = {"Accept": "text/event-stream"}
    with connection.open(f"/events?{query}", headers=headers, timeout=SILENCE_SECONDS) as response:
        fields: dict[str, str] = {}
        for line in response:
            name, _, value = line.decode().rstrip("\r\n").partition(": ")
            if name:
                fields[name] = value
            elif "data" in fields:
                yield read_event(fields)
                fields = {}


def read_event(fields: Mapping[str, str]) -> Event:
    """Return the event of a message. Raises TrackerError if the server ended the stream."""
    data = json.loads(fields["data"])
    if fields.get("event", "message") != "message":
        error = data.get("extensions", data)
        message = str(data.get("message", fields["data"]))
        raise TrackerError(message, str(error.get("code", "")))
    return Event(fields["id"], int(data["position"]), data["type"], data["subject"], data)
