"""The form in which a client takes answers to GraphQL, by its Accept header."""

from __future__ import annotations

from dataclasses import dataclass

from projections.lru_cache import lru_cache_short_keys
from schema.http.compression import accepted_words
from schema.http.graphql_streams import StreamFormat, negotiate_format
from schema.http.incremental import takes_parts
from schema.http.request import MAX_CACHED_CHARACTERS, MAX_CACHED_HEADERS

JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"
"""As clients have it that know the media type of GraphQL; others get JSON."""


@dataclass(frozen=True, slots=True)
class AnswerForm:
    """What a client asks for."""

    stream: StreamFormat | None
    """How each answer of a stream is sent; None for an answer in one piece."""
    in_parts: bool
    """Whether it takes the parts of `@defer`."""
    media_type: str
    """The type of an answer in one piece."""

    @property
    def knows_graphql(self) -> bool:
        """Whether it knows the media type of GraphQL, and what statuses mean there."""
        return self.media_type == GRAPHQL_JSON


def read_answer_form(accept: str) -> AnswerForm:
    """The form that an Accept header asks for."""
    media_type = GRAPHQL_JSON if GRAPHQL_JSON in accepted_words(accept) else JSON
    return AnswerForm(negotiate_format(accept), takes_parts(accept), media_type)


answer_form = lru_cache_short_keys(read_answer_form, MAX_CACHED_HEADERS, MAX_CACHED_CHARACTERS)
"""The same, from memory for headers that came before."""
