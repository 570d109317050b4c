"""GraphQL types of search results."""

from collections.abc import Sequence

import strawberry
from strawberry import field

from projections.analysis.claims import Orders
from projections.query.figure_words import figure_text, figure_title
from projections.query.moment import Moment, kind_name
from projections.query.search import positions_behind
from projections.query.search_matches import Match, SoughtWord, Text, best_matches
from projections.search_index.document import passages
from schema.base.context import Info
from schema.base.decorators import lazy_object, object_type, resolver_field
from schema.base.scalars import Position
from schema.types.change import EntityKind
from schema.types.connection import Connection
from schema.types.event import State, graphql_state
from schema.types.figure import figure
from tracker.domain.actors.alliance import AllianceState
from tracker.domain.actors.announcement import AnnouncementState
from tracker.domain.actors.firm import FirmState
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.controls.obligation import ObligationState
from tracker.domain.controls.text import TextState
from tracker.domain.entities.entity import EntityState
from tracker.domain.figures.figure import FigureState
from tracker.domain.figures.tariff import TariffLineState, tariff_name
from tracker.domain.figures.tariff_edition import TariffEditionState
from tracker.domain.figures.trade_flow import TradeFlowState, flow_name


@object_type
class SearchMatch:
    """A text with a word of the search, and the location of the word in it."""

    field: str
    """The field of the text: `title`, `name`, `formerNames`, `instrument`, `clauses`, `commodities`, …; of
    an annex its location in the event, such as `/quotation`."""
    text: str = strawberry.field(description="The text, or an excerpt of it with `…` at the cuts.")
    start: int
    """The start of the match in `text`: the number of characters (Unicode code points) before it."""
    end: int = strawberry.field(description="The end of the match in `text`.")
    position: Position | None
    """The position of the event with this note or quotation; null for a text of the state."""


@object_type
class SearchResult:
    """An entity in the results of a search, in its state at the moment."""

    state: strawberry.Private[EntityState]
    sought: strawberry.Private[Sequence[SoughtWord]]
    entity: str
    """Its name in the log, such as `export-control/cn-mofcom-2024-46`."""
    kind: EntityKind = field(description="Its kind.")
    title: str = field(description="Its title or name; for a figure, its series in words.")
    node: State = field(description="The entity.")
    rank: float
    """The quality of the match: the higher, the better. It depends on the words of this search, so ranks of
    two searches are not comparable."""

    @resolver_field
    async def matched(self, info: Info) -> list[SearchMatch]:
        """The best matching part for each word: in the state or, failing that, in a note or quotation.
        Redacted texts are never included."""
        found, missing = best_matches(self.sought, texts_of(self.state))
        if missing:
            more, _ = best_matches(missing, await _annex_texts(info, self.state))
            found = list(dict.fromkeys([*found, *more]))
        return [_match(one) for one in found]


@object_type
class SearchResultConnection(Connection[SearchResult]):
    """A page of the results of a search (a Relay connection)."""

    position: Position
    """The position of the log up to which the results are complete: that of the moment. The index of words
    follows the log by milliseconds, and a search waits for it."""
    statement: str | None
    """The goods, place, measure or words of the search that no recorded control has together with the
    others; null if one has all, or if the search names no goods, or no place and measure."""
    nearest: list[SearchResult]
    """With a `statement`: the controls that have the other parts of the search, the best first, at most 5.
    They are not in the results."""


def texts_of(state: EntityState) -> list[Text]:
    """Return the searchable texts of a state."""
    if isinstance(state, FigureState):
        return [Text(field, text) for field, text in figure_text(state.series).items()]
    return [Text(of.field, of.text) for of in passages(state)]


async def _annex_texts(info: Info, state: EntityState) -> list[Text]:
    """Return the notes and quotations of the events behind a state."""
    found = await info.context.loaders.at.load_many(sorted(positions_behind(state)))
    return [Text(one.field, one.text, one.position) for each in found for one in each if one.text]


def _match(of: Match) -> SearchMatch:
    position = None if of.position is None else Position(str(of.position))
    return SearchMatch(field=of.field, text=of.text, start=of.start, end=of.end, position=position)


def search_result(
    entity: str,
    rank: float,
    state: EntityState,
    moment: Moment,
    orders: Orders,
    sought: Sequence[SoughtWord],
) -> SearchResult:
    """Return the GraphQL type of a search result."""
    return lazy_object(
        SearchResult,
        state=state,
        sought=sought,
        entity=entity,
        rank=rank,
        later={
            "kind": lambda: EntityKind(entity.partition("/")[0]),
            "title": lambda: title_of(state),
            "node": lambda: (
                figure(state, orders, moment)
                if isinstance(state, FigureState)
                else graphql_state(state, moment)
            ),
        },
    )


def title_of(state: EntityState) -> str:
    """Return the title or name of an entity."""
    match state:
        case AllianceState() | FirmState():
            return state.name
        case AnnouncementState() | ExportControlState():
            return state.title
        case FigureState():
            return figure_title(state)
        case TradeFlowState():
            return flow_name(f"{kind_name(TradeFlowState)}/{state.id}")
        case TariffEditionState() | TariffLineState():
            return tariff_name(f"{kind_name(type(state))}/{state.id}")
        case ObligationState():
            return state.sentence
        case TextState():
            return state.act
    return state.id
