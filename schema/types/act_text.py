"""GraphQL types of the texts of acts."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Annotated

import strawberry
from strawberry import argument, field

from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.base.output_types import output_type, struct_field
from schema.base.scalars import Day
from schema.inputs.arguments import parse_day, parse_optional_text
from schema.types.common import Because, Node, entity_type
from tracker.domain.basics.vocabulary import TextChange
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
    async def units(
        self,
        info: Info,
        unit: UnitId = None,
        search: Annotated[
            str | None,
            argument(
                description="Only units with these whole words in this order; `…` stands for any words."
            ),
        ] = None,
    ) -> list[TextUnit] | None:
        """The units in the order of the text. Null if the bytes are not stored here or were redacted."""
        words = parse_optional_text(search, "search")
        stored = await info.context.services.texts.read(self.of, words)
        if stored is None:
            return None
        return [
            TextUnit(unit=one.id, words=one.text)
            for one in stored.units
            if _is_within(one.id, unit)
        ]


@output_type(of=domain.TextOnDay, first="status phrase version governs_until")
class TextOnDay:
    """The version of a text that governs a day, as far as recorded."""

    of: strawberry.Private[domain.TextOnDay]


@object_type
class TextRun:
    """Successive words with the same kind of change, as printed in both versions."""

    change: TextChange = field(description="The kind of change.")
    old: str = field(description="The words of the older version; empty if they are added.")
    new: str = field(description="The words of the newer version; empty if they are removed.")


@object_type
class TextUnitChange:
    """A unit whose words differ between two versions."""

    unit: str = field(description="Its id, such as `art-28/2/a`.")
    change: TextChange = field(description="Whether it is added, removed or replaced.")
    runs: list[TextRun] = field(description="All its words, by kind of change.")


@object_type
class TextChanges:
    """The differences between the versions of a text that govern two days."""

    old: TextOnDay = field(description="The version that governs the earlier day.")
    new: TextOnDay = field(description="The version that governs the later day.")

    @resolver_field
    async def units(self, info: Info, unit: UnitId = None) -> list[TextUnitChange] | None:
        """The units whose words differ, in the order of the newer version. Other spaces, dashes, quotation
        marks and list marks do not count. Null if a version is not recorded, or its bytes are not stored
        here."""
        old, new = self.old.of.version, self.new.of.version
        redline = old and new and await info.context.services.texts.redline(old, new)
        if not redline:
            return None
        return [
            TextUnitChange(
                unit=one.id,
                change=one.change,
                runs=[TextRun(change=run.change, old=run.old, new=run.new) for run in one.runs],
            )
            for one in redline.changes()
            if _is_within(one.id, unit)
        ]


def _is_within(id: str, unit: str | None) -> bool:
    """Return whether a unit is another one or below it; every unit is within None."""
    return unit is None or id == unit or id.startswith(f"{unit}/")


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
        return (
            await self.on_days(
                info, [parse_day(on, "on")], parse_optional_text(language, "language")
            )
        )[0]

    async def on_days(
        self, info: Info, days: Sequence[date | None], language: str | None
    ) -> list[TextOnDay]:
        """Return the versions that govern some days; None is the effective date."""
        at = self.moment or await info.context.services.as_of.resolve()
        whole = await info.context.loaders.states.load(
            (self.entity_name, replace(at, valid_at=date.max, series=None))
        )
        of = whole if isinstance(whole, domain.TextState) else self.state
        versions = of.in_language(language)
        return [TextOnDay(of=domain.version_on(versions, day or at.valid_at)) for day in days]
