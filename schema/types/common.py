"""GraphQL types that several kinds of entity share: places, commodities, quantities, sources."""

from collections.abc import Callable
from functools import cache
from typing import Any, ClassVar, Self, TypeVar, cast

import strawberry
from strawberry import field
from typing_extensions import dataclass_transform

from projections.query.moment import Moment, kind_name
from schema.base.context import Info
from schema.base.decorators import CONTENT, RENDERED, moment_field, object_type, resolver_field
from schema.base.global_ids import NodeId
from schema.base.memo import memoize_by_identity
from schema.base.output_types import made_field, output_type, shows, struct_field
from schema.base.scalars import Position
from schema.types.summary import summary_of
from tracker.domain.basics import values
from tracker.domain.basics.control_vocabulary import Form
from tracker.domain.basics.vocabulary import EvidenceLevel
from tracker.domain.catalogue import commodities, places
from tracker.domain.catalogue.publishers import publishers
from tracker.domain.entities import entity, fact, redaction
from tracker.domain.entities.entity import EntityState
from tracker.domain.entities.provenance import cited_sources, is_issued
from tracker.log.annexes import StoredAnnex
from tracker.log.entries import RecordedEvent

T = TypeVar("T")
N = TypeVar("N", bound="Node")


def at_moment(content: T, moment: Moment | None) -> T:
    """Return the same content at a moment: a separate object with its own `id`."""
    return share_content(content, moment=moment)


def share_content(content: T, **own: Any) -> T:
    """Return an object with the content of another one and attributes of its own.

    States are the same at many moments. Serialized documents are cached by content (see
    `schema.execution.plans.serializers`). Only a `moment_field` is resolved for each object.
    """
    self = type(content).__new__(type(content))
    attributes = self.__dict__
    attributes.update(content.__dict__)
    attributes.pop(RENDERED, None)
    attributes.setdefault(CONTENT, content)
    attributes.update(own)
    return self


@output_type(state=EntityState, interface=True, only_spelled=True, first="key entity")
class Node:
    """An entity at a moment. `key` and `entity` name the entity at every moment; `id` is for clients
    that cache objects."""

    state: strawberry.Private[EntityState]
    moment: strawberry.Private[Moment | None] = None
    version_start: strawberry.Private[Moment | None] = None
    """The start of the version, if the object belongs to a history. Linked objects are then of the
    present."""
    state_type: ClassVar[Any]
    """The class of its states."""
    content_of: ClassVar[Callable[[Any], Any]]
    """The constructor of the object of a state without a moment."""

    key: str = struct_field("id", description="Its key, unique among entities of its kind.")

    @made_field
    def entity(self) -> str:
        """Its name in the log: its kind, `/` and its key."""
        return self.entity_name

    @property
    def entity_name(self) -> str:
        """Return its name in the log."""
        return f"{kind_name(type(self.state))}/{self.state.id}"

    @moment_field
    def id(self) -> strawberry.ID:
        """An id of the entity at this moment, or in this version of its history. The same entity at
        another moment has another id, so caches by id never mix moments. `node(id:)` returns the same
        object again."""
        at = NodeId(self.entity_name, self.moment or self.version_start, self.moment is None)
        return strawberry.ID(at.encode())

    @classmethod
    def at(cls, state: EntityState, moment: Moment | None) -> Self:
        """Return the object of a state at a moment; in a history it has none."""
        return cast(Self, at_moment(cls.content_of(state), moment))


NODE_TYPES: dict[type[EntityState], type[Node]] = {}
"""Output types of entities, by their states."""


@dataclass_transform(kw_only_default=True, field_specifiers=(strawberry.field, struct_field))
def entity_type(
    state: type[EntityState], *, weight: Callable[[Any], int] = lambda _: 1, **options: Any
) -> Callable[[type[N]], type[N]]:
    """Return a decorator for the output type of a kind of entity.

    It is `output_type` of the state with the same options. `weight` estimates the memory of an object;
    one object is cached for each state.
    """

    def decorate(kind: type[N]) -> type[N]:
        shown = output_type(state=state, **options)(kind)
        shown.state_type = state
        shown.content_of = memoize_by_identity(weight)(lambda of: shown(state=of))
        NODE_TYPES[state] = shown
        return shown

    return decorate


@object_type
class Place:
    """A country by its ISO 3166-1 code, or a declared group such as WORLD."""

    code: str
    """The ISO 3166-1 alpha-2 code; for a former state, the ISO 3166-3 code; for a declared group, its own
    code."""
    alpha3_code: str | None
    """The ISO 3166-1 alpha-3 code, such as `CHN`; for a former state, its former code. Null for a group,
    and if ISO has none (`XK`)."""
    numeric_code: str | None
    """The ISO 3166-1 numeric code in three digits, such as `076`, which is also the UN's M49 code; null if
    `alpha3Code` is null."""
    name: str = field(description="The English name.")
    is_aggregate: bool = field(description="Whether it is a group: a total, a residual, a union.")


@object_type
class Commodity:
    """A commodity of the tracker's commodity tree."""

    key: str = field(description="Its key, such as `rare_earths`.")
    name: str = field(description="The English name.")
    parent_key: str | None
    """The key of the commodity above it in the tree; null for a root."""
    group_keys: list[str] = field(description="The keys of further commodities that include it.")
    hs_codes: list[str]
    """Its codes in the Harmonized System of 2022, of 4 or 6 digits."""
    forms: list[Form]
    """The forms in which it is traded; empty if all forms are possible."""


@object_type
class Actor:
    """An actor of an announcement: a place or an alliance."""

    key: str = field(description="The code of a place (`US`) or the key of an alliance (`quad`).")
    place: Place | None = field(description="The place; null for an alliance or group.")


@output_type(
    first="publisher publisher_name name citation published_on url reference checked level primary verified"
)
class Source:
    """The source of a fact, and whether it was checked."""

    of: strawberry.Private[fact.Source]

    @made_field
    def publisher_name(self) -> str | None:
        """The publisher's name; null if it is not declared."""
        known = publishers().get(self.of.publisher)
        return known.name if known else None

    @made_field
    def primary(self) -> bool:
        """Whether the source is the text of an issuer itself. Its publisher is an authority of the
        issuer of the act, of an actor of the announcement, of the alliance, or of the member in the
        fact. It is at the publisher's own address or in a file of data that the publisher released.
        False for copies and reports by others. Figures have no issuer, so any authority counts."""
        return self.of.is_primary

    @made_field
    def level(self) -> EvidenceLevel:
        """The ground of the fact by this source alone. It does not apply to the fields in
        `unsupported`; `evidence` of a clause has the level of each field."""
        return self.of.level


@output_type(first="on reason by source")
class RedactedText:
    """A redacted text, with the date, reason and author of the redaction."""

    of: strawberry.Private[redaction.RedactedText]
    position: Position = struct_field()
    field: str = struct_field()


@output_type(only_spelled=True, first="commitment salt text redaction field")
class Annex:
    """A text of an event that is stored outside its log entry, so that it can be redacted. The entry
    commits to it by a salted hash."""

    of: strawberry.Private[StoredAnnex]

    @made_field
    def salt(self) -> str | None:
        """The salt in hexadecimal digits; null if the text was redacted."""
        return self.of.salt.hex() if self.of.salt else None

    @made_field
    def redaction(self) -> RedactedText | None:
        """The redaction of the text; null if the text is not redacted."""
        return RedactedText(of=self.of.redacted_text) if self.of.redacted_text else None


@output_type(first="position event_id type")
class Because:
    """A recorded event that a state follows from; in a `preview`, also an event that would be recorded."""

    of: strawberry.Private[entity.Evidence]
    position: Position = struct_field()

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
        """The event in one English sentence, the same as in `events`."""
        return await summary_of(info, self.of)

    @resolver_field
    async def annexes(self, info: Info) -> list[Annex]:
        """Its note, its quotation and the notes of its clauses, as far as they exist."""
        planned = info.context.loaders.planned.annexes(self.of.event_id)
        if planned is None:
            return await annexes(info, self.of.position)
        return [Annex(of=of) for of in planned]


@output_type(number=values.Quantity, first="value upper unit")
class Quantity:
    """A number with its unit, basis and qualifier."""

    number: strawberry.Private[values.Quantity]


@shows(places.Place)
@cache
def place(code: str) -> Place:
    """Return a place by its code."""
    of = places.Place(code)
    return Place(
        code=code,
        alpha3_code=of.alpha3,
        numeric_code=of.numeric,
        name=of.name,
        is_aggregate=of.is_aggregate,
    )


@shows(commodities.Commodity)
@cache
def commodity(id: str) -> Commodity:
    """Return a commodity by its id."""
    of = commodities.Commodity(id)
    return Commodity(
        key=id,
        name=of.name,
        parent_key=of.parent,
        group_keys=list(of.groups),
        hs_codes=list(of.hs_codes),
        forms=list(of.forms),
    )


@shows(places.Actor)
def actor(id: str) -> Actor:
    """Return an actor by its code or id."""
    return Actor(key=id, place=None if id.islower() else place(id))


async def event_sources(info: Info, of: RecordedEvent) -> list[Source]:
    """Return the GraphQL types of the sources of an event."""
    opening = None
    if any(
        each.is_primary or each.is_copy for each in of.fact.sources
    ):  # the issuer matters for entities with sources only
        opening = await info.context.loaders.opening_before(of)
    return [Source(of=each) for each in cited_sources(of.stream, of.fact, opening)]


async def sources_behind(info: Info, of: entity.Evidence) -> list[Source]:
    """Return the GraphQL types of the sources of an event that a state follows from."""
    if is_issued(of.type) and any(each.is_primary or each.is_copy for each in of.sources):
        [event] = await info.context.loaders.events_behind([of])
        assert event is not None  # evidence always has a recorded or a planned event
        return await event_sources(info, event)
    return [Source(of=each) for each in of.sources]


async def annexes(info: Info, position: int) -> list[Annex]:
    """Return the GraphQL types of the annexes of an event."""
    return [Annex(of=of) for of in await info.context.loaders.at.load(position)]


@shows(values.Quantity)
def quantity(of: values.Quantity) -> Quantity:
    """Return the GraphQL type of a quantity."""
    return Quantity(number=of)
