"""GraphQL types of the texts of acts."""

from dataclasses import replace
from datetime import date
from typing import Annotated

import strawberry
from strawberry import argument, field

from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.base.output_types import output_type, struct_field
from schema.base.scalars import Day
from schema.inputs.arguments import parse_day
from schema.types.common import Because, Node, entity_type
from tracker.domain.controls import text as domain

UnitId = Annotated[
    str | None,
    argument(description="Only the unit with this id, such as `art-28/2`, and the units below it."),
]
LanguageCode = Annotated[
    str | None,
    argument(description="The language, such as `en`; by default that of the first version."),
]


@object_type
class TextUnit:
    """A unit of a text: an article, a paragraph, a point or an entry of an annex."""

    unit: str = field(description="Its id, made of the printed numbers, such as `art-28/2/a`.")
    words: str = field(description="Its words as printed.")


@output_type(
    of=domain.TextVersion,
    first="governs_from language kind document adopted_on sha256 size format licence address",
)
class TextVersion:
    """A version of the text of an act."""

    of: strawberry.Private[domain.TextVersion]

    @resolver_field
    async def units(self, info: Info, unit: UnitId = None) -> list[TextUnit] | None:
        """The units in the order of the text. Null if the bytes are not stored here or were redacted."""
        stored = await info.context.services.texts.read(self.of)
        if stored is None:
            return None
        return [
            TextUnit(unit=one.id, words=one.text)
            for one in stored.units
            if unit is None or one.id == unit or one.id.startswith(f"{unit}/")
        ]


@output_type(of=domain.TextOnDay, first="status phrase version governs_until")
class TextOnDay:
    """The version of a text that governs a day, as far as recorded."""

    of: strawberry.Private[domain.TextOnDay]


@entity_type(
    domain.TextState,
    first="act issuer instrument versions because",
    described_by=(domain.Recorded,),
)
class ActText(Node):
    """The text of an act, with its recorded versions."""

    state: strawberry.Private[domain.TextState]
    key: str = struct_field(description="Its key, such as `eu-2021-821`.")
    because: list[Because] = struct_field()

    @resolver_field
    async def on_day(
        self,
        info: Info,
        on: Annotated[
            Day | None, argument(description="The day; by default the effective date.")
        ] = None,
        language: LanguageCode = None,
    ) -> TextOnDay:
        """The version that governs a day. A version that is recorded at the position ends the one before it,
        even if it governs from a day after the effective date."""
        at = self.moment or await info.context.services.as_of.resolve()
        whole = await info.context.loaders.states.load(
            (self.entity_name, replace(at, valid_at=date.max, series=None))
        )
        of = whole if isinstance(whole, domain.TextState) else self.state
        day = parse_day(on, "on") or at.valid_at
        return TextOnDay(of=domain.version_on(of.in_language(language), day))
