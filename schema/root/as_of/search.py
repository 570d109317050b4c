"""Search at a moment."""

from collections.abc import Sequence

from strawberry import field

from projections.query.lists import Key, Keyed, KeyRange
from projections.query.search import SearchAnswer, SearchQuery, slice_answer
from projections.query.statement_verdicts import PartKind, StatementVerdict
from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.base.scalars import Position
from schema.inputs import arguments
from schema.inputs.pagination import Cursors, cursor_error
from schema.root.as_of.base import AtMoment
from schema.types.change import EntityKind
from schema.types.connection import PageSource
from schema.types.list_field import list_field
from schema.types.search import SearchResult, SearchResultConnection, search_result
from tracker.domain.catalogue.places import Actor
from tracker.domain.evidence.completeness import KINDS_OF_ACTS
from tracker.domain.wording.phrases import listed

CURSORS = Cursors(order="RANK")


@object_type
class CheckedPart:
    """A part of a sentence, with its relation to the records."""

    kind: PartKind = field(description="The kind of the part.")
    text: str = field(description="Its words in the sentence.")
    verdict: StatementVerdict = field(description="The relation to the records.")
    statement: str
    """The recorded facts, or the reason why the part was not checked."""
    entities: list[str]
    """The records behind the verdict, such as `export-control/cn-mofcom-2024-46`."""


@object_type
class SearchAtMoment(AtMoment):
    """Search at a moment, and the check of a sentence."""

    @resolver_field
    async def check_statement(self, info: Info, text: str) -> list[CheckedPart]:
        """The parts of a sentence about a control or an output, each with its relation to the records:
        recorded, contradicted by what is recorded, or not recorded. Not recorded does not mean false. A
        part is recorded only together with the other recorded parts, and without a limit that the sentence
        leaves out. Names may be misspelt. Words that were not read are parts of the kind OTHER.

        - text: One sentence in English.
        """
        sentence = arguments.parse_search_words(text, "text")
        checked = await info.context.services.as_of.statements.check(sentence, self.moment)
        return [
            CheckedPart(
                kind=one.kind,
                text=one.text,
                verdict=one.verdict,
                statement=one.statement,
                entities=list(one.entities),
            )
            for one in checked
        ]

    @list_field(SearchResult, connection=SearchResultConnection)
    async def search(
        self,
        info: Info,
        text: str,
        kinds: list[EntityKind] | None = None,
        commodity: arguments.CommodityId = None,
        place: str | None = None,
    ) -> PageSource[SearchResult]:
        """Entities that match all of the words, the best first. A search for goods, a place and a measure
        finds controls with one clause in which all of them hold, the largest producer of the goods first;
        names may be misspelt. If no control has all, `statement` names the part that is missing, and
        `nearest` has controls with the others. A word matches if it begins a word of the
        entity or has the same English stem; case and accents do not matter. Searched texts are present and
        former names, titles, keys, instruments, firms, clauses and different accounts. Names and codes of
        commodities and places (including the Harmonized System) are searched too, and notes and quotations
        of the events behind a state. Adjacent Chinese and Japanese characters are one word: it matches if
        all of them occur, and better if they occur in order. A watched source matches by its name, key,
        publisher, issuers and coverage. A figure matches by its commodity, place, statistic, stage, product
        and year. If nothing matches all of the words, similar words match too. A search has at most 1,000
        results. The index of words follows the log by milliseconds; a search waits until it has the position
        of its moment.

        - text: The search words.
        - kinds: Only entities of these kinds; all except trade flows if left out.
        - place: Only entities of this place (`CN`) or alliance (`quad`): as issuer, member or actor, as the
          seat of a firm, or as the place of a figure.
        """
        query = SearchQuery(
            arguments.parse_search_words(text, "text"),
            parse_kinds(kinds),
            _as_tuple(arguments.parse_with_descendants(commodity)),
            _as_tuple(arguments.parse_words(Actor, place, "place")),
        )
        answer = await info.context.services.as_of.searches.answer(query, self.moment)
        kinds_of_acts = {kind for name in query.kinds for kind in KINDS_OF_ACTS.get(name, ())}
        places, goods = query.places, query.commodities
        if answer.missing:
            places, goods = (
                places or answer.search.places or None,
                goods or answer.search.commodities or None,
            )
        scope = self.scope(info, kinds_of_acts, places, goods)
        orders = await self.orders(info) if answer.nearest else ()
        states = await info.context.services.as_of.named(answer.nearest, self.moment)
        nearest = [
            search_result(name, 0, states[name], self.moment, orders, answer.sought)
            for name in answer.nearest
        ]
        return self._pages(info, answer, nearest).about(scope)

    def _pages(
        self, info: Info, answer: SearchAnswer, nearest: Sequence[SearchResult]
    ) -> PageSource[SearchResult]:
        as_of = info.context.services.as_of

        async def items(span: KeyRange) -> list[Keyed[SearchResult | None]]:
            ranked = slice_answer(answer, span)
            states = await as_of.named([entity for _, entity in ranked], self.moment)
            orders = await self.orders(info)
            return [
                (
                    key,
                    search_result(
                        entity, float(key[0]), states[entity], self.moment, orders, answer.sought
                    ),
                )
                for key, entity in ranked
            ]

        async def count() -> int:
            return len(answer.ranked)

        return PageSource(
            items,
            count,
            CURSORS.encode,
            decode_cursor,
            connection=SearchResultConnection,
            more=(
                ("position", Position(str(self.moment.position))),
                ("statement", missing_terms(answer)),
                ("nearest", nearest),
            ),
        )


def decode_cursor(given: str, path: str) -> Key:
    """Decode a cursor of a search. Raises InvalidInput for any other text."""
    rank, entity = CURSORS.decode(given, path)
    try:
        float(rank)
    except ValueError:
        raise cursor_error(path) from None
    return rank, entity


def missing_terms(answer: SearchAnswer) -> str | None:
    """Return the sentence on the terms that no control has together; None if one has all."""
    if not answer.missing:
        return None
    sought = dict.fromkeys((*answer.search.terms, *answer.missing))
    every, missing = (
        listed([one.name for one in terms], len(terms)) for terms in (sought, answer.missing)
    )
    if not answer.nearest:
        return f"No recorded control is about {every}."
    return f"No recorded control combines {every}. The nearest ones lack {missing}."


def parse_kinds(given: Sequence[EntityKind] | None) -> tuple[str, ...]:
    """Return the names of kinds; without any, all kinds except trade flows, which are many and alike."""
    kinds = {*EntityKind} - {EntityKind.FLOW} if given is None else given
    return tuple(sorted({str(kind.value) for kind in kinds}))


def _as_tuple(given: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if given is None else tuple(given)
