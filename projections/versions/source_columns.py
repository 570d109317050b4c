"""Sources and days of a state as columns for list filters. Pure."""

from datetime import date
from functools import lru_cache

from projections.runner.writing import day_text
from tracker.domain.basics.codec import encode
from tracker.domain.basics.values import PartialDate
from tracker.domain.basics.vocabulary import Checked, EvidenceLevel
from tracker.domain.entities.entity import EntityState, Evidence, History
from tracker.domain.entities.fact import CitedSource, Source
from tracker.domain.entities.levels import level_of
from tracker.domain.entities.provenance import Issuers, cite, issuers_of
from tracker.domain.figures.figure import Claim, FigureState


def sources_json(entity: str, state: EntityState, history: History) -> str:
    """Return the distinct sources of a state as JSON for list filters.

    Sources of a figure's claims come first; the first of each claim has the position of the claim.
    """
    if isinstance(state, FigureState):
        facts: tuple[Evidence | Claim, ...] = (*state.claims, *state.judged)
        return f"[{','.join([part for fact in facts for part in sources_of_fact(fact, None)])}]"
    parts = dict.fromkeys(
        [
            part
            for fact in state.because
            for part in sources_of_fact(fact, _issuers(entity, fact, state, history))
        ]
    )
    return f"[{','.join(parts)}]"


def _issuers(entity: str, fact: Evidence, state: EntityState, history: History) -> Issuers:
    known = history.get(fact.event_id)
    assert known is not None  # facts behind a state are recorded
    return issuers_of(entity, known.fact, state)


def sources_of_fact(fact: Evidence | Claim, issuers: Issuers) -> list[str]:
    """Return the sources of a fact as JSON, one text each.

    Primary and the level apply to the fact: one such source is enough.
    """
    if fact.more_sources:
        cited = [cite(source, issuers) for source in fact.sources]
        primary, level = any(source.is_primary for source in cited), level_of(cited)
        parts = [_source_json(source, primary, level) for source in fact.sources]
    else:
        one = fact.source
        page = (one.primary, one.url, one.copy_of)
        parts = [_only_source_json(one.publisher, one.published_on, one.checked, *page, issuers)]
    if isinstance(fact, Claim):
        parts[0] = f'{parts[0][:-1]},"position":{fact.position}}}'
    return parts


@lru_cache(maxsize=4096)
def _only_source_json(
    publisher: str,
    published: PartialDate,
    checked: Checked,
    primary: bool | None,
    url: str | None,
    copy_of: str | None,
    issuers: Issuers,
) -> str:
    """Return the JSON of the only source of a fact; many facts have an equal one."""
    source = CitedSource(
        publisher=publisher,
        name=publisher,
        published_on=published,
        checked=checked,
        primary=primary,
        url=url,
        copy_of=copy_of,
        issuers=issuers,
    )
    return _source_json(source, source.is_primary, source.level)


def _source_json(source: Source, primary: bool, level: EvidenceLevel) -> str:
    return encode(
        {
            "publisher": source.publisher,
            "published": of_date(source.published_on),
            "checked": source.checked,
            "is_primary": primary,
            "level": level.rank,
        }
    ).decode()


@lru_cache(maxsize=4096)
def of_date(given: PartialDate) -> str:
    """Return the possible days of a date."""
    return days(given.first, given.last)


def days(first: date, last: date | None) -> str:
    """Return a range of days for PostgreSQL, both ends inclusive; None is an open end."""
    return f"[{day_text(first)},{day_text(last)}]"
