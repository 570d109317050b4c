"""Arguments of queries: names and parsers.

Every parser raises InvalidInput with the path of its argument.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Annotated, Any, TypeAlias, TypeVar

from projections.analysis.export_clauses import ExposureQuery
from projections.query.search_matches import MAX_WORDS, sought_words
from projections.words import words
from schema.base.global_ids import MAX_ID_CHARACTERS
from schema.base.scalars import Day, Instant, Position
from schema.inputs.input_types import check_text
from tracker.domain.basics import calendar_days
from tracker.domain.basics.calendar_days import DAY
from tracker.domain.basics.vocabulary import Checked, EvidenceLevel, Stage
from tracker.domain.catalogue.commodities import (
    Commodity,
    commodities_with_code,
    descendants,
    find_commodity,
)
from tracker.domain.catalogue.places import Actor, Place, place_of_text
from tracker.domain.entities.entity import entity_type
from tracker.domain.entities.fact import ENTITY_PATH
from tracker.domain.events.registry import fact_type
from tracker.errors import InvalidInput, TooLarge, TrackerError
from tracker.log.resume_token import ResumeToken, parse_resume_token, position_of
from tracker.log.selection import Selection

T = TypeVar("T")
DIGITS = re.compile(r"\d+", re.ASCII)
NAMED: dict[Any, Callable[[str], str | None]] = {Commodity: find_commodity, Place: place_of_text}
"""Functions from names to keys, by vocabulary."""
HS_CODE = re.compile(r"\d{4}([. ]?\d\d){0,3}", re.ASCII)
MAX_WAIT_SECONDS = 20
"""Longest time in seconds that a request may wait for new events."""
PUBLISHER = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)
Publisher: TypeAlias = Annotated[
    str | None, "Only items with a source of this publisher, by its short id, such as `usgs`."
]
CommodityId: TypeAlias = Annotated[
    str | None,
    "Only items about this commodity, such as `rare_earths`, or about one below it in the tree.",
]

Search: TypeAlias = Annotated[
    str | None,
    "Only items that match all of these words. A word matches if it begins a word or has the same English"
    " stem. Searched texts are the title, key or instrument, present and former names of an alliance, and"
    " the names of commodities, issuer, actors and members, at this moment.",
]
Verified: TypeAlias = Annotated[
    bool | None,
    "True: only items whose facts all rest on texts of the issuer itself that were read before recording."
    " False: only items with a fact that does not.",
]
Level: TypeAlias = Annotated[
    EvidenceLevel | None,
    "Only items whose facts all have this level or a better one. VERIFIED is the best, then"
    " TWO_COPIES_AGREE, ISSUER_TEXT_COPY, SECONDARY and MEMORY.",
]
Primary: TypeAlias = Annotated[
    bool | None,
    "True: only items whose facts all rest on texts of the issuer itself, read or not. False: only items"
    " with a fact that rests on reports by others.",
]
CheckedAs: TypeAlias = Annotated[
    Checked | None, "Only items with a source that was checked in this way."
]

HsCode: TypeAlias = Annotated[
    str | None,
    "Only items about a commodity with this code of the Harmonized System, such as `280530`, or about one"
    " below such a commodity. A heading of 4 digits includes its subheadings; a tariff code of 8 or 10"
    " digits is cut to its subheading of 6. With `commodity`, both must match.",
]

OfTypes: TypeAlias = Annotated[
    list[str] | None, "Only events of these types, such as `ExportControl.Suspended`."
]
AboutCommodities: TypeAlias = Annotated[
    list[str] | None,
    "Only events about one of these commodities, such as `rare_earths`, or about one below it, as named"
    " by the event or an earlier event of its entity.",
]
AboutPlaces: TypeAlias = Annotated[
    list[str] | None,
    "Only events about one of these places or alliances, such as `CN` or `quad`: as issuer, member or"
    " actor, or as the place of a figure.",
]
OfEntity: TypeAlias = Annotated[str | None, "Only events of this entity, such as `alliance/quad`."]


def parse_word(kind: Callable[[str], T], value: str, field: str) -> T:
    """Parse a word of a vocabulary (`Commodity`, `Place`, `Actor`, …). Raises InvalidInput.

    Commodities and places may also have their names, in any case.
    """
    text = key_of_name(kind, parse_short_text(value, field))
    return _at_path(field, lambda: kind(text))


def key_of_name(kind: Callable[[str], Any], text: str) -> str:
    """Return the key of a commodity or place that a text names; any other text is unchanged."""
    find = NAMED.get(kind)
    return (find and find(text)) or text


def parse_short_text(value: str, field: str) -> str:
    """Return a text for a word of a vocabulary. Raises InvalidInput if it is far too long."""
    if len(value) > MAX_ID_CHARACTERS:
        raise TooLarge(f"expected at most {MAX_ID_CHARACTERS} letters", path=(field,))
    return value


def parse_stored_text(value: str, field: str) -> str:
    """Parse a short text for an exact lookup in the database.

    Raises InvalidInput for a blank text.
    """
    check_text(parse_short_text(value, field), field)
    if not value.strip():
        raise InvalidInput("expected a text that is not blank", path=(field,))
    return value


def parse_optional_text(value: str | None, field: str) -> str | None:
    """Parse a short text for an exact lookup; None if the argument is left out."""
    return None if value is None else parse_stored_text(value, field)


def parse_words(kind: Callable[[str], T], value: str | None, field: str) -> list[T] | None:
    """Parse a filter of one word as a list; None if the argument is left out."""
    return None if value is None else [parse_word(kind, value, field)]


def parse_with_descendants(value: str | None, field: str = "commodity") -> list[str] | None:
    """Parse a filter of a commodity and all below it; None if the argument is left out."""
    return None if value is None else sorted(descendants(parse_word(Commodity, value, field)))


def parse_commodities(commodity: str | None, hs_code: str | None) -> list[str] | None:
    """Parse a filter of commodities: those below one, or with a code, or both.

    None if both are left out.
    """
    below = parse_with_descendants(commodity)
    if hs_code is None:
        return below
    coded = parse_hs_code(hs_code)
    return sorted(coded if below is None else coded.intersection(below))


def parse_hs_code(value: str) -> frozenset[Commodity]:
    """Return the commodities with a code: see `commodities_with_code`."""
    return commodities_with_code(check_hs_code(value))


def check_hs_code(value: str) -> str:
    """Return a code of the Harmonized System or of a tariff, without the dots and spaces that customs write.

    Raises InvalidInput for other texts.
    """
    if not HS_CODE.fullmatch(value.strip()):
        raise InvalidInput(
            "expected a code of 4, 6, 8 or 10 digits, such as '280530' or '2805.30'",
            code="INVALID_HS_CODE",
            path=("hsCode",),
        )
    return re.sub(r"[. ]", "", value)


def parse_search(value: str | None) -> str | None:
    """Return the search words; None if the argument is left out."""
    if value is not None and not words(parse_short_text(value, "search")):
        raise InvalidInput("expected at least one letter or digit", path=("search",))
    return value


def parse_search_words(value: str, field: str) -> str:
    """Return the text of a full-text search. Raises InvalidInput, or TooLarge."""
    words = sought_words(parse_short_text(value, field))
    if not words:
        raise InvalidInput("expected at least one letter or digit", path=(field,))
    if len(words) > MAX_WORDS:
        raise TooLarge(f"expected at most {MAX_WORDS} different words", path=(field,))
    return value


def parse_publisher(value: str | None) -> list[str] | None:
    """Parse a filter of one publisher; None if the argument is left out."""
    if value is not None and not PUBLISHER.fullmatch(parse_short_text(value, "publisher")):
        raise InvalidInput("expected a publisher's short id, such as 'usgs'", path=("publisher",))
    return None if value is None else [value]


def parse_exposure_query(
    day: date,
    commodity: str | None,
    issuer: str | None,
    destination: str | None,
    stage: Stage | None = None,
) -> ExposureQuery:
    """Parse the arguments of `exposure`. Raises InvalidInput unless one of them is given."""
    if commodity is None and issuer is None and destination is None:
        raise InvalidInput("expected a commodity, an issuer or a destination", path=("commodity",))
    return ExposureQuery(
        day,
        None if commodity is None else parse_word(Commodity, commodity, "commodity"),
        None if issuer is None else parse_word(Place, issuer, "issuer"),
        None if destination is None else parse_word(Place, destination, "destination"),
        stage,
    )


def parse_event_types(value: list[str] | None) -> list[str] | None:
    """Parse a filter of event types; None if the argument is left out."""
    for index, type_ in enumerate(value or ()):
        try:
            fact_type(parse_short_text(type_, "types"))
        except InvalidInput as error:
            error.path = ("types", index)
            raise
    return value


def parse_selection(
    types: list[str] | None,
    commodities: list[str] | None,
    places: list[str] | None,
    entity: str | None = None,
    *,
    fields: tuple[str, str] = ("commodities", "places"),
) -> Selection:
    """Parse a filter of events.

    Events match any of the commodities or one below it, and any of the places. `fields` are the names of
    these two arguments.
    """
    of_commodities, of_places = fields
    goods = None if commodities is None else parse_all(Commodity, commodities, of_commodities)
    return Selection(
        types=parse_event_types(types),
        commodities=None if goods is None else sorted({c for id in goods for c in descendants(id)}),
        places=None if places is None else parse_all(Actor, places, of_places),
        entity=entity,
    )


def parse_some(
    kind: Callable[[str], T], value: list[str] | None, field: str, most: int
) -> list[T] | None:
    """Parse up to `most` words of a vocabulary; None if the argument is left out.

    Raises InvalidInput and TooLarge.
    """
    if value is None:
        return None
    if len(value) > most:
        raise TooLarge(f"expected at most {most}, not {len(value)}", path=(field,))
    return parse_all(kind, value, field)


def parse_entity(value: str | None, field: str) -> str | None:
    """Parse the name of an entity in the log; None if the argument is left out. Raises InvalidInput."""
    if value is not None and not ENTITY_PATH.fullmatch(parse_short_text(value, field)):
        raise InvalidInput(
            "expected the name of an entity, such as 'alliance/quad'",
            code="INVALID_ID",
            path=(field,),
        )
    return value


def parse_entity_of_kind(value: str | None, field: str = "entity") -> str | None:
    """Parse the name of an entity of an existing kind; None if the argument is left out.

    Raises InvalidInput.
    """
    if value is not None:
        entity_type(parse_short_text(value, field))
        check_text(value, field)
    return value


def parse_all(kind: Callable[[str], T], value: list[str], field: str) -> list[T]:
    """Parse words of a vocabulary; an error has the path of the word."""
    values = []
    for index, text in enumerate(value):
        try:
            values.append(parse_word(kind, text, field))
        except TrackerError as error:
            error.path = (field, index)
            raise
    return values


def parse_day(value: Day | None, field: str) -> date | None:
    """Parse a day."""
    return None if value is None else calendar_days.parse_day(value, field)


def parse_instant(value: Instant | None, field: str) -> datetime | None:
    """Parse a time in UTC."""
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        if match := DAY.match(value):
            calendar_days.parse_day(match[0], field)
        raise InvalidInput(
            f"{value[:50]!r} is not a moment: expected YYYY-MM-DDTHH:MM:SSZ",
            code="INVALID_DATE",
            path=(field,),
        ) from None


def parse_position(value: Position | None, field: str) -> int | None:
    """Parse a position."""
    if value is None:
        return None
    if not DIGITS.fullmatch(value):
        raise InvalidInput(
            f"{value[:50]!r} is not a position: expected a whole number from 0, such as 20000",
            code="INVALID_POSITION",
            path=(field,),
        )
    return position_of(value, field)


def parse_token(value: str | None, field: str) -> ResumeToken | None:
    """Parse a resume token or a position."""
    return None if value is None else parse_resume_token(value, field)


def parse_required_position(value: Position, field: str) -> int:
    """Parse a required position. Raises InvalidInput."""
    position = parse_position(value, field)
    assert position is not None
    return position


def parse_wait(value: str | None) -> int:
    """Parse the seconds that a request may wait for new events; 0 without them. Raises InvalidInput."""
    if value is None:
        return 0
    if not DIGITS.fullmatch(value) or len(value) > 2 or not 0 < int(value) <= MAX_WAIT_SECONDS:
        raise InvalidInput(
            f"expected a whole number of seconds from 1 to {MAX_WAIT_SECONDS}", path=("wait",)
        )
    return int(value)


def _at_path(field: str, read: Callable[[], T]) -> T:
    try:
        return read()
    except InvalidInput as error:
        raise error.below(field) from None


def domain_value(member: Any) -> str | None:
    """Return the domain's value of a GraphQL enum member."""
    return None if member is None else str(member.value)
