"""Actions of people on an endpoint. Pure.

Each is one mutation, and the names of its fields are those of its input.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from schema.pages.forms.form import Action

ANSWER = "endpoint { name }"
SECRET = "secret endpoint { name }"
_OMITTED = frozenset({"name"})
PAUSE = Action(
    "pause", "pauseEndpoint", "Pause", "Deliveries stop. The endpoint keeps its cursor.",
    "The endpoint is paused.", ANSWER, _OMITTED,
)  # fmt: skip
RESUME = Action(
    "resume", "resumeEndpoint", "Resume", "Deliveries resume at once from the cursor.",
    "Deliveries are resumed.", ANSWER, _OMITTED,
)  # fmt: skip
REPLAY = Action(
    "replay", "replayEndpoint", "Replay",
    "Events are sent again with the same ids, before new events. The cursor stays.",
    "The replay is in progress.", ANSWER, _OMITTED,
)  # fmt: skip
END_REPLAY = Action(
    "end-replay", "endReplay", "End the replay", "Events that are not yet sent again are skipped.",
    "The replay was ended.", ANSWER, _OMITTED,
)  # fmt: skip
RETRY = Action(
    "retry", "retryDelivery", "Retry now", "The failing delivery is retried at once.",
    "The delivery is being retried.", ANSWER, _OMITTED | {"position"},
)  # fmt: skip
PARK = Action(
    "park", "parkDelivery", "Park an event",
    "One event is set aside, so that later events are delivered. It is not lost.",
    "The event is parked.", ANSWER, _OMITTED,
)  # fmt: skip
ROTATE = Action(
    "rotate", "rotateEndpointKeys", "Replace the keys",
    "Deliveries are signed with the old and the new keys for a time, then with the new keys.",
    "The keys were replaced.", SECRET, _OMITTED,
)  # fmt: skip
REMOVE = Action(
    "remove", "removeEndpoint", "Remove",
    "The cursor, the keys and the parked events are deleted. The removal stays on record.",
    "The endpoint was removed.", "name", _OMITTED,
    confirmation="Name of the endpoint, to confirm",
)  # fmt: skip
ADD = Action(
    "add", "addEndpoint", "Add an endpoint",
    "Events are sent to its address in order. Each waits until the one before is accepted.",
    "The endpoint was added.", SECRET, frozenset({"owner"}),
)  # fmt: skip
ACTIONS = {
    action.do: action for action in (PAUSE, RESUME, REPLAY, END_REPLAY, RETRY, PARK, ROTATE, REMOVE)
}
"""Actions on one endpoint by the values of `do`."""


def retry_of(position: str) -> Action:
    """Return the action that sends a parked event."""
    return replace(
        RETRY,
        label=f"Send event {position}",
        about="The parked event is sent again at once.",
        omitted=_OMITTED,
        key=position,
    )


def actions_on(endpoint: Mapping[str, Any]) -> list[Action]:
    """Return the actions that an endpoint allows."""
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
