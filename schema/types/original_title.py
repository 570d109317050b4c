"""Titles in the language of the issuer, as GraphQL shows them."""

from __future__ import annotations

from strawberry import field

from schema.base.decorators import object_type
from schema.types.common import from_state
from tracker.domain import original_title as domain

DESCRIPTION = (
    "Its title as the issuer wrote it, where a source says so; null where nobody recorded it, also for"
    " acts in English."
)


@object_type
class OriginalTitle:
    """A title in the language of its issuer."""

    text: str = field(description="The title, in its own language and script.")
    language: str = field(
        description="The language as a tag of BCP 47, such as `zh-Hans` or `id`: what HTML's `lang` takes."
    )
    url: str | None = field(
        description="The web address at which it was read; null where that is in the source of the act."
    )


def original_title(of: domain.OriginalTitle | None) -> OriginalTitle | None:
    """The GraphQL type of a title in the language of its issuer."""
    return from_state(OriginalTitle, of) if of else None
