"""GraphQL fields of free texts, which are stored in annexes. Events older than annexes contain them."""

from collections.abc import Awaitable, Collection, Iterable
from typing import cast

import strawberry

from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.types.common import RedactedText
from tracker.domain.basics.values import FreeText, TextCommitment


@object_type
class WithNote:
    """A type with a note."""

    note_text: strawberry.Private[FreeText | None] = None

    @resolver_field
    def note(self, info: Info) -> str | None:
        """Remarks, such as the publisher's footnotes; null if none are recorded or they were redacted (see
        `redactions`)."""
        return resolve_text(info, self.note_text)

    @resolver_field
    async def redactions(self, info: Info) -> list[RedactedText]:
        """Redacted texts, with the reason for each redaction."""
        return await load_redactions(info, self._texts())

    def _texts(self) -> Iterable[FreeText | None]:
        return (self.note_text,)


@object_type
class WithQuotation(WithNote):
    """A type with a note and a quotation."""

    quotation_text: strawberry.Private[FreeText | None] = None

    @resolver_field
    def quotation(self, info: Info) -> str | None:
        """A quotation from the source; null if none is recorded or it was redacted (see `redactions`)."""
        return resolve_text(info, self.quotation_text)

    def _texts(self) -> Iterable[FreeText | None]:
        return self.note_text, self.quotation_text


def resolve_text(info: Info, text: FreeText | None) -> str | None:
    """Return a text; without an await if the state contains it."""
    if isinstance(text, TextCommitment):
        return cast(str | None, _load_text(info, text))  # GraphQL awaits this value
    return text


def _load_text(info: Info, text: TextCommitment) -> Awaitable[str | None]:
    async def opened() -> str | None:
        annex = await info.context.loaders.of.load(text.commitment)
        return annex.text if annex else None

    return opened()


async def load_texts(
    info: Info, texts: Collection[TextCommitment]
) -> dict[TextCommitment, str | None]:
    """Load texts by their commitments; None for a redacted text."""
    annexes = await info.context.loaders.of.load_many([text.commitment for text in texts])
    return {text: of.text if of else None for text, of in zip(texts, annexes, strict=True)}


async def load_redactions(info: Info, texts: Iterable[FreeText | None]) -> list[RedactedText]:
    """Return the redactions of texts; texts that are not redacted have none."""
    commitments = [text.commitment for text in texts if isinstance(text, TextCommitment)]
    annexes = await info.context.loaders.of.load_many(commitments)
    return [RedactedText(of=of.redacted_text) for of in annexes if of and of.redacted_text]
