"""The sort name and the words of an entity for lists. Pure."""

from collections.abc import Iterable, Iterator
from itertools import chain

from projections.words import words
from tracker.domain.actors.alliance import AllianceState
from tracker.domain.actors.announcement import AnnouncementState
from tracker.domain.actors.firm import FirmState
from tracker.domain.basics.values import Value
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.catalogue.places import Place
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.controls.matching import firms_in
from tracker.domain.evidence.coverage import CoverageState
from tracker.domain.evidence.watched_source import WatchedSourceState


def title(state: Value) -> str | None:
    """Return the sort name of an entity, or None without a name."""
    match state:
        case AllianceState() | FirmState() | WatchedSourceState() | CoverageState():
            return _joined([state.name])
        case AnnouncementState() | ExportControlState():
            return _joined([state.title])
    return None


def search_text(state: Value) -> str | None:
    """Return all search words of an entity for lists, or None if no list searches for it."""
    match state:
        case AllianceState():
            places = _place_names(member.place for member in state.members)
            texts = [state.name, state.id, *state.former_names, *places]
        case AnnouncementState():
            texts = [*_title_texts(state), state.id, state.topic or ""]
            texts += [*_place_names(state.actors), *_commodity_names(state.commodities)]
            texts += state.firms
        case ExportControlState():
            goods = chain.from_iterable(item.clause.commodities for item in state.clauses)
            texts = [*_title_texts(state), state.id, state.instrument or ""]
            texts += [*_place_names([state.issuer]), *_commodity_names(goods)]
            texts += chain.from_iterable(map(firms_in, state.clauses))
        case FirmState():
            texts = [state.name, state.id, *state.also, *state.former_names]
            texts += _place_names([state.place] if state.place else [])
        case WatchedSourceState():
            texts = [state.name, state.id, state.covers or "", *_place_names(state.issuers)]
        case CoverageState():
            texts = [state.name, state.id, *_place_names([state.issuer])]
        case _:
            return None
    return _joined(texts)


def _title_texts(state: AnnouncementState | ExportControlState) -> Iterator[str]:
    """Yield the title, and the title in the language of the issuer."""
    yield state.title
    if state.original_title is not None:
        yield state.original_title.text


def _place_names(actors: Iterable[str]) -> Iterator[str]:
    """Yield the codes and names of places; for an alliance its key."""
    for actor in dict.fromkeys(actors):
        yield actor
        if not actor.islower():
            yield Place(actor).name


def _commodity_names(ids: Iterable[str]) -> Iterator[str]:
    """Yield the names of commodities, including publishers' names."""
    for id in dict.fromkeys(ids):
        commodity = Commodity(id)
        yield from (id, commodity.name, *commodity.also)


def _joined(texts: Iterable[str]) -> str:
    return " ".join(chain.from_iterable(map(words, texts)))
