"""Forms by which people manage endpoints, and what they say as inputs of the API. Pure.

Each is one mutation. Fields are named as in its input.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tracker.errors import InvalidInput, TrackerError

DO = "do"
"""The field that says what a form is sent to do."""
CONFIRMED = "confirmed"
"""The field in which the name of an endpoint is written once more before it is removed."""
TEXT, LIST, NUMBER, CHECK = "text", "list", "number", "check"
"""What fields hold: words, words with commas, a whole number, yes or no."""


@dataclass(frozen=True, slots=True)
class FormField:
    """A field of a form."""

    name: str
    label: str
    kind: str = TEXT
    required: bool = False
    help: str = ""
    value: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """A form for one mutation."""

    do: str
    mutation: str
    label: str
    about: str
    fields: tuple[FormField, ...]
    done: str
    """What is said when it was done."""
    key: str = ""
    """What tells it from others of its kind on a page."""

    @property
    def id(self) -> str:
        """The begin of the ids of its fields."""
        return f"{self.do}-{self.key}" if self.key else self.do

    def filled(self, given: Mapping[str, str]) -> Form:
        """The form with what was filled in."""
        return replace(
            self, fields=tuple(replace(one, value=given.get(one.name, "")) for one in self.fields)
        )

    def refused(self, error: TrackerError) -> Form:
        """The form with what is wrong at its field; the same where it is at none of them."""
        name = error.path[-1] if error.path else None
        if isinstance(name, int) and len(error.path or ()) > 1:
            name = (error.path or ())[-2]  # an item of a list
        return replace(
            self,
            fields=tuple(
                replace(one, error=error.message) if one.name == name else one
                for one in self.fields
            ),
        )

    @property
    def wrong(self) -> list[FormField]:
        """The fields with which something is wrong."""
        return [one for one in self.fields if one.error]

    def input(self) -> dict[str, Any]:
        """What was filled in, as the API takes it. Raises InvalidInput."""
        found = {one.name: _value(one) for one in self.fields if one.name != CONFIRMED}
        return {name: value for name, value in found.items() if value is not None}


REASON = FormField("reason", "Why", required=True, help="It stays on record, with your name.")
PAUSE = Form(
    "pause", "pauseEndpoint", "Pause", "Nothing more is sent. It keeps its place for ever.",
    (REASON,), "It is paused.",
)  # fmt: skip
RESUME = Form(
    "resume", "resumeEndpoint", "Resume", "Deliveries go on at once, from its place.",
    (REASON,), "Deliveries go on.",
)  # fmt: skip
REPLAY = Form(
    "replay", "replayEndpoint", "Replay",
    "Sends events once more, with the ids of the first time, before new ones. Its place stays.",
    (
        FormField("from", "From position", NUMBER, required=True),
        FormField("to", "To position", NUMBER, help="Left out: as far as it has come."),
        REASON,
    ),
    "The replay is under way.",
)  # fmt: skip
END_REPLAY = Form(
    "end-replay", "endReplay", "End the replay", "What it has not sent yet is not sent once more.",
    (REASON,), "The replay was ended.",
)  # fmt: skip
RETRY = Form(
    "retry", "retryDelivery", "Try again now", "The delivery that fails is tried at once.",
    (REASON,), "It is tried again now.",
)  # fmt: skip
PARK = Form(
    "park", "parkDelivery", "Park an event",
    "Sets one event aside that is still to be sent, so that those after it go on. It is not lost.",
    (FormField("position", "Position", NUMBER, required=True), REASON), "The event is set aside.",
)  # fmt: skip
ROTATE = Form(
    "rotate", "rotateEndpointKeys", "Make new keys",
    "Deliveries have signatures by both for a time, and then by the new ones alone.",
    (
        FormField("overlapHours", "Hours for which the old keys sign too", NUMBER, value="24",
                  help="0 where they were stolen."),
        REASON,
    ),
    "There are new keys.",
)  # fmt: skip
REMOVE = Form(
    "remove", "removeEndpoint", "Remove",
    "Its place, its keys and what is parked are gone for good. That it was done stays on record.",
    (FormField(CONFIRMED, "The name of the endpoint, once more", required=True), REASON),
    "It was removed.",
)  # fmt: skip
ADD = Form(
    "add", "addEndpoint", "Add an endpoint",
    "Events are sent to its address one after the other, each until it is accepted.",
    (
        FormField("url", "Address", required=True, help="With https, such as https://example.org/events."),
        FormField("name", "Name", help="Of a to z, digits, `.`, `_` and `-`. Left out: the host."),
        FormField("after", "After position", NUMBER,
                  help="0 sends all events. Left out: only those that are recorded from now on."),
        FormField("types", "Types of events", LIST,
                  help="With commas, such as ExportControl.Suspended. Left out: all."),
        FormField("commodities", "Commodities", LIST, help="With commas, such as gallium. Left out: all."),
        FormField("places", "Places and alliances", LIST, help="With commas, such as CN. Left out: all."),
        FormField("entity", "Entity", help="One alone, such as alliance/quad."),
        FormField("maxBatchEvents", "Most events in one request", NUMBER, value="1",
                  help="1: each comes alone."),
        FormField("withProof", "Send an inclusion proof with each event", CHECK),
        FormField("withHmac", "Sign with a shared secret too", CHECK,
                  help="For libraries that don't know Ed25519. The secret is shown once."),
        FormField("reason", "What it is for", help="It stays on record, with your name."),
    ),
    "It was added.",
)  # fmt: skip
FORMS = {form.do: form for form in (PAUSE, RESUME, REPLAY, END_REPLAY, RETRY, PARK, ROTATE, REMOVE)}
"""What can be done with an endpoint, by the words of `do`."""


def retry_of(position: str) -> Form:
    """The form that sends an event that is parked."""
    parked = FormField("position", "Position", NUMBER, required=True, value=position)
    return replace(RETRY, label=f"Send event {position}", fields=(parked, REASON), key=position)


def forms_of(endpoint: Mapping[str, Any]) -> list[Form]:
    """What can be done with an endpoint as it is."""
    active = endpoint["state"] == "ACTIVE"
    return [
        PAUSE if active else RESUME,
        *([RETRY] if active and endpoint["failure"] else []),
        *([END_REPLAY] if endpoint["replay"] else []),
        REPLAY,
        PARK,
        ROTATE,
        REMOVE,
    ]


def read_fields(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """What a form was sent with, without spaces around it. Raises InvalidInput for a field that is
    there twice."""
    given: dict[str, str] = {}
    for name, value in pairs:
        if name in given:
            raise InvalidInput("expected each field once", code="BAD_REQUEST", path=(name[:50],))
        given[name] = value.strip()
    return given


def _value(field: FormField) -> Any:
    if field.kind == CHECK:
        return bool(field.value)
    if not field.value:
        if field.required:
            raise InvalidInput("expected a value", path=(field.name,))
        return None
    if field.kind == LIST:
        return [word.strip() for word in field.value.split(",") if word.strip()]
    if field.kind == NUMBER:
        return _number(field)
    return field.value


def _number(field: FormField) -> int | str:
    if not (field.value.isascii() and field.value.isdecimal() and len(field.value) < 16):
        raise InvalidInput("expected a whole number", path=(field.name,))
    return int(field.value) if field.name in ("maxBatchEvents", "overlapHours") else field.value
