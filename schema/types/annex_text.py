"""Free texts as GraphQL shows them: from annexes, unless the event is of before there were any."""

from __future__ import annotations

from collections.abc import Awaitable, Collection, Iterable
from typing import Any, cast

import strawberry

from schema.base.context import Info
from schema.base.decorators import answer, output
from schema.types.common import RedactedText, redacted_text
from tracker.domain.values import FreeText, TextCommitment


@output
class Noted:
    """What has a note."""

    note_told: strawberry.Private[FreeText | None] = None

    @answer
    def note(self, info: Info) -> str | None:
        """Remarks, such as the publisher's footnotes; null also where they had to go: see
        `redactions`.
        """
        return text(info, self.note_told)

    @answer
    async def redactions(self, info: Info) -> list[RedactedText]:
        """The texts of it that had to go, and why."""
        return await gone(info, self._texts())

    def _texts(self) -> Iterable[FreeText | None]:
        return (self.note_told,)


@output
class Quoted(Noted):
    """What has a quotation as well."""

    quotation_told: strawberry.Private[FreeText | None] = None

    @answer
    def quotation(self, info: Info) -> str | None:
        """What the source says, in its own words; null also where that had to go."""
        return text(info, self.quotation_told)

    def _texts(self) -> Iterable[FreeText | None]:
        return self.note_told, self.quotation_told


def texts_of(state: Any) -> dict[str, FreeText | None]:
    """The texts of a state, for what is shown of it."""
    return {"note_told": state.note, "quotation_told": state.quotation}


def text(info: Info, told: FreeText | None) -> str | None:
    """A text, at once where it is in the state."""
    if isinstance(told, TextCommitment):
        return cast(str | None, _opened(info, told))  # GraphQL awaits it
    return told


def _opened(info: Info, told: TextCommitment) -> Awaitable[str | None]:
    async def opened() -> str | None:
        kept = await info.context.loaders.of.load(told.commitment)
        return kept.text if kept else None

    return opened()


async def texts(info: Info, told: Collection[TextCommitment]) -> dict[TextCommitment, str | None]:
    """Some texts, None for one that had to go."""
    kept = await info.context.loaders.of.load_many([text.commitment for text in told])
    return {text: of.text if of else None for text, of in zip(told, kept, strict=True)}


async def gone(info: Info, texts: Iterable[FreeText | None]) -> list[RedactedText]:
    """Those of some texts that had to go."""
    asked = [told.commitment for told in texts if isinstance(told, TextCommitment)]
    kept = await info.context.loaders.of.load_many(asked)
    return [redacted_text(of.redacted_text) for of in kept if of and of.redacted_text]
