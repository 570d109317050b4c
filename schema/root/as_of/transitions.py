"""Transitions of entities at a moment, past and future."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from enum import Enum
from typing import Annotated, Any, TypeAlias

from strawberry import field

from projections.fold import transitions
from projections.fold.transitions import TransitionKind
from projections.query.lists import Key
from projections.query.moment import Moment
from projections.query.transitions import TransitionFilter
from schema.base.argument_group import ArgumentGroup
from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.base.global_ids import key_of
from schema.base.scalars import Day
from schema.inputs import arguments
from schema.inputs.order_by import TransitionOrder
from schema.inputs.ranges import DayRange, parse_days
from schema.root.as_of.base import AtMoment
from schema.root.changes import CHANGE_FILTERS, parse_kinds
from schema.types.change import EntityKind, Transition
from schema.types.connection import PageSource, list_pages, shown_pages
from schema.types.export_control import firm_names
from schema.types.list_field import list_field
from tracker.domain.actors.alliance import Alliance
from tracker.domain.basics.values import DAY
from tracker.domain.catalogue.places import Place
from tracker.errors import InvalidInput

TRANSITIONS = "transitions"
"""Name of the list and order in cursors of transitions."""
MAX_WINDOW_DAYS = 36_525
POLICY_KINDS = (
    EntityKind.ALLIANCE.value,
    EntityKind.ANNOUNCEMENT.value,
    EntityKind.EXPORT_CONTROL.value,
    EntityKind.FIRM.value,
)
"""Kinds of entities whose transitions are listed by default. Figures are left out, because they change with
every edition of their publishers."""

BetweenDays: TypeAlias = Annotated[
    DayRange | None, "Only transitions in this period, past or future."
]
TRANSITION_FILTERS = ArgumentGroup(
    CHANGE_FILTERS,
    **ArgumentGroup.of(
        issuer=(str, "Only export controls of this issuer, such as `CN`."),
        alliance=(
            str,
            "Only transitions of this alliance, such as `quad`, and announcements by it or about it.",
        ),
        firm=(
            str,
            "Only clauses and announcements that name this firm, by any of its names or its key, and the"
            " firm itself.",
        ),
        entity=(str, "Only transitions of this entity, such as `alliance/quad`."),
        transition=(list[TransitionKind], "Only transitions of these kinds."),
    ),
).only("commodity hs_code place issuer alliance firm entity kind transition publisher")
DAY_FILTERS = TRANSITION_FILTERS.only("commodity place entity kind transition")


@object_type
class TransitionDay:
    """A date with transitions."""

    day: Day = field(description="The day.")
    transitions: int = field(description="The number of transitions.")


@object_type
class TransitionLists(AtMoment):
    """Transitions, as known at a moment."""

    @list_field(Transition, TransitionOrder)
    async def transitions(
        self,
        info: Info,
        order: Enum,
        between: BetweenDays = None,
        filters: ArgumentGroup = TRANSITION_FILTERS,
    ) -> PageSource[Transition]:
        """Transitions, past and future, ordered by date: clauses enter into force, are suspended, return,
        end; members join and leave; announcements are made. Former suspensions are included. They follow
        from the facts recorded by this position that were public by this date, including those about later
        dates. Transitions of figures are left out unless `kind` includes them."""
        kinds = kinds_of(filters["kind"], filters["entity"])
        about = await transition_filter(info, self.moment, kinds, filters)
        days = parse_days(between, "between") or (None, None)
        listing = await self._listing(info, days[0], days[1], about, order)
        return listing.about(self.policy_scope(info, about))

    @resolver_field
    async def transition_days(
        self, info: Info, filters: ArgumentGroup = DAY_FILTERS
    ) -> list[TransitionDay]:
        """The dates of `transitions`, past and future, in order, with the number of transitions on each."""
        kinds = kinds_of(filters["kind"], filters["entity"])
        about = await transition_filter(info, self.moment, kinds, filters)
        transitions = await info.context.services.as_of.transitions.between(
            self.moment, date.min, date.max, about
        )
        days = Counter(of.day for of in transitions)
        return [
            TransitionDay(day=Day(day.isoformat()), transitions=days[day]) for day in sorted(days)
        ]

    @list_field(Transition, TransitionOrder)
    async def upcoming(
        self, info: Info, order: Enum, days: int = 90, filters: ArgumentGroup = CHANGE_FILTERS
    ) -> PageSource[Transition]:
        """Upcoming changes: the `transitions` after this date, ordered by date, including those of
        figures.

        - days: The number of days after this date.
        """
        kinds = parse_kinds(filters["kind"])
        about = await transition_filter(info, self.moment, kinds, filters)
        today = self.moment.valid_at
        until = today + min(parse_window(days), date.max - today)
        if until == today:
            return list_pages([], TRANSITIONS).about(self.policy_scope(info, about))
        listing = await self._listing(info, today + DAY, until, about, order)
        return listing.about(self.policy_scope(info, about))

    @list_field(Transition, TransitionOrder, "DAY_DESC")
    async def recent(
        self, info: Info, order: Enum, days: int = 30, filters: ArgumentGroup = CHANGE_FILTERS
    ) -> PageSource[Transition]:
        """Recent changes: the `transitions` of this date and the given number of days before it, the latest
        first. Those of figures are included only if `kind` includes them.

        - days: The number of days before this date.
        """
        kinds = parse_kinds(filters["kind"], POLICY_KINDS)
        about = await transition_filter(info, self.moment, kinds, filters)
        today = self.moment.valid_at
        since = today - min(parse_window(days), today - date.min)
        listing = await self._listing(info, since, today, about, order)
        return listing.about(self.policy_scope(info, about))

    async def _listing(
        self,
        info: Info,
        first_day: date | None,
        last_day: date | None,
        about: TransitionFilter,
        order: Enum,
    ) -> PageSource[Transition]:
        transitions = await info.context.services.as_of.transitions.between(
            self.moment, first_day or date.min, last_day or date.max, about
        )
        return shown_pages(
            [(order_key(of), of) for of in transitions],
            lambda of: Transition(of=of, position=self.moment.position),
            TRANSITIONS,
            order.value.down,
        )


async def transition_filter(
    info: Info, moment: Moment, kinds: Sequence[str], filters: Mapping[str, Any]
) -> TransitionFilter:
    """Parse a filter of transitions of entities of some kinds at a moment. Raises InvalidInput."""
    values = {**dict.fromkeys(TRANSITION_FILTERS), **filters}
    return TransitionFilter(
        kinds=kinds,
        commodities=arguments.parse_commodities(values["commodity"], values["hs_code"]),
        places=arguments.parse_words(Place, values["place"], "place"),
        publishers=arguments.parse_publisher(values["publisher"]),
        entity=arguments.parse_entity_of_kind(values["entity"]),
        what=values["transition"],
        issuers=arguments.parse_words(Place, values["issuer"], "issuer"),
        firms=await firm_names(info, values["firm"], moment),
        alliance=parse_alliance(values["alliance"]),
    )


def kinds_of(kind: EntityKind | None, entity: str | None) -> Sequence[str]:
    """Return the kinds of entities of a filter. Figures count only if a kind or an entity is named."""
    return parse_kinds(kind, POLICY_KINDS) if entity is None else parse_kinds(kind)


def parse_window(days: int) -> timedelta:
    """Parse a number of days before or after a date. Raises InvalidInput."""
    if not 0 <= days <= MAX_WINDOW_DAYS:
        raise InvalidInput(f"expected a number of days from 0 to {MAX_WINDOW_DAYS}", path=("days",))
    return days * DAY


def parse_alliance(text: str | None) -> str | None:
    """Parse the key of an alliance, from its key or id; None if the argument is left out.

    Raises InvalidInput.
    """
    if text is None:
        return None
    key = key_of(Alliance.KIND, arguments.parse_short_text(text, "alliance"))
    if key is None:
        raise InvalidInput("expected the key of an alliance, such as 'quad'", path=("alliance",))
    return key


def order_key(of: transitions.Transition) -> Key:
    """Return the key that orders transitions."""
    return (of.day.isoformat(), of.entity, *of.part)
