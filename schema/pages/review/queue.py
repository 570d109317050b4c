"""A part of the queue of candidates, as an address names it: its filters and its order. Pure."""

from collections.abc import Collection, Mapping
from typing import Any

from msgspec import Struct

from schema.inputs.order_by import CandidateOrder
from schema.inputs.pagination import WordCursors
from schema.pages.site.address import href, path_of
from tracker.errors import InvalidInput
from tracker.review.candidate import CandidateKind, CandidateState
from tracker.review.candidates import NO_DAY

REVIEW = "/review"
ALL = "ALL"
STATES = (*(state.name for state in CandidateState), ALL)
KINDS = tuple(kind.name for kind in CandidateKind)
ORDERS = {
    "FOUND_AT": "oldest first",
    "FOUND_AT_DESC": "newest first",
    "PUBLISHED_ON": "earliest publication first",
    "PUBLISHED_ON_DESC": "latest publication first",
}
"""Orders with their words."""
FILTERS = ("state", "source", "kind", "commodity", "issuer", "assignedTo", "search", "orderBy")
"""Parameters of an address that filter the queue."""
WORDS_ALLOWED: Mapping[str, Collection[str]] = {"state": STATES, "kind": KINDS, "orderBy": ORDERS}


class Queue(Struct, frozen=True):
    """A part of the queue; without a state, pending candidates."""

    given: Mapping[str, str]

    @property
    def state(self) -> str:
        """Return the state of its candidates, or `ALL`."""
        return self.given.get("state") or CandidateState.PENDING.name

    @property
    def order(self) -> str:
        """Return the name of its order."""
        return self.given.get("orderBy") or "FOUND_AT"

    def variables(self) -> dict[str, Any]:
        """Return its filters and its order as variables of a document."""
        filters = {name: value for name, value in self.given.items() if value}
        state = None if self.state == ALL else self.state
        return {**filters, "state": state, "orderBy": self.order}

    def cursor(self, candidate: Mapping[str, Any]) -> str:
        """Return the cursor of a candidate in it, also of one that it no longer contains."""
        by = CandidateOrder[self.order].value
        day = [] if by.value[0] == "found" else [candidate["publishedOn"] or str(NO_DAY)]
        return WordCursors(f"candidates {by.name}").encode((*day, candidate["id"]))

    def link(self, **more: object) -> str:
        """Return the address of its list."""
        return href(REVIEW, {**self.given, **more})

    def link_to(self, id: str, *parts: str, **more: object) -> str:
        """Return the address of a candidate, with a way back to this part of the queue."""
        return href(path_of(REVIEW[1:], id, *parts), {**self.given, **more})


def queue_of(parameters: Mapping[str, str]) -> Queue:
    """Return the part of the queue that an address names. Raises InvalidInput."""
    for name, words in WORDS_ALLOWED.items():
        if parameters.get(name) and parameters[name] not in words:
            raise InvalidInput(f"expected one of {', '.join(words)}", path=(name,))
    return Queue({name: parameters[name] for name in FILTERS if parameters.get(name)})
