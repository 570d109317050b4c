"""Candidates for reviewers: lists, counts and single candidates."""

from collections.abc import Mapping, Sequence
from datetime import date
from enum import Enum
from typing import Annotated, Any

import strawberry
from strawberry import field

from projections.query.lists import Key, Keyed, KeyRange
from schema.base.argument_group import ArgumentGroup
from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.inputs import arguments
from schema.inputs.order_by import CandidateOrder
from schema.inputs.pagination import WordCursors, cursor_error
from schema.types.candidate import Candidate, parse_candidate_id
from schema.types.connection import PageSource
from schema.types.list_field import list_field
from tracker.auth.scopes import Scope
from tracker.domain.catalogue.places import Actor
from tracker.errors import NotFound
from tracker.review.candidate import CandidateKind, CandidateState
from tracker.review.candidates import CandidateFilter, Span
from tracker.review.candidates import CandidateOrder as QueueOrder
from tracker.review.review import Review

ID = "Its id, as in `candidates`."

FILTERS = ArgumentGroup(
    ArgumentGroup.of(
        state=(CandidateState, "Only candidates in this state."),
        source=(str, "Only candidates of this watched source, by its key."),
        kind=(CandidateKind, "Only candidates of this kind."),
    ),
    commodity=arguments.CommodityId,
    **ArgumentGroup.of(
        issuer=(str, "Only candidates about this place or alliance, such as `CN` or `quad`."),
        assigned_to=(
            str,
            "Only candidates assigned to this person; with an empty text, those assigned to nobody.",
        ),
        search=(
            str,
            "Only candidates that match all of these words. A word matches if it begins a word of the"
            " title, number or reason, or of the names of the commodities and issuers.",
        ),
    ),
)
COUNT_FILTERS = FILTERS.only("source kind commodity issuer assigned_to search")


@object_type
class CandidateCounts:
    """The number of candidates in each state."""

    pending: int = field(description="Candidates that wait for a person.")
    postponed: int = field(description="Candidates that are postponed until a date.")
    accepting: int = field(description="Candidates that are being recorded or imported.")
    accepted: int = field(description="Recorded candidates.")
    rejected: int = field(description="Rejected candidates and closed leads.")
    superseded: int
    """Candidates that the publisher has replaced with a newer version."""


@object_type
class ReviewQueries:
    """Queries of reviewers."""

    @list_field(Candidate, CandidateOrder)
    async def candidates(
        self, info: Info, order: Enum, filters: ArgumentGroup = FILTERS
    ) -> PageSource[Candidate]:
        """The candidates: items from publishers, and the decisions on them. Needs a token of scope
        `review`."""
        narrowed = parse_filter(filters)
        review = await review_of(info)
        return candidate_pages(review, narrowed, order.value)

    @resolver_field
    async def candidate(self, info: Info, id: Annotated[strawberry.ID, ID]) -> Candidate | None:
        """One candidate; null if no candidate has this id. Needs a token of scope `review`."""
        number = parse_candidate_id(id, "id")
        review = await review_of(info)
        try:
            candidate = await review.candidates.get(number)
            return Candidate(of=candidate, reviewers=review.reviewers)
        except NotFound:
            return None

    @resolver_field
    async def candidate_counts(
        self, info: Info, filters: ArgumentGroup = COUNT_FILTERS
    ) -> CandidateCounts:
        """The number of candidates in each state, with the same filters as `candidates`. Needs a token of
        scope `review`."""
        narrowed = parse_filter(filters)
        counts = await (await review_of(info)).candidates.counts(narrowed)
        return CandidateCounts(**{state.value: number for state, number in counts.items()})

    @resolver_field
    async def candidate_sources(self, info: Info) -> list[str]:
        """The keys of the watched sources with candidates, by name. Needs a token of scope `review`."""
        return await (await review_of(info)).candidates.sources()


def parse_filter(filters: Mapping[str, Any]) -> CandidateFilter:
    """Parse the filter of a list of candidates. Raises InvalidInput and TooLarge."""
    assigned_to, issuer = filters["assigned_to"], filters["issuer"]
    if assigned_to:  # blank: without an assignment
        arguments.parse_stored_text(assigned_to, "assignedTo")
    return CandidateFilter(
        filters.get("state"),
        arguments.parse_optional_text(filters["source"], "source"),
        filters["kind"],
        arguments.parse_with_descendants(filters["commodity"]),
        None if issuer is None else arguments.parse_word(Actor, issuer, "issuer"),
        assigned_to,
        arguments.parse_search(filters["search"]),
    )


async def review_of(info: Info) -> Review:
    """Return the candidates for a caller who may decide on them.

    Interrupted recordings are completed first. Raises Unauthenticated or Forbidden.
    """
    info.context.require_actor(Scope.REVIEW)
    services = info.context.services
    if not services.read_only:
        await services.writing.review.resolve_unfinished()
    return services.writing.review


def candidate_pages(
    review: Review, narrowed: CandidateFilter, by: QueueOrder
) -> PageSource[Candidate]:
    """Return pages of candidates in an order.

    The keys of its cursors are texts: a date and an id, or an id.
    """
    cursors = WordCursors(f"candidates {by.name}")

    async def items(span: KeyRange) -> Sequence[Keyed[Candidate]]:
        range_of_ids = Span(
            _key(span.after), _key(span.before), span.limit or 1, span.from_end, span.closed
        )
        candidates = await review.candidates.page(narrowed, by, range_of_ids)
        return [
            (tuple(map(str, by.key(one))), Candidate(of=one, reviewers=review.reviewers))
            for one in candidates
        ]

    def decode(text: str, path: str) -> Key:
        key = cursors.decode(text, path)
        try:
            _key(key)
            by.check_key(_key(key) or ())
        except ValueError:
            raise cursor_error(path) from None
        return key

    return PageSource(items, lambda: review.candidates.count(narrowed), cursors.encode, decode)


def _key(key: Key | None) -> tuple[date | int, ...] | None:
    """Return a key of the store from the texts of a cursor. Raises ValueError."""
    if key is None:
        return None
    *day, id = map(str, key)
    if not id.isdigit() or len(id) > 18:
        raise ValueError
    return (*map(date.fromisoformat, day), int(id))
