"""A part of the queue of candidates, as an address names it: what it is narrowed to, and its order. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

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
"""Parameters of an address that say which part of the queue it is about."""
WORDS_ALLOWED: Mapping[str, Collection[str]] = {"state": STATES, "kind": KINDS, "orderBy": ORDERS}


@dataclass(frozen=True, slots=True)
class Queue:
    """A part of the queue; without a state, what waits."""

    given: Mapping[str, str]

    @property
    def state(self) -> str:
        """The state of its candidates, or `ALL`."""
        return self.given.get("state") or CandidateState.PENDING.name

    @property
    def order(self) -> str:
        """The name of its order."""
        return self.given.get("orderBy") or "FOUND_AT"

    def variables(self) -> dict[str, Any]:
        """Its filters and its order as variables of a document."""
        filters = {name: value for name, value in self.given.items() if value}
        state = None if self.state == ALL else self.state
        return {**filters, "state": state, "orderBy": self.order}

    def cursor(self, candidate: Mapping[str, Any]) -> str:
        """The place of a candidate in it, also of one that is not in it any more."""
        by = CandidateOrder[self.order].value
        day = [] if by.value[0] == "found" else [candidate["publishedOn"] or str(NO_DAY)]
        return WordCursors(f"candidates {by.name}").encode((*day, candidate["id"]))

    def link(self, **more: object) -> str:
        """The address of its list."""
        return href(REVIEW, {**self.given, **more})

    def link_to(self, id: str, *parts: str, **more: object) -> str:
        """The address of a candidate, from which one comes back to this part of the queue."""
        return href(path_of(REVIEW[1:], id, *parts), {**self.given, **more})


def queue_of(given: Mapping[str, str]) -> Queue:
    """The part of the queue that parameters of an address name. Raises InvalidInput."""
    for name, words in WORDS_ALLOWED.items():
        if given.get(name) and given[name] not in words:
            raise InvalidInput(f"expected one of {', '.join(words)}", path=(name,))
    return Queue({name: given[name] for name in FILTERS if given.get(name)})
