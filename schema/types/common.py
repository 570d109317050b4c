"""Types that several kinds of entity have in common: places, commodities, quantities, sources."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import fields
from decimal import Decimal
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar, cast

import msgspec
import strawberry
from strawberry import field

import schema.base.enums  # noqa: F401 - enums are known before output types are made of them
from projections.query.moment import Moment
from schema.base.context import Info
from schema.base.decorators import (
    CONTENT,
    LAZY_FIELDS,
    RENDERED,
    interface_type,
    moment_field,
    object_type,
    resolver_field,
)
from schema.base.global_ids import NodeId
from schema.base.scalars import Position
from schema.types.summary import summary_of
from tracker.domain import commodities, entity, places, redaction, values
from tracker.domain.provenance import cited_sources, is_issued
from tracker.domain.publishers import publishers
from tracker.domain.values import PartialDate
from tracker.domain.vocabulary import Checked, Form, Qualifier
from tracker.log.annexes import StoredAnnex
from tracker.log.entries import RecordedEvent

T = TypeVar("T")


def from_state(
    kind: type[T],
    *states: msgspec.Struct,
    later: Mapping[str, Callable[[], Any]] | None = None,
    **instead: Any,
) -> T:
    """Convert states to a GraphQL type: fields of the same name are copied, others given as keyword
    arguments.

    Those in `later` are made when somebody asks for them: most questions ask for few.
    """
    self = kind.__new__(kind)
    values = self.__dict__
    for state in states:
        names, read = _shared_fields(cast(Hashable, kind), type(state))
        values.update(zip(names, read(state), strict=True))
    values.update(instead)
    for name in later or ():
        values.pop(name, None)
    values[LAZY_FIELDS] = later
    return self


def at_moment(content: T, moment: Moment | None) -> T:
    """The same content at a moment: an object of its own, with its own `id`."""
    return share_content(content, moment=moment)


def share_content(content: T, **own: Any) -> T:
    """An object with the content of another one and some attributes of its own.

    States are the same at many moments. What a document makes of them is made once, for the content
    (see `schema.execution.plans.serializers`); only a `moment_field` is asked of each object.
    """
    self = type(content).__new__(type(content))
    attributes = self.__dict__
    attributes.update(content.__dict__)
    attributes.pop(RENDERED, None)
    attributes.setdefault(CONTENT, content)
    attributes.update(own)
    return self


@cache
def _shared_fields(
    kind: Any, state: type[msgspec.Struct]
) -> tuple[Sequence[str], Callable[[Any], Any]]:
    """The names of the fields that an output type shares with a state, and how they are read."""
    shown = {f.name for f in fields(kind) if f.init}
    names = [name for name in state.__struct_fields__ if name in shown]
    return names, attrgetter(*names) if len(names) > 1 else lambda of: [
        getattr(of, name) for name in names
    ]


@interface_type
class Node:
    """An entity at a moment. `key` and `entity` name the entity, whatever the moment; `id` is for
    programs that keep objects.
    """

    key: str = field(description="Its key, unique among entities of its kind.")
    entity: str = field(description="Its name in the log: its kind, `/` and its key.")
    moment: strawberry.Private[Moment | None] = None
    version_start: strawberry.Private[Moment | None] = None
    """Where the version begins that it is of a history; what hangs on it is of the present then."""

    @moment_field
    def id(self) -> strawberry.ID:
        """An id of the entity at this moment, or in this version of its history: what holds at
        another moment has another id, so caches that keep objects by their ids never mix moments.
        `node(id:)` returns the same object again.
        """
        at = NodeId(self.entity, self.moment or self.version_start, self.moment is None)
        return strawberry.ID(at.encode())


@object_type
class Place:
    """A country by its ISO 3166-1 code, or a declared group such as WORLD."""

    code: str = field(
        description="The ISO 3166-1 alpha-2 code; of a state that is no more, the ISO 3166-3 code; of a"
        " declared group, its own."
    )
    alpha3_code: str | None = field(
        description="The ISO 3166-1 alpha-3 code, such as `CHN`; of a state that is no more, the one"
        " that it had; null for a group, and where ISO has none (`XK`)."
    )
    numeric_code: str | None = field(
        description="The ISO 3166-1 numeric code in three digits, such as `076`, which is also the UN's"
        " M49 code; null where `alpha3Code` is."
    )
    name: str = field(description="The English name.")
    is_aggregate: bool = field(description="Whether it is a group: a total, a residual, a union.")


@object_type
class Commodity:
    """A commodity of the tracker's commodity tree."""

    key: str = field(description="Its key, such as `rare_earths`.")
    name: str = field(description="The English name.")
    parent_key: str | None = field(
        description="The key of the commodity above it in the tree; null for a root."
    )
    group_keys: list[str] = field(description="The keys of further commodities that include it.")
    hs_codes: list[str] = field(
        description="Its codes in the Harmonized System of 2022, of 4 or 6 digits."
    )
    forms: list[Form] = field(
        description="The forms in which it is traded; empty where it can have all."
    )


@object_type
class Actor:
    """Who acts in an announcement: a place or an alliance."""

    key: str = field(description="The code of a place (`US`) or the key of an alliance (`quad`).")
    place: Place | None = field(description="The place; null for an alliance or group.")


@object_type
class Source:
    """Where a fact comes from, and how it was checked."""

    publisher: str = field(description="The publisher's short id, such as `usgs`.")
    publisher_name: str | None = field(
        description="The publisher's name; null where it is not declared."
    )
    name: str = field(description="The publication, in the publisher's words.")
    citation: str = field(
        description="The publication and who published what was read, in words: `MOFCOM Announcement No. 61"
        " of 2025, as read at Reuters`."
    )
    published_on: PartialDate = field(
        description="The date on which the fact became public through it."
    )
    url: str | None = field(description="The web address at which it can be read.")
    reference: str | None = field(description="The page, table or paragraph in it.")
    checked: Checked = field(description="How it was checked before the fact was recorded.")
    primary: bool = field(
        description="Whether it is the text of an issuer itself: its publisher is an authority of the"
        " issuer of the act, of an actor of the announcement, of the alliance, or of the member that the"
        " fact is about, and it is at the publisher's own address or in a file of data that it published."
        " False for copies and reports by others. Figures have no issuer: any authority counts."
    )
    verified: bool = field(
        description="Whether the text of the issuer itself was read before the fact was recorded. It"
        " does not hold for the fields in `unsupported`."
    )
    confidence: str | None = field(
        description="The confidence of whoever recorded the fact, in words."
    )
    snapshot: str | None = field(
        description="The SHA-256 of the snapshot that the fact was read in, as hexadecimal digits: what"
        " was fetched is at `/snapshots/<sha256>`. Null where no snapshot is cited."
    )
    reviewed_by: list[str] = field(
        description="Who accepted the fact, in order, where it was proposed from a watched source; else"
        " empty."
    )
    unsupported: list[str] = field(
        description="The fields of the fact that what was read does not contain, as paths such as `since`"
        " or `amounts.0.quantity`: `verified` does not hold for them. Empty where it contains all."
    )


@object_type
class RedactedText:
    """A redacted text: which one, when, why and by whom."""

    on: PartialDate = field(description="The day of the redaction.")
    reason: str = field(description="Why.")
    by: str | None = field(description="Who redacted it.")
    source: Source = field(description="The law, the order or the request that demands it.")
    position: Position = field(description="The position of the redaction in the log.")
    field: str = field(
        description="The field of the event's data that had the text, as a JSON Pointer: `/note`,"
        " `/quotation`, `/clauses/0/note`."
    )


@object_type
class Annex:
    """A text of an event that is stored outside its log entry, so that it can be redacted. The
    entry commits to it by a salted hash.
    """

    commitment: str = field(
        description="The commitment in the entry: `salted-sha256-v1:` and the SHA-256 of salt and text,"
        " in hexadecimal digits."
    )
    salt: str | None = field(
        description="The salt in hexadecimal digits; null where the text was redacted."
    )
    text: str | None = field(description="The text; null where it was redacted.")
    redaction: RedactedText | None = field(
        description="The redaction of the text; null while the text is there."
    )
    field: str = field(
        description="The field of the event's data that has the commitment, as a JSON Pointer: `/note`,"
        " `/quotation`, `/clauses/0/note`."
    )


@object_type
class Because:
    """A recorded event that a state follows from; in a `preview`, also one that would be recorded."""

    of: strawberry.Private[entity.Evidence]

    position: Position = field(description="Its position in the log.")
    event_id: str = field(description="Its event id, which `retractEvent` takes.")
    type: str = field(description="Its type, such as `ExportControl.Suspended`.")

    @resolver_field
    async def source(self, info: Info) -> Source:
        """The source of the fact."""
        [first, *_] = await sources_behind(info, self.of)
        return first

    @resolver_field
    async def more_sources(self, info: Info) -> list[Source]:
        """Further sources of the same fact."""
        [_, *more] = await sources_behind(info, self.of)
        return more

    @resolver_field
    async def summary(self, info: Info) -> str:
        """What the event says, in one English sentence: the same as that of the event in `events`."""
        return await summary_of(info, self.of)

    @resolver_field
    async def annexes(self, info: Info) -> list[Annex]:
        """Its note, its quotation and the notes of its clauses, where it has them."""
        planned = info.context.loaders.planned.annexes(self.event_id)
        return await annexes(info, self.position) if planned is None else list(map(annex, planned))


@object_type
class Quantity:
    """A number with its unit, basis and qualifier."""

    value: Decimal | None = field(
        description="The number; null where the qualifier says that there is none. It is never 0 for an"
        " unknown number."
    )
    upper: Decimal | None = field(description="The upper end of a RANGE; null otherwise.")
    unit: str = field(description="The unit: `t`, `kt`, `percent`, an ISO 4217 currency code, ….")
    qualifier: Qualifier | None = field(
        description="How the number is qualified, or why there is none; null for a plain number."
    )
    basis: str | None = field(
        description="The basis of the weight, in the publisher's words, such as `REO` or `contained"
        " metal`; null where the publisher does not say."
    )
    estimated: bool = field(description="Whether the publisher marks it as an estimate.")
    rounded: bool = field(description="Whether the publisher marks it as rounded.")


@cache
def place(code: str) -> Place:
    """A place by its code."""
    of = places.Place(code)
    return Place(
        code=code,
        alpha3_code=of.alpha3,
        numeric_code=of.numeric,
        name=of.name,
        is_aggregate=of.is_aggregate,
    )


@cache
def commodity(id: str) -> Commodity:
    """A commodity by its id."""
    of = commodities.Commodity(id)
    return Commodity(
        key=id,
        name=of.name,
        parent_key=of.parent,
        group_keys=list(of.groups),
        hs_codes=list(of.hs_codes),
        forms=list(of.forms),
    )


def actor(id: str) -> Actor:
    """An actor by its code or id."""
    return Actor(key=id, place=None if id.islower() else place(id))


def source(of: values.Source) -> Source:
    """The GraphQL type of a source."""
    known = publishers().get(of.publisher)
    return from_state(
        Source,
        of,
        publisher_name=known.name if known else None,
        citation=of.citation,
        primary=of.is_primary,
        verified=of.verified,
    )


async def event_sources(info: Info, of: RecordedEvent) -> list[Source]:
    """The GraphQL types of the sources of an event."""
    opening = None
    if any(each.is_primary for each in of.fact.sources):  # of others no issuer makes a difference
        opening = await info.context.loaders.opening_before(of)
    return [source(each) for each in cited_sources(of.stream, of.fact, opening)]


async def sources_behind(info: Info, of: entity.Evidence) -> list[Source]:
    """The GraphQL types of the sources of an event that a state follows from."""
    if is_issued(of.type) and any(each.is_primary for each in of.sources):
        [event] = await info.context.loaders.events_behind([of])
        assert event is not None  # whoever has the evidence has it from the log, or plans it
        return await event_sources(info, event)
    return [source(each) for each in of.sources]


def because(facts: tuple[entity.Evidence, ...]) -> list[Because]:
    """The GraphQL types of the events behind a state."""
    return [because_event(fact) for fact in facts]


async def annexes(info: Info, position: str) -> list[Annex]:
    """The GraphQL types of the annexes of an event."""
    return [annex(kept) for kept in await info.context.loaders.at.load(int(position))]


def annex(of: StoredAnnex) -> Annex:
    """The GraphQL type of an annex."""
    return Annex(
        field=of.field,
        commitment=of.commitment,
        salt=of.salt.hex() if of.salt else None,
        text=of.text,
        redaction=redacted_text(of.redacted_text) if of.redacted_text else None,
    )


def redacted_text(of: redaction.RedactedText) -> RedactedText:
    """The GraphQL type of a text that had to go."""
    return from_state(
        RedactedText, of, source=source(of.source), position=Position(str(of.position))
    )


def because_event(fact: entity.Evidence) -> Because:
    """The GraphQL type of an event that states refer to."""
    return from_state(Because, fact, of=fact)


def quantity(of: values.Quantity) -> Quantity:
    """The GraphQL type of a quantity."""
    return from_state(Quantity, of)
