"""Texts of acts at a moment."""

from enum import Enum
from typing import Annotated

from strawberry import argument

from projections.query.lists import Filter
from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.base.scalars import Day
from schema.inputs.arguments import parse_day, parse_optional_text, parse_words
from schema.inputs.order_by import KeyOrder
from schema.root.as_of.base import AtMoment
from schema.types.act_text import ActText, LanguageCode, TextChanges
from schema.types.connection import PageSource
from schema.types.list_field import list_field
from tracker.domain.catalogue.places import Place
from tracker.errors import InvalidInput


@object_type
class Texts(AtMoment):
    """Texts of acts at a moment."""

    @list_field(ActText, KeyOrder)
    async def texts(
        self,
        info: Info,
        order: Enum,
        issuer: Annotated[
            str | None, argument(description="Only acts of this place, such as `EU`.")
        ] = None,
    ) -> PageSource[ActText]:
        """Acts with a recorded text. The shipped data have none: an installation records its own."""
        return self.listing(
            info, ActText, order, Filter(places=parse_words(Place, issuer, "issuer"))
        )

    @resolver_field
    async def text(
        self,
        info: Info,
        id: Annotated[str, argument(description="Its key, such as `eu-2021-821`, or its id.")],
    ) -> ActText | None:
        """The text of an act; null if no version is recorded."""
        return await self.one(info, ActText, id)

    @resolver_field
    async def text_changes(
        self,
        info: Info,
        id: Annotated[str, argument(description="The key of the act, such as `eu-2021-821`.")],
        from_: Annotated[Day, argument(name="from", description="The earlier day.")],
        to: Annotated[
            Day | None, argument(description="The later day; by default the effective date.")
        ] = None,
        language: LanguageCode = None,
    ) -> TextChanges | None:
        """The differences between the versions that govern two days; null if no version is recorded."""
        language = parse_optional_text(language, "language")
        act = await self.one(info, ActText, id)
        if act is None:
            return None
        days = parse_day(from_, "from"), parse_day(to, "to")
        if days[0] and days[1] and days[1] < days[0]:
            raise InvalidInput("`to` is before `from`: expected a later day", path=("to",))
        old, new = await act.on_days(info, days, language)
        return TextChanges(old=old, new=new)
